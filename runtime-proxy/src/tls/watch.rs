//! Files that are replaced under a running proxy: re-read, and taken only if they are whole.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;

use super::config::server_config;
use super::identity::{Identity, IdentityError};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The most files of a folder that are read.
const MAX_FILES: usize = 256;

/// The bytes of a folder's files, by their path within it.
#[derive(Clone, PartialEq, Eq)]
pub struct FileSet {
    dir: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl FileSet {
    /// Reads `tls.crt`, `tls.key` and every `roots/*.pem` of an identity folder.
    ///
    /// # Errors
    /// A file that is missing, unreadable or over 1 MiB; more than 256 files.
    pub fn read_identity(dir: &Path) -> Result<Self, IdentityError> {
        let mut set = Self::read_pair(dir)?;
        let roots = dir.join("roots");
        let read_error = |source| IdentityError::Read { path: roots.clone(), source };
        for entry in std::fs::read_dir(&roots).map_err(read_error)? {
            let name = entry.map_err(read_error)?.file_name();
            let Some(name) = name.to_str().filter(|name| name.ends_with(".pem")) else {
                continue;
            };
            if set.files.len() >= MAX_FILES {
                return Err(IdentityError::TooMuch(roots));
            }
            set.add(&format!("roots/{name}"))?;
        }
        Ok(set)
    }

    /// Reads `tls.crt` and `tls.key` of a secret's folder.
    ///
    /// # Errors
    /// A file that is missing, unreadable or over 1 MiB.
    pub fn read_pair(dir: &Path) -> Result<Self, IdentityError> {
        let mut set = Self { dir: dir.to_owned(), files: BTreeMap::new() };
        set.add("tls.crt")?;
        set.add("tls.key")?;
        Ok(set)
    }

    /// The bytes of one file.
    ///
    /// # Errors
    /// The file was not read.
    pub fn get(&self, name: &str) -> Result<&[u8], IdentityError> {
        self.files.get(name).map(Vec::as_slice).ok_or_else(|| IdentityError::Read {
            path: self.dir.join(name),
            source: std::io::ErrorKind::NotFound.into(),
        })
    }

    /// The files' paths in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    fn add(&mut self, name: &str) -> Result<(), IdentityError> {
        let path = self.dir.join(name);
        let read = |path: &Path| -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read(&path).map_err(|source| IdentityError::Read { path: path.clone(), source })?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(IdentityError::TooMuch(path));
        }
        self.files.insert(name.to_owned(), bytes);
        Ok(())
    }
}

/// What a look at the files came to.
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
