//! The closed environment: what an expression can name.

use mesh_bundle::expr::Slot;

/// Where an expression is evaluated, and so what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A route's `match.when`, at the caller's proxy or at a gateway: the request, and the source.
    Outbound,
    /// An access rule or quota, at the callee's proxy: everything.
    Inbound,
}

/// What a path of names leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// A record: more names follow.
    Record(&'static [&'static str]),
    /// A value.
    Slot(Slot),
    /// A map of texts by key.
    Map(MapKind),
    /// A map of lists of texts by key.
    Lists(MapKind),
    /// Something that this release cannot know; why.
    Never(&'static str),
}

/// The maps of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MapKind {
    Headers,
    Query,
    Cookies,
    Params,
    SourceLabels,
    DestinationLabels,
}

impl MapKind {
    /// The slot of one key.
    pub(super) fn slot(self, key: &str) -> Slot {
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

    /// The map as it is written.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Headers => "request.headers",
            Self::Query => "request.query",
            Self::Cookies => "request.cookies",
            Self::Params => "request.params",
            Self::SourceLabels => "source.labels",
            Self::DestinationLabels => "destination.labels",
        }
    }
}

const ROOTS: &[&str] = &["request", "source", "destination", "connection", "auth", "now"];
const REQUEST: &[&str] = &[
    "method",
    "path",
    "host",
    "scheme",
    "size",
    "headers",
    "query",
    "cookies",
    "headerValues",
    "queryValues",
    "cookieValues",
    "params",
];
const SOURCE: &[&str] = &["principal", "trustDomain", "service", "ip", "labels"];
const DESTINATION: &[&str] = &["service", "version", "port", "labels"];
const CONNECTION: &[&str] = &["mtls", "tlsVersion", "sni"];
const NO_TOKENS: &str = "no proxy of this release checks tokens, so it knows no claims";
const NO_VERSION: &str = "no proxy of this release is told which version of its service it stands for";
const NO_CLOCK: &str = "no proxy of this release gives rules the time";

/// Every top-level name.
pub(super) fn roots() -> &'static [&'static str] {
    ROOTS
}

/// What `path` (`["request", "method"]`) names; `None` where its last name does not exist.
pub(super) fn look_up(path: &[&str]) -> Option<Known> {
    Some(match path {
        ["request"] => Known::Record(REQUEST),
        ["source"] => Known::Record(SOURCE),
        ["destination"] => Known::Record(DESTINATION),
        ["connection"] => Known::Record(CONNECTION),
        ["auth", ..] => Known::Never(NO_TOKENS),
        ["now", ..] => Known::Never(NO_CLOCK),
        ["request", "method"] => Known::Slot(Slot::Method),
        ["request", "path"] => Known::Slot(Slot::Path),
        ["request", "host"] => Known::Slot(Slot::Host),
        ["request", "scheme"] => Known::Slot(Slot::Scheme),
        ["request", "size"] => Known::Slot(Slot::Size),
        ["request", "headers"] => Known::Map(MapKind::Headers),
        ["request", "query"] => Known::Map(MapKind::Query),
        ["request", "cookies"] => Known::Map(MapKind::Cookies),
        ["request", "params"] => Known::Map(MapKind::Params),
        ["request", "headerValues"] => Known::Lists(MapKind::Headers),
        ["request", "queryValues"] => Known::Lists(MapKind::Query),
        ["request", "cookieValues"] => Known::Lists(MapKind::Cookies),
        ["source", "principal"] => Known::Slot(Slot::Principal),
        ["source", "trustDomain"] => Known::Slot(Slot::TrustDomain),
        ["source", "service"] => Known::Slot(Slot::Service),
        ["source", "ip"] => Known::Slot(Slot::Ip),
        ["source", "labels"] => Known::Map(MapKind::SourceLabels),
        ["destination", "service"] => Known::Slot(Slot::DestinationService),
        ["destination", "version"] => Known::Never(NO_VERSION),
        ["destination", "port"] => Known::Slot(Slot::DestinationPort),
        ["destination", "labels"] => Known::Map(MapKind::DestinationLabels),
        ["connection", "mtls"] => Known::Slot(Slot::Mtls),
        ["connection", "tlsVersion"] => Known::Slot(Slot::TlsVersion),
        ["connection", "sni"] => Known::Slot(Slot::Sni),
        _ => return None,
    })
}

/// The names that could stand after `path`, for suggestions.
pub(super) fn names_after(path: &[&str]) -> &'static [&'static str] {
    match look_up(path) {
        Some(Known::Record(names)) => names,
        _ => &[],
    }
}

impl Phase {
    /// Why the phase does not know a root; `None` if it does.
    pub(super) fn hides(self, root: &str) -> Option<&'static str> {
        match (self, root) {
            (Self::Outbound, "destination") => {
                Some("a route's `when` is decided before the destination is known; write an access rule")
            }
            (Self::Outbound, "connection") => Some(
                "a route's `when` sees the request and its source, not the connection; write an access rule",
            ),
            _ => None,
        }
    }
}
