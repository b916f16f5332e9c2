//! An example request in parts that can still be changed.

use std::collections::BTreeMap;

use mesh_bundle::PathPattern;
use mesh_bundle::expr::Slot;
use mesh_bundle::path::Segment;
use mesh_bundle::program::SlashMode;
use mesh_bundle::selftest::{Caller, Example};
use mesh_decision::{host, path};

use super::callers::Callers;
use crate::sets::sample;

/// Value of places where anything may stand.
pub(super) const ANYTHING: &str = "x";

/// A request with query, cookies and path parameters apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch<'p> {
    pub(super) example: Example,
    query: BTreeMap<String, String>,
    cookies: BTreeMap<String, String>,
    pattern: Option<&'p PathPattern>,
    params: BTreeMap<String, String>,
}

impl<'p> Sketch<'p> {
    pub(super) fn new(host: &str, scheme: &str, source: Caller) -> Self {
        let host = host.to_owned();
        let example = Example { host, scheme: scheme.to_owned(), source, ..Example::default() };
        Self { example, ..Self::default() }
    }

    /// Gives the request a path that `pattern` takes; false where none is found.
    pub(super) fn take_path(&mut self, pattern: &'p PathPattern) -> bool {
        self.pattern = Some(pattern);
        self.params.clear();
        match pattern {
            PathPattern::Segments { .. } => {
                self.write_path();
                true
            }
            // The second path that it takes: the text alone is a neighbour.
            PathPattern::Prefix(text) => {
                self.example.path = format!("{text}{ANYTHING}");
                true
            }
            PathPattern::Regex(text) => match sample::likely(text) {
                Some(path) => {
                    self.example.path = path;
                    true
                }
                None => false,
            },
        }
    }

    /// Another path, whatever the pattern.
    pub(super) fn with_path(&self, path: String) -> Self {
        let mut other = self.clone();
        other.example.path = path;
        other
    }

    fn write_path(&mut self) {
        let Some(PathPattern::Segments { segments, below }) = self.pattern else { return };
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.push_str(match segment {
                Segment::Literal(text) => text,
                Segment::Param(name) => self.params.get(name).map_or(ANYTHING, String::as_str),
            });
        }
        if *below || path.is_empty() {
            path.push('/');
        }
        if *below {
            path.push_str(ANYTHING);
        }
        self.example.path = path;
    }

    /// The value of a place; `None` if there is none, or the example does not say.
    pub(super) fn get(&self, slot: &Slot) -> Option<&str> {
        let example = &self.example;
        match slot {
            Slot::Method => Some(&example.method),
            Slot::Path => Some(&example.path),
            Slot::Host if !example.host.is_empty() => Some(&example.host),
            Slot::Scheme => Some(&example.scheme),
            Slot::Header(name) => example.headers.get(name).map(String::as_str),
            Slot::Query(name) => self.query.get(name).map(String::as_str),
            Slot::Cookie(name) => self.cookies.get(name).map(String::as_str),
            Slot::Param(name) => self.params.get(name).map(String::as_str),
            Slot::Service => match &example.source {
                Caller::Service(name) => Some(name.as_str()),
                _ => None,
            },
            Slot::Ip if !example.ip.is_empty() => Some(&example.ip),
            _ => None,
        }
    }

    /// Puts a text at a place; false where that is not possible.
    pub(super) fn set(&mut self, slot: &Slot, value: &str, callers: &Callers<'_>) -> bool {
        let value = || value.to_owned();
        match slot {
            Slot::Method => self.example.method = value(),
            Slot::Path => self.example.path = value(),
            Slot::Host => self.example.host = value(),
            Slot::Scheme => self.example.scheme = value(),
            Slot::Header(name) => {
                self.example.headers.insert(name.clone(), value());
            }
            Slot::Query(name) => {
                self.query.insert(name.clone(), value());
            }
            Slot::Cookie(name) => {
                self.cookies.insert(name.clone(), value());
            }
            Slot::Param(name) => {
                self.params.insert(name.clone(), value());
                self.write_path();
            }
            Slot::Ip => self.example.ip = value(),
            Slot::Service => {
                let known = value().parse().ok().and_then(|owner| callers.known(&owner));
                let Some(caller) = known else { return false };
                self.example.source = caller;
            }
            Slot::Principal if value().is_empty() => self.example.source = Caller::External,
            Slot::Principal => self.example.source = Caller::Principal(value()),
            Slot::SourceLabel(key) => {
                let Some(name) = callers.with_label(key, &value()) else { return false };
                self.example.source = Caller::Service(name.clone());
            }
            _ => return false,
        }
        true
    }

    /// Takes away what is at a place; false for places that always hold something.
    pub(super) fn remove(&mut self, slot: &Slot) -> bool {
        match slot {
            Slot::Header(name) => {
                self.example.again.remove(name);
                self.example.headers.remove(name)
            }
            Slot::Query(name) => self.query.remove(name),
            Slot::Cookie(name) => self.cookies.remove(name),
            Slot::SourceLabel(_) => {
                self.example.source = Caller::External;
                None
            }
            _ => return false,
        };
        true
    }

    /// The example, if it is a request that could come over the wire.
    pub(super) fn finish(&self) -> Option<Example> {
        let mut example = self.example.clone();
        let Example { again, headers, host: name, ip, method, path: way, scheme, .. } = &example;
        let token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
        let text = |v: &str| v.bytes().all(|c| matches!(c, b' '..=b'~')) && v.trim() == v;
        let sound = !method.is_empty()
            && method.bytes().all(token)
            && matches!(scheme.as_str(), "http" | "https")
            && (name.is_empty() || host::canonical(name).is_ok_and(|h| h == name.as_str()))
            && (ip.is_empty() || ip.parse::<std::net::IpAddr>().is_ok())
            && path::canonical(way, SlashMode::Keep).is_ok_and(|p| p == way.as_str())
            && headers.iter().all(|(name, value)| name.bytes().all(token) && text(value))
            && !headers.contains_key("cookie")
            && again.iter().all(|(name, value)| headers.contains_key(name) && text(value))
            && !matches!(&example.source, Caller::Principal(id) if !id.starts_with("spiffe://"));
        let plain = |text: &str| text.bytes().all(|c| matches!(c, b'!'..=b'~') && !b"\",;\\=".contains(&c));
        if !sound || !self.cookies.iter().all(|(name, value)| plain(name) && plain(value)) {
            return None;
        }
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        example.query = pairs.collect::<Vec<_>>().join("&");
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            example.headers.insert("cookie".to_owned(), pairs.collect::<Vec<_>>().join("; "));
        }
        Some(example)
    }
}

/// Percent-encoded but for unreserved characters (RFC 3986 section 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
