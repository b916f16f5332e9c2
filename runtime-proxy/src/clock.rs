//! The time: the one module that reads it.
//!
//! The process makes one [`Clock`] at its start and hands it down; a test hands down one of its own source. Monotonic
//! time is Tokio's, so that what is measured here and what Tokio's timers wait for are one time: where a test pauses a
//! runtime's time, `tokio::time::advance` moves both. Waiting itself (`sleep`, `interval`, `timeout`) stays Tokio's.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Where a [`Clock`] gets the time from.
pub trait TimeSource: Send + Sync {
    /// Time that never goes back, for durations and deadlines.
    fn monotonic(&self) -> Instant;

    /// The time of day, which may be set back and forth.
    fn wall(&self) -> SystemTime;
}

/// The operating system's clocks.
struct System;

impl TimeSource for System {
    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// The proxy's clock; copies share one source and one start.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn TimeSource>,
    start: Instant,
}

impl Clock {
    /// The operating system's time; the clock's own begins now.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(System))
    }

    /// The time of `source`; the clock's own begins now.
    #[must_use]
    pub fn new(source: Arc<dyn TimeSource>) -> Self {
        let start = source.monotonic();
        Self { source, start }
    }

    /// Now, for durations and deadlines.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.source.monotonic()
    }

    /// The time of day.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.source.wall()
    }

    /// Whole seconds of the time of day since 1970; 0 before.
    #[must_use]
    pub fn unix_seconds(&self) -> u64 {
        self.wall().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// How long the clock has run.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now().saturating_duration_since(self.start)
    }

    /// Milliseconds that the clock has run, from 1, so that 0 can stand for "never".
    #[must_use]
    pub fn millis(&self) -> u64 {
        whole(self.elapsed().as_millis()).saturating_add(1)
    }

    /// Nanoseconds that the clock has run.
    #[must_use]
    pub fn nanos(&self) -> u64 {
        whole(self.elapsed().as_nanos())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("elapsed", &self.elapsed()).finish()
    }
}

/// The most that 64 bits hold is 584 years of nanoseconds: longer than a process runs.
fn whole(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    struct Fake(Mutex<(Instant, SystemTime)>);

    impl TimeSource for Fake {
        fn monotonic(&self) -> Instant {
            self.0.lock().unwrap().0
        }

        fn wall(&self) -> SystemTime {
            self.0.lock().unwrap().1
        }
    }

    #[test]
    fn durations_follow_the_monotonic_time_and_dates_the_time_of_day() {
        let (begun, day) = (Instant::now(), UNIX_EPOCH + Duration::from_secs(86_400));
        let source = Arc::new(Fake(Mutex::new((begun, day))));
        let clock = Clock::new(Arc::clone(&source) as Arc<dyn TimeSource>);
        assert_eq!((clock.millis(), clock.nanos(), clock.unix_seconds()), (1, 0, 86_400));
        // The time of day is set back by more than there is, and two milliseconds pass.
        *source.0.lock().unwrap() = (begun + Duration::from_millis(2), UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!((clock.millis(), clock.nanos(), clock.unix_seconds()), (3, 2_000_000, 0));
        assert_eq!(clock.now(), begun + Duration::from_millis(2));
    }
}
