//! Constants of lowered expressions.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::slot::Type;
use super::time::{Instant, Span};

/// A constant of a scalar type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Literal {
    /// A UTF-8 string (CEL `string`).
    Text(String),
    /// A 64-bit signed integer (CEL `int`); written as text since JSON numbers are exact up to 2^53 only.
    #[serde(with = "int_as_text")]
    Int(i64),
    /// A truth value (CEL `bool`).
    Bool(bool),
    /// A point in time (CEL `timestamp`).
    Time(Instant),
    /// A length of time (CEL `duration`).
    Span(Span),
    /// An IP address; never an IPv4 address written as IPv6.
    Ip(IpAddr),
}

impl Literal {
    /// The type of the constant.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Text(_) => Type::Text,
            Self::Int(_) => Type::Int,
            Self::Bool(_) => Type::Bool,
            Self::Time(_) => Type::Time,
            Self::Span(_) => Type::Span,
            Self::Ip(_) => Type::Ip,
        }
    }

    /// True if the value lies in the range of its type.
    pub(super) fn in_range(&self) -> bool {
        match self {
            Self::Text(_) | Self::Int(_) | Self::Bool(_) => true,
            Self::Time(time) => time.in_range(),
            Self::Span(span) => span.in_range(),
            Self::Ip(ip) => super::net::is_plain(*ip),
        }
    }
}

/// A text as it is written in an expression: in double quotes, with the escapes of CEL, and no character that moves a
/// cursor.
#[must_use]
pub fn text_literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Serialises integers as text, for those past 2^53, which JSON numbers do not carry (RFC 8259 section 6).
pub(super) mod int_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(in super::super) fn serialize<S: Serializer>(value: &i64, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<i64, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_in_expressions() {
        assert_eq!(text_literal("a\"\\é\n\u{7}\u{85}"), "\"a\\\"\\\\é\\n\\u0007\\u0085\"");
    }
}
