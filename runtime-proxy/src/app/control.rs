//! The control thread: it alone drives bundle activation, and it alone may wait for a disk or for a child.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::oneshot;

use super::file_watch::Refresh;
use crate::activation::{ReloadOutcome, Reloader, StatusView};
use crate::admin::{Command, Order};
use crate::clock::Clock;
use crate::preflight::Cancel;
use crate::store::Disk;

/// How often the source is polled: a few `stat` calls, about 10 µs.
const SOURCE_EVERY: Duration = Duration::from_millis(200);
/// How often a bundle on probation is judged.
const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// How often secrets are polled (`bundle.md`: a replaced secret is taken within 5 s).
const SECRETS_EVERY: Duration = Duration::from_secs(5);
/// How often the state folder is compared with what was put there (`bundle.md`, "Activation ladder").
const RECHECK_EVERY: Duration = Duration::from_secs(20);

/// The control thread, as the others see it.
pub(super) struct Control {
    /// Hears once when start-up is done: the best bundle of the disk and of the source is in force.
    pub(super) started: oneshot::Receiver<()>,
    /// Hears, or is closed, when the thread has ended.
    pub(super) ended: oneshot::Receiver<()>,
    stop: Arc<AtomicBool>,
    cancel: Cancel,
}

impl Control {
    /// Starts the thread. `orders` are carried out one after the other; `cancel` ends the check of a bundle under way.
    pub(super) fn start<D: Disk + 'static>(
        reloader: Reloader<D>,
        clock: Clock,
        orders: Receiver<Order>,
        refresh: Refresh,
        cancel: Cancel,
    ) -> io::Result<Self> {
        let (started, hears_start) = oneshot::channel();
        let (ended, hears_end) = oneshot::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let thread =
            Thread { view: reloader.view(), reloader, clock, orders, refresh, stop: Arc::clone(&stop) };
        Builder::new().name("control".to_owned()).spawn(move || {
            thread.run(started);
            let _nobody_waits = ended.send(());
        })?;
        Ok(Self { started: hears_start, ended: hears_end, stop, cancel })
    }

    /// Tells it to end: the check under way ends, and what was ordered and not begun is not done.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.cancel.cancel();
    }
}

struct Thread<D> {
    reloader: Reloader<D>,
    view: StatusView,
    clock: Clock,
    orders: Receiver<Order>,
    refresh: Refresh,
    stop: Arc<AtomicBool>,
}

impl<D: Disk> Thread<D> {
    fn run(mut self, started: oneshot::Sender<()>) {
        self.view.begins("start");
        self.reloader.start();
        if !self.stops() {
            self.reloader.poll_source(true);
        }
        self.refresh.wait();
        self.view.idles();
        let _nobody_waits = started.send(());
        let mut timers = Timers::new(self.clock.elapsed());
        while !self.stops() {
            match self.orders.recv_timeout(timers.wait(self.clock.elapsed())) {
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.do_what_is_due(&mut timers);
        }
        self.reloader.stop();
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn obey(&mut self, order: Order) {
        let Some((command, reply)) = order.accept() else { return };
        let (job, refused) = (name(command), |refusal| ReloadOutcome::Refused { refusal });
        self.view.begins(job);
        let outcome = match command {
            Command::Reload => self.reloader.poll_source(true),
            Command::Rollback(to) => {
                self.reloader.rollback(to).map_or_else(refused, |bundle| ReloadOutcome::Activated { bundle })
            }
            Command::Resume(bundle) => self.reloader.resume(bundle).unwrap_or_else(refused),
        };
        // A bundle may bring services whose endpoints were not asked for before.
        self.refresh.wait();
        self.view.idles();
        reply.send(outcome);
    }

    fn do_what_is_due(&mut self, timers: &mut Timers) {
        let mut swapped = false;
        if !self.stops() && timers.source.is_due(self.clock.elapsed()) {
            self.view.begins("offer");
            swapped = matches!(self.reloader.poll_source(false), ReloadOutcome::Activated { .. });
        }
        if timers.judge.is_due(self.clock.elapsed()) {
            self.view.begins("probation");
            swapped |= self.reloader.tick().is_some();
        }
        if timers.secrets.is_due(self.clock.elapsed()) {
            self.view.begins("secrets");
            self.reloader.poll_secrets();
        }
        if timers.recheck.is_due(self.clock.elapsed()) {
            self.view.begins("state folder");
            self.reloader.recheck();
        }
        if swapped {
            self.refresh.wait();
        }
        self.view.idles();
    }
}

fn name(command: Command) -> &'static str {
    match command {
        Command::Reload => "reload",
        Command::Rollback(_) => "rollback",
        Command::Resume(_) => "resume",
    }
}

/// Jobs that come again.
struct Timers {
    source: Timer,
    judge: Timer,
    secrets: Timer,
    recheck: Timer,
}

impl Timers {
    fn new(now: Duration) -> Self {
        let timer = |every| Timer { every, next: now };
        Self {
            source: timer(SOURCE_EVERY),
            judge: timer(JUDGE_EVERY),
            secrets: timer(SECRETS_EVERY),
            recheck: timer(RECHECK_EVERY),
        }
    }

    /// How long until the next one is due.
    fn wait(&self, now: Duration) -> Duration {
        let Self { source, judge, secrets, recheck } = self;
        source.next.min(judge.next).min(secrets.next).min(recheck.next).saturating_sub(now)
    }
}

/// A job that comes again so long after it was begun.
struct Timer {
    every: Duration,
    next: Duration,
}

impl Timer {
    /// Whether it is due; if so, the next time is set.
    fn is_due(&mut self, now: Duration) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now.saturating_add(self.every);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_was_late_comes_once_and_then_in_step_again() {
        let mut timers = Timers::new(Duration::ZERO);
        assert!(timers.judge.is_due(Duration::ZERO) && !timers.judge.is_due(Duration::ZERO));
        let late = Duration::from_secs(15);
        assert!(timers.judge.is_due(late) && !timers.judge.is_due(late));
        assert!(!timers.judge.is_due(late + JUDGE_EVERY - Duration::from_nanos(1)));
        assert_eq!(timers.wait(late), Duration::ZERO, "the source waits still");
        for timer in [&mut timers.source, &mut timers.secrets, &mut timers.recheck] {
            assert!(timer.is_due(late));
        }
        assert_eq!(timers.wait(late), SOURCE_EVERY);
    }
}
