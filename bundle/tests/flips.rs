//! Every single-bit flip of a small bundle, as an archive and as files, is refused or changes nothing.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its counts"
)]

use std::collections::BTreeMap;

use mesh_bundle::name::{Name, Owner};
use mesh_bundle::pack::{self, Input};
use mesh_bundle::program::{Access, Entry, From, Mesh, Service};
use mesh_bundle::release::Release;
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::verify::{self, Expectation};
use mesh_bundle::{Digest, FileSet, Program, Refusal, State, archive};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn program() -> Program {
    let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
    for service in ["orders", "web"] {
        let made: Service = serde_json::from_str(r#"{"port":8080}"#).unwrap();
        program.services.insert(name(service), made);
    }
    let entry = Entry {
        name: "callers".into(),
        from: vec![From::Service(name("web"))],
        methods: vec![],
        paths: vec![],
        when: None,
    };
    let access = Access { allow: vec![entry], ..Access::default() };
    program.access.insert(Owner::Service(name("orders")), access);
    program
}

fn sealed(key: &SigningKey) -> FileSet {
    let program = program();
    let (maps, tests) = (BTreeMap::new(), BTreeMap::new());
    let input = Input { program: &program, source: None, compiler: "meshc 0", maps: &maps, tests: &tests };
    let mut packed = pack::pack(&input).unwrap();
    let release = Release {
        generation: 1,
        ..Release::of(name("shop"), name("prod"), packed.id, pack::state_digest(&State::default()).unwrap())
    };
    pack::seal(&mut packed.files, &State::default(), &release, std::slice::from_ref(key)).unwrap();
    packed.files
}

/// All that a proxy takes from a bundle.
type Taken = (Digest, Release, State, Program);

fn climb(files: FileSet, trust: &TrustSet) -> Result<Taken, Refusal> {
    verify::bound(&files)?;
    let authentic = verify::authentic(files, trust)?;
    let (mesh, environment, owner) = (name("shop"), name("prod"), Owner::Service(name("web")));
    let (now, accepted) = (1_000, None);
    let me =
        Expectation { mesh: &mesh, environment: &environment, owner: &owner, now, accepted, local: false };
    verify::eligible(&authentic, &me)?;
    let program = verify::well_formed(&authentic.bundle, None)?;
    Ok((authentic.bundle.id, authentic.release, authentic.state, program))
}

/// Flips each bit of `bytes`, and counts refusals and flips that change nothing.
fn flip(
    what: &str,
    bytes: &[u8],
    expected: &Taken,
    mut climb: impl FnMut(Vec<u8>) -> Result<Taken, Refusal>,
) {
    let (mut refused, mut same) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes.to_vec();
        *other.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
        match climb(other) {
            Ok(taken) => {
                assert_eq!(taken, *expected, "{what}: bit {bit} changes what is taken");
                same += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > same, "{what}: {refused} refused, {same} without effect");
    println!("{what}: {refused} refused, {same} without effect");
}

#[test]
fn of_the_archive() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let trust = TrustSet::new(1, vec![key.public()]).unwrap();
    let files = sealed(&key);
    let bytes = archive::write(&files).unwrap();
    let expected = climb(files, &trust).unwrap();
    flip("archive", &bytes, &expected, |bytes| climb(archive::read(&bytes)?, &trust));
}

#[test]
fn of_each_file() {
    let key = SigningKey::from_seed(&[2; 32]).unwrap();
    let trust = TrustSet::new(1, vec![key.public()]).unwrap();
    let files = sealed(&key);
    let expected = climb(files.clone(), &trust).unwrap();
    for (path, bytes) in &files {
        flip(path, bytes, &expected, |bytes| {
            let mut other = files.clone();
            other.insert(path.clone(), bytes);
            climb(other, &trust)
        });
    }
}
