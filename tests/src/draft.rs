//! A bundle in parts that can be changed and signed again: what a compiler with a defect, or an attacker with a key,
//! would send.

use std::collections::BTreeMap;

use mesh_bundle::manifest::shard_of;
use mesh_bundle::pack::{Input, Packed, pack, seal, state_digest};
use mesh_bundle::release::{Acknowledges, Release, ReleaseKind};
use mesh_bundle::trust::SigningKey;
use mesh_bundle::{Digest, FileSet, Name, Program, State, archive, canonical};
use mesh_compiler::{Options, compile, selftest};
use serde_json::{Value, json};

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DraftError(String);

/// Compiles one file of specs for its first environment.
///
/// # Errors
/// The findings in words.
pub fn program(text: &str) -> Result<Program, DraftError> {
    let compiled = compile(vec![("mesh.yaml".to_owned(), text.as_bytes().to_vec())], &Options::default());
    if compiled.findings.has_errors() {
        return Err(DraftError(format!("{:?}", compiled.findings)));
    }
    let first = compiled.environments.into_iter().next();
    first.map(|environment| environment.program).ok_or_else(|| DraftError("no environment".to_owned()))
}

/// Packs a program with its self-tests.
///
/// # Errors
/// What the packer says.
pub fn packed(program: &Program) -> Result<Packed, DraftError> {
    let (maps, tests) = (BTreeMap::new(), selftest::self_tests(program));
    pack(&Input { program, source: None, compiler: "test", maps: &maps, tests: &tests }).map_err(said)
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

/// Signs a bundle and its release; the archive's bytes.
///
/// # Errors
/// What the packer says.
pub fn signed(packed: &Packed, key: &SigningKey, terms: &Terms) -> Result<Vec<u8>, DraftError> {
    let manifest = packed.files.get("manifest.json").map(Vec::as_slice).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(manifest).map_err(said)?;
    let named = |field: &str| -> Result<Name, DraftError> {
        manifest.get(field).and_then(Value::as_str).unwrap_or_default().parse().map_err(said)
    };
    let state = State::default();
    let release = Release {
        generation: terms.generation,
        kind: terms.kind,
        floor: terms.floor,
        acknowledges: terms.acknowledges.clone(),
        ..Release::of(named("mesh")?, named("environment")?, packed.id, state_digest(&state).map_err(said)?)
    };
    let mut files = packed.files.clone();
    seal(&mut files, &state, &release, std::slice::from_ref(key)).map_err(said)?;
    archive::write(&files).map_err(said)
}

/// A bundle whose digests follow what is done to its parts.
#[derive(Clone, Debug)]
pub struct Draft {
    files: FileSet,
    requires: BTreeMap<String, Vec<String>>,
}

impl Draft {
    /// The parts of a bundle.
    #[must_use]
    pub fn of(packed: &Packed) -> Self {
        Self { files: packed.files.clone(), requires: BTreeMap::new() }
    }

    /// Names of its units: `services/orders`.
    #[must_use]
    pub fn units(&self) -> Vec<String> {
        let name = |path: &String| path.strip_prefix("units/")?.strip_suffix(".json").map(str::to_owned);
        self.files.keys().filter_map(name).collect()
    }

    /// A unit as it stands.
    #[must_use]
    pub fn unit(&self, name: &str) -> Value {
        let bytes = self.files.get(&format!("units/{name}.json")).map(Vec::as_slice).unwrap_or_default();
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// Puts these bytes in place of a unit.
    pub fn put_unit(&mut self, name: &str, bytes: Vec<u8>) {
        self.files.insert(format!("units/{name}.json"), bytes);
    }

    /// Puts this value in place of a unit, in canonical form.
    ///
    /// # Errors
    /// When it has none.
    pub fn set_unit(&mut self, name: &str, value: &Value) -> Result<(), DraftError> {
        self.put_unit(name, canonical::to_bytes(value).map_err(said)?);
        Ok(())
    }

    /// Puts this value in place of a unit's self-tests.
    ///
    /// # Errors
    /// When it has no canonical form.
    pub fn set_tests(&mut self, name: &str, value: &Value) -> Result<(), DraftError> {
        self.files.insert(format!("selftest/{name}.json"), canonical::to_bytes(value).map_err(said)?);
        Ok(())
    }

    /// A unit's self-tests as they stand.
    #[must_use]
    pub fn tests(&self, name: &str) -> Value {
        let bytes = self.files.get(&format!("selftest/{name}.json")).map(Vec::as_slice).unwrap_or_default();
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// Says that a unit needs a feature.
    pub fn require(&mut self, name: &str, feature: &str) {
        self.requires.entry(name.to_owned()).or_default().push(feature.to_owned());
    }

    /// Reckons digests from the units up.
    ///
    /// # Errors
    /// When a part has no canonical form.
    pub fn packed(&self) -> Result<Packed, DraftError> {
        let mut files = self.files.clone();
        let mut heads: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let shards: Vec<String> =
            files.keys().filter(|path| path.len() == "index/00.json".len()).cloned().collect();
        for path in shards.into_iter().filter(|path| path.starts_with("index/")) {
            let bytes = files.get(&path).map(Vec::as_slice).unwrap_or_default();
            let mut shard: Value = serde_json::from_slice(bytes).map_err(said)?;
            let owners = shard.get_mut("owners").and_then(Value::as_object_mut);
            for owner in owners.into_iter().flat_map(|owners| owners.values_mut()) {
                let units = owner.get_mut("units").and_then(Value::as_object_mut);
                for (unit, entry) in units.into_iter().flatten() {
                    self.describe(unit, entry);
                }
            }
            let bytes = canonical::to_bytes(&shard).map_err(said)?;
            let digits = path.trim_start_matches("index/").trim_end_matches(".json").to_owned();
            let head = digits.chars().take(1).collect();
            heads.entry(head).or_default().insert(digits, Digest::of(&bytes).to_string());
            files.insert(path, bytes);
        }
        let mut index = serde_json::Map::new();
        for (head, shards) in heads {
            let bytes = canonical::to_bytes(&shards).map_err(said)?;
            index.insert(head.clone(), json!(Digest::of(&bytes).to_string()));
            files.insert(format!("index/{head}.json"), bytes);
        }
        let manifest = files.get("manifest.json").map(Vec::as_slice).unwrap_or_default();
        let mut manifest: Value = serde_json::from_slice(manifest).map_err(said)?;
        if let Some(fields) = manifest.as_object_mut() {
            fields.insert("index".to_owned(), Value::Object(index));
        }
        let bytes = canonical::to_bytes(&manifest).map_err(said)?;
        let id = Digest::of(&bytes);
        files.insert("manifest.json".to_owned(), bytes);
        Ok(Packed { id, files })
    }

    /// Adds a service that nobody asked for to the index, with a unit.
    ///
    /// # Errors
    /// When the shard is no JSON.
    pub fn add_service(&mut self, name: &str, unit: &[u8]) -> Result<(), DraftError> {
        let path = format!("index/{:02x}.json", shard_of(&format!("service/{name}")));
        let mut shard: Value = match self.files.get(&path) {
            Some(bytes) => serde_json::from_slice(bytes).map_err(said)?,
            None => json!({ "owners": {} }),
        };
        let units = json!({ "units": { (format!("services/{name}")): { "digest": "", "size": 0 } } });
        if let Some(owners) = shard.get_mut("owners").and_then(Value::as_object_mut) {
            owners.insert(format!("service/{name}"), units);
        }
        self.files.insert(path, canonical::to_bytes(&shard).map_err(said)?);
        self.put_unit(&format!("services/{name}"), unit.to_vec());
        Ok(())
    }

    fn describe(&self, unit: &str, entry: &mut Value) {
        let Some(fields) = entry.as_object_mut() else { return };
        if let Some(bytes) = self.files.get(&format!("units/{unit}.json")) {
            fields.insert("digest".to_owned(), json!(Digest::of(bytes).to_string()));
            fields.insert("size".to_owned(), json!(bytes.len()));
        }
        if let Some(bytes) = self.files.get(&format!("selftest/{unit}.json")) {
            fields.insert("test".to_owned(), json!(Digest::of(bytes).to_string()));
        }
        if let Some(requires) = self.requires.get(unit) {
            fields.insert("requires".to_owned(), json!(requires));
        }
    }
}

fn said(error: impl std::fmt::Display) -> DraftError {
    DraftError(error.to_string())
}
