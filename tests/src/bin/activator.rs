//! Runs steps of activation over a state folder, in one thread, for harnesses that kill it or cut its power; as
//! `activator preflight`, the preflight's child.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mesh_proxy::preflight;
use mesh_tests::activate::broken_disks::Bad;
use mesh_tests::activate::script;

/// Runs steps of activation; one line each says what came of it.
#[derive(Debug, Parser)]
struct Args {
    /// The state folder.
    state: PathBuf,
    /// The folder or archive where a bundle is offered.
    source: PathBuf,
    /// The trust set, as JSON.
    trust: PathBuf,
    /// `start`, `look`, `return=ID`, `resume`, `good`, `bad` and `die`, parted by commas.
    script: String,
    /// Breaks the store's promise on purpose.
    #[arg(long)]
    bad: Option<Bad>,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == "preflight") {
        return match preflight::run(preflight::Limits::default()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&format!("error: {error}"));
                ExitCode::from(2)
            }
        };
    }
    let Args { state, source, trust, script, bad } = Args::parse();
    match script::run(&state, &source, &trust, &script, bad, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command says why it failed")]
fn say(text: &str) {
    eprintln!("{text}");
}
