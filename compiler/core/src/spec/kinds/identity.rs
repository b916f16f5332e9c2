//! `Identity`: certificates and tokens.

use super::shared::ValueMatch;
use crate::spec::context::Sp;
use crate::spec::decode::{Dict, List1, Rule};
use crate::spec::macros::{choice, either, object};
use crate::spec::scalars::*;

object! {
    /// Certificates and tokens, of the mesh or of one service.
    pub struct Identity, "an Identity", kind "Identity" {
        /// The name; the service's name, or `default` for the mesh, unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// The service; the whole mesh unless said otherwise.
        service "service": Option<Sp<Name>>,
        /// The path of identities; `/{env}/{service}` unless said otherwise.
        path "path": Option<Sp<IdentityPath>> = |_| Sp::unwritten(IdentityPath::default()),
        /// Issuer of certificates; `builtin` unless said otherwise.
        issuer "issuer": Option<Issuer> = |_| Issuer::Simple(Sp::unwritten(IssuerKind::Builtin)),
        /// Validity of a certificate.
        validity "validity": Option<Sp<Duration>>,
        /// Time before the end of a certificate at which it is replaced.
        rotate_before "rotateBefore": Option<Sp<Duration>>,
        /// The oldest TLS version that is spoken; `"1.2"` unless said otherwise.
        min_version "minVersion": Option<Sp<TlsVersion>>,
        /// Cipher suites by their IANA names, best first.
        cipher_suites "cipherSuites": Option<List1<Sp<CipherSuite>>>,
        /// Tokens that are believed.
        jwt "jwt": Vec<Jwt>,
        /// Identity information that the application gets.
        forward "forward": Option<Forward> = |_| Forward { mtls_headers: None, credentials: None, complete: true },
    }
}

choice! {
    /// Issuer of certificates.
    pub enum IssuerKind, "an issuer" {
        /// The control plane.
        Builtin = "builtin",
        /// Nobody: they are files on the proxy's disk.
        File = "file",
        /// SPIRE, through the Workload API.
        Spire = "spire",
    }
}

object! {
    /// Issuer of certificates; exactly one of the fields.
    pub struct IssuerForm, "an issuer" {
        /// The control plane.
        builtin "builtin": Option<BuiltinIssuer>,
        /// Files on the proxy's disk.
        file "file": Option<FileIssuer>,
        /// SPIRE, through the Workload API.
        spire "spire": Option<SpireIssuer>,
    }
    rules [Rule::ExactlyOne(&["builtin", "file", "spire"])]
}

object! {
    /// The control plane makes certificates.
    pub struct BuiltinIssuer, "a built-in issuer" {
        /// The root certificate and key; made at first start unless said otherwise.
        ca "ca": Option<super::shared::SecretRef>,
    }
}

object! {
    /// Certificates are files on the proxy's disk.
    pub struct FileIssuer, "a file issuer" {
        /// Their folder; the proxy's `--identity` unless said otherwise.
        path "path": Option<Sp<Prose>>,
    }
}

object! {
    /// Certificates come from SPIRE.
    pub struct SpireIssuer, "a SPIRE issuer" {
        /// The socket of the Workload API.
        socket "socket": Option<Sp<Prose>>,
    }
}

either! {
    /// Issuer of certificates: a word, or a map.
    pub enum Issuer {
        /// The issuer by its name.
        Simple(Sp<IssuerKind>) => |kind| IssuerForm {
            builtin: (kind.value == IssuerKind::Builtin).then_some(BuiltinIssuer { ca: None, complete: true }),
            file: (kind.value == IssuerKind::File).then_some(FileIssuer { path: None, complete: true }),
            spire: (kind.value == IssuerKind::Spire).then_some(SpireIssuer { socket: None, complete: true }),
            complete: true,
        },
        /// The issuer with its details.
        Form(IssuerForm) if Map,
    }
}

choice! {
    /// A version of TLS. Written in quotes: `"1.2"` is text, `1.2` a number.
    pub enum TlsVersion, "a TLS version" {
        /// TLS 1.2 (RFC 5246).
        V12 = "1.2",
        /// TLS 1.3 (RFC 8446).
        V13 = "1.3",
    }
}

text! {
    /// The IANA name of a cipher suite.
    pub struct CipherSuite, "a cipher suite like `TLS_AES_128_GCM_SHA256`";
    pattern "^TLS_[A-Z0-9_]+$", length 5..=64,
    check |text| {
        text.strip_prefix("TLS_").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
    },
}

object! {
    /// Tokens of one issuer that are believed.
    pub struct Jwt, "a token issuer" {
        /// The issuer, as in `iss`.
        issuer "issuer": Sp<Prose>,
        /// One of them must be in `aud`.
        audiences "audiences": List1<Sp<Prose>>,
        /// Source of the issuer's keys.
        jwks "jwks": Jwks,
        /// Claims that a token must have.
        claims "claims": Dict<Prose, ValueMatch>,
    }
}

object! {
    /// Source of keys; exactly one of the fields.
    pub struct JwksForm, "a set of keys" {
        /// They are fetched from here.
        url "url": Option<Sp<Url>>,
        /// They are in this file of the repository.
        file "file": Option<Sp<RelPath>>,
    }
    rules [Rule::ExactlyOne(&["url", "file"])]
}

either! {
    /// Source of keys: a URL, or a map.
    pub enum Jwks {
        /// They are fetched from here.
        Url(Sp<Url>) => |url| JwksForm { url: Some(url.clone()), file: None, complete: true },
        /// By URL or file.
        Form(JwksForm) if Map,
    }
}

object! {
    /// Identity information that the application gets.
    pub struct Forward, "a forwarding" {
        /// Whether the application gets the caller's identity in headers.
        mtls_headers "mtlsHeaders": Option<Sp<bool>> = |_| Sp::unwritten(false),
        /// Whether the application gets tokens that were checked; `keep` unless said otherwise.
        credentials "credentials": Option<Sp<Credentials>> = |_| Sp::unwritten(Credentials::Keep),
    }
    rules [Rule::AtLeastOne(&["mtlsHeaders", "credentials"])]
}

choice! {
    /// Treatment of credentials that were checked.
    pub enum Credentials, "a treatment of credentials" {
        /// They are taken out.
        Remove = "remove",
        /// They are passed on.
        Keep = "keep",
    }
}
