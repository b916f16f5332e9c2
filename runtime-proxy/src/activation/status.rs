//! What the control side shows of itself: a value, replaced as a whole and read without waiting.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use mesh_bundle::{Digest, Name, Owner};
use serde::Serialize;

use super::config::Config;
use super::probation_window::{ProbationStatus, ProbationWindow};
use crate::request::Running;
use crate::store::Journal;
use crate::upstream::Known;

/// What a proxy says of itself.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its mesh.
    pub mesh: Name,
    /// Its environment.
    pub environment: Name,
    /// The service or gateway that it is the proxy of.
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
    /// What the control thread is at, if that takes a second or longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy: Option<Busy>,
}

/// What the control thread is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Busy {
    /// The job.
    pub with: &'static str,
    /// For how many seconds.
    pub seconds: u64,
}

/// What was in force at one instant.
pub(super) struct Snapshot {
    pub(super) running: Option<Arc<Running>>,
    pub(super) window: Option<ProbationWindow>,
    pub(super) alarms: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) journal: Journal,
    pub(super) known: Arc<Known>,
}

/// The way to the newest snapshot, for any thread; copies show the same.
#[derive(Clone)]
pub struct StatusView {
    config: Arc<Config>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    job: Arc<ArcSwapOption<(&'static str, Duration)>>,
}

impl StatusView {
    pub(super) fn new(config: Arc<Config>, first: Snapshot) -> Self {
        Self { config, snapshot: Arc::new(ArcSwap::from_pointee(first)), job: Arc::default() }
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// The control thread begins a job.
    pub fn begins(&self, job: &'static str) {
        self.job.store(Some(Arc::new((job, self.config.clock.elapsed()))));
    }

    /// The control thread waits for the next job.
    pub fn idles(&self) {
        self.job.store(None);
    }

    /// What the control thread is at for a second or longer.
    #[must_use]
    pub fn busy(&self) -> Option<Busy> {
        let job = self.job.load_full()?;
        let (with, since) = *job;
        let seconds = self.config.clock.elapsed().saturating_sub(since).as_secs();
        (seconds > 0).then_some(Busy { with, seconds })
    }

    /// Names that the endpoints file may hold under the bundle in force.
    #[must_use]
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.snapshot.load().known)
    }

    /// What the proxy says of itself. What workers count is read at once, the rest is of the newest snapshot.
    #[must_use]
    pub fn status(&self) -> Status {
        let snapshot = self.snapshot.load_full();
        let Snapshot { running, window, alarms, keys, journal, known: _ } = &*snapshot;
        let active = running.as_ref().map(|running| &running.active);
        let Config { mesh, environment, owner, clock, .. } = &*self.config;
        Status {
            mesh: mesh.clone(),
            environment: environment.clone(),
            owner: owner.clone(),
            active: active.map(|active| active.bundle),
            generation: active.map(|active| active.generation),
            probation: window
                .as_ref()
                .zip(running.as_deref())
                .map(|(window, running)| window.status(running, clock.elapsed())),
            alarms: alarms.clone(),
            keys: keys.clone(),
            journal: journal.clone(),
            busy: self.busy(),
        }
    }
}
