//! Why a request goes where it goes: every rule that was passed over, and the part that said no.

use serde::Serialize;

use crate::build::{BuiltAction, Table};
use crate::engine::Engine;
use crate::matcher::{Matched, Part};
use crate::request::Request;

/// One rule that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The rule's address.
    pub rule: String,
    /// `taken`, or the part that did not hold: `path`, `method`, `value`, `caller`, `when`,
    /// `ambiguous`; `fence` where a Route keeps later ones out.
    pub verdict: &'static str,
}

/// Most steps of an explanation; the rules before the deciding one matter most, so the oldest
/// that differ in path only are dropped first.
pub const STEPS: usize = 100;

impl Engine {
    /// The rules of the table that a host leads to, in order, up to the one that took the request.
    #[must_use]
    pub fn explain_outbound(&self, request: &Request<'_>) -> Vec<Step> {
        self.table_for(request.host).map(|table| self.steps(table, request)).unwrap_or_default()
    }

    /// The same for the Route of a service that a gateway's rule leads to.
    #[must_use]
    pub fn explain_service(&self, service: &mesh_bundle::Name, request: &Request<'_>) -> Vec<Step> {
        self.table_of_service(service).map(|table| self.steps(table, request)).unwrap_or_default()
    }

    fn steps(&self, table: &Table, request: &Request<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        for rule in &table.rules {
            let matched = rule.matcher.test_whole(request, &self.program().services, None);
            let fence = matches!(rule.action, BuiltAction::Fence);
            let verdict = match matched {
                Matched::Yes if fence => "fence",
                Matched::Yes => "taken",
                Matched::No(_) if fence => continue,
                Matched::No(Part::Path) => "path",
                Matched::No(Part::Method) => "method",
                Matched::No(Part::Value) => "value",
                Matched::No(Part::Caller) => "caller",
                Matched::No(Part::When) => "when",
                Matched::Ambiguous => "ambiguous",
            };
            steps.push(Step { rule: rule.reference.address.to_string(), verdict });
            if matches!(matched, Matched::Yes | Matched::Ambiguous) {
                break;
            }
        }
        let extra = steps.len().saturating_sub(STEPS);
        let mut dropped = 0;
        steps.retain(|step| {
            let drop = dropped < extra && step.verdict == "path";
            dropped += usize::from(drop);
            !drop
        });
        steps
    }
}
