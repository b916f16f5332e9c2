//! From an accepted socket to requests.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::lifetime::{Connection, Connections, InFlight};
use super::stream::{Opening, Stream};
use crate::http::codec::{self, Protocol, Service};
use crate::http::{Body, Head, ResponseHead, Scheme};
use crate::tls::{SpiffeId, svid_id};

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
            let protocol = if opening == Opening::Http2 { Protocol::Http2 } else { Protocol::Http1 };
            return talk(stream, protocol, Rc::new(plain), connection, handler).await;
        }
        (ListenerMode::Tls(_), _) | (ListenerMode::Plain, Opening::Tls) | (ListenerMode::Closed, _) => {
            return Ok(());
        }
    };
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let protocol = if http2 { Protocol::Http2 } else { Protocol::Http1 };
    let peer = Rc::new(tls_peer(&stream, address, local)?);
    talk(stream, protocol, peer, connection, handler).await
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

/// Requests of one connection on their way to the handler.
struct Requests<H> {
    peer: Rc<Peer>,
    connection: Rc<Connection>,
    handler: Rc<H>,
}

impl<H: Handler> Service for Requests<H> {
    fn call(&self, head: Head, body: Body) -> impl Future<Output = (ResponseHead, Body)> + 'static {
        let in_flight = self.connection.begin();
        Rc::clone(&self.handler).handle(Rc::clone(&self.peer), in_flight, head, body)
    }
}

async fn talk<H: Handler, S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    protocol: Protocol,
    peer: Rc<Peer>,
    connection: Rc<Connection>,
    handler: Rc<H>,
) -> io::Result<()> {
    let scheme = peer.scheme;
    let requests = Requests { peer, connection: Rc::clone(&connection), handler };
    codec::serve(stream, protocol, scheme, requests, || connection.take_drain()).await
}
