//! The rungs from 3 on, for what a source offers and for what lies on the own disk.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use mesh_bundle::program::TlsMode;
use mesh_bundle::release::{Accepted, ReleaseKind};
use mesh_bundle::unit::UnitId;
use mesh_bundle::verify::{self, Authentic, Intact};
use mesh_bundle::{Digest, Owner, Program, Refusal, Rung, State, archive};
use mesh_decision::selftest;

use super::reloader::{ReloadOutcome, Reloader};
use super::removal::not_too_much;
use super::secrets::Watched;
use super::source::Offer;
use crate::preflight::PreflightInput;
use crate::request::{Active, BuildInput, Probation, Running, UnitDigests};
use crate::store::{Activation, BOOT_ATTEMPTS, Disk, StoreError};
use crate::telemetry::Level;
use crate::upstream::Known;

/// A bundle that passed rungs 1 to 6.
pub(super) struct Ready {
    pub(super) active: Arc<Active>,
    pub(super) known: Known,
    pub(super) public: Option<Watched>,
    /// Addresses at which a reviewer has seen that requests are denied.
    pub(super) denied: Vec<String>,
}

/// How a bundle comes into force.
pub(super) struct ActivationCause {
    /// The journal's word for it.
    pub(super) reason: &'static str,
    /// Whether it has to prove itself.
    pub(super) probation: bool,
}

impl<D: Disk> Reloader<D> {
    /// Rungs 1 to 8 for what the source offers.
    pub(super) fn offer(&mut self, offer: Offer, id: &mut Option<Digest>) -> Result<ReloadOutcome, Refusal> {
        let Offer { files, archive } = offer;
        verify::bound(&files)?;
        let candidate = verify::authentic(files, self.trust())?;
        *id = Some(candidate.bundle.id);
        self.climb(&candidate, archive).map_err(|refusal| candidate.bundle.locate(refusal))
    }

    /// Rungs 3 to 8.
    fn climb(&mut self, candidate: &Authentic, packed: Option<Vec<u8>>) -> Result<ReloadOutcome, Refusal> {
        let accepted = self.store.journal().accepted.clone();
        verify::eligible(candidate, &self.expectation((self.config.now)(), accepted.as_ref()))?;
        let program = Arc::new(self.well_formed(&candidate.bundle)?);
        let (bundle, release) = (candidate.bundle.id, &candidate.release);
        let journal = self.store.journal();
        let in_force = self.shared.active();
        let same = accepted.as_ref() == Some(&Accepted::from(release));
        let pin = release.kind == ReleaseKind::Pin;
        let waits = journal.hold && !pin;
        if same && (waits || in_force.as_ref().is_some_and(|active| active.bundle == bundle)) {
            return Ok(ReloadOutcome::Unchanged);
        }
        if let Some(reason) = journal.quarantine.get(&bundle)
            && !pin
        {
            let message =
                format!("the bundle is quarantined: {reason}; `resume {bundle}` or a pin ends that");
            return Err(Refusal::new(Rung::Probation, "quarantined", message));
        }
        let in_force_already = in_force.as_ref().is_some_and(|active| active.bundle == bundle);
        if journal.is_deadly(bundle) && !in_force_already && !pin {
            let message = format!(
                "the proxy died {BOOT_ATTEMPTS} times under it; `resume {bundle}` or a pin lets it try again"
            );
            return Err(Refusal::new(Rung::Probation, "deadly", message));
        }
        if let Some(active) = &in_force {
            not_too_much(active.engine.program(), &program, &release.acknowledges)?;
        }
        let ready = self.build(candidate, program, &candidate.state, true)?;
        let packed = match packed {
            Some(packed) => packed,
            None => archive::write(candidate.bundle.files()).map_err(|error| durable_io(&error))?,
        };
        self.store.put(bundle, &packed).map_err(durable)?;
        self.archives.insert(bundle, Digest::of(&packed));
        let accepted = Accepted::from(release);
        let state = candidate.state.clone();
        self.store
            .update(|journal| {
                journal.accepted = Some(accepted);
                journal.state = state;
                journal.hold &= !pin;
                if pin {
                    journal.pardon(bundle);
                }
                if waits {
                    journal.offered = Some(bundle);
                } else {
                    journal.next = Some(bundle);
                    // What waited before is older than what comes into force now.
                    journal.offered = None;
                }
            })
            .map_err(durable)?;
        if waits {
            // The newest accepted state holds for the older bundle too.
            if let Some(running) = self.shared.running.load_full() {
                self.renew(&running)?;
            }
            return Ok(ReloadOutcome::Held { bundle });
        }
        self.activate(ready, ActivationCause { reason: "offered", probation: true });
        Ok(ReloadOutcome::Activated { bundle })
    }

    /// Rungs 1 to 6 for what is on the own disk, under the newest accepted state.
    pub(super) fn restore(&mut self, bundle: Digest, preflight: bool) -> Result<Ready, Refusal> {
        let candidate = self.read_back(bundle)?;
        // Expiry and order are asked when a release is accepted from a source, never of the own disk.
        verify::eligible(&candidate, &self.expectation(0, None))?;
        let program = Arc::new(self.well_formed(&candidate.bundle)?);
        let state = self.store.journal().state.clone();
        self.build(&candidate, program, &state, preflight).map_err(|refusal| candidate.bundle.locate(refusal))
    }

    /// Rungs 1 and 2 for what is on the own disk. It was signed by a set that counted when it was accepted.
    fn read_back(&mut self, bundle: Digest) -> Result<Authentic, Refusal> {
        let packed = self.store.get(bundle).map_err(durable)?;
        let files = archive::read(&packed)?;
        verify::bound(&files)?;
        let mut sets = self.store.journal().trust.iter().rev().chain([&self.config.trust]);
        let mut result = verify::authentic(files.clone(), sets.next().unwrap_or(&self.config.trust));
        for set in sets {
            if result.is_ok() {
                break;
            }
            result = verify::authentic(files.clone(), set).or(result);
        }
        let candidate = result?;
        if candidate.bundle.id != bundle {
            let message = format!("the archive holds {} instead", candidate.bundle.id);
            return Err(Refusal::new(Rung::Authentic, "other-bundle", message));
        }
        self.archives.insert(bundle, Digest::of(&packed));
        Ok(candidate)
    }

    /// Rung 4. Units that are in force already are taken from there.
    fn well_formed(&self, bundle: &Intact) -> Result<Program, Refusal> {
        let active = self.shared.active();
        verify::well_formed_with(bundle, Some(&self.config.owner), |id, digest| {
            let active = active.as_ref()?;
            let (known, _) = active.units.get(id)?;
            if known == digest { active.engine.program().unit(id) } else { None }
        })
    }

    /// Rungs 5 and 6: in a child first, then here.
    fn build(
        &mut self,
        candidate: &Authentic,
        program: Arc<Program>,
        state: &State,
        preflight: bool,
    ) -> Result<Ready, Refusal> {
        let owner = &self.config.owner;
        let units = digests(&candidate.bundle, owner);
        let previous = self.shared.active();
        let known = previous.as_ref().map(|active| &active.units);
        let changed: BTreeSet<UnitId> = units
            .iter()
            .filter(|(id, digests)| known.and_then(|units| units.get(*id)) != Some(*digests))
            .map(|(id, _)| id.clone())
            .collect();
        // Only what came into force already needs no preflight: the same units, under whatever state.
        if preflight && !(changed.is_empty() && known.is_some_and(|known| known.len() == units.len())) {
            self.config.preflight.check(&PreflightInput::of(&candidate.bundle, owner, state, &changed))?;
        }
        let input = BuildInput {
            program: Arc::clone(&program),
            state,
            owner,
            bundle: candidate.bundle.id,
            generation: candidate.release.generation,
            directory: &self.directory,
            application: self.application(&program),
            has_identity: self.shared.identity.is_some(),
            seed: self.config.seed,
            units,
        };
        let active = Active::build(&input, previous.as_deref())?;
        self.check_identity(&program)?;
        let public = self.secrets.public(&program, owner, self.public.as_ref())?;
        prove(&active, &candidate.bundle, &changed)?;
        let services = candidate.bundle.entries().keys().filter_map(|id| match id {
            UnitId::Service(name) => Some(name.to_string()),
            _ => None,
        });
        let known = Known { scope: active.versions(), elsewhere: services.collect() };
        let denied = candidate.release.acknowledges.denied.clone();
        Ok(Ready { active: Arc::new(active), known, public, denied })
    }

    /// Where the application of a service's proxy listens.
    fn application(&self, program: &Program) -> Option<SocketAddr> {
        let own = match &self.config.owner {
            Owner::Service(name) => program.services.get(name),
            Owner::Gateway(_) => None,
        };
        let loopback = own.map(|service| SocketAddr::from(([127, 0, 0, 1], service.application_port())));
        self.config.application.or(loopback)
    }

    /// The certificate must name whom the proxy stands for, or no callee would let it in and no caller would take it.
    fn check_identity(&self, program: &Program) -> Result<(), Refusal> {
        let Some(identity) = &self.shared.identity else { return Ok(()) };
        let identity = identity.load();
        let expected = program.mesh.spiffe_id(&self.config.owner);
        if identity.identity.id.as_str() == expected || program.mesh.tls == TlsMode::Permissive {
            return Ok(());
        }
        let message = format!("the identity is `{}`, and the bundle says `{expected}`", identity.identity.id);
        Err(Refusal::new(Rung::Built, "wrong-identity", message).at("mesh"))
    }

    /// Rung 8, and the journal after it.
    pub(super) fn activate(&mut self, mut ready: Ready, cause: ActivationCause) {
        let (bundle, generation) = (ready.active.bundle, ready.active.generation);
        let keep = usize::try_from(ready.active.engine.program().mesh.keep).unwrap_or(usize::MAX);
        let ActivationCause { reason, probation } = cause;
        let in_force = self.shared.running.load_full();
        // A stage of a canary changes the state under the same bundle: no history, no probation of its own.
        let stage = in_force.as_ref().filter(|running| running.active.bundle == bundle);
        let compared = match stage {
            Some(same) => self.carry_on(same),
            None if probation => {
                let denied = std::mem::take(&mut ready.denied);
                // A bundle that proved nothing yet is no measure; the good one behind it is.
                let old = in_force.as_ref().map(|running| match &running.probation {
                    Some(probation) => Arc::clone(&probation.old),
                    None => Arc::clone(&running.active),
                });
                self.begin_probation(&ready.active, denied, old)
            }
            None => {
                self.probation = None;
                None
            }
        };
        let vouched = self.probation.is_none();
        let is_stage = stage.is_some();
        self.put_in_force(ready, compared);
        let activation = Activation {
            bundle,
            generation,
            at: (self.config.now)(),
            reason: reason.to_owned(),
            verdict: String::new(),
        };
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
        if let Err(error) = written.and_then(|()| self.store.clean(keep).map(drop)) {
            self.events
                .say(Level::Error, &format!("{bundle} is in force, but the state folder says no: {error}"));
        }
    }

    pub(super) fn put_in_force(&mut self, ready: Ready, probation: Option<Arc<Probation>>) {
        let Ready { active, known, public, denied: _ } = ready;
        self.known = known;
        self.public = public;
        self.shared.public.store(self.public.as_ref().map(Watched::current));
        self.shared.metrics.activated(&active.bundle_text, active.generation);
        self.shared.metrics.probation.set(i64::from(self.probation.is_some()));
        self.shared.running.store(Some(Arc::new(Running { active, probation })));
        self.freed = true;
    }

    /// Builds what is in force again, under the newest accepted state.
    pub(super) fn renew(&mut self, running: &Running) -> Result<(), Refusal> {
        let fresh = Arc::new(self.under_newest_state(&running.active)?);
        let probation = self.carry_on(running);
        let known = std::mem::take(&mut self.known);
        let public = self.public.take();
        self.put_in_force(Ready { active: fresh, known, public, denied: Vec::new() }, probation);
        Ok(())
    }

    /// An engine of the same units under the newest accepted state: state never goes back with a bundle.
    pub(super) fn under_newest_state(&self, active: &Active) -> Result<Active, Refusal> {
        let input = BuildInput {
            program: Arc::clone(active.engine.program()),
            state: &self.store.journal().state,
            owner: &self.config.owner,
            bundle: active.bundle,
            generation: active.generation,
            directory: &self.directory,
            application: self.application(active.engine.program()),
            has_identity: self.shared.identity.is_some(),
            seed: self.config.seed,
            units: active.units.clone(),
        };
        Active::build(&input, Some(active))
    }

    /// A stage release: what was counted stays counted, and what is compared with gets the new state too.
    fn carry_on(&self, same: &Running) -> Option<Arc<Probation>> {
        let probation = same.probation.as_ref()?;
        match self.under_newest_state(&probation.old) {
            Ok(old) => Some(Arc::new(probation.with(Arc::new(old)))),
            Err(refusal) => {
                let message = format!("the bundle before does not take the new state: {refusal}");
                self.events.say(Level::Error, &message);
                None
            }
        }
    }
}

/// Rung 6 here: the self-tests of units that changed.
fn prove(active: &Active, bundle: &Intact, changed: &BTreeSet<UnitId>) -> Result<(), Refusal> {
    for id in changed {
        let Some(tests) = bundle.self_tests(id)? else { continue };
        selftest::prove(&active.engine, id, &tests)
            .map_err(|failure| Refusal::new(Rung::Proven, "self-test-failed", failure.to_string()).at(id))?;
    }
    Ok(())
}

/// Digests of what `owner`'s proxy reads.
fn digests(bundle: &Intact, owner: &Owner) -> UnitDigests {
    let ids = bundle.needs(owner).unwrap_or_default().units;
    let entry = |id: UnitId| bundle.entries().get(&id).map(|entry| (id, (entry.digest, entry.test)));
    ids.into_iter().filter_map(entry).collect()
}

pub(super) fn durable(error: StoreError) -> Refusal {
    Refusal::new(Rung::Durable, "cannot-store", error.to_string())
}

fn durable_io(error: &std::io::Error) -> Refusal {
    Refusal::new(Rung::Durable, "cannot-store", error.to_string())
}
