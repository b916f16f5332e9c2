//! Ejection of an endpoint after errors in a row: a pure state machine.

use mesh_bundle::program::Outlier;

/// How many times the first ejection's length the longest one is (Envoy's default of 300 s over 30 s).
const LONGEST: u64 = 10;

/// What is known of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Errors since the last success.
    pub errors: u32,
    /// Ejections that followed each other closely.
    pub ejections: u64,
    /// In milliseconds of the proxy's clock: left out until then; 0 is never ejected.
    pub out_until: u64,
}

/// What an error came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Stays,
    /// It is left out from now on.
    Ejected,
    /// It should be left out, but too many others are.
    Spared,
}

impl Health {
    /// Whether it is left out at `now`.
    #[must_use]
    pub fn is_out(&self, now: u64) -> bool {
        now < self.out_until
    }

    /// A try succeeded.
    pub fn success(&mut self) {
        self.errors = 0;
    }

    /// A try failed at `now`, while `out` of the service's `total` endpoints are left out.
    pub fn error(&mut self, now: u64, rule: &Outlier, out: usize, total: usize) -> Verdict {
        if self.is_out(now) {
            return Verdict::Stays;
        }
        self.errors = self.errors.saturating_add(1);
        if self.errors < rule.consecutive_errors {
            return Verdict::Stays;
        }
        let allowed = (total as u64).saturating_mul(u64::from(rule.max_ejected))
            / u64::from(mesh_bundle::limits::WHOLE);
        if out as u64 >= allowed {
            return Verdict::Spared;
        }
        // Long after the last ejection, the count begins again.
        let quiet_since = self.out_until.saturating_add(rule.eject_for_ms.saturating_mul(LONGEST));
        self.ejections = if now >= quiet_since { 1 } else { (self.ejections + 1).min(LONGEST) };
        self.out_until = now.saturating_add(rule.eject_for_ms.saturating_mul(self.ejections));
        self.errors = 0;
        Verdict::Ejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Outlier = Outlier { consecutive_errors: 3, eject_for_ms: 1_000, max_ejected: 5_000 };

    #[test]
    fn errors_in_a_row_eject_and_a_success_begins_again() {
        let mut health = Health::default();
        assert_eq!(health.error(0, &RULE, 0, 2), Verdict::Stays);
        assert_eq!(health.error(0, &RULE, 0, 2), Verdict::Stays);
        health.success();
        assert_eq!(health.error(0, &RULE, 0, 2), Verdict::Stays);
        assert_eq!(health.error(0, &RULE, 0, 2), Verdict::Stays);
        assert_eq!(health.error(5, &RULE, 0, 2), Verdict::Ejected);
        assert!(health.is_out(1_004) && !health.is_out(1_005));
    }

    #[test]
    fn no_more_than_the_share_is_out() {
        let mut health = Health { errors: 2, ..Health::default() };
        assert_eq!(health.error(0, &RULE, 1, 2), Verdict::Spared);
        assert_eq!(health.error(0, &RULE, 0, 1), Verdict::Spared, "half of one endpoint is none");
        assert_eq!(health.error(0, &RULE, 0, 2), Verdict::Ejected);
    }

    #[test]
    fn each_further_ejection_is_longer_until_a_quiet_time() {
        let mut health = Health::default();
        let mut now = 0;
        for expected in [1_000, 2_000, 3_000] {
            for _ in 0..3 {
                health.error(now, &RULE, 0, 2);
            }
            assert_eq!(health.out_until - now, expected);
            now = health.out_until;
        }
        now += 10_000;
        for _ in 0..3 {
            health.error(now, &RULE, 0, 2);
        }
        assert_eq!(health.out_until - now, 1_000);
    }
}
