//! Packing: from a program to the files of a bundle.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{self, CanonicalError};
use crate::digest::Digest;
use crate::dsse;
use crate::files::{FileSet, Kind};
use crate::limits;
use crate::manifest::{self, Entry, FORMAT, Head, Manifest, Record, Shard, Source};
use crate::name::Owner;
use crate::program::Program;
use crate::release::Release;
use crate::scope::{Scope, Scopes};
use crate::sourcemap::SourceMap;
use crate::state::State;
use crate::trust::SigningKey;
use crate::unit::UnitId;

/// The input of [`pack`].
#[derive(Debug)]
pub struct Input<'a> {
    /// The program of the whole mesh.
    pub program: &'a Program,
    /// The commit that the program was made from; absent outside git.
    pub source: Option<Source>,
    /// Name and version of the compiler.
    pub compiler: &'a str,
    /// Source map of each unit.
    pub maps: &'a BTreeMap<UnitId, SourceMap>,
    /// Self-tests of each unit, as canonical bytes.
    pub tests: &'a BTreeMap<UnitId, Vec<u8>>,
}

/// An unsigned bundle.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The bundle's id: the digest of the canonical manifest.
    pub id: Digest,
    /// The bundle's files, without signature, state and release.
    pub files: FileSet,
}

/// The error of a program that cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A value without canonical form, with the file that it belongs to.
    #[error("unit `{0}` has no canonical form: {1}")]
    Canonical(String, CanonicalError),
    /// A unit, or the whole, over its bound.
    #[error("`{what}` has {size} bytes, and the limit is {limit}")]
    TooLarge {
        /// The path of the file, or `bundle`.
        what: String,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// More units than [`limits::UNITS`].
    #[error("{0} units, and the limit is {limit}", limit = limits::UNITS)]
    TooMany(usize),
}

/// Packs `input`. The same input gives the same bytes.
///
/// # Errors
/// [`PackError`] names the unit over a bound.
pub fn pack(input: &Input<'_>) -> Result<Packed, PackError> {
    let mut files = FileSet::new();
    let mut entries: BTreeMap<UnitId, Entry> = BTreeMap::new();
    let units = input.program.units();
    if units.len() > limits::UNITS {
        return Err(PackError::TooMany(units.len()));
    }
    for (id, unit) in &units {
        let bytes = unit.to_bytes().map_err(|e| PackError::Canonical(id.to_string(), e))?;
        let mut entry = Entry {
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            map: None,
            test: None,
            requires: unit.requires(),
        };
        add(&mut files, Kind::Unit(id.clone()), bytes)?;
        if let Some(map) = input.maps.get(id) {
            let bytes = canonical::to_bytes(map).map_err(|e| PackError::Canonical(id.to_string(), e))?;
            entry.map = Some(Digest::of(&bytes));
            add(&mut files, Kind::SourceMap(id.clone()), bytes)?;
        }
        if let Some(bytes) = input.tests.get(id) {
            entry.test = Some(Digest::of(bytes));
            add(&mut files, Kind::SelfTest(id.clone()), bytes.clone())?;
        }
        entries.insert(id.clone(), entry);
    }
    let index = index(input.program, &entries, &mut files)?;
    let manifest = Manifest {
        format: FORMAT,
        mesh: input.program.mesh.name.clone(),
        environment: input.program.mesh.environment.clone(),
        source: input.source.clone(),
        compiler: input.compiler.to_owned(),
        index,
    };
    let bytes = canonical::to_bytes(&manifest).map_err(|e| PackError::Canonical("manifest".into(), e))?;
    let id = Digest::of(&bytes);
    add(&mut files, Kind::Manifest, bytes)?;
    let size = files.values().map(Vec::len).sum();
    if size > limits::BUNDLE_BYTES {
        return Err(PackError::TooLarge { what: "bundle".into(), size, limit: limits::BUNDLE_BYTES });
    }
    Ok(Packed { id, files })
}

/// Adds `signature.dsse`, `state.json` and `release.dsse`. Without keys the envelopes carry no
/// signature, and every proxy refuses them.
///
/// # Errors
/// When a part has no canonical form.
pub fn seal(
    files: &mut FileSet,
    state: &State,
    release: &Release,
    keys: &[SigningKey],
) -> Result<(), CanonicalError> {
    let manifest = files.get("manifest.json").cloned().unwrap_or_default();
    files.insert(Kind::Signature.path(), dsse::seal(dsse::MANIFEST_TYPE, &manifest, keys)?);
    files.insert(Kind::State.path(), canonical::to_bytes(state)?);
    let release = canonical::to_bytes(release)?;
    files.insert(Kind::Release.path(), dsse::seal(dsse::RELEASE_TYPE, &release, keys)?);
    Ok(())
}

/// The digest that a release names for `state`.
///
/// # Errors
/// When the state has no canonical form.
pub fn state_digest(state: &State) -> Result<Digest, CanonicalError> {
    canonical::to_bytes(state).map(|bytes| Digest::of(&bytes))
}

fn add(files: &mut FileSet, kind: Kind, bytes: Vec<u8>) -> Result<(), PackError> {
    let path = kind.path();
    if bytes.len() > kind.limit() {
        return Err(PackError::TooLarge { what: path, size: bytes.len(), limit: kind.limit() });
    }
    files.insert(path, bytes);
    Ok(())
}

fn index(
    program: &Program,
    entries: &BTreeMap<UnitId, Entry>,
    files: &mut FileSet,
) -> Result<BTreeMap<String, Digest>, PackError> {
    let mut shards: BTreeMap<u8, Shard> = BTreeMap::new();
    let mut put = |owner: Option<&Owner>, units: &BTreeSet<UnitId>, scope: Scope| {
        let key = manifest::owner_key(owner);
        let units = units.iter().filter_map(|id| entries.get(id).map(|e| (id.to_string(), e.clone())));
        let record = Record { units: units.collect(), scope };
        shards.entry(manifest::shard_of(&key)).or_default().owners.insert(key, record);
    };
    put(None, &BTreeSet::from([UnitId::Mesh, UnitId::Control]), Scope::default());
    let scopes = Scopes::of(program);
    for (owner, links) in scopes.owners {
        put(Some(&owner), &links.units, links.scope);
    }
    for (key, group) in scopes.groups {
        shards.entry(manifest::shard_of(&key)).or_default().groups.insert(key, group);
    }
    let mut heads: BTreeMap<u8, Head> = BTreeMap::new();
    for (number, shard) in shards {
        let bytes = canonical::to_bytes(&shard).map_err(|e| PackError::Canonical("index".into(), e))?;
        heads.entry(number >> 4).or_default().insert(format!("{number:02x}"), Digest::of(&bytes));
        add(files, Kind::Shard(number), bytes)?;
    }
    let mut index = BTreeMap::new();
    for (number, head) in heads {
        let bytes = canonical::to_bytes(&head).map_err(|e| PackError::Canonical("index".into(), e))?;
        index.insert(format!("{number:x}"), Digest::of(&bytes));
        add(files, Kind::Head(number), bytes)?;
    }
    Ok(index)
}
