//! Times the rungs of the activation ladder one by one, on this machine: medians over repetitions, in milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use mesh_bundle::manifest::Entry;
use mesh_bundle::trust::TrustSet;
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Digest, Owner, Program, archive, verify};
use mesh_decision::Engine;
use mesh_proxy::preflight::{Cancel, ChildPreflight, Preflight, PreflightInput};

/// Times the rungs of the activation ladder for one proxy.
#[derive(Debug, Parser)]
struct Args {
    /// The bundle, as an archive.
    bundle: PathBuf,
    /// The trust set.
    #[arg(long)]
    trust: PathBuf,
    /// Whom the proxy stands for: `orders`, `gateway/public`.
    #[arg(long)]
    owner: Owner,
    /// The bundle before: its units are not proven again.
    #[arg(long)]
    before: Option<PathBuf>,
    /// A `mesh-proxy` to run the preflight with.
    #[arg(long)]
    proxy: Option<PathBuf>,
    /// Repetitions.
    #[arg(long, default_value_t = 20)]
    reps: usize,
}

type Problem = Box<dyn std::error::Error>;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command says what it measured")]
fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(lines) => {
            for (rung, millis) in lines {
                println!("{rung:<12} {millis:8.2} ms");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Milliseconds by rung, in the order of the ladder.
fn measure(args: &Args) -> Result<Vec<(&'static str, f64)>, Problem> {
    let trust: TrustSet = serde_json::from_slice(&std::fs::read(&args.trust)?)?;
    let packed = std::fs::read(&args.bundle)?;
    let before = args.before.as_deref().map(|path| units(path, &trust, &args.owner)).transpose()?;
    let cancel = Cancel::new()?;
    let mut times: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for _ in 0..args.reps.max(1) {
        let mut last = Instant::now();
        let mut lap = |rung| {
            times.entry(rung).or_default().push(last.elapsed().as_secs_f64() * 1_000.0);
            last = Instant::now();
        };
        let files = archive::read(&packed)?;
        lap("1 unpack");
        verify::bound(&files)?;
        let candidate = verify::authentic(files, &trust)?;
        lap("2 authentic");
        let known = |id: &UnitId, digest: &Digest| {
            let (entries, program) = before.as_ref()?;
            if entries.get(id)?.digest == *digest { program.unit(id) } else { None }
        };
        let program = Arc::new(verify::well_formed_with(
            &candidate.bundle,
            Some(&args.owner),
            verify::Standing::Offered,
            known,
        )?);
        lap("4 formed");
        if let Some(proxy) = &args.proxy {
            let unknown = |id: &UnitId, entry: &Entry| {
                before.as_ref().is_none_or(|(entries, _)| entries.get(id) != Some(entry))
            };
            let entries = candidate.bundle.entries().iter();
            let changed: BTreeSet<_> =
                entries.filter(|(id, entry)| unknown(id, entry)).map(|(id, _)| id.clone()).collect();
            let needs = candidate.bundle.needs(&args.owner).ok_or("the owner is not in the bundle")?;
            let input = PreflightInput::of(&candidate.bundle, &args.owner, needs, &candidate.state, &changed);
            ChildPreflight::new(proxy.clone()).check(&input, &cancel)?;
            lap("5 preflight");
        }
        Engine::new(program, &candidate.state, &args.owner)?;
        lap("5 built");
    }
    Ok(times.into_iter().map(|(rung, values)| (rung, median(values))).collect())
}

type Units = BTreeMap<UnitId, Entry>;

fn units(path: &Path, trust: &TrustSet, owner: &Owner) -> Result<(Units, Program), Problem> {
    let files = archive::read(&std::fs::read(path)?)?;
    let bundle = verify::authentic(files, trust)?.bundle;
    let program = verify::well_formed(&bundle, Some(owner))?;
    Ok((bundle.entries().clone(), program))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
