//! The mesh's proxy: small, fast, with bundles that activate atomically.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mesh_proxy::app::{Cli, RunArgs, StartError, operate, run};
use mesh_proxy::telemetry::{Events, Level};

/// Could not run (`cli.md`, exit codes).
const COULD_NOT: u8 = 2;
/// How long the last messages have to be read.
const LAST_WORDS: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let cli = Cli::parse();
    match (&cli.command, &cli.run) {
        (Some(command), _) => operate(command),
        (None, Some(args)) => start(args),
        // clap asks for the flags of running where no command is given.
        (None, None) => ExitCode::from(COULD_NOT),
    }
}

fn start(args: &RunArgs) -> ExitCode {
    if let Err(error) = Events.never_wait() {
        Events.say(Level::Error, &format!("cannot start: {error}"));
        return ExitCode::from(COULD_NOT);
    }
    let ended = run(args);
    if let Err(error) = &ended {
        let cannot = if matches!(error, StartError::Control) { "ended" } else { "cannot start" };
        Events.say(Level::Error, &format!("{cannot}: {error}"));
    }
    let _nobody_reads = Events.flush(LAST_WORDS);
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(COULD_NOT) }
}
