//! Routes: where a request goes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::access::From;
use crate::canonical::is_default;
use crate::defaulted::{Defaulted, StaticDefault};
use crate::expr::Expression;
use crate::name::Name;
use crate::path::PathPattern;

/// The Route of a service, or one Route of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Routes {
    /// Hosts that a gateway Route claims, exact or `*.x`; empty is all of its gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Rank among the Routes of one gateway host, rising.
    #[serde(default, skip_serializing_if = "is_default")]
    pub order: i32,
    /// Fences: inside them no later Route is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathPattern>,
    /// How splits of this Route stick to a caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// Rules in the order written; the first match wins. Disabled ones are left out. Shared, so that a bundle that
    /// leaves them as they are costs nothing for them.
    pub rules: Arc<[Rule]>,
}

/// What a sticky choice depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sticky {
    /// The value of this header.
    Header(String),
    /// The value of this cookie.
    Cookie(String),
    /// The caller: its principal, else its address.
    Source,
    /// The caller's address.
    Ip,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique in its Route.
    pub name: Name,
    /// What it takes.
    #[serde(default, skip_serializing_if = "is_default", rename = "match")]
    pub matches: Matches,
    /// What it does.
    pub action: Action,
    /// Changes to path and host before the request goes on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rewrite: Defaulted<Rewrite>,
    /// Changes to request headers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub request_headers: Defaulted<HeaderEdits>,
    /// Changes to response headers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub response_headers: Defaulted<HeaderEdits>,
    /// Milliseconds from request head to last response byte; 0 is off; absent is the mesh default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Retries; absent is the mesh default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Box<Retry>>,
}

/// What a rule takes: what one match takes, or any of several. The rule has one address, one split counter and one
/// metric all the same. Written as one map, or as a list of two or more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Matches {
    /// One match.
    One(Match),
    /// Any of these, two or more. Requires [`crate::features::MATCH_ANY`].
    Any(Vec<Match>),
}

impl Matches {
    /// Every match.
    pub fn iter(&self) -> impl Iterator<Item = &Match> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Any(several) => several.as_slice(),
        }
        .iter()
    }
}

impl Default for Matches {
    fn default() -> Self {
        Self::One(Match::default())
    }
}

impl std::convert::From<Match> for Matches {
    fn from(one: Match) -> Self {
        Self::One(one)
    }
}

impl<'de> Deserialize<'de> for Matches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatchesVisitor)
    }
}

/// Tells the two forms apart by their first byte, without a copy of either.
struct MatchesVisitor;

impl<'de> Visitor<'de> for MatchesVisitor {
    type Value = Matches;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a match, or a list of two or more")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Matches, A::Error> {
        Match::deserialize(MapAccessDeserializer::new(map)).map(Matches::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Matches, A::Error> {
        let several = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
        if several.len() < 2 {
            return Err(A::Error::invalid_length(several.len(), &self));
        }
        Ok(Matches::Any(several))
    }
}

/// One match; all parts must hold, an absent part always does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// The path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathPattern>,
    /// One of these methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Each of these headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<ValueMatch>,
    /// Each of these query parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<ValueMatch>,
    /// Each of these cookies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<ValueMatch>,
    /// One of these callers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<From>,
    /// This expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<Expression>>,
}

/// A test on one named header, query parameter or cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueMatch {
    /// Its name; header names in lower case.
    pub name: String,
    /// The test.
    pub is: ValueTest,
}

/// A test on one value. A value that came more than once is an error (400), but for `present`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ValueTest {
    /// Equal.
    Exact(String),
    /// Begins with.
    Prefix(String),
    /// Ends with.
    Suffix(String),
    /// Holds.
    Contains(String),
    /// The whole value matches this expression (RE2 dialect, ASCII classes).
    Regex(String),
    /// Is there, or is not there.
    Present(bool),
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Sends the request on; weights sum to 10,000.
    Forward(Vec<Target>),
    /// Answers with a redirect.
    Redirect(Box<Redirect>),
    /// Answers by itself.
    Respond(Box<Respond>),
}

/// A share of a rule's requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Where it goes.
    pub to: Destination,
    /// Basis points.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub weight: u32,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Destination {
    /// The service.
    pub service: Name,
    /// One version of it; absent is its default destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Name>,
    /// One role of its canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A side of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The version that is there.
    Stable,
    /// The version that arrives.
    Candidate,
}

/// A redirect. Absent parts are those of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    #[serde(default = "found", skip_serializing_if = "is_found")]
    pub status: u16,
    /// `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The port; absent is the scheme's own where a scheme is given, else the listener's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RewritePath>,
}

/// An answer of the proxy's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// The status, 200 to 599.
    pub status: u16,
    /// The body, as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Headers to send.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Changes to path and host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// The path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RewritePath>,
    /// The host that the next hop sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl StaticDefault for Rewrite {
    const DEFAULT: &'static Self = &Self { path: None, host: None };
}

/// A change to a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RewritePath {
    /// Replaces the literal part before `/*`, with one `/` at the seam.
    Prefix(String),
    /// Replaces the whole path.
    Full(String),
}

/// Changes to headers: removed first, then set, then added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderEdits {
    /// Replaces all lines of the name by one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Adds a line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
    /// Removes all lines of the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

impl StaticDefault for HeaderEdits {
    const DEFAULT: &'static Self = &Self { set: BTreeMap::new(), add: BTreeMap::new(), remove: Vec::new() };
}

/// When and how often to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// Tries after the first; 0 is none.
    pub attempts: u32,
    /// What is tried again, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<RetryOn>,
    /// Methods that may be tried again after they may have reached the service; empty is GET,
    /// HEAD, OPTIONS, PUT, DELETE and TRACE (RFC 9110 section 9.2.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Milliseconds before the first further try, doubled for each, with full jitter.
    #[serde(default = "base", skip_serializing_if = "is_base")]
    pub backoff_base_ms: u64,
    /// Most milliseconds before a further try.
    #[serde(default = "most", skip_serializing_if = "is_most")]
    pub backoff_max_ms: u64,
    /// Largest share of further tries among active requests, in basis points.
    #[serde(default = "budget", skip_serializing_if = "is_budget")]
    pub budget: u32,
}

impl Default for Retry {
    /// No further tries.
    fn default() -> Self {
        Self {
            attempts: 0,
            conditions: Vec::new(),
            methods: Vec::new(),
            backoff_base_ms: base(),
            backoff_max_ms: most(),
            budget: budget(),
        }
    }
}

/// What is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryOn {
    /// No connection was made: always safe.
    ConnectFailure,
    /// The peer said that it did not process the request (HTTP/2 REFUSED_STREAM): always safe.
    RefusedStream,
    /// This status.
    Status(u16),
}

fn whole() -> u32 {
    crate::limits::WHOLE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_whole(value: &u32) -> bool {
    *value == whole()
}

/// 302 Found, as in Gateway API.
fn found() -> u16 {
    302
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_found(value: &u16) -> bool {
    *value == found()
}

/// 25 ms and 250 ms, Envoy's defaults.
fn base() -> u64 {
    25
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_base(value: &u64) -> bool {
    *value == base()
}

fn most() -> u64 {
    250
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_most(value: &u64) -> bool {
    *value == most()
}

/// 20 %, Envoy's default budget.
fn budget() -> u32 {
    2_000
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_budget(value: &u32) -> bool {
    *value == budget()
}
