//! `mesh-proxy` with its own command line and a preflight that accepts every bundle, for `ci/bench-instructions`: valgrind
//! knows no `pidfd_open`, on which the real one waits.

use std::process::ExitCode;

use clap::Parser;
use mesh_bundle::Refusal;
use mesh_proxy::app::{Cli, Seams, run_with};
use mesh_proxy::preflight::{Cancel, Preflight, PreflightInput};
use mesh_proxy::telemetry::{Events, Level};

struct Accepts;

impl Preflight for Accepts {
    fn check(&self, _: &PreflightInput<'_>, _: &Cancel) -> Result<usize, Refusal> {
        Ok(0)
    }
}

fn main() -> ExitCode {
    let Some(args) = Cli::parse().run else { return ExitCode::FAILURE };
    match run_with(&args, Seams { preflight: Box::new(Accepts), hook: None }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Events.say(Level::Error, &error.to_string());
            ExitCode::FAILURE
        }
    }
}
