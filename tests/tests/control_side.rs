//! Whatever holds the control side up - a check that hangs, a FIFO in place of a file, a reader that reads nothing - the
//! admin socket, `mesh-proxy status` and SIGTERM answer within a second, and a stop keeps its bound.
//!
//! What peers suffered from is tried on this proxy too: envoyproxy/envoy#16124 (the admin server accepts no request any
//! more), haproxy/haproxy#1861 (a log pipe that is read slowly), haproxy/haproxy#3229 (a reload that failed leaves the
//! process deaf to the next one), nginx/docker-nginx#107 and logrotate/logrotate#607 (opening a FIFO hangs).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its times"
)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use mesh_bundle::pack::Packed;
use mesh_tests::kit::bundle::{Terms, packed, program};
use mesh_tests::kit::lone::{Lone, mesh};
use mesh_tests::kit::process::meshc;
use mesh_tests::kit::wait::wait;
use mesh_tests::programs;
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use serde_json::{Value, json};

/// How long an answer may take.
const SOON: Duration = Duration::from_secs(1);
/// How often each is asked.
const ROUNDS: usize = 20;
/// What `--drain` of [`Lone`] says.
const DRAIN: Duration = Duration::from_secs(1);

/// A bundle that differs in one response header.
fn bundle(mark: &str) -> Packed {
    let rules = format!(
        "name: first, match: {{ path: /* }}, to: orders, headers: {{ response: {{ set: {{ x-mark: {mark} }} }} }}"
    );
    packed(&program(&mesh(&rules, "")).unwrap()).unwrap()
}

/// A proxy under a first bundle.
fn started(folder: &tempfile::TempDir) -> Lone {
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let first = lone.offer(&bundle("first"), &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(first, 20).unwrap();
    wait("requests are answered", 20, || lone.get("/a").is_ok_and(|status| status == 200)).unwrap();
    lone
}

fn fifo(path: &Path) {
    drop(std::fs::remove_file(path));
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// Puts a FIFO in the place of a file, in one step.
fn replaced_by_fifo(path: &Path) {
    let beside = path.with_extension("fifo");
    fifo(&beside);
    std::fs::rename(beside, path).unwrap();
}

fn timed<T>(ask: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let answer = ask();
    (begun.elapsed(), answer)
}

/// Asks again and again; the worst time of each.
fn answers(lone: &Lone, while_what: &str) {
    let (mut health, mut ready, mut status) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let (took, answer) = timed(|| lone.admin("GET", "/healthz").unwrap());
        assert_eq!(answer, (200, "ok\n".to_owned()));
        health = health.max(took);
        ready = ready.max(timed(|| lone.admin("GET", "/readyz").unwrap()).0);
        let (took, screen) = timed(|| lone.screen().unwrap());
        assert!(screen.contains("in force"), "{screen}");
        status = status.max(took);
    }
    println!("{while_what}: /healthz {health:?}, /readyz {ready:?}, status {status:?} at worst");
    assert!(health.max(ready).max(status) < SOON, "{while_what}");
}

/// Ends the proxy by SIGTERM while nothing is in flight.
fn stops(lone: &mut Lone, while_what: &str) {
    let (took, ended) = timed(|| lone.stop());
    ended.unwrap();
    println!("{while_what}: SIGTERM to the end {took:?}");
    assert!(took < SOON, "{while_what}: {took:?}\n{}", lone.log());
}

#[test]
fn a_check_that_hangs_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = started(&folder);
    lone.plant("preflight", "paused").unwrap();
    lone.offer(&bundle("next"), &Terms::of(2)).unwrap();
    wait("the next bundle is being checked", 20, || !lone.children().is_empty()).unwrap();
    answers(&lone, "a check that hangs");
    assert_eq!(lone.get("/a").unwrap(), 200);
    wait("the status says so", 20, || lone.said("/busy/with") == "offer").unwrap();
    stops(&mut lone, "a check that hangs");
    assert_eq!(lone.children(), [0_u32; 0], "the child is ended too");
    let journal = std::fs::read_to_string(lone.path("state/journal.json")).unwrap();
    let journal: Value = serde_json::from_str(&journal).unwrap();
    assert_eq!(journal["boots"], json!({}), "a stop meanwhile is no death");
    // The same offer is taken by a proxy whose checks end.
    lone.cure("preflight");
    lone.start().unwrap();
    lone.wait_active(bundle("next").id, 20).unwrap();
    lone.stop().unwrap();
}

#[test]
fn a_check_that_hangs_at_the_start_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    lone.plant("preflight", "paused").unwrap();
    lone.offer(&bundle("first"), &Terms::of(1)).unwrap();
    lone.launch().unwrap();
    wait("the bundle is being checked", 20, || !lone.children().is_empty()).unwrap();
    answers(&lone, "a check that hangs at the start");
    assert_eq!(lone.admin("GET", "/readyz").unwrap(), (503, "starting\n".to_owned()));
    stops(&mut lone, "a check that hangs at the start");
}

#[test]
fn a_fifo_in_place_of_the_source_is_a_refusal_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = started(&folder);
    replaced_by_fifo(&lone.path("offer.mcb"));
    wait("it is refused", 20, || lone.said("/journal/lastRefusal/refusal/code") == "unreadable-source")
        .unwrap();
    answers(&lone, "a FIFO as source");
    // A reload that failed leaves the proxy as ready for the next one as ever.
    assert_eq!(lone.take(&bundle("next"), &Terms::of(2)).unwrap(), "activated");
    replaced_by_fifo(&lone.path("offer.mcb"));
    stops(&mut lone, "a FIFO as source");
}

#[test]
fn a_fifo_in_place_of_the_endpoints_keeps_those_that_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = started(&folder);
    replaced_by_fifo(&lone.path("endpoints.json"));
    wait("it is refused", 20, || {
        lone.metric("service_mesh_file_refusals_total{kind=\"endpoints\"}").is_ok_and(|count| count > 0)
    })
    .unwrap();
    answers(&lone, "a FIFO as endpoints file");
    assert_eq!(lone.get("/a").unwrap(), 200);
    stops(&mut lone, "a FIFO as endpoints file");
}

#[test]
fn a_fifo_in_place_of_a_certificate_a_key_or_roots_keeps_the_identity() {
    for file in ["tls.crt", "tls.key", "roots/drill.example.pem"] {
        let folder = tempfile::tempdir().unwrap();
        let mut lone = Lone::new(folder.path(), programs!()).unwrap();
        let ids = lone.path("ids").display().to_string();
        let words = ["keygen", "--dev-ca", &ids, "--trust-domain", "drill.example", "--env", "local", "--id"];
        meshc(folder.path(), words.into_iter().chain(["gateway/public"])).unwrap();
        let identity = lone.path("ids/gateway/public");
        lone.flag("--identity", &identity);
        let first = lone.offer(&bundle("first"), &Terms::of(1)).unwrap();
        lone.start().unwrap();
        lone.wait_active(first, 20).unwrap();
        replaced_by_fifo(&identity.join(file));
        wait("it is refused", 20, || {
            lone.metric("service_mesh_file_refusals_total{kind=\"identity\"}").is_ok_and(|count| count > 0)
        })
        .unwrap();
        answers(&lone, &format!("a FIFO as {file}"));
        stops(&mut lone, &format!("a FIFO as {file}"));
    }
}

#[test]
fn a_fifo_as_access_log_trust_file_or_lock_ends_the_start_in_words() {
    for (flag, words) in [
        ("--access-log", "neither a regular file nor a character device"),
        ("--trust", "not a regular file"),
        ("--identity", "not a regular file"),
        ("--state", "cannot write"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut lone = Lone::new(folder.path(), programs!()).unwrap();
        let odd = lone.path("odd");
        match flag {
            "--identity" => {
                std::fs::create_dir(&odd).unwrap();
                fifo(&odd.join("tls.crt"));
            }
            "--state" => {
                std::fs::create_dir(&odd).unwrap();
                fifo(&odd.join("lock"));
            }
            _ => fifo(&odd),
        }
        lone.flag(flag, &odd);
        let (took, ended) = timed(|| {
            lone.launch().unwrap();
            lone.wait_for_end()
        });
        ended.unwrap();
        println!("{flag} FIFO: ends after {took:?}");
        assert!(took < SOON && lone.log().contains(words), "{flag} after {took:?}: {}", lone.log());
    }
}

/// A full pipe that somebody holds open and nobody reads.
fn full_pipe(path: &Path) -> File {
    fifo(path);
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
    let mut both = OpenOptions::new().read(true).write(true).custom_flags(nonblocking).open(path).unwrap();
    for piece in [&[b' '; 4096][..], b" "] {
        while both.write(piece).is_ok() {}
    }
    both
}

#[test]
fn output_that_nobody_reads_holds_nobody_up_and_a_stop_keeps_its_bound() {
    for in_flight in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut lone = Lone::new(folder.path(), programs!()).unwrap();
        let output = lone.path("output");
        let pipe = full_pipe(&output);
        lone.log_to(&output);
        lone.flag("--access-log", Path::new("-"));
        // An endpoint that takes connections and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoints = std::fs::read_to_string(lone.path("endpoints.json")).unwrap();
        let mut endpoints: Value = serde_json::from_str(&endpoints).unwrap();
        endpoints["cart"] = json!({ "v1": [silent.local_addr().unwrap().to_string()] });
        std::fs::write(lone.path("endpoints.json"), endpoints.to_string()).unwrap();
        let rules =
            "name: slow, match: { path: /slow }, to: cart\nname: rest, match: { path: /* }, to: orders";
        let first = lone.offer(&packed(&program(&mesh(rules, "")).unwrap()).unwrap(), &Terms::of(1)).unwrap();
        lone.start().unwrap();
        lone.wait_active(first, 20).unwrap();
        wait("requests are answered", 20, || lone.get("/a").is_ok_and(|status| status == 200)).unwrap();
        let mut worst = Duration::ZERO;
        for _ in 0..200 {
            let (took, status) = timed(|| lone.get("/a").unwrap());
            assert_eq!(status, 200);
            worst = worst.max(took);
        }
        assert!(worst < SOON, "a request took {worst:?}");
        answers(&lone, "output that nobody reads");
        let bound = DRAIN + SOON + SOON / 4;
        let held = in_flight.then(|| {
            let client = lone.open("/slow").unwrap();
            (client, silent.accept().unwrap())
        });
        let (took, ended) = timed(|| lone.stop());
        ended.unwrap();
        println!(
            "output that nobody reads, in flight {in_flight}: request {worst:?}, SIGTERM to the end {took:?}"
        );
        assert!(took < bound, "{took:?} to the end, in flight: {in_flight}");
        assert!(!in_flight || took >= DRAIN, "{took:?}: a request in flight has its time");
        drop((held, pipe));
    }
}

#[test]
fn what_was_dropped_of_the_access_log_is_counted_and_the_reader_may_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let output = lone.path("output");
    let mut pipe = full_pipe(&output);
    lone.log_to(&output);
    lone.flag("--access-log", Path::new("-"));
    let first = lone.offer(&bundle("first"), &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(first, 20).unwrap();
    let dropped = || lone.metric("service_mesh_access_log_dropped_total").unwrap();
    let mut asked = 0;
    while dropped() == 0 {
        for _ in 0..1_000 {
            assert_eq!(lone.get("/a").unwrap(), 200);
        }
        asked += 1_000;
        assert!(asked < 40_000, "nothing is dropped");
    }
    // Somebody reads again: what waited comes, and new lines after it.
    let mut seen = Vec::new();
    wait("the log goes on", 20, || {
        let mut piece = [0; 64 << 10];
        while let Ok(read @ 1..) = pipe.read(&mut piece) {
            seen.extend_from_slice(piece.get(..read).unwrap());
        }
        lone.get("/last").is_ok() && String::from_utf8_lossy(&seen).contains("\"/last\"")
    })
    .unwrap();
    println!("{} of {asked} lines were dropped, and counted", dropped());
    lone.stop().unwrap();
}

#[test]
fn an_admin_client_that_says_half_or_reads_nothing_holds_no_other_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = started(&folder);
    let mut idle = Vec::new();
    for turn in 0..64 {
        let mut socket = UnixStream::connect(lone.path("admin.sock")).unwrap();
        let asked: &[u8] =
            if turn % 2 == 0 { b"GET /metrics HT" } else { b"GET /metrics HTTP/1.1\r\nhost: admin\r\n\r\n" };
        socket.write_all(asked).unwrap();
        idle.push(socket);
    }
    answers(&lone, "64 idle admin clients");
    stops(&mut lone, "64 idle admin clients");
    drop(idle);
}
