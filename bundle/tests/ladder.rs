//! Rungs 1 to 4 over a small mesh: what a writer makes is accepted, whatever else is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use mesh_bundle::dsse;
use mesh_bundle::name::{Name, Owner};
use mesh_bundle::pack::{self, Input, Packed};
use mesh_bundle::program::{Access, Action, Destination, Entry, From, Mesh, Routes, Rule, Service, Target};
use mesh_bundle::release::{Accepted, Release};
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::verify::{self, Expectation};
use mesh_bundle::{FileSet, Program, Refusal, State};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn service(name_: &str, port: u16) -> (Name, Service) {
    let text = format!(r#"{{"port":{port}}}"#);
    (name(name_), serde_json::from_str(&text).unwrap())
}

fn program() -> Program {
    let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
    program.services.extend([service("orders", 8080), service("web", 8080), service("mailer", 25)]);
    let entry = Entry {
        name: "callers".into(),
        from: vec![From::Service(name("web"))],
        methods: vec![],
        paths: vec![],
        when: None,
    };
    let access = Access { allow: vec![entry], ..Access::default() };
    program.access.insert(Owner::Service(name("orders")), access);
    let to = Destination { service: name("orders"), version: None, role: None };
    let rule = Rule {
        name: name("all"),
        matches: Default::default(),
        action: Action::Forward(vec![Target { to, weight: 10_000 }]),
        rewrite: Default::default(),
        request_headers: Default::default(),
        response_headers: Default::default(),
        timeout_ms: Some(5),
        retry: None,
    };
    program.routes.insert(name("orders"), Routes { rules: vec![rule].into(), ..Routes::default() });
    program
}

fn pack(program: &Program) -> Packed {
    let (maps, tests) = (BTreeMap::new(), BTreeMap::new());
    let input = Input { program, source: None, compiler: "meshc 0", maps: &maps, tests: &tests };
    pack::pack(&input).unwrap()
}

fn release(packed: &Packed, generation: u64) -> Release {
    Release {
        generation,
        ..Release::of(name("shop"), name("prod"), packed.id, pack::state_digest(&State::default()).unwrap())
    }
}

fn sealed(program: &Program, key: &SigningKey, generation: u64) -> FileSet {
    let packed = pack(program);
    let mut files = packed.files.clone();
    let key = SigningKey::from_pem(&key.to_pem()).unwrap();
    pack::seal(&mut files, &State::default(), &release(&packed, generation), &[key]).unwrap();
    files
}

fn climb(
    files: &FileSet,
    trust: &TrustSet,
    accepted: Option<&Accepted>,
    local: bool,
) -> Result<Program, Refusal> {
    verify::bound(files)?;
    let authentic = verify::authentic(files.clone(), trust)?;
    let (mesh, environment, owner) = (name("shop"), name("prod"), Owner::Service(name("web")));
    let me =
        Expectation { mesh: &mesh, environment: &environment, owner: &owner, now: 1_000, accepted, local };
    verify::eligible(&authentic, &me)?;
    verify::well_formed(&authentic.bundle, Some(&owner))
}

fn keys() -> (SigningKey, TrustSet) {
    keys_of(1)
}

fn keys_of(seed: u8) -> (SigningKey, TrustSet) {
    let key = SigningKey::from_seed(&[seed; 32]).unwrap();
    let trust = TrustSet::new(1, vec![key.public()]).unwrap();
    (key, trust)
}

#[test]
fn a_proxy_gets_its_own_slice_and_no_more() {
    let (key, trust) = keys();
    let program = program();
    let got = climb(&sealed(&program, &key, 1), &trust, None, false).unwrap();
    assert_eq!(got, program.slice(&Owner::Service(name("web"))));
    assert!(got.services.contains_key("orders") && !got.services.contains_key("mailer"));
}

#[test]
fn a_change_in_one_service_moves_only_its_files_and_the_index_above() {
    let before = pack(&program());
    let mut changed = program();
    changed.services.get_mut("mailer").unwrap().port = 26;
    let after = pack(&changed);
    let moved: Vec<&String> =
        after.files.iter().filter(|(p, b)| before.files.get(*p) != Some(*b)).map(|x| x.0).collect();
    let units: Vec<&&String> = moved.iter().filter(|p| p.starts_with("units/")).collect();
    assert_eq!(units, [&&"units/services/mailer.json".to_owned()]);
    assert_eq!(moved.len(), 4, "unit, shard, head, manifest: {moved:?}");
}

#[test]
fn every_flipped_bit_of_every_file_is_refused() {
    let (key, trust) = keys();
    let files = sealed(&program(), &key, 1);
    for (path, bytes) in &files {
        let step = (bytes.len() / 40).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut other = files.clone();
            other.get_mut(path).unwrap()[at] ^= 1;
            assert!(climb(&other, &trust, None, false).is_err(), "{path} byte {at}");
        }
    }
}

#[test]
fn files_that_are_missing_left_over_or_mixed_in_are_refused() {
    let (key, trust) = keys();
    let files = sealed(&program(), &key, 1);
    for path in files.keys() {
        let mut other = files.clone();
        other.remove(path);
        assert_eq!(climb(&other, &trust, None, false).unwrap_err().code, "missing-file", "{path}");
    }
    let mut extra = files.clone();
    extra.insert("units/services/evil.json".into(), b"{}".to_vec());
    assert_eq!(climb(&extra, &trust, None, false).unwrap_err().code, "unlisted-file");
    let mut newer = program();
    newer.services.get_mut("web").unwrap().port = 9;
    let mut mixed = files;
    mixed
        .insert("units/services/web.json".into(), sealed(&newer, &key, 2)["units/services/web.json"].clone());
    assert_eq!(climb(&mixed, &trust, None, false).unwrap_err().code, "wrong-digest");
}

#[test]
fn order_is_kept() {
    let (key, trust) = keys();
    let (old, new) = (program(), {
        let mut p = program();
        p.services.get_mut("web").unwrap().port = 9;
        p
    });
    let accepted = Accepted::from(&release(&pack(&new), 5));
    let code =
        |files: &FileSet, local| climb(files, &trust, Some(&accepted), local).map_err(|r| r.code).map(|_| ());
    assert_eq!(code(&sealed(&old, &key, 4), false), Err("older-generation".into()));
    assert_eq!(code(&sealed(&old, &key, 5), false), Err("same-generation-other-content".into()));
    assert_eq!(code(&sealed(&old, &key, 5), true), Ok(()));
    assert_eq!(code(&sealed(&new, &key, 5), false), Ok(()));
    assert_eq!(code(&sealed(&old, &key, 6), false), Ok(()));
}

#[test]
fn another_mesh_an_old_offer_and_a_foreign_key_are_refused() {
    let (key, trust) = keys();
    let mut foreign = program();
    foreign.mesh.name = name("bakery");
    let packed = pack(&foreign);
    let mut files = packed.files.clone();
    let mut other = release(&packed, 1);
    other.mesh = name("bakery");
    pack::seal(&mut files, &State::default(), &other, &[SigningKey::from_pem(&key.to_pem()).unwrap()])
        .unwrap();
    assert_eq!(climb(&files, &trust, None, false).unwrap_err().code, "wrong-mesh");

    let packed = pack(&program());
    let mut expired = release(&packed, 1);
    expired.expires = Some(999);
    let mut files = packed.files;
    pack::seal(&mut files, &State::default(), &expired, &[key]).unwrap();
    assert_eq!(climb(&files, &trust, None, false).unwrap_err().code, "expired");
    assert_eq!(climb(&files, &keys_of(2).1, None, false).unwrap_err().code, "bad-signature");
}

#[test]
fn signed_nonsense_is_refused_where_it_stands() {
    let (key, trust) = keys();
    let mut program = program();
    let Action::Forward(targets) =
        &mut std::sync::Arc::make_mut(&mut program.routes.get_mut("orders").unwrap().rules)[0].action
    else {
        panic!()
    };
    targets[0].weight = 9_999;
    let refusal = climb(&sealed(&program, &key, 1), &trust, None, false).unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.unit.as_deref()), ("bad-split", Some("routes/orders")));
    assert_eq!(refusal.pointer.as_deref(), Some("/rules/0/action/forward"));
}

#[test]
fn an_unsigned_bundle_is_refused() {
    let (_, trust) = keys();
    let packed = pack(&program());
    let release = release(&packed, 1);
    let mut files = packed.files;
    pack::seal(&mut files, &State::default(), &release, &[]).unwrap();
    assert_eq!(climb(&files, &trust, None, false).unwrap_err().code, "bad-signature");
    assert!(dsse::peek(dsse::RELEASE_TYPE, &files["release.dsse"]).is_ok());
}
