//! The mesh compiler's command line: arguments, files, git, rendering, exit codes. What a mesh means is decided in
//! `mesh_compiler`, what happens to a request in `mesh_decision`.

mod args;
mod bundles;
mod commands;
mod failure;
mod load;
mod look;
mod output;
mod places;
mod progress;
mod redact;
mod render;
mod text;
mod tree;

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
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
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
