//! rustls configurations between proxies.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};

use super::error::IdentityError;
use super::identity::Identity;
use super::spiffe::SpiffeId;
use super::verify::{MeshClients, OneService};

/// The application protocol offered to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alpn {
    /// `http/1.1`
    Http1,
    /// `h2`
    Http2,
}

/// The inbound side: a client certificate of the mesh is mandatory. HTTP/2 and HTTP/1.1 by ALPN.
///
/// Sessions are not resumed: a resumed one would outlive its certificate.
///
/// # Errors
/// A certificate and a key that do not belong together.
pub fn server_config(identity: &Identity, tls13_only: bool) -> Result<Arc<ServerConfig>, IdentityError> {
    let provider = provider();
    let clients = MeshClients::new(&identity.roots, Arc::clone(&provider))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(tls13_only))?
        .with_client_cert_verifier(Arc::new(clients))
        .with_single_cert(identity.chain.clone(), identity.key())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The outbound side: accepts exactly `expected`.
///
/// # Errors
/// No roots for the expected trust domain, or a certificate and a key that do not belong together.
pub fn client_config(
    identity: &Identity,
    expected: &SpiffeId,
    alpn: Alpn,
    tls13_only: bool,
) -> Result<Arc<ClientConfig>, IdentityError> {
    let provider = provider();
    let roots = identity
        .roots
        .get(expected.trust_domain())
        .ok_or_else(|| IdentityError::NoRoots(expected.trust_domain().to_owned()))?;
    let verifier = OneService::new(expected.clone(), Arc::clone(roots), Arc::clone(&provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(tls13_only))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(identity.chain.clone(), identity.key())?;
    config.alpn_protocols = vec![match alpn {
        Alpn::Http1 => b"http/1.1".to_vec(),
        Alpn::Http2 => b"h2".to_vec(),
    }];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// The one cryptography provider of the proxy.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// TLS 1.2 and 1.3, or 1.3 alone.
pub(super) fn versions(tls13_only: bool) -> &'static [&'static SupportedProtocolVersion] {
    static TLS13_ONLY: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
    if tls13_only { TLS13_ONLY } else { rustls::ALL_VERSIONS }
}
