//! The buckets of each limit, one a key, shared by all workers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use mesh_bundle::program::{Limit, Quotas};
use std::hash::BuildHasher;

use super::gcra::{Bucket, Pace};

/// Locks among which a limit's keys are spread.
const SHARDS: usize = 16;

/// What one request charges to one limit.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The limit, by its place in the unit.
    pub limit: usize,
    /// The key.
    pub key: &'a str,
    /// The cost.
    pub cost: u32,
}

/// A request that may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The limit that holds it back the longest.
    pub limit: usize,
    /// When it would pass; `None` if never.
    pub retry_after: Option<Duration>,
}

/// The counters of one callee's limits.
pub struct Counters {
    limits: Vec<Arc<Counter>>,
    hasher: RandomState,
}

struct Counter {
    rule: Limit,
    pace: Pace,
    most_keys: usize,
    keys: AtomicUsize,
    shards: Vec<Mutex<HashMap<Box<str>, Bucket, RandomState>>>,
    /// For the keys that found no room.
    shared: Mutex<Bucket>,
}

impl Counters {
    /// Counters for a unit; a limit that `previous` has too keeps what was charged to it.
    #[must_use]
    pub fn new(quotas: &Quotas, previous: Option<&Self>) -> Self {
        let keep = |rule: &Limit| previous?.limits.iter().find(|counter| counter.rule == *rule).cloned();
        let fresh = |rule: &Limit| Arc::new(Counter::new(rule, mesh_bundle::limits::QUOTA_KEYS));
        let limits = quotas.limits.iter().map(|rule| keep(rule).unwrap_or_else(|| fresh(rule))).collect();
        Self {
            limits,
            hasher: previous.map_or_else(RandomState::default, |previous| previous.hasher.clone()),
        }
    }

    /// Charges all limits, or none if one does not pass. `charges` rise strictly by limit; `now` is in nanoseconds of
    /// the proxy's clock.
    ///
    /// # Errors
    /// The limit with the longest wait. Charges that name no limit, or out of order, never pass.
    pub fn charge(&self, charges: &[Charge<'_>], now: u64) -> Result<(), Denied> {
        // Every request locks in rising order of limits, so that two cannot wait for each other.
        let mut held: Vec<Held<'_, '_>> = Vec::with_capacity(charges.len());
        let mut denied: Option<Denied> = None;
        let mut above = 0;
        for charge in charges {
            let never = Denied { limit: charge.limit, retry_after: None };
            let counter = self.limits.get(charge.limit).filter(|_| charge.limit >= above).ok_or(never)?;
            above = charge.limit + 1;
            let place = counter.place(charge.key, self.hasher.hash_one(charge.key), now);
            match counter.pace.charge(place.bucket(), charge.cost, now) {
                Ok(after) => held.push(Held { place, after, counter }),
                Err(wait) => {
                    let wait = (wait != u64::MAX).then(|| Duration::from_nanos(wait));
                    let longer = denied.is_none_or(|known| {
                        known.retry_after.is_some_and(|known| wait.is_none_or(|w| w > known))
                    });
                    if longer {
                        denied = Some(Denied { limit: charge.limit, retry_after: wait });
                    }
                }
            }
        }
        if let Some(denied) = denied {
            return Err(denied);
        }
        for held in held {
            held.settle();
        }
        Ok(())
    }

    /// Forgets the keys whose buckets have drained; called now and then.
    pub fn sweep(&self, now: u64) {
        for counter in &self.limits {
            for shard in &counter.shards {
                counter.forget_drained(&mut lock(shard), now);
            }
        }
    }

    /// Keys that are remembered, over all limits.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.limits.iter().map(|counter| counter.keys.load(Ordering::Relaxed)).sum()
    }
}

/// A bucket under lock.
enum Place<'c, 'k> {
    Own { shard: MutexGuard<'c, HashMap<Box<str>, Bucket, RandomState>>, key: &'k str, known: Option<Bucket> },
    Shared(MutexGuard<'c, Bucket>),
}

impl Place<'_, '_> {
    fn bucket(&self) -> Bucket {
        match self {
            // A key that is not known has charged nothing.
            Self::Own { known, .. } => known.unwrap_or_default(),
            Self::Shared(bucket) => **bucket,
        }
    }
}

struct Held<'c, 'k> {
    place: Place<'c, 'k>,
    after: Bucket,
    counter: &'c Counter,
}

impl Held<'_, '_> {
    fn settle(self) {
        match self.place {
            Place::Own { mut shard, key, known: Some(_) } => {
                if let Some(bucket) = shard.get_mut(key) {
                    *bucket = self.after;
                }
            }
            Place::Own { mut shard, key, known: None } => {
                shard.insert(key.into(), self.after);
                self.counter.keys.fetch_add(1, Ordering::Relaxed);
            }
            Place::Shared(mut bucket) => *bucket = self.after,
        }
    }
}

impl Counter {
    fn new(rule: &Limit, most_keys: usize) -> Self {
        Self {
            pace: Pace::new(rule.rate, rule.burst),
            rule: rule.clone(),
            most_keys,
            keys: AtomicUsize::new(0),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shared: Mutex::default(),
        }
    }

    fn place<'c, 'k>(&'c self, key: &'k str, hash: u64, now: u64) -> Place<'c, 'k> {
        // There are as many as the divisor says; the bucket that all share would only be stricter.
        let Some(shard) = self.shards.get((hash % SHARDS as u64) as usize) else {
            return Place::Shared(lock(&self.shared));
        };
        let mut shard = lock(shard);
        let known = shard.get(key).copied();
        if known.is_none() && self.keys.load(Ordering::Relaxed) >= self.most_keys {
            self.forget_drained(&mut shard, now);
            if self.keys.load(Ordering::Relaxed) >= self.most_keys {
                drop(shard);
                return Place::Shared(lock(&self.shared));
            }
        }
        Place::Own { shard, key, known }
    }

    fn forget_drained(&self, shard: &mut HashMap<Box<str>, Bucket, RandomState>, now: u64) {
        let before = shard.len();
        shard.retain(|_, bucket| !bucket.is_empty(now));
        self.keys.fetch_sub(before - shard.len(), Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_bundle::program::{Rate, RateKey};

    const SECOND: u64 = 1_000_000_000;

    fn limit(name: &str, count: u32, burst: u32) -> Limit {
        Limit {
            name: name.to_owned(),
            per: RateKey::Caller,
            rate: Rate { count, per_ms: 1_000 },
            burst,
            cost: 1,
        }
    }

    fn counters(limits: &[Limit]) -> Counters {
        Counters::new(&Quotas { limits: limits.to_vec() }, None)
    }

    fn charge(limit: usize, key: &str) -> Charge<'_> {
        Charge { limit, key, cost: 1 }
    }

    #[test]
    fn each_key_has_a_bucket() {
        let counters = counters(&[limit("a", 1, 1)]);
        assert!(counters.charge(&[charge(0, "web")], 0).is_ok());
        assert!(counters.charge(&[charge(0, "cart")], 0).is_ok());
        let denied = counters.charge(&[charge(0, "web")], 0).unwrap_err();
        assert_eq!(denied, Denied { limit: 0, retry_after: Some(Duration::from_secs(1)) });
        assert!(counters.charge(&[charge(0, "web")], SECOND).is_ok());
    }

    #[test]
    fn all_pass_or_nothing_is_charged() {
        let counters = counters(&[limit("wide", 10, 2), limit("narrow", 1, 1)]);
        let both = [charge(0, "k"), charge(1, "k")];
        assert!(counters.charge(&both, 0).is_ok());
        for _ in 0..5 {
            assert_eq!(counters.charge(&both, 0).unwrap_err().limit, 1);
        }
        assert!(counters.charge(&[charge(0, "k")], 0).is_ok(), "the refused ones cost nothing");
        assert!(counters.charge(&[charge(0, "k")], 0).is_err());
    }

    #[test]
    fn charges_that_name_no_limit_or_one_twice_do_not_pass() {
        let counters = counters(&[limit("a", 10, 10)]);
        assert!(counters.charge(&[charge(1, "k")], 0).is_err());
        assert!(counters.charge(&[charge(0, "k"), charge(0, "k")], 0).is_err());
    }

    #[test]
    fn past_the_most_keys_all_share_one_bucket() {
        let mut counters = counters(&[]);
        counters.limits = vec![Arc::new(Counter::new(&limit("a", 1, 1), 10))];
        for index in 0..10 {
            assert!(counters.charge(&[charge(0, &format!("k{index}"))], 0).is_ok());
        }
        assert!(counters.charge(&[charge(0, "one more")], 0).is_ok());
        assert!(counters.charge(&[charge(0, "and another")], 0).is_err());
        assert_eq!(counters.keys(), 10);
        counters.sweep(SECOND);
        assert_eq!(counters.keys(), 0, "drained buckets are forgotten");
        assert!(counters.charge(&[charge(0, "and another")], SECOND).is_ok());
        assert_eq!(counters.keys(), 1);
    }

    #[test]
    fn a_limit_that_stays_keeps_its_counts() {
        let old = counters(&[limit("a", 1, 1), limit("b", 1, 1)]);
        assert!(old.charge(&[charge(0, "k"), charge(1, "k")], 0).is_ok());
        let new = Counters::new(&Quotas { limits: vec![limit("b", 1, 1), limit("a", 2, 2)] }, Some(&old));
        assert!(new.charge(&[charge(0, "k")], 0).is_err());
        assert!(new.charge(&[charge(1, "k")], 0).is_ok());
    }

    #[test]
    fn workers_together_get_no_more_than_the_burst() {
        let counters = counters(&[limit("a", 1, 100)]);
        let passed: usize = std::thread::scope(|scope| {
            let work = || (0..200).filter(|_| counters.charge(&[charge(0, "k")], 0).is_ok()).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 100);
    }
}
