//! Probation on a real proxy under load: a bundle that denies or breaks a fifth of the requests goes back by itself and
//! is not taken again; what a reviewer has seen, what is the upstream's fault, and silence return nobody.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking and shows its counts")]

use mesh_bundle::pack::Packed;
use mesh_bundle::release::Acknowledges;
use mesh_tests::kit::bundle::{Terms, packed, program};
use mesh_tests::kit::lone::{Lone, mesh};
use mesh_tests::kit::wait::wait;
use mesh_tests::programs;
use serde_json::Value;

/// Paths that are asked for by turns: each is a fifth of all requests.
const PATHS: [&str; 5] = ["/p0", "/p1", "/p2", "/p3", "/p4"];
/// Requests before a verdict.
const LEAST: u32 = 20;
/// A window that is over soon.
const WINDOW: u64 = 500;
/// The end of every probation.
const LONGEST: u64 = 3_000;

/// A rule for each path; the first goes where `first` says.
fn bundle(first: &str, more: &str) -> Packed {
    let rule = |path: &str, what: &str| format!("name: {path}, match: {{ path: /{path} }}, {what}\n");
    let names = PATHS.map(|path| path.trim_start_matches('/'));
    let mut rules = String::new();
    for name in names {
        rules += &rule(name, if name == "p0" { first } else { "to: orders" });
    }
    let mut program = program(&mesh(rules.trim(), more)).unwrap();
    program.mesh.probation.min_requests = LEAST;
    program.mesh.probation.window_ms = WINDOW;
    program.mesh.probation.max_ms = LONGEST;
    packed(&program).unwrap()
}

fn good() -> Packed {
    bundle("to: orders", "")
}

/// Nobody may ask for the first path any more.
fn denies() -> Packed {
    let policy = "\
---
kind: AccessPolicy
gateway: public
allow:
  - { from: [any] }
deny:
  - { from: [any], to: { paths: [/p0] } }
";
    bundle("to: orders", policy)
}

/// The service is told to fail at the first path.
fn breaks() -> Packed {
    bundle("to: orders, headers: { request: { set: { x-toy-status: '503' } } }", "")
}

/// Another answer's header at the first path.
fn differs() -> Packed {
    bundle("to: orders, headers: { response: { set: { x-mark: new } } }", "")
}

/// Asks for each path once; how many answers had each status.
fn round(lone: &Lone) -> [u16; 5] {
    PATHS.map(|path| lone.get(path).unwrap())
}

/// A proxy whose first bundle is good.
fn proven(folder: &tempfile::TempDir) -> (Lone, Packed) {
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let first = good();
    lone.offer(&first, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(first.id, 20).unwrap();
    let id = first.id.to_string();
    wait("the first bundle is good", 30, || {
        assert_eq!(round(&lone), [200; 5]);
        lone.said("/journal/good") == id
    })
    .unwrap();
    (lone, first)
}

/// The newest entry of the history for a bundle, by a field's name.
fn history(lone: &Lone, bundle: &str, field: &str) -> String {
    let status = lone.status();
    let all = status.pointer("/journal/history").and_then(Value::as_array).unwrap();
    let text =
        |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let newest = all.iter().rev().find(|entry| text(entry, "bundle") == bundle).unwrap();
    text(newest, field)
}

/// `bad` goes back by itself under load, with a panic planted at a rule before it comes, and is not taken again; how many
/// requests it hurt.
fn goes_back(bad: &Packed, status: u16, plant: Option<&str>) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = proven(&folder);
    if let Some(address) = plant {
        lone.plant("panic", address).unwrap();
    }
    assert_eq!(lone.take(bad, &Terms::of(2)).unwrap(), "activated");
    let (id, back) = (bad.id.to_string(), first.id.to_string());
    assert_eq!(lone.said("/journal/good"), back, "good does not move before probation ends");
    let mut hurt = 0_u32;
    wait("it goes back by itself", 30, || {
        let answers = round(&lone);
        hurt += u32::from(answers.first() == Some(&status));
        lone.said("/active") == back
    })
    .unwrap();
    lone.cure("panic");
    assert!(hurt >= LEAST, "not before {LEAST} requests were counted: {hurt}");
    assert_eq!(round(&lone), [200; 5]);
    let why = lone.status();
    let why = why.pointer("/journal/quarantine").and_then(|all| all.get(&id)).and_then(Value::as_str);
    assert!(why.is_some_and(|why| why.contains("% of")), "{why:?}");
    assert_eq!(history(&lone, &id, "verdict"), "bad");
    assert_eq!(lone.metric("service_mesh_bundle_returns_total").unwrap(), 1);
    assert_eq!(lone.take(bad, &Terms::of(3)).unwrap(), "quarantined");
    assert_eq!(lone.said("/active"), back);
    let screen = lone.screen().unwrap();
    assert!(screen.contains(&format!("quarantine {id}")), "{screen}");
    // The quarantine outlives the process.
    lone.stop().unwrap();
    lone.start().unwrap();
    lone.wait_active(first.id, 20).unwrap();
    assert_eq!(lone.take(bad, &Terms::of(4)).unwrap(), "quarantined");
    lone.stop().unwrap();
    hurt
}

#[test]
fn a_bundle_that_denies_a_fifth_goes_back_by_itself() {
    println!("back after {} bad requests", goes_back(&denies(), 403, None));
}

#[test]
fn a_bundle_whose_fifth_the_service_fails_at_goes_back_by_itself() {
    println!("back after {} bad requests", goes_back(&breaks(), 503, None));
}

#[test]
fn a_bundle_at_which_the_proxy_fails_goes_back_by_itself() {
    println!(
        "back after {} bad requests",
        goes_back(&bundle("to: cart", ""), 500, Some("route/cart/default"))
    );
}

/// A bundle stays, though a fifth of the requests is decided otherwise, and is good in the end.
fn stays(lone: &Lone, next: &Packed, terms: &Terms, first: u16, others: u16, verdict: &str) {
    assert_eq!(lone.take(next, terms).unwrap(), "activated");
    let id = next.id.to_string();
    let mut rounds = 0_u32;
    wait("it is good", 40, || {
        assert_eq!(lone.said("/active"), id, "{}", lone.log());
        assert_eq!(round(lone), [first, others, others, others, others]);
        rounds += 1;
        lone.said("/journal/good") == id
    })
    .unwrap();
    assert!(rounds * u32::try_from(PATHS.len()).unwrap() >= LEAST, "{rounds}");
    assert_eq!(history(lone, &id, "verdict"), verdict);
    assert_eq!(lone.metric("service_mesh_bundle_returns_total").unwrap(), 0);
}

#[test]
fn an_acknowledged_deny_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, _) = proven(&folder);
    let denied = vec!["access/gateway/public/deny[0]".to_owned()];
    let seen = Terms { acknowledges: Acknowledges { removed: 0, denied }, ..Terms::of(2) };
    stays(&lone, &denies(), &seen, 403, 200, "good");
    lone.stop().unwrap();
}

#[test]
fn an_upstream_outage_returns_no_innocent_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, _) = proven(&folder);
    lone.outage();
    wait("the outage shows", 20, || round(&lone).iter().all(|status| *status == 503)).unwrap();
    stays(&lone, &differs(), &Terms::of(2), 503, 503, "good");
    lone.stop().unwrap();
}

/// Lets the service behind `failing` answer 503 from now on, and activates a bundle that changes the first path, which
/// goes to a service of its own: the bundle is innocent, and must be good in the end.
fn innocent(failing: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let ask = |lone: &Lone, sick: bool| {
        PATHS.map(|path| {
            let fails = sick && failing.contains(&path);
            lone.get_with(path, if fails { "x-toy-status: 503\r\n" } else { "" }).unwrap()
        })
    };
    let first = bundle("to: cart", "");
    lone.offer(&first, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(first.id, 20).unwrap();
    let good = |bundle: &Packed| lone.said("/journal/good") == bundle.id.to_string();
    wait("the first bundle is good", 30, || ask(&lone, false) == [200; 5] && good(&first)).unwrap();
    // The outage is there already when the bundle comes.
    for _ in 0..LEAST {
        let failed = ask(&lone, true).iter().filter(|status| **status == 503).count();
        assert_eq!(failed, failing.len());
    }
    let next = bundle("to: cart, headers: { response: { set: { x-mark: new } } }", "");
    assert_eq!(lone.take(&next, &Terms::of(2)).unwrap(), "activated");
    wait("it is good", 40, || {
        ask(&lone, true);
        assert_eq!(lone.said("/active"), next.id.to_string(), "{}", lone.log());
        good(&next)
    })
    .unwrap();
    assert_eq!(lone.metric("service_mesh_bundle_returns_total").unwrap(), 0);
    lone.stop().unwrap();
}

#[test]
fn an_outage_that_all_services_answer_returns_no_innocent_bundle() {
    innocent(&PATHS);
}

#[test]
fn an_outage_of_the_one_service_whose_rule_changes_returns_no_innocent_bundle() {
    innocent(&["/p0"]);
}

#[test]
fn an_idle_proxy_ends_good_and_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = proven(&folder);
    let next = differs();
    assert_eq!(lone.take(&next, &Terms::of(2)).unwrap(), "activated");
    assert_eq!(lone.said("/journal/good"), first.id.to_string());
    assert!(lone.screen().unwrap().contains(&next.id.to_string()));
    lone.wait_good(next.id, 20).unwrap();
    assert_eq!(history(&lone, &next.id.to_string(), "verdict"), "good (quiet)");
    lone.stop().unwrap();
}
