//! A bundle that input edits and that is then signed again, so that fuzzing gets below digests and signatures.

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::pack::{Input, pack, state_digest};
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{Digest, FileSet, Program, State, canonical, dsse};
use serde_json::{Map, Value, json};

/// The path under which input edits what a release says, before it is signed.
pub const RELEASE: &str = "release.json";

/// A whole bundle with the key that signs it.
pub struct Draft {
    /// Its files, without envelopes, and the release's content as [`RELEASE`].
    pub files: FileSet,
    /// Who trusts it.
    pub trust: TrustSet,
    key: SigningKey,
}

impl Draft {
    /// The bundle of a program.
    ///
    /// # Panics
    /// The program makes no bundle: there is nothing to fuzz then.
    pub fn new(program: &Program) -> Self {
        let key = SigningKey::from_seed(&[1; 32]).expect("a key");
        let (maps, tests) = (BTreeMap::new(), BTreeMap::new());
        let input = Input { program, source: None, compiler: "fuzz", maps: &maps, tests: &tests };
        let packed = pack(&input).expect("a bundle");
        let mut files = packed.files;
        let state = State::default();
        files.insert("state.json".into(), canonical::to_bytes(&state).expect("a state"));
        let release = json!({
            "mesh": program.mesh.name, "environment": program.mesh.environment, "epoch": 0, "generation": 1,
            "bundle": packed.id, "state": state_digest(&state).expect("a digest"),
        });
        files.insert(RELEASE.into(), canonical::to_bytes(&release).expect("a release"));
        Self { files, trust: TrustSet::new(1, vec![key.public()]).expect("a set"), key }
    }

    /// The bundle after `edits`: digests are counted anew from the units up where the files that hold them still have a
    /// place for them, then both envelopes are signed.
    pub fn sealed(&self, edits: &[(String, Vec<u8>)]) -> FileSet {
        let mut files = self.files.clone();
        files.extend(edits.iter().cloned());
        let edited: BTreeSet<&str> = edits.iter().map(|(path, _)| path.as_str()).collect();
        self.count_units(&mut files, &edited);
        let mut heads: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for (path, bytes) in &files {
            if let Some(digits) = digits(path).filter(|digits| digits.len() == 2) {
                let head = digits.chars().take(1).collect();
                heads.entry(head).or_default().insert(digits.to_owned(), json!(Digest::of(bytes)));
            }
        }
        let mut index = Map::new();
        for (digit, head) in heads {
            let path = format!("index/{digit}.json");
            if !edited.contains(path.as_str()) {
                files.insert(path.clone(), canonical::to_bytes(&head).unwrap_or_default());
            }
            index.insert(digit, json!(files.get(&path).map(|bytes| Digest::of(bytes))));
        }
        change(&mut files, "manifest.json", |manifest| {
            if let Some(place) = manifest.get_mut("index").filter(|place| place.is_object()) {
                *place = Value::Object(index);
            }
        });
        let digest = |files: &FileSet, path: &str| json!(files.get(path).map(|bytes| Digest::of(bytes)));
        let (manifest, state) = (digest(&files, "manifest.json"), digest(&files, "state.json"));
        change(&mut files, RELEASE, |release| {
            for (field, value) in [("bundle", manifest), ("state", state)] {
                if let Some(place) = release.get_mut(field).filter(|place| place.is_string()) {
                    *place = value;
                }
            }
        });
        let keys = std::slice::from_ref(&self.key);
        let release = files.remove(RELEASE).unwrap_or_default();
        let manifest = files.get("manifest.json").cloned().unwrap_or_default();
        for (path, kind, payload) in
            [("signature.dsse", dsse::MANIFEST_TYPE, manifest), ("release.dsse", dsse::RELEASE_TYPE, release)]
        {
            if !edited.contains(path) {
                files.insert(path.into(), dsse::seal(kind, &payload, keys).unwrap_or_default());
            }
        }
        files
    }

    /// Writes the digests of edited units into the shards that list them.
    fn count_units(&self, files: &mut FileSet, edited: &BTreeSet<&str>) {
        if !edited.iter().any(|path| is_counted(path) || digits(path).is_some()) {
            return;
        }
        let shards: Vec<String> = files
            .keys()
            .filter(|path| digits(path).is_some_and(|digits| digits.len() == 2))
            .cloned()
            .collect();
        let known = files.clone();
        for path in shards {
            change(files, &path, |shard| {
                let owners = shard.get_mut("owners").and_then(Value::as_object_mut);
                for record in owners.into_iter().flat_map(|owners| owners.values_mut()) {
                    let Some(units) = record.get_mut("units").and_then(Value::as_object_mut) else {
                        continue;
                    };
                    for (unit, entry) in units {
                        let Some(entry) = entry.as_object_mut() else { continue };
                        for (folder, field) in
                            [("units", "digest"), ("sourcemap", "map"), ("selftest", "test")]
                        {
                            let path = format!("{folder}/{unit}.json");
                            let Some(bytes) = known.get(&path) else { continue };
                            entry.insert(field.into(), json!(Digest::of(bytes)));
                            if folder == "units" {
                                entry.insert("size".into(), json!(bytes.len()));
                            }
                        }
                    }
                }
            });
        }
    }
}

/// Reads edits: path, zero byte, content, zero byte, and so on. JSON holds no zero byte.
pub fn edits(data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut parts = data.split(|byte| *byte == 0);
    let mut edits = Vec::new();
    while let (Some(path), Some(content)) = (parts.next(), parts.next()) {
        edits.push((String::from_utf8_lossy(path).into_owned(), content.to_vec()));
        if edits.len() == 16 {
            break;
        }
    }
    edits
}

/// Reads edits of single values: four bytes each name a unit, a place in it, what is put there and a number. So most of
/// what is signed again is in canonical form, and of the right names.
pub fn values(files: &FileSet, data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let units: Vec<&String> = files.keys().filter(|path| path.starts_with("units/")).collect();
    let mut edits: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for edit in data.chunks_exact(4).take(8) {
        let &[unit, place, what, number] = edit else { continue };
        let Some(path) = units.get(usize::from(unit) % units.len().max(1)) else { continue };
        let bytes = edits.get(*path).or_else(|| files.get(*path)).cloned().unwrap_or_default();
        let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else { continue };
        let mut left = usize::from(place) % count(&value).max(1);
        put(&mut value, &mut left, what, number);
        if let Ok(text) = canonical::to_bytes(&value) {
            edits.insert((*path).clone(), text);
        }
    }
    edits.into_iter().collect()
}

/// How many values there are in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// Changes the value that `left` others come before.
fn put(value: &mut Value, left: &mut usize, what: u8, number: u8) {
    if *left > 0 {
        *left -= 1;
        match value {
            Value::Object(fields) => {
                for field in fields.values_mut() {
                    let inside = count(field);
                    if *left < inside {
                        return put(field, left, what, number);
                    }
                    *left -= inside;
                }
            }
            Value::Array(items) => {
                for item in items {
                    let inside = count(item);
                    if *left < inside {
                        return put(item, left, what, number);
                    }
                    *left -= inside;
                }
            }
            _ => {}
        }
        return;
    }
    const TEXTS: [&str; 8] = ["", "web", "orders", "v1", "/**", "(a|b)*c", "x-a", "\u{e4}\n"];
    match (what % 8, value) {
        (0, value) => *value = json!(number),
        (1, value) => *value = json!(u64::from(number) << (number % 54)),
        (2, value) => *value = json!(TEXTS[usize::from(number) % TEXTS.len()]),
        (3, value) => *value = Value::Null,
        (4, value) => *value = json!([]),
        (5, Value::Array(items)) => {
            let again = items.get(usize::from(number) % items.len().max(1)).cloned();
            items.extend(again);
        }
        (6, Value::Array(items)) if !items.is_empty() => {
            items.remove(usize::from(number) % items.len());
        }
        (6, Value::Object(fields)) => {
            let name = fields.keys().nth(usize::from(number) % fields.len().max(1)).cloned();
            name.and_then(|name| fields.remove(&name));
        }
        (_, Value::Number(old)) => *old = (old.as_u64().unwrap_or(0) ^ u64::from(number)).into(),
        (_, value) => *value = json!({}),
    }
}

/// Changes a file that is JSON in canonical form afterwards; another is left as it is.
fn change(files: &mut FileSet, path: &str, change: impl FnOnce(&mut Value)) {
    let Some(bytes) = files.get_mut(path) else { return };
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return };
    let before = value.clone();
    change(&mut value);
    if value != before
        && let Ok(text) = canonical::to_bytes(&value)
    {
        *bytes = text;
    }
}

fn is_counted(path: &str) -> bool {
    ["units/", "sourcemap/", "selftest/"].iter().any(|folder| path.starts_with(folder))
}

fn digits(path: &str) -> Option<&str> {
    path.strip_prefix("index/")?.strip_suffix(".json")
}
