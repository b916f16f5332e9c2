//! The proxy's own messages: one JSON line each on standard error.
//!
//! In a proxy that runs, whoever has something to say never waits for whoever reads it: a thread of its own writes. What
//! finds no room is dropped, counted, and said as soon as there is room again.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use serde::Serialize;

use super::time::timestamp;
use crate::clock::Clock;

/// Messages that may wait.
const WAITING: usize = 1_024;
/// The longest message in bytes; more is cut off.
const MESSAGE_BYTES: usize = 16 * 1024;
/// How long [`Events::flush`] rests between two tries to get a place in a full queue.
const REST: Duration = Duration::from_millis(5);

/// The way to the writer, once there is one.
static WRITER: OnceLock<SyncSender<Message>> = OnceLock::new();
/// Messages that found no room since the last one that did.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something happened as it should.
    Info,
    /// Something is wrong and the proxy goes on as before.
    Warn,
    /// Something is wrong that a person must look at.
    Error,
}

/// Where messages go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events;

/// What the writer is told.
enum Message {
    Line(Vec<u8>),
    /// Answer once all that came before is written.
    Flush(SyncSender<()>),
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: Level,
    message: &'a str,
}

impl Events {
    /// Says something; after [`Events::never_wait`] without waiting. A standard error that is gone is no reason to stop.
    pub fn say(&self, level: Level, message: &str) {
        let Some(text) = line(level, message) else { return };
        match WRITER.get() {
            Some(writer) => {
                if writer.try_send(Message::Line(text)).is_err() {
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                }
            }
            None => {
                let _gone_or_not = io::stderr().lock().write_all(&text);
            }
        }
    }

    /// For a process that must go on whoever reads its messages: a thread writes them from now on. Panics are said
    /// likewise, in place of Rust's own message, which would wait.
    ///
    /// # Errors
    /// No descriptor or no thread is left.
    pub fn never_wait(&self) -> io::Result<()> {
        // The descriptor itself: standard error's own lock would be held while a write waits.
        let out = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let (lines, waiting) = sync_channel(WAITING);
        Builder::new().name("events".to_owned()).spawn(move || write_lines(&waiting, out, &DROPPED))?;
        // Where there is a writer already, the new one ends at once.
        let _first_or_not = WRITER.set(lines);
        panic::set_hook(Box::new(|panic| {
            let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
            let what = panic.payload_as_str().unwrap_or("no text");
            Events.say(Level::Error, &format!("a fault in the proxy{place}: {what}"));
        }));
        Ok(())
    }

    /// Waits until all messages so far are written, but no longer than `patience`; whether they were. For the end of the
    /// process.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        let Some(writer) = WRITER.get() else { return true };
        let clock = Clock::system();
        let (done, hears) = sync_channel(1);
        while writer.try_send(Message::Flush(done.clone())).is_err() {
            if clock.elapsed() >= patience {
                return false;
            }
            std::thread::sleep(REST);
        }
        hears.recv_timeout(patience.saturating_sub(clock.elapsed())).is_ok()
    }
}

fn write_lines(waiting: &Receiver<Message>, mut out: impl Write, dropped: &AtomicU64) {
    for message in waiting {
        match message {
            Message::Line(text) => {
                let _gone_or_not = out.write_all(&text);
            }
            Message::Flush(done) => {
                let _nobody_waits = done.try_send(());
            }
        }
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0
            && let Some(text) = line(Level::Warn, &format!("{lost} messages before this one were dropped"))
        {
            let _gone_or_not = out.write_all(&text);
        }
    }
}

fn line(level: Level, message: &str) -> Option<Vec<u8>> {
    let message = message.get(..message.floor_char_boundary(MESSAGE_BYTES))?;
    let mut text =
        serde_json::to_vec(&Line { time: timestamp(Clock::system().wall()), level, message }).ok()?;
    text.push(b'\n');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shown(Arc<Mutex<Vec<u8>>>);

    impl Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_was_dropped_is_said_with_the_next_message() {
        let (lines, waiting) = sync_channel(2);
        let (dropped, shown) = (AtomicU64::new(3), Shown::default());
        lines.send(Message::Line(line(Level::Info, "one").unwrap())).unwrap();
        lines.send(Message::Line(line(Level::Info, "two").unwrap())).unwrap();
        drop(lines);
        write_lines(&waiting, shown.clone(), &dropped);
        let text = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
        let said: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let messages: Vec<_> = said.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["one", "3 messages before this one were dropped", "two"]);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "é".repeat(MESSAGE_BYTES);
        let text = line(Level::Info, &long).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["message"].as_str().unwrap().len(), MESSAGE_BYTES);
    }
}
