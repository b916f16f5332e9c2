//! When a request may be tried again, and when: pure functions.

use std::cell::Cell;
use std::time::Duration;

use http::Method;
use mesh_bundle::program::Retry;

/// Retries that are always within the budget, so that a quiet service can retry at all (Envoy's
/// `min_retry_concurrency`).
const MIN_BUDGET: u64 = 3;

/// Whether `method` may be sent again after it may have reached the service.
#[must_use]
pub fn may_repeat(method: &Method, retry: &Retry) -> bool {
    if retry.methods.is_empty() {
        return is_idempotent(method);
    }
    retry.methods.iter().any(|listed| listed == method.as_str())
}

/// GET, HEAD, OPTIONS, PUT, DELETE and TRACE (RFC 9110, 9.2.2).
pub(super) fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    )
}

/// Whether one more retry is within the budget, given the requests in flight and the retries among them.
#[must_use]
pub fn budget_allows(active: u64, retrying: u64, retry: &Retry) -> bool {
    let share = active.saturating_mul(u64::from(retry.budget)) / u64::from(mesh_bundle::limits::WHOLE);
    retrying < share.max(MIN_BUDGET)
}

/// How long to wait before retry `number` (0 is the first): full jitter under a doubling bound.
#[must_use]
pub fn backoff(number: u32, retry: &Retry, random: &Random) -> Duration {
    let doubled = retry.backoff_base_ms.saturating_mul(2_u64.saturating_pow(number));
    let bound = doubled.min(retry.backoff_max_ms).saturating_mul(1_000);
    Duration::from_micros(random.below(bound.saturating_add(1)))
}

/// A seeded sequence of numbers (SplitMix64, Steele, Lea and Flood 2014); no secret depends on it.
pub struct Random(Cell<u64>);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for 0.
    pub fn below(&self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        // The upper half of a product of two 64-bit numbers.
        (wide >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry() -> Retry {
        Retry { attempts: 3, ..Retry::default() }
    }

    #[test]
    fn only_safe_methods_unless_listed() {
        let mut rule = retry();
        assert!(may_repeat(&Method::GET, &rule) && may_repeat(&Method::PUT, &rule));
        assert!(!may_repeat(&Method::POST, &rule) && !may_repeat(&Method::PATCH, &rule));
        rule.methods = vec!["POST".to_owned()];
        assert!(may_repeat(&Method::POST, &rule) && !may_repeat(&Method::GET, &rule));
    }

    #[test]
    fn the_budget_is_a_share_with_a_floor() {
        let rule = retry();
        assert!(budget_allows(1, 2, &rule) && !budget_allows(1, 3, &rule));
        assert!(budget_allows(100, 19, &rule) && !budget_allows(100, 20, &rule));
    }

    #[test]
    fn backoff_stays_under_a_doubling_bound() {
        let (rule, random) = (retry(), Random::new(7));
        for (number, most) in [(0, 25), (1, 50), (2, 100), (3, 200), (4, 250), (99, 250)] {
            let delays: Vec<_> = (0..200).map(|_| backoff(number, &rule, &random)).collect();
            let longest = delays.iter().max().unwrap();
            assert!(*longest <= Duration::from_millis(most), "{number}: {longest:?}");
            assert!(*longest >= Duration::from_millis(most * 8 / 10), "{number}: {longest:?}");
        }
    }

    #[test]
    fn a_seed_gives_one_sequence() {
        // First outputs of SplitMix64 for seed 1234567 (reference implementation).
        let random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        assert_eq!(random.below(0), 0);
    }
}
