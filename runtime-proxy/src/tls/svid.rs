//! Leaf certificates that carry a SPIFFE ID (X509-SVID.md, sections 2 to 5).

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::spiffe::{SpiffeError, SpiffeId};

/// Why a leaf certificate is no X.509-SVID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SvidError {
    /// No certificate, an extension twice, or bytes after the end.
    #[error("the certificate is malformed")]
    Malformed,
    /// Not exactly one URI among the subject alternative names.
    #[error("the certificate has {0} URI names instead of one")]
    UriCount(usize),
    /// The one URI is no SPIFFE ID.
    #[error("the certificate's URI name is refused: {0}")]
    Id(#[from] SpiffeError),
    /// A CA certificate as a leaf.
    #[error("the certificate is a CA certificate")]
    IsCa,
    /// `keyCertSign` or `cRLSign` set, or `digitalSignature` not set.
    #[error("the certificate's key usage is not that of a workload")]
    KeyUsage,
}

/// The SPIFFE ID of a leaf. Says nothing about who signed it.
///
/// # Errors
/// Each variant of [`SvidError`].
pub fn svid_id(leaf: &CertificateDer<'_>) -> Result<SpiffeId, SvidError> {
    let (rest, certificate) = X509Certificate::from_der(leaf).map_err(|_| SvidError::Malformed)?;
    if !rest.is_empty() {
        return Err(SvidError::Malformed);
    }
    let basic = certificate.basic_constraints().map_err(|_| SvidError::Malformed)?;
    if basic.is_some_and(|constraints| constraints.value.ca) {
        return Err(SvidError::IsCa);
    }
    let usage = certificate.key_usage().map_err(|_| SvidError::Malformed)?;
    let signs_only = usage.is_some_and(|usage| {
        usage.value.digital_signature() && !usage.value.key_cert_sign() && !usage.value.crl_sign()
    });
    if !signs_only {
        return Err(SvidError::KeyUsage);
    }
    let names = certificate.subject_alternative_name().map_err(|_| SvidError::Malformed)?;
    let mut uris = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    match (uris.next(), uris.count()) {
        (Some(uri), 0) => Ok(SpiffeId::parse(uri)?),
        (first, more) => Err(SvidError::UriCount(usize::from(first.is_some()) + more)),
    }
}

/// The end of a certificate's validity, in seconds since the epoch.
///
/// # Errors
/// [`SvidError::Malformed`].
pub(super) fn not_after(leaf: &CertificateDer<'_>) -> Result<i64, SvidError> {
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|_| SvidError::Malformed)?;
    Ok(certificate.validity().not_after.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::Authority;
    use rcgen::{CertificateParams, IsCa, KeyUsagePurpose, SanType};

    fn leaf(change: impl FnOnce(&mut CertificateParams)) -> Result<SpiffeId, SvidError> {
        let authority = Authority::new("prod.test");
        svid_id(authority.issue_with("spiffe://prod.test/prod/orders", change).chain.first().unwrap())
    }

    fn uri(text: &str) -> SanType {
        SanType::URI(text.try_into().unwrap())
    }

    #[test]
    fn a_plain_svid_is_read_and_dns_names_beside_are_allowed() {
        assert_eq!(leaf(|_| {}).unwrap().as_str(), "spiffe://prod.test/prod/orders");
        let with_dns = leaf(|p| {
            p.subject_alt_names.push(SanType::DnsName("orders".try_into().unwrap()));
        });
        assert!(with_dns.is_ok());
    }

    #[test]
    fn exactly_one_uri() {
        let two = leaf(|p| p.subject_alt_names.push(uri("spiffe://prod.test/prod/admin")));
        assert_eq!(two, Err(SvidError::UriCount(2)));
        let mixed = leaf(|p| p.subject_alt_names.push(uri("https://x.test/")));
        assert_eq!(mixed, Err(SvidError::UriCount(2)));
        assert_eq!(leaf(|p| p.subject_alt_names.clear()), Err(SvidError::UriCount(0)));
        let other = leaf(|p| p.subject_alt_names = vec![uri("https://prod.test/ns/a/sa/b")]);
        assert_eq!(other, Err(SvidError::Id(SpiffeError::Scheme)));
    }

    #[test]
    fn no_authority_and_no_wrong_usage() {
        let ca = leaf(|p| p.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
        assert_eq!(ca, Err(SvidError::IsCa));
        let signing = leaf(|p| p.key_usages.push(KeyUsagePurpose::KeyCertSign));
        assert_eq!(signing, Err(SvidError::KeyUsage));
        let silent = leaf(|p| p.key_usages = vec![KeyUsagePurpose::KeyAgreement]);
        assert_eq!(silent, Err(SvidError::KeyUsage));
    }

    #[test]
    fn rubbish_is_malformed() {
        assert_eq!(svid_id(&CertificateDer::from(vec![0x30, 0x03, 1, 2, 3])), Err(SvidError::Malformed));
        assert_eq!(svid_id(&CertificateDer::from(Vec::new())), Err(SvidError::Malformed));
    }
}
