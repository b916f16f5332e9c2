//! The report of `meshc route`. Its forms for people are drawn where the request is decided, from the same answer.

use std::collections::BTreeMap;

use mesh_bundle::Owner;
use mesh_bundle::limits::WHOLE;
use mesh_decision::explain::Step;
use mesh_decision::expr::Tri;
use mesh_decision::journey::Journey;
use mesh_decision::shares::WHOLE_SHARE;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::head::Head;

/// A request and what happens to it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RouteReport<'a> {
    #[serde(flatten)]
    head: Head,
    /// The environment.
    environment: String,
    /// The request.
    request: Asked<'a>,
    /// The number that was drawn where requests are shared out.
    pick: u32,
    /// What happens to it.
    answer: RouteAnswer<'a>,
}

/// A request.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Asked<'a> {
    /// The method.
    method: &'a str,
    /// The URL.
    url: &'a str,
    /// The caller; null for a stranger.
    #[serde(rename = "as")]
    #[schemars(with = "Option<String>")]
    caller: Option<&'a Owner>,
}

/// What happens to a request, hop by hop.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteAnswer<'a> {
    /// The status, where the mesh answers itself; null where the service does, or nobody.
    status: Option<u16>,
    /// A short word for the reason of an answer by the mesh, or of a connection that is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// What is wrong with a head or a path that is refused, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The gateway that a stranger came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<&'a str>,
    /// Address of the gateway's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    edge_rule: Option<&'a str>,
    /// Address of the service's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    /// The service that gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    /// Its version, for the pick that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    /// The path that the service sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    /// The host that the service sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    /// `allow`, `deny`, `audit-deny`; absent where the request did not get that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'a str>,
    /// Address of the access entry that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_entry: Option<&'a str>,
    /// Address of the access policy that decided, such as `access/orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// What keeps the request out, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// Limits that are charged.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    quotas: &'a [String],
    /// Timeout in milliseconds; 0 is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    /// Number of further tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    /// Target of a redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    /// Rules that were asked at the first hop; with `--explain`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Reason<'a>>,
    /// Access entries that were asked; with `--explain`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_steps: Vec<Reason<'a>>,
    /// Header lines that the service sees: name and value.
    headers: Vec<(&'a str, String)>,
    /// `file:line` of each rule, entry and policy that decided, by address.
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    places: Map<String, Value>,
    /// The shares of the requests like this one: targets of the rules on its way, with versions. One where nothing is shared
    /// out, none where no rule forwards the request.
    shares: Vec<RouteShare<'a>>,
    /// Remarks, such as facts that rules read and that were not given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// A rule or access entry that was asked.
#[derive(Debug, Serialize, JsonSchema)]
struct Reason<'a> {
    /// Its address.
    rule: &'a str,
    /// `taken`, or the part that did not hold.
    verdict: &'static str,
    /// The part of its expression that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Because<'a>>,
}

/// The part of an expression that decided its result.
#[derive(Debug, Serialize, JsonSchema)]
struct Because<'a> {
    /// Its words.
    words: &'a str,
    /// The result of the whole expression.
    result: Truth,
    /// What it read.
    seen: Vec<Seen<'a>>,
}

/// The result of an expression.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Truth {
    True,
    False,
    Error,
}

/// A value that an expression read.
#[derive(Debug, Serialize, JsonSchema)]
struct Seen<'a> {
    /// The place as CEL writes it.
    place: &'a str,
    /// The value, or in brackets why there is none.
    value: &'a str,
}

/// A share of the requests, and what becomes of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteShare<'a> {
    /// Its size as a percentage, exact.
    percent: String,
    /// Its size in basis points, rounded down.
    weight: u64,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    /// `allow`, `deny`, `audit-deny`; absent where the share does not get that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'a str>,
    /// Address of the access entry that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_entry: Option<&'a str>,
    /// Address of the access policy that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// The status, where the mesh answers itself; null where the service does.
    status: Option<u16>,
    /// A short word for the reason of an answer by the mesh.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// What keeps the share out, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl<'a> RouteReport<'a> {
    /// The report of a request and its answer.
    pub(crate) fn new(
        environment: String,
        request: Asked<'a>,
        pick: Option<u32>,
        answer: RouteAnswer<'a>,
    ) -> Self {
        Self { head: Head::of("route"), environment, request, pick: pick.unwrap_or(0), answer }
    }
}

impl<'a> Asked<'a> {
    /// A request as it was asked.
    pub(crate) fn new(method: &'a str, url: &'a str, caller: Option<&'a Owner>) -> Self {
        Self { method, url, caller }
    }
}

impl<'a> RouteShare<'a> {
    /// A share of this weight, a part of [`WHOLE_SHARE`].
    pub(crate) fn new(
        weight: u64,
        percent: String,
        journey: &'a Journey,
        policy: Option<String>,
        why: Option<String>,
    ) -> Self {
        Self {
            percent,
            weight: weight / (WHOLE_SHARE / u64::from(WHOLE)),
            service: journey.service.as_deref(),
            version: journey.version.as_deref(),
            access: journey.access.as_deref(),
            access_entry: journey.access_entry.as_deref(),
            policy,
            status: journey.status,
            reason: journey.reason.as_deref(),
            why,
        }
    }
}

impl<'a> RouteAnswer<'a> {
    /// The answer of a journey, with its steps where they are `explained`.
    pub(crate) fn new(
        journey: &'a Journey,
        explained: bool,
        places: impl Iterator<Item = (String, Option<String>)>,
        shares: Vec<RouteShare<'a>>,
    ) -> Self {
        let steps = |steps: &'a [Step]| -> Vec<Reason<'a>> {
            if explained { steps.iter().map(Reason::new).collect() } else { Vec::new() }
        };
        let headers = journey.headers.iter();
        Self {
            status: journey.status,
            reason: journey.reason.as_deref(),
            detail: journey.detail.as_deref(),
            gateway: journey.gateway.as_deref(),
            edge_rule: journey.edge_rule.as_deref(),
            rule: journey.rule.as_deref(),
            service: journey.service.as_deref(),
            version: journey.version.as_deref(),
            path: journey.path.as_deref(),
            host: journey.host.as_deref(),
            access: journey.access.as_deref(),
            access_entry: journey.access_entry.as_deref(),
            policy: None,
            why: None,
            quotas: &journey.quotas,
            timeout_ms: journey.timeout_ms,
            attempts: journey.attempts,
            location: journey.location.as_deref(),
            steps: steps(&journey.steps),
            access_steps: steps(&journey.access_steps),
            headers: headers.map(|(n, v)| (n.as_str(), String::from_utf8_lossy(v).into_owned())).collect(),
            places: places.map(|(address, place)| (address, place.into())).collect(),
            shares,
            notes: Vec::new(),
        }
    }
}

impl<'a> Reason<'a> {
    fn new(step: &'a Step) -> Self {
        let because = step.because.as_ref().map(|because| Because {
            words: &because.words,
            result: match because.result {
                Tri::True => Truth::True,
                Tri::False => Truth::False,
                Tri::Error => Truth::Error,
            },
            seen: because.seen.iter().map(|s| Seen { place: &s.place, value: &s.value }).collect(),
        });
        Self { rule: &step.rule, verdict: step.verdict.word(), because }
    }
}
