//! One endpoint, and how it has fared.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mesh_bundle::program::Outlier;

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

    /// A try failed at `now`, while `out` of the service's `total` endpoints are left out.
    pub(super) fn error(&self, now: u64, rule: &Outlier, out: usize, total: usize) -> Verdict {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = health.error(now, rule, out, total);
        self.errors.store(health.errors, Ordering::Relaxed);
        self.out_until.store(health.out_until, Ordering::Relaxed);
        verdict
    }
}

/// Counts a request in flight to an endpoint while it is held.
pub struct Load(Arc<Endpoint>);

impl Load {
    pub(super) fn new(endpoint: &Arc<Endpoint>) -> Self {
        endpoint.active.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(endpoint))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}
