//! Releases: signed statements of the bundle and state that may run now. Only a release makes a bundle eligible.

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;
use crate::digest::Digest;
use crate::name::Name;

/// The signed statement that a bundle and a state may run now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// Name of the mesh that the release is for.
    pub mesh: Name,
    /// Name of the environment that the release is for.
    pub environment: Name,
    /// Number of the control plane's term, rising with each new leader; 0 without a control plane. At most
    /// [`crate::limits::MAX_GENERATION`].
    pub epoch: u64,
    /// Number of the release within its epoch, rising. At most [`crate::limits::MAX_GENERATION`].
    pub generation: u64,
    /// Id of the bundle.
    pub bundle: Digest,
    /// Digest of `state.json`.
    pub state: Digest,
    /// The event that the release was made for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: ReleaseKind,
    /// Unix seconds after which no source may offer it any more; absent is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Oldest generation to which a proxy may go back by itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub floor: u64,
    /// Changes that a reviewer has acknowledged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub acknowledges: Acknowledges,
    /// Fencing token of the leader; 0 without one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fence: u64,
    /// Id of the bundle that this one follows, as far as its maker knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<Digest>,
    /// Denials that the change from the predecessor brings on purpose, sorted; at most
    /// [`crate::limits::EXPECTED_DENIALS`].
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

    /// True if the release holds parts that this version reads and does not enforce yet: a predecessor or the denials
    /// that it expects.
    #[must_use]
    pub fn asks_for_more(&self) -> bool {
        self.predecessor.is_some() || !self.expected_denials.is_empty()
    }
}

/// A caller that loses access at an address, acknowledged by a reviewer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedDenial {
    /// Address of the access rules or of an entry of them: `access/orders`, `access/orders/deny[0]`.
    pub address: String,
    /// The caller's SPIFFE ID, or `external`.
    pub caller: String,
}

/// The event that a release is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseKind {
    /// The configuration changed.
    #[default]
    Config,
    /// A canary moved to another stage.
    Stage,
    /// An operator pinned the environment to this bundle.
    Pin,
    /// The environment returned to an older bundle.
    Return,
}

/// Changes that a reviewer has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledges {
    /// The number of services, rules and allow entries that may be removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub removed: u32,
    /// Addresses at which requests are denied from now on, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
}

/// The newest release that a proxy has accepted, as the proxy remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accepted {
    /// The epoch of the release.
    pub epoch: u64,
    /// The generation of the release.
    pub generation: u64,
    /// Id of its bundle.
    pub bundle: Digest,
    /// Digest of its state.
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
