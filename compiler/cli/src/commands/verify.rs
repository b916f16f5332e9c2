//! `meshc verify`: checks a bundle as a proxy does.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mesh_bundle::refusal::Rung;
use mesh_bundle::selftest::SelfTests;
use mesh_bundle::trust::TrustSet;
use mesh_bundle::unit::UnitId;
use mesh_bundle::verify::{self, Intact};
use mesh_bundle::{Program, Refusal, Release, State, dsse};
use mesh_decision::Engine;
use mesh_decision::selftest::{self, Proved};
use serde_json::{Value, json};

use crate::bundles;
use crate::failure::Failure;
use crate::look::Look;
use crate::output::{Outputs, Report};
use crate::progress::Progress;
use crate::text::{clean, table};
use crate::tree::read_small;

/// Bytes of a trust set: 64 keys fit many times.
const TRUST: u64 = 64 << 10;

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

fn read_trust(file: &std::path::Path) -> Result<TrustSet, Failure> {
    let cannot = |why: String| Failure::cannot(format!("the trust set `{}`: {why}", file.display()));
    let bytes = read_small(file, TRUST).map_err(|e| cannot(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| cannot(e.to_string()))
}

/// A bundle that holds.
pub(crate) struct Verified {
    pub(crate) bundle: Intact,
    pub(crate) release: Release,
    pub(crate) state: State,
    pub(crate) program: Program,
    /// Whether the signatures were checked.
    authentic: bool,
    engines: usize,
}

/// Rung 6 for every proxy: the self-tests, each unit's read once, and what became of them.
#[derive(Default)]
pub(crate) struct Proof {
    tests: BTreeMap<UnitId, Option<SelfTests>>,
    /// At how many proxies each unit was proven.
    proxies: BTreeMap<UnitId, usize>,
    proved: Proved,
}

/// Proxies at which one unit is proven: what a Route says is the same at every caller, and a mesh may have thousands.
const PROXIES: usize = 8;

impl Proof {
    /// Runs the self-tests of the units that the engine's proxy needs, and that fewer than [`PROXIES`] proved yet.
    fn of(&mut self, bundle: &Intact, engine: &Engine, units: &BTreeSet<UnitId>) -> Result<(), Refusal> {
        for id in units {
            if self.proxies.get(id).is_some_and(|count| *count >= PROXIES) {
                continue;
            }
            let tests = match self.tests.entry(id.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(bundle.self_tests(id)?),
            };
            let Some(tests) = tests else { continue };
            let proved = selftest::prove(engine, id, tests).map_err(|failure| {
                let message = format!("at the proxy of {}: {failure}", engine.owner());
                bundle.locate(Refusal::new(Rung::Proven, "self-test-failed", message).at(id))
            })?;
            if proved.passed > 0 {
                *self.proxies.entry(id.clone()).or_insert(0) += 1;
            }
            self.proved.passed += proved.passed;
            self.proved.skipped += proved.skipped;
        }
        Ok(())
    }
}

/// The rungs that need no proxy; the self-tests among them where a `proof` is asked for.
///
/// # Errors
/// The refusal that a proxy would give.
pub(crate) fn climb(
    files: mesh_bundle::FileSet,
    trust: Option<&TrustSet>,
    mut proof: Option<&mut Proof>,
) -> Result<Verified, Refusal> {
    verify::bound(&files)?;
    let (bundle, release, state) = match trust {
        Some(trust) => {
            let authentic = verify::authentic(files, trust)?;
            (authentic.bundle, authentic.release, authentic.state)
        }
        None => unsigned(files)?,
    };
    let program = verify::well_formed(&bundle, None)?;
    let mut engines = 0;
    for owner in bundle.owners() {
        let needs = bundle.needs(owner).unwrap_or_default();
        let units = if proof.is_some() { needs.units.clone() } else { BTreeSet::new() };
        let part = std::sync::Arc::new(program.part(needs));
        let built = Engine::new(part, &state, owner).map_err(|e| {
            let refusal = Refusal::new(Rung::Built, "cannot-build", e.reason.clone());
            bundle.locate(refusal.at(&e.unit).pointing(e.pointer))
        })?;
        if let Some(proof) = &mut proof {
            proof.of(&bundle, &built, &units)?;
        }
        engines += 1;
    }
    Ok(Verified { bundle, release, state, program, authentic: trust.is_some(), engines })
}

/// The content of a bundle without trust: every byte is the one that the manifest accounts for, and release and state
/// fit.
fn unsigned(files: mesh_bundle::FileSet) -> Result<(Intact, Release, State), Refusal> {
    let refuse = |code: &str, message: String, at: &str| Refusal::new(Rung::Authentic, code, message).at(at);
    let envelope = files.get("release.dsse").map(Vec::as_slice).unwrap_or_default();
    let release = dsse::peek(dsse::RELEASE_TYPE, envelope)
        .map_err(|e| refuse("bad-signature", e.to_string(), "release.dsse"))?;
    let release: Release = mesh_bundle::canonical::from_bytes(&release)
        .map_err(|e| refuse("malformed", e.to_string(), "release.dsse"))?;
    let bytes = files.get("state.json").cloned().unwrap_or_default();
    let state: State = mesh_bundle::canonical::from_bytes(&bytes)
        .map_err(|e| refuse("malformed", e.to_string(), "state.json"))?;
    if mesh_bundle::Digest::of(&bytes) != release.state {
        let message = "`state.json` is not the one that the release names".to_owned();
        return Err(refuse("state-not-released", message, "state.json"));
    }
    let bundle = verify::intact(files)?;
    if bundle.id != release.bundle {
        let message = format!("the release is for bundle {}, and this is {}", release.bundle, bundle.id);
        return Err(refuse("release-for-another-bundle", message, "release.dsse"));
    }
    Ok((bundle, release, state))
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
            let date = i64::try_from(expires).ok().and_then(crate::load::date_of);
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

/// Basis points as a percentage.
pub(crate) fn share(weight: u32) -> String {
    let (whole, rest) = (weight / 100, weight % 100);
    if rest == 0 { format!("{whole}%") } else { format!("{whole}.{rest:02}%").replace("0%", "%") }
}
