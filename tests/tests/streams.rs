//! What is under way when a bundle denies it: a reviewed deny reaches open streams and requests that wait for their answer
//! (`bundle.md`, rung 8).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use mesh_bundle::pack::Packed;
use mesh_bundle::release::Acknowledges;
use mesh_tests::kit::bundle::{Terms, packed, program};
use mesh_tests::kit::lone::{Lone, mesh};
use mesh_tests::kit::wait::wait;
use mesh_tests::programs;

fn bundle(denied: &str) -> Packed {
    let rules = "name: all, match: { path: /* }, to: cart";
    let policy = format!(
        "---\nkind: AccessPolicy\ngateway: public\nallow:\n  - {{ from: [any] }}\ndeny:\n  \
         - {{ from: [any], to: {{ paths: [{denied}] }} }}\n"
    );
    packed(&program(&mesh(rules, &policy)).unwrap()).unwrap()
}

/// Begins an answer to what asks for a stream, and lets everybody else wait; ends with the connections.
fn endless(listener: &TcpListener, began: &mpsc::Sender<TcpStream>) {
    for socket in listener.incoming() {
        let mut socket = socket.unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|read| read == 1) {
            head.extend(byte);
        }
        if String::from_utf8_lossy(&head).contains("/stream") {
            let begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
            socket.write_all(begun).unwrap();
        }
        began.send(socket).unwrap();
    }
}

fn read_all(mut socket: TcpStream) -> String {
    let mut all = Vec::new();
    // Short of its end is how it ends.
    let _cut = socket.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

/// A gateway's proxy whose every request goes to `endless`, and what that began.
fn before_endless(folder: &tempfile::TempDir) -> (Lone, mpsc::Receiver<TcpStream>) {
    let lone = Lone::new(folder.path(), programs!()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoints = serde_json::json!({ "cart": { "v1": [listener.local_addr().unwrap().to_string()] } });
    std::fs::write(lone.path("endpoints.json"), endpoints.to_string()).unwrap();
    let (began, begun) = mpsc::channel();
    thread::spawn(move || endless(&listener, &began));
    (lone, begun)
}

#[test]
fn a_time_out_that_cuts_answers_short_returns_its_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, begun) = before_endless(&folder);
    let bundle = |timeout: &str| {
        let rules = format!("name: all, match: {{ path: /* }}, to: cart, timeout: {timeout}");
        let mut program = program(&mesh(&rules, "")).unwrap();
        program.mesh.probation.min_requests = 5;
        packed(&program).unwrap()
    };
    let patient = bundle("30s");
    lone.offer(&patient, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(patient.id, 20).unwrap();
    assert_eq!(lone.take(&bundle("100ms"), &Terms::of(2)).unwrap(), "activated");
    for _ in 0..5 {
        let cut = read_all(lone.open("/stream").unwrap());
        assert!(cut.starts_with("HTTP/1.1 200") && cut.contains("hello"), "{cut}");
    }
    wait("it goes back", 20, || lone.said("/active") == patient.id.to_string()).unwrap();
    assert_eq!(begun.try_iter().count(), 5);
    lone.stop().unwrap();
}

#[test]
fn a_deny_ends_what_is_under_way_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, begun) = before_endless(&folder);
    let open = bundle("/nobody");
    lone.offer(&open, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(open.id, 20).unwrap();
    let denied = [lone.open("/denied/stream").unwrap(), lone.open("/denied/wait").unwrap()];
    let others = [lone.open("/other/stream").unwrap(), lone.open("/other/wait").unwrap()];
    let backends: Vec<TcpStream> = (0..4).map(|_| begun.recv().unwrap()).collect();

    let seen = Acknowledges { removed: 0, denied: vec!["access/gateway/public".to_owned()] };
    let terms = Terms { generation: 2, acknowledges: seen, ..Terms::default() };
    assert_eq!(lone.take(&bundle("/denied/*"), &terms).unwrap(), "activated");
    let ended = || lone.metric("service_mesh_streams_ended_total").unwrap();
    wait("what is denied is ended", 20, || ended() == 2).unwrap();
    let [stream, waiting] = denied.map(read_all);
    assert!(stream.starts_with("HTTP/1.1 200") && stream.contains("hello"), "{stream}");
    assert!(!stream.ends_with("0\r\n\r\n"), "it must not look whole: {stream}");
    assert!(waiting.starts_with("HTTP/1.1 403"), "{waiting}");

    // The others go on, to their ends.
    for mut backend in backends {
        drop(backend.write_all(b"0\r\n\r\n"));
    }
    let [stream, waiting] = others.map(read_all);
    assert!(stream.contains("hello") && stream.ends_with("0\r\n\r\n"), "{stream}");
    assert!(waiting.starts_with("HTTP/1.1 502"), "the endpoint says nonsense: {waiting}");
    assert_eq!(ended(), 2);
    lone.stop().unwrap();
}
