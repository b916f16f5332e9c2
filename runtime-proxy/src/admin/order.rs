//! Orders to the control thread, and their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use mesh_bundle::Digest;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::activation::ReloadOutcome;

/// Orders that may wait; more are answered at once.
const WAITING: usize = 16;

/// What an operator orders of bundle activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Poll the source now.
    Reload,
    /// Go back, to a given bundle or the one before.
    Rollback(Option<Digest>),
    /// End the hold, and a bundle's quarantine.
    Resume(Option<Digest>),
}

/// A command on its way to the control thread.
pub struct Order {
    command: Command,
    answer: Option<oneshot::Sender<ReloadOutcome>>,
    /// Whoever sets it first decides: the control thread, that the command is carried out, or the operator's end, that it
    /// is not, since nobody waits for it any more.
    decided: Arc<AtomicBool>,
}

impl Order {
    /// The command and whom to answer, unless it was withdrawn.
    #[must_use]
    pub fn accept(self) -> Option<(Command, Reply)> {
        let withdrawn = self.decided.swap(true, Ordering::Relaxed);
        (!withdrawn).then_some((self.command, Reply(self.answer)))
    }
}

/// The way back of an answer.
pub struct Reply(Option<oneshot::Sender<ReloadOutcome>>);

impl Reply {
    /// Answers. One who went away needs no answer.
    pub fn send(self, outcome: ReloadOutcome) {
        if let Some(answer) = self.0 {
            let _gone_or_not = answer.send(outcome);
        }
    }
}

/// Why a command has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The control thread is at something else for too long; nothing was done.
    Busy,
    /// The command takes too long; it goes on.
    UnderWay,
    /// The proxy stops.
    Stopping,
}

/// The way to the control thread; copies lead to the same.
#[derive(Clone)]
pub struct Orders(SyncSender<Order>);

impl Orders {
    /// A way and its end.
    #[must_use]
    pub fn channel() -> (Self, Receiver<Order>) {
        let (orders, waiting) = sync_channel(WAITING);
        (Self(orders), waiting)
    }

    /// Orders something whose answer nobody wants; whether there was room for it.
    #[must_use]
    pub fn send(&self, command: Command) -> bool {
        self.0.try_send(Order { command, answer: None, decided: Arc::default() }).is_ok()
    }

    /// Orders something and waits for the answer, no longer than `patience`.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn ask(&self, command: Command, patience: Duration) -> Result<ReloadOutcome, NoAnswer> {
        let (answer, heard) = oneshot::channel();
        let decided = Arc::new(AtomicBool::new(false));
        let order = Order { command, answer: Some(answer), decided: Arc::clone(&decided) };
        self.0.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => NoAnswer::Busy,
            TrySendError::Disconnected(_) => NoAnswer::Stopping,
        })?;
        match timeout(patience, heard).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) => Err(NoAnswer::Stopping),
            Err(_) if decided.swap(true, Ordering::Relaxed) => Err(NoAnswer::UnderWay),
            Err(_) => Err(NoAnswer::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn what_nobody_begins_in_time_is_withdrawn() {
        let (orders, waiting) = Orders::channel();
        assert_eq!(orders.ask(Command::Reload, PATIENCE).await, Err(NoAnswer::Busy));
        assert!(waiting.recv().unwrap().accept().is_none(), "it is not carried out later");
    }

    #[tokio::test]
    async fn what_was_begun_goes_on() {
        let (orders, waiting) = Orders::channel();
        let (answer, reply) = tokio::join!(orders.ask(Command::Rollback(None), PATIENCE), async {
            waiting.recv().unwrap().accept()
        });
        assert_eq!(answer, Err(NoAnswer::UnderWay));
        assert_eq!(reply.unwrap().0, Command::Rollback(None));
    }

    #[tokio::test]
    async fn a_full_queue_and_a_proxy_that_stops_answer_at_once() {
        let (orders, waiting) = Orders::channel();
        for _ in 0..WAITING {
            assert!(orders.send(Command::Reload));
        }
        assert!(!orders.send(Command::Reload));
        assert_eq!(orders.ask(Command::Reload, PATIENCE).await, Err(NoAnswer::Busy));
        drop(waiting);
        assert_eq!(orders.ask(Command::Reload, PATIENCE).await, Err(NoAnswer::Stopping));
    }
}
