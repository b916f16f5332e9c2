//! Numbers with bounds: ports, counts, statuses and the like.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::diag::{Diagnostic, codes, quoted};
use crate::source::{Node, Value};
use crate::spec::context::Cx;
use crate::spec::decode::Decode;
use crate::spec::view::Data;

use super::viewed;

/// A whole number within bounds, as a newtype.
macro_rules! whole {
    ($(#[doc = $doc:literal])* pub struct $Name:ident($int:ty) in $min:literal ..= $max:literal, $what:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name($int);

        impl $Name {
            /// The number, if it is within bounds.
            pub fn new(number: i64) -> Option<Self> {
                let bounds: std::ops::RangeInclusive<i64> = $min..=$max;
                <$int>::try_from(number).ok().filter(|_| bounds.contains(&number)).map(Self)
            }

            /// The number, or the bound that it is beyond.
            pub fn clamped(number: i64) -> Self {
                Self(<$int>::try_from(number.clamp($min, $max)).unwrap_or($min))
            }

            /// The number, within its bounds.
            pub fn get(self) -> $int {
                self.0
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        viewed!($Name: Int, |number| Data::Int(i64::from(number.0)));

        impl Decode for $Name {
            fn example() -> String {
                example($what).to_owned()
            }
            fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
                whole(node, $what, $min, $max, cx).and_then(Self::new)
            }
            fn schema(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $crate::spec::macros::prose(concat!($($doc, "\n"),*)),
                    "type": "integer",
                    "minimum": $min,
                    "maximum": $max,
                })
            }
        }
    };
}

/// A number with marks between its thousands.
fn ungrouped(text: &str) -> Option<i64> {
    let marks = |c| matches!(c, '_' | '\'' | ',' | ' ');
    let grouped =
        text.split(marks).skip(1).all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    if grouped && text.contains(marks) { text.replace(marks, "").parse().ok() } else { None }
}

/// The number that a text begins with.
fn leading(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// A usual number of the kind.
fn example(what: &str) -> &'static str {
    match what {
        "a port" => "8080",
        "a status" => "503",
        "the number of more tries" => "2",
        "a count" => "100",
        _ => "1",
    }
}

fn whole(node: &Node, what: &str, min: i64, max: i64, cx: &mut Cx<'_>) -> Option<i64> {
    match node.value {
        Value::Int(number) if (min..=max).contains(&number) => Some(number),
        Value::Int(_) | Value::BigInt(_) => {
            let message = format!("{} is out of range: {what} is {min} to {max}", quoted(cx.raw(node.span)));
            cx.report(Diagnostic::new(codes::OUT_OF_RANGE, node.span, message));
            None
        }
        Value::Float(_) => {
            let message = format!("{} is not a whole number", quoted(cx.raw(node.span)));
            cx.report(Diagnostic::new(codes::WRONG_TYPE, node.span, message).at(format!("expected {what}")));
            None
        }
        Value::Text(ref text) => {
            let finding = Diagnostic::new(
                codes::WRONG_TYPE,
                node.span,
                format!("expected {what}, found the text {}", quoted(&text.text)),
            );
            let number = text
                .text
                .parse::<i64>()
                .ok()
                .filter(|n| (min..=max).contains(n) && n.to_string() == *text.text);
            cx.report(match number {
                Some(number) => finding
                    .help(format!("write it without quotes: `{number}`"))
                    .fix(node.span, number.to_string()),
                None => match ungrouped(&text.text)
                    .or_else(|| leading(&text.text))
                    .filter(|n| (min..=max).contains(n))
                {
                    Some(number) => finding.help(format!("write the number alone: `{number}`")),
                    None => finding,
                },
            });
            number
        }
        _ => {
            let example = example(what);
            let instead = match node.as_seq() {
                Some([only]) if matches!(only.value, Value::Int(_)) => {
                    format!("write one number, without the list: `{}`", cx.raw(only.span))
                }
                _ => format!("write a number, as in `{example}`"),
            };
            cx.misfit(node, what, Some(instead), Some(example.to_owned()));
            None
        }
    }
}

whole! {
    /// A TCP port.
    pub struct Port(u16) in 1..=65535, "a port"
}
whole! {
    /// The version of the spec language.
    pub struct LanguageVersion(u16) in 1..=1, "the language version"
}
whole! {
    /// A number of things: connections, requests, events; at most a billion.
    pub struct Count(u32) in 1..=1_000_000_000, "a count"
}
whole! {
    /// A number of things that may be none; at most a billion.
    pub struct Count0(u32) in 0..=1_000_000_000, "a count"
}
whole! {
    /// More tries after the first one.
    pub struct Attempts(u8) in 1..=10, "the number of more tries"
}
whole! {
    /// A small number: approvals, history, thresholds.
    pub struct Small(u8) in 0..=100, "a small number"
}
whole! {
    /// The place of a Route among those of one gateway host; rising order is tried.
    pub struct Order(i32) in 0..=1_000_000, "an order"
}
whole! {
    /// An HTTP status that an answer may have.
    pub struct AnswerStatus(u16) in 200..=599, "a status"
}
whole! {
    /// A number of calls in a chain: 1 is a direct call.
    pub struct Hops(u8) in 1..=64, "a number of hops"
}
whole! {
    /// A stage of a canary: 0 is before the first, 1 the first.
    pub struct StageNumber(u8) in 0..=20, "a stage"
}
whole! {
    /// The number that a request draws where requests are shared out: of 10,000 in a row each has another one.
    pub struct PickNumber(u16) in 0..=9999, "a pick"
}

/// The status of a redirect (RFC 9110 section 15.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedirectStatus(u16);

const REDIRECTS: [i64; 5] = [301, 302, 303, 307, 308];

impl RedirectStatus {
    /// 302 Found (RFC 9110, 15.4.3).
    pub const FOUND: Self = Self(302);

    /// 301, 302, 303, 307 or 308.
    pub fn get(self) -> u16 {
        self.0
    }
}

viewed!(RedirectStatus: Int, |status| Data::Int(i64::from(status.0)));

impl Decode for RedirectStatus {
    fn example() -> String {
        "301".to_owned()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let number = whole(node, "the status of a redirect", 301, 308, cx)?;
        if !REDIRECTS.contains(&number) {
            let message = format!("`{number}` is not the status of a redirect");
            cx.report(
                Diagnostic::new(codes::OUT_OF_RANGE, node.span, message)
                    .help("possible: 301, 302, 303, 307, 308"),
            );
            return None;
        }
        u16::try_from(number).ok().map(Self)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": REDIRECTS })
    }
}

/// A number without a unit, not negative: a bound on the answer of a query.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Number(f64);

impl Number {
    /// The number; finite.
    pub fn get(self) -> f64 {
        self.0
    }
}

viewed!(Number: Double, |number| Data::Double(number.0));

impl Decode for Number {
    fn example() -> String {
        "10".to_owned()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let number = match node.value {
            Value::Int(number) => number as f64,
            Value::BigInt(number) | Value::Float(number) => number,
            _ => {
                cx.wrong_type(node, "a number");
                return None;
            }
        };
        if number < 0.0 {
            let message = format!("{} is negative", quoted(cx.raw(node.span)));
            cx.report(Diagnostic::new(codes::OUT_OF_RANGE, node.span, message));
            return None;
        }
        Some(Self(number))
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0 })
    }
}
