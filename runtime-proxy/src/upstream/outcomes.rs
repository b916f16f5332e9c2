//! How requests to one service end, as seen from here: what tells an outage from a bad bundle.

use std::sync::atomic::{AtomicU64, Ordering};

/// Sums over the requests to one service; they only grow, and outlive bundles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Sent as the bundle before would have sent them, or while no bundle was on probation.
    pub same: u64,
    /// Of those: answered 5xx, or not at all.
    pub same_failed: u64,
    /// Sent otherwise than the bundle before would have.
    pub changed: u64,
    /// Of those: failed in a way that the change may have caused.
    pub changed_failed: u64,
}

/// Counters behind [`Sums`].
#[derive(Debug, Default)]
pub struct Outcomes {
    same: AtomicU64,
    same_failed: AtomicU64,
    changed: AtomicU64,
    changed_failed: AtomicU64,
}

impl Outcomes {
    /// One request ended.
    pub fn count(&self, changed: bool, failed: bool) {
        let (all, bad) =
            if changed { (&self.changed, &self.changed_failed) } else { (&self.same, &self.same_failed) };
        all.fetch_add(1, Ordering::Relaxed);
        if failed {
            bad.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The sums; they need not be of one instant.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Sums {
            same: read(&self.same),
            same_failed: read(&self.same_failed),
            changed: read(&self.changed),
            changed_failed: read(&self.changed_failed),
        }
    }
}
