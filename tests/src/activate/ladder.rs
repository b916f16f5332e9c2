//! A proxy's ladder without the proxy: no listeners, no workers, no second thread.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mesh_bundle::Refusal;
use mesh_bundle::trust::TrustSet;
use mesh_proxy::activation::{Config, LocalPath, Reloader, Secrets};
use mesh_proxy::clock::{Clock, TimeSource};
use mesh_proxy::preflight::{Cancel, Preflight, PreflightInput};
use mesh_proxy::probation::RequestSample;
use mesh_proxy::request::Shared;
use mesh_proxy::store::{Disk, Store};
use mesh_proxy::telemetry::{AccessLog, Metrics, Target};
use mesh_proxy::upstream::Directory;
use tokio::time::Instant;

use crate::kit::small;

/// What a ladder is set up with. The proxy is the one that [`small`] makes bundles for.
pub struct Setup<'a, D> {
    /// The state folder.
    pub state: &'a Path,
    /// Where bundles are offered.
    pub source: &'a Path,
    /// Whose signatures count.
    pub trust: TrustSet,
    /// What the clock shows, in seconds since the epoch.
    pub now: u64,
    /// The file system.
    pub disk: D,
    /// Builds and proves a bundle first.
    pub preflight: Box<dyn Preflight>,
}

/// Checks nothing and starts no child: rungs 5 and 6 are climbed in the process itself all the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPreflight;

impl Preflight for NoPreflight {
    fn check(&self, _: &PreflightInput, _: &Cancel) -> Result<usize, Refusal> {
        Ok(0)
    }
}

/// A clock that a harness moves; the time of day stands.
struct Hand {
    begun: Instant,
    millis: Arc<AtomicU64>,
    now: u64,
}

impl TimeSource for Hand {
    fn monotonic(&self) -> Instant {
        self.begun + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.now)
    }
}

/// A ladder, with what the rest of a proxy would do to it.
pub struct Ladder<D> {
    /// Drives the activation.
    pub reloader: Reloader<D>,
    shared: Arc<Shared>,
    millis: Arc<AtomicU64>,
}

impl<D> Ladder<D> {
    /// The clock that only goes on goes on.
    pub fn pass(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Requests that the bundle in force denies, and the one before did not.
    pub fn deny(&self, requests: usize) {
        if let Some(active) = self.shared.active() {
            let kind = RequestSample { differs: true, denied: true, ..RequestSample::default() };
            (0..requests).for_each(|_| active.tally.count(0, kind));
        }
    }
}

/// Opens the state folder; nothing is in force yet.
///
/// # Errors
/// The folder cannot be used, or its journal is damaged.
pub fn ladder<D: Disk>(setup: Setup<'_, D>) -> io::Result<Ladder<D>> {
    let Setup { state, source, trust, now, disk, preflight } = setup;
    let millis = Arc::new(AtomicU64::new(0));
    let hand = Hand { begun: Instant::now(), millis: Arc::clone(&millis), now };
    let clock = Clock::new(Arc::new(hand));
    let metrics = Metrics::new();
    let log = AccessLog::open(&Target::Off, metrics.log_dropped.clone())?;
    let shared = Arc::new(Shared::new(clock.clone(), metrics, log, None));
    let store = Store::open(state, disk).map_err(|error| io::Error::other(error.to_string()))?;
    let config = Config {
        mesh: small::name(small::MESH)?,
        environment: small::name(small::ENVIRONMENT)?,
        owner: small::owner()?,
        trust,
        application: None,
        seed: 0,
        preflight,
        cancel: Cancel::new()?,
        clock,
    };
    let directory = Arc::new(Directory::new());
    let (source, secrets) = (Box::new(LocalPath::new(source)), Secrets::new(None));
    let reloader = Reloader::new(config, source, store, Arc::clone(&shared), directory, secrets);
    Ok(Ladder { reloader, shared, millis })
}
