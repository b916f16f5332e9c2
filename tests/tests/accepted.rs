//! What `validate` accepts `verify` accepts: no mesh without errors becomes a bundle that a proxy refuses.
//!
//! Generated meshes, and slips in those of the golden cases and the shop. `MESH_FULL=1` runs 2,000 of each.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;

use mesh_bundle::State;
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_compiler::{Options, compile};
use mesh_tests::kit::{files, inputs};
use mesh_tests::mutate::mutated;
use mesh_tests::random::Random;
use mesh_tests::varied::{self, Files};
use mesh_workspace::pack::{Terms, sealed};
use mesh_workspace::verify::{Proof, Standing, climb};

/// Generated meshes, and slips; in an ordinary run a twentieth.
const MESHES: usize = 2_000;

fn rounds() -> usize {
    if mesh_tests::full() { MESHES } else { MESHES / 20 }
}

/// How a mesh fared.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The compiler has findings of severity error.
    Invalid,
    /// Every environment's bundle is taken.
    Taken,
    /// A bundle is refused, or there is none.
    Refused(String),
}

/// Compiles, seals and climbs, as `validate`, `build` and `verify` do.
fn judged(files: &Files) -> Verdict {
    let bytes = files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
    let compiled = compile(bytes, &Options::default());
    if compiled.findings.has_errors() {
        return Verdict::Invalid;
    }
    if compiled.environments.is_empty() {
        return Verdict::Refused("no environment and no finding".to_owned());
    }
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let trust = TrustSet::new(1, vec![key.public()]).unwrap();
    for environment in &compiled.environments {
        let sealed =
            sealed(environment, None, &State::default(), &Terms::default(), std::slice::from_ref(&key));
        let files = match sealed {
            Ok(sealed) => sealed.files,
            Err(error) => return Verdict::Refused(error.to_string()),
        };
        let mut proof = Proof::default();
        if let Err(refusal) = climb(files, Some(&trust), Standing::Offered, Some(&mut proof)) {
            return Verdict::Refused(format!("{}: {refusal}", environment.name));
        }
    }
    Verdict::Taken
}

/// Judges meshes; how many were taken.
fn all_taken(meshes: impl Iterator<Item = (String, Files)>) -> usize {
    let mut taken = 0;
    let mut refused = Vec::new();
    for (name, files) in meshes {
        match judged(&files) {
            Verdict::Invalid => {}
            Verdict::Taken => taken += 1,
            Verdict::Refused(why) => refused.push((name, why, files)),
        }
    }
    let mut told = String::new();
    for (name, why, _) in &refused {
        let _ = writeln!(told, "{name}: {why}");
    }
    // The first in full is enough to begin with.
    for (path, text) in refused.iter().take(1).flat_map(|(_, _, files)| files) {
        let _ = writeln!(told, "# {path}\n{text}");
    }
    assert!(refused.is_empty(), "{} valid meshes are refused:\n{told}", refused.len());
    taken
}

fn one(text: &str) -> Verdict {
    judged(&vec![("mesh.yaml".to_owned(), text.to_owned())])
}

/// A gateway before a service of two versions; `more` follows.
fn reviews(more: &str) -> String {
    format!(
        "kind: Mesh\nname: books\nversion: 1\ntrustDomain: books.example\n\
         gateways: {{ public: {{ listen: 80, hosts: [books.example] }} }}\n---\n\
         kind: Service\nname: reviews\nport: 9080\nversions: [v1, v2]\ncallers: [gateway/public]\n---\n\
         kind: Service\nname: ratings\nport: 9080\ncallers: [reviews, gateway/public]\n---\n{more}"
    )
}

const OWN_ROUTE: &str = "kind: Route\nservice: reviews\nrules: [{ name: all, to: [{ to: reviews@v1, weight: 90% }, { to: reviews@v2, weight: 10% }] }]\n---\n";

#[test]
fn a_gateway_enters_the_route_of_a_service_with_several_versions() {
    let edge =
        |to: &str| format!("kind: Route\nname: edge\ngateway: public\nrules: [{{ name: all, to: {to} }}]\n");
    for to in ["reviews", "[{ to: reviews, weight: 70% }, { to: ratings, weight: 30% }]"] {
        assert_eq!(one(&reviews(&format!("{OWN_ROUTE}{}", edge(to)))), Verdict::Taken, "{to}");
        assert_eq!(one(&reviews(&edge(to))), Verdict::Invalid, "nobody chooses a version: {to}");
    }
    // A Route of the gateway with the service's name chooses none either.
    let named = edge("ratings").replace("name: edge", "name: reviews");
    assert_eq!(one(&reviews(&named)), Verdict::Invalid);
}

#[test]
fn an_environment_without_the_canary_enters_the_route_too() {
    let canary = "kind: Canary\nservice: reviews\nstable: v1\ncandidate: v2\nstages: [{ weight: 5%, hold: 1m }]\n---\n";
    let edge = "kind: Route\nname: edge\ngateway: public\nrules: [{ name: all, to: reviews }]\n---\n";
    let environments = "kind: Environment\nname: prod\n---\nkind: Environment\nname: dev\noverrides: { canary/reviews: null }\n";
    let with = |route: &str| one(&reviews(&format!("{canary}{route}{edge}{environments}")));
    assert_eq!(with(OWN_ROUTE), Verdict::Taken);
    assert_eq!(with(""), Verdict::Invalid, "in `dev` nobody chooses a version");
    let default =
        OWN_ROUTE.replace("[{ to: reviews@v1, weight: 90% }, { to: reviews@v2, weight: 10% }]", "reviews");
    assert_eq!(with(&default), Verdict::Invalid, "in `dev` the Route itself chooses none");
}

#[test]
fn routes_that_send_to_services_with_routes_are_complete_for_every_proxy() {
    let chain = "kind: Service\nname: depot\nport: 80\ncallers: [any]\n---\n\
        kind: Route\nservice: reviews\nrules: [{ name: all, to: ratings }]\n---\n\
        kind: Route\nservice: ratings\nrules: [{ name: all, to: depot }]\n---\n\
        kind: Route\nname: edge\ngateway: public\nrules: [{ name: all, to: reviews }]\n";
    assert_eq!(one(&reviews(chain)), Verdict::Taken);
}

#[test]
fn a_file_within_its_bounds_that_becomes_a_unit_past_them_is_a_finding() {
    // A quote takes two bytes in a unit.
    let body = "\"".repeat(60_000);
    let rules = |count: usize| {
        let rule = |n| {
            format!(
                "  - {{ name: r{n}, match: {{ path: /{n} }}, respond: {{ status: 200, body: '{body}' }} }}\n"
            )
        };
        let rules: String = (0..count).map(rule).collect();
        format!(
            "kind: Route\nname: edge\ngateway: public\nrules:\n{rules}  - {{ name: rest, to: ratings }}\n---\n{OWN_ROUTE}"
        )
    };
    assert_eq!(one(&reviews(&rules(8))), Verdict::Taken);
    assert_eq!(one(&reviews(&rules(9))), Verdict::Invalid);
}

fn texts(folder: &Path) -> Files {
    let read = files::read(folder).unwrap().into_iter();
    let specs = read.filter(|(path, _)| path.extension().is_some_and(|ending| ending == "yaml"));
    specs
        .filter_map(|(path, bytes)| Some((path.display().to_string(), String::from_utf8(bytes).ok()?)))
        .collect()
}

#[test]
fn generated_meshes() {
    let seeds = 0..u64::try_from(rounds()).unwrap();
    let taken = all_taken(seeds.map(|seed| (format!("seed {seed}"), varied::mesh(seed))));
    assert!(taken * 4 >= rounds(), "only {taken} of {} were valid", rounds());
}

#[test]
fn slips_in_the_golden_cases() {
    let mut bases: Vec<(String, Files)> = Vec::new();
    let mut cases: Vec<_> = std::fs::read_dir(mesh_tests::top().join("tests/golden")).unwrap().collect();
    cases.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
    for case in cases {
        let case = case.unwrap();
        let place = tempfile::tempdir().unwrap();
        inputs::place(&case.path(), place.path()).unwrap();
        let files = texts(place.path());
        // Many cases have the shop as it is.
        let name = case.file_name().to_string_lossy().into_owned();
        match bases.iter_mut().find(|(_, known)| *known == files) {
            Some(known) if name == "shop-is-clean" => known.0 = name,
            None if !files.is_empty() => bases.push((name, files)),
            _ => {}
        }
    }
    assert!(bases.len() > 20, "{} different inputs", bases.len());
    let (count, untouched) = (bases.len(), bases.iter().cloned());
    let slips = bases.iter().flat_map(|(name, files)| {
        // Most cases are there for a mistake, and few slips mend it: the clean shop has as many as all the others.
        let times = if name == "shop-is-clean" { rounds() } else { rounds().div_ceil(count) };
        (0..times).map(move |n| {
            let mut random = Random::new(u64::try_from(n).unwrap());
            (format!("{name}, slip {n}"), mutated(files, &mut random))
        })
    });
    let taken = all_taken(untouched.chain(slips));
    assert!(taken * 20 >= rounds(), "only {taken} of {} were valid", 2 * rounds());
}
