//! A bundle in parts that can be changed and signed again: what a compiler with a defect, or an attacker with a key,
//! would send.

use std::collections::BTreeMap;
use std::io;

use mesh_bundle::manifest::shard_of;
use mesh_bundle::pack::Packed;
use mesh_bundle::{Digest, FileSet, canonical};
use serde_json::{Value, json};

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
    pub fn set_unit(&mut self, name: &str, value: &Value) -> io::Result<()> {
        self.put_unit(name, canonical::to_bytes(value).map_err(said)?);
        Ok(())
    }

    /// Puts this value in place of a unit's self-tests.
    ///
    /// # Errors
    /// When it has no canonical form.
    pub fn set_tests(&mut self, name: &str, value: &Value) -> io::Result<()> {
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
    pub fn packed(&self) -> io::Result<Packed> {
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
    pub fn add_service(&mut self, name: &str, unit: &[u8]) -> io::Result<()> {
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

fn said(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}
