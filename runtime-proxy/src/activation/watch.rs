//! Rung 9 and 10: what becomes of a bundle that is in force, and of what lies on the disk meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mesh_bundle::Digest;
use serde::Serialize;

use super::activate::Ready;
use super::reloader::Reloader;
use crate::memory;
use crate::probation::{Baseline, Bounds, Counts, Verdict};
use crate::request::{Active, Probation, Running};
use crate::store::{Activation, Disk};
use crate::telemetry::Level;
use crate::tls::Reload;
use crate::upstream::Known;

/// A probation under way.
#[derive(Debug)]
pub(super) struct ProbationWindow {
    since: Duration,
    bounds: Bounds,
    baseline: Baseline,
}

impl ProbationWindow {
    /// What was counted of `active`, with what an outage explains.
    fn counts(&self, active: &Active) -> Counts {
        let counts = active.tally.counts();
        Counts { excused: self.baseline.excused(active.sums(), &counts), ..counts }
    }
}

/// How a probation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbationStatus {
    /// For how many seconds.
    pub seconds: u64,
    /// What was counted.
    pub counts: Counts,
    /// The bad share, in basis points of all requests.
    pub share: u32,
    /// The bad share at which it ends badly, in basis points.
    pub allowed: u32,
    /// The bundle that it goes back to; none where it is the first.
    pub back_to: Option<Digest>,
}

impl<D: Disk> Reloader<D> {
    /// Once a second: counts, judges, and does what follows. Says which bundle it went back to, if it did.
    pub fn tick(&mut self) -> Option<Digest> {
        if let Err(error) = self.store.flush() {
            self.events.say(Level::Error, &format!("the journal cannot be written: {error}"));
        }
        // A tick later, when workers have let go of it too.
        if std::mem::take(&mut self.freed) {
            memory::give_back();
        }
        let running = self.shared.running.load_full()?;
        let active = &running.active;
        let now = (self.config.elapsed)();
        let Some(watching) = &self.probation else {
            let window = Duration::from_millis(active.engine.program().mesh.probation.window_ms);
            self.before.sample(now, &active.tally.counts(), window);
            if now.saturating_sub(self.turned) >= window {
                self.turned = now;
                self.services.turn(active.sums());
            }
            if now >= window {
                self.survived(active.bundle);
            }
            return None;
        };
        match watching.bounds.judge(&watching.counts(active), now.saturating_sub(watching.since)) {
            Verdict::Open => None,
            Verdict::Good => {
                self.is_good(active, "good");
                None
            }
            Verdict::GoodQuiet => {
                self.is_good(active, "good (quiet)");
                None
            }
            Verdict::Bad(reason) => self.go_back(&running, &reason),
        }
    }

    /// The process is about to stop as it was told to: that is no death.
    pub fn stop(&mut self) {
        if let Some(active) = self.shared.active() {
            self.survived(active.bundle);
        }
    }

    /// Looks whether what lies in the state folder is what was put there. What was changed is refused when it is
    /// loaded next; until then somebody should know.
    pub fn recheck(&mut self) {
        let holds = self.store.journal().holds(usize::MAX);
        self.archives.retain(|bundle, _| holds.contains(bundle));
        let mut alarms = BTreeSet::new();
        for (bundle, expected) in &self.archives {
            match self.store.get(*bundle) {
                Ok(bytes) if Digest::of(&bytes) == *expected => {}
                Ok(_) => {
                    alarms.insert(format!(
                        "bundle {bundle} was changed on the own disk; it will be refused when it is loaded next"
                    ));
                }
                Err(error) => {
                    alarms.insert(format!("bundle {bundle} cannot be read back: {error}"));
                }
            }
        }
        if let Err(error) = self.store.compare() {
            alarms.insert(error.to_string());
        }
        for alarm in alarms.difference(&self.alarms) {
            self.shared.metrics.alarms.inc();
            self.events.say(Level::Error, alarm);
        }
        self.alarms = alarms;
    }

    /// Looks at the secrets' files.
    pub fn poll_secrets(&mut self) {
        let Some(public) = &self.public else { return };
        match public.poll() {
            Reload::Unchanged => {}
            Reload::Taken => {
                let message = format!("secret `{}` was replaced", public.name());
                self.shared.public.store(Some(public.current()));
                self.events.say(Level::Info, &message);
            }
            Reload::Refused(error) => {
                self.shared.metrics.file_refused("secrets");
                let message =
                    format!("secret `{}` was replaced by something unusable: {error}", public.name());
                self.events.say(Level::Error, &message);
            }
        }
    }

    /// How the probation stands, if there is one.
    pub(super) fn probation_status(&self) -> Option<ProbationStatus> {
        let (watching, running) = (self.probation.as_ref()?, self.shared.running.load_full()?);
        let counts = watching.counts(&running.active);
        Some(ProbationStatus {
            seconds: (self.config.elapsed)().saturating_sub(watching.since).as_secs(),
            share: counts.bad_share(),
            counts,
            allowed: watching.bounds.allowed(),
            back_to: running.probation.as_ref().map(|probation| probation.old.bundle),
        })
    }

    /// A new bundle is compared with `old`, the last good one, under the newest state.
    pub(super) fn begin_probation(
        &mut self,
        fresh: &Active,
        denied: Vec<String>,
        old: Option<Arc<Active>>,
    ) -> Option<Arc<Probation>> {
        let bounds = fresh.engine.program().mesh.probation.clone();
        self.probation = Some(ProbationWindow {
            since: (self.config.elapsed)(),
            bounds: Bounds::new(bounds, self.before.share()),
            baseline: self.services.begin(fresh.sums()),
        });
        let old = old?;
        let old = if old.state == self.store.journal().state {
            Ok(old)
        } else {
            self.under_newest_state(&old).map(Arc::new)
        };
        match old {
            Ok(old) => Some(Arc::new(Probation::new(old, fresh, denied))),
            Err(refusal) => {
                let message =
                    format!("nothing to go back to: the bundle before does not take the state: {refusal}");
                self.events.say(Level::Error, &message);
                None
            }
        }
    }

    /// Rung 10.
    fn is_good(&mut self, active: &Arc<Active>, verdict: &str) {
        let bundle = active.bundle;
        self.probation = None;
        self.shared.metrics.probation.set(0);
        // With it goes the older engine.
        self.shared.running.store(Some(Arc::new(Running::vouched(Arc::clone(active)))));
        self.freed = true;
        let mesh = &active.engine.program().mesh;
        // Keys go forward: with what was offered, never with what a start or a return fell back to.
        let journal = self.store.journal();
        let came = journal.activation_of(bundle).map(|activation| &*activation.reason);
        let forward = matches!(came, Some("offered" | "resumed"));
        let next = mesh.trust.clone().filter(|next| forward && next != self.trust());
        let rotates = next.is_some();
        let written = self.store.note(|journal| {
            journal.good = Some(bundle);
            journal.judged(verdict);
            journal.boots.remove(&bundle);
            if let Some(next) = next {
                journal.trusts(next);
            }
        });
        let keep = usize::try_from(mesh.keep).unwrap_or(usize::MAX);
        if let Err(error) = written.and_then(|()| self.store.clean(keep).map(drop)) {
            self.events
                .say(Level::Error, &format!("{bundle} is good, but the state folder says no: {error}"));
        }
        self.events.say(Level::Info, &format!("{bundle} is {verdict}"));
        if rotates {
            self.events.say(Level::Warn, "from now on the keys count that this bundle names");
        }
    }

    /// Back to the last good one, by itself.
    fn go_back(&mut self, running: &Running, reason: &str) -> Option<Digest> {
        let bundle = running.active.bundle;
        self.probation = None;
        let old = running.probation.as_ref().map(|probation| Arc::clone(&probation.old));
        let floor = self.store.journal().accepted.as_ref().map_or(0, |accepted| accepted.floor);
        let Some(old) = old.filter(|old| old.generation >= floor) else {
            let message = format!("{bundle} is bad, and there is no older bundle to go back to: {reason}");
            self.shared.running.store(Some(Arc::new(Running::vouched(Arc::clone(&running.active)))));
            self.events.say(Level::Error, &message);
            self.shared.metrics.probation.set(0);
            if let Err(error) = self.store.note(|journal| journal.judged("bad")) {
                self.events.say(Level::Error, &format!("the journal cannot be written: {error}"));
            }
            return None;
        };
        let public = match self.secrets.public(old.engine.program(), &self.config.owner, self.public.as_ref())
        {
            Ok(public) => public,
            Err(refusal) => {
                self.events.say(Level::Error, &format!("a secret of the older bundle is gone: {refusal}"));
                self.public.clone()
            }
        };
        let known = Known { scope: old.versions(), elsewhere: std::mem::take(&mut self.known.elsewhere) };
        let (target, generation) = (old.bundle, old.generation);
        self.put_in_force(Ready { active: old, known, public, denied: Vec::new() }, None);
        let at = (self.config.now)();
        let written = self.store.note(|journal| {
            journal.judged("bad");
            journal.quarantine(bundle, reason);
            journal.good = Some(target);
            let reason = "went back".to_owned();
            journal.activated(Activation { bundle: target, generation, at, reason, verdict: String::new() });
        });
        if let Err(error) = written {
            self.events.say(Level::Error, &format!("the return is not written down yet: {error}"));
        }
        self.shared.metrics.returns.inc();
        let message = format!("{bundle} is bad, {target} is in force again: {reason}");
        self.events.say(Level::Error, &message);
        Some(target)
    }

    /// The process lived long enough under a bundle, or ended as it should: its starts are forgiven.
    fn survived(&mut self, bundle: Digest) {
        if self.store.journal().boots.contains_key(&bundle)
            && let Err(error) = self.store.note(|journal| journal.boots.retain(|known, _| *known != bundle))
        {
            self.events.say(Level::Error, &format!("the journal cannot be written: {error}"));
        }
    }
}
