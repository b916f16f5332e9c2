//! What became of a request.

use mesh_bundle::Owner;
use serde::Serialize;

use super::note::{Fact, Note, assumptions};
use crate::engine::Engine;
use crate::explain::Step;
use crate::head::Rejection;
use crate::inbound_decision::Charge;
use crate::reason::Reason;
use crate::request::Request;

/// The reason of a journey that ends without an answer: the gateway takes TLS alone and closes a connection in clear.
pub const NEEDS_TLS: &str = "needs-tls";

/// The outcome of a request, hop by hop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Journey {
    /// The status, where the mesh answers itself; `None` where the service does, or nobody.
    pub status: Option<u16>,
    /// A short word for the reason of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason in words that a head or a path is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The gateway that a stranger came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Address of the gateway's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge_rule: Option<String>,
    /// Address of the service's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Name of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its version, for the pick that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The path that the service sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The host that the service sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Header lines that the service sees, of those asked with and those that rules add.
    #[serde(skip)]
    pub headers: Vec<(String, Vec<u8>)>,
    /// The access verdict: `allow`, `deny`, `audit-deny`; absent where the request did not get that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
    /// Address of the access entry that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_entry: Option<String>,
    /// The service or gateway whose access rules decided, or keep the caller from seeing it at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_owner: Option<Owner>,
    /// Addresses of the limits that are charged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<String>,
    /// Timeout in milliseconds; 0 is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Number of tries after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The `location` of a redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Rules that were asked at the first hop: a gateway's, then those of the service's Route behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Access entries that were asked, at the gateway's door and at the service's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_steps: Vec<Step>,
    /// Remarks, such as facts that rules read and nobody gave.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl Journey {
    /// True if the first hop closes the connection without an answer.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.status.is_none() && self.reason.as_deref() == Some(NEEDS_TLS)
    }

    pub(super) fn refuse(&mut self, reason: Reason) {
        self.status = Some(reason.status());
        self.reason = Some(reason.word().to_owned());
    }

    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.refuse(rejection.reason());
        self.detail = Some(rejection.to_string());
    }

    /// Notes the steps of a hop that read what nobody gave.
    pub(super) fn assume(&mut self, steps: &[Step], facts: &[Fact]) {
        for note in assumptions(steps, facts) {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// Takes up the verdict of a door about a request: a gateway's before its Routes, or a callee's. `facts` are those
    /// that nobody gave. False if it does not pass.
    pub(super) fn enter(&mut self, engine: &Engine, request: &Request<'_>, facts: &[Fact]) -> bool {
        if let Err(reason) = engine.admits_connection(request) {
            self.refuse(reason);
            return false;
        }
        let door = engine.decide_inbound(request);
        let steps = engine.explain_inbound(request);
        self.assume(&steps, facts);
        self.access_steps.extend(steps);
        self.access = Some(door.verdict.word().to_owned());
        self.access_entry = door.verdict.entry().map(str::to_owned);
        self.access_owner = Some(engine.owner().clone());
        let limit = |charge: &Charge<'_>| {
            let limit = engine.limits().get(charge.limit)?;
            Some(format!("quota/{}/{}", engine.owner(), limit.name))
        };
        self.quotas.extend(door.charges.iter().filter_map(limit));
        let refusal = door.verdict.refusal();
        if let Some(reason) = refusal {
            self.refuse(reason);
        }
        refusal.is_none()
    }
}
