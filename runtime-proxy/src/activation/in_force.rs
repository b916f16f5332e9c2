//! What is in force: the pointer that workers load, the journal that says so, its probation, and the return.

use std::sync::Arc;
use std::time::Duration;

use mesh_bundle::release::{Accepted, ReleaseKind};
use mesh_bundle::trust::{PublicKey, TrustSet};
use mesh_bundle::verify::{self, Authentic, LeftOut};
use mesh_bundle::{Digest, Refusal, Rung, canonical};

use super::config::Config;
use super::integrity::Integrity;
use super::ladder::{Current, Ladder};
use super::probation_window::{Past, ProbationWindow};
use super::proven::Ready;
use super::secrets::Watched;
use super::status::Snapshot;
use crate::memory;
use crate::probation::Verdict;
use crate::request::{Active, Probation, Running, Shared};
use crate::store::{
    Activation, ActivationCause, BOOT_ATTEMPTS, Disk, Journal, Judgement, RefusalRecord, Store, StoreError,
};
use crate::telemetry::{Events, Level, Metrics};
use crate::tls::Reload;
use crate::upstream::Known;

/// What is in force, and the disk that remembers it.
pub(super) struct InForce<D> {
    config: Arc<Config>,
    store: Store<D>,
    shared: Arc<Shared>,
    known: Arc<Known>,
    public: Option<Watched>,
    window: Option<ProbationWindow>,
    past: Past,
    integrity: Integrity,
    /// What the bundle in force asks for and its engine leaves out, in words; it was accepted before that was refused.
    left_out: Option<String>,
    /// An engine was let go since the last tick.
    freed: bool,
}

/// What an eligible offer is to the bundle in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// The same release again.
    Known,
    /// It is stored and waits for the hold to end.
    Waits,
    /// It comes into force.
    Comes {
        /// A person released it by name: a hold, a quarantine and deaths end.
        pinned: bool,
    },
}

impl<D: Disk> InForce<D> {
    /// Nothing is in force yet.
    pub(super) fn new(config: Arc<Config>, store: Store<D>, shared: Arc<Shared>) -> Self {
        Self {
            config,
            store,
            shared,
            known: Arc::default(),
            public: None,
            window: None,
            past: Past::default(),
            integrity: Integrity::default(),
            left_out: None,
            freed: false,
        }
    }

    pub(super) fn journal(&self) -> &Journal {
        self.store.journal()
    }

    pub(super) fn active(&self) -> Option<Arc<Active>> {
        self.shared.active()
    }

    pub(super) fn public(&self) -> Option<&Watched> {
        self.public.as_ref()
    }

    /// What a bundle that climbs is compared with; `active` is [`InForce::active`].
    pub(super) fn current<'a>(&'a self, active: Option<&'a Active>) -> Current<'a> {
        Current { active, public: self.public() }
    }

    /// The set whose signatures count now.
    pub(super) fn trust(&self) -> &TrustSet {
        self.journal().trust.last().unwrap_or(&self.config.trust)
    }

    /// Every set that counted at some time, newest first.
    pub(super) fn trust_sets(&self) -> impl Iterator<Item = &TrustSet> {
        self.journal().trust.iter().rev().chain([&self.config.trust])
    }

    /// All that others may see.
    pub(super) fn snapshot(&self) -> Snapshot {
        let behind = "the journal on the disk is behind: a restart now would not know what happened last";
        let behind = self.store.is_unwritten().then(|| behind.to_owned());
        Snapshot {
            running: self.shared.running.load_full(),
            window: self.window.clone(),
            alarms: self.integrity.alarms().chain(&self.left_out).cloned().chain(behind).collect(),
            keys: self.trust().keys().map(PublicKey::id).collect(),
            journal: self.journal().clone(),
            known: Arc::clone(&self.known),
        }
    }

    /// What an eligible offer is to what is in force.
    ///
    /// # Errors
    /// A [`Refusal`] at [`Rung::Probation`]: it was bad, or deadly.
    pub(super) fn admit(&self, candidate: &Authentic) -> Result<Admission, Refusal> {
        let (bundle, release, journal) = (candidate.bundle.id, &candidate.release, self.journal());
        let same = journal.accepted.as_ref() == Some(&Accepted::from(release));
        let is_active = self.active().is_some_and(|active| active.bundle == bundle);
        let pinned = release.kind == ReleaseKind::Pin;
        let waits = journal.hold && !pinned;
        if same && (waits || is_active) {
            return Ok(Admission::Known);
        }
        if let Some(reason) = journal.quarantine.get(&bundle)
            && !pinned
        {
            let message =
                format!("the bundle is quarantined: {reason}; `resume {bundle}` or a pin ends that");
            return Err(Refusal::new(Rung::Probation, "quarantined", message));
        }
        if journal.is_deadly(bundle) && !is_active && !pinned {
            let message = format!(
                "the proxy died {BOOT_ATTEMPTS} times under it; `resume {bundle}` or a pin lets it try again"
            );
            return Err(Refusal::new(Rung::Probation, "deadly", message));
        }
        Ok(if waits { Admission::Waits } else { Admission::Comes { pinned } })
    }

    /// Rung 7: the archive, then the release in the journal.
    pub(super) fn accept(
        &mut self,
        candidate: &Authentic,
        packed: &[u8],
        admission: Admission,
    ) -> Result<(), Refusal> {
        let bundle = candidate.bundle.id;
        self.store.put(bundle, packed).map_err(|error| durable(&error))?;
        self.integrity.expect(bundle, packed);
        let accepted = Accepted::from(&candidate.release);
        let state = candidate.state.clone();
        let written = self.store.update(|journal| {
            journal.accepted = Some(accepted);
            journal.state = state;
            if let Admission::Comes { pinned } = admission {
                journal.next = Some(bundle);
                // What waited before is older than what comes into force now.
                journal.offered = None;
                if pinned {
                    journal.hold = false;
                    journal.pardon(bundle);
                }
            } else {
                journal.offered = Some(bundle);
            }
        });
        written.map_err(|error| durable(&error))
    }

    /// Reads an archive of the own disk back.
    pub(super) fn read_back(&mut self, bundle: Digest) -> Result<Vec<u8>, Refusal> {
        self.store.get(bundle).map_err(|error| durable(&error))
    }

    /// An archive of the own disk is what was put there.
    pub(super) fn vouch(&mut self, bundle: Digest, packed: &[u8]) {
        self.integrity.expect(bundle, packed);
    }

    /// Changes the journal, on disk first.
    pub(super) fn update(&mut self, change: impl FnOnce(&mut Journal)) -> Result<(), Refusal> {
        self.store.update(change).map_err(|error| durable(&error))
    }

    /// Changes the journal for what has happened already; a disk that does not take it is said and tried again.
    pub(super) fn note(&mut self, change: impl FnOnce(&mut Journal)) {
        let written = self.store.note(change);
        self.say_unless(written, "the journal cannot be written");
    }

    /// Says a refusal and writes it down.
    pub(super) fn refused(&mut self, bundle: Option<Digest>, refusal: Refusal) {
        Events.say(Level::Error, &format!("the offered bundle is {refusal}"));
        let record = RefusalRecord { bundle, at: self.config.clock.unix_seconds(), refusal };
        let written = self.store.note(|journal| journal.last_refusal = Some(record));
        self.say_unless(written, "the refusal could not be written down");
    }

    /// What is counted. Whoever sees a count finds the reason in the status: the snapshot is published before.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// A start was refused before it could die.
    pub(super) fn boot_refused(&mut self, bundle: Digest, refusal: &Refusal) {
        self.shared.metrics.refused(refusal.rung.number());
        Events.say(Level::Error, &format!("{bundle} on the own disk: {refusal}"));
        self.note(|journal| journal.boot_was_refused(bundle));
    }

    /// An operator who gives another trust set begins anew: sets that bundles brought count no more.
    pub(super) fn adopt_root(&mut self) {
        let root = canonical::to_bytes(&self.config.trust).map(|bytes| Digest::of(&bytes)).ok();
        if self.journal().root != root {
            self.note(|journal| {
                journal.root = root;
                journal.trust.clear();
            });
        }
    }

    /// Rung 8, and the journal after it.
    pub(super) fn activate(&mut self, ladder: &Ladder, mut ready: Ready, cause: ActivationCause) {
        let (bundle, generation) = (ready.active.bundle, ready.active.generation);
        let keep = keep(&ready.active);
        let in_force = self.shared.running.load_full();
        // A stage of a canary changes the state under the same bundle: no history, no probation of its own.
        let stage = in_force.as_ref().filter(|running| running.active.bundle == bundle);
        let compared = match stage {
            Some(same) => self.carry_on(ladder, same),
            None if cause.is_forward() => {
                let denied = std::mem::take(&mut ready.denied);
                // A bundle that proved nothing yet is no measure; the good one behind it is.
                let old = in_force.as_ref().map(|running| match &running.probation {
                    Some(probation) => Arc::clone(&probation.old),
                    None => Arc::clone(&running.active),
                });
                self.begin_probation(ladder, &ready.active, denied, old)
            }
            None => {
                self.window = None;
                None
            }
        };
        let vouched = self.window.is_none();
        let is_stage = stage.is_some();
        self.put(ready, compared);
        let activation = self.activation(bundle, generation, cause);
        let written = self.store.note(|journal| {
            if is_stage && journal.active == Some(bundle) {
                journal.next = None;
            } else {
                journal.activated(activation);
                if vouched {
                    journal.good = Some(bundle);
                }
            }
        });
        // The bundle is in force; should the disk fail until the end, the next start begins with the one before.
        let written = written.and_then(|()| self.store.clean(keep).map(drop));
        self.say_unless(written, &format!("{bundle} is in force, but the state folder says no"));
    }

    /// A start brings a bundle of the own disk into force: the journal says so already, or the proxy fell back to it.
    pub(super) fn enter(&mut self, ready: Ready, compared: Option<Arc<Probation>>) {
        let (bundle, generation) = (ready.active.bundle, ready.active.generation);
        self.put(ready, compared);
        if self.journal().active != Some(bundle) {
            let activation = self.activation(bundle, generation, ActivationCause::Started);
            self.note(|journal| journal.activated(activation));
        }
    }

    fn put(&mut self, ready: Ready, compared: Option<Arc<Probation>>) {
        let Ready { active, known, public, denied: _ } = ready;
        self.known = Arc::new(known);
        self.public = public;
        self.tell_what_is_left_out(&active);
        self.swap(active, compared);
    }

    /// Raises an alarm for header edits and contents that no rule may ask for any more.
    fn tell_what_is_left_out(&mut self, active: &Active) {
        let reserved = verify::reserved(active.engine.program());
        self.shared.metrics.left_out(reserved.len());
        let left_out = reserved.first().map(|LeftOut { unit, pointer, reason, .. }| {
            let (bundle, count) = (active.bundle, reserved.len());
            format!(
                "{bundle} asks for {count} changes that are left out, the first in {unit}{pointer}: {reason}"
            )
        });
        if let Some(alarm) = left_out.as_ref().filter(|alarm| self.left_out.as_ref() != Some(*alarm)) {
            Events.say(Level::Error, alarm);
        }
        self.left_out = left_out;
    }

    fn swap(&mut self, active: Arc<Active>, compared: Option<Arc<Probation>>) {
        self.shared.public.store(self.public.as_ref().map(Watched::current));
        self.shared.metrics.activated(&active.bundle_text, active.generation);
        self.shared.metrics.probation.set(i64::from(self.window.is_some()));
        self.shared.running.store(Some(Arc::new(Running { active, probation: compared })));
        self.freed = true;
    }

    /// Builds what is in force again, under the newest accepted state.
    pub(super) fn renew(&mut self, ladder: &Ladder) -> Result<(), Refusal> {
        let Some(running) = self.shared.running.load_full() else { return Ok(()) };
        let fresh = Arc::new(ladder.under_state(&running.active, &self.journal().state)?);
        let compared = self.carry_on(ladder, &running);
        self.swap(fresh, compared);
        Ok(())
    }

    /// A stage release: what was counted stays counted, and what is compared with gets the new state too.
    fn carry_on(&self, ladder: &Ladder, same: &Running) -> Option<Arc<Probation>> {
        let probation = same.probation.as_ref()?;
        match ladder.under_state(&probation.old, &self.journal().state) {
            Ok(old) => Some(Arc::new(probation.with(Arc::new(old)))),
            Err(refusal) => {
                let message = format!("the bundle before does not take the new state: {refusal}");
                Events.say(Level::Error, &message);
                None
            }
        }
    }

    /// A probation begins: the new bundle is compared with `old`, the last good one, under the newest state.
    pub(super) fn begin_probation(
        &mut self,
        ladder: &Ladder,
        fresh: &Active,
        denied: Vec<String>,
        old: Option<Arc<Active>>,
    ) -> Option<Arc<Probation>> {
        self.window = Some(self.past.begin(fresh, self.config.clock.elapsed()));
        let old = old?;
        let state = &self.journal().state;
        let old = if old.state == *state { Ok(old) } else { ladder.under_state(&old, state).map(Arc::new) };
        match old {
            Ok(old) => Some(Arc::new(Probation::new(old, fresh, denied))),
            Err(refusal) => {
                let message =
                    format!("nothing to go back to: the bundle before does not take the state: {refusal}");
                Events.say(Level::Error, &message);
                None
            }
        }
    }

    /// Once a second: counts, judges, and does what follows. The bundle that it went back to, if it did.
    pub(super) fn tick(&mut self, ladder: &Ladder) -> Option<Digest> {
        let flushed = self.store.flush();
        self.say_unless(flushed, "the journal cannot be written");
        // A tick later, when workers have let go of it too.
        if std::mem::take(&mut self.freed) {
            memory::give_back();
        }
        let running = self.shared.running.load_full()?;
        let active = &running.active;
        let now = self.config.clock.elapsed();
        let Some(probation) = &self.window else {
            let window = Duration::from_millis(active.engine.program().mesh.probation.window_ms);
            self.past.sample(active, now, window);
            if now >= window {
                self.survived(active.bundle);
            }
            return None;
        };
        match probation.judge(active, now) {
            Verdict::Open => None,
            Verdict::Good => {
                self.is_good(active, Judgement::Good);
                None
            }
            Verdict::GoodQuiet => {
                self.is_good(active, Judgement::GoodQuiet);
                None
            }
            Verdict::Bad(reason) => self.go_back(ladder, &running, &reason),
        }
    }

    /// Rung 10.
    fn is_good(&mut self, active: &Arc<Active>, judgement: Judgement) {
        let bundle = active.bundle;
        self.window = None;
        self.shared.metrics.probation.set(0);
        // With it goes the older engine.
        self.shared.running.store(Some(Arc::new(Running::vouched(Arc::clone(active)))));
        self.freed = true;
        // Keys go forward: with what was offered, never with what a start or a return fell back to.
        let came = self.journal().activation_of(bundle).map(|activation| &activation.reason);
        let forward = came.is_some_and(ActivationCause::is_forward);
        let next = active.engine.program().mesh.trust.clone();
        let next = next.filter(|next| forward && next != self.trust());
        let rotates = next.is_some();
        let message = format!("{bundle} is {judgement}");
        let written = self.store.note(|journal| {
            journal.good = Some(bundle);
            journal.judged(judgement);
            journal.boots.remove(&bundle);
            if let Some(next) = next {
                journal.trusts(next);
            }
        });
        let written = written.and_then(|()| self.store.clean(keep(active)).map(drop));
        self.say_unless(written, &format!("{bundle} is good, but the state folder says no"));
        Events.say(Level::Info, &message);
        if rotates {
            Events.say(Level::Warn, "from now on the keys count that this bundle names");
        }
    }

    /// Back to the last good one, by itself.
    fn go_back(&mut self, ladder: &Ladder, running: &Running, reason: &str) -> Option<Digest> {
        let bundle = running.active.bundle;
        self.window = None;
        let old = running.probation.as_ref().map(|probation| Arc::clone(&probation.old));
        let floor = self.journal().floor();
        let Some(old) = old.filter(|old| old.generation >= floor) else {
            let message = format!("{bundle} is bad, and there is no older bundle to go back to: {reason}");
            Events.say(Level::Error, &message);
            self.shared.running.store(Some(Arc::new(Running::vouched(Arc::clone(&running.active)))));
            self.shared.metrics.probation.set(0);
            self.note(|journal| journal.judged(Judgement::Bad));
            return None;
        };
        let public = match ladder.public(old.engine.program(), self.public()) {
            Ok(public) => public,
            Err(refusal) => {
                Events.say(Level::Error, &format!("a secret of the older bundle is gone: {refusal}"));
                self.public.clone()
            }
        };
        let known = Known { scope: old.versions(), elsewhere: self.known.elsewhere.clone() };
        let (target, generation) = (old.bundle, old.generation);
        self.put(Ready { active: old, known, public, denied: Vec::new() }, None);
        let activation = self.activation(target, generation, ActivationCause::WentBack);
        let written = self.store.note(|journal| {
            journal.judged(Judgement::Bad);
            journal.quarantine(bundle, reason);
            journal.good = Some(target);
            journal.activated(activation);
        });
        self.say_unless(written, "the return is not written down yet");
        Events.say(Level::Error, &format!("{bundle} is bad, {target} is in force again: {reason}"));
        Some(target)
    }

    /// The process is about to stop as it was told to: that is no death.
    pub(super) fn stop(&mut self) {
        if let Some(active) = self.active() {
            self.survived(active.bundle);
        }
    }

    /// The process lived long enough under a bundle, or ended as it should: its starts are forgiven.
    fn survived(&mut self, bundle: Digest) {
        if self.journal().boots.contains_key(&bundle) {
            self.note(|journal| journal.boots.retain(|known, _| *known != bundle));
        }
    }

    /// Compares the state folder with what was put there.
    pub(super) fn recheck(&mut self) {
        for alarm in self.integrity.check(&self.store) {
            self.shared.metrics.alarms.inc();
            Events.say(Level::Error, &alarm);
        }
    }

    /// Polls the secrets' files.
    pub(super) fn poll_secrets(&self) {
        let Some(public) = &self.public else { return };
        match public.poll() {
            Reload::Unchanged => {}
            Reload::Taken => {
                self.shared.public.store(Some(public.current()));
                Events.say(Level::Info, &format!("secret `{}` was replaced", public.name()));
            }
            Reload::Refused(error) => {
                self.shared.metrics.file_refused("secrets");
                let message =
                    format!("secret `{}` was replaced by something unusable: {error}", public.name());
                Events.say(Level::Error, &message);
            }
        }
    }

    fn activation(&self, bundle: Digest, generation: u64, cause: ActivationCause) -> Activation {
        let at = self.config.clock.unix_seconds();
        Activation { bundle, generation, at, reason: cause, verdict: Judgement::Open }
    }

    fn say_unless(&self, written: Result<(), StoreError>, what: &str) {
        if let Err(error) = written {
            Events.say(Level::Error, &format!("{what}: {error}"));
        }
    }
}

/// Older bundles that stay on the disk. A number that does not fit keeps all.
fn keep(active: &Active) -> usize {
    usize::try_from(active.engine.program().mesh.keep).unwrap_or(usize::MAX)
}

fn durable(error: &StoreError) -> Refusal {
    Refusal::new(Rung::Durable, "cannot-store", error.to_string())
}
