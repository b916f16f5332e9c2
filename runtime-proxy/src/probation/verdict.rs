//! From counts to a verdict.

use std::collections::VecDeque;
use std::time::Duration;

use mesh_bundle::program::Probation;

use super::basis_points;
use super::tally::Counts;

/// What the counts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not enough yet.
    Open,
    /// It proved itself.
    Good,
    /// Nobody asked it much in all that time; nothing speaks against it.
    GoodQuiet,
    /// Back to the last good one, for this reason.
    Bad(String),
}

/// The bounds of one probation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    bounds: Probation,
    /// The bad share of the bundle before, in basis points.
    before: u32,
}

impl Bounds {
    /// The bounds that the mesh sets, over the bad share of the bundle before, in basis points.
    #[must_use]
    pub fn new(bounds: Probation, before: u32) -> Self {
        Self { bounds, before }
    }

    /// The bad share that is still allowed, in basis points.
    #[must_use]
    pub fn allowed(&self) -> u32 {
        self.before.saturating_add(self.bounds.max_over)
    }

    /// Judges `counts` after `watched`. Bad: at least `minRequests` counted requests, and a bad share over the old one
    /// by more than `maxOver`. Good: watched for `windowMs` with at least `minRequests` requests and no such share.
    /// Good (quiet): after `maxMs`.
    #[must_use]
    pub fn judge(&self, counts: &Counts, watched: Duration) -> Verdict {
        let least = u64::from(self.bounds.min_requests);
        let over = share(counts) > self.allowed();
        if over && counts.counted >= least.max(1) {
            return Verdict::Bad(format!(
                "{} % of {} requests are denied or fail since its activation, {} % before and {} % more allowed \
                 ({} denied or failed in the proxy, {} answered 5xx of which {} would have been anyway)",
                percent(share(counts)),
                counts.requests,
                percent(self.before),
                percent(self.bounds.max_over),
                counts.broken,
                counts.failed,
                counts.excused
            ));
        }
        let long_enough = |ms: u64| watched >= Duration::from_millis(ms);
        if !over && counts.requests >= least && long_enough(self.bounds.window_ms) {
            return Verdict::Good;
        }
        if long_enough(self.bounds.max_ms) { Verdict::GoodQuiet } else { Verdict::Open }
    }
}

impl Counts {
    /// The bad share of these requests, in basis points, as [`Bounds::judge`] reckons it.
    #[must_use]
    pub fn bad_share(&self) -> u32 {
        share(self)
    }
}

/// The bad share in basis points: bad requests over all. An outage behind the proxy is nobody's bundle.
#[must_use]
fn share(counts: &Counts) -> u32 {
    let bad = counts.broken.saturating_add(counts.failed.saturating_sub(counts.excused));
    basis_points(bad, counts.requests)
}

/// The window before: how often the proxy itself failed under the bundle that was in force.
#[derive(Debug, Default)]
pub struct Before {
    samples: VecDeque<(Duration, u64, u64)>,
}

/// Samples that are kept, one a second.
const SAMPLES: usize = 600;

impl Before {
    /// The counts at `now`. Counts that fell belong to another bundle: the window begins anew.
    pub fn sample(&mut self, now: Duration, counts: &Counts, window: Duration) {
        if self.samples.back().is_some_and(|(_, requests, _)| *requests > counts.requests) {
            self.samples.clear();
        }
        self.samples.push_back((now, counts.requests, counts.faults));
        while self.samples.len() > SAMPLES
            || self.samples.front().is_some_and(|(at, ..)| now.saturating_sub(*at) > window)
        {
            self.samples.pop_front();
        }
    }

    /// The share of the window's requests at which the proxy failed, in basis points.
    #[must_use]
    pub fn share(&self) -> u32 {
        let (Some((_, requests, faults)), Some((_, before, faults_before))) =
            (self.samples.back(), self.samples.front())
        else {
            return 0;
        };
        basis_points(faults.saturating_sub(*faults_before), requests.saturating_sub(*before))
    }
}

fn percent(basis_points: u32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn judge(counts: &Counts, watched: Duration) -> Verdict {
        Bounds::new(Probation::default(), 0).judge(counts, watched)
    }

    fn counts(requests: u64, counted: u64, broken: u64) -> Counts {
        Counts { requests, counted, broken, ..Counts::default() }
    }

    #[test]
    fn a_fifth_denied_is_bad_once_fifty_were_counted() {
        assert_eq!(judge(&counts(245, 49, 49), Duration::ZERO), Verdict::Open);
        let Verdict::Bad(reason) = judge(&counts(250, 50, 50), Duration::ZERO) else { panic!("not bad") };
        assert!(reason.starts_with("20 % of 250 requests"), "{reason}");
    }

    #[test]
    fn up_to_five_points_more_are_borne() {
        assert_eq!(judge(&counts(2_000, 100, 100), MINUTE), Verdict::Good);
        assert!(matches!(judge(&counts(2_000, 120, 120), MINUTE), Verdict::Bad(_)));
        let tired = Bounds::new(Probation::default(), 200);
        assert_eq!(tired.judge(&counts(2_000, 120, 120), MINUTE), Verdict::Good);
    }

    #[test]
    fn good_takes_a_window_with_enough_requests_and_quiet_takes_long() {
        let busy = counts(50, 0, 0);
        assert_eq!(judge(&busy, MINUTE - Duration::from_millis(1)), Verdict::Open);
        assert_eq!(judge(&busy, MINUTE), Verdict::Good);
        let idle = counts(49, 0, 0);
        assert_eq!(judge(&idle, MINUTE), Verdict::Open);
        assert_eq!(judge(&idle, 30 * MINUTE), Verdict::GoodQuiet);
        // Too few counted requests for a verdict, and too many bad ones among them to be called good.
        let doubtful = counts(100, 40, 40);
        assert_eq!(judge(&doubtful, MINUTE), Verdict::Open);
        assert_eq!(judge(&doubtful, 30 * MINUTE), Verdict::GoodQuiet);
    }

    #[test]
    fn what_is_excused_is_not_bad() {
        let outage = Counts { requests: 1_000, counted: 300, failed: 300, excused: 300, ..Counts::default() };
        assert_eq!(judge(&outage, MINUTE), Verdict::Good);
        let broken = Counts { excused: 0, ..outage };
        assert!(matches!(judge(&broken, Duration::ZERO), Verdict::Bad(_)));
        assert_eq!(share(&Counts { excused: 150, ..outage }), 1_500);
    }

    #[test]
    fn the_window_before_moves_on_and_begins_anew_with_a_bundle() {
        let mut before = Before::default();
        let at = |requests, faults| Counts { requests, faults, ..Counts::default() };
        before.sample(Duration::ZERO, &at(0, 0), MINUTE);
        before.sample(Duration::from_secs(30), &at(100, 10), MINUTE);
        assert_eq!(before.share(), 1_000);
        before.sample(Duration::from_secs(90), &at(200, 10), MINUTE);
        assert_eq!(before.share(), 0, "the faults are older than the window");
        before.sample(Duration::from_secs(91), &at(5, 0), MINUTE);
        assert_eq!(before.share(), 0);
    }
}
