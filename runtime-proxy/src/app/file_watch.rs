//! The thread that watches the files beside the bundle: endpoints and identity. A bundle that is being checked, or a disk
//! that hangs, does not hold it up.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use crate::activation::StatusView;
use crate::clock::Clock;
use crate::request::Shared;
use crate::telemetry::{Events, Level};
use crate::tls::{Reload, TlsState, Watch};
use crate::upstream::{Directory, EndpointsFile, FileNews};

/// How often the endpoints file is read.
const ENDPOINTS_EVERY: Duration = Duration::from_secs(1);
/// How often the identity is polled (`bundle.md`: a replaced one is taken within 5 s).
const IDENTITY_EVERY: Duration = Duration::from_secs(5);
/// The longest that anybody waits for the endpoints file to be read.
const REFRESH: Duration = Duration::from_secs(1);
/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// What is watched, and what it is for.
pub(super) struct Watched {
    pub(super) endpoints: Option<EndpointsFile>,
    pub(super) identity: Option<Watch<TlsState>>,
    pub(super) shared: Arc<Shared>,
    pub(super) directory: Arc<Directory>,
    pub(super) view: StatusView,
    pub(super) clock: Clock,
}

/// Asks the thread to read the endpoints file now.
pub(super) struct Refresh(SyncSender<SyncSender<()>>);

impl Refresh {
    /// Waits until it was read, but not long.
    pub(super) fn wait(&self) {
        let (done, hears) = sync_channel(1);
        if self.0.try_send(done).is_ok() {
            let _done_or_late = hears.recv_timeout(REFRESH);
        }
    }
}

/// Starts the thread; it ends when what it gives back is dropped.
pub(super) fn start(watched: Watched) -> io::Result<Refresh> {
    let (asks, asked) = sync_channel(1);
    Builder::new().name("files".to_owned()).spawn(move || watched.run(&asked))?;
    Ok(Refresh(asks))
}

impl Watched {
    fn run(mut self, asked: &Receiver<SyncSender<()>>) {
        let mut next = Duration::ZERO;
        loop {
            if self.clock.elapsed() >= next {
                next = self.clock.elapsed().saturating_add(IDENTITY_EVERY);
                self.poll_identity();
                self.forget_idle_callers();
            }
            match asked.recv_timeout(ENDPOINTS_EVERY) {
                Ok(done) => {
                    self.poll_endpoints();
                    let _nobody_waits_any_more = done.try_send(());
                }
                Err(RecvTimeoutError::Timeout) => self.poll_endpoints(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn poll_endpoints(&mut self) {
        let Some(file) = &mut self.endpoints else { return };
        if self.shared.active().is_none() {
            return;
        }
        match file.poll(&self.directory, &self.view.known()) {
            FileNews::Unchanged => {}
            FileNews::Taken { endpoints } => {
                Events.say(Level::Info, &format!("{endpoints} endpoints are known"));
            }
            FileNews::Refused(error) => {
                self.shared.metrics.file_refused("endpoints");
                Events.say(Level::Error, &error.to_string());
            }
        }
    }

    fn poll_identity(&mut self) {
        if let Some(identity) = &mut self.identity {
            match identity.poll() {
                Reload::Unchanged => {}
                Reload::Taken => Events.say(Level::Info, "the identity was replaced"),
                Reload::Refused(error) => {
                    self.shared.metrics.file_refused("identity");
                    let message = format!("the identity was replaced by something unusable: {error}");
                    Events.say(Level::Error, &message);
                }
            }
            let not_after = identity.current().load().identity.not_after;
            self.shared.metrics.certificate("identity", self.days_until(not_after));
        }
        if let Some(public) = &*self.shared.public.load() {
            self.shared.metrics.certificate("public", self.days_until(public.not_after));
        }
    }

    /// Quotas by caller keep no place for one who did not come for long.
    fn forget_idle_callers(&self) {
        let active = self.shared.active();
        if let Some(active) = active {
            active.counters.sweep(self.shared.clock.nanos());
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of this millennium fit a double exactly")]
    fn days_until(&self, not_after: i64) -> f64 {
        // A clock past the year 292 billion is no clock.
        let now = i64::try_from(self.clock.unix_seconds()).unwrap_or(i64::MAX);
        not_after.saturating_sub(now) as f64 / DAY
    }
}
