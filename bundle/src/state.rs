//! The state of the rollout: the current stage of each canary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::program::Program;

/// The current stage of each canary, by address (`canary/orders`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Canaries that have begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub canaries: BTreeMap<String, CanaryState>,
}

/// The progress of one canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryState {
    /// Number of the stage: 0 is none, 1 the first, one past the last is done.
    pub stage: u32,
    /// The candidate's share in basis points.
    pub weight: u32,
    /// Content id of the candidate that the share is for.
    pub content: Digest,
}

impl State {
    /// The candidate's weight in basis points for the canary of `service` in `program`: 0 unless
    /// this state names that very candidate.
    #[must_use]
    pub fn weight(&self, program: &Program, service: &str) -> u32 {
        let weight = || {
            let canary = program.canaries.get(service)?;
            let state = self.canaries.get(&format!("canary/{service}"))?;
            let content = canary.content_id(program.services.get(service)?).ok()?;
            (state.content == content).then_some(state.weight.min(crate::limits::WHOLE))
        };
        weight().unwrap_or(0)
    }
}
