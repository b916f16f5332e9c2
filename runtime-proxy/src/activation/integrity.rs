//! Whether what lies in the state folder is what was put there.

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::Digest;

use crate::store::{Disk, Store};

/// What should be there, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Integrity {
    /// Digests of the archives that this process stored or read, by bundle.
    archives: BTreeMap<Digest, Digest>,
    alarms: BTreeSet<String>,
}

impl Integrity {
    /// An archive was stored, or read back whole.
    pub(super) fn expect(&mut self, bundle: Digest, archive: &[u8]) {
        self.archives.insert(bundle, Digest::of(archive));
    }

    /// What is wrong.
    pub(super) fn alarms(&self) -> impl Iterator<Item = &String> {
        self.alarms.iter()
    }

    /// Compares; what is wrong that was not before. What was changed is refused when it is loaded next; until then
    /// somebody should know.
    pub(super) fn check(&mut self, store: &Store<impl Disk>) -> Vec<String> {
        let holds = store.journal().holds(usize::MAX);
        self.archives.retain(|bundle, _| holds.contains(bundle));
        let mut alarms = BTreeSet::new();
        for (bundle, expected) in &self.archives {
            match store.get(*bundle) {
                Ok(bytes) if Digest::of(&bytes) == *expected => {}
                Ok(_) => {
                    alarms.insert(format!(
                        "bundle {bundle} was changed on the own disk; it will be refused when it is loaded next"
                    ));
                }
                Err(error) => {
                    alarms.insert(format!("bundle {bundle} cannot be read back: {error}"));
                }
            }
        }
        if let Err(error) = store.compare() {
            alarms.insert(error.to_string());
        }
        let fresh = alarms.difference(&self.alarms).cloned().collect();
        self.alarms = alarms;
        fresh
    }
}
