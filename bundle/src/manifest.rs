//! The manifest of a bundle and the index below it.
//!
//! `manifest.json` names up to 16 heads, each head up to 16 shards, each shard its owners with
//! their own units and their dependencies. So the manifest stays under 4 KiB whatever the
//! mesh's size, and a change to one service moves one shard and one head.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;
use crate::digest::Digest;
use crate::name::{Name, Owner};
use crate::scope::{Group, Scope};

/// The version of the bundle format that this crate writes and reads.
pub const FORMAT: u32 = 1;

/// The root of a bundle. Its digest is the bundle's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the bundle format: [`FORMAT`].
    pub format: u32,
    /// Name of the mesh.
    pub mesh: Name,
    /// Name of the environment.
    pub environment: Name,
    /// The commit that the bundle was made from; absent outside git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Name and version of the compiler.
    pub compiler: String,
    /// Digests of `index/0.json` to `index/f.json`, by hexadecimal digit; those without owners are left out.
    pub index: BTreeMap<String, Digest>,
}

/// The commit that a bundle was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Commit id in hex.
    pub commit: String,
    /// Tree id of the mesh's folder in hex.
    pub tree: String,
    /// Teams whose files were held at an older commit, with that commit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, String>,
}

/// A head: digests of its shards by two hexadecimal digits.
pub type Head = BTreeMap<String, Digest>;

/// A shard: the owners and groups whose key hashes to it. Everything is named once, so the index
/// grows with the mesh and not with who may call whom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Owners by [`owner_key`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owners: BTreeMap<String, Record>,
    /// Groups of callers by [`crate::scope::group_key`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Group>,
}

/// An owner's record in the index: its own units, and its dependencies on others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Every unit of the owner, by path.
    pub units: BTreeMap<String, Entry>,
    /// Its dependencies on other owners.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: Scope,
}

/// The index entry of one unit: digests of the unit and of the files beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Digest of the unit's bytes.
    pub digest: Digest,
    /// The unit's size in bytes.
    pub size: u64,
    /// Digest of the unit's source map, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<Digest>,
    /// Digest of the unit's self-tests, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Digest>,
    /// Features without which a proxy must not run the unit, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// An owner's key in its shard: `service/orders`, `gateway/public`; the mesh itself is `mesh`.
#[must_use]
pub fn owner_key(owner: Option<&Owner>) -> String {
    match owner {
        None => "mesh".to_owned(),
        Some(Owner::Service(name)) => format!("service/{name}"),
        Some(Owner::Gateway(name)) => format!("gateway/{name}"),
    }
}

/// Parses a key of [`owner_key`] into its owner; the outer `None` for what [`owner_key`] never gives.
#[must_use]
pub fn owner_of(key: &str) -> Option<Option<Owner>> {
    let owner = match key.split_once('/') {
        None => return (key == "mesh").then_some(None),
        Some(("service", name)) => Owner::Service(Name::new(name).ok()?),
        Some(("gateway", name)) => Owner::Gateway(Name::new(name).ok()?),
        Some(_) => return None,
    };
    Some(Some(owner))
}

/// The shard of an owner's or group's key: the first byte of its SHA-256.
#[must_use]
pub fn shard_of(key: &str) -> u8 {
    let [first, ..] = *Digest::of(key.as_bytes()).as_bytes();
    first
}
