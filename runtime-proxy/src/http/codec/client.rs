//! A connection to an endpoint: requests out, responses in.

use std::error::Error as _;
use std::{fmt, io};

use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::Body;
use super::executor::LocalExecutor;
use super::message::{request_to_wire, response_from_wire};
use super::protocol::{CONNECTION_WINDOW, HEAD_BYTES, HEADER_LINES, HEADER_LIST, Protocol, STREAM_WINDOW};
use crate::http::head::{Head, ResponseHead};

/// A connection that is ready for requests.
pub enum Client {
    /// One request at a time.
    Http1(Http1),
    /// Many.
    Http2(Http2),
}

/// An HTTP/1.1 connection; dropping it closes the connection.
pub struct Http1(http1::SendRequest<Body>);

/// An HTTP/2 connection, shared by its copies; it is closed when the last one is dropped and its streams have ended.
#[derive(Clone)]
pub struct Http2(http2::SendRequest<Body>);

/// Why a request has no answer. An answer that came before the request's body had ended is an answer: the rest of the body
/// is not sent, and an HTTP/1.1 connection is of no more use then.
pub enum SendError {
    /// Nothing of it was written, and its body was not touched: it can go over another connection as it is.
    NotSent(Body),
    /// The peer refused to process it (`REFUSED_STREAM`; RFC 9113, 8.7).
    Refused,
    /// The request was cancelled: its own body broke off.
    Cancelled,
    /// The connection ended without an answer, or with one that is none.
    Closed,
    /// The head has no target that can be written, which one that was checked always has.
    Unwritable,
}

/// Makes a connection of a byte stream; for HTTP/2 the settings are exchanged. Its own task runs on this thread.
///
/// # Errors
/// The peer does not speak the protocol, or the stream failed.
pub async fn connect<S>(io: S, protocol: Protocol) -> io::Result<Client>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match protocol {
        Protocol::Http1 => Http1::connect(io).await.map(Client::Http1),
        Protocol::Http2 => Http2::connect(io).await.map(Client::Http2),
    }
}

impl Http1 {
    /// Makes a connection of a byte stream; its own task runs on this thread.
    ///
    /// # Errors
    /// The codec refuses to begin.
    pub async fn connect<S>(io: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_headers(HEADER_LINES)
            .max_header_size(HEAD_BYTES)
            .handshake(TokioIo::new(io))
            .await
            .map_err(io::Error::other)?;
        tokio::task::spawn_local(connection);
        Ok(Self(sender))
    }

    /// Whether it carries no more requests.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Whether the exchange before has ended.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    /// Sends a request; the answer's head is awaited, its body is pulled.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&mut self, head: &Head, body: Body) -> Result<(ResponseHead, Body), SendError> {
        let request = request_to_wire(head, body, Protocol::Http1).ok_or(SendError::Unwritable)?;
        self.0.try_send_request(request).await.map(response_from_wire).map_err(classify)
    }
}

impl Http2 {
    /// Makes a connection of a byte stream and exchanges the settings; its own task runs on this thread.
    ///
    /// # Errors
    /// The peer does not speak HTTP/2, or the stream failed.
    pub async fn connect<S>(io: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http2::Builder::new(LocalExecutor)
            .max_header_list_size(HEADER_LIST)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(TokioIo::new(io))
            .await
            .map_err(io::Error::other)?;
        tokio::task::spawn_local(connection);
        Ok(Self(sender))
    }

    /// Whether it carries no more requests.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Sends a request; the answer's head is awaited, its body is pulled.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&mut self, head: &Head, body: Body) -> Result<(ResponseHead, Body), SendError> {
        let request = request_to_wire(head, body, Protocol::Http2).ok_or(SendError::Unwritable)?;
        self.0.try_send_request(request).await.map(response_from_wire).map_err(classify)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent(_) => "the connection was closed before the request was written",
            Self::Refused => "the peer refused to process the request",
            Self::Cancelled => "the request's body broke off",
            Self::Closed => "the connection ended without an answer",
            Self::Unwritable => "the request has no target that can be written",
        })
    }
}

fn classify(mut failed: TrySendError<http::Request<Body>>) -> SendError {
    let unsent = failed.take_message();
    let error = failed.into_error();
    if error.is_user() {
        // The only thing of ours that can fail is the body that the client sends.
        return SendError::Cancelled;
    }
    if let Some(request) = unsent {
        return SendError::NotSent(request.into_body());
    }
    let cause = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    let refused = cause.and_then(h2::Error::reason) == Some(h2::Reason::REFUSED_STREAM);
    if refused { SendError::Refused } else { SendError::Closed }
}
