//! The rungs of a proxy's ladder that need no proxy: bound, authentic, well formed, built, proven.

mod shares;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mesh_bundle::refusal::Rung;
use mesh_bundle::selftest::SelfTests;
use mesh_bundle::trust::TrustSet;
use mesh_bundle::unit::UnitId;
pub use mesh_bundle::verify::Standing;
use mesh_bundle::verify::{self, Intact};
use mesh_bundle::{FileSet, Program, Refusal, Release, State, dsse};
use mesh_decision::Engine;
use mesh_decision::selftest::{self, Proved};

use self::shares::Shares;
use crate::files::read_small;

/// Bytes of a trust set: 64 keys fit many times.
const TRUST: u64 = 64 << 10;

/// A trust set that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the trust set `{}`: {reason}", .path.display())]
pub struct TrustError {
    /// The file.
    pub path: PathBuf,
    /// The reason in words.
    pub reason: String,
}

/// Reads a trust set.
///
/// # Errors
/// For a file that cannot be read, has more than 64 KiB, or is no trust set.
pub fn read_trust(file: &Path) -> Result<TrustSet, TrustError> {
    let cannot = |reason: String| TrustError { path: file.to_owned(), reason };
    let bytes = read_small(file, TRUST).map_err(|e| cannot(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| cannot(e.to_string()))
}

/// A bundle that holds.
#[derive(Debug)]
pub struct Verified {
    /// Its files, every byte accounted for.
    pub bundle: Intact,
    /// Its release.
    pub release: Release,
    /// Its state of canaries.
    pub state: State,
    /// The program of all proxies.
    pub program: Program,
    /// Whether the signatures were checked.
    pub authentic: bool,
    /// Number of proxies for which it was built.
    pub engines: usize,
}

/// What became of the self-tests.
#[derive(Debug, Default)]
pub struct Proof {
    /// Number of self-tests that passed, and that were left out.
    pub proved: Proved,
}

impl Proof {
    /// Runs the self-tests of units at the proxy that the engine is for.
    fn of<'t>(
        &mut self,
        bundle: &Intact,
        engine: &Engine,
        tests: impl Iterator<Item = (&'t UnitId, &'t SelfTests)>,
    ) -> Result<(), Refusal> {
        for (id, tests) in tests {
            let proved = selftest::prove(engine, id, tests).map_err(|failure| {
                let message = format!("at the proxy of {}: {failure}", engine.owner());
                bundle.locate(Refusal::new(Rung::Proven, "self-test-failed", message).at(id))
            })?;
            self.proved.passed += proved.passed;
            self.proved.skipped += proved.skipped;
        }
        Ok(())
    }
}

/// The rungs that need no proxy, as every proxy of the bundle climbs them; the self-tests among them where a `proof` is
/// asked for.
///
/// # Errors
/// The refusal that a proxy would give.
pub fn climb(
    files: FileSet,
    trust: Option<&TrustSet>,
    standing: Standing,
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
    let program = verify::well_formed_with(&bundle, None, standing, |_, _| None)?;
    let tests = if proof.is_some() { self_tests(&bundle)? } else { BTreeMap::new() };
    let mut shares = Shares::new(bundle.scopes(), &tests);
    let mut engines = 0;
    for (owner, links) in &bundle.scopes().owners {
        let needs = shares.of(owner, links);
        let own = needs.units.iter().filter_map(|id| tests.get_key_value(id)).collect::<Vec<_>>();
        let part = Arc::new(program.part(needs));
        verify::complete(&part).map_err(|mut refusal| {
            refusal.message = format!("at the proxy of {owner}: {}", refusal.message);
            bundle.locate(refusal)
        })?;
        let built = Engine::new(part, &state, owner).map_err(|e| {
            let refusal = Refusal::new(Rung::Built, "cannot-build", e.reason.clone());
            bundle.locate(refusal.at(&e.unit).pointing(e.pointer))
        })?;
        if let Some(proof) = &mut proof {
            proof.of(&bundle, &built, own.into_iter())?;
        }
        engines += 1;
    }
    Ok(Verified { bundle, release, state, program, authentic: trust.is_some(), engines })
}

/// Every unit's self-tests, strictly read.
fn self_tests(bundle: &Intact) -> Result<BTreeMap<UnitId, SelfTests>, Refusal> {
    let mut all = BTreeMap::new();
    for id in bundle.entries().keys() {
        if let Some(tests) = bundle.self_tests(id)? {
            all.insert(id.clone(), tests);
        }
    }
    Ok(all)
}

/// The content of a bundle without trust: every byte is the one that the manifest accounts for, and release and state
/// fit.
fn unsigned(files: FileSet) -> Result<(Intact, Release, State), Refusal> {
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
