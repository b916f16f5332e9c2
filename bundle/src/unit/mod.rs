//! Units: the smallest parts of a bundle that are diffed and fetched on their own.
//!
//! Times are milliseconds, shares are basis points (1/10,000). Fields at their default are
//! not written, so a newer compiler gives the same bytes for an old spec.

mod access;
mod canary;
mod control;
mod mesh;
mod quota;
mod requires;
mod route;
mod service;

use std::fmt;
use std::str::FromStr;

pub use access::{Access, AccessMode, Entry, From};
pub use canary::{Analysis, Canary, Measure, Metric, NoData, OnFailure, Stage, Strategy};
pub use control::{Certificates, Control, Follow, Gate, Objective, Proxies, Team, Wave};
pub use mesh::{AccessLog, Defaults, Mesh, Probation, TlsMode};
pub use quota::{Limit, Quotas, Rate, RateKey};
pub use route::{
    Action, Destination, HeaderEdits, Match, Matches, Redirect, Respond, Retry, RetryOn, Rewrite,
    RewritePath, Role, Routes, Rule, Sticky, Target, ValueMatch, ValueTest,
};
pub use service::{Balancer, Gateway, Outlier, Protocol, Resilience, Service, SlashMode};

use requires::Used;

use crate::canonical::{self, CanonicalError};
use crate::name::{Name, NotAName, Owner};

/// The id of a unit, which is one concern of one owner. Its text is the path below `units/`: `routes/orders`,
/// `routes/public/edge`, `access/gateway/public`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitId {
    /// `mesh`: settings of the whole mesh.
    Mesh,
    /// `control`: settings of the control plane.
    Control,
    /// `services/<name>`: a service.
    Service(Name),
    /// `gateways/<name>`: a gateway.
    Gateway(Name),
    /// `routes/<service>`: the Route of a service.
    Routes(Name),
    /// `routes/<gateway>/<name>`: one Route of a gateway.
    GatewayRoutes(Name, Name),
    /// `access/<owner>`: the access rules of a service or gateway.
    Access(Owner),
    /// `quotas/<owner>`: the limits of a service or gateway.
    Quotas(Owner),
    /// `canaries/<service>`: the canary of a service.
    Canary(Name),
    /// `resilience/<service>`: the resilience of a service.
    Resilience(Name),
}

impl UnitId {
    /// The owner of the unit; `None` for units of the mesh.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        match self {
            Self::Mesh | Self::Control => None,
            Self::Service(name) | Self::Routes(name) | Self::Canary(name) | Self::Resilience(name) => {
                Some(Owner::Service(name.clone()))
            }
            Self::Gateway(name) | Self::GatewayRoutes(name, _) => Some(Owner::Gateway(name.clone())),
            Self::Access(owner) | Self::Quotas(owner) => Some(owner.clone()),
        }
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mesh => f.write_str("mesh"),
            Self::Control => f.write_str("control"),
            Self::Service(name) => write!(f, "services/{name}"),
            Self::Gateway(name) => write!(f, "gateways/{name}"),
            Self::Routes(name) => write!(f, "routes/{name}"),
            Self::GatewayRoutes(gateway, name) => write!(f, "routes/{gateway}/{name}"),
            Self::Access(owner) => write!(f, "access/{owner}"),
            Self::Quotas(owner) => write!(f, "quotas/{owner}"),
            Self::Canary(name) => write!(f, "canaries/{name}"),
            Self::Resilience(name) => write!(f, "resilience/{name}"),
        }
    }
}

impl FromStr for UnitId {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let (kind, rest) = match text {
            "mesh" => return Ok(Self::Mesh),
            "control" => return Ok(Self::Control),
            _ => text.split_once('/').ok_or(NotAName)?,
        };
        Ok(match kind {
            "services" => Self::Service(Name::new(rest)?),
            "gateways" => Self::Gateway(Name::new(rest)?),
            "routes" => match rest.split_once('/') {
                Some((gateway, name)) => Self::GatewayRoutes(Name::new(gateway)?, Name::new(name)?),
                None => Self::Routes(Name::new(rest)?),
            },
            "access" => Self::Access(rest.parse()?),
            "quotas" => Self::Quotas(rest.parse()?),
            "canaries" => Self::Canary(Name::new(rest)?),
            "resilience" => Self::Resilience(Name::new(rest)?),
            _ => return Err(NotAName),
        })
    }
}

/// The content of a unit, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Content of [`UnitId::Mesh`].
    Mesh(Mesh),
    /// Content of [`UnitId::Control`].
    Control(Control),
    /// Content of [`UnitId::Service`].
    Service(Service),
    /// Content of [`UnitId::Gateway`].
    Gateway(Gateway),
    /// Content of [`UnitId::Routes`] and [`UnitId::GatewayRoutes`].
    Routes(Routes),
    /// Content of [`UnitId::Access`].
    Access(Access),
    /// Content of [`UnitId::Quotas`].
    Quotas(Quotas),
    /// Content of [`UnitId::Canary`].
    Canary(Canary),
    /// Content of [`UnitId::Resilience`].
    Resilience(Resilience),
}

impl Unit {
    /// Features that a proxy must have to read this unit, sorted; each is of [`crate::features::FEATURES`].
    #[must_use]
    pub fn requires(&self) -> Vec<String> {
        let mut used = Used::default();
        match self {
            Self::Mesh(unit) => used.mesh(unit),
            Self::Gateway(unit) => used.gateway(unit),
            Self::Routes(unit) => used.routes(unit),
            Self::Access(unit) => used.access(unit),
            Self::Quotas(unit) => used.quotas(unit),
            Self::Canary(unit) => used.canary(unit),
            Self::Control(_) | Self::Service(_) | Self::Resilience(_) => {}
        }
        used.names().map(str::to_owned).collect()
    }

    /// Serialises the unit to canonical bytes.
    ///
    /// # Errors
    /// When a value has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        match self {
            Self::Mesh(unit) => canonical::to_bytes(unit),
            Self::Control(unit) => canonical::to_bytes(unit),
            Self::Service(unit) => canonical::to_bytes(unit),
            Self::Gateway(unit) => canonical::to_bytes(unit),
            Self::Routes(unit) => canonical::to_bytes(unit),
            Self::Access(unit) => canonical::to_bytes(unit),
            Self::Quotas(unit) => canonical::to_bytes(unit),
            Self::Canary(unit) => canonical::to_bytes(unit),
            Self::Resilience(unit) => canonical::to_bytes(unit),
        }
    }

    /// Reads the unit that `id` names from canonical bytes, strictly.
    ///
    /// # Errors
    /// When the bytes are no canonical unit of this kind.
    pub fn from_bytes(id: &UnitId, bytes: &[u8]) -> Result<Self, CanonicalError> {
        let unit = Self::from_verified(id, bytes)?;
        canonical::must_be(bytes, &unit.to_bytes()?)?;
        Ok(unit)
    }

    /// Reads the unit that `id` names from bytes that [`Unit::from_bytes`] took before: in another process, say.
    /// Whether they are canonical is not checked again, which is most of the work.
    ///
    /// # Errors
    /// When the bytes are no unit of this kind.
    pub fn from_verified(id: &UnitId, bytes: &[u8]) -> Result<Self, CanonicalError> {
        Ok(match id {
            UnitId::Mesh => Self::Mesh(serde_json::from_slice(bytes)?),
            UnitId::Control => Self::Control(serde_json::from_slice(bytes)?),
            UnitId::Service(_) => Self::Service(serde_json::from_slice(bytes)?),
            UnitId::Gateway(_) => Self::Gateway(serde_json::from_slice(bytes)?),
            UnitId::Routes(_) | UnitId::GatewayRoutes(..) => Self::Routes(serde_json::from_slice(bytes)?),
            UnitId::Access(_) => Self::Access(serde_json::from_slice(bytes)?),
            UnitId::Quotas(_) => Self::Quotas(serde_json::from_slice(bytes)?),
            UnitId::Canary(_) => Self::Canary(serde_json::from_slice(bytes)?),
            UnitId::Resilience(_) => Self::Resilience(serde_json::from_slice(bytes)?),
        })
    }
}
