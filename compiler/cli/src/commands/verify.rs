//! `meshc verify`: checks a bundle as a proxy does.

use std::path::PathBuf;

use mesh_workspace::bundles;
use mesh_workspace::verify::{Proof, Standing, climb, read_trust};

use crate::failure::Failure;
use crate::output::Outputs;
use crate::progress::Progress;
use crate::reports::VerifyReport;

/// Check a bundle as a proxy does.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Climbs the rungs of a proxy's ladder that need no proxy: bound, authentic, well formed, \
    built, proven.\nExit code 1 if the bundle is refused.\n\nExamples:\n  \
    meshc verify prod.mcb --trust mesh.trust.json\n  \
    meshc verify bundles/prod --output json"
)]
pub(crate) struct Args {
    /// The bundle: a folder or an archive
    bundle: PathBuf,
    /// The keys that must have signed it; without them signatures are not checked
    #[arg(long, value_name = "FILE", env = "MESHC_TRUST")]
    trust: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, outputs: &Outputs) -> Result<u8, Failure> {
    let trust = args.trust.as_deref().map(read_trust).transpose()?;
    let progress = Progress::start("verifying");
    let files = bundles::read(&args.bundle)?;
    let mut proof = Proof::default();
    let verdict = files.and_then(|files| climb(files, trust.as_ref(), Standing::Offered, Some(&mut proof)));
    drop(progress);
    outputs.emit(&VerifyReport::new(args.bundle.display().to_string(), &verdict, proof.proved))?;
    Ok(u8::from(verdict.is_err()))
}
