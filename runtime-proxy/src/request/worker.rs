//! What a worker has at hand for each request.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use foldhash::fast::FixedState;
use mesh_bundle::Owner;
use mesh_decision::Scratch;

use super::active::Active;
use super::record::{Direction, Explained, Fallen, Meters};
use super::running::Running;
use super::streams::Streams;
use crate::clock::Clock;
use crate::telemetry::{AccessLog, Metrics};
use crate::tls::{PublicCertificate, TlsState};
use crate::upstream::{Connector, Means, Pools, Random};

/// Refusals that are remembered for `/v1/explain`.
const EXPLAINED: usize = 1_024;
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
    /// The proxy's clock.
    pub clock: Clock,
    /// Called with the address of each rule that decided, where a test wants faults there.
    pub hook: Option<Hook>,
    /// Workers so far.
    workers: AtomicUsize,
    explained: Mutex<VecDeque<Explained>>,
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
            clock,
            hook: None,
            workers: AtomicUsize::new(0),
            explained: Mutex::default(),
        }
    }

    /// The bundle in force; nothing before the first activation.
    #[must_use]
    pub fn active(&self) -> Option<Arc<Active>> {
        self.running.load().as_ref().map(|running| Arc::clone(&running.active))
    }

    /// Remembers why a request was refused, under the id that went over the wire.
    pub(super) fn explain(&self, why: Explained) {
        let mut explained = self.explained.lock().unwrap_or_else(PoisonError::into_inner);
        if explained.len() >= EXPLAINED {
            explained.pop_front();
        }
        explained.push_back(why);
    }

    /// Why a request was refused.
    #[must_use]
    pub fn explained(&self, decision: &str) -> Option<Explained> {
        let explained = self.explained.lock().unwrap_or_else(PoisonError::into_inner);
        explained.iter().rev().find(|why| why.decision == decision).cloned()
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
    pub(super) streams: Streams,
    /// The last request that was lost to a fault.
    pub(super) fallen: Cell<Fallen>,
    local: RefCell<Option<Rc<Local>>>,
}

/// Meters by direction and by the places of rule, service and version in memory.
type MeterMap = HashMap<(Direction, usize, usize, usize), Rc<Meters>, FixedState>;

/// What is in force, and what this worker keeps with it.
pub(super) struct Local {
    running: Arc<Running>,
    pub(super) meters: RefCell<MeterMap>,
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
            streams: Streams::default(),
            fallen: Cell::default(),
            local: RefCell::default(),
        }
    }

    /// What it sends with.
    pub(super) fn means(&self) -> Means<'_> {
        Means { pools: &self.pools, clock: &self.shared.clock, random: &self.random }
    }

    /// Once a second: streams that the bundle in force denies are ended.
    pub fn tick(&self) {
        // An older engine is not kept for want of requests.
        if let Some(local) = self.snapshot() {
            let denied = self.streams.decide_again(local.active(), self, self.shared.clock.now());
            self.shared.metrics.streams_ended.inc_by(denied as u64);
        }
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
                    meters: RefCell::default(),
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
