//! Times and lengths of time. Fields of a time are those of the proleptic Gregorian calendar in UTC or in a zone;
//! zones of the IANA database are the ones that are compiled in, so results do not depend on the machine.

mod local;
mod text;
mod zone;

pub(super) use text::{duration_text, timestamp_text};

use local::{Local, SECOND};

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
