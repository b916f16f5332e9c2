#!/usr/bin/env bash
# hyper 1.12's HTTP/1 server takes a client that closes its sending side after a whole request for one that is gone.
#
# Behaviour: a request is complete (GET, or its whole body has come), the client shuts down its writing half and waits for
# the answer, as `nc -N`, `socat` and shell scripts do. RFC 9112, 9.6 lets a server go on. hyper drops the handler's future
# at its next await and closes; no answer, no error reaches the handler. `half_close(true)` on the builder changes that,
# and then a client that really went away is not noticed before the answer is written.
#
# Why it matters: a proxy on hyper has no setting that both answers half-closed clients and stops work for lost ones;
# health checkers and scripts see an empty answer that no log line explains.
#
# Output seen (hyper 1.12.0, tokio 1.54.1, 2026-11-29):
#   default:     0 bytes, handler finished: false
#   half_close:  answered 200, handler finished: true
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "half-closed"
version = "0.0.0"
edition = "2021"
[dependencies]
hyper = { version = "=1.12.0", features = ["http1", "server"] }
hyper-util = { version = "=0.1.21", features = ["tokio"] }
http-body-util = "=0.1.5"
tokio = { version = "=1.54.1", features = ["macros", "net", "io-util", "rt", "time"] }
TOML
cat > src/main.rs <<'RUST'
use std::{convert::Infallible, sync::atomic::{AtomicBool, Ordering}, sync::Arc, time::Duration};

use http_body_util::Empty;
use hyper::{body::Bytes, server::conn::http1, service::service_fn, Response};
use hyper_util::rt::TokioIo;
use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};

async fn run(half_close: bool) -> (Vec<u8>, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let finished = Arc::new(AtomicBool::new(false));
    let seen = finished.clone();
    let server = async move {
        let (stream, _) = listener.accept().await.unwrap();
        let handler = service_fn(move |_| {
            let seen = seen.clone();
            async move {
                // An upstream that takes its time.
                tokio::time::sleep(Duration::from_millis(300)).await;
                seen.store(true, Ordering::SeqCst);
                Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
            }
        });
        let _ = http1::Builder::new().half_close(half_close).serve_connection(TokioIo::new(stream), handler).await;
    };
    let client = async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    let (_, answer) = tokio::join!(server, client);
    (answer, finished.load(Ordering::SeqCst))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (answer, finished) = run(false).await;
    println!("default:     {} bytes, handler finished: {finished}", answer.len());
    let as_seen = answer.is_empty() && !finished;
    let (answer, finished) = run(true).await;
    println!("half_close:  answered {}, handler finished: {finished}", String::from_utf8_lossy(&answer[9..12]));
    assert!(as_seen && finished && answer.starts_with(b"HTTP/1.1 200"), "hyper behaves otherwise now");
}
RUST
CARGO_TARGET_DIR=$dir/target cargo run --quiet
