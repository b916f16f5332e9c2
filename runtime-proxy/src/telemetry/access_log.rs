//! The access log: one JSON line a request, written by a thread of its own.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use serde::Serialize;

use crate::clock::Clock;
use crate::files;

/// Lines that may wait for the writer; more are dropped and counted.
const WAITING: usize = 8_192;
/// How long a written line may stay in the buffer.
const FLUSH: Duration = Duration::from_millis(200);

/// How long [`AccessLog::flush`] rests between two tries to get a place in a full queue.
const REST: Duration = Duration::from_millis(5);

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nowhere.
    Off,
    /// Standard output (`-`).
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

impl FromStr for Target {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "off" => Self::Off,
            "-" => Self::Stdout,
            path => Self::File(path.into()),
        })
    }
}

/// One request. Empty texts are left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<'a> {
    /// RFC 3339, when the head was complete.
    pub time: &'a str,
    /// `outbound`, `inbound` or `gateway`.
    pub direction: &'a str,
    /// The method.
    pub method: &'a str,
    /// The host as it came.
    pub host: &'a str,
    /// The canonical path, which is the one that was decided on and sent.
    pub path: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// Milliseconds from the request's head to the response's last byte.
    pub duration_ms: f64,
    /// Bytes of the response's body.
    pub bytes: u64,
    /// The caller's principal, or its address.
    pub caller: &'a str,
    /// The rule (`route/orders/refund`) or access entry (`access/orders/allow[1]`) that decided.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub rule: &'a str,
    /// Of access entries whose expression was asked, what decided: `request.method == "GET" is false`. Without what was read,
    /// which may be nobody's to keep.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub because: &'a [String],
    /// The service that it went to.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub service: &'a str,
    /// Its version.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub version: &'a str,
    /// The endpoint of the last try.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub endpoint: &'a str,
    /// `audit-deny` where a policy that only watches would have denied.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub verdict: &'a str,
    /// The bundle that decided.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub bundle: &'a str,
    /// The opaque id that a refusal carries on the wire.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub decision: &'a str,
    /// Tries after the first.
    pub retries: u32,
    /// Why the proxy answered itself, or why the response broke off.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: &'a str,
}

/// What the writer is told.
enum Message {
    Line(Vec<u8>),
    /// Write down what came before, then answer.
    Flush(SyncSender<()>),
}

/// The way to the log's writer; a copy for each worker.
#[derive(Clone)]
pub struct AccessLog {
    lines: Option<SyncSender<Message>>,
    dropped: Counter,
}

impl AccessLog {
    /// Opens the log and starts its writer.
    ///
    /// # Errors
    /// The file cannot be opened, is a FIFO or a socket, or no thread can be started.
    pub fn open(target: &Target, dropped: Counter) -> io::Result<Self> {
        let out: Box<dyn Write + Send> = match target {
            Target::Off => return Ok(Self { lines: None, dropped }),
            // The descriptor itself: standard output's own lock would be held while a write waits.
            Target::Stdout => Box::new(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
            Target::File(path) => Box::new(files::open_log(path)?),
        };
        let (lines, waiting) = sync_channel(WAITING);
        let writer = dropped.clone();
        thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_lines(&waiting, out, &writer))?;
        Ok(Self { lines: Some(lines), dropped })
    }

    /// Whether anybody writes.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    /// Logs a request; never waits.
    pub fn log(&self, entry: &Entry<'_>) {
        let Some(lines) = &self.lines else { return };
        let mut line = Vec::with_capacity(512);
        let written = serde_json::to_writer(&mut line, entry);
        line.push(b'\n');
        if written.is_err() || lines.try_send(Message::Line(line)).is_err() {
            self.dropped.inc();
        }
    }

    /// Waits until every line so far is written, but no longer than `patience`; whether they were. For the end of the
    /// process.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        let Some(lines) = &self.lines else { return true };
        let clock = Clock::system();
        let (done, flushed) = sync_channel(1);
        while lines.try_send(Message::Flush(done.clone())).is_err() {
            if clock.elapsed() >= patience {
                return false;
            }
            thread::sleep(REST);
        }
        flushed.recv_timeout(patience.saturating_sub(clock.elapsed())).is_ok()
    }
}

fn write_lines(waiting: &Receiver<Message>, out: Box<dyn Write + Send>, dropped: &Counter) {
    let mut out = BufWriter::with_capacity(64 * 1024, out);
    loop {
        let written = match waiting.recv_timeout(FLUSH) {
            Ok(Message::Line(line)) => out.write_all(&line),
            Ok(Message::Flush(done)) => {
                let flushed = out.flush();
                let _nobody_waits = done.try_send(());
                flushed
            }
            Err(RecvTimeoutError::Timeout) => out.flush(),
            Err(RecvTimeoutError::Disconnected) => {
                let _nobody_is_left_to_tell = out.flush();
                return;
            }
        };
        if written.is_err() {
            dropped.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry<'_> {
        Entry {
            time: "t",
            direction: "inbound",
            method: "GET",
            host: "orders",
            path,
            status: 200,
            duration_ms: 1.5,
            bytes: 2,
            caller: "spiffe://a/b",
            rule: "",
            because: &[],
            service: "orders",
            version: "",
            endpoint: "",
            verdict: "",
            bundle: "",
            decision: "",
            retries: 0,
            reason: "",
        }
    }

    #[test]
    fn lines_are_json_whatever_the_request_holds() {
        let (sender, receiver) = sync_channel(8);
        let log = AccessLog { lines: Some(sender), dropped: Counter::default() };
        log.log(&entry("/a\"\n{\"status\":500}"));
        let Message::Line(line) = receiver.recv().unwrap() else { panic!("no line") };
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["path"], "/a\"\n{\"status\":500}");
        assert_eq!(value["status"], 200);
        assert!(value.get("rule").is_none());
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (sender, _receiver) = sync_channel(2);
        let log = AccessLog { lines: Some(sender), dropped: Counter::default() };
        for _ in 0..5 {
            log.log(&entry("/"));
        }
        assert_eq!(log.dropped.get(), 3);
    }

    #[test]
    fn a_writer_that_hangs_holds_no_flush_up() {
        let (sender, receiver) = sync_channel(1);
        let log = AccessLog { lines: Some(sender), dropped: Counter::default() };
        assert!(!log.flush(Duration::from_millis(20)), "nobody answers");
        assert!(!log.flush(Duration::from_millis(20)), "nobody takes it");
        drop(receiver);
    }

    #[test]
    fn a_file_gets_every_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access.log");
        let (sender, receiver) = sync_channel(8);
        let log = AccessLog { lines: Some(sender), dropped: Counter::default() };
        log.log(&entry("/a"));
        log.log(&entry("/b"));
        drop(log);
        let out = Box::new(File::create(&path).unwrap());
        write_lines(&receiver, out, &Counter::default());
        assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
    }
}
