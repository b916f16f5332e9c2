//! The mesh compiler's command line: arguments, rendering, exit codes. Files and git are read in `mesh_workspace`, what a
//! mesh means is decided in `mesh_compiler`, what happens to a request in `mesh_decision`.

mod args;
mod callers;
mod commands;
mod exit;
mod failure;
mod load;
mod look;
mod output;
mod places;
mod progress;
mod render;
mod reports;
mod text;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::Cli;
use output::Outputs;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            // Usage errors are 2, `--help` and `--version` are 0; a reader that went away changes neither.
            let _ = answer.print();
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(exit::COULD_NOT_RUN));
        }
    };
    let outputs = Outputs::new(cli.output);
    match cli.command.run(&cli.place, &outputs, Cli::command()) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::note(&failure.to_string());
            ExitCode::from(failure.exit)
        }
    }
}
