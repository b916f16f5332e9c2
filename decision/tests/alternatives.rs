//! A rule whose `match` is a list takes what any of its matches takes, and stays one rule.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use mesh_bundle::program::Mesh as MeshUnit;
use mesh_bundle::unit::{Unit, UnitId};
use mesh_bundle::{Name, Owner, Program, State};
use mesh_decision::journey::{Ask, Journey, Mesh};
use mesh_decision::{Engine, explain::StepVerdict};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A service `a` with the rule `any` of these matches, which rewrites a prefix where every match has one, and the rule
/// `rest`.
fn program(matches: &[Value]) -> Program {
    let name = |text: &str| Name::new(text).unwrap();
    let to = json!({"forward": [{"to": {"service": "a", "version": "v1"}, "weight": 9000},
        {"to": {"service": "a", "version": "v2"}, "weight": 1000}]});
    let mut any = json!({"name": "any", "rewrite": {"path": {"prefix": "/new"}}, "action": to});
    match matches {
        [only] if only == &json!({}) => {}
        [only] => any["match"] = only.clone(),
        _ => any["match"] = json!(matches),
    }
    let rules = json!({"rules": [any, {"name": "rest", "action": {"respond": {"status": 404}}}]});
    let units = [
        ("services/a", json!({"port": 80, "versions": ["v1", "v2"]})),
        ("routes/a", rules),
        ("access/a", json!({"allow": [{"from": ["any"], "name": "all"}]})),
    ];
    let unit = |(id, value): (&str, Value)| {
        let id: UnitId = id.parse().unwrap();
        let unit = Unit::from_bytes(&id, &mesh_bundle::canonical::to_bytes(&value).unwrap()).unwrap();
        (id, unit)
    };
    let mesh = Unit::Mesh(MeshUnit::new(name("shop"), name("prod"), "shop.example"));
    Program::from_units([(UnitId::Mesh, mesh)].into_iter().chain(units.map(unit))).unwrap()
}

fn follow(program: &Program, method: &str, path: &str, lines: &[&str]) -> Journey {
    let ask = Ask {
        method: method.into(),
        scheme: "http".into(),
        authority: "a".into(),
        target: path.into(),
        headers: lines.iter().map(|value| ("x".to_owned(), value.as_bytes().to_vec())).collect(),
        caller: Some(Owner::Service(Name::new("a").unwrap())),
        ..Ask::default()
    };
    Mesh::new(Arc::new(program.clone()), State::default()).follow(&ask, &0).unwrap()
}

#[test]
fn a_rule_of_several_matches_has_one_address_and_one_counter() {
    let program = program(&[json!({"path": "/a/*"}), json!({"path": {"prefix": "/b"}})]);
    let engine = Engine::new(Arc::new(program), &State::default(), &"a".parse().unwrap()).unwrap();
    assert_eq!((engine.rule_count(), engine.split_count()), (2, 1));
}

#[test]
fn an_explanation_is_of_the_match_that_came_furthest() {
    let program = program(&[
        json!({"path": "/b"}),
        json!({"path": "/a", "methods": ["POST"]}),
        json!({"path": "/a", "headers": [{"name": "x", "is": {"exact": "1"}}]}),
    ]);
    let verdict = |method: &str, path: &str, lines: &[&str]| {
        let steps = follow(&program, method, path, lines).steps;
        steps.into_iter().find(|step| step.rule == "route/a/any").map(|step| step.verdict)
    };
    assert_eq!(verdict("GET", "/c", &[]), Some(StepVerdict::Path));
    assert_eq!(verdict("GET", "/a", &["2"]), Some(StepVerdict::Value));
    assert_eq!(verdict("GET", "/a", &["1", "2"]), Some(StepVerdict::Ambiguous));
    assert_eq!(verdict("POST", "/a", &["1", "2"]), Some(StepVerdict::Taken));
    assert_eq!(verdict("GET", "/b", &[]), Some(StepVerdict::Taken));
}

/// Parts that a match may have.
fn a_match() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec![
        json!(null),
        json!("/a/*"),
        json!("/a"),
        json!("/{p}/*"),
        json!({"prefix": "/a"}),
        json!({"prefix": "/a/"}),
        json!({"regex": "/a.*"}),
    ]);
    let methods = prop::sample::select(vec![json!(null), json!(["GET"]), json!(["POST"])]);
    let x = prop::sample::select(vec![
        json!(null),
        json!([{"name": "x", "is": {"exact": "1"}}]),
        json!([{"name": "x", "is": {"present": false}}]),
    ]);
    (path, methods, x).prop_map(|(path, methods, headers)| {
        let fields = [("path", path), ("methods", methods), ("headers", headers)];
        fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.to_owned(), v)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_list_takes_what_one_of_its_matches_takes_alone(
        matches in prop::collection::vec(a_match(), 2..4),
        method in prop::sample::select(vec!["GET", "POST"]),
        path in prop::sample::select(vec!["/", "/a", "/a/", "/a/b", "/ab", "/b", "/b/c"]),
        lines in prop::sample::select(vec![vec![], vec!["1"], vec!["2"], vec!["1", "2"]]),
    ) {
        let outcome = |journey: &Journey| (journey.rule.clone(), journey.status, journey.reason.clone(), journey.path.clone());
        let alone: Vec<Journey> =
            matches.iter().map(|one| follow(&program(std::slice::from_ref(one)), method, path, &lines)).collect();
        let takes = |journey: &&Journey| journey.rule.as_deref() == Some("route/a/any");
        let errs = |journey: &&Journey| journey.reason.as_deref() == Some("ambiguous-request");
        let expected = alone.iter().find(takes).or_else(|| alone.iter().find(errs)).unwrap_or(&alone[0]);
        let got = follow(&program(&matches), method, path, &lines);
        prop_assert_eq!(outcome(&got), outcome(expected), "{:?}", matches);
    }
}
