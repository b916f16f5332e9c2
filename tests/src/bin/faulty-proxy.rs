//! `mesh-proxy` with its own command line, and faults that a test plants while it runs.
//!
//! `MESH_FAULTS` names a folder. While a file lies in it, the proxy has that fault; the file's content says where:
//!
//! | file | content | fault |
//! |---|---|---|
//! | `panic` | a rule's address | panics in the midst of each request that this rule decides |
//! | `abort` | a rule's address | ends the process there |
//! | `start` | anything | ends the process when it is about to build a bundle |
//! | `preflight` | a kind | starts `faulty-proxy preflight-KIND` instead of the preflight |
//!
//! A child of the kind `paused` waits until there is a file `go` beside the others, and then does its work.

#![expect(clippy::panic, reason = "its faults are what it is for")]

use std::fs;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use mesh_bundle::{Refusal, Rung};
use mesh_proxy::app::{Cli, Seams, operate, run_with};
use mesh_proxy::preflight::{self, Cancel, ChildPreflight, Limits, Preflight, PreflightInput, Verdict};
use mesh_proxy::telemetry::{Events, Level};
use rustix::process::{Signal, getpid, kill_process};

/// How long a faulty child may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the last messages have to be read.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long a paused child may be paused.
const PAUSE: Duration = Duration::from_secs(30);
/// Little enough that a child reaches it soon.
const LIMITS: Limits = Limits { memory: 256 << 20, seconds: 1 };
/// Could not run.
const COULD_NOT: u8 = 2;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if let Some(kind) = words.next().as_deref().and_then(|word| word.strip_prefix("preflight-")) {
        return match child(kind, words.next().as_deref().map(Path::new)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error.to_string()),
        };
    }
    let cli = Cli::parse();
    match (&cli.command, &cli.run) {
        (Some(command), _) => operate(command),
        (None, Some(args)) => {
            if let Err(error) = Events.never_wait() {
                return failed(&error.to_string());
            }
            let code = run_with(args, seams())
                .map_or_else(|error| failed(&error.to_string()), |()| ExitCode::SUCCESS);
            let _nobody_reads = Events.flush(LAST_WORDS);
            code
        }
        (None, None) => ExitCode::from(COULD_NOT),
    }
}

fn failed(message: &str) -> ExitCode {
    Events.say(Level::Error, message);
    let _nobody_reads = Events.flush(LAST_WORDS);
    ExitCode::from(COULD_NOT)
}

fn seams() -> Seams {
    let Some(faults) = std::env::var_os("MESH_FAULTS").map(PathBuf::from) else {
        return Seams { preflight: Box::new(ChildPreflight::own()), hook: None };
    };
    let preflight = Box::new(Faulty { faults: faults.clone() });
    let planted = move |file: &str, address: &str| planted(&faults, file).is_some_and(|at| at == address);
    let hook = move |address: &str| {
        if planted("abort", address) {
            std::process::abort();
        }
        if planted("panic", address) {
            panic!("a planted fault");
        }
    };
    Seams { preflight, hook: Some(Arc::new(hook)) }
}

fn planted(faults: &Path, file: &str) -> Option<String> {
    fs::read_to_string(faults.join(file)).ok().map(|text| text.trim().to_owned())
}

/// The preflight, or what is planted in its place.
struct Faulty {
    faults: PathBuf,
}

impl Preflight for Faulty {
    fn check(&self, input: &PreflightInput, cancel: &Cancel) -> Result<usize, Refusal> {
        if planted(&self.faults, "start").is_some() {
            std::process::abort();
        }
        let Some(kind) = planted(&self.faults, "preflight") else {
            return ChildPreflight::own().check(input, cancel);
        };
        let program = if kind == "missing" { "/nowhere/mesh-proxy" } else { "/proc/self/exe" };
        let patience = if kind == "paused" { PAUSE } else { PATIENCE };
        let faults = self.faults.display().to_string();
        ChildPreflight::new(PathBuf::from(program))
            .with_arguments(&[&format!("preflight-{kind}"), &faults])
            .with_patience(patience)
            .check(input, cancel)
    }
}

/// A child of one kind.
fn child(kind: &str, faults: Option<&Path>) -> io::Result<()> {
    match kind {
        "panic" => panic!("the builder fell over a planted fault"),
        "abort" => std::process::abort(),
        "hang" => loop {
            thread::park();
        },
        "spin" => {
            LIMITS.apply()?;
            loop {
                black_box(());
            }
        }
        "bloat" => {
            LIMITS.apply()?;
            let mut all = Vec::new();
            loop {
                all.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        "garbage" => answer(b"{\"good\":{\"cases\":\"all\"}}"),
        "flood" => loop {
            answer(&[b' '; 4096])?;
        },
        "silent" => Ok(()),
        "lies" => say(&Verdict::Good { cases: 64 }),
        "refuses" => say(&Verdict::Refused(Refusal::new(Rung::Built, "planted", "the builder says no"))),
        "fails-after-good" => {
            say(&Verdict::Good { cases: 1 })?;
            Err(io::Error::other("too late"))
        }
        // What stays is a process with none of its pipes.
        "closes-pipes" => Err(Command::new("sh").args(["-c", "exec <&- >&- 2>&-; exec sleep 60"]).exec()),
        "closes-output" => Err(Command::new("sh").args(["-c", "exec >&-; exec sleep 60"]).exec()),
        "killed-at-start" => kill(),
        "killed-when-limited" => {
            LIMITS.apply()?;
            kill()
        }
        "killed-while-reading" => {
            io::stdin().lock().read_exact(&mut [0; 64])?;
            kill()
        }
        "killed-when-fed" => {
            eat()?;
            kill()
        }
        "killed-while-answering" => {
            eat()?;
            answer(b"{\"good\":{\"ca")?;
            kill()
        }
        "killed-after-answering" => {
            eat()?;
            say(&Verdict::Good { cases: 1 })?;
            kill()
        }
        "paused" => {
            let go = faults.map(|faults| faults.join("go"));
            while go.as_ref().is_some_and(|go| !go.exists()) {
                thread::sleep(Duration::from_millis(5));
            }
            preflight::run(Limits::default())
        }
        other => Err(io::Error::other(format!("there is no fault `{other}`"))),
    }
}

fn eat() -> io::Result<()> {
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map(drop)
}

fn answer(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

fn say(verdict: &Verdict) -> io::Result<()> {
    answer(&serde_json::to_vec(verdict)?)
}

/// Ends this process as the system's memory killer would.
fn kill() -> io::Result<()> {
    kill_process(getpid(), Signal::KILL)?;
    Ok(())
}
