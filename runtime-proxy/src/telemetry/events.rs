//! The proxy's own messages: one JSON line each on standard error.

use std::io::Write;
use std::time::SystemTime;

use serde::Serialize;

use super::time::timestamp;

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

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: Level,
    message: &'a str,
}

impl Events {
    /// Says something. A standard error that is gone is no reason to stop.
    pub fn say(&self, level: Level, message: &str) {
        let line = Line { time: timestamp(SystemTime::now()), level, message };
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            let _gone_or_not = std::io::stderr().lock().write_all(&text);
        }
    }
}
