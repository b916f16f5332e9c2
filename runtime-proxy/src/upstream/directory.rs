//! The directory of endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::balance::{ServiceEndpoints, Slot, Versions};
use super::endpoint::Endpoint;

/// All endpoints of the process.
#[derive(Debug, Default)]
pub struct Directory {
    services: Mutex<BTreeMap<String, Arc<ServiceEndpoints>>>,
    next: AtomicU64,
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The slot of one version of one service, which exists from the first question on.
    pub fn slot(&self, service: &str, version: &str) -> Arc<Slot> {
        Arc::clone(self.lock().entry(service.to_owned()).or_default()).slot(version)
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
        self.lock().iter().map(|(name, service)| (name.clone(), service.all())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<ServiceEndpoints>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
