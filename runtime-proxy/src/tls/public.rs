//! The gateway's public certificate, read from `--secrets DIR/<name>`.

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

/// Builds the public listener's configuration from `tls.crt` and `tls.key`. The one certificate is shown for every server
/// name, listed in `hosts` or not, and where the client sends none (RFC 6066 section 3): a gateway that takes `*` cannot
/// know the names that clients use.
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

#[cfg(test)]
mod tests {
    use rcgen::SanType;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};
    use rustls_pki_types::ServerName;

    use super::*;
    use crate::tls::testing::Authority;

    /// A handshake for a name (an address is not sent), in memory: the server name that the server has seen.
    fn handshake(
        server: &Arc<ServerConfig>,
        client: &Arc<ClientConfig>,
        name: &'static str,
    ) -> Result<Option<String>, rustls::Error> {
        let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from(name).unwrap())?;
        let mut server = ServerConnection::new(Arc::clone(server))?;
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                server.read_tls(&mut rest).unwrap();
                server.process_new_packets()?;
            }
            let mut bytes = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                client.read_tls(&mut rest).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok(server.server_name().map(str::to_owned))
    }

    #[test]
    fn one_certificate_is_shown_for_every_name_and_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("shop.example");
        let leaf = authority.issue_with("spiffe://shop.example/prod/gateway/public", |params| {
            params.subject_alt_names = vec![
                SanType::DnsName("shop.example".try_into().unwrap()),
                SanType::DnsName("*.others.example".try_into().unwrap()),
                SanType::IpAddress([127, 0, 0, 1].into()),
            ];
        });
        leaf.write(folder.path());
        let public = public_server_config(&FileSet::read_pair(folder.path()).unwrap(), false).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.root.clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions(false))
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Arc::new(client);
        let seen = |name| handshake(&public.config, &client, name);
        assert_eq!(seen("shop.example"), Ok(Some("shop.example".to_owned())));
        assert_eq!(seen("a.others.example"), Ok(Some("a.others.example".to_owned())));
        assert_eq!(seen("127.0.0.1"), Ok(None));
        assert!(matches!(seen("elsewhere.example"), Err(rustls::Error::InvalidCertificate(_))));
    }
}
