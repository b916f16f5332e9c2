//! A probation under way, and what was counted before it.

use std::time::Duration;

use mesh_bundle::Digest;
use serde::Serialize;

use crate::probation::{Baseline, Before, Bounds, Counts, Services, Verdict};
use crate::request::{Active, Running};

/// A probation under way. Times are those of the proxy's clock since its start.
#[derive(Clone, Debug)]
pub(super) struct ProbationWindow {
    since: Duration,
    bounds: Bounds,
    baseline: Baseline,
}

/// How a probation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbationStatus {
    /// For how many seconds.
    pub seconds: u64,
    /// What was counted.
    pub counts: Counts,
    /// The bad share, in basis points of all requests.
    pub share: u32,
    /// The bad share at which it ends badly, in basis points.
    pub allowed: u32,
    /// The bundle that it goes back to; none where it is the first.
    pub back_to: Option<Digest>,
}

impl ProbationWindow {
    /// What the counts of `active` say at `now`.
    pub(super) fn judge(&self, active: &Active, now: Duration) -> Verdict {
        self.bounds.judge(&self.counts(active), now.saturating_sub(self.since))
    }

    /// How it stands at `now`.
    pub(super) fn status(&self, running: &Running, now: Duration) -> ProbationStatus {
        let counts = self.counts(&running.active);
        ProbationStatus {
            seconds: now.saturating_sub(self.since).as_secs(),
            share: counts.bad_share(),
            counts,
            allowed: self.bounds.allowed(),
            back_to: running.probation.as_ref().map(|probation| probation.old.bundle),
        }
    }

    /// What was counted of `active`, with what an outage explains.
    fn counts(&self, active: &Active) -> Counts {
        let counts = active.tally.counts();
        Counts { excused: self.baseline.excused(active.sums(), &counts), ..counts }
    }
}

/// What was counted while no probation was under way.
#[derive(Debug, Default)]
pub(super) struct Past {
    before: Before,
    services: Services,
    /// When the last window of `services` ended.
    turned: Duration,
}

impl Past {
    /// The counts of `active` at `now`, once a second.
    pub(super) fn sample(&mut self, active: &Active, now: Duration, window: Duration) {
        self.before.sample(now, &active.tally.counts(), window);
        if now.saturating_sub(self.turned) >= window {
            self.turned = now;
            self.services.turn(active.sums());
        }
    }

    /// A probation of `fresh` begins at `now`.
    pub(super) fn begin(&self, fresh: &Active, now: Duration) -> ProbationWindow {
        let bounds = fresh.engine.program().mesh.probation.clone();
        ProbationWindow {
            since: now,
            bounds: Bounds::new(bounds, self.before.share()),
            baseline: self.services.begin(fresh.sums()),
        }
    }
}
