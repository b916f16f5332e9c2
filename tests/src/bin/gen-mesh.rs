//! Writes a seeded mesh of any size, and the same routes for Envoy.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mesh_tests::generate::{Size, mesh};

/// Writes a seeded mesh: the same arguments give the same files.
#[derive(Debug, Parser)]
struct Args {
    /// Services, 1 to 10,000.
    #[arg(long, default_value_t = 1000)]
    services: usize,
    /// Route rules of all services together.
    #[arg(long, default_value_t = 10_000)]
    routes: usize,
    /// Access entries of all services together.
    #[arg(long, default_value_t = 2000)]
    rules: usize,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder to write to.
    out: PathBuf,
    /// Also writes the same routes as Envoy's static configuration.
    #[arg(long, value_name = "FILE")]
    envoy: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let size =
        Size { services: args.services.max(1), routes: args.routes, rules: args.rules, seed: args.seed };
    let generated = mesh(size);
    let written = generated.write(&args.out).and_then(|()| match &args.envoy {
        Some(file) => std::fs::write(file, generated.envoy().to_string()),
        None => Ok(()),
    });
    match written {
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
