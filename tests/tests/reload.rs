//! Reloads under load: two bundles by turns with rising generations, through a caller's proxy, a callee's proxy and a
//! gateway, over HTTP/1.1 and HTTP/2. No request fails, no connection closes, and each request sees one bundle.
//!
//! Which bundle a step used shows from outside: each bundle marks the request at the outbound decision, the response
//! at its end, and names its route rule and its access entry after itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking and shows its counts")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use mesh_bundle::pack::Packed;
use mesh_bundle::release::Acknowledges;
use mesh_bundle::trust::SigningKey;
use mesh_tests::full;
use mesh_tests::kit::bundle::{Terms, packed, program, signed};
use mesh_tests::kit::client::{Ask, Reach};
use mesh_tests::kit::files::replace;
use mesh_tests::kit::fleet::{Fleet, Member};
use mesh_tests::kit::wait::wait;
use serde_json::Value;

/// Connections of each kind.
const CONNECTIONS: usize = 4;

fn reloads() -> u64 {
    if full() { 1_000 } else { 60 }
}

/// Requests between two swaps: a million and more in a full run.
fn requests() -> u64 {
    if full() { 1_000 } else { 16 }
}

/// What one bundle is known by.
const MARKS: [&str; 2] = ["red", "blue"];

fn marked(mark: &str) -> Packed {
    let headers = format!(
        "headers: {{ request: {{ set: {{ x-asked-under: {mark} }} }}, response: {{ set: {{ x-answered-under: {mark} }} }} }}"
    );
    let text = format!(
        "\
kind: Mesh
name: swap
version: 1
trustDomain: swap.example
gateways:
  public: {{ listen: 443, hosts: [swap.example], certificate: {{ secret: tls/swap }} }}
---
kind: Environment
name: local
---
kind: Service
name: web
port: 8080
callers: [gateway/public]
---
kind: Service
name: orders
port: 8080
---
kind: Route
service: orders
rules:
  - {{ name: {mark}, match: {{ path: /* }}, to: orders, {headers} }}
---
kind: Route
name: edge
gateway: public
rules:
  - {{ name: {mark}, match: {{ path: /* }}, to: orders }}
---
kind: AccessPolicy
service: orders
allow:
  - {{ name: {mark}, from: [web, gateway/public] }}
"
    );
    packed(&program(&text).unwrap()).unwrap()
}

/// Offers a bundle under a generation, as one archive that replaces the one before.
fn offer(fleet: &Fleet, key: &SigningKey, bundle: &Packed, generation: u64) {
    // Everything is renamed each time.
    let acknowledges = Acknowledges { removed: 100, denied: Vec::new() };
    let terms = Terms { acknowledges, ..Terms::of(generation) };
    let signed = signed(bundle.clone(), std::slice::from_ref(key), |release| terms.apply(release)).unwrap();
    replace(&fleet.source, &signed.archive().unwrap()).unwrap();
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    failed: AtomicU64,
    closed: AtomicU64,
    mixed: AtomicU64,
    by_mark: [AtomicU64; 2],
}

/// One connection that asks again and again until told to stop, and never connects twice.
async fn load(reach: Reach, host: &'static str, stop: Arc<AtomicBool>, counts: Arc<Counts>) {
    let mut connection = reach.connect().await.unwrap();
    let ask = Ask { method: "GET", host, target: "/a", headers: &[], body: Bytes::new() };
    while !stop.load(Ordering::Relaxed) {
        let Ok(answer) = connection.send(&ask, reach.tls.is_some()).await else {
            counts.closed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if answer.status != 200 {
            counts.failed.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        counts.answered.fetch_add(1, Ordering::Relaxed);
        let closes = answer.headers.get("connection").is_some_and(|value| value == "close");
        counts.closed.fetch_add(u64::from(closes), Ordering::Relaxed);
        let seen: Value = serde_json::from_slice(&answer.body).unwrap();
        let asked = seen.pointer("/headers/x-asked-under/0").and_then(Value::as_str).unwrap_or_default();
        let answered =
            answer.headers.get("x-answered-under").and_then(|v| v.to_str().ok()).unwrap_or_default();
        match MARKS.iter().position(|mark| *mark == asked) {
            Some(place) if asked == answered => {
                counts.by_mark.get(place).unwrap().fetch_add(1, Ordering::Relaxed);
            }
            _ => {
                counts.mixed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[test]
fn reloads_under_load_lose_nothing_and_mix_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let members = [("web", 8080), ("orders", 8080)].map(|(service, port)| Member {
        service: service.into(),
        version: "v1".into(),
        port,
    });
    let gateway = Some(("public", "tls/swap", "swap.example"));
    let mut fleet =
        Fleet::prepare(folder.path(), "swap", "swap.example", "local", &members, gateway).unwrap();
    let key = SigningKey::from_pem(&std::fs::read_to_string(fleet.key()).unwrap()).unwrap();
    let bundles = MARKS.map(marked);
    offer(&fleet, &key, &bundles[0], 1);
    fleet.start(&members, Some("public"), 1).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let mut loads = Vec::new();
    for http2 in [false, true] {
        let entrances = [
            (fleet.from("web-v1", http2).unwrap(), "orders"),
            (fleet.gateway("public", "swap.example", http2).unwrap(), "swap.example"),
        ];
        for (reach, host) in entrances {
            for _ in 0..CONNECTIONS {
                loads.push(runtime.spawn(load(reach.clone(), host, Arc::clone(&stop), Arc::clone(&counts))));
            }
        }
    }
    let reloads = reloads();
    for turn in 1..=reloads {
        let (before, bundle) =
            (counts.answered.load(Ordering::Relaxed), &bundles[usize::from(turn % 2 == 1)]);
        offer(&fleet, &key, bundle, turn + 1);
        fleet.reload().unwrap();
        // Each swap is under load: requests were answered since.
        wait("requests go on", 30, || counts.answered.load(Ordering::Relaxed) >= before + requests())
            .unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        for load in loads {
            load.await.unwrap();
        }
    });
    let answered = counts.answered.load(Ordering::Relaxed);
    let by_mark = counts.by_mark.each_ref().map(|count| count.load(Ordering::Relaxed));
    let (failed, closed, mixed) = (
        counts.failed.load(Ordering::Relaxed),
        counts.closed.load(Ordering::Relaxed),
        counts.mixed.load(Ordering::Relaxed),
    );
    println!(
        "{reloads} reloads of 3 proxies, {} connections: {answered} requests, {failed} failed, {closed} closed, {mixed} mixed; {by_mark:?} under {MARKS:?}",
        4 * CONNECTIONS
    );
    assert_eq!((failed, closed, mixed), (0, 0, 0));
    assert!(answered >= reloads * requests(), "{answered}");
    assert!(by_mark.iter().all(|count| *count > 0));
    let ids: Vec<String> = bundles.iter().map(|bundle| bundle.id.to_string()).collect();
    for instance in fleet.instances.values() {
        let metrics = instance.metrics().unwrap();
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.parse::<u64>().ok())
        };
        assert_eq!(value("service_mesh_bundle_activations_total"), Some(reloads + 1), "{}", instance.name);
        instance.proxy.signal("TERM").unwrap();
    }
    for instance in fleet.instances.values_mut() {
        wait("the proxy ends", 40, || !instance.proxy.runs()).unwrap();
        let lines = logged(&folder.path().join(format!("{}.access.log", instance.name)), &ids);
        println!("{}: {lines} lines, each of one bundle", instance.name);
        assert!(lines > 0 || instance.name == "web-v1");
    }
}

/// Checks that each line's bundle is the one that its rule belongs to; gives the number of lines.
fn logged(path: &Path, ids: &[String]) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let mark = field("rule").rsplit('/').next().unwrap_or_default();
        let place = MARKS.iter().position(|known| *known == mark);
        let place = place.unwrap_or_else(|| panic!("a rule of no bundle: {line}"));
        assert_eq!(ids.get(place).map(String::as_str), Some(field("bundle")), "{line}");
        count += 1;
    }
    count
}
