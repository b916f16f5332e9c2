//! The environment of rules on requests, and the places of a request that its fields are.

use std::sync::{Arc, LazyLock};

use mesh_bundle::expr::Slot;

use super::environment::Environment;
use super::typed::{Kind, Typed};
use super::types::{Field, Keys, Record, Type};
use super::value::Value;

/// Side on which an expression is evaluated, which decides what it may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A route's `match.when`, at the caller's proxy or at a gateway: the request, and the source.
    Outbound,
    /// An access rule or quota, at the callee's proxy: everything.
    Inbound,
}

const NO_TOKENS: &str = "no proxy of this release checks tokens, so it knows no claims";
const NO_VERSION: &str = "no proxy of this release is told which version of its service it stands for";
const NO_DESTINATION: &str =
    "a route's `when` is decided before the destination is known; write an access rule";
const NO_CONNECTION: &str =
    "a route's `when` sees the request and its source, not the connection; write an access rule";

/// The environment of a phase, for a rule whose paths bind `params`.
pub(super) fn environment(phase: Phase, params: &[&str]) -> Environment {
    static OUTBOUND: LazyLock<Environment> = LazyLock::new(|| roots(Phase::Outbound));
    static INBOUND: LazyLock<Environment> = LazyLock::new(|| roots(Phase::Inbound));
    let base = match phase {
        Phase::Outbound => OUTBOUND.clone(),
        Phase::Inbound => INBOUND.clone(),
    };
    if params.is_empty() { base } else { base.with(request(params)) }
}

fn roots(phase: Phase) -> Environment {
    let hide = |field: Field, why: &'static str| match phase {
        Phase::Outbound => field.hidden(why),
        Phase::Inbound => field,
    };
    Environment::new()
        .with(request(&[]))
        .with(Field::new("source", source(), "who calls"))
        .with(hide(Field::new("destination", destination(), "who is called"), NO_DESTINATION))
        .with(hide(Field::new("connection", connection(), "how the request came"), NO_CONNECTION))
        .with(Field::new("auth", auth(), "the token of the request").hidden(NO_TOKENS))
        .with(Field::new("now", Type::Timestamp, "when the request came, by the clock of the proxy"))
}

fn record(name: &str, fields: Vec<Field>) -> Type {
    Type::Record(Arc::new(Record { name: name.to_owned(), fields }))
}

fn texts() -> Type {
    Type::map(Type::String, Type::String)
}

fn lists() -> Type {
    Type::map(Type::String, Type::list(Type::String))
}

fn request(params: &[&str]) -> Field {
    let text = |name: &str, doc| Field::new(name, Type::String, doc);
    let params = Keys::Only(params.iter().map(|p| (*p).to_owned()).collect());
    let fields = vec![
        text("method", "the method, as it came"),
        text("path", "the path, normalised, without the query"),
        text("host", "the host, in lower case, without its port"),
        text("scheme", "`http` or `https`"),
        Field::new("size", Type::Int, "bytes that the body is said to have; 0 where that is unknown"),
        Field::new("headers", texts(), "a header that came once").keys(Keys::Headers),
        Field::new("query", texts(), "a query parameter that came once, decoded"),
        Field::new("cookies", texts(), "a cookie that came once"),
        Field::new("headerValues", lists(), "all values of a header; none where it is absent")
            .keys(Keys::Headers)
            .total(),
        Field::new("queryValues", lists(), "all values of a query parameter, decoded").total(),
        Field::new("cookieValues", lists(), "all values of a cookie").total(),
        Field::new("params", texts(), "what `{name}` of the rule's path bound").keys(params),
    ];
    Field::new("request", record("request", fields), "the request")
}

fn source() -> Type {
    let text = |name: &str, doc| Field::new(name, Type::String, doc);
    record(
        "source",
        vec![
            text("principal", "the SPIFFE ID of the caller; empty without mutual TLS"),
            text("trustDomain", "its trust domain; empty without mutual TLS"),
            text("service", "the service of this mesh and environment that calls; empty for others"),
            text("ip", "the address of the caller"),
            Field::new("labels", texts(), "labels of the calling service"),
        ],
    )
}

fn destination() -> Type {
    let text = |name: &str, doc| Field::new(name, Type::String, doc);
    record(
        "destination",
        vec![
            text("service", "the service that is called"),
            text("version", "its version").hidden(NO_VERSION),
            Field::new("port", Type::Int, "its port"),
            Field::new("labels", texts(), "its labels"),
        ],
    )
}

fn connection() -> Type {
    let text = |name: &str, doc| Field::new(name, Type::String, doc);
    record(
        "connection",
        vec![
            Field::new("mtls", Type::Bool, "the caller showed a certificate of the mesh"),
            text("tlsVersion", "`1.3`, `1.2`, or empty without TLS"),
            text("sni", "the server name that the caller asked for; empty where absent"),
        ],
    )
}

fn auth() -> Type {
    record(
        "auth",
        vec![
            Field::new("authenticated", Type::Bool, "a token was checked"),
            Field::new("subject", Type::String, "its subject"),
            Field::new("issuer", Type::String, "its issuer"),
            Field::new("claims", Type::map(Type::String, Type::Dyn), "its claims"),
        ],
    )
}

/// A place in the request that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A single value.
    Slot(Slot),
    /// A map of texts.
    Map(Map),
    /// A map of lists of texts.
    Lists(Map),
    /// The list of the values of one key.
    Values(Slot),
}

/// The maps of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Map {
    Headers,
    Query,
    Cookies,
    Params,
    SourceLabels,
    DestinationLabels,
}

impl Map {
    fn slot(self, key: &str) -> Slot {
        let key = key.to_owned();
        match self {
            Self::Headers => Slot::Header(key),
            Self::Query => Slot::Query(key),
            Self::Cookies => Slot::Cookie(key),
            Self::Params => Slot::Param(key),
            Self::SourceLabels => Slot::SourceLabel(key),
            Self::DestinationLabels => Slot::DestinationLabel(key),
        }
    }
}

/// The place that an expression of the environment is, read plainly or optionally; `None` for what is computed, and
/// for a key that is not a constant.
pub(super) fn place(typed: &Typed) -> Option<Place> {
    match &typed.kind {
        Kind::Variable(name) if name == "now" => Some(Place::Slot(Slot::Now)),
        Kind::Field(of, name, _) => match &of.kind {
            Kind::Variable(root) => field(root, name),
            _ => keyed(of, name),
        },
        Kind::Index(of, key, _) => match key.constant() {
            Some(Value::String(key)) => keyed(of, key),
            _ => None,
        },
        _ => None,
    }
}

/// The place of one key of a map.
pub(super) fn keyed(of: &Typed, key: &str) -> Option<Place> {
    match place(of)? {
        Place::Map(map) => Some(Place::Slot(map.slot(key))),
        Place::Lists(map) => Some(Place::Values(map.slot(key))),
        Place::Slot(_) | Place::Values(_) => None,
    }
}

fn field(root: &str, name: &str) -> Option<Place> {
    Some(match (root, name) {
        ("request", "method") => Place::Slot(Slot::Method),
        ("request", "path") => Place::Slot(Slot::Path),
        ("request", "host") => Place::Slot(Slot::Host),
        ("request", "scheme") => Place::Slot(Slot::Scheme),
        ("request", "size") => Place::Slot(Slot::Size),
        ("request", "headers") => Place::Map(Map::Headers),
        ("request", "query") => Place::Map(Map::Query),
        ("request", "cookies") => Place::Map(Map::Cookies),
        ("request", "params") => Place::Map(Map::Params),
        ("request", "headerValues") => Place::Lists(Map::Headers),
        ("request", "queryValues") => Place::Lists(Map::Query),
        ("request", "cookieValues") => Place::Lists(Map::Cookies),
        ("source", "principal") => Place::Slot(Slot::Principal),
        ("source", "trustDomain") => Place::Slot(Slot::TrustDomain),
        ("source", "service") => Place::Slot(Slot::Service),
        ("source", "ip") => Place::Slot(Slot::Ip),
        ("source", "labels") => Place::Map(Map::SourceLabels),
        ("destination", "service") => Place::Slot(Slot::DestinationService),
        ("destination", "version") => Place::Slot(Slot::DestinationVersion),
        ("destination", "port") => Place::Slot(Slot::DestinationPort),
        ("destination", "labels") => Place::Map(Map::DestinationLabels),
        ("connection", "mtls") => Place::Slot(Slot::Mtls),
        ("connection", "tlsVersion") => Place::Slot(Slot::TlsVersion),
        ("connection", "sni") => Place::Slot(Slot::Sni),
        _ => return None,
    })
}
