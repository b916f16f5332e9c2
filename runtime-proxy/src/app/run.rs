//! Running: reads what is needed, starts the workers, then watches and obeys.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mesh_bundle::Owner;
use mesh_bundle::trust::TrustSet;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval};

use super::args::RunArgs;
use super::worker::{self, Listeners, Stop};
use crate::activation::{Config, ReloadOutcome, Reloader, Secrets, Source};
use crate::admin::{self, Command, Panel};
use crate::clock::Clock;
use crate::preflight::{ChildPreflight, Preflight};
use crate::request::{Hook, Shared};
use crate::store::{RealDisk, Store, StoreError};
use crate::telemetry::{AccessLog, Events, Level, Metrics};
use crate::tls::{FileSet, IdentityError, Reload, TlsState, Watch};
use crate::upstream::{Directory, DnsRefresh, EndpointsFile, FileNews, SystemResolver};

/// How often the source is looked at: a few `stat` calls, about 10 µs.
const SOURCE_EVERY: Duration = Duration::from_millis(200);
/// How often the endpoints file is read.
const ENDPOINTS_EVERY: Duration = Duration::from_secs(1);
/// How often identity, secrets and DNS are looked at (`bundle.md`: a replaced secret is taken within 5 s).
const FILES_EVERY: Duration = Duration::from_secs(5);
/// How often a bundle on probation is judged.
const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// How often the state folder is compared with what was put there (`bundle.md`, "Activation ladder").
const RECHECK_EVERY: Duration = Duration::from_secs(20);
/// How long a start waits for the first addresses from DNS.
const FIRST_DNS: Duration = Duration::from_secs(3);
/// Orders that may wait.
const ORDERS: usize = 16;
/// Bytes of a trust file.
const TRUST_BYTES: u64 = 64 * 1024;
/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// Why a proxy does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The trust file cannot be used.
    #[error("the trust file {}: {reason}", path.display())]
    Trust {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The state folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The identity cannot be used.
    #[error("the identity: {0}")]
    Identity(#[from] IdentityError),
    /// Neither flags nor a bundle say where to listen.
    #[error("no bundle is in force that says where to listen; give `--inbound`")]
    NowhereToListen,
    /// The system refuses something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs until told to stop.
///
/// # Errors
/// [`StartError`], before any request was taken.
pub fn run(args: &RunArgs) -> Result<(), StartError> {
    run_with(args, Seams { preflight: Box::new(ChildPreflight::own()), hook: None })
}

/// Where tests put something else.
pub struct Seams {
    /// Who builds a bundle first.
    pub preflight: Box<dyn Preflight>,
    /// Who hears of each rule that decided a request, in the midst of it.
    pub hook: Option<Hook>,
}

/// The same with parts of the caller's own: a test's program is no `mesh-proxy`.
///
/// # Errors
/// [`StartError`], before any request was taken.
pub fn run_with(args: &RunArgs, seams: Seams) -> Result<(), StartError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system("runtime"))?;
    LocalSet::new().block_on(&runtime, async { Proxy::start(args, seams)?.serve(args).await })
}

struct Proxy {
    reloader: Reloader<RealDisk>,
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    identity: Option<Watch<TlsState>>,
    endpoints: Option<EndpointsFile>,
    events: Events,
}

impl Proxy {
    fn start(args: &RunArgs, seams: Seams) -> Result<Self, StartError> {
        let trust = read_trust(&args.trust)?;
        let identity = args.identity.clone().map(watch_identity).transpose()?;
        let store = Store::open(&args.state, RealDisk)?;
        let metrics = Metrics::new();
        let log =
            AccessLog::open(&args.access_log, metrics.log_dropped.clone()).map_err(system("access log"))?;
        let mut shared = Shared::new(Clock::system(), metrics, log, identity.as_ref().map(Watch::current));
        shared.hook = seams.hook;
        let shared = Arc::new(shared);
        let directory = Arc::new(Directory::new());
        let owner = match (&args.service, &args.gateway) {
            (Some(name), _) => Owner::Service(name.clone()),
            (None, Some(name)) => Owner::Gateway(name.clone()),
            (None, None) => return Err(StartError::NowhereToListen),
        };
        let config = Config {
            mesh: args.mesh.clone(),
            environment: args.env.clone(),
            owner,
            trust,
            preflight: seams.preflight,
            application: args.app,
            seed: u32::try_from(seed() & 0xffff).unwrap_or(0),
            now: Box::new(unix_now),
            elapsed: Box::new({
                let start = Instant::now();
                move || start.elapsed()
            }),
        };
        let secrets = Secrets::new(args.secrets.as_deref());
        let source = Source::new(&args.source);
        let reloader =
            Reloader::new(config, source, store, Arc::clone(&shared), Arc::clone(&directory), secrets);
        let endpoints = args.endpoints.as_deref().map(EndpointsFile::new);
        Ok(Self { reloader, shared, directory, identity, endpoints, events: Events })
    }

    async fn serve(mut self, args: &RunArgs) -> Result<(), StartError> {
        self.reloader.start();
        self.reloader.poll_source(true);
        self.poll_endpoints();
        self.poll_files();
        if self.endpoints.is_none() {
            self.follow_dns().await;
        }
        let listeners = self.listeners(args)?;
        let (stop, stopped) = watch::channel::<Stop>(None);
        let workers = self.start_workers(args, listeners, &stopped)?;
        let (commands, mut orders) = mpsc::channel(ORDERS);
        let draining = Arc::new(AtomicBool::new(false));
        if let Some(path) = &args.admin {
            let listener =
                admin::listen(path).map_err(system(&format!("admin socket {}", path.display())))?;
            let panel = Panel {
                shared: Arc::clone(&self.shared),
                directory: Arc::clone(&self.directory),
                commands,
                draining: Arc::clone(&draining),
            };
            tokio::task::spawn_local(admin::serve(listener, Rc::new(panel)));
        }
        self.events.say(Level::Info, &format!("{} workers listen: {listeners:?}", workers.len()));
        self.watch(&mut orders).await?;
        self.reloader.stop();
        draining.store(true, Ordering::Relaxed);
        self.events.say(Level::Info, "no new connections; requests in flight are finished");
        let grace = Duration::from_secs(args.drain);
        let _all_gone_already = stop.send(Some(grace));
        let ended =
            tokio::task::spawn_blocking(move || workers.into_iter().all(|worker| worker.join().is_ok()));
        if !ended.await.unwrap_or(false) {
            self.events.say(Level::Error, "a worker ended by a fault");
        }
        self.shared.log.flush();
        if let Some(path) = &args.admin {
            let _gone_already = std::fs::remove_file(path);
        }
        Ok(())
    }

    /// Watches files, signals and orders until it is time to stop.
    async fn watch(&mut self, orders: &mut mpsc::Receiver<Command>) -> Result<(), StartError> {
        let on = |kind| signal(kind).map_err(system("signals"));
        let (mut hangup, mut terminate, mut interrupt) =
            (on(SignalKind::hangup())?, on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        let (mut look, mut endpoints) = (interval(SOURCE_EVERY), interval(ENDPOINTS_EVERY));
        let (mut slow, mut judge) = (interval(FILES_EVERY), interval(JUDGE_EVERY));
        let mut recheck = interval(RECHECK_EVERY);
        judge.set_missed_tick_behavior(MissedTickBehavior::Delay);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        endpoints.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        slow.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {
                    // A bundle may bring services whose endpoints were not asked for before.
                    if matches!(self.reloader.poll_source(false), ReloadOutcome::Activated { .. }) {
                        self.poll_endpoints();
                    }
                }
                _ = endpoints.tick() => self.poll_endpoints(),
                _ = slow.tick() => self.poll_files(),
                _ = judge.tick() => {
                    if self.reloader.tick().is_some() {
                        self.poll_endpoints();
                    }
                }
                _ = recheck.tick() => self.reloader.recheck(),
                _ = hangup.recv() => {
                    self.reloader.poll_source(true);
                    self.poll_endpoints();
                }
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                Some(order) = orders.recv() => {
                    if self.obey(order) {
                        return Ok(());
                    }
                    self.poll_endpoints();
                }
            }
        }
    }

    /// Does what an operator ordered; says whether to stop. One who went away needs no answer.
    fn obey(&mut self, order: Command) -> bool {
        match order {
            Command::Status(reply) => drop(reply.send(self.reloader.status())),
            Command::Reload(reply) => drop(reply.send(self.reloader.poll_source(true))),
            Command::Rollback(to, reply) => drop(reply.send(self.reloader.rollback(to))),
            Command::Resume(bundle, reply) => drop(reply.send(self.reloader.resume(bundle))),
            Command::Drain => return true,
        }
        false
    }

    fn poll_endpoints(&mut self) {
        let Some(file) = &mut self.endpoints else { return };
        if self.shared.active().is_none() {
            return;
        }
        match file.poll(&self.directory, self.reloader.known()) {
            FileNews::Unchanged => {}
            FileNews::Taken { endpoints } => {
                self.events.say(Level::Info, &format!("{endpoints} endpoints are known"));
            }
            FileNews::Refused(error) => {
                self.shared.metrics.file_refused("endpoints");
                self.events.say(Level::Error, &error.to_string());
            }
        }
    }

    /// Keeps endpoints in step with DNS, in a task of its own: a resolver that does not answer holds up nothing else.
    /// Waits for the first round, but not long.
    async fn follow_dns(&self) {
        let (shared, directory, events) =
            (Arc::clone(&self.shared), Arc::clone(&self.directory), self.events);
        let (done, first) = tokio::sync::oneshot::channel();
        tokio::task::spawn_local(async move {
            let (mut dns, mut done) = (DnsRefresh::default(), Some(done));
            let mut rounds = interval(FILES_EVERY);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                rounds.tick().await;
                let active = shared.active();
                if let Some(active) = active {
                    for news in dns.round(active.engine.program(), &directory, &SystemResolver).await {
                        events.say(Level::Warn, &news);
                    }
                }
                if let Some(done) = done.take() {
                    let _nobody_waits_any_more = done.send(());
                }
            }
        });
        let _late_or_done = tokio::time::timeout(FIRST_DNS, first).await;
    }

    fn poll_files(&mut self) {
        if let Some(identity) = &mut self.identity {
            match identity.poll() {
                Reload::Unchanged => {}
                Reload::Taken => self.events.say(Level::Info, "the identity was replaced"),
                Reload::Refused(error) => {
                    self.shared.metrics.file_refused("identity");
                    let message = format!("the identity was replaced by something unusable: {error}");
                    self.events.say(Level::Error, &message);
                }
            }
            let not_after = identity.current().load().identity.not_after;
            self.shared.metrics.certificate("identity", days_until(not_after));
        }
        self.reloader.poll_secrets();
        if let Some(public) = &*self.shared.public.load() {
            self.shared.metrics.certificate("public", days_until(public.not_after));
        }
        let active = self.shared.active();
        if let Some(active) = active {
            active.counters.sweep(self.shared.clock.nanos());
        }
    }

    fn listeners(&self, args: &RunArgs) -> Result<Listeners, StartError> {
        let active = self.shared.active();
        let port = active.as_ref().and_then(|active| {
            let program = active.engine.program();
            match active.engine.owner() {
                Owner::Service(name) => program.services.get(name).map(|service| service.port),
                Owner::Gateway(name) => program.gateways.get(name).map(|gateway| gateway.listen),
            }
        });
        let everywhere = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        let address = args.inbound.or(port.map(everywhere)).ok_or(StartError::NowhereToListen)?;
        let gateway = args.gateway.is_some();
        Ok(Listeners {
            public: gateway.then_some(address),
            inbound: (!gateway).then_some(address),
            outbound: args.outbound.filter(|_| !gateway),
        })
    }

    fn start_workers(
        &self,
        args: &RunArgs,
        listeners: Listeners,
        stopped: &watch::Receiver<Stop>,
    ) -> Result<Vec<JoinHandle<()>>, StartError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = args.workers.unwrap_or(cores).clamp(1, 1_024);
        let (bound, results) = std::sync::mpsc::channel();
        let mut workers = Vec::with_capacity(count);
        for index in 0..count {
            let (shared, stopped) = (Arc::clone(&self.shared), stopped.clone());
            let seed = seed().wrapping_add(index as u64);
            let started = worker::start(index, shared, listeners, seed, stopped, bound.clone());
            workers.push(started.map_err(system("thread"))?);
        }
        drop(bound);
        for result in results {
            result.map_err(system("listen"))?;
        }
        Ok(workers)
    }
}

fn read_trust(path: &Path) -> Result<TrustSet, StartError> {
    let refuse = |reason: String| StartError::Trust { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if size > TRUST_BYTES {
        return Err(refuse("larger than 64 KiB".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))
}

fn watch_identity(dir: PathBuf) -> Result<Watch<TlsState>, IdentityError> {
    Watch::new(move || FileSet::read_identity(&dir), |files| TlsState::from_files(files, false))
}

fn system(what: &str) -> impl FnOnce(io::Error) -> StartError {
    let what = what.to_owned();
    move |source| StartError::System { what, source }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Differs between starts, so that proxies do not choose alike; no secret depends on it.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()) ^ since.as_secs().rotate_left(32) ^ u64::from(std::process::id())
}

#[expect(clippy::cast_precision_loss, reason = "seconds of this millennium fit a double exactly")]
fn days_until(not_after: i64) -> f64 {
    (not_after - i64::try_from(unix_now()).unwrap_or(i64::MAX)) as f64 / DAY
}
