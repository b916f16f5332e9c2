//! The gateway's public certificates, read from `--secrets DIR/<name>`.

use std::sync::Arc;

use rustls::ServerConfig;

use super::config::{provider, versions};
use super::error::IdentityError;
use super::files::FileSet;
use super::identity::{certificates, pem, private_key};
use super::svid::not_after;

/// A server certificate for the public listener.
pub struct PublicCertificate {
    /// The end of the leaf's validity, in seconds since the epoch.
    pub not_after: i64,
    /// The configuration that presents it: no client certificate is asked for.
    pub config: Arc<ServerConfig>,
}

/// Builds the public listener's configuration from `tls.crt` and `tls.key`.
///
/// # Errors
/// Missing or unusable files, or a key that does not fit the certificate.
pub fn public_server_config(files: &FileSet, tls13_only: bool) -> Result<PublicCertificate, IdentityError> {
    let chain = certificates(files, "tls.crt")?;
    let leaf = chain.first().ok_or_else(|| pem("tls.crt", "certificate"))?;
    let not_after =
        not_after(leaf).map_err(|source| IdentityError::Svid { file: "tls.crt".to_owned(), source })?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions(tls13_only))?
        .with_no_client_auth()
        .with_single_cert(chain, private_key(files, "tls.key")?)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(PublicCertificate { not_after, config: Arc::new(config) })
}
