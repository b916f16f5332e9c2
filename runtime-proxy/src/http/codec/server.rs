//! A client's connection: requests in, responses out.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::Body;
use super::executor::LocalExecutor;
use super::message::{request_from_wire, response_to_wire};
use super::protocol::{CONNECTION_WINDOW, HEAD_BYTES, HEADER_LINES, HEADER_LIST, Protocol, STREAM_WINDOW};
use crate::http::head::{Head, ResponseHead, Scheme};

/// Streams of one HTTP/2 connection at once.
const STREAMS: u32 = 256;
/// Streams that a client opened and reset before they were taken up (CVE-2023-44487, "rapid reset").
const PENDING_RESETS: usize = 20;
/// Streams that this side reset because of the client's errors (CVE-2025-8671, "made you reset").
const LOCAL_RESETS: usize = 256;
/// Bytes that may wait to be sent on one HTTP/2 stream.
const SEND_BUFFER: usize = 256 * 1024;

/// Answers the requests of a connection.
pub trait Service: 'static {
    /// Answers one request. A client that goes away before the answer drops the future; one that goes away before the
    /// answer's end drops its body; one whose own body breaks off makes that body fail. An answer may be given before the
    /// request's body was read to its end.
    fn call(&self, head: Head, body: Body) -> impl Future<Output = (ResponseHead, Body)> + 'static;
}

/// Serves a connection to its end. `drain` is asked whenever the connection is polled; once it says yes, what is in flight
/// is finished and nothing new is taken (`connection: close`, GOAWAY).
///
/// # Errors
/// What ended the connection, where that was not a regular end.
pub async fn serve<S: Service>(
    io: impl AsyncRead + AsyncWrite + Unpin + 'static,
    protocol: Protocol,
    scheme: Scheme,
    service: S,
    drain: impl Fn() -> bool,
) -> io::Result<()> {
    let io = TokioIo::new(io);
    let service = Rc::new(service);
    let service = service_fn(move |request| {
        let service = Rc::clone(&service);
        // A future that is made where it is awaited takes its room once; hyper moves the whole at every request.
        async move {
            let (head, body) = request_from_wire(request, scheme);
            let (head, body) = service.call(head, body).await;
            Ok::<_, Infallible>(response_to_wire(head, body))
        }
    });
    match protocol {
        Protocol::Http1 => {
            // No `pipeline_flush`: with it hyper buffers without bound for a client that does not read. One buffer costs small
            // answers less than a list of pieces, and is bounded too.
            let connection = http1::Builder::new()
                .writev(false)
                .max_headers(HEADER_LINES)
                .max_header_size(HEAD_BYTES)
                .header_read_timeout(None)
                .serve_connection(io, service);
            drive(connection, drain, |connection| connection.graceful_shutdown()).await
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(LocalExecutor)
                .max_concurrent_streams(STREAMS)
                .max_pending_accept_reset_streams(PENDING_RESETS)
                .max_local_error_reset_streams(LOCAL_RESETS)
                .max_header_list_size(HEADER_LIST)
                .max_send_buf_size(SEND_BUFFER)
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .serve_connection(io, service);
            drive(connection, drain, |connection| connection.graceful_shutdown()).await
        }
    }
    .map_err(io::Error::other)
}

async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    drain: impl Fn() -> bool,
    shut_down: impl Fn(Pin<&mut C>),
) -> hyper::Result<()> {
    let mut connection = pin!(connection);
    poll_fn(|cx| {
        if drain() {
            shut_down(connection.as_mut());
        }
        connection.as_mut().poll(cx)
    })
    .await
}
