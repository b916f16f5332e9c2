//! The generic cell rate algorithm (ITU-T I.371, annex A): one number a bucket.

use mesh_bundle::program::Rate;

/// Nanoseconds in a millisecond.
const NANOS: u64 = 1_000_000;

/// How fast a bucket drains and how much it takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Nanoseconds that one unit of cost takes to drain; rounded up, so that the rate is never exceeded.
    interval: u64,
    /// Nanoseconds of draining that fit into a full bucket.
    depth: u64,
}

impl Pace {
    /// The pace of a rate with a burst of at least 1. A rate of nothing never lets anything pass.
    #[must_use]
    pub fn new(rate: Rate, burst: u32) -> Self {
        let period = rate.per_ms.max(1).saturating_mul(NANOS);
        let interval = period.div_ceil(u64::from(rate.count.max(1)));
        let burst = if rate.count == 0 { 0 } else { u64::from(burst.max(1)) };
        Self { interval, depth: interval.saturating_mul(burst) }
    }

    /// What charging `cost` at `now` comes to: the bucket afterwards, or the nanoseconds to wait.
    ///
    /// # Errors
    /// The wait, at least 1; [`u64::MAX`] where waiting does not help, because the cost exceeds the burst.
    pub fn charge(&self, bucket: Bucket, cost: u32, now: u64) -> Result<Bucket, u64> {
        let amount = self.interval.saturating_mul(u64::from(cost));
        if amount > self.depth {
            return Err(u64::MAX);
        }
        let empty_at = bucket.0.max(now).saturating_add(amount);
        match empty_at.saturating_sub(self.depth).checked_sub(now) {
            None | Some(0) => Ok(Bucket(empty_at)),
            Some(wait) => Err(wait),
        }
    }
}

/// When a bucket will have drained, in nanoseconds of the proxy's clock; 0 is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket(u64);

impl Bucket {
    /// Whether it is as if it had never been charged.
    #[must_use]
    pub fn is_empty(self, now: u64) -> bool {
        self.0 <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn pace(count: u32, per_ms: u64, burst: u32) -> Pace {
        Pace::new(Rate { count, per_ms }, burst)
    }

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate_holds() {
        let pace = pace(50, 1_000, 100);
        let mut bucket = Bucket::default();
        for _ in 0..100 {
            bucket = pace.charge(bucket, 1, SECOND).unwrap();
        }
        assert_eq!(pace.charge(bucket, 1, SECOND), Err(SECOND / 50));
        bucket = pace.charge(bucket, 1, SECOND + SECOND / 50).unwrap();
        assert_eq!(pace.charge(bucket, 1, SECOND + SECOND / 50), Err(SECOND / 50));
    }

    #[test]
    fn a_cost_over_the_burst_never_passes() {
        assert_eq!(pace(50, 1_000, 10).charge(Bucket::default(), 11, 0), Err(u64::MAX));
        assert_eq!(pace(0, 1_000, 10).charge(Bucket::default(), 1, 0), Err(u64::MAX));
    }

    proptest! {
        /// In no window do more pass than the burst and what drains meanwhile.
        #[test]
        fn the_rate_is_never_exceeded(
            count in 1_u32..2_000, per_ms in 1_u64..120_000, burst in 1_u32..50,
            steps in proptest::collection::vec((0_u64..2_000_000_000, 1_u32..4), 1..200),
        ) {
            let pace = pace(count, per_ms, burst);
            let (mut now, mut bucket) = (0_u64, Bucket::default());
            let mut passed: Vec<(u64, u64)> = Vec::new();
            for (gap, cost) in steps {
                now += gap;
                if let Ok(next) = pace.charge(bucket, cost, now) {
                    bucket = next;
                    passed.push((now, u64::from(cost)));
                }
            }
            for (start, (from, _)) in passed.iter().enumerate() {
                let mut sum = 0;
                for (at, cost) in &passed[start..] {
                    sum += cost;
                    let drained = u128::from(at - from) * u128::from(count) / (u128::from(per_ms) * 1_000_000);
                    prop_assert!(u128::from(sum) <= u128::from(burst) + drained);
                }
            }
        }

        /// Waiting as long as told is enough, and one nanosecond less is not.
        #[test]
        fn the_wait_is_exact(count in 1_u32..2_000, burst in 1_u32..50, charges in 1_u32..80, now in 0_u64..1_000_000_000) {
            let pace = pace(count, 1_000, burst);
            let mut bucket = Bucket::default();
            for _ in 0..charges {
                bucket = pace.charge(bucket, 1, now).unwrap_or(bucket);
            }
            if let Err(wait) = pace.charge(bucket, 1, now) {
                prop_assert!(pace.charge(bucket, 1, now + wait).is_ok());
                prop_assert!(pace.charge(bucket, 1, now + wait - 1).is_err());
            }
        }
    }
}
