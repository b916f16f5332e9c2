//! What the control plane alone reads. No proxy's scope holds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;

/// Teams, and how one environment is rolled out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Teams by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<String, Team>,
    /// Which branch is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<Follow>,
    /// How a bundle reaches the proxies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub proxies: Proxies,
    /// How long certificates last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub certificates: Certificates,
    /// Objectives by service; the whole mesh's is under the empty name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objectives: BTreeMap<String, Objective>,
}

/// How long certificates last; absent is the control plane's own choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificates {
    /// Milliseconds that a certificate is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_ms: Option<u64>,
    /// Milliseconds before its end at which it is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_before_ms: Option<u64>,
}

/// What a service promises, for alerts and reports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Objective {
    /// Share of requests without error, in millionths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<u32>,
    /// Milliseconds that half of the requests keep below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u64>,
    /// Milliseconds that 95 % keep below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<u64>,
    /// Milliseconds that 99 % keep below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<u64>,
}

/// What a wave must keep within. Values are millionths of a share, or of a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// `activation-errors`, `error-rate`, `p99` or `deny-rate`.
    pub measure: String,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// At most this much more than on the proxies with the old bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_over_stable: Option<u64>,
}

/// Who owns which files, and who approves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Globs of its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Who signs its commits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
    /// Who approves its stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
}

/// Which branch an environment follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// The branch.
    pub branch: String,
    /// The file with the allowed signers, below the mesh's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signers: Option<String>,
    /// Signed approvals that a change needs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approvals: u32,
}

/// How a bundle reaches the proxies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proxies {
    /// Cohorts, growing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<Wave>,
    /// Milliseconds between waves.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hold_ms: u64,
    /// What each wave must keep within.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
}

/// The size of a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wave {
    /// So many proxies.
    Count(u32),
    /// This share in basis points.
    Share(u32),
}
