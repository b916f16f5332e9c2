//! The preflight's child dies, hangs, bloats, lies, or is killed at any step: the bundle is refused in words, within the
//! child's bounds, what was in force stays, and nothing is left behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use mesh_bundle::pack::Packed;
use mesh_tests::kit::bundle::{Terms, packed, program};
use mesh_tests::kit::draft::Draft;
use mesh_tests::kit::lone::{Lone, mesh};
use mesh_tests::kit::wait::wait;
use mesh_tests::programs;
use serde_json::{Value, json};

/// Longer than any bound of a faulty child: 2 s of wall time, 1 s of processor time.
const SOON: Duration = Duration::from_secs(20);

/// A bundle that differs in one response header.
fn bundle(mark: &str) -> Packed {
    let rules = format!(
        "name: first, match: {{ path: /* }}, to: orders, headers: {{ response: {{ set: {{ x-mark: {mark} }} }} }}"
    );
    packed(&program(&mesh(&rules, "")).unwrap()).unwrap()
}

/// A proxy under a first bundle.
fn started(folder: &tempfile::TempDir) -> (Lone, String) {
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let first = lone.offer(&bundle("first"), &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(first, 20).unwrap();
    wait("requests are answered", 20, || lone.get("/a").is_ok_and(|status| status == 200)).unwrap();
    (lone, first.to_string())
}

/// Each fault refuses the next bundle with this code and these words.
fn refuses(faults: &[(&str, &str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let next = bundle("next");
    for (turn, (kind, code, words)) in (1..).zip(faults) {
        lone.plant("preflight", kind).unwrap();
        let begun = Instant::now();
        let got = lone.take(&next, &Terms::of(1 + turn)).unwrap();
        assert_eq!(got, *code, "{kind}: {}", lone.log());
        assert!(begun.elapsed() < SOON, "{kind} took {:?}", begun.elapsed());
        let message = lone.said("/journal/lastRefusal/refusal/message");
        assert!(message.contains(words), "{kind}: {message}");
        assert_eq!(lone.said("/active"), first, "{kind}");
        assert_eq!(lone.get("/a").unwrap(), 200, "{kind}");
        assert_eq!(lone.children(), [0_u32; 0], "{kind} leaves processes");
        assert!(lone.runs(), "{kind}");
    }
    let refused = lone.metric("service_mesh_bundle_refusals_total").unwrap();
    assert!(refused >= faults.len() as u64, "{refused} refusals are counted");
    lone.cure("preflight");
    let number = 2 + faults.len() as u64;
    assert_eq!(lone.take(&next, &Terms::of(number)).unwrap(), "activated", "the bundle itself is sound");
    lone.stop().unwrap();
}

#[test]
fn a_faulty_child_is_a_refusal_in_words() {
    refuses(&[
        ("panic", "preflight-crashed", "the builder fell over a planted fault"),
        ("abort", "preflight-crashed", "signal 6"),
        ("hang", "preflight-timeout", "more than 2 s"),
        ("spin", "preflight-crashed", "signal"),
        ("bloat", "preflight-crashed", "signal 6"),
        ("garbage", "preflight-crashed", "exit 0"),
        ("flood", "preflight-crashed", "the preflight"),
        ("silent", "preflight-crashed", "exit 0"),
        ("refuses", "planted", "the builder says no"),
        ("fails-after-good", "preflight-crashed", "exit 2"),
        ("missing", "preflight-unavailable", "cannot be started"),
    ]);
}

#[test]
fn a_child_killed_at_any_step_is_a_refusal() {
    let steps =
        ["at-start", "when-limited", "while-reading", "when-fed", "while-answering", "after-answering"];
    let kinds: Vec<String> = steps.iter().map(|step| format!("killed-{step}")).collect();
    let faults: Vec<_> = kinds.iter().map(|kind| (kind.as_str(), "preflight-crashed", "signal 9")).collect();
    refuses(&faults);
}

#[test]
fn a_child_without_its_output_pipe_is_ended_in_time() {
    refuses(&[("closes-output", "preflight-timeout", "more than 2 s")]);
}

#[test]
fn a_child_without_any_pipe_is_ended_in_time() {
    refuses(&[("closes-pipes", "preflight-timeout", "more than 2 s")]);
}

/// A bundle whose first self-test of the gateway's route expects another service.
fn wrong() -> Packed {
    let mut draft = Draft::of(&bundle("wrong"));
    let mut tests = draft.tests("routes/public/edge");
    let expected = tests.pointer_mut("/cases/0/expect").unwrap();
    let text = expected.to_string();
    assert!(text.contains("orders"), "{text}");
    *expected = serde_json::from_str::<Value>(&text.replace("orders", "cart")).unwrap();
    draft.set_tests("routes/public/edge", &tests).unwrap();
    draft.packed().unwrap()
}

#[test]
fn a_wrong_self_test_refuses_its_bundle_at_rung_6() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    // The child says so; and where the child lies, the proxy finds out by itself.
    for (generation, fault) in [(2, None), (3, Some("lies"))] {
        if let Some(fault) = fault {
            lone.plant("preflight", fault).unwrap();
        }
        assert_eq!(
            lone.take(&wrong(), &Terms::of(generation)).unwrap(),
            "self-test-failed",
            "{}",
            lone.log()
        );
        let status = lone.status();
        let refusal = status.pointer("/journal/lastRefusal/refusal").unwrap();
        assert_eq!(refusal.get("rung"), Some(&json!("proven")), "{refusal}");
        assert_eq!(refusal.get("unit"), Some(&json!("routes/public/edge")), "{refusal}");
        let message = refusal.get("message").and_then(Value::as_str).unwrap();
        assert!(message.contains("cart") && message.contains("drill.example"), "{message}");
        assert_eq!(lone.said("/active"), first);
        assert_eq!(lone.get("/a").unwrap(), 200);
    }
    lone.stop().unwrap();
}
