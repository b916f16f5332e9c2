//! Why files of an identity or a secret cannot be used.

use std::path::PathBuf;

use super::svid::SvidError;

/// Why an identity folder cannot be used. Names the file.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds no PEM of the kind that is due.
    #[error("`{file}` holds no usable {what}")]
    Pem {
        /// The file within the folder.
        file: String,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// The leaf is no X.509-SVID.
    #[error("`{file}`: {source}")]
    Svid {
        /// The file within the folder.
        file: String,
        /// The rule it breaks.
        source: SvidError,
    },
    /// `roots/` has no file for the certificate's own trust domain.
    #[error("`roots/{0}.pem` is missing: nobody vouches for the identity's own trust domain")]
    NoRoots(String),
    /// Key and certificate do not belong together, or TLS cannot use them.
    #[error("TLS cannot use the certificate: {0}")]
    Tls(#[from] rustls::Error),
    /// More or larger files than the bound allows.
    #[error("{} holds more than the bound allows", .0.display())]
    TooMuch(PathBuf),
}
