//! The proxy's own identity, read from `--identity DIR`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::error::IdentityError;
use super::files::FileSet;
use super::spiffe::SpiffeId;
use super::svid::{not_after, svid_id};

/// The most certificates in one file; a chain or a domain's roots are far shorter.
const MAX_CERTIFICATES: usize = 64;

/// A certificate chain with its key and, for each trust domain, the roots that may vouch for it.
pub struct Identity {
    /// Whom the certificate names.
    pub id: SpiffeId,
    /// The chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The end of the leaf's validity, in seconds since the epoch.
    pub not_after: i64,
    /// The roots of each trust domain.
    pub roots: BTreeMap<Box<str>, Arc<RootCertStore>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Builds an identity from the files of its folder.
    ///
    /// # Errors
    /// Each variant of [`IdentityError`].
    pub fn from_files(files: &FileSet) -> Result<Self, IdentityError> {
        let chain = certificates(files, "tls.crt")?;
        let leaf = chain.first().ok_or_else(|| pem("tls.crt", "certificate"))?;
        let svid = |source| IdentityError::Svid { file: "tls.crt".to_owned(), source };
        let id = svid_id(leaf).map_err(svid)?;
        let not_after = not_after(leaf).map_err(svid)?;
        let key = private_key(files, "tls.key")?;
        let mut roots = BTreeMap::new();
        for name in files.names() {
            let Some(domain) = name.strip_prefix("roots/").and_then(|name| name.strip_suffix(".pem")) else {
                continue;
            };
            let mut store = RootCertStore::empty();
            for certificate in certificates(files, name)? {
                store.add(certificate)?;
            }
            roots.insert(domain.into(), Arc::new(store));
        }
        if !roots.contains_key(id.trust_domain()) {
            return Err(IdentityError::NoRoots(id.trust_domain().to_owned()));
        }
        Ok(Self { id, chain, not_after, roots, key })
    }

    /// A copy of the private key for a TLS configuration.
    #[must_use]
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

/// All certificates of a PEM file, at least one.
pub(super) fn certificates(
    files: &FileSet,
    name: &str,
) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(files.get(name)?).take(MAX_CERTIFICATES).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| pem(name, "certificate"))
}

/// The one private key of a PEM file.
pub(super) fn private_key(files: &FileSet, name: &str) -> Result<PrivateKeyDer<'static>, IdentityError> {
    PrivateKeyDer::from_pem_slice(files.get(name)?).map_err(|_| pem(name, "private key"))
}

pub(super) fn pem(file: &str, what: &'static str) -> IdentityError {
    IdentityError::Pem { file: file.to_owned(), what }
}
