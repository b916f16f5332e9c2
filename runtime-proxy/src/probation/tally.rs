//! What workers count.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Parts of a tally, so that workers do not share a cache line.
const PARTS: usize = 16;

/// How a request ended, as far as its bundle is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestSample {
    /// The bundle decides it otherwise than the one before.
    pub differs: bool,
    /// The bundle denies it, the one before did not, and no reviewer acknowledged that.
    pub denied: bool,
    /// It was answered with 5xx.
    pub failed: bool,
    /// What the bundle does otherwise may be why it failed.
    pub blamed: bool,
    /// The proxy itself failed at it.
    pub fault: bool,
}

/// Sums over requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All.
    pub requests: u64,
    /// Those whose decision differs, or at which the proxy failed.
    pub counted: u64,
    /// Of the counted: newly denied without acknowledgement, or failed inside the proxy.
    pub broken: u64,
    /// Of the counted, beside those: answered with 5xx, which what changed may have caused.
    pub failed: u64,
    /// Of the failed: as many as fail whatever is sent to their services.
    pub excused: u64,
    /// Answered with 5xx although nothing changed for them: what goes wrong whatever the bundle.
    pub outage: u64,
    /// At which the proxy itself failed.
    pub faults: u64,
}

/// Counters of one bundle. Each worker writes a part of its own; sums are read seldom and need not be of one instant.
#[derive(Debug, Default)]
pub struct Tally([Part; PARTS]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Part {
    requests: AtomicU64,
    counted: AtomicU64,
    broken: AtomicU64,
    failed: AtomicU64,
    outage: AtomicU64,
    faults: AtomicU64,
}

impl Tally {
    /// A request of the worker number `worker` ended.
    pub fn count(&self, worker: usize, sample: RequestSample) {
        let Some(part) = self.0.get(worker % PARTS) else { return };
        let add = |counter: &AtomicU64, when: bool| {
            if when {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        };
        let RequestSample { differs, denied, failed, blamed, fault } = sample;
        let counted = differs || fault;
        let broken = counted && (denied || fault);
        add(&part.requests, true);
        add(&part.counted, counted);
        add(&part.broken, broken);
        add(&part.failed, counted && failed && blamed && !broken);
        add(&part.outage, !counted && failed);
        add(&part.faults, fault);
    }

    /// The sums; nothing is excused yet.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.iter().fold(Counts::default(), |sum, part| {
            let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            Counts {
                requests: sum.requests + read(&part.requests),
                counted: sum.counted + read(&part.counted),
                broken: sum.broken + read(&part.broken),
                failed: sum.failed + read(&part.failed),
                excused: 0,
                outage: sum.outage + read(&part.outage),
                faults: sum.faults + read(&part.faults),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_counts_once_in_each_sum() {
        let tally = Tally::default();
        let same = RequestSample::default();
        for (worker, sample) in [
            same,
            RequestSample { failed: true, ..same },
            RequestSample { differs: true, ..same },
            RequestSample { differs: true, failed: true, blamed: true, ..same },
            // Failed, and not for what changed.
            RequestSample { differs: true, failed: true, ..same },
            RequestSample { differs: true, denied: true, ..same },
            RequestSample { fault: true, failed: true, ..same },
            // Denied as before: nothing of the bundle's.
            RequestSample { denied: true, ..same },
        ]
        .into_iter()
        .enumerate()
        {
            tally.count(worker * 7, sample);
        }
        let expected =
            Counts { requests: 8, counted: 5, broken: 2, failed: 1, excused: 0, outage: 1, faults: 1 };
        assert_eq!(tally.counts(), expected);
    }
}
