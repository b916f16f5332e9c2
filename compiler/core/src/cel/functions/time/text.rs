//! Times and lengths of time as text.

use mesh_bundle::calendar::day_of_date;

use super::local::{DAY, Local, SECOND};
use crate::cel::value::Fault;
use crate::diag::{Date, quoted};

/// Reads a time of RFC 3339, in nanoseconds since 1970; digits after the ninth of a fraction are dropped.
///
/// # Errors
/// [`Fault::Invalid`] for other texts, [`Fault::Overflow`] for years of more than four digits.
pub(super) fn timestamp(text: &str) -> Result<i128, Fault> {
    let wrong =
        || Fault::Invalid(format!("{} is not a time of RFC 3339 like `2026-01-31T08:00:00Z`", quoted(text)));
    let year_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if year_digits > 4 {
        return Err(Fault::Overflow);
    }
    read_timestamp(text).ok_or_else(wrong)
}

fn read_timestamp(text: &str) -> Option<i128> {
    let (date, time) = text.split_at_checked(10)?;
    let (year, month, day) = Date::parse(date)?.parts();
    let (clock, rest) = time.strip_prefix('T')?.split_at_checked(8)?;
    let seconds = three(clock)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, zone) = rest.split_at_checked(end)?;
            (Some(digits).filter(|digits| !digits.is_empty())?, zone)
        }
        None => ("", rest),
    };
    let offset = match zone {
        "Z" => 0,
        _ => {
            let east = match zone.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            east * (pair(hours, 23)? * 3600 + pair(minutes, 59)? * 60)
        }
    };
    let days = day_of_date(i64::from(year), i64::from(month), i64::from(day));
    let whole = i128::from(days * DAY + seconds - offset) * SECOND;
    Some(whole + nanos(fraction))
}

/// `23:59:59` in seconds.
fn three(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':');
    let seconds = pair(parts.next()?, 23)? * 3600 + pair(parts.next()?, 59)? * 60 + pair(parts.next()?, 59)?;
    parts.next().is_none().then_some(seconds)
}

/// Two digits up to a number.
pub(super) fn pair(text: &str, most: i64) -> Option<i64> {
    let two = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| two && *number <= most)
}

/// The digits after the point of a second.
fn nanos(digits: &str) -> i128 {
    (0..9).fold(0, |sum, i| sum * 10 + digits.as_bytes().get(i).map_or(0, |digit| i128::from(digit - b'0')))
}

/// A time as RFC 3339 writes it in UTC, with as many digits of a fraction as it has.
pub(in crate::cel::functions) fn timestamp_text(nanos: i128) -> String {
    match Local::new(nanos, 0) {
        Ok(local) => {
            let (hours, minutes, seconds) =
                (local.seconds / 3600, local.seconds / 60 % 60, local.seconds % 60);
            let fraction = fraction(local.nanos.unsigned_abs().into());
            format!(
                "{:04}-{:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}{fraction}Z",
                local.year, local.month, local.day
            )
        }
        // No value of the type is so far away.
        Err(_) => nanos.to_string(),
    }
}

/// A length of time in seconds: `8747s`, `-0.5s`.
pub(in crate::cel::functions) fn duration_text(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, rest) =
        (nanos.unsigned_abs() / SECOND.unsigned_abs(), nanos.unsigned_abs() % SECOND.unsigned_abs());
    format!("{sign}{whole}{}s", fraction(rest))
}

fn fraction(nanos: u128) -> String {
    let digits = format!("{nanos:09}");
    match digits.trim_end_matches('0') {
        "" => String::new(),
        digits => format!(".{digits}"),
    }
}

/// Units, in nanoseconds.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
];

/// Reads a length of time: a sign, then numbers with units; also `0`. What is less than a nanosecond is dropped.
///
/// # Errors
/// [`Fault::Invalid`] for other texts, [`Fault::Overflow`] for what no number of nanoseconds holds.
pub(super) fn duration(text: &str) -> Result<i128, Fault> {
    let wrong = || Fault::Invalid(format!("{} is not a duration like `1h30m` or `-1.5s`", quoted(text)));
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(wrong());
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end).ok_or_else(wrong)?;
        let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name).ok_or_else(wrong)?;
        let number = whole
            .bytes()
            .try_fold(0_i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')));
        let parts = number.and_then(|number| number.checked_mul(*unit)).ok_or(Fault::Overflow)?;
        total = total
            .checked_add(parts)
            .and_then(|sum| sum.checked_add(share(fraction, *unit)))
            .ok_or(Fault::Overflow)?;
        rest = after;
    }
    Ok(if negative { -total } else { total })
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or(("", text))
}

/// A decimal fraction of a unit; an hour has fewer than 10^13 nanoseconds, so 18 digits tell all.
fn share(fraction: &str, unit: i128) -> i128 {
    let (mut number, mut scale) = (0_i128, 1_i128);
    for digit in fraction.bytes().take(18) {
        number = number * 10 + i128::from(digit - b'0');
        scale *= 10;
    }
    number * unit / scale
}
