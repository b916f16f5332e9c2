//! Time as CEL knows it: timestamps from year 1 to 9999 and lengths of time, both to the nanosecond.
//!
//! Neither fits 64 bits in nanoseconds, so both are whole seconds and a part that counts
//! upwards from them; the derived order is the order in time.

use serde::{Deserialize, Serialize};

use crate::calendar::{date_of_day, day_of_date};

/// Nanoseconds of a second.
const SECOND: u32 = 1_000_000_000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// The first second of year 1, and the last of year 9999 (CEL's language definition, "Timestamps").
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
/// Most seconds of a length of time, either way (the same; that of `google.protobuf.Duration`).
const LONGEST: i64 = 315_576_000_000;

/// A point in time. In range both fields are exact as JSON numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instant {
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub seconds: i64,
    /// Nanoseconds after them, below 10⁹.
    pub nanos: u32,
}

/// A length of time, positive or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Whole seconds, rounded down: minus half a second is -1 and 500,000,000 ns.
    pub seconds: i64,
    /// Nanoseconds after them, below 10⁹.
    pub nanos: u32,
}

/// A part of a timestamp, as CEL's `get...` functions count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// `getHours`: 0 to 23
    Hours,
    /// `getMinutes`: 0 to 59
    Minutes,
    /// `getSeconds`: 0 to 59
    Seconds,
    /// `getMilliseconds`: 0 to 999
    Milliseconds,
    /// `getDate`: day of the month from 1
    Date,
    /// `getDayOfMonth`: day of the month from 0
    DayOfMonth,
    /// `getMonth`: from 0
    Month,
    /// `getDayOfWeek`: from 0, Sunday
    DayOfWeek,
    /// `getDayOfYear`: from 0
    DayOfYear,
    /// `getFullYear`
    FullYear,
}

impl Instant {
    /// Most seconds that a fixed offset from UTC has, either way: a day.
    pub const OFFSET: i32 = 86_400;

    /// A point in time; `None` out of CEL's range, or with 10⁹ nanoseconds and more.
    #[must_use]
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        Some(Self { seconds, nanos }).filter(Self::in_range)
    }

    pub(super) fn in_range(&self) -> bool {
        (FIRST..=LAST).contains(&self.seconds) && self.nanos < SECOND
    }

    /// `time + span`; `None` out of range.
    #[must_use]
    pub fn plus(self, span: Span) -> Option<Self> {
        let (seconds, nanos) = add((self.seconds, self.nanos), (span.seconds, span.nanos))?;
        Self::new(seconds, nanos)
    }

    /// `time - span`; `None` out of range.
    #[must_use]
    pub fn minus(self, span: Span) -> Option<Self> {
        let (seconds, nanos) = subtract((self.seconds, self.nanos), (span.seconds, span.nanos))?;
        Self::new(seconds, nanos)
    }

    /// `time - time`; `None` out of range.
    #[must_use]
    pub fn since(self, other: Self) -> Option<Span> {
        let (seconds, nanos) = subtract((self.seconds, self.nanos), (other.seconds, other.nanos))?;
        Span::new(seconds, nanos)
    }

    /// A part of it, at a fixed offset from UTC in seconds.
    #[must_use]
    pub fn part(self, part: Part, offset: i32) -> i64 {
        let local = self.seconds.saturating_add(i64::from(offset));
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        match part {
            Part::Hours => second / 3_600,
            Part::Minutes => second / 60 % 60,
            Part::Seconds => second % 60,
            Part::Milliseconds => i64::from(self.nanos / 1_000_000),
            // 1970-01-01 was a Thursday.
            Part::DayOfWeek => (day.rem_euclid(7) + 4) % 7,
            Part::Date => date_of_day(day).2,
            Part::DayOfMonth => date_of_day(day).2 - 1,
            Part::Month => date_of_day(day).1 - 1,
            Part::FullYear => date_of_day(day).0,
            Part::DayOfYear => day - day_of_date(date_of_day(day).0, 1, 1),
        }
    }
}

impl Span {
    /// A length of time; `None` out of CEL's range, or with 10⁹ nanoseconds and more.
    #[must_use]
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        Some(Self { seconds, nanos }).filter(Self::in_range)
    }

    pub(super) fn in_range(&self) -> bool {
        (-LONGEST..=LONGEST).contains(&self.seconds) && self.nanos < SECOND
    }

    /// `span + span`; `None` out of range.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let (seconds, nanos) = add((self.seconds, self.nanos), (other.seconds, other.nanos))?;
        Self::new(seconds, nanos)
    }

    /// `span - span`; `None` out of range.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let (seconds, nanos) = subtract((self.seconds, self.nanos), (other.seconds, other.nanos))?;
        Self::new(seconds, nanos)
    }

    /// `-span`; `None` out of range.
    #[must_use]
    pub fn negated(self) -> Option<Self> {
        Self::default().minus(self)
    }
}

fn add(a: (i64, u32), b: (i64, u32)) -> Option<(i64, u32)> {
    let nanos = a.1.checked_add(b.1)?;
    Some((a.0.checked_add(b.0)?.checked_add(i64::from(nanos / SECOND))?, nanos % SECOND))
}

fn subtract(a: (i64, u32), b: (i64, u32)) -> Option<(i64, u32)> {
    let seconds = a.0.checked_sub(b.0)?;
    match a.1.checked_sub(b.1) {
        Some(nanos) => Some((seconds, nanos)),
        None => Some((seconds.checked_sub(1)?, a.1.checked_add(SECOND)?.checked_sub(b.1)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(seconds: i64, offset: i32) -> [i64; 10] {
        let all = [
            Part::FullYear,
            Part::Month,
            Part::Date,
            Part::DayOfMonth,
            Part::DayOfYear,
            Part::DayOfWeek,
            Part::Hours,
            Part::Minutes,
            Part::Seconds,
            Part::Milliseconds,
        ];
        let time = Instant::new(seconds, 123_456_789).unwrap();
        all.map(|part| time.part(part, offset))
    }

    /// Expected values by Python's `datetime`.
    #[test]
    fn parts_are_those_of_the_calendar() {
        assert_eq!(parts(0, 0), [1970, 0, 1, 0, 0, 4, 0, 0, 0, 123]);
        assert_eq!(parts(951_782_399, 0), [2000, 1, 28, 27, 58, 1, 23, 59, 59, 123]);
        assert_eq!(parts(951_782_400, 0), [2000, 1, 29, 28, 59, 2, 0, 0, 0, 123]);
        assert_eq!(parts(FIRST, 0), [1, 0, 1, 0, 0, 1, 0, 0, 0, 123]);
        assert_eq!(parts(LAST, 0), [9999, 11, 31, 30, 364, 5, 23, 59, 59, 123]);
        assert_eq!(parts(-1, 0), [1969, 11, 31, 30, 364, 3, 23, 59, 59, 123]);
        assert_eq!(parts(-1, 3_600), [1970, 0, 1, 0, 0, 4, 0, 59, 59, 123]);
        assert_eq!(parts(1_735_689_600, -1), [2024, 11, 31, 30, 365, 2, 23, 59, 59, 123]);
    }

    #[test]
    fn sums_carry_and_end_at_the_range() {
        let half = Span::new(0, 500_000_000).unwrap();
        let minus = half.negated().unwrap();
        assert_eq!(minus, Span { seconds: -1, nanos: 500_000_000 });
        assert_eq!(half.plus(half), Span::new(1, 0));
        assert_eq!(half.plus(minus), Span::new(0, 0));
        assert!(minus < Span::default() && Span::default() < half);
        let last = Instant::new(LAST, 999_999_999).unwrap();
        assert_eq!(last.plus(half), None);
        assert_eq!(last.minus(half).unwrap().plus(half), Some(last));
        assert_eq!(last.since(Instant::new(FIRST, 0).unwrap()).unwrap().seconds, LAST - FIRST);
        assert_eq!(Span::new(LONGEST, 0).unwrap().plus(Span::new(1, 0).unwrap()), None);
        assert_eq!(Instant::new(LAST + 1, 0), None);
        assert_eq!(Instant::new(0, SECOND), None);
    }
}
