//! A proxy's ladder without the proxy: no listeners, no workers, no second thread.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mesh_bundle::trust::TrustSet;
use mesh_proxy::reload::{Config, Reloader, Secrets, Source};
use mesh_proxy::request::Shared;
use mesh_proxy::store::{Disk, Store};
use mesh_proxy::telemetry::{AccessLog, Metrics, Target};
use mesh_proxy::upstream::Directory;

use crate::bundles;

/// What a ladder is set up with. The proxy is the one that [`crate::bundles`] makes bundles for.
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
}

/// Opens the state folder; nothing is in force yet.
///
/// # Errors
/// The folder cannot be used, or its journal is damaged.
pub fn ladder<D: Disk>(setup: Setup<'_, D>) -> io::Result<Reloader<D>> {
    let Setup { state, source, trust, now, disk } = setup;
    let metrics = Metrics::new();
    let log = AccessLog::open(&Target::Off, metrics.log_dropped.clone())?;
    let shared = Arc::new(Shared::new(metrics, log, None));
    let store = Store::open(state, disk).map_err(|error| io::Error::other(error.to_string()))?;
    let config = Config {
        mesh: bundles::name(bundles::MESH)?,
        environment: bundles::name(bundles::ENVIRONMENT)?,
        owner: bundles::owner()?,
        trust,
        application: None,
        seed: 0,
        now: Box::new(move || now),
        elapsed: Box::new(|| Duration::ZERO),
    };
    let directory = Arc::new(Directory::new());
    Ok(Reloader::new(config, Source::new(source), store, shared, directory, Secrets::new(None)))
}
