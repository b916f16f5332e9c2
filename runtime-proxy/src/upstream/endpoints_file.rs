//! The file that fills the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::directory::Directory;
use crate::files::{self, Links};

/// The largest endpoints file in bytes.
const MAX_FILE: u64 = 16 << 20;
/// The most endpoints of one version.
const MAX_ENDPOINTS: usize = 10_000;

/// The names that a file may hold: those of the bundle in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Services in the proxy's scope, with their versions.
    pub scope: BTreeMap<String, BTreeSet<String>>,
    /// Other services of the mesh: one file may serve all proxies, and each takes what concerns it.
    pub elsewhere: BTreeSet<String>,
}

/// Why an endpoints file changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the endpoints file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Over 16 MiB.
    #[error("the endpoints file is larger than 16 MiB")]
    TooLarge,
    /// Not the JSON that is due, perhaps half-written.
    #[error("the endpoints file is not `{{service: {{version: [\"address:port\"]}}}}`: {0}")]
    Json(#[from] serde_json::Error),
    /// A name that the bundle in force does not have.
    #[error("the endpoints file names `{0}`, which the bundle in force does not have")]
    Unknown(String),
    /// Too many endpoints of one version.
    #[error("the endpoints file lists more than 10,000 endpoints for `{0}`")]
    TooMany(String),
}

/// What a look at the file came to.
#[derive(Debug)]
pub enum FileNews {
    /// The same bytes as before.
    Unchanged,
    /// Taken as a whole.
    Taken {
        /// Endpoints that it lists.
        endpoints: usize,
    },
    /// Nothing was changed. The same failure is reported once.
    Refused(FileError),
}

/// The endpoints file: `{"orders": {"v41": ["127.0.0.11:8080"]}}`, replaced by rename.
pub struct EndpointsFile {
    path: PathBuf,
    seen: Option<(Vec<u8>, Known)>,
    unreadable: bool,
}

type Listing = BTreeMap<String, BTreeMap<String, Vec<SocketAddr>>>;

impl EndpointsFile {
    /// Watches `path`; nothing is read yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None, unreadable: false }
    }

    /// Looks at the file once and, if it is new and whole, makes `directory` say what it says.
    pub fn poll(&mut self, directory: &Directory, known: &Known) -> FileNews {
        let bytes = match self.read() {
            Ok(bytes) => bytes,
            Err(error) => {
                let first = !std::mem::replace(&mut self.unreadable, true);
                return if first { FileNews::Refused(error) } else { FileNews::Unchanged };
            }
        };
        self.unreadable = false;
        if self.seen.as_ref().is_some_and(|(seen, names)| *seen == bytes && names == known) {
            return FileNews::Unchanged;
        }
        let listing = parse(&bytes, known);
        self.seen = Some((bytes, known.clone()));
        match listing {
            Ok(listing) => {
                let mut endpoints = 0;
                for (service, versions) in &known.scope {
                    for version in versions {
                        let listed = listing.get(service).and_then(|versions| versions.get(version));
                        // What the file does not list has no endpoint.
                        let addresses = listed.map(Vec::as_slice).unwrap_or_default();
                        endpoints += addresses.len();
                        directory.set(service, version, addresses);
                    }
                }
                FileNews::Taken { endpoints }
            }
            Err(error) => FileNews::Refused(error),
        }
    }

    fn read(&self) -> Result<Vec<u8>, FileError> {
        files::read(&self.path, MAX_FILE, Links::Followed).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge => FileError::TooLarge,
            _ => FileError::Read { path: self.path.clone(), source },
        })
    }
}

fn parse(bytes: &[u8], known: &Known) -> Result<Listing, FileError> {
    let listing: Listing = serde_json::from_slice(bytes)?;
    for (service, versions) in &listing {
        let Some(named) = known.scope.get(service) else {
            if known.elsewhere.contains(service) {
                continue;
            }
            return Err(FileError::Unknown(service.clone()));
        };
        for (version, addresses) in versions {
            if !named.contains(version) {
                return Err(FileError::Unknown(format!("{service}@{version}")));
            }
            if addresses.len() > MAX_ENDPOINTS {
                return Err(FileError::TooMany(format!("{service}@{version}")));
            }
        }
    }
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let scope = [("orders", vec!["v41", "v42"]), ("web", vec!["v1"])]
            .into_iter()
            .map(|(service, versions)| {
                (service.to_owned(), versions.into_iter().map(str::to_owned).collect())
            })
            .collect();
        Known { scope, elsewhere: ["mailer".to_owned()].into() }
    }

    fn addresses(directory: &Directory, service: &str, version: &str) -> Vec<String> {
        directory.slot(service, version).endpoints().iter().map(|e| e.address.to_string()).collect()
    }

    fn replace(path: &Path, text: &str) {
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(fresh, path).unwrap();
    }

    #[test]
    fn a_whole_file_is_taken_and_a_broken_one_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("endpoints.json");
        let directory = Directory::new();
        let mut file = EndpointsFile::new(&path);
        assert!(matches!(file.poll(&directory, &known()), FileNews::Refused(FileError::Read { .. })));
        assert!(matches!(file.poll(&directory, &known()), FileNews::Unchanged), "reported once");

        replace(
            &path,
            r#"{"orders": {"v41": ["127.0.0.11:8080", "127.0.0.12:8080"]}, "web": {"v1": ["[::1]:80"]}, "mailer": {"v9": []}}"#,
        );
        assert!(matches!(file.poll(&directory, &known()), FileNews::Taken { endpoints: 3 }));
        assert!(matches!(file.poll(&directory, &known()), FileNews::Unchanged));
        let before = addresses(&directory, "orders", "v41");
        assert_eq!(before, ["127.0.0.11:8080", "127.0.0.12:8080"]);

        for (text, unknown) in [
            (r#"{"orders": {"v41": ["127.0.0.11:80"#, None),
            (r#"{"orders": {"v41": ["localhost:80"]}}"#, None),
            (r#"{"ordres": {"v41": []}}"#, Some("ordres")),
            (r#"{"orders": {"v43": []}}"#, Some("orders@v43")),
        ] {
            replace(&path, text);
            match file.poll(&directory, &known()) {
                FileNews::Refused(FileError::Unknown(name)) => assert_eq!(Some(name.as_str()), unknown),
                FileNews::Refused(FileError::Json(_)) => assert_eq!(unknown, None),
                other => panic!("{other:?}"),
            }
            assert_eq!(addresses(&directory, "orders", "v41"), before);
        }
    }

    #[test]
    fn a_name_that_becomes_known_is_looked_up_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("endpoints.json");
        replace(&path, r#"{"orders": {"v43": ["127.0.0.1:80"]}}"#);
        let directory = Directory::new();
        let mut file = EndpointsFile::new(&path);
        let mut names = known();
        assert!(matches!(file.poll(&directory, &names), FileNews::Refused(_)));
        names.scope.get_mut("orders").unwrap().insert("v43".to_owned());
        assert!(matches!(file.poll(&directory, &names), FileNews::Taken { endpoints: 1 }));
    }
}
