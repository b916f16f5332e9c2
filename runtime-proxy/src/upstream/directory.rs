//! The directory of endpoints, and the file that fills it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::endpoint::{Endpoint, Slot};
use crate::clock::Clock;

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

/// The endpoints of one service, by version.
pub type Versions = BTreeMap<String, Arc<Vec<Arc<Endpoint>>>>;

/// All endpoints of the process.
#[derive(Debug, Default)]
pub struct Directory {
    services: Mutex<BTreeMap<String, Arc<ServiceEndpoints>>>,
    next: AtomicU64,
}

/// The endpoints of one service, by version.
#[derive(Debug, Default)]
pub(super) struct ServiceEndpoints {
    versions: Mutex<BTreeMap<String, Arc<Slot>>>,
}

impl ServiceEndpoints {
    /// How many of the service's endpoints are ejected, and how many there are.
    pub(super) fn ejected(&self, clock: &Clock) -> (usize, usize) {
        let versions = lock(&self.versions);
        let endpoints: Vec<_> = versions.values().map(|slot| slot.endpoints()).collect();
        let all = || endpoints.iter().flat_map(|list| list.iter());
        (all().filter(|endpoint| endpoint.is_out(clock)).count(), all().count())
    }
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The slot of one version of one service, which exists from the first question on.
    pub fn slot(&self, service: &str, version: &str) -> Arc<Slot> {
        let service = Arc::clone(lock(&self.services).entry(service.to_owned()).or_default());
        let mut versions = lock(&service.versions);
        let slot = versions
            .entry(version.to_owned())
            .or_insert_with(|| Arc::new(Slot::new(Arc::downgrade(&service))));
        Arc::clone(slot)
    }

    /// Replaces the endpoints of one version. Addresses that stay keep their health and connections.
    pub fn set(&self, service: &str, version: &str, addresses: &[SocketAddr]) {
        let slot = self.slot(service, version);
        let old = slot.endpoints();
        let wanted: BTreeSet<SocketAddr> = addresses.iter().copied().collect();
        let mut known: BTreeMap<SocketAddr, Arc<Endpoint>> = BTreeMap::new();
        for endpoint in old.iter() {
            if wanted.contains(&endpoint.address) {
                known.insert(endpoint.address, Arc::clone(endpoint));
            } else {
                endpoint.retire();
            }
        }
        let new = wanted
            .into_iter()
            .map(|address| {
                known.remove(&address).unwrap_or_else(|| Arc::new(Endpoint::new(self.next_id(), address)))
            })
            .collect();
        slot.replace(new);
    }

    /// Every endpoint, by service and version.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Versions> {
        let services = lock(&self.services);
        let versions = |service: &ServiceEndpoints| {
            lock(&service.versions).iter().map(|(name, slot)| (name.clone(), slot.endpoints())).collect()
        };
        services.iter().map(|(name, service)| (name.clone(), versions(service))).collect()
    }

    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }
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
        source: std::io::Error,
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
        let read = || -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            std::fs::File::open(&self.path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|source| FileError::Read { path: self.path.clone(), source })?;
        if bytes.len() as u64 > MAX_FILE { Err(FileError::TooLarge) } else { Ok(bytes) }
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::outlier::Verdict;
    use mesh_bundle::program::Outlier;

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

    #[test]
    fn an_address_that_stays_keeps_its_endpoint() {
        let directory = Directory::new();
        let list = |text: &[&str]| text.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        directory.set("orders", "v41", &list(&["127.0.0.1:1", "127.0.0.1:2"]));
        let before = directory.slot("orders", "v41").endpoints();
        directory.set("orders", "v41", &list(&["127.0.0.1:2", "127.0.0.1:3"]));
        let after = directory.slot("orders", "v41").endpoints();
        assert_eq!(after[0].id, before[1].id);
        assert!(before[0].is_retired() && !before[1].is_retired());
    }

    #[test]
    fn picks_go_round_skip_the_ejected_and_prefer_the_untried() {
        let directory = Directory::new();
        let list: Vec<SocketAddr> = (1..=3).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        directory.set("orders", "v41", &list);
        let (slot, clock) = (directory.slot("orders", "v41"), Clock::system());
        let ports = |tried: &[u64], count: usize| -> Vec<u16> {
            (0..count).map(|_| slot.pick(&clock, tried).unwrap().address.port()).collect()
        };
        assert_eq!(ports(&[], 4), [1, 2, 3, 1]);
        let all = slot.endpoints();
        assert_eq!(ports(&[all[1].id], 1), [3]);
        let rule = Outlier { consecutive_errors: 1, eject_for_ms: 60_000, max_ejected: 5_000 };
        assert_eq!(slot.error(&all[0], Some(&rule), &clock), Verdict::Ejected);
        assert_eq!(slot.error(&all[1], Some(&rule), &clock), Verdict::Spared);
        assert!(ports(&[], 6).iter().all(|port| *port != 1));
        assert!(slot.has_healthy(&clock));
        directory.set("orders", "v41", &[]);
        assert!(slot.pick(&clock, &[]).is_none());
    }
}
