//! The decision of the caller's side of the mesh about a request.

use mesh_bundle::Name;
use mesh_bundle::program::{HeaderEdits, Respond, Retry};

use crate::reason::Reason;

/// A rule's identity: its address, and a dense number for counters.
#[derive(Debug)]
pub struct RuleRef {
    /// `route/orders/refund`, `route/edge/site`, `route/cart/default`.
    pub address: Box<str>,
    /// From 0 to [`crate::Engine::rule_count`]; another engine may give it to another rule.
    pub id: u32,
    /// The split that a rule with several destinations draws from.
    pub(crate) split: Option<u32>,
}

/// The decision of a gateway or of a caller's proxy.
#[derive(Debug)]
pub struct Outbound<'a> {
    /// The gateway's rule, at a gateway.
    pub edge: Option<&'a RuleRef>,
    /// The service's rule; the implicit one is `route/<service>/default`.
    pub rule: Option<&'a RuleRef>,
    /// The outcome of the request.
    pub outcome: Outcome<'a>,
}

/// The outcome of a request on the caller's side.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// It is forwarded to a service.
    Forward(Forward<'a>),
    /// It is answered with a redirect.
    Redirect {
        /// Status code: 301, 302, 303, 307 or 308.
        status: u16,
        /// Value of the `location` field.
        location: String,
    },
    /// It is answered here, with a fixed response.
    Respond(&'a Respond),
    /// It is refused for this reason.
    Refuse(Reason),
}

/// The destination of a forwarded request, and its treatment on the way.
#[derive(Debug)]
pub struct Forward<'a> {
    /// Name of the service.
    pub service: &'a Name,
    /// Version of the service.
    pub version: &'a Name,
    /// The stable version, where `version` is a candidate: taken when no endpoint of the
    /// candidate is healthy, and counted as the candidate's error. Never the other way round.
    pub fallback: Option<&'a Name>,
    /// The path to send, canonical; absent where it is the request's own.
    pub path: Option<String>,
    /// The host to send, where a rule changes it.
    pub host: Option<&'a str>,
    /// Request header edits, in order of application.
    pub request_headers: [Option<&'a HeaderEdits>; 2],
    /// Response header edits, in order of application.
    pub response_headers: [Option<&'a HeaderEdits>; 2],
    /// Milliseconds from request head to last response byte; 0 is off.
    pub timeout_ms: u64,
    /// Retry policy of the request.
    pub retry: &'a Retry,
}
