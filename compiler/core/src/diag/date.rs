//! A calendar date. Today's date is always an input.

use mesh_bundle::calendar::{date_of_day, day_of_date};

use super::Severity;

/// A day of the proleptic Gregorian calendar, years 0000 to 9999; ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day, if the calendar has it.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (year <= 9999 && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`, nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shape = |(i, b): (usize, &u8)| {
            if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() }
        };
        if bytes.len() != 10 || !bytes.iter().enumerate().all(shape) {
            return None;
        }
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// The day of a time in Unix seconds, in UTC; `None` outside of these years.
    pub fn of_unix(seconds: i64) -> Option<Self> {
        let (year, month, day) = date_of_day(seconds.div_euclid(86_400));
        Self::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// Days since 1970-01-01, negative before it.
    pub fn days(self) -> i64 {
        day_of_date(self.year.into(), self.month.into(), self.day.into())
    }

    /// Year, month (1 to 12), day (1 to 31).
    pub fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The day of a check, and what it is to what has ended by then: suppressions and waivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckDay {
    /// The day; without one nothing has ended.
    pub date: Option<Date>,
    /// What has ended holds on and is said in a note: for those who ask what runs, not whether it may go on.
    pub lenient: bool,
}

impl CheckDay {
    /// The severity of what has ended, if something that lasts until `until` has.
    #[must_use]
    pub fn ended(self, until: Date) -> Option<Severity> {
        let ended = self.date.is_some_and(|date| until < date);
        ended.then_some(if self.lenient { Severity::Note } else { Severity::Error })
    }

    /// Whether something that lasts until `until` holds.
    #[must_use]
    pub fn holds(self, until: Date) -> bool {
        self.lenient || self.ended(until).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let days = |text: &str| Date::parse(text).map(Date::days);
        for (date, expected) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-03-01", 11_017),
            ("2024-02-29", 19_782),
            ("2036-12-31", 24_471),
            ("0000-01-01", -719_528),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(days(date), Some(expected), "{date}");
        }
    }

    #[test]
    fn seconds_have_a_day_in_utc() {
        let shown = |seconds| Date::of_unix(seconds).map(|d| d.to_string());
        assert_eq!(shown(0).as_deref(), Some("1970-01-01"));
        assert_eq!(shown(-1).as_deref(), Some("1969-12-31"));
        assert_eq!(shown(951_782_400).as_deref(), Some("2000-02-29"));
        assert_eq!(shown(1_798_675_199).as_deref(), Some("2026-12-30"));
        assert_eq!((shown(i64::MAX), shown(i64::MIN)), (None, None));
    }

    #[test]
    fn only_days_that_exist() {
        for good in ["2026-12-31", "2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(good).map(|d| d.to_string()).as_deref(), Some(good));
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "26-01-01",
            "2026-1-01",
            "+026-01-01",
            "",
        ] {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
    }
}
