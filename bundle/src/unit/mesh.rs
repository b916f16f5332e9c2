//! The mesh unit: what every proxy needs.

use serde::{Deserialize, Serialize};

use super::route::Retry;
use crate::canonical::is_default;
use crate::limits;
use crate::name::{Name, Owner};
use crate::trust::TrustSet;

/// What holds for the whole mesh in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mesh {
    /// The mesh's name.
    pub name: Name,
    /// The environment that this program is for.
    pub environment: Name,
    /// The SPIFFE trust domain of its identities.
    pub trust_domain: String,
    /// Whether plain text is accepted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: TlsMode,
    /// Template of a service's SPIFFE path; `{env}` and `{service}` are replaced.
    #[serde(default = "default_path", skip_serializing_if = "is_default_path")]
    pub identity_path: String,
    /// Used where a rule says nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: Defaults,
    /// How long and how strictly a new bundle is watched.
    #[serde(default, skip_serializing_if = "is_default")]
    pub probation: Probation,
    /// Largest share of services, rules or allow entries that one bundle may remove unacknowledged.
    #[serde(default = "default_max_removed", skip_serializing_if = "is_default_max_removed")]
    pub max_removed: u32,
    /// Good bundles that a proxy keeps beside the newest.
    #[serde(default = "default_keep", skip_serializing_if = "is_default_keep")]
    pub keep: u32,
    /// What the access log holds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access_log: AccessLog,
    /// Remove `authorization` and `proxy-authorization` before the application sees them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remove_credentials: bool,
    /// The next trust set, in effect once a release signed by a threshold of the old one is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustSet>,
}

impl Mesh {
    /// A mesh with every default.
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

/// Whether a callee's proxy accepts plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Mutual TLS only.
    #[default]
    Strict,
    /// Mutual TLS, and plain text without a principal.
    Permissive,
}

/// Timeout and retries where a rule says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Defaults {
    /// Milliseconds from request head to last response byte; 0 is off.
    #[serde(default = "default_timeout", skip_serializing_if = "is_default_timeout")]
    pub timeout_ms: u64,
    /// Retries; none unless the mesh asks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: Retry,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { timeout_ms: default_timeout(), retry: Retry::default() }
    }
}

/// Bounds of the watch over a new bundle (rung 9 of the ladder).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probation {
    /// Counted requests before a verdict.
    pub min_requests: u32,
    /// Basis points by which the bad share may exceed the old one.
    pub max_over: u32,
    /// Milliseconds of watching with enough requests.
    pub window_ms: u64,
    /// Milliseconds after which a quiet bundle counts as good (quiet).
    pub max_ms: u64,
}

impl Default for Probation {
    /// 50 requests, 5 points, 60 s, 30 minutes: `design: activation ladder, rung 9`.
    fn default() -> Self {
        Self { min_requests: 50, max_over: 500, window_ms: 60_000, max_ms: 1_800_000 }
    }
}

/// What the access log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLog {
    /// Every request.
    #[default]
    All,
    /// Requests answered with 4xx or 5xx, or denied.
    Errors,
    /// Nothing.
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
