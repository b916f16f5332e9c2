//! What a worker has at hand for each request.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use foldhash::fast::FixedState;
use mesh_bundle::Owner;
use mesh_decision::Scratch;

use super::active::Active;
use super::meters::{MeterCache, Meters};
use super::running::Running;
use super::streams::Streams;
use crate::clock::Clock;
use crate::telemetry::{AccessLog, Metrics, Refusals};
use crate::tls::{PublicCertificate, TlsState};
use crate::upstream::{Connector, Means, Pools, Random};

/// Callers whose names a worker remembers before it begins anew.
const CALLERS: usize = 10_000;

/// Hears of each rule that decided a request.
pub type Hook = Arc<dyn Fn(&str) + Send + Sync>;

/// What all workers share.
pub struct Shared {
    /// What is in force; nothing before the first activation.
    pub running: ArcSwapOption<Running>,
    /// The proxy's identity.
    pub identity: Option<Arc<ArcSwap<TlsState>>>,
    /// A gateway's public certificate, once a bundle asked for one.
    pub public: ArcSwapOption<PublicCertificate>,
    /// What is counted.
    pub metrics: Metrics,
    /// What is logged.
    pub log: AccessLog,
    /// Why the latest refusals were refused.
    pub refusals: Refusals,
    /// The proxy's clock.
    pub clock: Clock,
    /// Called with the address of each rule that decided, where a test wants faults there.
    pub hook: Option<Hook>,
    /// Workers so far.
    workers: AtomicUsize,
}

impl Shared {
    /// Nothing in force yet.
    #[must_use]
    pub fn new(
        clock: Clock,
        metrics: Metrics,
        log: AccessLog,
        identity: Option<Arc<ArcSwap<TlsState>>>,
    ) -> Self {
        Self {
            running: ArcSwapOption::empty(),
            identity,
            public: ArcSwapOption::empty(),
            metrics,
            log,
            refusals: Refusals::default(),
            clock,
            hook: None,
            workers: AtomicUsize::new(0),
        }
    }

    /// The bundle in force; nothing before the first activation.
    #[must_use]
    pub fn active(&self) -> Option<Arc<Active>> {
        self.running.load().as_ref().map(|running| Arc::clone(&running.active))
    }
}

/// One worker.
pub struct Worker {
    /// What all workers share.
    pub shared: Arc<Shared>,
    /// Connections to endpoints.
    pub pools: Rc<Pools>,
    /// Seeded randomness.
    pub random: Random,
    /// Tells workers apart, from 0.
    pub number: usize,
    pub(super) scratch: RefCell<Scratch>,
    pub(super) streams: Rc<Streams>,
    /// The last request that a panic ended.
    pub(super) panicked: Cell<Option<PanickedRequest>>,
    local: RefCell<Option<Rc<Local>>>,
}

/// What a request that a panic ended was decided by.
pub(super) struct PanickedRequest {
    pub(super) local: Option<Rc<Local>>,
    pub(super) meters: Option<Rc<Meters>>,
}

/// What is in force, and what this worker keeps with it.
pub(super) struct Local {
    running: Arc<Running>,
    pub(super) meters: MeterCache,
    owners: RefCell<HashMap<Box<str>, Option<Rc<Owner>>, FixedState>>,
}

impl Worker {
    /// A worker without connections.
    #[must_use]
    pub fn new(shared: Arc<Shared>, seed: u64, tls13_only: bool) -> Self {
        let number = shared.workers.fetch_add(1, Ordering::Relaxed);
        let connector = Connector::new(shared.identity.clone(), tls13_only);
        Self {
            shared,
            pools: Rc::new(Pools::new(connector)),
            random: Random::new(seed),
            number,
            scratch: RefCell::default(),
            streams: Rc::default(),
            panicked: Cell::default(),
            local: RefCell::default(),
        }
    }

    /// What it sends with.
    pub(super) fn means(&self) -> Means<'_> {
        Means { pools: &self.pools, clock: &self.shared.clock, random: &self.random }
    }

    /// What is in force now, for one request.
    pub(super) fn snapshot(&self) -> Option<Rc<Local>> {
        let now = self.shared.running.load();
        let now = now.as_ref()?;
        let mut local = self.local.borrow_mut();
        match &*local {
            Some(local) if Arc::ptr_eq(&local.running, now) => Some(Rc::clone(local)),
            _ => {
                let fresh = Rc::new(Local {
                    running: Arc::clone(now),
                    meters: MeterCache::default(),
                    owners: RefCell::default(),
                });
                *local = Some(Rc::clone(&fresh));
                Some(fresh)
            }
        }
    }
}

impl Local {
    /// The bundle that decides.
    pub(super) fn active(&self) -> &Active {
        &self.running.active
    }

    /// What is in force, with its probation.
    pub(super) fn running(&self) -> &Running {
        &self.running
    }

    /// The service or gateway that a principal names.
    pub(super) fn owner_of(&self, principal: &str) -> Option<Rc<Owner>> {
        let mut owners = self.owners.borrow_mut();
        if let Some(owner) = owners.get(principal) {
            return owner.clone();
        }
        let owner = self.active().engine.program().mesh.owner_of(principal).map(Rc::new);
        if owners.len() >= CALLERS {
            owners.clear();
        }
        owners.insert(principal.into(), owner.clone());
        owner
    }
}
