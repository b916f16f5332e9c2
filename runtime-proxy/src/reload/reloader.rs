//! The one who climbs the ladder: looks at the source, goes back by hand, starts from the disk.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_bundle::program::TlsMode;
use mesh_bundle::release::{Accepted, ReleaseKind};
use mesh_bundle::trust::TrustSet;
use mesh_bundle::unit::UnitId;
use mesh_bundle::verify::{self, Authentic, Expectation};
use mesh_bundle::{Digest, Name, Owner, Program, Refusal, Rung, State, archive};
use serde::Serialize;

use super::refused::Refused;
use super::removal::not_too_much;
use super::secrets::{Secrets, Watched};
use super::source::{Fingerprint, Offer, Source};
use crate::request::{Active, BuildInput, Shared};
use crate::store::{Activation, Disk, Journal, RefusalRecord, Store, StoreError};
use crate::telemetry::{Events, Level};
use crate::tls::Reload;
use crate::upstream::{Directory, Known};

/// Who the proxy is and whom it trusts.
pub struct Config {
    /// Its mesh.
    pub mesh: Name,
    /// Its environment.
    pub environment: Name,
    /// Whom it stands for.
    pub owner: Owner,
    /// Whose signatures count.
    pub trust: TrustSet,
    /// Where the application listens, for a service's proxy; the service's own port on loopback without.
    pub application: Option<SocketAddr>,
    /// Seeds the order of shares.
    pub seed: u32,
    /// Seconds since the epoch.
    pub now: Box<dyn Fn() -> u64 + Send>,
    /// Time since some beginning, by a clock that only goes on.
    pub elapsed: Box<dyn Fn() -> Duration + Send>,
}

/// What a look at the source came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Look {
    /// Nothing new.
    Unchanged,
    /// A bundle came into force.
    Activated {
        /// Its id.
        bundle: Digest,
    },
    /// A bundle was stored and waits for `resume`.
    Held {
        /// Its id.
        bundle: Digest,
    },
    /// Refused; what was in force stays.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// What a proxy says of itself.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its mesh.
    pub mesh: Name,
    /// Its environment.
    pub environment: Name,
    /// Whom it stands for.
    pub owner: Owner,
    /// The bundle in force.
    pub active: Option<Digest>,
    /// The generation of the release that made it eligible.
    pub generation: Option<u64>,
    /// The journal.
    pub journal: Journal,
}

/// The one who climbs.
pub struct Reloader<D> {
    config: Config,
    source: Source,
    store: Store<D>,
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    secrets: Secrets,
    public: Option<Watched>,
    seen: Option<Fingerprint>,
    /// The digest of the newest offer that was not refused.
    settled: Option<Digest>,
    refused: Option<Refused>,
    known: Known,
    events: Events,
}

/// A bundle that passed rungs 1 to 5.
struct Ready {
    active: Active,
    known: Known,
}

impl<D: Disk> Reloader<D> {
    /// Nothing is in force yet.
    pub fn new(
        config: Config,
        source: Source,
        store: Store<D>,
        shared: Arc<Shared>,
        directory: Arc<Directory>,
        secrets: Secrets,
    ) -> Self {
        Self {
            config,
            source,
            store,
            shared,
            directory,
            secrets,
            public: None,
            seen: None,
            settled: None,
            refused: None,
            known: Known::default(),
            events: Events,
        }
    }

    /// Names that the endpoints file may hold under the bundle in force.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// What the proxy says of itself.
    #[must_use]
    pub fn status(&self) -> Status {
        let active = self.shared.active.load();
        Status {
            mesh: self.config.mesh.clone(),
            environment: self.config.environment.clone(),
            owner: self.config.owner.clone(),
            active: active.as_ref().map(|active| active.bundle),
            generation: active.as_ref().map(|active| active.generation),
            journal: self.store.journal().clone(),
        }
    }

    /// Start-up: the best bundle on the own disk that still climbs. Needs nobody.
    pub fn start(&mut self) -> Option<Digest> {
        let journal = self.store.journal().clone();
        for bundle in journal.start_order() {
            let chosen = journal.active == Some(bundle)
                || journal.accepted.as_ref().is_some_and(|a| a.bundle == bundle);
            let floor = journal.accepted.as_ref().map_or(0, |accepted| accepted.floor);
            if !chosen && journal.activation_of(bundle).is_none_or(|past| past.generation < floor) {
                continue;
            }
            match self.restore(bundle) {
                Ok(ready) => {
                    self.put_in_force(ready);
                    self.events.say(Level::Info, &format!("{bundle} is in force, from the own disk"));
                    return Some(bundle);
                }
                Err(refusal) => {
                    self.shared.metrics.refused(refusal.rung.number());
                    self.events.say(Level::Error, &format!("{bundle} on the own disk: {refusal}"));
                }
            }
        }
        None
    }

    /// Looks at the source; reads it if it looks different, if it was refused some time ago, or in any case with
    /// `force`. What is known already by its digest is not climbed with again, unless the world may have changed.
    pub fn look(&mut self, force: bool) -> Look {
        let now = (self.config.elapsed)();
        let fingerprint = self.source.fingerprint();
        let due = self.refused.as_ref().is_some_and(|refused| refused.is_due(now));
        if !force && !due && self.seen.as_ref() == Some(&fingerprint) {
            return Look::Unchanged;
        }
        self.seen = Some(fingerprint);
        let raw = match self.source.read() {
            Ok(raw) => raw,
            Err(refusal) => return self.refuse(None, None, refusal, force),
        };
        let digest = raw.digest();
        if !force && self.is_known(digest, due, now) {
            return Look::Unchanged;
        }
        let mut bundle = None;
        match raw.unpack().and_then(|offer| self.offer(offer, &mut bundle)) {
            Ok(look) => {
                self.settled = Some(digest);
                self.refused = None;
                match &look {
                    Look::Activated { bundle } => {
                        self.events.say(Level::Info, &format!("{bundle} is in force"));
                    }
                    Look::Held { bundle } => {
                        self.events.say(Level::Warn, &format!("{bundle} is stored and waits for `resume`"));
                    }
                    Look::Unchanged | Look::Refused { .. } => {}
                }
                look
            }
            Err(refusal) => self.refuse(Some(digest), bundle, refusal, force),
        }
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

    /// Goes back by hand, to a given bundle or the one before; needs no source. Offers wait until [`Reloader::resume`].
    ///
    /// # Errors
    /// A [`Refusal`]: there is none, it is below the floor, or it does not climb.
    pub fn rollback(&mut self, to: Option<Digest>) -> Result<Digest, Refusal> {
        let journal = self.store.journal();
        let target = to.or_else(|| before_active(journal)).ok_or_else(|| {
            Refusal::new(Rung::ForMe, "no-older-bundle", "there is no older bundle in the history")
        })?;
        let activation = journal.activation_of(target).cloned().ok_or_else(|| {
            Refusal::new(Rung::ForMe, "not-in-history", format!("{target} was never in force on this proxy"))
        })?;
        if journal.accepted.as_ref().is_some_and(|accepted| activation.generation < accepted.floor) {
            let message = format!("{target} is of generation {}, below the floor", activation.generation);
            return Err(Refusal::new(Rung::ForMe, "below-floor", message));
        }
        let ready = self.restore(target)?;
        self.store.update(|journal| journal.hold = true).map_err(durable)?;
        self.activate(ready, "returned");
        self.events
            .say(Level::Warn, &format!("{target} is in force again, by hand; offers wait for `resume`"));
        Ok(target)
    }

    /// Ends the hold, and a bundle's quarantine if one is named; what was offered meanwhile is activated.
    ///
    /// # Errors
    /// A [`Refusal`]: the disk refused, or the offered bundle does not climb.
    pub fn resume(&mut self, release: Option<Digest>) -> Result<Look, Refusal> {
        let offered = self.store.journal().offered;
        let ready = offered.map(|bundle| self.restore(bundle)).transpose()?;
        self.store
            .update(|journal| {
                journal.hold = false;
                if let Some(bundle) = release {
                    journal.quarantine.remove(&bundle);
                }
            })
            .map_err(durable)?;
        match ready {
            Some(ready) => {
                let bundle = ready.active.bundle;
                self.activate(ready, "resumed");
                Ok(Look::Activated { bundle })
            }
            None => Ok(self.look(true)),
        }
    }

    /// Looks at the secrets' files.
    pub fn poll_secrets(&mut self) {
        let Some(public) = &mut self.public else { return };
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

    /// Rungs 1 to 8 for what the source offers.
    fn offer(&mut self, offer: Offer, id: &mut Option<Digest>) -> Result<Look, Refusal> {
        let Offer { files, archive } = offer;
        verify::bound(&files)?;
        let candidate = verify::authentic(files, &self.config.trust)?;
        *id = Some(candidate.bundle.id);
        self.climb(&candidate, archive).map_err(|refusal| candidate.bundle.locate(refusal))
    }

    /// Rungs 3 to 8.
    fn climb(&mut self, candidate: &Authentic, packed: Option<Vec<u8>>) -> Result<Look, Refusal> {
        let accepted = self.store.journal().accepted.clone();
        verify::for_me(candidate, &self.expectation((self.config.now)(), accepted.as_ref()))?;
        let program = Arc::new(verify::well_formed(&candidate.bundle, Some(&self.config.owner))?);
        let (bundle, release) = (candidate.bundle.id, &candidate.release);
        let journal = self.store.journal();
        let in_force = self.shared.active.load_full();
        let same = accepted.as_ref() == Some(&Accepted::from(release));
        let waits = journal.hold && release.kind != ReleaseKind::Pin;
        if same && (waits || in_force.as_ref().is_some_and(|active| active.bundle == bundle)) {
            return Ok(Look::Unchanged);
        }
        if let Some(reason) = journal.quarantine.get(&bundle)
            && release.kind != ReleaseKind::Pin
        {
            let message = format!("the bundle is quarantined: {reason}");
            return Err(Refusal::new(Rung::Probation, "quarantined", message));
        }
        if let Some(active) = &in_force {
            not_too_much(active.engine.program(), &program, &release.acknowledges)?;
        }
        let ready = self.build(candidate, program, &candidate.state)?;
        let packed = match packed {
            Some(packed) => packed,
            None => archive::write(candidate.bundle.files()).map_err(|error| durable_io(&error))?,
        };
        self.store.put(bundle, &packed).map_err(durable)?;
        let accepted = Accepted::from(release);
        let state = candidate.state.clone();
        let pin = release.kind == ReleaseKind::Pin;
        self.store
            .update(|journal| {
                journal.accepted = Some(accepted);
                journal.state = state;
                journal.hold &= !pin;
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
            // The newest accepted state holds for the older bundle too, and so do that bundle's own secrets.
            if let Some(active) = in_force {
                let ready = self.restore(active.bundle)?;
                self.put_in_force(ready);
            }
            return Ok(Look::Held { bundle });
        }
        self.activate(ready, "offered");
        Ok(Look::Activated { bundle })
    }

    /// Rungs 1, 2, 4 and 5 for what is on the own disk, under the newest accepted state.
    fn restore(&mut self, bundle: Digest) -> Result<Ready, Refusal> {
        let files = archive::read(&self.store.get(bundle).map_err(durable)?)?;
        verify::bound(&files)?;
        let candidate = verify::authentic(files, &self.config.trust)?;
        if candidate.bundle.id != bundle {
            let message = format!("the archive holds {} instead", candidate.bundle.id);
            return Err(Refusal::new(Rung::Authentic, "other-bundle", message));
        }
        // Expiry and order are asked when a release is accepted from a source, never of the own disk.
        verify::for_me(&candidate, &self.expectation(0, None))?;
        let program = Arc::new(verify::well_formed(&candidate.bundle, Some(&self.config.owner))?);
        let state = self.store.journal().state.clone();
        self.build(&candidate, program, &state)
    }

    /// Rung 5.
    fn build(
        &mut self,
        candidate: &Authentic,
        program: Arc<Program>,
        state: &State,
    ) -> Result<Ready, Refusal> {
        let locate = |refusal| candidate.bundle.locate(refusal);
        let owner = &self.config.owner;
        let own = match owner {
            Owner::Service(name) => program.services.get(name),
            Owner::Gateway(_) => None,
        };
        let loopback = own.map(|service| SocketAddr::from(([127, 0, 0, 1], service.application_port())));
        let input = BuildInput {
            program: Arc::clone(&program),
            state,
            owner,
            bundle: candidate.bundle.id,
            generation: candidate.release.generation,
            directory: &self.directory,
            application: self.config.application.or(loopback),
            has_identity: self.shared.identity.is_some(),
            seed: self.config.seed,
        };
        let previous = self.shared.active.load_full();
        let active = Active::build(&input, previous.as_deref()).map_err(locate)?;
        self.check_identity(&program)?;
        match self.secrets.public(&program, owner, self.public.take()) {
            Ok(public) => self.public = public,
            Err((refusal, known)) => {
                self.public = known;
                return Err(locate(refusal));
            }
        }
        let services = candidate.bundle.entries().keys().filter_map(|id| match id {
            UnitId::Service(name) => Some(name.to_string()),
            _ => None,
        });
        let known = Known { scope: active.versions(), elsewhere: services.collect() };
        Ok(Ready { active, known })
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
    fn activate(&mut self, ready: Ready, reason: &str) {
        let (bundle, generation) = (ready.active.bundle, ready.active.generation);
        let keep = usize::try_from(ready.active.engine.program().mesh.keep).unwrap_or(usize::MAX);
        self.put_in_force(ready);
        let activation =
            Activation { bundle, generation, at: (self.config.now)(), reason: reason.to_owned() };
        let written = self.store.update(|journal| {
            // A stage of a canary changes the state under the same bundle: no history (`bundle.md`).
            if journal.active == Some(bundle) {
                journal.next = None;
            } else {
                journal.good = journal.active.or(journal.good);
                journal.activated(activation);
            }
        });
        // The bundle is in force; a disk that fails now makes the next start begin with the one before.
        if let Err(error) = written.and_then(|()| self.store.clean(keep).map(drop)) {
            self.events
                .say(Level::Error, &format!("{bundle} is in force, but the state folder says no: {error}"));
        }
    }

    fn put_in_force(&mut self, ready: Ready) {
        let Ready { active, known } = ready;
        self.known = known;
        self.shared.public.store(self.public.as_ref().map(Watched::current));
        self.shared.metrics.activated(&active.bundle_text, active.generation);
        self.shared.active.store(Some(Arc::new(active)));
    }

    /// Counts a refusal; says it and writes it down, unless it is the one of before.
    fn refuse(
        &mut self,
        offer: Option<Digest>,
        bundle: Option<Digest>,
        refusal: Refusal,
        force: bool,
    ) -> Look {
        let before = self.refused.take();
        let same = before.as_ref().is_some_and(|known| known.offer == offer && known.refusal == refusal);
        self.settled = None;
        self.refused = Some(Refused::new(offer, refusal.clone(), (self.config.elapsed)(), before));
        if !same || force {
            self.shared.metrics.refused(refusal.rung.number());
            self.events.say(Level::Error, &format!("the offered bundle is {refusal}"));
            let record = RefusalRecord { bundle, at: (self.config.now)(), refusal: refusal.clone() };
            if let Err(error) = self.store.update(|journal| journal.last_refusal = Some(record)) {
                self.events.say(Level::Error, &format!("the refusal could not be written down: {error}"));
            }
        }
        Look::Refused { refusal }
    }

    fn expectation<'a>(&'a self, now: u64, accepted: Option<&'a Accepted>) -> Expectation<'a> {
        let Config { mesh, environment, owner, .. } = &self.config;
        // Folders and archives are local sources; those are all there are.
        Expectation { mesh, environment, owner, now, accepted, local: true }
    }
}

/// The bundle that was offered before the one in force.
fn before_active(journal: &Journal) -> Option<Digest> {
    let active = journal.active?;
    let mut order: Vec<Digest> = Vec::new();
    for activation in journal.history.iter().filter(|activation| activation.reason != "returned") {
        order.retain(|bundle| *bundle != activation.bundle);
        order.push(activation.bundle);
    }
    let place = order.iter().position(|bundle| *bundle == active)?;
    place.checked_sub(1).and_then(|before| order.get(before)).copied()
}

fn durable(error: StoreError) -> Refusal {
    Refusal::new(Rung::Durable, "cannot-store", error.to_string())
}

fn durable_io(error: &std::io::Error) -> Refusal {
    Refusal::new(Rung::Durable, "cannot-store", error.to_string())
}
