//! Services, gateways, and the resilience of calls to services.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;
use crate::limits;
use crate::name::Name;

/// A service: its ports, protocol, versions and labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// Port on which the mesh listens for the service.
    pub port: u16,
    /// Port on which its application listens on loopback, if another than `port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_port: Option<u16>,
    /// Protocol that the service speaks; default [`Protocol::Http`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub protocol: Protocol,
    /// Versions of the service, sorted; never empty. Default `v1` alone.
    #[serde(default = "one_version", skip_serializing_if = "is_one_version")]
    pub versions: Vec<Name>,
    /// Labels by which rules select the service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Handling of `%2F` and `%5C` in paths; default [`SlashMode::Reject`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub escaped_slashes: SlashMode,
    /// Addresses of each version: `host:port` for DNS, from the environment's discovery.
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

/// The protocol that a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1 to the service; HTTP/1.1 and HTTP/2 from callers.
    #[default]
    Http,
    /// gRPC: HTTP/2 all the way.
    Grpc,
}

/// The handling of `%2F` and `%5C` in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlashMode {
    /// The request is answered 400.
    #[default]
    Reject,
    /// They are kept escaped, as part of a segment.
    Keep,
}

/// A gateway: an entry point for callers from outside the mesh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// Port on which the gateway listens.
    pub listen: u16,
    /// Hosts that the gateway answers for: exact, `*.x`, or `*` for every other one.
    pub hosts: Vec<String>,
    /// Name of the secret with the certificate; absent for plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// Load balancing, outlier ejection and limits of a caller's proxy towards a service's endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resilience {
    /// Policy that chooses an endpoint; default [`Balancer::RoundRobin`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub balancer: Balancer,
    /// Ejection of failing endpoints; absent never ejects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlier: Option<Outlier>,
    /// Largest number of connections of one proxy to the service; absent is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// Largest number of requests of one proxy that wait for a connection; absent is the bound of the proxy itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_requests: Option<u32>,
    /// Largest number of requests of one proxy in flight; absent is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
}

/// The load-balancing policy, which chooses an endpoint for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Balancer {
    /// Endpoints take turns.
    #[default]
    RoundRobin,
}

/// Outlier ejection by consecutive errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outlier {
    /// Number of 5xx, connect failures and timeouts in a row that ejects an endpoint.
    pub consecutive_errors: u32,
    /// Duration of the first ejection in milliseconds; each further one lasts longer by as much.
    pub eject_for_ms: u64,
    /// Largest share of a service's endpoints ejected at once, in basis points; default 50 %.
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
