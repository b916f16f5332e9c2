//! Routes: ordered rules that match requests and act on them.

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
    /// Hosts that a gateway Route claims: exact, `*.x`, or `*` for those that nobody else claims. Empty is all of its
    /// gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Rank among the Routes of one gateway host, rising.
    #[serde(default, skip_serializing_if = "is_default")]
    pub order: i32,
    /// Paths of fences: inside them no later Route is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathPattern>,
    /// Key by which splits of this Route are sticky; absent draws each request anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// Rules in the order written; the first match wins. Disabled ones are left out. Shared, so that a bundle that
    /// leaves them as they are costs nothing for them.
    pub rules: Arc<[Rule]>,
}

/// The key that a sticky choice depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sticky {
    /// The value of the header of this name.
    Header(String),
    /// The value of the cookie of this name.
    Cookie(String),
    /// The caller: its principal, else its address.
    Source,
    /// The caller's IP address.
    Ip,
}

/// One rule of a Route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Name of the rule, unique in its Route.
    pub name: Name,
    /// Requests that the rule takes; default all.
    #[serde(default, skip_serializing_if = "is_default", rename = "match")]
    pub matches: Matches,
    /// The rule's action on a request that it takes.
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

/// The requests that a rule takes: those of one match, or of any of several. The rule has one address, one split
/// counter and one metric all the same. Written as one map, or as a list of two or more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Matches {
    /// A single match.
    One(Match),
    /// Any of these, two or more. Requires [`crate::features::MATCH_ANY`].
    Any(Vec<Match>),
}

impl Matches {
    /// Iterates over every match.
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

/// A visitor that tells the two forms apart by their first byte, without a copy of either.
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

/// One match; all parts must hold (AND), an absent part always does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// Pattern of the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathPattern>,
    /// Methods, one of which must be the request's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Tests on headers, each of which must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<ValueMatch>,
    /// Tests on query parameters, each of which must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<ValueMatch>,
    /// Tests on cookies, each of which must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<ValueMatch>,
    /// Callers, one of which must be the request's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<From>,
    /// Expression that must be true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Box<Expression>>,
}

/// A test on one named header, query parameter or cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueMatch {
    /// Name of the header, query parameter or cookie; header names in lower case.
    pub name: String,
    /// The test on the value.
    pub is: ValueTest,
}

/// A test on one value. A value that came more than once is an error (400), but for `present`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ValueTest {
    /// The value equals this text.
    Exact(String),
    /// The value begins with this text.
    Prefix(String),
    /// The value ends with this text.
    Suffix(String),
    /// The value contains this text.
    Contains(String),
    /// The whole value matches this expression (RE2 dialect, ASCII classes).
    Regex(String),
    /// The value is there (true), or is not there (false).
    Present(bool),
}

/// The action of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Forwards the request to one of these targets; weights sum to 10,000.
    Forward(Vec<Target>),
    /// Answers with a redirect.
    Redirect(Box<Redirect>),
    /// Answers with a fixed response.
    Respond(Box<Respond>),
}

/// A destination with its share of a rule's requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The destination of the share.
    pub to: Destination,
    /// Share in basis points; default the whole, 10,000.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub weight: u32,
}

/// The destination of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Destination {
    /// Name of the service.
    pub service: Name,
    /// One version of the service; absent is its default destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Name>,
    /// One role of the service's canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// The role of a version in a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The version that serves before the canary.
    Stable,
    /// The version that is rolled out.
    Candidate,
}

/// A redirect response. Absent parts are those of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redirect {
    /// Status code: 301, 302, 303, 307 or 308; default 302, as in Gateway API.
    #[serde(default = "found", skip_serializing_if = "is_found")]
    pub status: u16,
    /// Scheme of the `location`: `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// Host of the `location`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Port of the `location`; absent is the scheme's own where a scheme is given, else the listener's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Change to the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RewritePath>,
}

/// A fixed response, answered by the proxy itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// Status code, 200 to 599.
    pub status: u16,
    /// Body of the response, as text; empty by default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Headers of the response, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Changes to path and host before a request is forwarded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// Change to the path.
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
    /// Replaces the literal part before `/*`, with one `/` at the seam; or the text of a plain prefix as it stands.
    Prefix(String),
    /// Replaces the whole path.
    Full(String),
}

/// Changes to headers: removed first, then set, then added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderEdits {
    /// Replaces all lines of the name by one with this value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Adds a line with this value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
    /// Removes all lines of these names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

impl StaticDefault for HeaderEdits {
    const DEFAULT: &'static Self = &Self { set: BTreeMap::new(), add: BTreeMap::new(), remove: Vec::new() };
}

/// The conditions, number and timing of retries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// Number of tries after the first; 0 is none.
    pub attempts: u32,
    /// Conditions on which a request is tried again, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<RetryOn>,
    /// Methods that may be tried again after they may have reached the service; empty is GET,
    /// HEAD, OPTIONS, PUT, DELETE and TRACE (RFC 9110 section 9.2.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Base of the exponential backoff: milliseconds before the first further try, doubled for each, with full
    /// jitter. Default 25 ms, as in Envoy.
    #[serde(default = "base", skip_serializing_if = "is_base")]
    pub backoff_base_ms: u64,
    /// Cap of the exponential backoff: most milliseconds before a further try. Default 250 ms, as in Envoy.
    #[serde(default = "most", skip_serializing_if = "is_most")]
    pub backoff_max_ms: u64,
    /// Retry budget: largest share of further tries among active requests, in basis points. Default 20 %, as in
    /// Envoy.
    #[serde(default = "budget", skip_serializing_if = "is_budget")]
    pub budget: u32,
}

impl Default for Retry {
    /// No further tries, and Envoy's defaults for the rest.
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

/// A condition on which a request is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryOn {
    /// No connection was made: always safe.
    ConnectFailure,
    /// The peer said that it did not process the request (HTTP/2 REFUSED_STREAM): always safe.
    RefusedStream,
    /// The response has this status.
    Status(u16),
    /// The response has a status from 500 to 599, or there is none because the endpoint broke off. Requires
    /// [`crate::features::RETRY_CLASSES`].
    #[serde(rename = "5xx")]
    ServerError,
    /// The response has status 502, 503 or 504, or there is none because the endpoint broke off. Requires
    /// [`crate::features::RETRY_CLASSES`].
    GatewayError,
}

impl RetryOn {
    /// True if a response of this status meets the condition.
    #[must_use]
    pub fn takes_status(self, status: u16) -> bool {
        match self {
            Self::ConnectFailure | Self::RefusedStream => false,
            Self::Status(one) => one == status,
            Self::ServerError => (500..600).contains(&status),
            Self::GatewayError => matches!(status, 502..=504),
        }
    }

    /// True for a class of statuses, which also takes what the mesh itself answers with one of them for want of a
    /// response: no connection, a refused stream, an endpoint that breaks off. As in Envoy.
    #[must_use]
    pub fn is_class(self) -> bool {
        matches!(self, Self::ServerError | Self::GatewayError)
    }
}

fn whole() -> u32 {
    crate::limits::WHOLE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_whole(value: &u32) -> bool {
    *value == whole()
}

/// Default status of a redirect: 302 Found, as in Gateway API.
fn found() -> u16 {
    302
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_found(value: &u16) -> bool {
    *value == found()
}

/// Default bounds of the backoff: 25 ms and 250 ms, as in Envoy.
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

/// Default retry budget: 20 %, as in Envoy.
fn budget() -> u32 {
    2_000
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_budget(value: &u32) -> bool {
    *value == budget()
}
