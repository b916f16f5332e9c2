//! `meshc verify`: checks a bundle as a proxy does.

use std::path::PathBuf;

use mesh_bundle::Refusal;
use mesh_compiler::diag::Date;
use mesh_decision::selftest::Proved;
use mesh_workspace::bundles;
use mesh_workspace::verify::{Proof, Verified, climb, read_trust};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::look::Look;
use crate::numbers::share;
use crate::output::{Outputs, Report};
use crate::progress::Progress;
use crate::text::{clean, table};

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
    let verdict = files.and_then(|files| climb(files, trust.as_ref(), Some(&mut proof)));
    drop(progress);
    let answer = Answer { path: args.bundle.display().to_string(), verdict: &verdict, proved: proof.proved };
    outputs.emit(&answer)?;
    Ok(u8::from(verdict.is_err()))
}

struct Answer<'a> {
    path: String,
    verdict: &'a Result<Verified, Refusal>,
    proved: Proved,
}

impl Report for Answer<'_> {
    fn human(&self, look: Look) -> String {
        let good = match self.verdict {
            Err(refusal) => return format!("{}\n{}\n", look.bad("REFUSED"), clean(&refusal.to_string())),
            Ok(good) => good,
        };
        let (manifest, release) = (&good.bundle.manifest, &good.release);
        let commit = manifest.source.as_ref().map_or("none".to_owned(), |s| s.commit.clone());
        let signatures =
            if good.authentic { "checked" } else { "NOT checked: no --trust was given" }.to_owned();
        let Proved { passed, skipped } = self.proved;
        let self_tests = format!("{passed} passed, {skipped} not for the proxy that holds them");
        let mut rows = vec![
            ("bundle", good.bundle.id.to_string()),
            ("mesh", format!("{} @ {}", manifest.mesh, manifest.environment)),
            ("commit", clean(&commit)),
            ("compiler", clean(&manifest.compiler)),
            ("release", format!("epoch {}, generation {}", release.epoch, release.generation)),
            ("units", format!("{}, for {} proxies", good.bundle.entries().len(), good.engines)),
            ("self-tests", self_tests),
            ("signatures", signatures),
        ];
        for (address, canary) in &good.state.canaries {
            let shown = format!("{} stage {}, {}", clean(address), canary.stage, share(canary.weight));
            rows.push(("state", shown));
        }
        if let Some(expires) = release.expires {
            let date = i64::try_from(expires).ok().and_then(Date::of_unix);
            rows.push(("expires", date.map_or_else(|| expires.to_string(), |d| format!("{d} ({expires})"))));
        }
        let rows: Vec<Vec<String>> = rows.into_iter().map(|(k, v)| vec![k.to_owned(), v]).collect();
        let verdict = if good.authentic { "good" } else { "intact" };
        format!("{}{}\n", table(&rows), look.good(verdict))
    }

    fn concise(&self) -> String {
        match self.verdict {
            Err(refusal) => format!("{}: {}\n", clean(&self.path), clean(&refusal.to_string())),
            Ok(good) => {
                let verdict = if good.authentic { "good" } else { "intact" };
                format!("{}: {verdict} {}\n", clean(&self.path), good.bundle.id)
            }
        }
    }

    fn json(&self) -> Value {
        match self.verdict {
            Err(refusal) => json!({
                "schema": 1, "command": "verify", "path": self.path, "verdict": "refused",
                "refusal": refusal,
            }),
            Ok(good) => json!({
                "schema": 1, "command": "verify", "path": self.path,
                "verdict": if good.authentic { "good" } else { "intact" },
                "signaturesChecked": good.authentic,
                "bundle": good.bundle.id,
                "manifest": good.bundle.manifest,
                "release": good.release,
                "state": good.state,
                "units": good.bundle.entries().len(),
                "proxies": good.engines,
                "selfTests": { "passed": self.proved.passed, "skipped": self.proved.skipped },
            }),
        }
    }
}
