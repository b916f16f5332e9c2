//! Drills in which something bad is in force, or dies on the way.

use std::time::Instant;

use mesh_bundle::Digest;
use mesh_bundle::release::ReleaseKind;
use mesh_tests::kit::bundle::Terms;
use mesh_tests::kit::lone::{Lone, outcome};
use mesh_tests::kit::wait::wait;
use serde_json::Value;

use super::{CART, answers, bundle, started};

/// Asks until the proxy dies of it.
fn dies(lone: &mut Lone) {
    wait("the proxy listens", 20, || lone.get("/orders/1").is_ok()).unwrap();
    assert!(lone.get("/cart/1").is_err(), "an answer from a dead proxy");
    lone.wait_for_end().unwrap();
}

/// Starts the proxy; how many milliseconds pass until it has answered a request.
fn recovers(lone: &mut Lone) -> u128 {
    let begun = Instant::now();
    lone.start().unwrap();
    wait("requests are answered", 20, || lone.get("/orders/1").is_ok_and(|status| status == 200)).unwrap();
    begun.elapsed().as_millis()
}

/// Three bundles of which the first two are good and the last is on probation.
fn three(lone: &mut Lone, first: Digest) -> [Digest; 3] {
    let (second, third) = (bundle("second"), bundle("third"));
    assert_eq!(lone.take(&second, &Terms::of(2)).unwrap(), "activated");
    lone.wait_good(second.id, 20).unwrap();
    assert_eq!(lone.take(&third, &Terms::of(3)).unwrap(), "activated");
    assert_eq!(lone.said("/journal/good"), second.id.to_string(), "good moves only when probation ends");
    [first, second.id, third.id]
}

/// Fastly, 8 June 2021: one customer's valid setting met a latent defect, and 85 % of the network failed.
/// <https://www.fastly.com/blog/summary-of-june-8-outage>
#[test]
fn d05_one_routes_panic_is_that_routes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    lone.plant("panic", CART).unwrap();
    let begun = Instant::now();
    for turn in 0..50 {
        assert_eq!(lone.get(&format!("/cart/{turn}")).unwrap(), 500);
        assert_eq!(lone.get(&format!("/orders/{turn}")).unwrap(), 200);
    }
    assert_eq!(lone.metric("service_mesh_proxy_faults_total").unwrap(), 50);
    assert!(lone.runs());
    assert_eq!(lone.said("/active"), first.id.to_string());
    let said = lone.log();
    assert!(said.contains("a fault inside the proxy at GET /cart/0"), "{said}");
    println!("said after {} ms", begun.elapsed().as_millis());
    lone.cure("panic");
    answers(&lone);
    lone.stop().unwrap();
}

/// The same outage: an operator must see at once which bundle and which route it is.
#[test]
fn d05_a_fault_names_bundle_and_route() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    lone.plant("panic", CART).unwrap();
    assert_eq!(lone.get("/cart/1").unwrap(), 500);
    lone.cure("panic");
    let id = first.id.to_string();
    wait("the access log is written", 10, || access(&lone, "proxy-fault").is_some()).unwrap();
    let line = access(&lone, "proxy-fault").unwrap();
    assert_eq!(line.get("bundle").and_then(Value::as_str), Some(id.as_str()), "{line}");
    assert_eq!(line.get("rule").and_then(Value::as_str), Some(CART), "{line}");
    let said = lone.log();
    let event = said.lines().find(|line| line.contains("a fault inside the proxy")).unwrap();
    assert!(event.contains(CART) && event.contains(&id), "{event}");
    lone.stop().unwrap();
}

/// The first line of the access log with this reason.
fn access(lone: &Lone, reason: &str) -> Option<Value> {
    let text = std::fs::read_to_string(lone.path("access.log")).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line.get("reason").and_then(Value::as_str) == Some(reason))
}

/// Azure Front Door, 29 October 2025: bad metadata crashed the data plane minutes after it had passed as good, and the
/// last known good had been overwritten by it. <https://azure.status.microsoft/status/history/?trackingId=YKYN-BWZ>
#[test]
fn d08_deaths_after_activation_lead_back_to_good_and_then_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let [first, second, third] = three(&mut lone, first.id);
    lone.plant("abort", CART).unwrap();
    // The source is out of the way: what is started is what lies on the own disk.
    std::fs::remove_file(lone.path("offer.mcb")).unwrap();
    dies(&mut lone);
    let mut warm = Vec::new();
    for (bundle, deaths) in [(third, 2..=3), (second, 1..=3)] {
        for death in deaths {
            warm.push(recovers(&mut lone));
            assert_eq!(lone.said("/active"), bundle.to_string(), "death {death}: {}", lone.log());
            assert_eq!(lone.said("/journal/good"), second.to_string(), "good never moved");
            dies(&mut lone);
        }
    }
    warm.push(recovers(&mut lone));
    let status = lone.status();
    assert_eq!(lone.said("/active"), first.to_string(), "{}", lone.log());
    let why = status.pointer("/journal/quarantine").and_then(|all| all.get(third.to_string())).unwrap();
    assert!(why.as_str().is_some_and(|why| why.contains("died 3 times")), "{why}");
    lone.cure("abort");
    answers(&lone);
    lone.stop().unwrap();
    // Cold: nothing on the own disk, all of it from the source.
    lone.offer(&bundle("second"), &Terms::of(2)).unwrap();
    lone.flag("--state", &lone.path("empty"));
    let cold = recovers(&mut lone);
    println!("from start to the first answer: warm {warm:?} ms, cold {cold} ms");
    lone.stop().unwrap();
}

/// CrowdStrike, 19 July 2024: what the validator passed killed the interpreter at each start.
/// <https://www.crowdstrike.com/wp-content/uploads/2024/08/Channel-File-291-Incident-Root-Cause-Analysis-08.06.2024.pdf>
#[test]
fn d09_three_failed_starts_lead_to_the_last_good_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let [_, second, third] = three(&mut lone, first.id);
    lone.stop().unwrap();
    std::fs::remove_file(lone.path("offer.mcb")).unwrap();
    lone.plant("start", "it dies before it answers anybody").unwrap();
    for _ in 0..3 {
        lone.launch().unwrap();
        lone.wait_for_end().unwrap();
    }
    lone.cure("start");
    println!("after three failed starts: {} ms to the first answer", recovers(&mut lone));
    assert_eq!(lone.said("/active"), second.to_string(), "{}", lone.log());
    assert!(lone.screen().unwrap().contains(&format!("quarantine {third}")));
    answers(&lone);
    lone.stop().unwrap();
}

/// Amazon DynamoDB, 19 October 2025: a delayed worker put an old plan over a newer one, and the clean-up removed the
/// plan that was in force. <https://aws.amazon.com/message/101925/>
#[test]
fn d13_an_older_activation_never_lands_on_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let (fifth, sixth) = (bundle("fifth"), bundle("sixth"));
    let stored =
        |lone: &Lone, bundle: Digest| lone.path(&format!("state/bundles/{}.mcb", bundle.hex())).exists();
    // The fifth is paused in the midst of its activation; meanwhile the sixth is offered.
    lone.plant("preflight", "paused").unwrap();
    lone.offer(&fifth, &Terms::of(5)).unwrap();
    wait("the fifth is being built", 20, || !lone.children().is_empty()).unwrap();
    lone.offer(&sixth, &Terms::of(6)).unwrap();
    assert_eq!(lone.get("/orders/1").unwrap(), 200, "nobody waits for a builder");
    lone.plant("go", "on").unwrap();
    lone.wait_active(sixth.id, 20).unwrap();
    lone.cure("preflight");
    // The fifth again, as if its worker woke up now.
    assert_eq!(lone.take(&fifth, &Terms::of(5)).unwrap(), "older-generation");
    assert_eq!(lone.said("/active"), sixth.id.to_string());
    assert!(stored(&lone, first.id) && stored(&lone, sixth.id), "active and good are never collected");

    // The same over a hold: the seventh waits, the eighth is pinned and cleans up, `resume` finds nothing older to do.
    assert_eq!(outcome(&lone.post("/v1/rollback").unwrap()), "activated");
    let (seventh, eighth) = (bundle("seventh"), bundle("eighth"));
    assert_eq!(lone.take(&seventh, &Terms::of(7)).unwrap(), "held");
    let pin = Terms { kind: ReleaseKind::Pin, ..Terms::of(8) };
    assert_eq!(lone.take(&eighth, &pin).unwrap(), "activated");
    lone.post("/v1/resume").unwrap();
    assert_eq!(lone.said("/active"), eighth.id.to_string());
    // Many more: what is in force and good stays, the rest is bounded.
    let mut newest = eighth.id;
    for generation in 9..21 {
        let next = bundle(&format!("more-{generation}"));
        assert_eq!(lone.take(&next, &Terms::of(generation)).unwrap(), "activated");
        newest = next.id;
        let good: Digest = lone.said("/journal/good").parse().unwrap();
        assert!(stored(&lone, newest) && stored(&lone, good), "generation {generation}");
    }
    let kept = std::fs::read_dir(lone.path("state/bundles")).unwrap().count();
    assert!(kept <= 9, "{kept} archives: in force, next, good, previous, and five older ones");
    let good: Digest = lone.said("/journal/good").parse().unwrap();
    lone.stop().unwrap();
    lone.start().unwrap();
    assert_eq!(lone.said("/active"), newest.to_string());
    assert!(stored(&lone, good));
    lone.stop().unwrap();
}

/// incident.io, 18 November 2022: one message crashed the worker that took it, and the next that took it again.
/// <https://incident.io/blog/intermittent-downtime>
#[test]
fn d22_a_bundle_that_kills_three_times_is_quarantined_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let poison = bundle("poison");
    assert_eq!(lone.take(&poison, &Terms::of(2)).unwrap(), "activated");
    lone.plant("abort", CART).unwrap();
    dies(&mut lone);
    // The source offers it all the time. The first death was that of the process which took it.
    for _ in 0..2 {
        lone.start().unwrap();
        assert_eq!(lone.said("/active"), poison.id.to_string());
        dies(&mut lone);
    }
    lone.cure("abort");
    for generation in 3..6 {
        lone.start().unwrap();
        assert_eq!(lone.said("/active"), first.id.to_string(), "{}", lone.log());
        assert_eq!(
            lone.take(&poison, &Terms::of(generation)).unwrap(),
            "quarantined",
            "whatever its release says"
        );
        answers(&lone);
        lone.stop().unwrap();
    }
    // Another bundle is taken as ever.
    lone.start().unwrap();
    assert_eq!(lone.take(&bundle("sound"), &Terms::of(6)).unwrap(), "activated");
    lone.stop().unwrap();
}
