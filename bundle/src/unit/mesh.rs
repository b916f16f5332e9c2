//! The mesh unit: settings that every proxy needs.

use serde::{Deserialize, Serialize};

use super::route::Retry;
use crate::canonical::is_default;
use crate::limits;
use crate::name::{Name, Owner};
use crate::trust::TrustSet;

/// Settings of the whole mesh in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mesh {
    /// Name of the mesh.
    pub name: Name,
    /// The environment that this program is for.
    pub environment: Name,
    /// The SPIFFE trust domain of its identities.
    pub trust_domain: String,
    /// Whether plain text is accepted; default [`TlsMode::Strict`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: TlsMode,
    /// Template of a service's SPIFFE path; `{env}` and `{service}` are replaced. Default `/{env}/{service}`.
    #[serde(default = "default_path", skip_serializing_if = "is_default_path")]
    pub identity_path: String,
    /// Timeout and retries of rules that set none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: Defaults,
    /// Bounds of the probation of a new bundle.
    #[serde(default, skip_serializing_if = "is_default")]
    pub probation: Probation,
    /// Largest share of services, rules or allow entries that one bundle may remove unacknowledged, in basis points;
    /// default 30 %.
    #[serde(default = "default_max_removed", skip_serializing_if = "is_default_max_removed")]
    pub max_removed: u32,
    /// Number of good bundles that a proxy keeps beside the newest; default 5.
    #[serde(default = "default_keep", skip_serializing_if = "is_default_keep")]
    pub keep: u32,
    /// Requests that the access log holds; default [`AccessLog::All`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub access_log: AccessLog,
    /// Whether `authorization` and `proxy-authorization` are removed before the application sees them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remove_credentials: bool,
    /// The next trust set, in effect once a release signed by a threshold of the old one is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustSet>,
}

impl Mesh {
    /// Makes a mesh with every other setting at its default.
    #[must_use]
    pub fn new(name: Name, environment: Name, trust_domain: &str) -> Self {
        Self {
            name,
            environment,
            trust_domain: trust_domain.to_owned(),
            tls: TlsMode::default(),
            identity_path: default_path(),
            defaults: Defaults::default(),
            probation: Probation::default(),
            max_removed: default_max_removed(),
            keep: default_keep(),
            access_log: AccessLog::default(),
            remove_credentials: false,
            trust: None,
        }
    }

    /// The SPIFFE ID of a service or gateway of this mesh and environment
    /// (`spiffe://<trustDomain>/<environment>/<service>`, gateways `/<environment>/gateway/<name>`).
    #[must_use]
    pub fn spiffe_id(&self, owner: &Owner) -> String {
        let path = match owner {
            Owner::Service(name) => self
                .identity_path
                .replace("{env}", self.environment.as_str())
                .replace("{service}", name.as_str()),
            Owner::Gateway(name) => format!("/{}/gateway/{name}", self.environment),
        };
        format!("spiffe://{}{path}", self.trust_domain)
    }

    /// The service or gateway of this mesh and environment that `spiffe_id` names, if any.
    /// The result is a name of the right form; whether it exists is the caller's question.
    #[must_use]
    pub fn owner_of(&self, spiffe_id: &str) -> Option<Owner> {
        let path = spiffe_id.strip_prefix("spiffe://")?.strip_prefix(self.trust_domain.as_str())?;
        let gateway = format!("/{}/gateway/", self.environment);
        if let Some(name) = path.strip_prefix(gateway.as_str()) {
            return Name::new(name).ok().map(Owner::Gateway);
        }
        let template = self.identity_path.replace("{env}", self.environment.as_str());
        let (before, after) = template.split_once("{service}")?;
        let name = path.strip_prefix(before)?.strip_suffix(after)?;
        Name::new(name).ok().map(Owner::Service)
    }
}

/// The TLS mode of a mesh: whether a callee's proxy accepts plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Mutual TLS is required.
    #[default]
    Strict,
    /// Mutual TLS is accepted, and plain text without a principal.
    Permissive,
}

/// Timeout and retries of rules that set none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Defaults {
    /// Milliseconds from request head to last response byte; 0 is off. Default 15 s, as in Envoy.
    #[serde(default = "default_timeout", skip_serializing_if = "is_default_timeout")]
    pub timeout_ms: u64,
    /// Retries; default none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: Retry,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { timeout_ms: default_timeout(), retry: Retry::default() }
    }
}

/// Bounds of the probation of a new bundle (rung 9 of the ladder).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probation {
    /// Number of counted requests before a verdict.
    pub min_requests: u32,
    /// Largest difference of the share of bad requests over that of the old bundle, in basis points.
    pub max_over: u32,
    /// Time of observation with enough requests, in milliseconds.
    pub window_ms: u64,
    /// Time after which a bundle without enough requests counts as good (quiet), in milliseconds.
    pub max_ms: u64,
}

impl Default for Probation {
    /// 50 requests, 5 percentage points, 60 s, 30 minutes: `design: activation ladder, rung 9`.
    fn default() -> Self {
        Self { min_requests: 50, max_over: 500, window_ms: 60_000, max_ms: 1_800_000 }
    }
}

/// The requests that the access log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLog {
    /// Every request is logged.
    #[default]
    All,
    /// Requests answered with 4xx or 5xx, or denied, are logged.
    Errors,
    /// Nothing is logged.
    Off,
}

fn default_path() -> String {
    "/{env}/{service}".to_owned()
}

fn is_default_path(path: &str) -> bool {
    path == "/{env}/{service}"
}

fn default_max_removed() -> u32 {
    limits::WHOLE * 30 / 100
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_default_max_removed(value: &u32) -> bool {
    *value == default_max_removed()
}

fn default_keep() -> u32 {
    5
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_default_keep(value: &u32) -> bool {
    *value == default_keep()
}

/// 15 s, Envoy's default for a route.
fn default_timeout() -> u64 {
    15_000
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_default_timeout(value: &u64) -> bool {
    *value == default_timeout()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mesh() -> Mesh {
        Mesh::new(Name::new("shop").unwrap(), Name::new("prod").unwrap(), "shop.example")
    }

    #[test]
    fn identities_go_both_ways() {
        let mut mesh = mesh();
        for template in ["/{env}/{service}", "/ns/{env}/sa/{service}"] {
            mesh.identity_path = template.to_owned();
            for owner in ["orders", "gateway/public"] {
                let owner: Owner = owner.parse().unwrap();
                assert_eq!(mesh.owner_of(&mesh.spiffe_id(&owner)), Some(owner));
            }
        }
    }

    #[test]
    fn another_environment_or_domain_is_nobody() {
        let mesh = mesh();
        for id in [
            "spiffe://shop.example/dev/orders",
            "spiffe://shop.example.evil/prod/orders",
            "spiffe://evil/prod/orders",
            "spiffe://shop.example/prod/orders/x",
            "spiffe://shop.example/prod/",
        ] {
            assert_eq!(mesh.owner_of(id), None, "{id}");
        }
    }

    #[test]
    fn a_plain_mesh_writes_three_fields() {
        let text = serde_json::to_string(&mesh()).unwrap();
        assert_eq!(text, r#"{"name":"shop","environment":"prod","trustDomain":"shop.example"}"#);
        assert_eq!(serde_json::from_str::<Mesh>(&text).unwrap(), mesh());
    }
}
