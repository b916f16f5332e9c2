//! Bundles whose trick needs a key: signed nonsense is refused at the stated rung, for the stated reason.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_bundle::dsse;
use mesh_bundle::manifest;
use mesh_bundle::pack::{self, Input};
use mesh_bundle::refusal::Rung;
use mesh_bundle::release::Accepted;
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::verify::{self, Expectation};
use mesh_bundle::{Digest, FileSet, Name, Owner, Refusal, State, canonical};
use mesh_decision::{Engine, selftest};
use mesh_tests::kit::bundle;
use serde_json::{Value, json};

/// Cases that are about more than the ladder's pure rungs, and where they are tested.
const ELSEWHERE: &[&str] = &["expired_on_disk", "removes_too_much", "removes_acknowledged", "missing_secret"];

/// A bundle in parts that can be changed before it is signed.
struct Draft {
    units: FileSet,
    shards: BTreeMap<String, Value>,
    manifest: Value,
    state: Value,
    release: Value,
    /// Text put in place of a value that no JSON number can be.
    raw: Option<(String, String)>,
    extra_space: Option<String>,
    /// Self-tests by unit.
    tests: BTreeMap<String, Vec<u8>>,
    keys: Vec<usize>,
    manifest_type: &'static str,
    after: fn(&mut FileSet),
}

impl Draft {
    fn new() -> Self {
        let program = bundle::shop().unwrap().remove("prod").unwrap();
        let (maps, tests) = (BTreeMap::new(), BTreeMap::new());
        let input =
            Input { program: &program, source: None, compiler: "meshc test", maps: &maps, tests: &tests };
        let files = pack::pack(&input).unwrap().files;
        let mut draft = Self {
            units: FileSet::new(),
            shards: BTreeMap::new(),
            manifest: serde_json::from_slice(&files["manifest.json"]).unwrap(),
            state: json!({}),
            release: json!({}),
            raw: None,
            extra_space: None,
            tests: BTreeMap::new(),
            keys: vec![0],
            manifest_type: dsse::MANIFEST_TYPE,
            after: |_| {},
        };
        for (path, bytes) in files {
            if path.starts_with("units/") {
                draft.units.insert(path, bytes);
            } else if path.starts_with("index/") && path.len() == "index/00.json".len() {
                draft.shards.insert(path, serde_json::from_slice(&bytes).unwrap());
            }
        }
        draft.release = json!({ "mesh": "shop", "environment": "prod", "epoch": 0, "generation": 6 });
        draft
    }

    fn unit(&mut self, path: &str, change: impl FnOnce(&mut Value)) {
        let bytes = self.units.get_mut(path).unwrap_or_else(|| panic!("no {path}"));
        let mut value: Value = serde_json::from_slice(bytes).unwrap();
        change(&mut value);
        *bytes = canonical::to_bytes(&value).unwrap();
    }

    /// An owner's record in the index.
    fn record(&mut self, owner: &str) -> &mut Value {
        let path = format!("index/{:02x}.json", manifest::shard_of(owner));
        &mut self.shards.entry(path).or_insert_with(|| json!({ "owners": {} }))["owners"][owner]
    }

    /// Digests from the units up, then signatures.
    fn seal(mut self, keys: &[SigningKey]) -> FileSet {
        if let Some(path) = &self.extra_space {
            let bytes = self.units.get_mut(path).unwrap();
            bytes.insert(1, b' ');
        }
        let mut files = self.units.clone();
        let mut heads: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (path, shard) in &mut self.shards {
            let records = shard.get_mut("owners").and_then(Value::as_object_mut);
            for record in records.into_iter().flat_map(|r| r.values_mut()) {
                for (unit, entry) in record["units"].as_object_mut().unwrap() {
                    let Some(bytes) = files.get(&format!("units/{unit}.json")) else { continue };
                    entry["digest"] = json!(Digest::of(bytes).to_string());
                    entry["size"] = json!(bytes.len());
                    if let Some(bytes) = self.tests.get(unit) {
                        entry["test"] = json!(Digest::of(bytes).to_string());
                        files.insert(format!("selftest/{unit}.json"), bytes.clone());
                    }
                }
            }
            let bytes = canonical::to_bytes(&*shard).unwrap();
            let digits = path.trim_start_matches("index/").trim_end_matches(".json").to_owned();
            let head = digits.chars().next().unwrap().to_string();
            heads.entry(head).or_default().insert(digits, Digest::of(&bytes).to_string());
            files.insert(path.clone(), bytes);
        }
        let mut index = serde_json::Map::new();
        for (head, shards) in heads {
            let bytes = canonical::to_bytes(&shards).unwrap();
            index.insert(head.clone(), json!(Digest::of(&bytes).to_string()));
            files.insert(format!("index/{head}.json"), bytes);
        }
        self.manifest["index"] = Value::Object(index);
        let manifest = canonical::to_bytes(&self.manifest).unwrap();
        let state = canonical::to_bytes(&self.state).unwrap();
        for (name, digest) in [("bundle", Digest::of(&manifest)), ("state", Digest::of(&state))] {
            if self.release.get(name).is_none() {
                self.release[name] = json!(digest.to_string());
            }
        }
        let mut release = String::from_utf8(canonical::to_bytes(&self.release).unwrap()).unwrap();
        if let Some((from, to)) = &self.raw {
            assert!(release.contains(from));
            release = release.replace(from, to);
        }
        let signers = || {
            self.keys.iter().map(|k| SigningKey::from_pem(&keys[*k].to_pem()).unwrap()).collect::<Vec<_>>()
        };
        files.insert("signature.dsse".into(), dsse::seal(self.manifest_type, &manifest, &signers()).unwrap());
        files.insert(
            "release.dsse".into(),
            dsse::seal(dsse::RELEASE_TYPE, release.as_bytes(), &signers()).unwrap(),
        );
        files.insert("manifest.json".into(), manifest);
        files.insert("state.json".into(), state);
        (self.after)(&mut files);
        files
    }
}

/// Doubles each signature, the second time under another id where `alias` says so.
fn double(files: &mut FileSet, alias: bool) {
    for path in ["signature.dsse", "release.dsse"] {
        let mut envelope: Value = serde_json::from_slice(&files[path]).unwrap();
        let mut again = envelope["signatures"][0].clone();
        if alias {
            again["keyid"] = json!("00".repeat(32));
        }
        envelope["signatures"].as_array_mut().unwrap().push(again);
        files.insert(path.into(), serde_json::to_vec(&envelope).unwrap());
    }
}

/// Where a candidate is judged.
struct Judge {
    threshold: usize,
    accepted: Option<(u64, u64)>,
    local: bool,
    owner: &'static str,
}

#[expect(clippy::too_many_lines, reason = "one line a case")]
fn made(case: &str, draft: &mut Draft, judge: &mut Judge) {
    let orders = "units/services/orders.json";
    let rule = "units/routes/orders.json";
    match case {
        "older_generation" => {
            judge.accepted = Some((0, 5));
            draft.release["generation"] = json!(4);
        }
        "older_epoch" => {
            judge.accepted = Some((1, 1));
            draft.release["generation"] = json!(9);
        }
        "equivocation" | "equivocation_local" => {
            judge.accepted = Some((0, 5));
            judge.local = case == "equivocation_local";
            draft.release["generation"] = json!(5);
        }
        "generation_max" => draft.release["generation"] = json!((1_u64 << 40) + 1),
        "epoch_max" => draft.release["epoch"] = json!((1_u64 << 40) + 1),
        "generation_u64" => {
            draft.raw = Some((r#""generation":6"#.into(), r#""generation":18446744073709551615"#.into()));
        }
        "generation_negative" => draft.raw = Some((r#""generation":6"#.into(), r#""generation":-1"#.into())),
        "generation_text" => draft.raw = Some((r#""generation":6"#.into(), r#""generation":"6""#.into())),
        "generation_float" => draft.raw = Some((r#""generation":6"#.into(), r#""generation":6.0"#.into())),
        "expired" => draft.release["expires"] = json!(1_000),
        "no_expiry" | "threshold_met" => {
            if case == "threshold_met" {
                judge.threshold = 2;
                draft.keys = vec![0, 1];
            }
        }
        "wrong_mesh" => {
            draft.manifest["mesh"] = json!("bakery");
            draft.release["mesh"] = json!("bakery");
            draft.unit("units/mesh.json", |u| u["name"] = json!("bakery"));
        }
        "wrong_mesh_release" => draft.release["mesh"] = json!("bakery"),
        "wrong_environment" => {
            draft.manifest["environment"] = json!("staging");
            draft.release["environment"] = json!("staging");
            draft.unit("units/mesh.json", |u| u["environment"] = json!("staging"));
        }
        "wrong_target" => judge.owner = "nobody",
        "foreign_key" => draft.keys = vec![2],
        "dup_sigs" => {
            judge.threshold = 2;
            draft.after = |files| double(files, false);
        }
        "keyid_alias" => {
            judge.threshold = 2;
            draft.after = |files| double(files, true);
        }
        "wrong_type" => draft.manifest_type = dsse::RELEASE_TYPE,
        "release_for_another" => draft.release["bundle"] = json!(Digest::of(b"another").to_string()),
        "state_for_another" => draft.release["state"] = json!(Digest::of(b"another").to_string()),
        "unknown_format" => draft.manifest["format"] = json!(2),
        "unknown_field_manifest" => draft.manifest["extra"] = json!(1),
        "unknown_field_release" => draft.release["extra"] = json!(1),
        "unknown_field_unit" => draft.unit(orders, |u| u["extra"] = json!(1)),
        "null_in_unit" => draft.unit(orders, |u| u["port"] = Value::Null),
        "default_written" => draft.unit(orders, |u| u["protocol"] = json!("http")),
        "unit_not_canonical" => draft.extra_space = Some(orders.into()),
        "missing_feature" => {
            draft.record("service/orders")["units"]["services/orders"]["requires"] = json!(["later"]);
        }
        "mixed_units" => {
            let units = draft.record("service/orders")["units"].clone();
            draft.record("service/web")["units"]["services/orders"] = units["services/orders"].clone();
        }
        "foreign_shard" => {
            let record = draft.record("service/web").clone();
            let path = format!("index/{:02x}.json", manifest::shard_of("service/orders"));
            draft.shards.get_mut(&path).unwrap()["owners"]["service/web"] = record;
        }
        "bad_owner" => {
            let key = (0..).map(|n| format!("team/{n}")).find(|key| manifest::shard_of(key) == 0).unwrap();
            draft.record(&key)["units"] = json!({});
        }
        "mesh_unit_of_another" => draft.unit("units/mesh.json", |u| u["environment"] = json!("staging")),
        "no_mesh_unit" => {
            draft.record("mesh")["units"].as_object_mut().unwrap().remove("mesh");
            draft.units.remove("units/mesh.json");
        }
        "unknown_service" => {
            draft.unit(rule, |u| u["rules"][0]["action"]["forward"][0]["to"]["service"] = json!("ghost"));
        }
        "bad_split" => draft.unit(rule, |u| u["rules"][0]["action"]["forward"][0]["weight"] = json!(9_999)),
        "bad_stages" => draft.unit("units/canaries/orders.json", |u| u["stages"][1]["weight"] = json!(1)),
        "empty_from" => {
            judge.owner = "orders";
            draft.unit("units/access/orders.json", |u| u["allow"][0]["from"] = json!([]));
        }
        "bad_header" => {
            draft.unit(rule, |u| u["rules"][0]["requestHeaders"] = json!({ "set": { "x": "a\nb" } }));
        }
        _ if case.starts_with("expression_") => {
            let code = hostile_code(case);
            draft.unit(rule, |u| u["rules"][0]["match"]["when"] = json!({ "code": code, "text": "x" }));
        }
        "over_limit" => {
            let unit = br#"{"port":80}"#.to_vec();
            for n in 0..10_001 {
                draft.units.insert(format!("units/services/s{n}.json"), unit.clone());
                let path = format!("services/s{n}");
                draft.record(&format!("service/s{n}"))["units"][path] = json!({ "digest": "", "size": 0 });
            }
            let all: BTreeSet<String> = (0..10_001).map(|n| format!("s{n}")).collect();
            draft.record("service/web")["scope"]["calls"]["services"] = json!(all);
        }
        "self_tests_good" | "self_test_wrong" | "self_test_field" | "self_test_default"
        | "self_test_null" | "self_tests_65" | "self_test_pick" => {
            judge.owner = "orders";
            let entry = json!({ "entry": "access/orders/allow[0]", "verdict": "allow" });
            let request = json!({ "path": "/orders/x", "source": { "service": "web" } });
            let mut one = json!({ "expect": { "access": entry }, "request": request });
            let mut number = 1;
            match case {
                "self_test_wrong" => one["expect"]["access"] = json!({ "verdict": "deny" }),
                "self_test_field" => one["extra"] = json!(1),
                "self_test_default" => one["request"]["method"] = json!("GET"),
                "self_test_null" => one["request"]["size"] = Value::Null,
                "self_tests_65" => number = 65,
                "self_test_pick" => one["request"]["pick"] = json!(10_000),
                _ => {}
            }
            let bytes = canonical::to_bytes(&json!({ "cases": vec![one; number] })).unwrap();
            draft.tests.insert("access/orders".into(), bytes);
        }
        other => panic!("`{other}` is in signed.jsonl and not made here"),
    }
}

fn climb(files: FileSet, trust: &TrustSet, judge: &Judge) -> Result<(), Refusal> {
    verify::bound(&files)?;
    let candidate = verify::authentic(files, trust)?;
    let name = |text: &str| Name::new(text).unwrap();
    let (mesh, environment, owner) = (name("shop"), name("prod"), Owner::Service(name(judge.owner)));
    let other = pack::state_digest(&State::default()).unwrap();
    let accepted = judge.accepted.map(|(epoch, generation)| Accepted {
        epoch,
        generation,
        bundle: Digest::of(b"another bundle"),
        state: other,
        floor: 0,
    });
    let me = Expectation {
        mesh: &mesh,
        environment: &environment,
        owner: &owner,
        now: 1_000,
        accepted: accepted.as_ref(),
        local: judge.local,
    };
    verify::eligible(&candidate, &me)?;
    let program = verify::well_formed(&candidate.bundle, Some(&owner))?;
    let engine = Engine::new(Arc::new(program), &candidate.state, &owner).unwrap();
    for id in candidate.bundle.needs(&owner).unwrap_or_default().units {
        if let Some(tests) = candidate.bundle.self_tests(&id)? {
            selftest::prove(&engine, &id, &tests).map_err(|failure| {
                Refusal::new(Rung::Proven, "self-test-failed", failure.to_string()).at(&id)
            })?;
        }
    }
    Ok(())
}

/// Code that no compiler writes.
fn hostile_code(case: &str) -> Value {
    let yes = json!({ "bool": true });
    let code = |slots: Value, ops: Vec<Value>| json!({ "ops": ops, "slots": slots, "v": 1 });
    let path_is_a =
        vec![json!({ "compare": "eq" }), json!({ "slot": 0 }), json!({ "constant": { "text": "a" } })];
    match case {
        "expression_depth" => code(json!([]), [vec![json!("not"); 33], vec![yes]].concat()),
        "expression_version" => json!({ "ops": [yes], "slots": [], "v": 2 }),
        "expression_arity" => code(json!([]), vec![json!({ "all": 2 }), yes]),
        "expression_trailing" => code(json!([]), vec![yes.clone(), yes]),
        "expression_slot" => code(json!(["method"]), [path_is_a, vec![json!({ "slot": 1 })]].concat()),
        "expression_unused" => code(json!(["method", "path"]), path_is_a),
        "expression_local" => code(json!([]), vec![json!("isIp"), json!("local")]),
        "expression_words" => json!({ "at": [[0, 2]], "ops": [yes], "slots": [], "v": 1 }),
        "expression_cost" => {
            let search = vec![json!({ "matches": "a" }), json!({ "slot": 0 })];
            let searches = std::iter::repeat_n(search, 13).flatten();
            code(json!(["path"]), [json!({ "all": 13 })].into_iter().chain(searches).collect())
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_case_is_refused_where_it_says() {
    let keys: Vec<SigningKey> = (1..=3).map(|n| SigningKey::from_seed(&[n; 32]).unwrap()).collect();
    let text = std::fs::read_to_string(mesh_tests::top().join("tests/corpus/signed.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let case = row["case"].as_str().unwrap();
        if ELSEWHERE.contains(&case) {
            continue;
        }
        let mut judge = Judge { threshold: 1, accepted: None, local: false, owner: "web" };
        let mut draft = Draft::new();
        made(case, &mut draft, &mut judge);
        let trust = TrustSet::new(judge.threshold, vec![keys[0].public(), keys[1].public()]).unwrap();
        let got = climb(draft.seal(&keys), &trust, &judge);
        let (code, rung) = match &got {
            Ok(()) => (Value::Null, Value::Null),
            Err(refusal) => (json!(refusal.code), json!(refusal.rung)),
        };
        if (&code, &rung) != (&row["code"], &row["rung"]) {
            wrong.push(format!(
                "{case}: {code} at {rung}, expected {} at {}: {got:?}",
                row["code"], row["rung"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
