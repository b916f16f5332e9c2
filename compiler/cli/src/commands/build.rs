//! `meshc build`: compiles, packs and signs the bundle of each environment, and checks what it wrote as a proxy does.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use mesh_bundle::release::Acknowledges;
use mesh_bundle::trust::{PublicKey, SigningKey, TrustSet};
use mesh_bundle::{FileSet, Refusal, limits};
use mesh_compiler::spec::{Duration, Scalar as _};
use mesh_workspace::pack::{Terms, read_key, sealed};
use mesh_workspace::verify::{Proof, Standing, climb};
use mesh_workspace::{Origin, bundles};

use super::stage::{self, StageArg};
use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Today, Where, now};
use crate::output::{Outputs, note};
use crate::progress::Progress;
use crate::reports::{BuildReport, Built};
use crate::text::clean;

/// Build and sign bundles.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What was written is checked as `meshc verify` checks it before it takes the place of what \
    is there.\nThe last line of standard output is the bundle's id.\n\nExamples:\n  \
    meshc keygen -o mesh.key --trust mesh.trust.json\n  \
    meshc build --env prod -o prod.mcb --key mesh.key\n  \
    meshc build -o bundles --key mesh.key               every environment, each in a folder of its own\n  \
    meshc build --env prod -o prod.mcb --key mesh.key --stage canary/orders=1"
)]
pub(crate) struct Args {
    #[command(flatten)]
    revision: Revision,
    #[command(flatten)]
    today: Today,
    /// Build this environment; without it all, each in a folder of its name
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Option<String>,
    /// Write here: a folder, or one archive FILE.mcb. What is there is replaced in one step
    #[arg(
        short = 'o',
        long = "out",
        value_name = "DIR|FILE.mcb",
        default_value = "bundle",
        env = "MESHC_OUT"
    )]
    out: PathBuf,
    /// Sign with the key in this file; may be repeated
    #[arg(long, value_name = "FILE", env = "MESHC_KEY")]
    key: Vec<PathBuf>,
    /// Let a canary stand at this stage; may be repeated. Without it no canary has begun
    #[arg(long, value_name = "canary/NAME=N|done")]
    stage: Vec<StageArg>,
    /// Number of the release; by default that of the first-parent commits, 0 outside git
    #[arg(long, value_name = "N")]
    generation: Option<u64>,
    /// Say that a reviewer has seen what goes away; may be repeated
    #[arg(long, value_name = "removed=N|denied=ADDRESS")]
    acknowledge: Vec<Acknowledge>,
    /// Oldest release to which proxies may go back by themselves
    #[arg(long, value_name = "N", default_value_t = 0)]
    floor: u64,
    /// Let no source offer the release any more after this time, counted from the commit, outside git from now
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires: Option<Duration>,
}

/// One acknowledgement by a reviewer, as given to `--acknowledge`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Acknowledge {
    Removed(u32),
    Denied(String),
}

impl FromStr for Acknowledge {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("removed", number)) => {
                number.parse().map(Self::Removed).map_err(|_| "removed=N takes a number".to_owned())
            }
            Some(("denied", address)) if address.contains('/') => Ok(Self::Denied(address.to_owned())),
            _ => Err("write removed=N or denied=ADDRESS, such as denied=access/orders".to_owned()),
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text).ok_or_else(|| format!("this is not {}", Duration::WHAT))
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let keys = args.key.iter().map(|file| read_key(file)).collect::<Result<Vec<_>, _>>()?;
    for file in args.key.iter().filter(|file| others_may_read(file)) {
        let file = file.display();
        note(&format!("note: others may read the key `{file}`; `chmod 600 {file}` keeps it to its owner"));
    }
    let mesh = load::mesh(place, &args.revision, Day::Commit(args.today))?;
    if !load::is_sound(&mesh, "build", outputs)? {
        return Ok(exit::FOUND);
    }
    let origin = &mesh.origin;
    let terms = terms(args, origin)?;
    let names: Vec<String> = args.env.iter().cloned().collect();
    let environments = mesh.environments(&names)?;
    if bundles::is_archive(&args.out) && environments.len() > 1 {
        return Err(Failure::cannot("an archive holds one environment").help("name one with --env"));
    }
    let progress = Progress::start("building");
    let mut built = Vec::new();
    let mut files = BTreeMap::new();
    for environment in environments {
        let state = stage::state(&environment.program, &args.stage)?;
        let source = origin.commit.as_ref().map(|commit| commit.source.clone());
        let bundle = sealed(environment, source, &state, &terms, &keys)?;
        let folder = if args.env.is_some() { String::new() } else { environment.name.to_string() };
        let path = if bundles::is_archive(&args.out) { args.out.clone() } else { args.out.join(&folder) };
        built.push(Built {
            environment: environment.name.to_string(),
            bundle: bundle.id,
            path: path.display().to_string(),
            units: bundle.units,
            bytes: bundle.files.values().map(Vec::len).sum(),
            stages: state.canaries.iter().map(|(address, c)| (address.clone(), c.stage)).collect(),
        });
        files.insert(folder, bundle.files);
    }
    write(&args.out, &files, &keys)?;
    drop(progress);
    if origin.dirty {
        let what = if args.revision.staged { "what is staged" } else { "the work tree" };
        note(&format!("note: {what} differs from its commit, so the bundle names no commit"));
    }
    if keys.is_empty() {
        note(
            "note: the bundle is not signed, and every proxy refuses it; sign with --key FILE (`meshc keygen`)",
        );
    }
    outputs.emit(&BuildReport::new(terms.generation, built))?;
    Ok(0)
}

/// Writes the bundles, each in the folder of its key, and puts them in their place once every proxy would take what was
/// written.
fn write(out: &Path, bundles: &BTreeMap<String, FileSet>, keys: &[SigningKey]) -> Result<(), Failure> {
    let staged = match bundles.first_key_value() {
        Some((_, files)) if bundles::is_archive(out) => bundles::stage_archive(out, files)?,
        _ => bundles::stage_folders(out, bundles)?,
    };
    for folder in bundles.keys() {
        if let Err(refusal) = check_written(staged.read(folder)?, keys) {
            let message = format!("`{}` was not written, since proxies would not take it", out.display());
            return Err(Failure::cannot(format!("{message}: {}", clean(&refusal.to_string()))).help(
                "this is a fault of meshc and not of the mesh: please report it with the files that it was built from",
            ));
        }
    }
    Ok(staged.put()?)
}

/// The rungs of a proxy's ladder that need no proxy, for what was written: what `meshc verify` climbs.
fn check_written(files: Result<FileSet, Refusal>, keys: &[SigningKey]) -> Result<(), Refusal> {
    let signers: BTreeSet<PublicKey> = keys.iter().map(SigningKey::public).collect();
    // A bundle without signatures, or with more than a set has keys, is checked without them.
    let trust = TrustSet::new(signers.len(), signers.into_iter().collect()).ok();
    climb(files?, trust.as_ref(), Standing::Offered, Some(&mut Proof::default())).map(drop)
}

/// True where the mode of a file lets its group or everybody read it.
fn others_may_read(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o044 != 0)
}

/// The terms that the arguments and git give.
fn terms(args: &Args, origin: &Origin) -> Result<Terms, Failure> {
    let generation = match (args.generation, &origin.generation) {
        (Some(given), _) => given,
        (None, None) => 0,
        (None, Some(Ok(count))) => *count,
        (None, Some(Err(why))) => return Err(why.clone().into()),
    };
    if generation > limits::MAX_GENERATION {
        return Err(Failure::cannot(format!("generations end at {}", limits::MAX_GENERATION)));
    }
    if args.floor > generation {
        let message = format!("the floor {} lies above the generation {generation}", args.floor);
        return Err(Failure::cannot(message));
    }
    let mut acknowledges = Acknowledges::default();
    for seen in &args.acknowledge {
        match seen {
            Acknowledge::Removed(number) => acknowledges.removed = *number,
            Acknowledge::Denied(address) => acknowledges.denied.push(address.clone()),
        }
    }
    acknowledges.denied.sort();
    acknowledges.denied.dedup();
    let from = origin.commit.as_ref().map_or_else(now, |commit| commit.seconds);
    let after = |from: i64, duration: Duration| {
        let from = u64::try_from(from)
            .map_err(|_| Failure::cannot("the commit is from before 1970, so nothing expires after it"))?;
        let at = from.saturating_add(duration.as_nanos().div_ceil(1_000_000_000));
        Ok::<u64, Failure>(at.min(limits::MAX_SAFE_INTEGER))
    };
    let expires = args.expires.map(|duration| after(from, duration)).transpose()?;
    Ok(Terms { generation, floor: args.floor, expires, acknowledges })
}

#[cfg(test)]
mod tests {
    use mesh_bundle::State;
    use mesh_compiler::{Options, compile};

    use super::*;

    const MESH: &str = "kind: Mesh\nname: a\nversion: 1\ntrustDomain: a.example\n---\n\
        kind: Service\nname: web\nport: 80\ncallers: [web]\n";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32]).unwrap()
    }

    fn bundle() -> FileSet {
        let compiled = compile(vec![("mesh.yaml".to_owned(), MESH.as_bytes().to_vec())], &Options::default());
        let environment = compiled.environments.first().unwrap();
        sealed(environment, None, &State::default(), &Terms::default(), &[key(1)]).unwrap().files
    }

    fn tampered() -> FileSet {
        let mut files = bundle();
        files.get_mut("units/services/web.json").unwrap().push(b' ');
        files
    }

    #[test]
    fn what_was_written_is_checked_with_its_signatures() {
        assert!(check_written(Ok(bundle()), &[key(1)]).is_ok());
        assert!(check_written(Ok(bundle()), &[]).is_ok());
        assert_eq!(check_written(Ok(bundle()), &[key(2)]).unwrap_err().code, "bad-signature");
        assert_eq!(check_written(Ok(tampered()), &[key(1)]).unwrap_err().code, "wrong-digest");
    }

    #[test]
    fn what_proxies_would_refuse_takes_no_place() {
        let root = tempfile::tempdir().unwrap();
        for out in [root.path().join("out"), root.path().join("out.mcb")] {
            let set = |files| BTreeMap::from([(String::new(), files)]);
            write(&out, &set(bundle()), &[key(1)]).unwrap();
            let failure = write(&out, &set(tampered()), &[key(1)]).unwrap_err();
            assert!(failure.to_string().contains("was not written"), "{failure}");
            assert_eq!(bundles::read(&out).unwrap().unwrap(), bundle());
        }
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2, "nothing is left beside");
    }
}
