//! Times and lengths of time. Fields of a time are those of the proleptic Gregorian calendar in UTC or in a zone;
//! zones of the IANA database are the ones that are compiled in, so results do not depend on the machine.

mod text;
mod zone;

pub(super) use text::{duration_text, timestamp_text};

use super::operator::{duration, timestamp};
use super::{Fault, Function, Value, no_overload};

/// A row for a field of times, and of durations where they have it.
macro_rules! field {
    ($name:literal, $what:literal, $of_time:expr) => {
        Function {
            name: $name,
            signatures: &[
                concat!("timestamp.", $name, "() -> int"),
                concat!("timestamp.", $name, "(string) -> int"),
            ],
            doc: concat!(
                $what,
                ", in UTC or in the zone that is said: `Europe/Berlin`, `+02:00`. An error for other zones."
            ),
            call: |arguments| match arguments {
                [Value::Timestamp(_)] | [Value::Timestamp(_), Value::String(_)] => {
                    of_time(arguments, $of_time)
                }
                _ => Err(no_overload($name, arguments)),
            },
        }
    };
    ($name:literal, $what:literal, $of_time:expr, $what_else:literal, $of_duration:expr) => {
        Function {
            name: $name,
            signatures: &[
                concat!("timestamp.", $name, "() -> int"),
                concat!("timestamp.", $name, "(string) -> int"),
                concat!("duration.", $name, "() -> int"),
            ],
            doc: concat!(
                $what,
                ", in UTC or in the zone that is said: `Europe/Berlin`, `+02:00`; or ",
                $what_else,
                ". An error for other zones."
            ),
            call: |arguments| match arguments {
                [Value::Duration(nanos)] => of_duration(*nanos, $of_duration),
                [Value::Timestamp(_)] | [Value::Timestamp(_), Value::String(_)] => {
                    of_time(arguments, $of_time)
                }
                _ => Err(no_overload($name, arguments)),
            },
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "timestamp",
        signatures: &[
            "timestamp(timestamp) -> timestamp",
            "timestamp(string) -> timestamp",
            "timestamp(int) -> timestamp",
        ],
        doc: "A time, from a text of RFC 3339 (`2026-01-31T08:00:00Z`) or from seconds since 1970. An error for other texts and outside of the years 0001 to 9999.",
        call: |arguments| match arguments {
            [Value::Timestamp(nanos)] => Ok(Value::Timestamp(*nanos)),
            [Value::String(text)] => timestamp(text::timestamp(text)?),
            [Value::Int(seconds)] => timestamp(i128::from(*seconds) * SECOND),
            _ => Err(no_overload("timestamp", arguments)),
        },
    },
    Function {
        name: "duration",
        signatures: &["duration(duration) -> duration", "duration(string) -> duration"],
        doc: "A length of time from numbers with units: `1h30m`, `-1.5s`, `250ms`; units are h, m, s, ms, us and ns. An error for other texts and beyond about 292 years.",
        call: |arguments| match arguments {
            [Value::Duration(nanos)] => Ok(Value::Duration(*nanos)),
            [Value::String(text)] => duration(text::duration(text)?),
            _ => Err(no_overload("duration", arguments)),
        },
    },
    field!("getFullYear", "The year", |local| local.year),
    field!("getMonth", "The month, 0 for January", |local| local.month - 1),
    field!("getDate", "The day of the month, 1 for the first", |local| local.day),
    field!("getDayOfMonth", "The day of the month, 0 for the first", |local| local.day - 1),
    field!("getDayOfWeek", "The day of the week, 0 for Sunday", |local| local.weekday),
    field!("getDayOfYear", "The day of the year, 0 for the first of January", |local| local.day_of_year),
    field!(
        "getHours",
        "The hour, 0 to 23",
        |local| local.seconds / 3600,
        "all hours of a duration",
        |nanos| nanos / (3600 * SECOND)
    ),
    field!(
        "getMinutes",
        "The minute, 0 to 59",
        |local| local.seconds / 60 % 60,
        "all minutes of a duration",
        |nanos| nanos / (60 * SECOND)
    ),
    field!(
        "getSeconds",
        "The second, 0 to 59",
        |local| local.seconds % 60,
        "all seconds of a duration",
        |nanos| nanos / SECOND
    ),
    field!(
        "getMilliseconds",
        "The milliseconds of the second, 0 to 999",
        |local| local.nanos / 1_000_000,
        "those of a duration beside its seconds",
        |nanos| nanos % SECOND / 1_000_000
    ),
];

/// One second in nanoseconds.
const SECOND: i128 = 1_000_000_000;

fn of_time(arguments: &[Value], field: fn(&Local) -> i64) -> Result<Value, Fault> {
    let (nanos, offset) = match arguments {
        [Value::Timestamp(nanos)] => (*nanos, 0),
        [Value::Timestamp(nanos), Value::String(zone)] => (*nanos, zone::offset(zone, *nanos)?),
        _ => return Err(no_overload("a field of a time", arguments)),
    };
    Ok(Value::Int(field(&Local::new(nanos, offset)?)))
}

fn of_duration(nanos: i128, field: fn(i128) -> i128) -> Result<Value, Fault> {
    i64::try_from(field(nanos)).map(Value::Int).map_err(|_| Fault::Overflow)
}

/// A time as the clocks and calendars of one place show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Local {
    year: i64,
    /// 1 to 12
    month: i64,
    /// 1 to 31
    day: i64,
    /// 0 to 6, Sunday is 0
    weekday: i64,
    /// 0 to 365
    day_of_year: i64,
    /// Seconds since midnight.
    seconds: i64,
    /// Nanoseconds of the second.
    nanos: i64,
}

/// One day in seconds.
const DAY: i64 = 86_400;

impl Local {
    /// `nanos` since 1970 in UTC, `offset` in seconds east of it.
    fn new(nanos: i128, offset: i64) -> Result<Self, Fault> {
        let whole = i64::try_from(nanos.div_euclid(SECOND)).map_err(|_| Fault::Overflow)?;
        let fraction = i64::try_from(nanos.rem_euclid(SECOND)).map_err(|_| Fault::Overflow)?;
        let local = whole.checked_add(offset).ok_or(Fault::Overflow)?;
        let days = local.div_euclid(DAY);
        let (year, month, day) = date(days);
        Ok(Self {
            year,
            month,
            day,
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - days_before(year, 1, 1),
            seconds: local.rem_euclid(DAY),
            nanos: fraction,
        })
    }
}

/// Days of four hundred years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01: years that begin in March have their leap day last.
const MARCH: i64 = 719_468;

/// The year, month and day of a day, in days since 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let since = days + MARCH;
    let era = since.div_euclid(ERA);
    let day_of_era = since.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to a date that the calendar has.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - MARCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_that_of_dates() {
        let (mut year, mut month, mut day) = (1, 1, 1);
        for days in days_before(1, 1, 1)..=days_before(9999, 12, 31) {
            assert_eq!((date(days), days_before(year, month, day)), ((year, month, day), days));
            (year, month, day) = [(year, month, day + 1), (year, month + 1, 1), (year + 1, 1, 1)]
                .into_iter()
                .find(|(y, m, d)| {
                    let number = |n: &i64| u16::try_from(*n).unwrap();
                    let small = |n: &i64| u8::try_from(*n).unwrap();
                    *y > 9999 || crate::diag::Date::new(number(y), small(m), small(d)).is_some()
                })
                .unwrap();
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }
}
