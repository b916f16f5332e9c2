//! Canaries: the gradual rollout of a new version of a service.

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
    /// The version that serves before the canary.
    pub stable: Name,
    /// The version that is rolled out; absent once it is the stable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Name>,
    /// Shape of the growth; default [`Strategy::Canary`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: Strategy,
    /// Key by which the split is sticky; absent draws each request anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// Stages with strictly growing weights, 1 to 20, each below 100 %; none without a candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// Metrics and their checks; absent checks nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    /// Reaction to a failed check; default [`OnFailure::Rollback`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_failure: OnFailure,
    /// Reaction to a commit during the canary: `queue`, `restart` or `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_new_commit: Option<String>,
    /// False where a person promotes; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub auto_promote: bool,
}

impl Canary {
    /// The content id, which identifies this candidate across bundles: the digest of service unit, version and
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

/// Shape of a canary's growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// The candidate's share grows stage by stage.
    #[default]
    Canary,
    /// All traffic moves at once, from one version to the other. Requires [`crate::features::BLUE_GREEN`].
    BlueGreen,
}

/// One stage of a canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// The candidate's share in basis points.
    pub weight: u32,
    /// Duration of the stage in milliseconds of observed time.
    pub hold_ms: u64,
    /// The team that must approve before the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// The requests that the stage is for; absent is all. Requires [`crate::features::STAGE_MATCH`].
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "match")]
    pub matches: Option<Box<Match>>,
}

/// The analysis of a canary: the metrics that are watched, and when a check counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// Time between two checks in milliseconds.
    pub interval_ms: u64,
    /// Requests of the candidate before a check counts.
    pub min_requests: u32,
    /// Reaction to too few requests; default [`NoData::Pause`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_data: NoData,
    /// Failed checks of one metric in a stage that are still allowed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failure_limit: u32,
    /// Metrics that must stay within their bounds.
    pub metrics: Vec<Metric>,
}

/// One metric of an analysis. Values are millionths of its unit: a share of 1, or a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metric {
    /// Name of the metric, unique in the analysis.
    pub name: String,
    /// Source of the value.
    pub measure: Measure,
    /// Largest value; above it, a check fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Value above which the canary goes back at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_over: Option<u64>,
    /// Largest difference over the stable version's value; above it, a check fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_over_stable: Option<u64>,
    /// Time that a check looks back, in milliseconds; absent is the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
}

/// The source of a metric's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Measure {
    /// Share of failed requests among all, counted on callers' last tries.
    ErrorRate,
    /// Median latency (50th percentile).
    P50,
    /// 95th percentile of latency.
    P95,
    /// 99th percentile of latency.
    P99,
    /// A PromQL query that gives one number.
    Query(String),
}

/// The reaction of an analysis to too few requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoData {
    /// The canary waits.
    #[default]
    Pause,
    /// The check counts as failed.
    Fail,
    /// The check does not count.
    Ignore,
}

/// The reaction of a canary to a failed check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// All traffic goes back to the stable version.
    #[default]
    Rollback,
    /// The canary stays at its stage.
    Freeze,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_yes(value: &bool) -> bool {
    *value
}
