//! From a head as it came to one that can be decided on: checked, stripped, canonical.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use mesh_bundle::limits;
use mesh_bundle::program::{HeaderEdits, SlashMode};
use mesh_decision::edit::{self, HeaderStore};
use mesh_decision::{Fields, Sole, host, path};

use super::answer::Answer;
use crate::http::{Head, Headers, admit, strip_request, wants_upgrade};

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

/// Whose word a request's headers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// A caller of the mesh, or the application beside the proxy.
    Mesh,
    /// A stranger: forwarding headers are removed too.
    Stranger,
}

/// Checks a head and makes it canonical. `slashes` says for a host what its service does with escaped slashes.
pub(super) fn prepare(
    head: &mut Head,
    trust: Trust,
    slashes: impl FnOnce(&str) -> SlashMode,
) -> Result<Prepared, Answer> {
    let bad = |reason| Answer::new(StatusCode::BAD_REQUEST, reason);
    if head.method == Method::CONNECT || wants_upgrade(&head.headers) {
        return Err(Answer::new(StatusCode::NOT_IMPLEMENTED, "no-upgrades"));
    }
    admit(head).map_err(|_| bad("bad-head"))?;
    strip_request(&mut head.headers).map_err(|_| bad("bad-head"))?;
    head.headers.retain(|name, _| {
        let name = name.as_str();
        !(edit::is_identity(name) || (trust == Trust::Stranger && edit::is_forgeable(name)) || name == EXPECT)
    });
    let authority = head.target.authority.as_ref().map_or("", |authority| authority.as_str());
    let host: Box<str> = host::canonical(authority).map_err(|_| bad("bad-host"))?.into();
    let raw = head.target.path.clone().ok_or_else(|| bad("bad-path"))?;
    let changed = match path::canonical(raw.path(), slashes(&host)).map_err(|_| bad("bad-path"))? {
        Cow::Borrowed(_) => None,
        Cow::Owned(path) => Some(path),
    };
    let length = head.headers.get(&CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let size = length.and_then(|text| text.parse().ok());
    Ok(Prepared { host, raw, changed, size })
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

impl HeaderStore for Headers {
    fn remove(&mut self, name: &str) {
        self.retain(|known, _| known.as_str() != name);
    }

    fn add(&mut self, name: &str, value: &str) {
        // The compiler lets no other names and values into a bundle.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            self.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Scheme, Target};
    use http::Version;

    fn head(path: &str, lines: &[(&'static str, &'static str)]) -> Head {
        let mut headers = Headers::default();
        headers.append(http::header::HOST, HeaderValue::from_static("Orders.:8080"));
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let target = Target { scheme: Scheme::Http, authority: None, path: Some(path.parse().unwrap()) };
        Head { method: Method::GET, target, version: Version::HTTP_11, headers }
    }

    fn run(head: &mut Head, trust: Trust) -> Result<Prepared, Answer> {
        prepare(head, trust, |_| SlashMode::Reject)
    }

    #[test]
    fn host_and_path_become_canonical_and_the_query_stays() {
        let prepared = run(&mut head("//a/./b%7e?x=%2F", &[]), Trust::Mesh).unwrap();
        assert_eq!((&*prepared.host, prepared.path(), prepared.query()), ("orders", "/a/b~", "x=%2F"));
        assert_eq!(prepared.target(None).unwrap(), "/a/b~?x=%2F");
        assert_eq!(prepared.target(Some("/c".into())).unwrap(), "/c?x=%2F");
        let plain = run(&mut head("/a?b", &[]), Trust::Mesh).unwrap();
        assert_eq!(plain.target(None).unwrap(), "/a?b");
    }

    #[test]
    fn nobody_can_claim_to_be_somebody() {
        let lines = [("x-source-service", "payments"), ("x-forwarded-for", "10.0.0.1"), ("accept", "*/*")];
        let mut stranger = head("/", &lines);
        run(&mut stranger, Trust::Stranger).unwrap();
        assert_eq!(stranger.headers.len(), 1);
        let mut caller = head("/", &lines);
        run(&mut caller, Trust::Mesh).unwrap();
        let names: Vec<_> = caller.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-forwarded-for", "accept"]);
    }

    #[test]
    fn what_cannot_be_decided_on_is_refused() {
        for path in ["/a%2Fb", "/%00", "/a\\b"] {
            let refused = path.parse::<PathAndQuery>().is_err()
                || run(&mut head(path, &[]), Trust::Mesh).err().map(|a| a.status.as_u16()) == Some(400);
            assert!(refused, "{path}");
        }
        let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
        assert_eq!(run(&mut head("/", &upgrade), Trust::Mesh).err().unwrap().status.as_u16(), 501);
    }
}
