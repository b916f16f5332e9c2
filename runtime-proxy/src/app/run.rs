//! Running: reads what is needed, starts the threads, and waits until it is time to stop.
//!
//! The main thread serves the admin socket, takes signals and looks up names. It touches no file that may hang and asks no
//! thread that may: whoever asks whether the proxy lives, or tells it to stop, is answered at once.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

use mesh_bundle::Owner;
use mesh_bundle::trust::TrustSet;
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::args::RunArgs;
use super::control::Control;
use super::file_watch::{self, Watched};
use super::shutdown::{Draining, Stopper, Workers};
use super::worker::{self, Listeners, Stop};
use crate::activation::{Config, LocalPath, Reloader, Secrets, StatusView};
use crate::admin::{self, Order, Orders, Panel, Phase};
use crate::clock::Clock;
use crate::files::{self, Links};
use crate::preflight::{Cancel, ChildPreflight, Preflight};
use crate::request::{Hook, Shared};
use crate::store::{RealDisk, Store, StoreError};
use crate::telemetry::{AccessLog, Events, Level, Metrics};
use crate::tls::{FileSet, IdentityError, TlsState, Watch};
use crate::upstream::{Directory, DnsRefresh, EndpointsFile, SystemResolver};

/// How often names are looked up.
const DNS_EVERY: Duration = Duration::from_secs(5);
/// How long a start waits for the first addresses from DNS.
const FIRST_DNS: Duration = Duration::from_secs(3);
/// Bytes of a trust file.
const TRUST_BYTES: u64 = 64 * 1024;

/// Why a proxy does not start, or ends by itself.
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
    /// Without its control thread a proxy takes no bundle any more.
    #[error("the control thread ended by a fault")]
    Control,
}

/// Runs until told to stop.
///
/// # Errors
/// [`StartError`].
pub fn run(args: &RunArgs) -> Result<(), StartError> {
    run_with(args, Seams { preflight: Box::new(ChildPreflight::own()), hook: None })
}

/// Where tests put something else.
pub struct Seams {
    /// Builds and proves a bundle before the proxy does.
    pub preflight: Box<dyn Preflight>,
    /// Hears of each rule that decided a request, in the midst of it.
    pub hook: Option<Hook>,
}

/// The same with parts of the caller's own: a test's program is no `mesh-proxy`.
///
/// # Errors
/// [`StartError`].
pub fn run_with(args: &RunArgs, seams: Seams) -> Result<(), StartError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system("runtime"))?;
    let ended = LocalSet::new().block_on(&runtime, async { Proxy::new(args, seams)?.run(args).await });
    // A name that is still looked up holds up nobody.
    runtime.shutdown_background();
    ended
}

/// What the main thread needs of the proxy.
struct Proxy {
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    view: StatusView,
    stopper: Stopper,
    control: Control,
    phase: Rc<Cell<Phase>>,
}

impl Proxy {
    /// Opens what is needed and starts the control thread, the files thread and the admin socket.
    fn new(args: &RunArgs, seams: Seams) -> Result<Self, StartError> {
        let clock = Clock::system();
        let owner = match (&args.service, &args.gateway) {
            (Some(name), _) => Owner::Service(name.clone()),
            (None, Some(name)) => Owner::Gateway(name.clone()),
            (None, None) => return Err(StartError::NowhereToListen),
        };
        let trust = read_trust(&args.trust)?;
        let identity = args.identity.clone().map(watch_identity).transpose()?;
        let store = Store::open(&args.state, RealDisk)?;
        let metrics = Metrics::new();
        let log =
            AccessLog::open(&args.access_log, metrics.log_dropped.clone()).map_err(system("access log"))?;
        let mut shared = Shared::new(clock.clone(), metrics, log, identity.as_ref().map(Watch::current));
        shared.hook = seams.hook;
        let (shared, directory) = (Arc::new(shared), Arc::new(Directory::new()));
        let cancel = Cancel::new().map_err(system("eventfd"))?;
        let config = Config {
            mesh: args.mesh.clone(),
            environment: args.env.clone(),
            owner,
            trust,
            preflight: seams.preflight,
            cancel: cancel.clone(),
            application: args.app,
            seed: u32::from(low_bits(seed(&clock))),
            clock: clock.clone(),
        };
        let source = Box::new(LocalPath::new(&args.source));
        let secrets = Secrets::new(args.secrets.as_deref());
        let reloader =
            Reloader::new(config, source, store, Arc::clone(&shared), Arc::clone(&directory), secrets);
        let view = reloader.view();
        let watched = Watched {
            endpoints: args.endpoints.as_deref().map(EndpointsFile::new),
            identity,
            shared: Arc::clone(&shared),
            directory: Arc::clone(&directory),
            view: view.clone(),
            clock,
        };
        let (orders, waiting) = Orders::channel();
        let stopper = Stopper::new(orders).map_err(system("signals"))?;
        let phase = Rc::new(Cell::new(Phase::Starting));
        if let Some(path) = &args.admin {
            let listener =
                admin::listen(path).map_err(system(&format!("admin socket {}", path.display())))?;
            let panel = Panel {
                shared: Arc::clone(&shared),
                directory: Arc::clone(&directory),
                status: view.clone(),
                orders: stopper.orders(),
                stop: stopper.ordered(),
                phase: Rc::clone(&phase),
            };
            tokio::task::spawn_local(admin::serve(listener, Rc::new(panel)));
        }
        let control = start_threads(reloader, watched, waiting, cancel).map_err(system("thread"))?;
        Ok(Self { shared, directory, view, stopper, control, phase })
    }

    /// Starts the workers once a bundle is in force, or none can be, and waits until it is time to stop.
    async fn run(mut self, args: &RunArgs) -> Result<(), StartError> {
        let begun = self.begin(args).await;
        let (stop, workers) = match begun {
            Ok(workers) => workers.unzip(),
            Err(error) => {
                self.drain(args, None, Vec::new()).await;
                return Err(error);
            }
        };
        let fault = if stop.is_some() { self.serve().await } else { false };
        self.drain(args, stop, workers.unwrap_or_default()).await;
        if fault { Err(StartError::Control) } else { Ok(()) }
    }

    /// Starts the workers; `None` where the proxy shall stop before.
    async fn begin(&mut self, args: &RunArgs) -> Result<Option<(watch::Sender<Stop>, Workers)>, StartError> {
        let started = tokio::select! {
            () = self.stopper.wait() => return Ok(None),
            started = &mut self.control.started => started,
        };
        started.map_err(|_| StartError::Control)?;
        if args.endpoints.is_none() {
            let first = self.follow_dns();
            tokio::select! {
                () = self.stopper.wait() => return Ok(None),
                _late_or_done = timeout(FIRST_DNS, first) => {}
            }
        }
        let listeners = self.listeners(args)?;
        let (stop, stopped) = watch::channel::<Stop>(None);
        let workers = self.start_workers(args, listeners, &stopped)?;
        Events.say(Level::Info, &format!("{} workers listen: {listeners}", workers.len()));
        Ok(Some((stop, workers)))
    }

    /// Waits until it is time to stop; whether that is for a fault.
    async fn serve(&mut self) -> bool {
        self.phase.set(Phase::Serving);
        tokio::select! {
            () = self.stopper.wait() => false,
            _ended = &mut self.control.ended => {
                Events.say(Level::Error, "the control thread ended by a fault; the proxy stops");
                true
            }
        }
    }

    async fn drain(self, args: &RunArgs, stop: Option<watch::Sender<Stop>>, workers: Workers) {
        self.phase.set(Phase::Draining);
        let draining = Draining { shared: self.shared, view: self.view, control: self.control };
        draining.end(Duration::from_secs(args.drain), stop, workers).await;
        if let Some(path) = &args.admin {
            let _gone_already = std::fs::remove_file(path);
        }
    }

    /// Keeps endpoints in step with DNS, in a task of its own: a resolver that does not answer holds up nothing else.
    /// Hears of the first round.
    fn follow_dns(&self) -> oneshot::Receiver<()> {
        let (shared, directory) = (Arc::clone(&self.shared), Arc::clone(&self.directory));
        let (done, first) = oneshot::channel();
        tokio::task::spawn_local(async move {
            let (mut dns, mut done) = (DnsRefresh::default(), Some(done));
            let mut rounds = interval(DNS_EVERY);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                rounds.tick().await;
                let active = shared.active();
                if let Some(active) = active {
                    for news in dns.round(active.engine.program(), &directory, &SystemResolver).await {
                        Events.say(Level::Warn, &news);
                    }
                }
                if let Some(done) = done.take() {
                    let _nobody_waits_any_more = done.send(());
                }
            }
        });
        first
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
    ) -> Result<Workers, StartError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = args.workers.unwrap_or(cores).clamp(1, 1_024);
        let (bound, results) = mpsc::channel();
        let mut workers = Vec::with_capacity(count);
        for index in 0..count {
            let (shared, stopped) = (Arc::clone(&self.shared), stopped.clone());
            let seed = seed(&self.shared.clock).wrapping_add(index as u64);
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

fn start_threads(
    reloader: Reloader<RealDisk>,
    watched: Watched,
    orders: mpsc::Receiver<Order>,
    cancel: Cancel,
) -> io::Result<Control> {
    let clock = watched.clock.clone();
    let refresh = file_watch::start(watched)?;
    Control::start(reloader, clock, orders, refresh, cancel)
}

fn read_trust(path: &Path) -> Result<TrustSet, StartError> {
    let refuse = |reason: String| StartError::Trust { path: path.to_owned(), reason };
    let bytes = files::read(path, TRUST_BYTES, Links::Followed).map_err(|error| {
        let large = error.kind() == io::ErrorKind::FileTooLarge;
        refuse(if large { "larger than 64 KiB".to_owned() } else { error.to_string() })
    })?;
    serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))
}

fn watch_identity(dir: PathBuf) -> Result<Watch<TlsState>, IdentityError> {
    Watch::new(move || FileSet::read_identity(&dir), |files| TlsState::from_files(files, false))
}

fn system(what: &str) -> impl FnOnce(io::Error) -> StartError {
    let what = what.to_owned();
    move |source| StartError::System { what, source }
}

/// Differs between starts, so that proxies do not choose alike; no secret depends on it.
fn seed(clock: &Clock) -> u64 {
    // A clock before 1970 leaves the process's number.
    let since = clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()) ^ since.as_secs().rotate_left(32) ^ u64::from(std::process::id())
}

/// As much of a seed as shares take.
fn low_bits(seed: u64) -> u16 {
    let [low, high, ..] = seed.to_le_bytes();
    u16::from_le_bytes([low, high])
}
