//! Throw-away authorities and certificates for tests.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The authority of one trust domain.
pub struct Authority {
    /// Its root.
    pub root: CertificateDer<'static>,
    root_pem: String,
    domain: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A leaf with its key.
pub struct Leaf {
    /// The certificate chain.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub key: PrivateKeyDer<'static>,
    chain_pem: String,
    key_pem: String,
}

impl Authority {
    /// A fresh root for a trust domain.
    pub fn new(domain: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("root of {domain}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = params.self_signed(&key).unwrap();
        let (der, pem) = (root.der().clone(), root.pem());
        Self { root: der, root_pem: pem, domain: domain.to_owned(), issuer: Issuer::new(params, key) }
    }

    /// A workload certificate.
    pub fn issue(&self, id: &str) -> Leaf {
        self.issue_with(id, |_| {})
    }

    /// A workload certificate with something changed.
    pub fn issue_with(&self, id: &str, change: impl FnOnce(&mut CertificateParams)) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(id.try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        Leaf {
            chain: vec![leaf.der().clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            chain_pem: leaf.pem(),
            key_pem: key.serialize_pem(),
        }
    }

    /// Writes an `--identity` folder that trusts this authority and the given ones.
    pub fn write_identity(&self, dir: &Path, leaf: &Leaf, others: &[&Self]) {
        std::fs::create_dir_all(dir.join("roots")).unwrap();
        leaf.write(dir);
        for authority in others.iter().copied().chain([self]) {
            std::fs::write(dir.join("roots").join(format!("{}.pem", authority.domain)), &authority.root_pem)
                .unwrap();
        }
    }
}

impl Leaf {
    /// Writes `tls.crt` and `tls.key` into a folder.
    pub fn write(&self, dir: &Path) {
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join("tls.crt"), &self.chain_pem).unwrap();
        std::fs::write(dir.join("tls.key"), &self.key_pem).unwrap();
    }
}
