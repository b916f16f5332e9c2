//! Slots: the places of a request that rules can read.

use serde::{Deserialize, Serialize};

/// The type of a slot, literal or instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// Truth value (CEL `bool`).
    Bool,
    /// 64-bit signed integer (CEL `int`).
    Int,
    /// UTF-8 string (CEL `string`).
    Text,
    /// Point in time (CEL `timestamp`).
    Time,
    /// Length of time (CEL `duration`).
    Span,
    /// IPv4 or IPv6 address (Kubernetes CEL `net.IP`).
    Ip,
}

/// A place of the request that rules can read, named as in CEL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Slot {
    /// `request.method`: the method token, as received.
    Method,
    /// `request.path`: the path in canonical form.
    Path,
    /// `request.host`, lower case, without port.
    Host,
    /// `request.scheme`: `http` or `https`.
    Scheme,
    /// `request.size`: declared body size in bytes, 0 where unknown.
    Size,
    /// `request.headers['x']`: a header field; its name in lower case.
    Header(String),
    /// `request.query['x']`: a query parameter, percent-decoded.
    Query(String),
    /// `request.cookies['x']`: a cookie (RFC 6265 section 5.4).
    Cookie(String),
    /// `request.params.x`: the path segment that `{x}` of the pattern binds.
    Param(String),
    /// `source.principal`: the caller's SPIFFE ID, empty without mutual TLS.
    Principal,
    /// `source.trustDomain`, empty without mutual TLS.
    TrustDomain,
    /// `source.service`, empty where the caller is none of this mesh and environment.
    Service,
    /// `source.ip`: the peer's address, as text.
    Ip,
    /// `source.labels['x']`: a label of the caller's service.
    SourceLabel(String),
    /// `destination.service`: the callee's name.
    DestinationService,
    /// `destination.version`: the version that the callee's proxy stands for.
    DestinationVersion,
    /// `destination.port`: the port of the callee's service.
    DestinationPort,
    /// `destination.labels['x']`: a label of the callee's service.
    DestinationLabel(String),
    /// `connection.mtls`: whether the connection is mutual TLS.
    Mtls,
    /// `connection.tlsVersion`, `1.3`, `1.2` or empty.
    TlsVersion,
    /// `connection.sni`: the server name that the client asked for, empty where absent.
    Sni,
    /// `now`: the time of the request's arrival, filled in by the proxy.
    Now,
}

impl Slot {
    /// The type of the slot's value.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Size | Self::DestinationPort => Type::Int,
            Self::Mtls => Type::Bool,
            Self::Now => Type::Time,
            Self::Method
            | Self::Path
            | Self::Host
            | Self::Scheme
            | Self::Header(_)
            | Self::Query(_)
            | Self::Cookie(_)
            | Self::Param(_)
            | Self::Principal
            | Self::TrustDomain
            | Self::Service
            | Self::Ip
            | Self::SourceLabel(_)
            | Self::DestinationService
            | Self::DestinationVersion
            | Self::DestinationLabel(_)
            | Self::TlsVersion
            | Self::Sni => Type::Text,
        }
    }

    /// True for places that a request may lack: reading them needs a guard.
    #[must_use]
    pub fn optional(&self) -> bool {
        matches!(
            self,
            Self::Header(_)
                | Self::Query(_)
                | Self::Cookie(_)
                | Self::Param(_)
                | Self::SourceLabel(_)
                | Self::DestinationLabel(_)
        )
    }

    /// True for places that may hold several values.
    #[must_use]
    pub fn repeated(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Query(_) | Self::Cookie(_))
    }
}
