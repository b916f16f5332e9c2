//! Values of headers, query parameters and cookies, as rules read them.
//!
//! A name that came in more than one line, or more than once, has no single value: reading it
//! is [`Value::Repeated`], the one run-time error of a checked rule.

use std::borrow::Cow;

use mesh_bundle::limits;

use crate::request::{Fields, Request, Sole};
use crate::text::{self, Text};

/// The result of reading a place of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// The place has no value.
    Absent,
    /// The place has one value.
    One(Cow<'a, str>),
    /// The place has more than one value, or one that is not text.
    Repeated,
}

/// Reads one header.
#[must_use]
pub fn header<'a>(headers: &'a dyn Fields, name: &str) -> Value<'a> {
    match headers.sole(name) {
        Sole::Absent => Value::Absent,
        Sole::One(value) => {
            std::str::from_utf8(value).map_or(Value::Repeated, |v| Value::One(Cow::Borrowed(v)))
        }
        Sole::Several => Value::Repeated,
    }
}

/// True if the header is there at least once.
#[must_use]
pub fn has_header(headers: &dyn Fields, name: &str) -> bool {
    headers.nth(name, 0).is_some()
}

/// Reads one query parameter, percent-decoded, `+` a space (the form encoding of the URL standard).
#[must_use]
pub fn query<'a>(query: &'a str, name: &str) -> Value<'a> {
    let mut values = query_values(query, name);
    match (values.next(), values.next()) {
        (None, _) => Value::Absent,
        (Some(value), None) => Text::decoding(value).map_or(Value::Repeated, |v| Value::One(v.into_text())),
        (Some(_), Some(_)) => Value::Repeated,
    }
}

/// True if the parameter is there at least once.
#[must_use]
pub fn has_query(query: &str, name: &str) -> bool {
    query_values(query, name).next().is_some()
}

/// Every value of a parameter as it came, not decoded.
pub(crate) fn query_values<'a>(query: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    parameters(query).filter(move |(key, _)| text::decodes_to(key, name)).map(|(_, value)| value)
}

/// True if every escape of the query is whole; otherwise the request is answered 400 wherever a
/// rule reads the query.
#[must_use]
pub fn query_is_sound(query: &str) -> bool {
    parameters(query).all(|(key, value)| Text::decoding(key).is_some() && Text::decoding(value).is_some())
}

/// Reads one cookie (RFC 6265 section 5.4, all `cookie` lines together as RFC 9113 section 8.2.3 allows).
#[must_use]
pub fn cookie<'a>(headers: &'a dyn Fields, name: &str) -> Value<'a> {
    let mut found = Value::Absent;
    each_cookie(headers, name, &mut |value| {
        found = if found == Value::Absent { Value::One(Cow::Borrowed(value)) } else { Value::Repeated };
        found != Value::Repeated
    });
    found
}

/// True if the cookie is there at least once.
#[must_use]
pub fn has_cookie(headers: &dyn Fields, name: &str) -> bool {
    let mut found = false;
    each_cookie(headers, name, &mut |_| {
        found = true;
        false
    });
    found
}

/// Calls `visit` with every value of a cookie until it says false. Lines that are no text were refused before
/// ([`is_excessive`]).
pub(crate) fn each_cookie<'a>(headers: &'a dyn Fields, name: &str, visit: &mut dyn FnMut(&'a str) -> bool) {
    let mut left = limits::COOKIES;
    headers.every("cookie", &mut |line| {
        let Ok(line) = std::str::from_utf8(line) else { return true };
        for pair in line.split(';') {
            let Some((key, value)) = pair.trim_matches([' ', '\t']).split_once('=') else { continue };
            let Some(rest) = left.checked_sub(1) else { return false };
            left = rest;
            if key == name && !visit(value) {
                return false;
            }
        }
        true
    });
}

/// True for a request with more query parameters or cookies than rules can see, with parameters that are longer, or with
/// cookies that are no text: what a rule cannot see must not reach the service behind it.
#[must_use]
pub fn is_excessive(request: &Request<'_>) -> bool {
    let parameters = request.query.split('&').filter(|pair| !pair.is_empty());
    let lines = || (0..limits::HEADER_LINES).map_while(|n| request.headers.nth("cookie", n));
    let cookies = lines().map(|line| line.split(|b| *b == b';').count()).sum::<usize>();
    let long = |pair: &str| pair.len() > limits::VALUE_BYTES;
    parameters.clone().take(limits::QUERY_PARAMETERS + 1).count() > limits::QUERY_PARAMETERS
        || (request.query.len() > limits::VALUE_BYTES && parameters.clone().any(long))
        || cookies > limits::COOKIES
        || lines().any(|line| std::str::from_utf8(line).is_err())
}

/// The body size that a request declares, at most [`limits::MAX_SAFE_INTEGER`], so that sums with it stay in range.
#[must_use]
pub fn size(request: &Request<'_>) -> i64 {
    let most = limits::MAX_SAFE_INTEGER;
    request.size.and_then(|size| i64::try_from(size.min(most)).ok()).unwrap_or(0)
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(limits::QUERY_PARAMETERS);
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Value<'_> {
        Value::One(Cow::Borrowed(text))
    }

    #[test]
    fn a_repeated_header_has_no_value() {
        let headers = vec![("x", "1"), ("y", "a,b"), ("x", "2")];
        assert_eq!(header(&headers, "x"), Value::Repeated);
        assert_eq!(header(&headers, "y"), one("a,b"));
        assert_eq!(header(&headers, "z"), Value::Absent);
        assert!(has_header(&headers, "x"));
    }

    #[test]
    fn query_parameters_are_decoded() {
        assert_eq!(query("a=1&b=x%20y+z", "b"), one("x y z"));
        assert_eq!(query("a=1&a=2", "a"), Value::Repeated);
        assert_eq!(query("%61=1", "a"), one("1"));
        assert_eq!(query("a", "a"), one(""));
        assert_eq!(query("a=%zz", "a"), Value::Repeated);
        assert!(!query_is_sound("a=%zz") && query_is_sound("a=%20&b"));
        assert_eq!(query("", "a"), Value::Absent);
    }

    #[test]
    fn what_rules_cannot_see_is_excessive() {
        let excessive = |query: &str, cookie: &[u8]| {
            let headers = vec![("cookie", cookie)];
            let request = Request {
                method: "GET",
                scheme: "http",
                host: "a",
                path: "/",
                query,
                headers: &headers,
                size: None,
                source: crate::Source::default(),
                connection: crate::Connection::default(),
                now: mesh_bundle::expr::Instant::default(),
                picks: &0,
            };
            is_excessive(&request)
        };
        assert!(!excessive(&"a&".repeat(100), b"a=1"));
        assert!(excessive(&"a&".repeat(101), b"a=1"));
        assert!(excessive("", "a=1;".repeat(65).as_bytes()));
        assert!(excessive("", b"role=x; y=\xff"));
    }

    #[test]
    fn cookies_come_from_all_lines() {
        let headers = vec![("cookie", "a=1; b=2"), ("cookie", "c=3; a=4")];
        assert_eq!(cookie(&headers, "b"), one("2"));
        assert_eq!(cookie(&headers, "c"), one("3"));
        assert_eq!(cookie(&headers, "a"), Value::Repeated);
    }
}
