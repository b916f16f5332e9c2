//! The mesh's proxy: small, fast, with bundles that activate atomically.

use std::process::ExitCode;

use clap::Parser;
use mesh_proxy::app::{Cli, operate, run};
use mesh_proxy::telemetry::{Events, Level};

/// Could not run (`cli.md`, exit codes).
const COULD_NOT: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match (&cli.command, &cli.run) {
        (Some(command), _) => operate(command),
        (None, Some(args)) => match run(args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                Events.say(Level::Error, &format!("cannot start: {error}"));
                ExitCode::from(COULD_NOT)
            }
        },
        // clap asks for the flags of running where no command is given.
        (None, None) => ExitCode::from(COULD_NOT),
    }
}
