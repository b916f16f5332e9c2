//! What a bundle is not blamed for: services that fail whatever is sent to them.

use std::collections::HashMap;

use mesh_bundle::limits::WHOLE;

use super::basis_points;
use super::tally::Counts;
use crate::upstream::Sums;

/// Requests without which nothing is known of a service: one failure must not excuse a thousand.
const EVIDENCE: u64 = 20;

/// Sums by service.
type Seen = HashMap<Box<str>, Sums>;

/// The window before: how often each service failed since the last turn but one, which is in the last whole window and
/// what came after it; before the second turn, in all that was counted.
#[derive(Debug, Default)]
pub struct Services {
    /// At the last turn but one.
    older: Seen,
    /// At the last turn.
    newer: Seen,
}

impl Services {
    /// A window is over.
    pub fn turn<'a>(&mut self, sums: impl Iterator<Item = (&'a str, Sums)>) {
        let now = sums.map(|(name, sums)| (name.into(), sums)).collect();
        self.older = std::mem::replace(&mut self.newer, now);
    }

    /// Where the services stand at the beginning of a probation.
    #[must_use]
    pub fn begin<'a>(&self, sums: impl Iterator<Item = (&'a str, Sums)>) -> Baseline {
        let stand = |(name, now): (&str, Sums)| {
            // A service that was not there yet counted nothing.
            let past = self.older.get(name).copied().unwrap_or_default();
            let (asked, failed) =
                (now.same.saturating_sub(past.same), now.same_failed.saturating_sub(past.same_failed));
            (name.into(), Stand { at: now, asked, failed })
        };
        Baseline(sums.map(stand).collect())
    }
}

/// One service at the beginning of a probation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stand {
    at: Sums,
    /// Requests of the window before.
    asked: u64,
    /// Of those, failed ones.
    failed: u64,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(HashMap<Box<str>, Stand>);

impl Baseline {
    /// How many of the changed requests that failed would have failed anyway: for each service the larger of its
    /// failing shares in the window before and among unchanged requests since; where neither had 20 requests, the share
    /// of all unchanged requests in `counts`, if these were as many.
    #[must_use]
    pub fn excused<'a>(&self, sums: impl Iterator<Item = (&'a str, Sums)>, counts: &Counts) -> u64 {
        let known = |failed: u64, of: u64| (of >= EVIDENCE).then(|| basis_points(failed, of));
        let elsewhere = known(counts.outage, counts.requests.saturating_sub(counts.counted));
        let of = |(name, now): (&str, Sums)| {
            // A service that came since the beginning had counted nothing then.
            let Stand { at, asked, failed } = self.0.get(name).copied().unwrap_or_default();
            let since = |now: u64, then: u64| now.saturating_sub(then);
            let (same, same_failed) = (since(now.same, at.same), since(now.same_failed, at.same_failed));
            let own = known(failed, asked).max(known(same_failed, same));
            // Nothing is known: nothing is excused.
            let share = own.or(elsewhere).unwrap_or(0);
            let changed = u128::from(since(now.changed, at.changed));
            // More than all of the failed ones excuses no more than these.
            let expected = (changed * u128::from(share)).div_ceil(u128::from(WHOLE));
            since(now.changed_failed, at.changed_failed).min(u64::try_from(expected).unwrap_or(u64::MAX))
        };
        sums.map(of).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Sums = Sums { same: 0, same_failed: 0, changed: 0, changed_failed: 0 };

    fn one(sums: Sums) -> impl Iterator<Item = (&'static str, Sums)> {
        std::iter::once(("orders", sums))
    }

    #[test]
    fn what_failed_before_fails_on() {
        let mut services = Services::default();
        services.turn(one(Sums { same: 1_000, ..NONE }));
        services.turn(one(Sums { same: 1_100, same_failed: 50, ..NONE }));
        let begun = Sums { same: 1_200, same_failed: 100, ..NONE };
        let baseline = services.begin(one(begun));
        // Half of the last two windows' 200 failed.
        let now = Sums { changed: 40, changed_failed: 40, ..begun };
        assert_eq!(baseline.excused(one(now), &Counts::default()), 20);
        // No more than failed.
        let now = Sums { changed: 40, changed_failed: 3, ..begun };
        assert_eq!(baseline.excused(one(now), &Counts::default()), 3);
    }

    #[test]
    fn what_fails_unchanged_too_is_excused_by_service() {
        let baseline = Services::default().begin(one(NONE));
        let sick = Sums { same: 20, same_failed: 20, changed: 30, changed_failed: 30 };
        assert_eq!(baseline.excused(one(sick), &Counts::default()), 30);
        // Others' outage is no excuse for a service that works.
        let well = Sums { same: 20, same_failed: 0, changed: 30, changed_failed: 30 };
        let counts = Counts { requests: 100, counted: 30, outage: 70, ..Counts::default() };
        assert_eq!(baseline.excused(one(well), &counts), 0);
        // Where nothing else is known of it, it is.
        let unknown = Sums { changed: 30, changed_failed: 30, ..NONE };
        assert_eq!(baseline.excused(one(unknown), &counts), 30);
        assert_eq!(baseline.excused(one(unknown), &Counts::default()), 0);
        // A few requests tell nothing.
        let few = Sums { same: 19, same_failed: 19, ..sick };
        assert_eq!(baseline.excused(one(few), &Counts::default()), 0);
        let counts = Counts { requests: 49, counted: 30, outage: 19, ..Counts::default() };
        assert_eq!(baseline.excused(one(few), &counts), 0);
    }
}
