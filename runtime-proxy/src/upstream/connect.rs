//! Making connections to endpoints.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::service::UpstreamService;
use crate::http::codec::{self, Client, Protocol};
use crate::tls::{Alpn, SpiffeId, TlsState, client_config};

/// How long TCP, TLS and HTTP/2 may take together to be ready. Well under the default timeout of a request, so that
/// another endpoint can still be tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Makes one worker's connections.
pub struct Connector {
    identity: Option<Arc<ArcSwap<TlsState>>>,
    tls13_only: bool,
    configs: RefCell<BTreeMap<(SpiffeId, Alpn), MadeFor>>,
}

/// A configuration, and the identity that it was made for.
type MadeFor = (Arc<TlsState>, Arc<ClientConfig>);

impl Connector {
    /// A connector that presents the given identity where TLS is due.
    #[must_use]
    pub fn new(identity: Option<Arc<ArcSwap<TlsState>>>, tls13_only: bool) -> Self {
        Self { identity, tls13_only, configs: RefCell::default() }
    }

    /// Connects within the bound. The connection's own task runs on this worker.
    pub(super) async fn connect(&self, address: SocketAddr, service: &UpstreamService) -> io::Result<Client> {
        timeout(CONNECT_TIMEOUT, self.establish(address, service))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn establish(&self, address: SocketAddr, service: &UpstreamService) -> io::Result<Client> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let transport = &service.transport;
        let protocol = if transport.http2 { Protocol::Http2 } else { Protocol::Http1 };
        let Some(expected) = &transport.tls else {
            return codec::connect(socket, protocol).await;
        };
        let alpn = if transport.http2 { Alpn::Http2 } else { Alpn::Http1 };
        let config = self.config(expected, alpn)?;
        let name = ServerName::try_from(service.name.to_string()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(config).connect(name, socket).await?;
        if transport.http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::Error::other("the endpoint does not speak HTTP/2"));
        }
        codec::connect(stream, protocol).await
    }

    /// The configuration for one peer, made anew when the identity was replaced.
    fn config(&self, expected: &SpiffeId, alpn: Alpn) -> io::Result<Arc<ClientConfig>> {
        let identity =
            self.identity.as_ref().ok_or_else(|| io::Error::other("the proxy has no identity"))?.load();
        let mut configs = self.configs.borrow_mut();
        let key = (expected.clone(), alpn);
        if let Some((made_for, config)) = configs.get(&key)
            && Arc::ptr_eq(made_for, &identity)
        {
            return Ok(Arc::clone(config));
        }
        let config =
            client_config(&identity.identity, expected, alpn, self.tls13_only).map_err(io::Error::other)?;
        configs.insert(key, (Arc::clone(&identity), Arc::clone(&config)));
        Ok(config)
    }
}
