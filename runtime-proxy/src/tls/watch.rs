//! Values made of files that are replaced under a running proxy: re-read, and taken only if they are whole.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;

use super::config::server_config;
use super::error::IdentityError;
use super::files::FileSet;
use super::identity::Identity;

/// The outcome of a poll of the files.
#[derive(Debug)]
pub enum Reload {
    /// Nothing changed, or the same broken files as before.
    Unchanged,
    /// New and whole; in force for new connections.
    Taken,
    /// Changed but unusable: the old ones stay.
    Refused(IdentityError),
}

type Builder<T> = Box<dyn Fn(&FileSet) -> Result<T, IdentityError> + Send + Sync>;

/// Re-reads a set of files and keeps the newest good value made of them.
///
/// [`Watch::poll`] is called by a ticker; the watch itself reads no clock.
pub struct Watch<T> {
    read: Box<dyn Fn() -> Result<FileSet, IdentityError> + Send + Sync>,
    build: Builder<T>,
    current: Arc<ArcSwap<T>>,
    seen: Option<FileSet>,
    read_failed: bool,
}

impl<T> Watch<T> {
    /// Reads and builds for the first time.
    ///
    /// # Errors
    /// Unusable files: a proxy does not start without an identity that it was given.
    pub fn new(
        read: impl Fn() -> Result<FileSet, IdentityError> + Send + Sync + 'static,
        build: impl Fn(&FileSet) -> Result<T, IdentityError> + Send + Sync + 'static,
    ) -> Result<Self, IdentityError> {
        let files = read()?;
        let current = Arc::new(ArcSwap::from_pointee(build(&files)?));
        Ok(Self {
            read: Box::new(read),
            build: Box::new(build),
            current,
            seen: Some(files),
            read_failed: false,
        })
    }

    /// Where the newest good value is found.
    #[must_use]
    pub fn current(&self) -> Arc<ArcSwap<T>> {
        Arc::clone(&self.current)
    }

    /// Looks at the files once. The same failure is reported once.
    pub fn poll(&mut self) -> Reload {
        let files = match (self.read)() {
            Ok(files) => files,
            Err(error) => {
                let first = !std::mem::replace(&mut self.read_failed, true);
                return if first { Reload::Refused(error) } else { Reload::Unchanged };
            }
        };
        self.read_failed = false;
        if self.seen.as_ref() == Some(&files) {
            return Reload::Unchanged;
        }
        let built = (self.build)(&files);
        self.seen = Some(files);
        match built {
            Ok(value) => {
                self.current.store(Arc::new(value));
                Reload::Taken
            }
            Err(error) => Reload::Refused(error),
        }
    }
}

/// An identity and the inbound configuration made of it.
pub struct TlsState {
    /// Who this proxy is.
    pub identity: Identity,
    /// The inbound side's configuration.
    pub server: Arc<ServerConfig>,
}

impl TlsState {
    /// Builds both from the files of an identity folder.
    ///
    /// # Errors
    /// As [`Identity::from_files`] and [`server_config`].
    pub fn from_files(files: &FileSet, tls13_only: bool) -> Result<Self, IdentityError> {
        let identity = Identity::from_files(files)?;
        let server = server_config(&identity, tls13_only)?;
        Ok(Self { identity, server })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::Authority;
    use std::path::Path;

    fn watch(dir: &Path) -> Result<Watch<TlsState>, IdentityError> {
        let dir = dir.to_owned();
        Watch::new(move || FileSet::read_identity(&dir), |files| TlsState::from_files(files, false))
    }

    #[test]
    fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new("prod.test");
        let first = authority.issue("spiffe://prod.test/prod/orders");
        authority.write_identity(dir.path(), &first, &[]);
        let mut watch = watch(dir.path()).unwrap();
        let current = watch.current();
        assert!(matches!(watch.poll(), Reload::Unchanged));

        let second = authority.issue("spiffe://prod.test/prod/orders");
        second.write(dir.path());
        assert!(matches!(watch.poll(), Reload::Taken));
        assert_eq!(current.load().identity.chain, second.chain);

        std::fs::write(dir.path().join("tls.key"), "half a k").unwrap();
        assert!(matches!(watch.poll(), Reload::Refused(IdentityError::Pem { .. })));
        assert!(matches!(watch.poll(), Reload::Unchanged), "reported once");
        assert_eq!(current.load().identity.chain, second.chain);

        std::fs::remove_file(dir.path().join("tls.crt")).unwrap();
        assert!(matches!(watch.poll(), Reload::Refused(IdentityError::Read { .. })));
        first.write(dir.path());
        assert!(matches!(watch.poll(), Reload::Taken));
        assert_eq!(current.load().identity.chain, first.chain);
    }

    #[test]
    fn key_and_certificate_must_belong_together() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new("prod.test");
        authority.write_identity(dir.path(), &authority.issue("spiffe://prod.test/prod/orders"), &[]);
        let mut watch = watch(dir.path()).unwrap();
        let other = tempfile::tempdir().unwrap();
        authority.issue("spiffe://prod.test/prod/orders").write(other.path());
        std::fs::copy(other.path().join("tls.key"), dir.path().join("tls.key")).unwrap();
        assert!(matches!(watch.poll(), Reload::Refused(IdentityError::Tls(_))));
    }

    #[test]
    fn an_identity_needs_the_roots_of_its_own_domain() {
        let dir = tempfile::tempdir().unwrap();
        let (prod, other) = (Authority::new("prod.test"), Authority::new("other.test"));
        prod.write_identity(dir.path(), &other.issue("spiffe://other.test/prod/orders"), &[]);
        assert!(matches!(watch(dir.path()), Err(IdentityError::NoRoots(domain)) if domain == "other.test"));
    }
}
