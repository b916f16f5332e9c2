//! Why requests were refused, for the admin socket.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mesh_decision::explain::Step;
use serde::Serialize;

/// Refusals that are remembered for `/v1/explain`.
const MOST: usize = 1_024;

/// Why a request was refused.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The id that went over the wire.
    pub decision: String,
    /// RFC 3339, when it was refused.
    pub time: String,
    /// `outbound`, `inbound` or `gateway`.
    pub direction: &'static str,
    /// The method.
    pub method: String,
    /// The host as it came.
    pub host: String,
    /// The canonical path.
    pub path: String,
    /// The caller's principal, or its address.
    pub caller: String,
    /// The status.
    pub status: u16,
    /// A short word.
    pub reason: &'static str,
    /// The rule or entry that decided; empty for none.
    pub rule: String,
    /// The bundle that decided; empty for none.
    pub bundle: String,
    /// Where expressions of access entries were asked: the entries, with the parts that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Step>,
}

/// The latest refusals of the process.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<Explained>>);

impl Refusals {
    /// Remembers one in the place of the oldest.
    pub fn remember(&self, why: Explained) {
        let mut latest = self.lock();
        if latest.len() >= MOST {
            latest.pop_front();
        }
        latest.push_back(why);
    }

    /// The refusal of the id that went over the wire.
    #[must_use]
    pub fn find(&self, decision: &str) -> Option<Explained> {
        self.lock().iter().rev().find(|why| why.decision == decision).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Explained>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(decision: usize) -> Explained {
        let text = String::new;
        Explained {
            decision: decision.to_string(),
            time: text(),
            direction: "inbound",
            method: text(),
            host: text(),
            path: text(),
            caller: text(),
            status: 403,
            reason: "denied",
            rule: text(),
            bundle: text(),
            because: Vec::new(),
        }
    }

    #[test]
    fn the_latest_are_known_and_the_oldest_go() {
        let refusals = Refusals::default();
        (0..=MOST).for_each(|decision| refusals.remember(refused(decision)));
        assert!(refusals.find("0").is_none());
        assert!(refusals.find("1").is_some() && refusals.find(&MOST.to_string()).is_some());
    }
}
