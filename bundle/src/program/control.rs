//! What the control plane alone reads. No proxy's scope holds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_default;

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
    /// Names of the gates that a wave must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
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
