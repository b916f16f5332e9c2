//! Services, gateways, and how they stay up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;
use crate::limits;
use crate::name::Name;

/// Who exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// Where the mesh listens for it.
    pub port: u16,
    /// Where its application listens on loopback, if elsewhere than on `port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_port: Option<u16>,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protocol: Protocol,
    /// Its versions, sorted; never empty.
    #[serde(default = "one_version", skip_serializing_if = "is_one_version")]
    pub versions: Vec<Name>,
    /// What rules can select it by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Whether `%2F` in paths is refused or kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub escaped_slashes: SlashMode,
    /// Where to find each version: `host:port` for DNS, from the environment's discovery.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<Name, Vec<String>>,
}

impl Service {
    /// The application's port on loopback.
    #[must_use]
    pub fn application_port(&self) -> u16 {
        self.app_port.unwrap_or(self.port)
    }
}

fn one_version() -> Vec<Name> {
    Name::new("v1").into_iter().collect()
}

fn is_one_version(versions: &[Name]) -> bool {
    matches!(versions, [only] if only.as_str() == "v1")
}

/// What a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1 to the service; HTTP/1.1 and HTTP/2 from callers.
    #[default]
    Http,
    /// gRPC: HTTP/2 all the way.
    Grpc,
}

/// What happens to `%2F` and `%5C` in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlashMode {
    /// 400.
    #[default]
    Reject,
    /// Kept as they are, as part of a segment.
    Keep,
}

/// A public door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// Its port.
    pub listen: u16,
    /// Hosts that it answers for: exact, or `*.x`.
    pub hosts: Vec<String>,
    /// The secret with its certificate; absent for plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// How callers treat a service's endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resilience {
    /// How an endpoint is chosen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub balancer: Balancer,
    /// When an endpoint is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlier: Option<Outlier>,
    /// Connections of one proxy to the service; absent is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// Requests of one proxy that wait for a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_requests: Option<u32>,
    /// Requests of one proxy in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
}

/// How an endpoint is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Balancer {
    /// One after the other.
    #[default]
    RoundRobin,
}

/// Consecutive-error ejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outlier {
    /// 5xx, connect failures and timeouts in a row that eject an endpoint.
    pub consecutive_errors: u32,
    /// Milliseconds of the first ejection; each further one lasts one more of it.
    pub eject_for_ms: u64,
    /// Largest share of a service's endpoints out at once, in basis points.
    #[serde(default = "half", skip_serializing_if = "is_half")]
    pub max_ejected: u32,
}

fn half() -> u32 {
    limits::WHOLE / 2
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_half(value: &u32) -> bool {
    *value == half()
}
