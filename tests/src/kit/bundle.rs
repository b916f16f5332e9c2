//! Specs to programs, programs to bundles, bundles under a signed release.

use std::collections::BTreeMap;
use std::io;

use mesh_bundle::pack::{Input, Packed, pack, seal, state_digest};
use mesh_bundle::release::{Acknowledges, Release, ReleaseKind};
use mesh_bundle::trust::SigningKey;
use mesh_bundle::{Digest, FileSet, Name, Program, State, archive};
use mesh_compiler::{CompiledEnvironment, Options, compile, selftest};
use serde_json::Value;

use super::files;

/// Compiles specs; the environments by name.
///
/// # Errors
/// The findings in words.
pub fn environments(files: Vec<(String, Vec<u8>)>) -> io::Result<Vec<CompiledEnvironment>> {
    let compiled = compile(files, &Options::default());
    if compiled.findings.has_errors() {
        return Err(io::Error::other(format!("{:?}", compiled.findings)));
    }
    Ok(compiled.environments)
}

/// Compiles one file of specs for its first environment.
///
/// # Errors
/// The findings in words.
pub fn program(text: &str) -> io::Result<Program> {
    let all = environments(vec![("mesh.yaml".to_owned(), text.as_bytes().to_vec())])?;
    let first = all.into_iter().next();
    first.map(|environment| environment.program).ok_or_else(|| io::Error::other("no environment"))
}

/// The programs of the shop (`examples/shop`), by environment.
///
/// # Errors
/// When the example cannot be read or has errors.
pub fn shop() -> io::Result<BTreeMap<String, Program>> {
    let folder = crate::top().join("examples/shop");
    let specs = files::read(&folder)?.into_iter();
    let specs = specs.map(|(path, bytes)| (path.display().to_string(), bytes));
    let all = environments(specs.filter(|(path, _)| path.ends_with(".yaml")).collect())?;
    Ok(all.into_iter().map(|environment| (environment.name.to_string(), environment.program)).collect())
}

/// Packs a program with its self-tests.
///
/// # Errors
/// When a part of it has no canonical form or is over a bound.
pub fn packed(program: &Program) -> io::Result<Packed> {
    let (maps, tests) = (BTreeMap::new(), selftest::self_tests(program));
    pack(&Input { program, source: None, compiler: "test", maps: &maps, tests: &tests }).map_err(other)
}

/// A bundle under a signed release.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its id.
    pub id: Digest,
    /// Its files.
    pub files: FileSet,
}

impl Signed {
    /// Its archive.
    ///
    /// # Errors
    /// Those of the archive's writer.
    pub fn archive(&self) -> io::Result<Vec<u8>> {
        archive::write(&self.files)
    }
}

/// Releases a bundle for its own mesh and environment, under no state, and signs it; `change` may alter the release
/// before it is signed.
///
/// # Errors
/// When the manifest cannot be read, or nothing can be signed.
pub fn signed(packed: Packed, keys: &[SigningKey], change: impl FnOnce(&mut Release)) -> io::Result<Signed> {
    let Packed { id, mut files } = packed;
    let manifest = files.get("manifest.json").map(Vec::as_slice).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(manifest)?;
    let named = |field: &str| -> io::Result<Name> {
        manifest.get(field).and_then(Value::as_str).unwrap_or_default().parse().map_err(other)
    };
    let state = State::default();
    let mut release =
        Release::of(named("mesh")?, named("environment")?, id, state_digest(&state).map_err(other)?);
    change(&mut release);
    seal(&mut files, &state, &release, keys).map_err(other)?;
    Ok(Signed { id, files })
}

/// What a release says beside the usual.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Its generation.
    pub generation: u64,
    /// Its kind.
    pub kind: ReleaseKind,
    /// What a reviewer has seen.
    pub acknowledges: Acknowledges,
    /// The oldest generation to go back to.
    pub floor: u64,
}

impl Terms {
    /// An ordinary release of this generation.
    #[must_use]
    pub fn of(generation: u64) -> Self {
        Self { generation, ..Self::default() }
    }

    /// Puts the terms into a release.
    pub fn apply(&self, release: &mut Release) {
        release.generation = self.generation;
        release.kind = self.kind;
        release.acknowledges = self.acknowledges.clone();
        release.floor = self.floor;
    }
}

fn other(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}
