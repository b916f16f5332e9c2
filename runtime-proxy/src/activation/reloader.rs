//! Drives bundle activation: polls the source, remembers refusals, goes back and on as an operator says.

use std::sync::Arc;
use std::time::Duration;

use mesh_bundle::verify::{Authentic, Standing, not_too_much};
use mesh_bundle::{Digest, Refusal, Rung, archive};

use super::boot;
use super::config::Config;
use super::in_force::{Admission, InForce};
use super::ladder::{Check, Ladder};
use super::outcome::ReloadOutcome;
use super::refused::Refused;
use super::rollback;
use super::secrets::Secrets;
use super::source::{Fingerprint, Offer, Source};
use super::status::{Status, StatusView};
use crate::request::Shared;
use crate::store::{ActivationCause, Disk, Store};
use crate::telemetry::{Events, Level};
use crate::upstream::Directory;

/// Drives bundle activation. Every method may wait: for a disk, or for the child that checks a bundle.
pub struct Reloader<D> {
    config: Arc<Config>,
    source: Box<dyn Source>,
    ladder: Ladder,
    pub(super) in_force: InForce<D>,
    view: StatusView,
    seen: Option<Fingerprint>,
    /// The digest of the newest offer that was not refused.
    settled: Option<Digest>,
    refused: Option<Refused>,
}

impl<D: Disk> Reloader<D> {
    /// Nothing is in force yet.
    pub fn new(
        config: Config,
        source: Box<dyn Source>,
        store: Store<D>,
        shared: Arc<Shared>,
        directory: Arc<Directory>,
        secrets: Secrets,
    ) -> Self {
        let config = Arc::new(config);
        let ladder = Ladder::new(Arc::clone(&config), directory, secrets, shared.identity.clone());
        let in_force = InForce::new(Arc::clone(&config), store, shared);
        let view = StatusView::new(Arc::clone(&config), in_force.snapshot());
        Self { config, source, ladder, in_force, view, seen: None, settled: None, refused: None }
    }

    /// What other threads may see of it at any time.
    #[must_use]
    pub fn view(&self) -> StatusView {
        self.view.clone()
    }

    /// What the proxy says of itself.
    #[must_use]
    pub fn status(&self) -> Status {
        self.view.status()
    }

    /// Brings the best bundle of the own disk into force; which one.
    pub fn start(&mut self) -> Option<Digest> {
        let started = boot::start(&self.ladder, &mut self.in_force);
        self.publish();
        started
    }

    /// Polls the source; reads it if it looks different, if it was refused some time ago, or in any case with `force`.
    /// What is known already by its digest is not climbed with again, unless the world may have changed.
    pub fn poll_source(&mut self, force: bool) -> ReloadOutcome {
        let now = self.config.clock.elapsed();
        let fingerprint = self.source.fingerprint();
        let due = self.refused.as_ref().is_some_and(|refused| refused.is_due(now));
        if !force && !due && self.seen.as_ref() == Some(&fingerprint) {
            return ReloadOutcome::Unchanged;
        }
        self.seen = Some(fingerprint);
        let outcome = self.read_source(force, due, now);
        self.publish();
        outcome
    }

    fn read_source(&mut self, force: bool, due: bool, now: Duration) -> ReloadOutcome {
        let raw = match self.source.read() {
            Ok(raw) => raw,
            Err(refusal) => return self.refuse(None, None, refusal, force),
        };
        let digest = raw.digest();
        if !force && self.is_known(digest, due, now) {
            return ReloadOutcome::Unchanged;
        }
        let mut bundle = None;
        match raw.unpack().and_then(|offer| self.offer(offer, &mut bundle)) {
            Ok(outcome) => {
                self.settled = Some(digest);
                self.refused = None;
                match &outcome {
                    ReloadOutcome::Activated { bundle } => {
                        Events.say(Level::Info, &format!("{bundle} is in force"));
                    }
                    ReloadOutcome::Held { bundle } => {
                        Events.say(Level::Warn, &format!("{bundle} is stored and waits for `resume`"));
                    }
                    ReloadOutcome::Unchanged | ReloadOutcome::Refused { .. } => {}
                }
                outcome
            }
            Err(refusal) => self.refuse(Some(digest), bundle, refusal, force),
        }
    }

    /// Rungs 1 to 8 for what the source offers.
    fn offer(&mut self, offer: Offer, id: &mut Option<Digest>) -> Result<ReloadOutcome, Refusal> {
        let Offer { files, archive } = offer;
        let candidate = self.ladder.authentic(files, self.in_force.trust())?;
        *id = Some(candidate.bundle.id);
        self.climb(&candidate, archive).map_err(|refusal| candidate.bundle.locate(refusal))
    }

    /// Rungs 3 to 8.
    fn climb(&mut self, candidate: &Authentic, packed: Option<Vec<u8>>) -> Result<ReloadOutcome, Refusal> {
        let accepted = self.in_force.journal().accepted.as_ref();
        self.ladder.eligible(candidate, accepted, self.source.is_local())?;
        let active = self.in_force.active();
        // A stage of a canary, or the same release from another source: the bundle is the one that runs already.
        let known = self.in_force.journal().has_accepted(candidate.bundle.id);
        let standing = if known { Standing::Accepted } else { Standing::Offered };
        let program = self.ladder.well_formed(&candidate.bundle, standing, active.as_deref())?;
        let admission = self.in_force.admit(candidate)?;
        if admission == Admission::Known {
            return Ok(ReloadOutcome::Unchanged);
        }
        if let Some(active) = &active {
            not_too_much(active.engine.program(), &program, &candidate.release.acknowledges)?;
        }
        let current = self.in_force.current(active.as_deref());
        let ready = self.ladder.build(candidate, program, &candidate.state, current, Check::InChildFirst)?;
        let packed = match packed {
            Some(packed) => packed,
            None => archive::write(candidate.bundle.files())
                .map_err(|error| Refusal::new(Rung::Durable, "cannot-store", error.to_string()))?,
        };
        self.in_force.accept(candidate, &packed, admission)?;
        let bundle = candidate.bundle.id;
        if admission == Admission::Waits {
            // The newest accepted state holds for the older bundle too.
            self.in_force.renew(&self.ladder)?;
            return Ok(ReloadOutcome::Held { bundle });
        }
        self.in_force.activate(&self.ladder, ready, ActivationCause::Offered);
        Ok(ReloadOutcome::Activated { bundle })
    }

    /// Whether a look at these bytes would come to what the last one came to.
    fn is_known(&mut self, digest: Digest, due: bool, now: Duration) -> bool {
        let Some(refused) = &mut self.refused else { return self.settled == Some(digest) };
        if refused.offer != Some(digest) || (due && refused.may_heal()) {
            return false;
        }
        if due {
            refused.wait_longer(now);
        }
        true
    }

    /// Says a refusal, writes it down and counts it, unless it is the one of before.
    fn refuse(
        &mut self,
        offer: Option<Digest>,
        bundle: Option<Digest>,
        refusal: Refusal,
        force: bool,
    ) -> ReloadOutcome {
        let before = self.refused.take();
        let same = before.as_ref().is_some_and(|known| known.offer == offer && known.refusal == refusal);
        self.settled = None;
        self.refused = Some(Refused::new(offer, refusal.clone(), self.config.clock.elapsed(), before));
        if !same || force {
            self.in_force.refused(bundle, refusal.clone());
            self.publish();
            self.in_force.metrics().refused(refusal.rung.number());
        }
        ReloadOutcome::Refused { refusal }
    }

    /// Goes back by hand, to a given bundle or the one before; needs no source. Offers wait until [`Reloader::resume`].
    ///
    /// # Errors
    /// A [`Refusal`]: there is none, it is below the floor, or it does not climb.
    pub fn rollback(&mut self, to: Option<Digest>) -> Result<Digest, Refusal> {
        let target = rollback::target(self.in_force.journal(), to)?;
        let ready = boot::restore(&self.ladder, &mut self.in_force, target, Check::InChildFirst)?;
        self.in_force.update(|journal| journal.hold = true)?;
        self.in_force.activate(&self.ladder, ready, ActivationCause::Returned);
        Events.say(Level::Warn, &format!("{target} is in force again, by hand; offers wait for `resume`"));
        self.publish();
        Ok(target)
    }

    /// Ends the hold, and a bundle's quarantine if one is named; what was offered meanwhile is activated.
    ///
    /// # Errors
    /// A [`Refusal`]: the disk refused, or the offered bundle does not climb.
    pub fn resume(&mut self, release: Option<Digest>) -> Result<ReloadOutcome, Refusal> {
        let offered = self.in_force.journal().offered;
        let restore = |bundle| boot::restore(&self.ladder, &mut self.in_force, bundle, Check::InChildFirst);
        let ready = offered.map(restore).transpose()?;
        self.in_force.update(|journal| {
            journal.hold = false;
            if let Some(bundle) = release {
                journal.pardon(bundle);
            }
        })?;
        let Some(ready) = ready else { return Ok(self.poll_source(true)) };
        let bundle = ready.active.bundle;
        self.in_force.activate(&self.ladder, ready, ActivationCause::Resumed);
        self.publish();
        Ok(ReloadOutcome::Activated { bundle })
    }

    /// Once a second: judges the probation. The bundle that it went back to, if it did.
    pub fn tick(&mut self) -> Option<Digest> {
        let back = self.in_force.tick(&self.ladder);
        self.publish();
        if back.is_some() {
            self.in_force.metrics().returns.inc();
        }
        back
    }

    /// Compares the state folder with what was put there.
    pub fn recheck(&mut self) {
        self.in_force.recheck();
        self.publish();
    }

    /// Polls the secrets' files.
    pub fn poll_secrets(&mut self) {
        self.in_force.poll_secrets();
    }

    /// The process is about to stop as it was told to: that is no death.
    pub fn stop(&mut self) {
        self.in_force.stop();
        self.publish();
    }

    fn publish(&self) {
        self.view.publish(self.in_force.snapshot());
    }
}
