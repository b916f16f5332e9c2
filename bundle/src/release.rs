//! Releases: what may run now. Only a release makes a bundle eligible.

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;
use crate::digest::Digest;
use crate::name::Name;

/// The signed statement that a bundle and a state may run now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// The mesh that it is for.
    pub mesh: Name,
    /// The environment that it is for.
    pub environment: Name,
    /// Counts the control planes' reigns; 0 without one.
    pub epoch: u64,
    /// Counts releases within an epoch.
    pub generation: u64,
    /// The bundle's id.
    pub bundle: Digest,
    /// The digest of `state.json`.
    pub state: Digest,
    /// Why it was made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: ReleaseKind,
    /// Unix seconds after which no source may offer it any more; absent is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Oldest generation to which a proxy may go back by itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub floor: u64,
    /// What a reviewer has seen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub acknowledges: Acknowledges,
    /// The leader's fencing number; 0 without one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fence: u64,
    /// The bundle that this one follows, as far as its maker knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<Digest>,
    /// Denials that the change from the predecessor brings on purpose, sorted; at most [`crate::limits::EXPECTED_DENIALS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected_denials: Vec<ExpectedDenial>,
}

impl Release {
    /// The first release of a bundle with a state: epoch and generation 0, no end, nothing acknowledged.
    #[must_use]
    pub fn of(mesh: Name, environment: Name, bundle: Digest, state: Digest) -> Self {
        Self {
            mesh,
            environment,
            epoch: 0,
            generation: 0,
            bundle,
            state,
            kind: ReleaseKind::default(),
            expires: None,
            floor: 0,
            acknowledges: Acknowledges::default(),
            fence: 0,
            predecessor: None,
            expected_denials: Vec::new(),
        }
    }

    /// Whether it says what this version reads and does not enforce yet: a predecessor and the denials that it expects.
    #[must_use]
    pub fn asks_for_more(&self) -> bool {
        self.predecessor.is_some() || !self.expected_denials.is_empty()
    }
}

/// A caller that loses access at an address, as a reviewer has seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedDenial {
    /// The access rules or the entry of them: `access/orders`, `access/orders/deny[0]`.
    pub address: String,
    /// The caller's SPIFFE ID, or `external`.
    pub caller: String,
}

/// Why a release was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseKind {
    /// The configuration changed.
    #[default]
    Config,
    /// A canary moved.
    Stage,
    /// Somebody holds the environment at this bundle.
    Pin,
    /// Back to an older bundle.
    Return,
}

/// What a reviewer has seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledges {
    /// So many services, rules and allow entries go away.
    #[serde(default, skip_serializing_if = "is_default")]
    pub removed: u32,
    /// Addresses at which requests are denied from now on, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
}

/// What a proxy remembers of the newest release that it accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accepted {
    /// Its epoch.
    pub epoch: u64,
    /// Its generation.
    pub generation: u64,
    /// Its bundle.
    pub bundle: Digest,
    /// Its state.
    pub state: Digest,
    /// Oldest generation to which the proxy may go back.
    pub floor: u64,
}

impl From<&Release> for Accepted {
    fn from(release: &Release) -> Self {
        Self {
            epoch: release.epoch,
            generation: release.generation,
            bundle: release.bundle,
            state: release.state,
            floor: release.floor,
        }
    }
}
