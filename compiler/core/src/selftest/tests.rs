//! Tests of the generator over a small mesh that has one of everything.

use std::collections::BTreeMap;

use mesh_bundle::Program;
use mesh_bundle::selftest::{Caller, Case, Expect, SelfTests};
use mesh_bundle::unit::UnitId;

use super::self_tests;
use crate::sets::sample;
use crate::{Options, compile};

const MESH: &str = r#"
kind: Mesh
name: m
version: 1
trustDomain: m.example
gateways:
  edge: { listen: 8080, hosts: [m.example, "*.m.example"] }
---
kind: Environment
name: default
---
kind: Service
name: a
port: 80
versions: [v1, v2]
---
kind: Service
name: b
port: 81
labels: { zone: inner }
callers: [a]
---
kind: Service
name: c
port: 82
callers: [a]
---
kind: Canary
service: a
stable: v1
candidate: v2
stages: [{ weight: 5%, hold: 1m }]
---
kind: Route
service: a
rules:
  - { name: beta, match: { headers: { x-beta: "1" } }, to: a@v2 }
  - { name: mine, match: { path: /mine/*, callers: [b] }, to: a@stable }
  - { name: large, match: { path: /up, when: "request.size > 100 && request.size <= 1000" }, to: a@v1 }
  - name: split
    match: { path: "/split/{id}", methods: [POST] }
    to: [{ to: a@v1, weight: 75% }, { to: a@v2, weight: 25% }]
  - { name: old, match: { path: /old/* }, redirect: { status: 301, prefix: /new } }
  - { name: gone, match: { path: /gone }, respond: { status: 410 } }
  - { name: rest, match: { path: /rest/* }, rewrite: { prefix: /r }, to: a }
---
kind: AccessPolicy
service: a
deny:
  - { name: no-debug, from: [any], when: '"debug" in request.headers' }
allow:
  - { from: [{ labels: { zone: inner } }, gateway/edge], to: { paths: [/rest/*, /mine/*] } }
---
kind: Quota
service: a
limits:
  - { per: caller, rate: 10/s, burst: 10 }
---
kind: Route
name: front
gateway: edge
rules:
  - { name: all, match: { path: /api/* }, rewrite: { prefix: /rest }, to: a }
"#;

fn program(text: &str) -> Program {
    let compiled = compile(vec![("mesh.yaml".into(), text.as_bytes().to_vec())], &Options::default());
    let found: Vec<String> = compiled.findings.iter().map(|f| format!("{} {}", f.code, f.message)).collect();
    assert!(!compiled.findings.has_errors(), "{found:?}");
    compiled.environments.into_iter().next().unwrap().program
}

fn read(tests: &BTreeMap<UnitId, Vec<u8>>, unit: &str) -> Vec<Case> {
    let bytes = tests.get(&unit.parse::<UnitId>().unwrap()).unwrap_or_else(|| panic!("none for {unit}"));
    SelfTests::from_bytes(bytes).unwrap().cases
}

/// Addresses that decide some case, each once.
fn addresses(cases: &[Case]) -> Vec<String> {
    let mut all: Vec<String> = cases
        .iter()
        .filter_map(|case| match &case.expect {
            Expect::Forward(f) => Some(f.rule.clone()),
            Expect::Redirect(r) => Some(r.rule.clone()),
            Expect::Respond(r) => Some(r.rule.clone()),
            Expect::Access(a) => a.entry.clone(),
            Expect::Refuse(_) | Expect::Charges(_) => None,
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn every_rule_entry_and_limit_has_an_example() {
    let tests = self_tests(&program(MESH));
    let routes = read(&tests, "routes/a");
    let expected = ["beta", "gone", "large", "mine", "old", "rest", "split"].map(|r| format!("route/a/{r}"));
    assert_eq!(addresses(&routes), expected);
    let access = read(&tests, "access/a");
    assert_eq!(addresses(&access), ["access/a/allow[0]", "access/a/no-debug"]);
    assert!(
        matches!(read(&tests, "quotas/a").first().unwrap().expect, Expect::Charges(ref c) if c.len() == 1)
    );
    assert_eq!(addresses(&read(&tests, "routes/edge/front")), ["route/front/all"]);
}

#[test]
fn boundaries_are_there() {
    let tests = self_tests(&program(MESH));
    let cases = read(&tests, "routes/a");
    let rule = |case: &Case| match &case.expect {
        Expect::Forward(f) => f.rule.rsplit('/').next().unwrap().to_owned(),
        _ => String::new(),
    };
    let at = |path: &'static str| cases.iter().filter(move |c| c.request.path == path);
    let sizes: Vec<(Option<u64>, bool)> =
        at("/up").map(|c| (c.request.size, rule(c) == "large")).filter(|(size, _)| size.is_some()).collect();
    for bound in [(100, false), (101, true), (1000, true), (1001, false)] {
        assert!(sizes.contains(&(Some(bound.0), bound.1)), "{bound:?} in {sizes:?}");
    }
    let picks: Vec<(u32, String)> = at("/split/x")
        .filter_map(|c| match &c.expect {
            Expect::Forward(f) => Some((c.request.pick, f.version.as_ref()?.to_string())),
            _ => None,
        })
        .collect();
    for (pick, version) in [(0, "v1"), (7_499, "v1"), (7_500, "v2"), (9_999, "v2")] {
        assert!(picks.contains(&(pick, version.to_owned())), "{pick} in {picks:?}");
    }
    let mine = |case: &Case| (case.request.source.clone(), rule(case) == "mine");
    let callers: Vec<(Caller, bool)> = at("/mine/x").map(mine).collect();
    assert!(callers.iter().any(|(_, taken)| *taken) && callers.iter().any(|(_, taken)| !*taken));
}

#[test]
fn what_state_decides_is_left_out() {
    for case in read(&self_tests(&program(MESH)), "routes/a") {
        if let Expect::Forward(forward) = case.expect {
            let canary = forward.rule == "route/a/rest";
            assert_eq!(forward.version.is_none(), canary, "{}", forward.rule);
        }
    }
}

#[test]
fn the_same_program_gives_the_same_bytes_and_others_do_not_move() {
    let before = self_tests(&program(MESH));
    assert_eq!(before, self_tests(&program(MESH)));
    let text = MESH.replace("name: b\nport: 81", "name: b\nport: 91\nversions: [v7]");
    assert_ne!(text, MESH);
    let after = self_tests(&program(&text));
    for unit in ["routes/a", "access/a", "quotas/a", "routes/edge/front", "access/c"] {
        let id: UnitId = unit.parse().unwrap();
        assert_eq!(before.get(&id), after.get(&id), "{unit}");
    }
    let text = MESH.replace("{ name: gone, match: { path: /gone }", "{ name: gone, match: { path: /lost }");
    let after = self_tests(&program(&text));
    let moved: Vec<String> =
        after.iter().filter(|(id, b)| before.get(*id) != Some(*b)).map(|(id, _)| id.to_string()).collect();
    assert_eq!(moved, ["routes/a"]);
}

#[test]
fn a_unit_has_at_most_sixty_four() {
    let rules: String = (0..200)
        .map(|n| format!("  - {{ name: r{n}, match: {{ path: /p{n}/*, methods: [GET] }}, to: a@v1 }}\n"))
        .collect();
    let head = MESH.split("rules:\n").next().unwrap();
    let tail = MESH.split("to: a }\n---\nkind: AccessPolicy").nth(1).unwrap();
    let text = format!("{head}rules:\n{rules}---\nkind: AccessPolicy{tail}");
    let cases = read(&self_tests(&program(&text)), "routes/a");
    assert_eq!(cases.len(), 64);
    assert!(addresses(&cases).len() >= 50, "spread over the rules");
}

#[test]
fn regular_expressions_have_examples() {
    for (regex, text) in [
        ("/v[0-9]+/x", "/v0/x"),
        ("/a/(b|c)?", "/a/"),
        ("(red|blue)-[A-F]{2}", "red-AA"),
        ("\\d+\\.\\w", "0.a"),
        ("[^a-z]", "0"),
    ] {
        assert_eq!(sample::likely(regex).as_deref(), Some(text), "{regex}");
    }
    assert_eq!(sample::likely("("), None);
    assert_eq!(sample::likely("(x{999}){999}"), None, "bounded");
}
