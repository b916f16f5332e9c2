//! From a head as it came to one that can be decided on: checked, stripped, canonical.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use http::uri::{Authority, PathAndQuery};
use mesh_bundle::limits;
use mesh_bundle::program::{HeaderEdits, SlashMode};
use mesh_decision::head::{self, Admitted, HeaderLines, StartLine, Trust, Version};
use mesh_decision::{Fields, Reason, Sole, edit};

use super::refusal::Answer;
use crate::http::{Head, Headers};

/// What a request is decided by, apart from its headers.
pub(super) struct Prepared {
    /// The canonical host.
    pub(super) host: Box<str>,
    /// Path and query as they came.
    pub(super) raw: PathAndQuery,
    /// The canonical path, where it differs from the raw one.
    pub(super) changed: Option<String>,
    /// The declared size of the body.
    pub(super) size: Option<u64>,
}

impl Prepared {
    /// The canonical path.
    pub(super) fn path(&self) -> &str {
        self.changed.as_deref().unwrap_or_else(|| self.raw.path())
    }

    /// The query as it came; empty where absent.
    pub(super) fn query(&self) -> &str {
        self.raw.query().unwrap_or_default()
    }

    /// What is sent on: the canonical path, or the one that a rule made of it, and the query.
    pub(super) fn target(&self, rewritten: Option<String>) -> Option<PathAndQuery> {
        let Some(path) = rewritten.or_else(|| self.changed.clone()) else { return Some(self.raw.clone()) };
        let whole = match self.raw.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        PathAndQuery::from_maybe_shared(Bytes::from(whole)).ok()
    }
}

/// Checks a head, makes it canonical, and leaves of it what rules see. `slashes` says for a host what its service does
/// with escaped slashes.
pub(super) fn prepare(
    head: &mut Head,
    trust: Trust,
    slashes: impl FnOnce(&str) -> SlashMode,
) -> Result<Prepared, Answer> {
    let start = StartLine {
        version: match head.version {
            http::Version::HTTP_2 => Version::Http2,
            http::Version::HTTP_10 => Version::Http10,
            _ => Version::Http11,
        },
        method: head.method.as_str(),
        authority: head.target.authority.as_ref().map(Authority::as_str),
        target: head.target.path.as_ref().map(PathAndQuery::path),
    };
    let Admitted { authority, host, framing } =
        head::admit(&start, &mut head.headers, trust).map_err(|rejection| rejection.reason())?;
    if let Some(authority) = authority {
        // Every host with a canonical form is an authority.
        let authority = Authority::from_maybe_shared(Bytes::from(String::from(authority)));
        head.target.authority = Some(authority.map_err(|_| Reason::BadHost)?);
    }
    let raw = head.target.path.clone().ok_or(Reason::BadHead)?;
    let changed = match head::canonical_path(raw.path(), slashes(&host)).map_err(|error| error.reason())? {
        Cow::Borrowed(_) => None,
        Cow::Owned(path) => Some(path),
    };
    Ok(Prepared { host, raw, changed, size: framing.size() })
}

/// Takes away what a caller proves itself with, once the mesh has decided by it.
pub(super) fn remove_credentials(headers: &mut Headers) {
    headers.retain(|name, _| *name != AUTHORIZATION && *name != PROXY_AUTHORIZATION);
}

/// Applies a list of edits in order.
pub(super) fn edit_all(edits: [Option<&HeaderEdits>; 2], headers: &mut Headers) {
    for edits in edits.into_iter().flatten() {
        edit::apply(edits, headers);
    }
}

impl Fields for Headers {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.iter().filter(|(known, _)| known.as_str() == name).nth(n).map(|(_, value)| value.as_bytes())
    }

    fn sole(&self, name: &str) -> Sole<'_> {
        let lines = self.iter().filter(|(known, _)| known.as_str() == name);
        Sole::of(lines.map(|(_, value)| value.as_bytes()))
    }

    fn every<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
        let lines = self.iter().filter(|(known, _)| known.as_str() == name);
        lines.take(limits::HEADER_LINES).map(|(_, value)| value.as_bytes()).all(visit);
    }
}

impl HeaderLines for Headers {
    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    fn keep(&mut self, mut wanted: impl FnMut(&str, &[u8]) -> bool) {
        self.retain(|name, value| wanted(name.as_str(), value.as_bytes()));
    }

    fn add(&mut self, name: &str, value: &str) {
        // Rung 4 lets no other names and values into a program.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            self.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Scheme, Target};
    use http::Method;

    fn head(path: &str, lines: &[(&'static str, &'static str)]) -> Head {
        let mut headers = Headers::default();
        headers.append(http::header::HOST, HeaderValue::from_static("Orders.:8080"));
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let target = Target { scheme: Scheme::Http, authority: None, path: Some(path.parse().unwrap()) };
        Head { method: Method::GET, target, version: http::Version::HTTP_11, headers }
    }

    fn run(head: &mut Head) -> Result<Prepared, Answer> {
        prepare(head, Trust::Mesh, |_| SlashMode::Reject)
    }

    #[test]
    fn host_and_path_become_canonical_and_the_query_stays() {
        let mut asked = head("//a/./b%7e?x=%2F", &[("content-length", "7")]);
        let prepared = run(&mut asked).unwrap();
        assert_eq!((&*prepared.host, prepared.path(), prepared.query()), ("orders", "/a/b~", "x=%2F"));
        assert_eq!(prepared.size, Some(7));
        assert_eq!(prepared.target(None).unwrap(), "/a/b~?x=%2F");
        assert_eq!(prepared.target(Some("/c".into())).unwrap(), "/c?x=%2F");
        assert_eq!(asked.target.authority.unwrap(), "Orders.:8080");
        assert!(!asked.headers.contains(&http::header::HOST));
        let plain = run(&mut head("/a?b", &[])).unwrap();
        assert_eq!(plain.target(None).unwrap(), "/a?b");
    }

    #[test]
    fn edits_send_every_value_that_rung_4_lets_through() {
        let mut headers = Headers::default();
        headers.add("x-a", "caf\u{e9}\t1");
        assert_eq!(headers.nth("x-a", 0), Some("caf\u{e9}\t1".as_bytes()));
    }

    #[test]
    fn a_refusal_has_the_status_and_the_word_of_its_reason() {
        let refused =
            |mut head: Head| run(&mut head).err().map(|answer| (answer.status.as_u16(), answer.reason));
        assert_eq!(refused(head("/a%2Fb", &[])), Some((400, "bad-path")));
        assert_eq!(refused(head("/%00", &[])), Some((400, "bad-path")));
        assert_eq!(refused(head("/", &[("host", "orders")])), Some((400, "bad-host")));
        assert_eq!(refused(head("/", &[("transfer-encoding", "gzip")])), Some((400, "bad-head")));
        let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
        assert_eq!(refused(head("/", &upgrade)), Some((501, "no-upgrades")));
    }
}
