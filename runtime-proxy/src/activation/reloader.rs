//! The one who climbs the ladder: looks at the source, and says how things stand.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_bundle::release::Accepted;
use mesh_bundle::trust::TrustSet;
use mesh_bundle::verify::Expectation;
use mesh_bundle::{Digest, Name, Owner, Refusal};
use serde::Serialize;

use super::refused::Refused;
use super::secrets::{Secrets, Watched};
use super::source::{Fingerprint, Source};
use super::watch::{ProbationStatus, ProbationWindow};
use crate::preflight::Preflight;
use crate::probation::{Before, Services};
use crate::request::Shared;
use crate::store::{Disk, Journal, RefusalRecord, Store};
use crate::telemetry::{Events, Level};
use crate::upstream::{Directory, Known};

/// Who the proxy is and whom it trusts.
pub struct Config {
    /// Its mesh.
    pub mesh: Name,
    /// Its environment.
    pub environment: Name,
    /// Whom it stands for.
    pub owner: Owner,
    /// Whose signatures count at first; good bundles may bring another set.
    pub trust: TrustSet,
    /// Where the application listens, for a service's proxy; the service's own port on loopback without.
    pub application: Option<SocketAddr>,
    /// Seeds the order of shares.
    pub seed: u32,
    /// Who builds a bundle first.
    pub preflight: Box<dyn Preflight>,
    /// Seconds since the epoch.
    pub now: Box<dyn Fn() -> u64 + Send>,
    /// Time since some beginning, by a clock that only goes on.
    pub elapsed: Box<dyn Fn() -> Duration + Send>,
}

/// What a look at the source came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum ReloadOutcome {
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
    /// How its probation stands, while it lasts.
    pub probation: Option<ProbationStatus>,
    /// What is wrong with the state folder.
    pub alarms: Vec<String>,
    /// The ids of the keys whose signatures count now.
    pub keys: Vec<String>,
    /// The journal.
    pub journal: Journal,
}

/// The one who climbs.
pub struct Reloader<D> {
    pub(super) config: Config,
    pub(super) source: Source,
    pub(super) store: Store<D>,
    pub(super) shared: Arc<Shared>,
    pub(super) directory: Arc<Directory>,
    pub(super) secrets: Secrets,
    pub(super) public: Option<Watched>,
    pub(super) seen: Option<Fingerprint>,
    /// The digest of the newest offer that was not refused.
    pub(super) settled: Option<Digest>,
    pub(super) refused: Option<Refused>,
    pub(super) known: Known,
    pub(super) events: Events,
    pub(super) probation: Option<ProbationWindow>,
    pub(super) before: Before,
    pub(super) services: Services,
    /// An engine was let go since the last tick.
    pub(super) freed: bool,
    /// When the last window of `services` ended.
    pub(super) turned: Duration,
    /// Digests of the archives that this process stored or read, by bundle.
    pub(super) archives: BTreeMap<Digest, Digest>,
    pub(super) alarms: BTreeSet<String>,
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
            probation: None,
            before: Before::default(),
            services: Services::default(),
            freed: false,
            turned: Duration::ZERO,
            archives: BTreeMap::new(),
            alarms: BTreeSet::new(),
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
        let active = self.shared.active();
        let unwritten = self.store.is_unwritten().then(|| {
            "the journal on the disk is behind: a restart now would not know what happened last".to_owned()
        });
        Status {
            mesh: self.config.mesh.clone(),
            environment: self.config.environment.clone(),
            owner: self.config.owner.clone(),
            active: active.as_ref().map(|active| active.bundle),
            generation: active.as_ref().map(|active| active.generation),
            probation: self.probation_status(),
            alarms: self.alarms.iter().cloned().chain(unwritten).collect(),
            keys: self.trust().keys().map(mesh_bundle::trust::PublicKey::id).collect(),
            journal: self.store.journal().clone(),
        }
    }

    /// The set whose signatures count now.
    pub(super) fn trust(&self) -> &TrustSet {
        self.store.journal().trust.last().unwrap_or(&self.config.trust)
    }

    /// Looks at the source; reads it if it looks different, if it was refused some time ago, or in any case with
    /// `force`. What is known already by its digest is not climbed with again, unless the world may have changed.
    pub fn poll_source(&mut self, force: bool) -> ReloadOutcome {
        let now = (self.config.elapsed)();
        let fingerprint = self.source.fingerprint();
        let due = self.refused.as_ref().is_some_and(|refused| refused.is_due(now));
        if !force && !due && self.seen.as_ref() == Some(&fingerprint) {
            return ReloadOutcome::Unchanged;
        }
        self.seen = Some(fingerprint);
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
            Ok(look) => {
                self.settled = Some(digest);
                self.refused = None;
                match &look {
                    ReloadOutcome::Activated { bundle } => {
                        self.events.say(Level::Info, &format!("{bundle} is in force"));
                    }
                    ReloadOutcome::Held { bundle } => {
                        self.events.say(Level::Warn, &format!("{bundle} is stored and waits for `resume`"));
                    }
                    ReloadOutcome::Unchanged | ReloadOutcome::Refused { .. } => {}
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

    /// Counts a refusal; says it and writes it down, unless it is the one of before.
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
        self.refused = Some(Refused::new(offer, refusal.clone(), (self.config.elapsed)(), before));
        if !same || force {
            self.shared.metrics.refused(refusal.rung.number());
            self.events.say(Level::Error, &format!("the offered bundle is {refusal}"));
            let record = RefusalRecord { bundle, at: (self.config.now)(), refusal: refusal.clone() };
            if let Err(error) = self.store.note(|journal| journal.last_refusal = Some(record)) {
                self.events.say(Level::Error, &format!("the refusal could not be written down: {error}"));
            }
        }
        ReloadOutcome::Refused { refusal }
    }

    pub(super) fn expectation<'a>(&'a self, now: u64, accepted: Option<&'a Accepted>) -> Expectation<'a> {
        let Config { mesh, environment, owner, .. } = &self.config;
        // Folders and archives are local sources; those are all there are.
        Expectation { mesh, environment, owner, now, accepted, local: true }
    }
}
