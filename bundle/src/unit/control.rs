//! The control unit: settings that only the control plane reads. No proxy's scope holds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;

/// The teams of a mesh, and the rollout settings of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Teams by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<String, Team>,
    /// Branch that the environment follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<Follow>,
    /// Rollout of releases to the proxies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub proxies: Proxies,
    /// Lifetime of certificates.
    #[serde(default, skip_serializing_if = "is_default")]
    pub certificates: Certificates,
    /// Objectives by service; the whole mesh's is under the empty name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objectives: BTreeMap<String, Objective>,
}

/// Lifetime of certificates; an absent part is the control plane's own choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificates {
    /// Validity of a certificate in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_ms: Option<u64>,
    /// Time before the end of its validity at which a certificate is replaced, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_before_ms: Option<u64>,
}

/// Service-level objectives (SLO) of a service, for alerts and reports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Objective {
    /// Smallest share of requests without error, in millionths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<u32>,
    /// Latency that 50 % of the requests keep below, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u64>,
    /// Latency that 95 % of the requests keep below, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u64>,
    /// Latency that 99 % of the requests keep below, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<u64>,
}

/// A limit that a wave must keep within. Values are millionths of a share, or of a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// The measure that is limited: `activation-errors`, `error-rate`, `p99` or `deny-rate`.
    pub measure: String,
    /// Largest accepted value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Largest accepted difference over the proxies with the old bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_over_stable: Option<u64>,
}

/// A team: its files, and the people who sign and approve for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Globs of the files that the team owns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// People who sign the team's commits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
    /// People who approve stages that ask for the team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
}

/// The branch that an environment follows, with its signatures and approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// Name of the branch.
    pub branch: String,
    /// The file with the allowed signers, below the mesh's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signers: Option<String>,
    /// Number of signed approvals that a change needs; default 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approvals: u32,
}

/// The rollout of a release to the proxies of an environment, in waves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proxies {
    /// Sizes of the cohorts, growing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<Wave>,
    /// Time for which each wave is watched before the next, in milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hold_ms: u64,
    /// Limits that each wave must keep within.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
}

/// The size of a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wave {
    /// The number of proxies.
    Count(u32),
    /// The share of the environment's proxies, in basis points.
    Share(u32),
}
