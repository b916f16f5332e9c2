//! The endpoints of a service by version, and the choice among them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use mesh_bundle::program::Outlier;

use super::endpoint::Endpoint;
use super::outlier::Verdict;
use crate::clock::Clock;

/// The endpoints of one service, by version.
pub type Versions = BTreeMap<String, Arc<Vec<Arc<Endpoint>>>>;

/// The endpoints of one version of one service; the same slot for the process's whole life.
#[derive(Debug)]
pub struct Slot {
    service: Weak<ServiceEndpoints>,
    endpoints: ArcSwap<Vec<Arc<Endpoint>>>,
    cursor: AtomicUsize,
}

/// The id of the next endpoint that is in no directory.
static FIXED: AtomicU64 = AtomicU64::new(u64::MAX);

impl Slot {
    pub(super) fn new(service: Weak<ServiceEndpoints>) -> Self {
        Self { service, endpoints: ArcSwap::default(), cursor: AtomicUsize::new(0) }
    }

    /// A slot of its own with one address, such as the application behind an inbound proxy.
    #[must_use]
    pub fn fixed(address: SocketAddr) -> Self {
        let slot = Self::new(Weak::new());
        // The directory counts up from 1: they do not meet, and no connection to another address is taken for this one's.
        let id = FIXED.fetch_sub(1, Ordering::Relaxed);
        slot.endpoints.store(Arc::new(vec![Arc::new(Endpoint::new(id, address))]));
        slot
    }

    /// The endpoints now.
    #[must_use]
    pub fn endpoints(&self) -> Arc<Vec<Arc<Endpoint>>> {
        self.endpoints.load_full()
    }

    pub(super) fn replace(&self, endpoints: Vec<Arc<Endpoint>>) {
        self.endpoints.store(Arc::new(endpoints));
    }

    /// Whether some endpoint is not ejected.
    #[must_use]
    pub fn has_healthy(&self, clock: &Clock) -> bool {
        self.endpoints.load().iter().any(|endpoint| !endpoint.is_out(clock))
    }

    /// The next endpoint in turn that is not ejected, one that was not `tried` if there is one.
    #[must_use]
    pub fn pick(&self, clock: &Clock, tried: &[u64]) -> Option<Arc<Endpoint>> {
        let endpoints = self.endpoints.load();
        let count = endpoints.len();
        let start = self.cursor.fetch_add(1, Ordering::Relaxed).checked_rem(count)?;
        let in_turn = || endpoints.iter().cycle().skip(start).take(count).filter(|e| !e.is_out(clock));
        in_turn().find(|endpoint| !tried.contains(&endpoint.id)).or_else(|| in_turn().next()).cloned()
    }

    /// A try at `endpoint` failed.
    pub fn error(&self, endpoint: &Endpoint, rule: Option<&Outlier>, clock: &Clock) -> Verdict {
        let (Some(rule), Some(service)) = (rule, self.service.upgrade()) else {
            return Verdict::Stays;
        };
        let (out, total) = service.ejected(clock);
        endpoint.error(clock.millis(), rule, out, total)
    }
}

/// The endpoints of one service, by version.
#[derive(Debug, Default)]
pub(super) struct ServiceEndpoints {
    versions: Mutex<BTreeMap<String, Arc<Slot>>>,
}

impl ServiceEndpoints {
    /// The slot of a version, which exists from the first question on.
    pub(super) fn slot(self: &Arc<Self>, version: &str) -> Arc<Slot> {
        let mut versions = self.lock();
        let slot = versions.entry(version.to_owned());
        Arc::clone(slot.or_insert_with(|| Arc::new(Slot::new(Arc::downgrade(self)))))
    }

    /// The endpoints of every version.
    pub(super) fn all(&self) -> Versions {
        self.lock().iter().map(|(name, slot)| (name.clone(), slot.endpoints())).collect()
    }

    /// How many of the service's endpoints are ejected, and how many there are.
    fn ejected(&self, clock: &Clock) -> (usize, usize) {
        let endpoints: Vec<_> = self.lock().values().map(|slot| slot.endpoints()).collect();
        let all = || endpoints.iter().flat_map(|list| list.iter());
        (all().filter(|endpoint| endpoint.is_out(clock)).count(), all().count())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Slot>>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Directory;

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
