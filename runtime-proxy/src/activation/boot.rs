//! Start-up: the best bundle on the own disk that still climbs, and has not killed the proxy too often.

use std::sync::Arc;

use mesh_bundle::{Digest, canonical};

use super::activate::Ready;
use super::reloader::Reloader;
use crate::request::Probation;
use crate::store::{Activation, BOOT_ATTEMPTS, Disk, Journal};
use crate::telemetry::Level;

impl<D: Disk> Reloader<D> {
    /// Brings a bundle of the own disk into force: the one that was, else the last good one, else older ones. Needs
    /// nobody. One that the proxy died under three times before it was good is quarantined.
    pub fn start(&mut self) -> Option<Digest> {
        self.adopt_root();
        let order: Vec<Digest> = {
            let journal = self.store.journal();
            journal.start_order().into_iter().filter(|bundle| may_start(journal, *bundle)).collect()
        };
        let (deadly, sound): (Vec<Digest>, Vec<Digest>) =
            order.into_iter().partition(|bundle| self.store.journal().is_deadly(*bundle));
        for bundle in &deadly {
            self.condemn(*bundle);
        }
        // What died under the last good one may have other reasons: better that than nothing.
        let quarantined = |bundle: &Digest| self.store.journal().quarantine.contains_key(bundle);
        let last: Vec<Digest> = deadly.into_iter().filter(|bundle| !quarantined(bundle)).collect();
        sound.into_iter().chain(last).find(|bundle| self.boot(*bundle))
    }

    /// Tries one; says whether it is in force.
    fn boot(&mut self, bundle: Digest) -> bool {
        // Written before the attempt, so that a death on the way counts.
        if let Err(error) = self.store.note(|journal| journal.boots_again(bundle)) {
            self.events.say(Level::Error, &format!("the start cannot be written down: {error}"));
        }
        let mut ready = match self.restore(bundle, true) {
            Ok(ready) => ready,
            Err(refusal) => {
                self.shared.metrics.refused(refusal.rung.number());
                self.events.say(Level::Error, &format!("{bundle} on the own disk: {refusal}"));
                if let Err(error) = self.store.note(|journal| journal.boot_was_refused(bundle)) {
                    self.events.say(Level::Error, &format!("the start cannot be written down: {error}"));
                }
                return false;
            }
        };
        let good = self.store.journal().good;
        let mut probation = None;
        if good != Some(bundle) {
            // One that kills the process must not decide beside another either.
            let sound = |journal: &Journal, good| may_start(journal, good) && !journal.is_deadly(good);
            let old = good.filter(|good| sound(self.store.journal(), *good));
            let old = old.and_then(|good| self.restore(good, false).ok()).map(|ready| ready.active);
            let denied = std::mem::take(&mut ready.denied);
            probation = self.begin_probation(&ready.active, denied, old);
        }
        self.enter(ready, probation);
        self.events.say(Level::Info, &format!("{bundle} is in force, from the own disk"));
        true
    }

    fn enter(&mut self, ready: Ready, probation: Option<Arc<Probation>>) {
        let (bundle, generation) = (ready.active.bundle, ready.active.generation);
        self.put_in_force(ready, probation);
        if self.store.journal().active == Some(bundle) {
            return;
        }
        let (at, reason) = ((self.config.now)(), "started".to_owned());
        let activation = Activation { bundle, generation, at, reason, verdict: String::new() };
        if let Err(error) = self.store.note(|journal| journal.activated(activation)) {
            self.events.say(Level::Error, &format!("the journal cannot be written: {error}"));
        }
    }

    /// A bundle under which the proxy died too often.
    fn condemn(&mut self, bundle: Digest) {
        let reason = format!("the proxy died {BOOT_ATTEMPTS} times under it before it was good");
        if self.store.journal().good == Some(bundle) {
            let message =
                format!("the proxy died {BOOT_ATTEMPTS} times under {bundle}; others are tried first");
            self.events.say(Level::Error, &message);
            return;
        }
        self.events.say(Level::Error, &format!("{bundle} is quarantined: {reason}"));
        if let Err(error) = self.store.note(|journal| journal.quarantine(bundle, &reason)) {
            self.events.say(Level::Error, &format!("the journal cannot be written: {error}"));
        }
    }

    /// An operator who gives another trust set begins anew: sets that bundles brought count no more.
    fn adopt_root(&mut self) {
        let root = canonical::to_bytes(&self.config.trust).map(|bytes| Digest::of(&bytes)).ok();
        if self.store.journal().root == root {
            return;
        }
        let adopted = self.store.note(|journal| {
            journal.root = root;
            journal.trust.clear();
        });
        if let Err(error) = adopted {
            self.events.say(Level::Error, &format!("the journal cannot be written: {error}"));
        }
    }
}

/// Nothing quarantined, and nothing below the floor but what the newest release names.
fn may_start(journal: &Journal, bundle: Digest) -> bool {
    let chosen = journal.active == Some(bundle)
        || journal.accepted.as_ref().is_some_and(|accepted| accepted.bundle == bundle);
    let floor = journal.accepted.as_ref().map_or(0, |accepted| accepted.floor);
    let above = journal.activation_of(bundle).is_some_and(|past| past.generation >= floor);
    (chosen || above) && !journal.quarantine.contains_key(&bundle)
}
