//! The journal: what this proxy runs, ran, refused and must never go below.

use std::collections::BTreeMap;

use mesh_bundle::release::Accepted;
use mesh_bundle::trust::TrustSet;
use mesh_bundle::{Digest, Refusal, State};
use serde::{Deserialize, Serialize};

use super::words::{ActivationCause, Judgement};

/// Activations that are remembered.
const HISTORY: usize = 64;
/// Bundles that are remembered as quarantined.
const QUARANTINE: usize = 256;
/// Trust sets that are remembered.
const TRUST: usize = 8;
/// Deaths before rung 10 after which a bundle is not started again (`bundle.md`, "Activation ladder").
pub const BOOT_ATTEMPTS: u32 = 3;

/// The journal's content. Written as one file at every change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Journal {
    /// The bundle in force.
    #[serde(default)]
    pub active: Option<Digest>,
    /// Stored and about to be in force.
    #[serde(default)]
    pub next: Option<Digest>,
    /// The newest that survived its probation here, or that a person chose.
    #[serde(default)]
    pub good: Option<Digest>,
    /// The one in force before `active`.
    #[serde(default)]
    pub previous: Option<Digest>,
    /// Offered while `hold` is set: stored, not activated.
    #[serde(default)]
    pub offered: Option<Digest>,
    /// A person went back: offers are stored and not activated.
    #[serde(default)]
    pub hold: bool,
    /// The newest release that was accepted; nothing older is ever accepted again.
    #[serde(default)]
    pub accepted: Option<Accepted>,
    /// The state of that release, in force whatever bundle is.
    #[serde(default)]
    pub state: State,
    /// Activations, newest last; at most 64, of which repeats go first.
    #[serde(default)]
    pub history: Vec<Activation>,
    /// Bundles that are not activated again by themselves, and why; at most 256.
    #[serde(default)]
    pub quarantine: BTreeMap<Digest, String>,
    /// The last refusal.
    #[serde(default)]
    pub last_refusal: Option<RefusalRecord>,
    /// Starts of a bundle that did not end well yet: no graceful stop, no rung 10.
    #[serde(default)]
    pub boots: BTreeMap<Digest, u32>,
    /// The operator's trust set that `trust` grew from; another one begins anew.
    #[serde(default)]
    pub root: Option<Digest>,
    /// Trust sets that good bundles brought, newest last; at most 8.
    #[serde(default)]
    pub trust: Vec<TrustSet>,
}

/// One activation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Activation {
    /// The bundle.
    pub bundle: Digest,
    /// The generation of the release that made it eligible.
    pub generation: u64,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Why.
    pub reason: ActivationCause,
    /// How its probation ended.
    #[serde(default, skip_serializing_if = "Judgement::is_open")]
    pub verdict: Judgement,
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefusalRecord {
    /// The bundle, where it got so far that it has an id.
    #[serde(default)]
    pub bundle: Option<Digest>,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Why.
    pub refusal: Refusal,
}

impl Journal {
    /// A bundle came into force.
    pub fn activated(&mut self, activation: Activation) {
        if self.active != Some(activation.bundle) {
            self.previous = self.active;
            // A death under it from now on is its first; the one before was left alive, unless it is the reason.
            self.boots.retain(|known, count| Some(*known) != self.previous || *count >= BOOT_ATTEMPTS);
            self.boots.entry(activation.bundle).or_insert(1);
        }
        self.active = Some(activation.bundle);
        self.next = None;
        if self.offered == Some(activation.bundle) {
            self.offered = None;
        }
        self.history.push(activation);
        while self.history.len() > HISTORY {
            // Going back and forth must not push out the bundles that one can go back to.
            let repeated = self.history.iter().enumerate().position(|(index, old)| {
                let later = self.history.iter().skip(index + 1);
                later.clone().any(|new| new.bundle == old.bundle && new.reason == old.reason)
            });
            // Where nothing repeats, the oldest goes.
            self.history.remove(repeated.unwrap_or(0));
        }
    }

    /// The probation of the bundle in force ended.
    pub fn judged(&mut self, verdict: Judgement) {
        let active = self.active;
        let newest = self.history.iter_mut().rev().find(|activation| Some(activation.bundle) == active);
        if let Some(activation) = newest {
            activation.verdict = verdict;
        }
    }

    /// A trust set takes effect.
    pub fn trusts(&mut self, set: TrustSet) {
        self.trust.push(set);
        if self.trust.len() > TRUST {
            self.trust.remove(0);
        }
    }

    /// A bundle is about to be started: a start more that did not end well yet.
    pub fn boots_again(&mut self, bundle: Digest) {
        let named: Vec<Digest> = self.start_order();
        self.boots.retain(|known, _| named.contains(known));
        let count = self.boots.entry(bundle).or_insert(0);
        *count = count.saturating_add(1);
    }

    /// Whether a bundle died too often to be started again.
    #[must_use]
    pub fn is_deadly(&self, bundle: Digest) -> bool {
        self.boots.get(&bundle).is_some_and(|count| *count >= BOOT_ATTEMPTS)
    }

    /// A start did not get as far as to die: it was refused.
    pub fn boot_was_refused(&mut self, bundle: Digest) {
        if let Some(count) = self.boots.get_mut(&bundle) {
            *count = count.saturating_sub(1);
        }
        self.boots.retain(|_, count| *count > 0);
    }

    /// Somebody wants a bundle, whatever it did.
    pub fn pardon(&mut self, bundle: Digest) {
        self.quarantine.remove(&bundle);
        self.boots.remove(&bundle);
    }

    /// A bundle is not to be activated again by itself.
    pub fn quarantine(&mut self, bundle: Digest, reason: &str) {
        // The newest is the likeliest to be offered again.
        if self.quarantine.len() >= QUARANTINE && !self.quarantine.contains_key(&bundle) {
            self.quarantine.pop_first();
        }
        self.quarantine.insert(bundle, reason.to_owned());
    }

    /// Bundles to try at start, best first: the one in force, the last good one, then older ones.
    #[must_use]
    pub fn start_order(&self) -> Vec<Digest> {
        let mut order: Vec<Digest> = Vec::new();
        let newest_first = self.history.iter().rev().map(|activation| activation.bundle);
        for bundle in self.active.into_iter().chain(self.good).chain(self.previous).chain(newest_first) {
            if !order.contains(&bundle) {
                order.push(bundle);
            }
        }
        order
    }

    /// Bundles that a clean-up must not remove.
    #[must_use]
    pub fn holds(&self, keep: usize) -> Vec<Digest> {
        let named = [self.active, self.next, self.good, self.previous, self.offered].into_iter().flatten();
        let mut held: Vec<Digest> = named.collect();
        let mut older = 0;
        for activation in self.history.iter().rev() {
            // What is quarantined is no bundle to go back to.
            let sound = !self.quarantine.contains_key(&activation.bundle);
            if sound && !held.contains(&activation.bundle) && older < keep {
                held.push(activation.bundle);
                older += 1;
            }
        }
        held
    }

    /// Whether this proxy accepted a bundle and has not judged it bad since.
    #[must_use]
    pub fn has_accepted(&self, bundle: Digest) -> bool {
        self.holds(usize::MAX).contains(&bundle)
    }

    /// The oldest generation that may come into force; 0 where no release said so.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.accepted.as_ref().map_or(0, |accepted| accepted.floor)
    }

    /// The newest bundle that came forward before the one in force, and that one may go back to.
    #[must_use]
    pub fn before_active(&self) -> Option<Digest> {
        let active = self.active?;
        let mut order: Vec<Digest> = Vec::new();
        for activation in self.history.iter().filter(|activation| activation.reason.is_forward()) {
            order.retain(|bundle| *bundle != activation.bundle);
            order.push(activation.bundle);
        }
        let place = order.iter().position(|bundle| *bundle == active)?;
        let may_return = |bundle: &&Digest| {
            let above = self.activation_of(**bundle).is_some_and(|past| past.generation >= self.floor());
            above && !self.quarantine.contains_key(*bundle)
        };
        order.get(..place)?.iter().rev().find(may_return).copied()
    }

    /// Whether a start may try a bundle: nothing quarantined, and nothing below the floor but what the newest release
    /// names.
    #[must_use]
    pub fn may_start(&self, bundle: Digest) -> bool {
        let chosen = self.active == Some(bundle)
            || self.accepted.as_ref().is_some_and(|accepted| accepted.bundle == bundle);
        let above = self.activation_of(bundle).is_some_and(|past| past.generation >= self.floor());
        (chosen || above) && !self.quarantine.contains_key(&bundle)
    }

    /// The newest activation of a bundle, for a return to it.
    #[must_use]
    pub fn activation_of(&self, bundle: Digest) -> Option<&Activation> {
        self.history.iter().rev().find(|activation| activation.bundle == bundle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quarantined_takes_no_place_among_those_that_are_kept() {
        let bundles = ["a", "b", "c", "d", "e"].map(|text| Digest::of(text.as_bytes()));
        let mut journal = Journal::default();
        for bundle in bundles {
            journal.activated(Activation {
                bundle,
                generation: 1,
                at: 0,
                reason: ActivationCause::Offered,
                verdict: Judgement::Open,
            });
        }
        let [first, second, third, fourth, last] = bundles;
        journal.quarantine(second, "bad");
        journal.quarantine(third, "bad");
        assert_eq!(journal.holds(1), [last, fourth, first]);
        assert_eq!(journal.holds(9), [last, fourth, first]);
    }

    #[test]
    fn going_back_and_forth_pushes_no_bundle_out() {
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let activation = |bundle, reason: ActivationCause| Activation {
            bundle,
            generation: 1,
            at: 0,
            reason,
            verdict: Judgement::Open,
        };
        let mut journal = Journal::default();
        journal.activated(activation(old, ActivationCause::Offered));
        for _ in 0..200 {
            journal.activated(activation(new, ActivationCause::Offered));
            journal.activated(activation(old, ActivationCause::Returned));
        }
        assert_eq!(journal.history.len(), HISTORY);
        assert_eq!(journal.history.first(), Some(&activation(old, ActivationCause::Offered)));
    }
}
