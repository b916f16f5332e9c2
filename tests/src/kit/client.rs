//! A small client: HTTP/1.1 or HTTP/2, in clear or over TLS, one connection each.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::RootCertStore;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Why a request brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("connect: {0}")]
    Connect(#[from] std::io::Error),
    /// The connection broke.
    #[error("{0}")]
    Http(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("{0}")]
    Request(#[from] http::Error),
    /// Certificates that cannot be read.
    #[error("tls: {0}")]
    Tls(String),
}

/// How to reach a server.
#[derive(Clone)]
pub struct Reach {
    /// Where.
    pub address: SocketAddr,
    /// With these roots, under this name; in clear without.
    pub tls: Option<(Arc<rustls::ClientConfig>, String)>,
    /// HTTP/2 instead of HTTP/1.1.
    pub http2: bool,
    /// The address that the client has; the system's choice if there is none.
    pub from: Option<IpAddr>,
}

/// One connection.
pub enum Connection {
    /// HTTP/1.1
    One(http1::SendRequest<Full<Bytes>>),
    /// HTTP/2
    Two(http2::SendRequest<Full<Bytes>>),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The method.
    pub method: &'a str,
    /// The host, or host and port.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Header lines.
    pub headers: &'a [(String, Vec<u8>)],
    /// The body.
    pub body: Bytes,
}

/// A TLS setting that trusts the certificates of a PEM file.
///
/// # Errors
/// [`ClientError::Tls`] when the file holds none.
pub fn trusting(pem: &[u8], http2: bool) -> Result<Arc<rustls::ClientConfig>, ClientError> {
    let wrong = |e: &dyn std::fmt::Display| ClientError::Tls(e.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| wrong(&e))?;
        roots.add(certificate).map_err(|e| wrong(&e))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| wrong(&e))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(Arc::new(config))
}

/// A TLS setting that takes every certificate: for names that no certificate is for. Without `sni` the client sends no
/// server name.
///
/// # Errors
/// [`ClientError::Tls`] when the platform has no TLS.
pub fn trusting_all(http2: bool, sni: bool) -> Result<Arc<rustls::ClientConfig>, ClientError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|e| ClientError::Tls(e.to_string()))?;
    let verifier = Arc::new(Everybody(provider));
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    config.enable_sni = sni;
    Ok(Arc::new(config))
}

/// Takes every server for the right one.
#[derive(Debug)]
struct Everybody(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Everybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl Reach {
    /// In clear.
    #[must_use]
    pub fn clear(address: SocketAddr, http2: bool) -> Self {
        Self { address, tls: None, http2, from: None }
    }

    /// A connection before TLS.
    pub(super) async fn tcp(&self) -> std::io::Result<TcpStream> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The handshake on a connection.
    pub(super) async fn tls(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, ClientError> {
        let (config, name) =
            self.tls.as_ref().ok_or_else(|| ClientError::Tls("reached in clear".to_owned()))?;
        let name = ServerName::try_from(name.clone()).map_err(|e| ClientError::Tls(e.to_string()))?;
        Ok(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?)
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ClientError`] when there is no connection or no handshake.
    pub async fn connect(&self) -> Result<Connection, ClientError> {
        let stream = self.tcp().await?;
        match &self.tls {
            None => self.handshake(TokioIo::new(stream)).await,
            Some(_) => self.handshake(TokioIo::new(self.tls(stream).await?)).await,
        }
    }

    async fn handshake<I>(&self, io: I) -> Result<Connection, ClientError>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        if self.http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Ok(Connection::Two(sender))
        } else {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Ok(Connection::One(sender))
        }
    }

    /// Connects, asks once, and lets go.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, ClientError> {
        self.connect().await?.send(ask, self.tls.is_some()).await
    }
}

impl Connection {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer.
    pub async fn send(&mut self, ask: &Ask<'_>, tls: bool) -> Result<Answer, ClientError> {
        let scheme = if tls { "https" } else { "http" };
        let method = Method::from_bytes(ask.method.as_bytes()).map_err(http::Error::from)?;
        let mut request = Request::builder().method(method);
        request = match self {
            Self::One(_) => request.uri(ask.target).header(http::header::HOST, ask.host),
            Self::Two(_) => request.uri(format!("{scheme}://{}{}", ask.host, ask.target)),
        };
        for (name, value) in ask.headers {
            request = request.header(name.as_str(), value.as_slice());
        }
        let request = request.body(Full::new(ask.body.clone()))?;
        let answer = match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let (head, body) = answer.into_parts();
        let collected = body.collect().await?;
        let trailers = collected.trailers().cloned();
        Ok(Answer { status: head.status, headers: head.headers, body: collected.to_bytes(), trailers })
    }
}
