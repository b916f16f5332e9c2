//! From an accepted socket to requests.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connection::{Connection, Connections, InFlight};
use super::stream::{Opening, Stream};
use crate::http::{Body, Head, LocalExecutor, ResponseHead, Scheme, request_from_wire, response_to_wire};
use crate::tls::{SpiffeId, svid_id};

/// Lines of a request head; one more is a 431 (`semantics.md`, "Limits" of a request).
const HEADER_LINES: usize = mesh_bundle::limits::HEADER_LINES;
/// Bytes of a request head, and of an HTTP/2 header list.
const HEAD_BYTES: usize = mesh_bundle::limits::HEAD_BYTES;
/// Streams of one HTTP/2 connection at once.
const H2_STREAMS: u32 = 256;
/// Streams that a client opened and reset before they were taken up (CVE-2023-44487, "rapid reset").
const H2_PENDING_RESETS: usize = 20;
/// Streams that this side reset because of the client's errors (CVE-2025-8671, "made you reset").
const H2_LOCAL_RESETS: usize = 256;
/// Bytes that may wait to be sent on one HTTP/2 stream.
const H2_SEND_BUFFER: usize = 256 * 1024;
/// Flow control windows of one HTTP/2 stream and connection, in bytes.
const H2_STREAM_WINDOW: u32 = 256 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;
/// How long accepting rests when the process has no descriptor left.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// What a listener speaks at this moment; asked for at each accept, because bundles and certificates change.
pub enum ListenerMode {
    /// Plain text.
    Plain,
    /// TLS alone.
    Tls(Arc<ServerConfig>),
    /// TLS or plain text, as the client begins.
    Either(Arc<ServerConfig>),
    /// Nothing: accepted connections are closed.
    Closed,
}

/// Who is at the other end.
#[derive(Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// The same without port, as text.
    pub ip: Box<str>,
    /// The local address that it connected to.
    pub local: SocketAddr,
    /// `https` over TLS.
    pub scheme: Scheme,
    /// The SPIFFE ID of its verified certificate.
    pub principal: Option<SpiffeId>,
    /// `1.2` or `1.3`.
    pub tls_version: Option<&'static str>,
    /// The server name that the client asked for.
    pub sni: Option<Box<str>>,
}

/// Where requests go.
pub trait Handler: 'static {
    /// What the listener speaks now.
    fn mode(&self) -> ListenerMode;

    /// Answers one request. `in_flight` is to be held until the response's body has ended.
    fn handle(
        self: Rc<Self>,
        peer: Rc<Peer>,
        in_flight: InFlight,
        head: Head,
        body: Body,
    ) -> impl Future<Output = (ResponseHead, Body)> + 'static;
}

/// Accepts connections until the worker drops the future. Runs inside a `LocalSet`.
pub async fn accept_loop<H: Handler>(listener: TcpListener, connections: Rc<Connections>, handler: Rc<H>) {
    loop {
        let (socket, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_per_connection(&error) {
                    tokio::time::sleep(ACCEPT_REST).await;
                }
                continue;
            }
        };
        let Some(registered) = connections.open() else {
            continue;
        };
        let handler = Rc::clone(&handler);
        tokio::task::spawn_local(async move {
            let connection = Rc::clone(&registered.connection);
            let mut work = pin!(serve(socket, address, Rc::clone(&connection), handler));
            poll_fn(|cx| {
                connection.wake_with(cx.waker());
                if connection.is_killed() {
                    return Poll::Ready(());
                }
                // A connection that fails concerns its client alone.
                work.as_mut().poll(cx).map(drop)
            })
            .await;
            drop(registered);
        });
    }
}

fn is_per_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

async fn serve<H: Handler>(
    socket: TcpStream,
    address: SocketAddr,
    connection: Rc<Connection>,
    handler: Rc<H>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let local = socket.local_addr()?;
    let mut stream = Stream::new(socket, Rc::clone(&connection));
    let mode = handler.mode();
    if matches!(mode, ListenerMode::Closed) {
        return Ok(());
    }
    let opening = stream.peek().await?;
    let config = match (mode, opening) {
        (ListenerMode::Tls(config) | ListenerMode::Either(config), Opening::Tls) => config,
        (ListenerMode::Plain | ListenerMode::Either(_), Opening::Http1 | Opening::Http2) => {
            let plain = Peer {
                address,
                ip: ip_text(address),
                local,
                scheme: Scheme::Http,
                principal: None,
                tls_version: None,
                sni: None,
            };
            return talk(stream, opening == Opening::Http2, Rc::new(plain), connection, handler).await;
        }
        (ListenerMode::Tls(_), _) | (ListenerMode::Plain, Opening::Tls) | (ListenerMode::Closed, _) => {
            return Ok(());
        }
    };
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let peer = Rc::new(tls_peer(&stream, address, local)?);
    talk(stream, http2, peer, connection, handler).await
}

/// The peer behind a finished handshake. Its certificate was verified in it.
fn tls_peer(stream: &TlsStream<Stream>, address: SocketAddr, local: SocketAddr) -> io::Result<Peer> {
    let session = stream.get_ref().1;
    let leaf = session.peer_certificates().and_then(|chain| chain.first());
    let principal = leaf.map(svid_id).transpose().map_err(io::Error::other)?;
    let tls_version = session.protocol_version().map(|version| match version {
        rustls::ProtocolVersion::TLSv1_2 => "1.2",
        _ => "1.3",
    });
    let sni = session.server_name().map(Into::into);
    Ok(Peer { address, ip: ip_text(address), local, scheme: Scheme::Https, principal, tls_version, sni })
}

fn ip_text(address: SocketAddr) -> Box<str> {
    address.ip().to_canonical().to_string().into()
}

async fn talk<H: Handler, S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    http2: bool,
    peer: Rc<Peer>,
    connection: Rc<Connection>,
    handler: Rc<H>,
) -> io::Result<()> {
    let io = TokioIo::new(stream);
    let requests = Rc::clone(&connection);
    let service = service_fn(move |request| {
        let in_flight = requests.begin();
        let (handler, peer) = (Rc::clone(&handler), Rc::clone(&peer));
        // A future that is made where it is awaited takes its room once; hyper moves the whole at every request.
        async move {
            let (head, body) = request_from_wire(request, peer.scheme);
            let (head, body) = handler.handle(peer, in_flight, head, body).await;
            Ok::<_, Infallible>(response_to_wire(head, body))
        }
    });
    if http2 {
        let conn = http2::Builder::new(LocalExecutor)
            .max_concurrent_streams(H2_STREAMS)
            .max_pending_accept_reset_streams(H2_PENDING_RESETS)
            .max_local_error_reset_streams(H2_LOCAL_RESETS)
            .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
            .max_send_buf_size(H2_SEND_BUFFER)
            .initial_stream_window_size(H2_STREAM_WINDOW)
            .initial_connection_window_size(H2_CONNECTION_WINDOW)
            .serve_connection(io, service);
        drive(conn, &connection, |conn| conn.graceful_shutdown()).await
    } else {
        let conn = http1::Builder::new()
            .max_headers(HEADER_LINES)
            .max_header_size(HEAD_BYTES)
            .header_read_timeout(None)
            .serve_connection(io, service);
        drive(conn, &connection, |conn| conn.graceful_shutdown()).await
    }
    .map_err(io::Error::other)
}

async fn drive<C: Future<Output = hyper::Result<()>>>(
    conn: C,
    connection: &Connection,
    drain: impl Fn(Pin<&mut C>),
) -> hyper::Result<()> {
    let mut conn = pin!(conn);
    poll_fn(|cx| {
        if connection.take_drain() {
            drain(conn.as_mut());
        }
        conn.as_mut().poll(cx)
    })
    .await
}
