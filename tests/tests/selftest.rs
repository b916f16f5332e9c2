//! Self-tests hold for the program that they were made from, on every proxy, and fail for others.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_bundle::program::{AccessMode, Rewrite, RewritePath};
use mesh_bundle::scope::Scopes;
use mesh_bundle::selftest::SelfTests;
use mesh_bundle::state::CanaryState;
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Program, State, limits};
use mesh_compiler::selftest::self_tests;
use mesh_decision::Engine;
use mesh_decision::selftest::{Failure, prove};
use mesh_tests::generate;
use mesh_tests::kit::bundle;

/// Every environment of the example.
fn shops() -> Vec<Program> {
    bundle::shop().unwrap().into_values().collect()
}

fn generated(seed: u64) -> Program {
    let size = generate::Size { services: 30, routes: 200, rules: 80, seed };
    let files =
        generate::mesh(size).files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    bundle::environments(files).unwrap().remove(0).program
}

fn read(program: &Program) -> BTreeMap<UnitId, SelfTests> {
    let tests = self_tests(program);
    tests.into_iter().map(|(id, bytes)| (id, SelfTests::from_bytes(&bytes).unwrap())).collect()
}

/// Runs `tests` at the proxy of every owner whose scope holds the unit: how often each unit's tests passed somewhere.
fn everywhere(
    program: &Program,
    state: &State,
    tests: &BTreeMap<UnitId, SelfTests>,
) -> Result<BTreeMap<UnitId, usize>, Failure> {
    let scopes = Scopes::of(program);
    let mut passed = BTreeMap::new();
    for owner in scopes.owners.keys() {
        let needs = scopes.needs(owner).unwrap();
        let units = needs.units.clone();
        let engine = Engine::new(Arc::new(program.part(needs)), state, owner).unwrap();
        for (id, tests) in tests.iter().filter(|(id, _)| units.contains(id)) {
            let proved = prove(&engine, id, tests)?;
            assert_eq!(proved.passed + proved.skipped, tests.cases.len());
            *passed.entry(id.clone()).or_insert(0) += proved.passed;
        }
    }
    Ok(passed)
}

/// What the tests of `program` say about a changed one.
fn changed(program: &Program, change: impl FnOnce(&mut Program)) -> Failure {
    let tests = read(program);
    let mut other = program.clone();
    change(&mut other);
    assert_ne!(*program, other, "the change changes something");
    everywhere(&other, &State::default(), &tests).unwrap_err()
}

#[test]
fn what_is_generated_holds_on_every_proxy_and_is_judged_by_some() {
    let programs = shops().into_iter().chain((1..=6).map(generated));
    for program in programs {
        let tests = read(&program);
        let passed = everywhere(&program, &State::default(), &tests).unwrap();
        for (id, tests) in &tests {
            assert!((1..=limits::SELF_TESTS).contains(&tests.cases.len()), "{id}");
            let times = passed.get(id).copied().unwrap_or(0);
            assert!(times >= tests.cases.len(), "{id}: {times} of {} are judged", tests.cases.len());
        }
        let covered = program.access.keys().map(|owner| UnitId::Access(owner.clone()));
        for id in covered.filter(|id| matches!(id, UnitId::Access(o) if !program.access[o].allow.is_empty()))
        {
            assert!(tests.contains_key(&id), "{id} has self-tests");
        }
    }
}

#[test]
fn answers_do_not_depend_on_the_rollout() {
    let program = shops().into_iter().find(|p| p.mesh.environment.as_str() == "prod").unwrap();
    let tests = read(&program);
    let canary = &program.canaries["orders"];
    let content = canary.content_id(&program.services["orders"]).unwrap();
    for weight in [1, 5_000, limits::WHOLE] {
        let one = CanaryState { stage: 1, weight, content };
        let state = State { canaries: [("canary/orders".to_owned(), one)].into() };
        everywhere(&program, &state, &tests).unwrap();
    }
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    assert_eq!(self_tests(&generated(3)), self_tests(&generated(3)));
}

#[test]
fn a_changed_program_fails_the_tests_of_the_old_one() {
    let name = |text: &str| Name::new(text).unwrap();
    let shop = shops().into_iter().find(|p| p.mesh.environment.as_str() == "prod").unwrap();
    let swapped =
        changed(&shop, |p| Arc::make_mut(&mut p.routes.get_mut("orders").unwrap().rules).swap(0, 1));
    assert!(swapped.to_string().contains("expected route/orders/refund to orders@v41"), "{swapped}");
    assert!(swapped.to_string().contains("POST http://orders/orders/x/refund"), "{swapped}");
    let edge = UnitId::GatewayRoutes(name("public"), name("edge"));
    assert!(read(&shop).contains_key(&edge));
    let rewritten = changed(&shop, |p| {
        let routes = p.gateway_routes.get_mut("public").unwrap().get_mut("edge").unwrap();
        let rule =
            Arc::make_mut(&mut routes.rules).iter_mut().find(|rule| rule.rewrite.path.is_some()).unwrap();
        let path = Some(RewritePath::Prefix("/elsewhere".to_owned()));
        rule.rewrite = Rewrite { path, ..Rewrite::clone(&rule.rewrite) }.into();
    });
    assert!(rewritten.got.contains("/elsewhere"), "{rewritten}");
    let orders = || "orders".parse().unwrap();
    let opened = changed(&shop, |p| {
        let access = p.access.get_mut(&orders()).unwrap();
        access.allow[1].from = vec![mesh_bundle::program::From::Any];
    });
    assert!(opened.expected.contains("deny") && opened.got.contains("allow"), "{opened}");
    let unguarded = changed(&shop, |p| p.access.get_mut(&orders()).unwrap().allow[1].when = None);
    assert!(unguarded.got.contains("access/orders/allow[1]"), "{unguarded}");
    let closed = changed(&shop, |p| {
        p.access.get_mut(&orders()).unwrap().allow.remove(0);
    });
    assert!(closed.expected.contains("access/orders/allow[0]"), "{closed}");
    changed(&shop, |p| p.access.get_mut(&orders()).unwrap().mode = AccessMode::Audit);
    let dearer = changed(&shop, |p| {
        let payments = "payments".parse().unwrap();
        p.quotas.get_mut(&payments).unwrap().limits[0].cost = 2;
    });
    assert!(dearer.got.starts_with("2 of limits[0]"), "{dearer}");
}

#[test]
fn a_deny_entry_that_is_gone_is_noticed() {
    let mut program = generated(2);
    let (owner, access) = program.access.iter_mut().find(|(_, access)| access.allow.len() > 1).unwrap();
    let mut entry = access.allow[0].clone();
    entry.name = "deny[0]".to_owned();
    access.deny.push(entry);
    let owner = owner.clone();
    let failure = changed(&program, |p| p.access.get_mut(&owner).unwrap().deny.clear());
    assert!(failure.expected.contains("deny[0]"), "{failure}");
}

#[test]
fn the_first_rule_of_every_route_is_guarded() {
    let mut noticed = 0;
    let mut tried = 0;
    for seed in 1..=4 {
        let program = generated(seed);
        let tests = read(&program);
        for service in program.routes.keys().filter(|s| tests.contains_key(&UnitId::Routes((*s).clone()))) {
            let mut other = program.clone();
            // The first rule now leads where nobody asked: its own example must say so.
            let rules = Arc::make_mut(&mut other.routes.get_mut(service).unwrap().rules);
            rules[0].action =
                mesh_bundle::program::Action::Respond(Box::new(mesh_bundle::program::Respond {
                    status: 503,
                    body: String::new(),
                    headers: BTreeMap::new(),
                }));
            tried += 1;
            noticed += usize::from(everywhere(&other, &State::default(), &tests).is_err());
        }
    }
    assert!(tried > 20 && noticed == tried, "{noticed} of {tried}");
}
