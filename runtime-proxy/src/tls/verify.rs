//! Whom a connection may be with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::error::IdentityError;
use super::spiffe::SpiffeId;
use super::svid::svid_id;

/// The methods of both rustls traits that check a handshake's signature, by `self.provider`.
macro_rules! signature_methods {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}

/// Accepts any workload of a known trust domain; access rules decide the rest.
pub struct MeshClients {
    domains: BTreeMap<Box<str>, Arc<dyn ClientCertVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl MeshClients {
    /// A verifier that chooses the roots by the trust domain of the leaf.
    ///
    /// # Errors
    /// A trust domain without a usable root.
    pub fn new(
        roots: &BTreeMap<Box<str>, Arc<RootCertStore>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, IdentityError> {
        let mut domains: BTreeMap<Box<str>, Arc<dyn ClientCertVerifier>> = BTreeMap::new();
        for (domain, store) in roots {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::clone(store), Arc::clone(&provider))
                    .build()
                    .map_err(|error| Error::General(format!("roots of {domain}: {error}")))?;
            domains.insert(domain.clone(), verifier);
        }
        Ok(Self { domains, provider })
    }
}

impl ClientCertVerifier for MeshClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // No hint: a caller has one identity and presents that.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let id = peer_id(end_entity)?;
        let domain = self.domains.get(id.trust_domain()).ok_or(CertificateError::UnknownIssuer)?;
        domain.verify_client_cert(end_entity, intermediates, now)
    }

    signature_methods!();
}

impl fmt::Debug for MeshClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.domains.keys()).finish()
    }
}

/// Accepts the one service that was dialled, and nobody else.
pub struct OneService {
    expected: SpiffeId,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl OneService {
    /// A verifier for exactly `expected`, vouched for by the roots of its trust domain.
    #[must_use]
    pub fn new(expected: SpiffeId, roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Self {
        Self { expected, roots, provider }
    }
}

impl ServerCertVerifier for OneService {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if peer_id(end_entity)? != self.expected {
            return Err(CertificateError::NotValidForName.into());
        }
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.roots,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    signature_methods!();
}

impl fmt::Debug for OneService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.expected, f)
    }
}

fn peer_id(leaf: &CertificateDer<'_>) -> Result<SpiffeId, Error> {
    svid_id(leaf).map_err(|error| Error::General(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::{Authority, Leaf};
    use rcgen::ExtendedKeyUsagePurpose;

    const ORDERS: &str = "spiffe://prod.test/prod/orders";

    fn roots(authorities: &[(&str, &Authority)]) -> BTreeMap<Box<str>, Arc<RootCertStore>> {
        let mut roots = BTreeMap::new();
        for (domain, authority) in authorities {
            let mut store = RootCertStore::empty();
            store.add(authority.root.clone()).unwrap();
            roots.insert((*domain).into(), Arc::new(store));
        }
        roots
    }

    fn provider() -> Arc<CryptoProvider> {
        Arc::new(rustls::crypto::aws_lc_rs::default_provider())
    }

    fn as_client(verifier: &MeshClients, leaf: &Leaf) -> bool {
        verifier.verify_client_cert(leaf.chain.first().unwrap(), &[], UnixTime::now()).is_ok()
    }

    fn as_server(verifier: &OneService, leaf: &Leaf) -> bool {
        let name = ServerName::try_from("orders").unwrap();
        verifier.verify_server_cert(leaf.chain.first().unwrap(), &[], &name, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn the_trust_domain_chooses_the_roots() {
        let (prod, other) = (Authority::new("prod.test"), Authority::new("other.test"));
        let verifier =
            MeshClients::new(&roots(&[("prod.test", &prod), ("other.test", &other)]), provider()).unwrap();
        assert!(as_client(&verifier, &prod.issue(ORDERS)));
        assert!(as_client(&verifier, &other.issue("spiffe://other.test/prod/orders")));
        assert!(!as_client(&verifier, &other.issue(ORDERS)), "other domain's root vouches for prod");
        assert!(!as_client(&verifier, &prod.issue("spiffe://third.test/prod/orders")), "unknown domain");
        assert!(!as_client(&verifier, &Authority::new("prod.test").issue(ORDERS)), "same name, other key");
    }

    #[test]
    fn a_client_needs_the_usage_and_the_dates() {
        let prod = Authority::new("prod.test");
        let verifier = MeshClients::new(&roots(&[("prod.test", &prod)]), provider()).unwrap();
        let server_only = prod.issue_with(ORDERS, |p| {
            p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        });
        assert!(!as_client(&verifier, &server_only));
        let silent = prod.issue_with(ORDERS, |p| p.extended_key_usages.clear());
        assert!(as_client(&verifier, &silent));
        let expired = prod.issue_with(ORDERS, |p| p.not_after = rcgen::date_time_ymd(2020, 1, 1));
        assert!(!as_client(&verifier, &expired));
    }

    #[test]
    fn outbound_accepts_only_the_service_that_it_dialled() {
        let prod = Authority::new("prod.test");
        let store = roots(&[("prod.test", &prod)]).remove("prod.test").unwrap();
        let verifier = OneService::new(SpiffeId::parse(ORDERS).unwrap(), store, provider());
        assert!(as_server(&verifier, &prod.issue(ORDERS)));
        for wrong in
            ["spiffe://prod.test/prod/orders2", "spiffe://prod.test/dev/orders", "spiffe://prod.test/prod"]
        {
            assert!(!as_server(&verifier, &prod.issue(wrong)), "{wrong}");
        }
        assert!(!as_server(&verifier, &Authority::new("prod.test").issue(ORDERS)));
    }
}
