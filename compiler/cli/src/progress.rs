//! A sign of life on a terminal, for work that takes longer than a person likes to wait.

use std::io::IsTerminal as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Nothing is shown before: most commands are done by then.
const QUIET: Duration = Duration::from_millis(400);

/// Shows `what` on standard error from 400 ms on until it is dropped; only on a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts the clock.
    pub(crate) fn start(what: &'static str) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if dumb || !std::io::stderr().is_terminal() {
            return Self { running: None };
        }
        let (done, waiting) = channel::<()>();
        let show = move || {
            if waiting.recv_timeout(QUIET) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(what);
            if let Ok(style) = ProgressStyle::with_template("{msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            // Ends when the sender goes away.
            let _ = waiting.recv();
            bar.finish_and_clear();
        };
        Self { running: std::thread::Builder::new().spawn(show).ok().map(|handle| (done, handle)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, handle)) = self.running.take() {
            drop(done);
            // A panic there has shown itself already.
            let _ = handle.join();
        }
    }
}
