//! Canaries: how a new version arrives.

use serde::{Deserialize, Serialize};

use super::route::{Match, Sticky};
use super::service::Service;
use crate::canonical;
use crate::canonical::is_default;
use crate::digest::Digest;
use crate::name::Name;

/// A canary of one service. Proxies use roles, stickiness and the stages' weights; the rest is
/// the control plane's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Canary {
    /// The version that is there.
    pub stable: Name,
    /// The version that arrives; absent once it is the stable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Name>,
    /// Shape of the growth.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: Strategy,
    /// How the split sticks to a caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// Strictly growing, 1 to 20, each below 100 %; none without a candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// What is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    /// What a failed check does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_failure: OnFailure,
    /// What a commit during the canary does: `queue`, `restart` or `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_new_commit: Option<String>,
    /// False where a person promotes.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub auto_promote: bool,
}

impl Canary {
    /// What identifies this candidate across bundles: the digest of service unit, version and
    /// canary. State that names another content has no effect.
    ///
    /// # Errors
    /// When one of the parts has no canonical form, which no program from the compiler lacks.
    pub fn content_id(&self, service: &Service) -> Result<Digest, canonical::CanonicalError> {
        canonical::to_bytes(&(service, &self.candidate, self)).map(|bytes| Digest::of(&bytes))
    }

    /// The candidate's weight in basis points at `stage`: 0 is none, 1 is the first, one past
    /// the last is the whole. `None` past that.
    #[must_use]
    pub fn weight_at(&self, stage: u32) -> Option<u32> {
        let stage = usize::try_from(stage).ok()?;
        match stage.checked_sub(1) {
            None => Some(0),
            Some(index) if index == self.stages.len() => Some(crate::limits::WHOLE),
            Some(index) => self.stages.get(index).map(|s| s.weight),
        }
    }
}

/// Shape of the growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// Stage by stage.
    #[default]
    Canary,
    /// All at once, from one version to the other. Requires [`crate::features::BLUE_GREEN`].
    BlueGreen,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// The candidate's share in basis points.
    pub weight: u32,
    /// Milliseconds of observed time.
    pub hold_ms: u64,
    /// The team that must approve before the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// The requests that the stage is for; absent is all. Requires [`crate::features::STAGE_MATCH`].
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "match")]
    pub matches: Option<Box<Match>>,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// Milliseconds between checks.
    pub interval_ms: u64,
    /// Requests of the candidate before a check counts.
    pub min_requests: u32,
    /// What silence does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_data: NoData,
    /// Failed checks of one metric in a stage that are still allowed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failure_limit: u32,
    /// The metrics.
    pub metrics: Vec<Metric>,
}

/// One metric. Values are millionths of its unit: a share of 1, or a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub measure: Measure,
    /// Over it, a check fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Over it, the canary goes back at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_over: Option<u64>,
    /// More than this over the stable version's value, a check fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_over_stable: Option<u64>,
    /// Milliseconds that a check looks back; absent is the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
}

/// Where a metric comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Measure {
    /// Failed over all, on callers' last tries.
    ErrorRate,
    /// Median latency.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// A PromQL query.
    Query(String),
}

/// What silence does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoData {
    /// Waits.
    #[default]
    Pause,
    /// Counts as a failed check.
    Fail,
    /// Does not count.
    Ignore,
}

/// What a failed canary does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// All traffic to the stable version.
    #[default]
    Rollback,
    /// Stays where it is.
    Freeze,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_yes(value: &bool) -> bool {
    *value
}
