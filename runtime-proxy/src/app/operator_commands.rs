//! `mesh-proxy status|reload|rollback|resume|drain`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use http::{Method, StatusCode};
use serde_json::Value;
use tokio::task::LocalSet;

use super::args::{Operate, Output, Where};
use crate::admin::ask;
use crate::preflight;
use crate::telemetry::timestamp;

/// The proxy refused what was asked (`cli.md`, exit codes).
const REFUSED: u8 = 3;
/// Activations that are shown, newest first.
const HISTORY: usize = 5;
/// The proxy could not be asked.
const COULD_NOT: u8 = 2;

/// Asks the proxy and shows its answer: 0 done, 2 could not ask, 3 refused.
#[must_use]
pub fn operate(command: &Operate) -> ExitCode {
    let (at, method, target) = match command {
        Operate::Status(at) => (at, Method::GET, "/v1/bundle".to_owned()),
        Operate::Reload(at) => (at, Method::POST, "/v1/reload".to_owned()),
        Operate::Rollback { to, at } => {
            (at, Method::POST, with(to.as_ref(), |to| format!("/v1/rollback?to={to}"), "/v1/rollback"))
        }
        Operate::Resume { bundle, at } => {
            (at, Method::POST, with(bundle.as_ref(), |id| format!("/v1/resume?bundle={id}"), "/v1/resume"))
        }
        Operate::Drain(at) => (at, Method::POST, "/v1/drain".to_owned()),
        Operate::Preflight => {
            return match preflight::run(preflight::Limits::default()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => complain(&error.to_string()),
            };
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = match runtime {
        Ok(runtime) => LocalSet::new().block_on(&runtime, ask(&at.admin, method, &target)),
        Err(error) => return complain(&error.to_string()),
    };
    match answer {
        Ok((status, body)) => {
            let shown = show(at, &body).and_then(|text| io::stdout().lock().write_all(text.as_bytes()));
            match shown {
                Ok(()) if status.is_success() => ExitCode::SUCCESS,
                // Busy or stopping: whether it would be refused was not found out.
                Ok(()) if status == StatusCode::SERVICE_UNAVAILABLE => ExitCode::from(COULD_NOT),
                Ok(()) => ExitCode::from(REFUSED),
                Err(error) => complain(&error.to_string()),
            }
        }
        Err(error) => complain(&error.to_string()),
    }
}

fn with<T>(value: Option<&T>, make: impl FnOnce(&T) -> String, without: &str) -> String {
    value.map_or_else(|| without.to_owned(), make)
}

fn complain(message: &str) -> ExitCode {
    let _gone_or_not = writeln!(io::stderr().lock(), "error: {message}");
    ExitCode::from(COULD_NOT)
}

fn show(at: &Where, body: &[u8]) -> io::Result<String> {
    let text = String::from_utf8_lossy(body);
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Ok(text.into_owned()) };
    if at.output == Output::Json {
        return Ok(format!("{text}\n"));
    }
    Ok(human(&value))
}

/// The answer for people. A proxy of another version may leave fields out: these show as `?`, `none` or 0.
fn human(value: &Value) -> String {
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    match word("outcome") {
        Some("unchanged") => return "nothing new\n".to_owned(),
        Some("activated") => return format!("in force: {}\n", word("bundle").unwrap_or("?")),
        Some("held") => return format!("stored, waits for `resume`: {}\n", word("bundle").unwrap_or("?")),
        Some("refused") => return format!("{}\n", refusal(value.get("refusal"))),
        _ => {}
    }
    let journal = value.get("journal").cloned().unwrap_or_default();
    let from = |name: &str| journal.get(name).and_then(Value::as_str).unwrap_or("none");
    let generation = value.get("generation").and_then(Value::as_u64);
    let generation = generation.map_or_else(String::new, |number| format!(", generation {number}"));
    let mut lines = vec![
        format!(
            "proxy      {} in {}/{}",
            word("owner").unwrap_or("?"),
            word("mesh").unwrap_or("?"),
            word("environment").unwrap_or("?")
        ),
        format!("in force   {}{generation}", word("active").unwrap_or("none")),
        format!("good       {}", from("good")),
        format!("previous   {}", from("previous")),
    ];
    if let Some(next) = journal.get("next").and_then(Value::as_str) {
        lines.push(format!("next       {next}, stored and about to be in force"));
    }
    lines.extend(value.get("probation").filter(|probation| !probation.is_null()).map(probation));
    if let Some(busy) = value.get("busy") {
        let with = busy.get("with").and_then(Value::as_str).unwrap_or("?");
        let seconds = busy.get("seconds").and_then(Value::as_u64).unwrap_or(0);
        lines.push(format!("busy       with `{with}` for {seconds} s"));
    }
    for alarm in value.get("alarms").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!("alarm      {}", alarm.as_str().unwrap_or("?")));
    }
    if let Some(accepted) = journal.get("accepted").filter(|accepted| !accepted.is_null()) {
        let number = |name: &str| accepted.get(name).and_then(Value::as_u64).unwrap_or(0);
        lines.push(format!("accepted   epoch {}, generation {}", number("epoch"), number("generation")));
    }
    if journal.get("hold") == Some(&Value::Bool(true)) {
        lines.push(format!("held       offers wait for `resume`; offered: {}", from("offered")));
    }
    for (bundle, why) in journal.get("quarantine").and_then(Value::as_object).into_iter().flatten() {
        lines.push(format!("quarantine {bundle}: {}", why.as_str().unwrap_or("?")));
    }
    let history = journal.get("history").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for entry in history.iter().rev().take(HISTORY) {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("?");
        let number = entry.get("generation").and_then(Value::as_u64).unwrap_or(0);
        let verdict = entry.get("verdict").and_then(Value::as_str).unwrap_or_default();
        let verdict = if verdict.is_empty() { String::new() } else { format!(", {verdict}") };
        lines.push(format!(
            "history    {} {} generation {number} ({}{verdict})",
            when(entry),
            text("bundle"),
            text("reason")
        ));
    }
    if let Some(record) = journal.get("lastRefusal").filter(|record| !record.is_null()) {
        let bundle =
            record.get("bundle").and_then(Value::as_str).map_or_else(String::new, |b| format!("{b} "));
        lines.push(format!("refused    {} {bundle}{}", when(record), refusal(record.get("refusal"))));
    }
    lines.join("\n") + "\n"
}

/// A probation under way in one line.
fn probation(value: &Value) -> String {
    let number = |from: &Value, name: &str| from.get(name).and_then(Value::as_u64).unwrap_or(0);
    let counts = value.get("counts").cloned().unwrap_or_default();
    let percent = |name: &str| {
        let share = number(value, name);
        format!("{}.{:02} %", share / 100, share % 100)
    };
    let back = value.get("backTo").and_then(Value::as_str);
    let back = back.map_or_else(|| "; nothing to go back to".to_owned(), |id| format!("; back to {id}"));
    format!(
        "probation  for {} s: {} requests, {} decided otherwise or failed, bad {} of at most {}{back}",
        number(value, "seconds"),
        number(&counts, "requests"),
        number(&counts, "counted"),
        percent("share"),
        percent("allowed"),
    )
}

fn when(record: &Value) -> String {
    let seconds = record.get("at").and_then(Value::as_u64).unwrap_or(0);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).map_or_else(|| "?".to_owned(), timestamp)
}

fn refusal(value: Option<&Value>) -> String {
    let parsed = value.and_then(|value| serde_json::from_value::<mesh_bundle::Refusal>(value.clone()).ok());
    parsed.map_or_else(|| "refused".to_owned(), |refusal| refusal.to_string())
}
