//! A worker's thread.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::listen::{Bounds, Connections, accept_loop, bind};
use crate::request::{Inbound, Outbound, Shared, Worker, recheck};

/// One tick of connections and pools.
const TICK: Duration = Duration::from_secs(1);
/// How often a draining worker looks whether it is done.
const DRAIN_LOOK: Duration = Duration::from_millis(20);

/// Which listeners a worker has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listeners {
    pub(super) public: Option<SocketAddr>,
    pub(super) inbound: Option<SocketAddr>,
    pub(super) outbound: Option<SocketAddr>,
}

impl fmt::Display for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = [("public", self.public), ("inbound", self.inbound), ("outbound", self.outbound)];
        let open = each.into_iter().filter_map(|(name, address)| Some((name, address?)));
        for (index, (name, address)) in open.enumerate() {
            write!(f, "{}{name} {address}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// Whether to go on: `Some` is the time that requests in flight have.
pub(super) type Stop = Option<Duration>;

/// Starts a worker; `bound` hears whether its listeners could be opened.
pub(super) fn start(
    index: usize,
    shared: Arc<Shared>,
    listeners: Listeners,
    seed: u64,
    stop: watch::Receiver<Stop>,
    bound: mpsc::Sender<io::Result<()>>,
) -> io::Result<std::thread::JoinHandle<()>> {
    Builder::new().name(format!("worker-{index}")).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _nobody_waits = bound.send(Err(error));
                return;
            }
        };
        LocalSet::new().block_on(&runtime, work(shared, listeners, seed, stop, bound));
    })
}

async fn work(
    shared: Arc<Shared>,
    listeners: Listeners,
    seed: u64,
    mut stop: watch::Receiver<Stop>,
    bound: mpsc::Sender<io::Result<()>>,
) {
    let worker = Rc::new(Worker::new(shared, seed, false));
    let connections = Connections::new(Bounds::default());
    let opened = open(&worker, &connections, listeners);
    let accepting = match opened {
        Ok(accepting) => {
            let _nobody_waits = bound.send(Ok(()));
            accepting
        }
        Err(error) => {
            let _nobody_waits = bound.send(Err(error));
            return;
        }
    };
    drop(bound);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let grace = loop {
        tokio::select! {
            _ = tick.tick() => {
                connections.tick();
                worker.pools.tick();
                recheck(&worker);
            }
            changed = stop.changed() => {
                if changed.is_err() {
                    break Duration::ZERO;
                }
                if let Some(grace) = *stop.borrow_and_update() {
                    break grace;
                }
            }
        }
    };
    for listener in accepting {
        listener.abort();
    }
    drain(&connections, &worker.shared.clock, grace).await;
}

fn open(
    worker: &Rc<Worker>,
    connections: &Rc<Connections>,
    listeners: Listeners,
) -> io::Result<Vec<JoinHandle<()>>> {
    let named = |address: SocketAddr| {
        bind(address).map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
    };
    let mut accepting = Vec::new();
    if let Some(address) = listeners.public {
        let handler = Outbound::gateway(Rc::clone(worker));
        accepting.push(spawn_local(accept_loop(named(address)?, Rc::clone(connections), handler)));
    }
    if let Some(address) = listeners.inbound {
        let handler = Inbound::new(Rc::clone(worker));
        accepting.push(spawn_local(accept_loop(named(address)?, Rc::clone(connections), handler)));
    }
    if let Some(address) = listeners.outbound {
        let handler = Outbound::sidecar(Rc::clone(worker));
        accepting.push(spawn_local(accept_loop(named(address)?, Rc::clone(connections), handler)));
    }
    Ok(accepting)
}

/// Lets requests in flight end: `connection: close` and GOAWAY meanwhile, an end for all at the deadline.
async fn drain(connections: &Connections, clock: &Clock, grace: Duration) {
    let deadline = clock.now() + grace;
    connections.drain();
    while !connections.is_empty() && clock.now() < deadline {
        tokio::time::sleep(DRAIN_LOOK).await;
    }
    connections.kill();
}
