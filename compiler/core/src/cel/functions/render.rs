//! Values as text.

use super::{Fault, Value, net, time, unit};

/// The text of a value that has one way to be written. `None` for doubles, which `string` and `format` write in
/// ways of their own, and for lists, maps, optionals, null and types.
///
/// # Errors
/// [`Fault::Invalid`] for bytes that are not UTF-8.
pub(super) fn scalar(value: &Value) -> Result<Option<String>, Fault> {
    Ok(Some(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::String(text) => text.to_string(),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => return Err(Fault::Invalid("the bytes are not UTF-8".into())),
        },
        Value::Timestamp(nanos) => time::timestamp_text(*nanos),
        Value::Duration(nanos) => time::duration_text(*nanos),
        Value::Ip(ip) => ip.to_string(),
        Value::Cidr(ip, length) => net::cidr_text(*ip, *length),
        Value::Url(url) => url.to_string(),
        Value::Semver(version) => version.to_string(),
        Value::Quantity(unit, amount) => unit::text(*unit, *amount),
        Value::Double(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Optional(_)
        | Value::Null
        | Value::Type(_) => return Ok(None),
    }))
}

/// A double in its fewest digits, with an exponent where it is below -4 or above 5: `123.456`, `1e+06`. So do other
/// implementations write `string(double)`.
pub(super) fn general(value: f64) -> String {
    if !value.is_finite() {
        return match value {
            value if value.is_nan() => "NaN".into(),
            value if value > 0.0 => "+Inf".into(),
            _ => "-Inf".into(),
        };
    }
    let short = format!("{value:e}");
    match short.split_once('e') {
        Some((digits, exponent)) => match exponent.parse::<i32>() {
            Ok(exponent) if !(-4..=5).contains(&exponent) => with_exponent(digits, exponent),
            _ => value.to_string(),
        },
        None => short,
    }
}

/// A double in its fewest digits without an exponent: `1000000`.
pub(super) fn plain(value: f64) -> String {
    not_finite(value).unwrap_or_else(|| value.to_string())
}

/// A double with this many digits after its point: `2.718280`. Ties go to the even digit.
pub(super) fn fixed(value: f64, precision: usize) -> String {
    not_finite(value).unwrap_or_else(|| format!("{value:.precision$}"))
}

/// A double with an exponent and this many digits after its point: `2.718280e+00`.
pub(super) fn scientific(value: f64, precision: usize) -> String {
    not_finite(value).unwrap_or_else(|| {
        let text = format!("{value:.precision$e}");
        match text.split_once('e').and_then(|(digits, exponent)| Some((digits, exponent.parse().ok()?))) {
            Some((digits, exponent)) => with_exponent(digits, exponent),
            None => text,
        }
    })
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

fn not_finite(value: f64) -> Option<String> {
    let text = match value {
        value if value.is_nan() => "NaN",
        value if value == f64::INFINITY => "Infinity",
        value if value == f64::NEG_INFINITY => "-Infinity",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_elsewhere() {
        for (value, general_text, plain_text) in [
            (123.456, "123.456", "123.456"),
            (-4.5e-3, "-0.0045", "-0.0045"),
            (1e-4, "0.0001", "0.0001"),
            (1e-5, "1e-05", "0.00001"),
            (100_000.0, "100000", "100000"),
            (1e6, "1e+06", "1000000"),
            (1_234_567.0, "1.234567e+06", "1234567"),
            (6.022_14e23, "6.02214e+23", "602214000000000000000000"),
            (1e100, "1e+100", &format!("1{}", "0".repeat(100))),
            (-0.0, "-0", "-0"),
            (f64::NAN, "NaN", "NaN"),
            (f64::INFINITY, "+Inf", "Infinity"),
            (f64::NEG_INFINITY, "-Inf", "-Infinity"),
        ] {
            assert_eq!(
                (general(value).as_str(), plain(value).as_str()),
                (general_text, plain_text),
                "{value}"
            );
        }
        assert_eq!(scientific(-1234.5, 2), "-1.23e+03");
        assert_eq!((fixed(2.5, 0).as_str(), fixed(3.5, 0).as_str()), ("2", "4"));
    }
}
