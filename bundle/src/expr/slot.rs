//! The places of a request that rules can read.

use serde::{Deserialize, Serialize};

/// The type of a slot, literal or instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// Truth value.
    Bool,
    /// 64-bit integer.
    Int,
    /// Text.
    Text,
    /// Point in time.
    Time,
    /// Length of time.
    Span,
    /// IP address.
    Ip,
}

/// A place of the request that rules can read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Slot {
    /// `request.method`
    Method,
    /// `request.path`, normalised
    Path,
    /// `request.host`, lower case, without port
    Host,
    /// `request.scheme`
    Scheme,
    /// `request.size`: declared body size in bytes, 0 where unknown
    Size,
    /// `request.headers['x']`
    Header(String),
    /// `request.query['x']`
    Query(String),
    /// `request.cookies['x']`
    Cookie(String),
    /// `request.params.x`
    Param(String),
    /// `source.principal`, empty without mutual TLS
    Principal,
    /// `source.trustDomain`, empty without mutual TLS
    TrustDomain,
    /// `source.service`, empty where the caller is none of this mesh and environment
    Service,
    /// `source.ip`, as text
    Ip,
    /// `source.labels['x']`
    SourceLabel(String),
    /// `destination.service`
    DestinationService,
    /// `destination.version`
    DestinationVersion,
    /// `destination.port`
    DestinationPort,
    /// `destination.labels['x']`
    DestinationLabel(String),
    /// `connection.mtls`
    Mtls,
    /// `connection.tlsVersion`, `1.3`, `1.2` or empty
    TlsVersion,
    /// `connection.sni`, empty where absent
    Sni,
    /// `now`: when the request came, filled by the proxy
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
