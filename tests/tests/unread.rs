//! A client that does not read what it asked for: the proxy stops reading from the endpoint instead of keeping the rest.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mesh_tests::kit::bundle::{Terms, packed, program};
use mesh_tests::kit::lone::{Lone, mesh};
use mesh_tests::programs;

/// Clients at once.
const CLIENTS: usize = 3;
/// Bytes of each answer.
const ANSWER: usize = 64 << 20;
/// The most that the proxy may grow by for all of them, in KiB. hyper keeps about 400 KiB a connection and direction;
/// what the kernel's sockets hold does not count.
const GROWTH: u64 = 16 << 10;
/// An endpoint that could write nothing for so long is held back.
const STALL: Duration = Duration::from_secs(1);

/// Answers one request as fast as it is taken; says how much was, once the proxy takes no more.
fn flood(mut socket: TcpStream, chunked: bool) -> usize {
    let mut byte = [0];
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|read| read == 1) {
        head.extend(byte);
    }
    let piece = vec![b'z'; 64 << 10];
    let begun = if chunked {
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
    } else {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {ANSWER}\r\n\r\n")
    };
    socket.write_all(begun.as_bytes()).unwrap();
    socket.set_write_timeout(Some(STALL)).unwrap();
    let mut written = 0;
    while written < ANSWER {
        let size = format!("{:x}\r\n", piece.len());
        let parts: [&[u8]; 3] = if chunked { [size.as_bytes(), &piece, b"\r\n"] } else { [b"", &piece, b""] };
        for part in parts {
            match socket.write_all(part) {
                Ok(()) => {}
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                    return written;
                }
            }
        }
        written += piece.len();
    }
    written
}

#[test]
fn a_client_that_does_not_read_holds_its_endpoint_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoints = serde_json::json!({ "cart": { "v1": [listener.local_addr().unwrap().to_string()] } });
    std::fs::write(lone.path("endpoints.json"), endpoints.to_string()).unwrap();
    let bundle = packed(&program(&mesh("name: all, match: { path: /* }, to: cart", "")).unwrap()).unwrap();
    lone.offer(&bundle, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(bundle.id, 20).unwrap();

    for chunked in [false, true] {
        let before = lone.resident().unwrap();
        let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| lone.open("/big").unwrap()).collect();
        let (taken, reports) = mpsc::channel();
        for socket in listener.incoming().take(CLIENTS) {
            let (socket, taken) = (socket.unwrap(), taken.clone());
            thread::spawn(move || {
                let written = flood(socket.try_clone().unwrap(), chunked);
                // The connection stays open until the proxy's memory was read.
                taken.send((written, socket)).unwrap();
            });
        }
        let held: Vec<(usize, TcpStream)> = (0..CLIENTS).map(|_| reports.recv().unwrap()).collect();
        let growth = lone.resident().unwrap().saturating_sub(before);
        assert!(growth < GROWTH, "{growth} KiB more for {CLIENTS} clients, chunked: {chunked}");
        assert!(held.iter().all(|(written, _)| *written < ANSWER), "everything was taken: {held:?}");
        drop(clients);
    }
    lone.stop().unwrap();
}
