//! Meaning of an unquoted text: the YAML 1.2.2 core schema (section 10.3.2).

use super::{Style, Text, Value};

/// Value of an unquoted text, or the reason that it is refused.
pub(super) enum Resolved {
    Value(Value),
    /// An infinite number or none.
    NotFinite,
    /// `0777`: decimal by YAML 1.2, octal by YAML 1.1 and C. Refused rather than guessed.
    LeadingZero,
}

pub(super) fn plain(text: &str) -> Resolved {
    use Resolved::Value as V;
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return V(Value::Null),
        "true" | "True" | "TRUE" => return V(Value::Bool(true)),
        "false" | "False" | "FALSE" => return V(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let first = unsigned.bytes().next().unwrap_or(b' ');
    if (first.is_ascii_digit() || first == b'.')
        && let Some(number) = number(text, unsigned)
    {
        return number;
    }
    V(Value::Text(Text { text: text.into(), style: Style::Plain }))
}

fn number(text: &str, unsigned: &str) -> Option<Resolved> {
    use Resolved::Value as V;
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Resolved::NotFinite);
    }
    let radix = |digits: &str, radix: u32| {
        (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
            .then(|| i64::from_str_radix(digits, radix).map_or(Value::BigInt(f64::MAX), Value::Int))
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8).map(V);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16).map(V);
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return Some(Resolved::LeadingZero);
        }
        return match text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
            Ok(i) => Some(V(Value::Int(i))),
            Err(_) => Some(finite(text).map_or(Resolved::NotFinite, |f| V(Value::BigInt(f)))),
        };
    }
    is_float(unsigned).then(|| finite(text).map_or(Resolved::NotFinite, |f| V(Value::Float(f))))
}

fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|f| f.is_finite())
}

/// Matches the core schema's `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['-', '+']).unwrap_or(e))),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_schema_and_nothing_of_yaml_1_1() {
        let value = |text: &str| match plain(text) {
            Resolved::Value(v) => v,
            _ => panic!("{text} is refused"),
        };
        for text in [
            "no",
            "yes",
            "on",
            "off",
            "y",
            "n",
            "1:30",
            "1_000",
            "2026-12-31",
            "1.2.3",
            "-",
            ".",
            "+",
            "e5",
            "0o8",
            "v1",
            "10%",
            "50/s",
        ] {
            assert!(matches!(value(text), Value::Text(_)), "{text}");
        }
        assert_eq!(value("-12"), Value::Int(-12));
        assert_eq!(value("+12"), Value::Int(12));
        assert_eq!(value("0o17"), Value::Int(15));
        assert_eq!(value("0x1F"), Value::Int(31));
        assert_eq!(value("1.10"), Value::Float(1.1));
        assert_eq!(value("1e3"), Value::Float(1000.0));
        assert!(matches!(value("18446744073709551616"), Value::BigInt(_)));
        for text in [".inf", "-.inf", ".nan", "1e999"] {
            assert!(matches!(plain(text), Resolved::NotFinite), "{text}");
        }
        assert!(matches!(plain("0777"), Resolved::LeadingZero));
    }
}
