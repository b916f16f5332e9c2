//! Request and response heads.

use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use http::{Method, StatusCode, Version};

/// The head of a request, between the listener and the upstream.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method; any token is one.
    pub method: Method,
    /// What is asked for.
    pub target: Target,
    /// The version in which the request arrived.
    pub version: Version,
    /// The fields, in the order of their arrival; `host` is not among them once the gate has passed the head.
    pub headers: Headers,
}

/// A request target, in parts.
#[derive(Clone, Debug)]
pub struct Target {
    /// The scheme of the connection, or the one that an absolute-form target named.
    pub scheme: Scheme,
    /// `:authority`, the authority of an absolute-form target, or (after the gate) the `Host` field.
    pub authority: Option<Authority>,
    /// Path and query as they arrived; `*` for `OPTIONS *`; `None` for `CONNECT`.
    pub path: Option<PathAndQuery>,
}

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The scheme's name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Head {
    /// Path and query as they arrived, or `/` where the target has none.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        self.target.path.as_ref().map_or("/", PathAndQuery::as_str)
    }

    /// Whether this is a gRPC call, by its content type
    /// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, "Content-Type").
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        self.headers.get(&http::header::CONTENT_TYPE).is_some_and(|value| is_grpc_type(value.as_bytes()))
    }
}

fn is_grpc_type(value: &[u8]) -> bool {
    value
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ' | b'\t')))
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The status code.
    pub status: StatusCode,
    /// The fields, in the order of their arrival.
    pub headers: Headers,
}

impl ResponseHead {
    /// A head with a status and no fields.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: Headers::default() }
    }
}

/// Header fields in order, each line for itself. Names are in lower case.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// Room for `capacity` fields.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> + Clone {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The first line of a name.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.0.iter().find_map(|(n, v)| (n == name).then_some(v))
    }

    /// All lines of a name, in order.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a HeaderValue> + Clone {
        self.0.iter().filter_map(move |(n, v)| (n == name).then_some(v))
    }

    /// Whether a line of this name exists.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Adds a line at the end.
    pub fn append(&mut self, name: HeaderName, value: HeaderValue) {
        self.0.push((name, value));
    }

    /// Makes `value` the only line of `name`, in the place of the first one if there is one.
    pub fn set(&mut self, name: HeaderName, value: HeaderValue) {
        let mut pending = Some(value);
        self.0.retain_mut(|(n, v)| {
            if *n != name {
                return true;
            }
            match pending.take() {
                Some(new) => {
                    *v = new;
                    true
                }
                None => false,
            }
        });
        if let Some(value) = pending {
            self.0.push((name, value));
        }
    }

    /// Removes every line of a name; says whether there was one.
    pub fn remove(&mut self, name: &HeaderName) -> bool {
        let before = self.0.len();
        self.0.retain(|(n, _)| n != name);
        self.0.len() != before
    }

    /// Keeps the lines for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&HeaderName, &HeaderValue) -> bool) {
        self.0.retain(|(n, v)| keep(n, v));
    }

    /// The lines, given away.
    pub fn into_lines(self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{ACCEPT, COOKIE, VIA};

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn set_replaces_all_lines_in_place_of_the_first() {
        let mut headers = Headers::default();
        headers.append(COOKIE, value("a"));
        headers.append(VIA, value("x"));
        headers.append(COOKIE, value("b"));
        headers.set(COOKIE, value("c"));
        headers.set(ACCEPT, value("*/*"));
        let lines: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(lines, [("cookie", "c"), ("via", "x"), ("accept", "*/*")]);
    }

    #[test]
    fn remove_takes_every_line() {
        let mut headers = Headers::default();
        headers.append(COOKIE, value("a"));
        headers.append(COOKIE, value("b"));
        assert!(headers.remove(&COOKIE));
        assert!(!headers.remove(&COOKIE));
        assert!(headers.is_empty());
    }

    #[test]
    fn grpc_is_known_by_its_type_and_no_other() {
        assert!(is_grpc_type(b"application/grpc"));
        assert!(is_grpc_type(b"application/grpc+proto"));
        assert!(is_grpc_type(b"application/grpc;charset=utf-8"));
        assert!(!is_grpc_type(b"application/grpc-web"));
        assert!(!is_grpc_type(b"application/json"));
    }
}
