//! The way down: who may ask the proxy to stop, and how requests in flight end before it does.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::time::timeout_at;

use super::control::Control;
use super::worker::Stop;
use crate::activation::StatusView;
use crate::admin::{Command, Orders};
use crate::request::Shared;
use crate::telemetry::{Events, Level};

/// How long workers and the journal have after the drain timeout. What hangs longer is left behind.
const LAST: Duration = Duration::from_secs(1);
/// How long the access log has for its last lines.
const LAST_LINES: Duration = Duration::from_millis(300);

/// The threads of the workers.
pub(super) type Workers = Vec<JoinHandle<()>>;

/// Who may tell the proxy to stop, or to look now.
pub(super) struct Stopper {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    /// `drain` on the admin socket.
    ordered: Rc<Notify>,
    orders: Orders,
}

impl Stopper {
    pub(super) fn new(orders: Orders) -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            ordered: Rc::default(),
            orders,
        })
    }

    /// Where commands go.
    pub(super) fn orders(&self) -> Orders {
        self.orders.clone()
    }

    /// What `drain` on the admin socket wakes.
    pub(super) fn ordered(&self) -> Rc<Notify> {
        Rc::clone(&self.ordered)
    }

    /// Waits until the proxy shall stop; passes on a hang-up meanwhile.
    pub(super) async fn wait(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                () = self.ordered.notified() => return,
                _ = self.hangup.recv() => {
                    if !self.orders.send(Command::Reload) {
                        Events.say(Level::Warn, "SIGHUP is ignored: too many commands wait already");
                    }
                }
            }
        }
    }
}

/// A proxy on its way down.
pub(super) struct Draining {
    /// What its threads share.
    pub(super) shared: Arc<Shared>,
    /// What is in force.
    pub(super) view: StatusView,
    /// The control thread.
    pub(super) control: Control,
}

impl Draining {
    /// Lets requests in flight end within the drain timeout, `grace`; all else has a second more.
    pub(super) async fn end(self, grace: Duration, stop: Option<watch::Sender<Stop>>, workers: Workers) {
        self.control.stop();
        let deadline = self.shared.clock.now() + grace + LAST;
        if let Some(stop) = stop {
            Events.say(Level::Info, "no new connections; requests in flight are finished");
            let _all_gone_already = stop.send(Some(grace));
            let join = || workers.into_iter().all(|worker| worker.join().is_ok());
            match timeout_at(deadline, tokio::task::spawn_blocking(join)).await {
                Ok(Ok(true)) => {}
                Ok(_) => Events.say(Level::Error, "a worker ended by a fault"),
                Err(_) => Events.say(Level::Error, "a worker does not end and is left behind"),
            }
        }
        if timeout_at(deadline, self.control.ended).await.is_err() {
            let doing = self.view.busy().map_or("it", |busy| busy.with);
            let message =
                format!("the control thread hangs ({doing}) and is left behind; the journal is as it was");
            Events.say(Level::Error, &message);
        }
        if !self.shared.log.flush(deadline.saturating_duration_since(self.shared.clock.now()).min(LAST_LINES))
        {
            Events.say(Level::Error, "the access log takes nothing; its last lines are lost");
        }
    }
}
