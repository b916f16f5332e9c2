//! Going back: by hand, and by itself.

use mesh_bundle::{Digest, Refusal, Rung};

use super::activate::{ActivationCause, durable};
use super::reloader::{ReloadOutcome, Reloader};
use crate::store::{Disk, Journal};
use crate::telemetry::Level;

impl<D: Disk> Reloader<D> {
    /// Goes back by hand, to a given bundle or the one before; needs no source. Offers wait until [`Reloader::resume`].
    ///
    /// # Errors
    /// A [`Refusal`]: there is none, it is below the floor, or it does not climb.
    pub fn rollback(&mut self, to: Option<Digest>) -> Result<Digest, Refusal> {
        let journal = self.store.journal();
        let target = to.or_else(|| before_active(journal)).ok_or_else(|| {
            Refusal::new(Rung::Eligible, "no-older-bundle", "there is no older bundle in the history")
        })?;
        let activation = journal.activation_of(target).cloned().ok_or_else(|| {
            Refusal::new(
                Rung::Eligible,
                "not-in-history",
                format!("{target} was never in force on this proxy"),
            )
        })?;
        if journal.accepted.as_ref().is_some_and(|accepted| activation.generation < accepted.floor) {
            let message = format!("{target} is of generation {}, below the floor", activation.generation);
            return Err(Refusal::new(Rung::Eligible, "below-floor", message));
        }
        if let Some(reason) = journal.quarantine.get(&target) {
            let message = format!("{target} is quarantined: {reason}; `resume {target}` ends that");
            return Err(Refusal::new(Rung::Probation, "quarantined", message));
        }
        let ready = self.restore(target, true)?;
        self.store.update(|journal| journal.hold = true).map_err(durable)?;
        self.activate(ready, ActivationCause { reason: "returned", probation: false });
        self.events
            .say(Level::Warn, &format!("{target} is in force again, by hand; offers wait for `resume`"));
        Ok(target)
    }

    /// Ends the hold, and a bundle's quarantine if one is named; what was offered meanwhile is activated.
    ///
    /// # Errors
    /// A [`Refusal`]: the disk refused, or the offered bundle does not climb.
    pub fn resume(&mut self, release: Option<Digest>) -> Result<ReloadOutcome, Refusal> {
        let offered = self.store.journal().offered;
        let ready = offered.map(|bundle| self.restore(bundle, true)).transpose()?;
        self.store
            .update(|journal| {
                journal.hold = false;
                if let Some(bundle) = release {
                    journal.pardon(bundle);
                }
            })
            .map_err(durable)?;
        match ready {
            Some(ready) => {
                let bundle = ready.active.bundle;
                self.activate(ready, ActivationCause { reason: "resumed", probation: true });
                Ok(ReloadOutcome::Activated { bundle })
            }
            None => Ok(self.poll_source(true)),
        }
    }
}

/// The newest bundle that was offered before the one in force, and that one may go back to.
fn before_active(journal: &Journal) -> Option<Digest> {
    let active = journal.active?;
    let mut order: Vec<Digest> = Vec::new();
    for activation in
        journal.history.iter().filter(|activation| matches!(&*activation.reason, "offered" | "resumed"))
    {
        order.retain(|bundle| *bundle != activation.bundle);
        order.push(activation.bundle);
    }
    let place = order.iter().position(|bundle| *bundle == active)?;
    let floor = journal.accepted.as_ref().map_or(0, |accepted| accepted.floor);
    let may_return = |bundle: &&Digest| {
        let above = journal.activation_of(**bundle).is_some_and(|past| past.generation >= floor);
        above && !journal.quarantine.contains_key(*bundle)
    };
    order.get(..place)?.iter().rev().find(may_return).copied()
}
