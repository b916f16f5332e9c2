//! A certificate authority for development and tests: SPIFFE X.509 identities as a proxy reads them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mesh_bundle::Owner;
use mesh_workspace::files::{read_small, replace_file};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};

use crate::failure::Failure;

/// Validity of an identity certificate.
const YEAR: Duration = Duration::from_secs(365 * 86_400);
/// Validity of the root certificate.
const ROOT: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Clocks of other machines may be behind.
const SLACK: Duration = Duration::from_secs(3_600);

/// Bytes of a key or certificate file.
const PEM: u64 = 64 << 10;

/// The authority of one trust domain.
pub(super) struct Authority {
    folder: PathBuf,
    domain: String,
    issuer: Issuer<'static, KeyPair>,
    root: String,
    now: Duration,
    /// Folders that were written.
    pub(super) written: Vec<String>,
}

impl Authority {
    /// Opens the authority in `folder/ca`, or makes it; `now` is the time since 1970.
    pub(super) fn open(folder: &Path, domain: &str, now: Duration) -> Result<Self, Failure> {
        let base = folder.join("ca");
        let (certificate, key) = (base.join(format!("{domain}.crt")), base.join(format!("{domain}.key")));
        let params = root(domain, now)?;
        let (pem, key) = if certificate.is_file() && key.is_file() {
            let pair = KeyPair::from_pem(&read(&key)?)
                .map_err(|e| Failure::cannot(format!("`{}` is not a key: {e}", key.display())))?;
            (read(&certificate)?, pair)
        } else {
            let pair = key_pair()?;
            let pem = params.self_signed(&pair).map_err(made)?.pem();
            write(&key, &pair.serialize_pem(), 0o600)?;
            write(&certificate, &pem, 0o644)?;
            (pem, pair)
        };
        let issuer = Issuer::new(params, key);
        Ok(Self {
            folder: folder.to_owned(),
            domain: domain.to_owned(),
            issuer,
            root: pem,
            now,
            written: Vec::new(),
        })
    }

    /// Writes the identity of a service or gateway.
    pub(super) fn identity(&mut self, owner: &Owner, spiffe_id: &str) -> Result<(), Failure> {
        let uri = Ia5String::try_from(spiffe_id).map_err(made)?;
        let usages = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let folder = self.folder.join(owner.to_string());
        self.leaf(&folder, SanType::URI(uri), owner.name().as_str(), &usages)?;
        write(&folder.join("roots").join(format!("{}.pem", self.domain)), &self.root, 0o644)
    }

    /// Writes a server certificate for a public name.
    pub(super) fn secret(&mut self, name: &str, host: &str) -> Result<(), Failure> {
        let dns = Ia5String::try_from(host).map_err(made)?;
        let folder = self.folder.join("secrets").join(name);
        self.leaf(&folder, SanType::DnsName(dns), host, &[ExtendedKeyUsagePurpose::ServerAuth])
    }

    fn leaf(
        &mut self,
        folder: &Path,
        name: SanType,
        common: &str,
        usages: &[ExtendedKeyUsagePurpose],
    ) -> Result<(), Failure> {
        let mut params = validity(self.now, YEAR);
        params.distinguished_name = named(common);
        params.subject_alt_names = vec![name];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages.to_vec();
        params.use_authority_key_identifier_extension = true;
        let pair = key_pair()?;
        let certificate = params.signed_by(&pair, &self.issuer).map_err(made)?;
        write(&folder.join("tls.key"), &pair.serialize_pem(), 0o600)?;
        write(&folder.join("tls.crt"), &certificate.pem(), 0o644)?;
        self.written.push(folder.display().to_string());
        Ok(())
    }
}

fn root(domain: &str, now: Duration) -> Result<CertificateParams, Failure> {
    let mut params = validity(now, ROOT);
    params.distinguished_name = named(&format!("development root of {domain}"));
    let id = Ia5String::try_from(format!("spiffe://{domain}")).map_err(made)?;
    params.subject_alt_names = vec![SanType::URI(id)];
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn validity(now: Duration, length: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(SLACK);
    params.not_after = epoch + now + length;
    params
}

fn named(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn key_pair() -> Result<KeyPair, Failure> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(made)
}

fn made(error: rcgen::Error) -> Failure {
    Failure::cannot(format!("the certificate cannot be made: {error}"))
}

fn read(file: &Path) -> Result<String, Failure> {
    let bytes = read_small(file, PEM)
        .map_err(|e| Failure::cannot(format!("cannot read `{}`: {e}", file.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(file: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    replace_file(file, text.as_bytes(), mode)
        .map_err(|e| Failure::cannot(format!("cannot write `{}`: {e}", file.display())))
}
