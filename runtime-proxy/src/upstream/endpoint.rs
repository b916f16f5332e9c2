//! Endpoints of a service's version, and the choice among them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwap;
use mesh_bundle::program::Outlier;

use super::directory::ServiceEndpoints;
use super::outlier::{Health, Verdict};
use crate::clock::Clock;

/// One address of one version. Its health is shared by all workers.
#[derive(Debug)]
pub struct Endpoint {
    /// Unique in the process, never used again.
    pub id: u64,
    /// Where it listens.
    pub address: SocketAddr,
    /// Requests in flight to it, over all workers.
    pub active: AtomicUsize,
    retired: AtomicBool,
    errors: AtomicU32,
    out_until: AtomicU64,
    health: Mutex<Health>,
}

impl Endpoint {
    pub(super) fn new(id: u64, address: SocketAddr) -> Self {
        Self {
            id,
            address,
            active: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
            errors: AtomicU32::new(0),
            out_until: AtomicU64::new(0),
            health: Mutex::default(),
        }
    }

    /// Whether it was taken off its list, so that its idle connections are of no more use.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Whether it is ejected.
    #[must_use]
    pub fn is_out(&self, clock: &Clock) -> bool {
        let until = self.out_until.load(Ordering::Relaxed);
        until != 0 && clock.millis() < until
    }

    /// A try succeeded.
    pub fn success(&self) {
        // The lock is for errors; a healthy endpoint costs one load.
        if self.errors.load(Ordering::Relaxed) != 0 {
            let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
            health.success();
            self.errors.store(0, Ordering::Relaxed);
        }
    }

    fn error(&self, now: u64, rule: &Outlier, out: usize, total: usize) -> Verdict {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = health.error(now, rule, out, total);
        self.errors.store(health.errors, Ordering::Relaxed);
        self.out_until.store(health.out_until, Ordering::Relaxed);
        verdict
    }
}

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
