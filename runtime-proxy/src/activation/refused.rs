//! A refused offer, and when it is looked at again.

use std::time::Duration;

use mesh_bundle::{Digest, Refusal, Rung};

use crate::preflight::Failure;

/// How long after a refusal the offer is looked at again; doubles with each refusal of the same offer.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);

/// The newest refusal. Times are those of a clock that only goes on.
#[derive(Debug)]
pub(super) struct Refused {
    /// The digest of what was offered, where it could be read.
    pub(super) offer: Option<Digest>,
    /// Why it was refused.
    pub(super) refusal: Refusal,
    wait: Duration,
    again: Duration,
}

impl Refused {
    /// A refusal at `now`; `before` is the one before it, whose wait goes on growing if the offer is the same.
    pub(super) fn new(offer: Option<Digest>, refusal: Refusal, now: Duration, before: Option<Self>) -> Self {
        let wait = match before {
            Some(before) if before.offer == offer => (before.wait * 2).min(LONGEST),
            _ => FIRST,
        };
        Self { offer, refusal, wait, again: now.saturating_add(wait) }
    }

    /// Whether it is time to look again.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        now >= self.again
    }

    /// The same offer was looked at again and is not worth a climb.
    pub(super) fn wait_longer(&mut self, now: Duration) {
        self.wait = (self.wait * 2).min(LONGEST);
        self.again = now.saturating_add(self.wait);
    }

    /// Whether the same bytes may be accepted at another time: secrets come, disks are emptied, clocks are set. What
    /// bounds, signatures, digests and form say of the same bytes stays so.
    pub(super) fn may_heal(&self) -> bool {
        match self.refusal.rung {
            Rung::Bound => self.offer.is_none(),
            Rung::Authentic | Rung::WellFormed | Rung::Proven | Rung::Probation => false,
            Rung::Built => Failure::of(&self.refusal).is_none_or(Failure::may_heal),
            Rung::Eligible | Rung::Durable | Rung::InForce => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(rung: Rung) -> Refusal {
        Refusal::new(rung, "code", "why")
    }

    #[test]
    fn the_wait_doubles_to_half_a_minute_and_another_offer_begins_anew() {
        let (one, other) = (Some(Digest::of(b"1")), Some(Digest::of(b"2")));
        let mut now = Duration::ZERO;
        let mut refused = Refused::new(one, refusal(Rung::Built), now, None);
        for expected in [1, 2, 4, 8, 16, 30, 30] {
            now += Duration::from_secs(expected);
            assert!(!refused.is_due(now - Duration::from_millis(1)) && refused.is_due(now), "{expected}");
            refused = Refused::new(one, refusal(Rung::Built), now, Some(refused));
        }
        let fresh = Refused::new(other, refusal(Rung::Built), now, Some(refused));
        assert!(fresh.is_due(now + FIRST));
    }

    #[test]
    fn only_what_depends_on_the_surroundings_may_heal() {
        let heals = |rung, offer| Refused::new(offer, refusal(rung), Duration::ZERO, None).may_heal();
        let read = Some(Digest::of(b"1"));
        for rung in [Rung::Eligible, Rung::Built, Rung::Durable] {
            assert!(heals(rung, read), "{rung}");
        }
        for rung in [Rung::Bound, Rung::Authentic, Rung::WellFormed] {
            assert!(!heals(rung, read), "{rung}");
        }
        assert!(heals(Rung::Bound, None), "a source that cannot be read may come");
        let failed =
            |failure: Failure| Refused::new(read, failure.refusal("why"), Duration::ZERO, None).may_heal();
        assert!(failed(Failure::Unavailable) && failed(Failure::Cancelled));
        assert!(!failed(Failure::Crashed) && !failed(Failure::TimedOut));
    }
}
