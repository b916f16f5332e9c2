//! Whole proxies in one process: two of a mesh, an application, real sockets and certificates.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::Parser;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use mesh_bundle::defaulted::Defaulted;
use mesh_bundle::expr::{CompareOp, Expression, Literal, Op, Slot, Tree};
use mesh_bundle::pack::{Input, pack, seal, state_digest};
use mesh_bundle::program::{
    Access, Action, Destination, Entry, From, Limit, Match, Mesh, Protocol, Quotas, Rate, RateKey, Respond,
    Routes, Rule, Service, SlashMode, Target, TlsMode,
};
use mesh_bundle::release::Release;
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{Digest, Name, Owner, PathPattern, Program, State, archive};
use serde_json::Value;

use super::{Cli, Seams, StartError, run_with};
use crate::admin::ask;
use crate::preflight::InProcess;
use crate::tls::testing::Authority;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A port on which nobody listens, below those that outgoing connections and other crates' tests are given.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let apart = u16::try_from(std::process::id() % 500).unwrap() * 16;
    let ports = (0..8_000).map(|_| 2_000 + (apart + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000);
    ports.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn service(port: u16) -> Service {
    Service {
        port,
        app_port: None,
        protocol: Protocol::Http,
        versions: vec![name("v1")],
        labels: BTreeMap::new(),
        escaped_slashes: SlashMode::Reject,
        addresses: BTreeMap::new(),
    }
}

fn rule(rule_name: &str, path: &str, action: Action) -> Rule {
    Rule {
        name: name(rule_name),
        matches: Match { path: Some(PathPattern::parse(path).unwrap()), ..Match::default() }.into(),
        action,
        rewrite: Defaulted::default(),
        request_headers: Defaulted::default(),
        response_headers: Defaulted::default(),
        timeout_ms: None,
        retry: None,
    }
}

/// web may GET orders; nobody may call web; cart is there and may call nobody.
fn program(teapot: bool) -> Program {
    let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
    for service_name in ["web", "orders", "cart"] {
        program.services.insert(name(service_name), service(8080));
    }
    let to_orders = Destination { service: name("orders"), version: None, role: None };
    let mut rules = vec![rule("rest", "/*", Action::Forward(vec![Target { to: to_orders, weight: 10_000 }]))];
    if teapot {
        let respond = Respond { status: 418, body: "short and stout".into(), headers: BTreeMap::new() };
        rules.insert(0, rule("pot", "/pot", Action::Respond(respond.into())));
    }
    program.routes.insert(name("orders"), Routes { rules: rules.into(), ..Routes::default() });
    let entry = Entry {
        name: "allow[0]".into(),
        from: vec![From::Service(name("web"))],
        methods: vec!["GET".into(), "POST".into()],
        paths: Vec::new(),
        when: None,
    };
    let access = Access { allow: vec![entry], ..Access::default() };
    program.access.insert(Owner::Service(name("orders")), access);
    let limit = Limit {
        name: "limits[0]".into(),
        per: RateKey::Slot(Slot::Header("x-limited".into())),
        rate: Rate { count: 1, per_ms: 3_600_000 },
        burst: 20,
        cost: 1,
    };
    program.quotas.insert(Owner::Service(name("orders")), Quotas { limits: vec![limit] });
    program
}

/// The same, but anybody may call orders, in clear too.
fn open_program() -> Program {
    let mut program = program(false);
    program.mesh.tls = TlsMode::Permissive;
    program.access.get_mut(&Owner::Service(name("orders"))).unwrap().allow[0].from.push(From::External);
    program
}

/// A folder with everything that proxies need.
struct Rig {
    dir: tempfile::TempDir,
    key: SigningKey,
    authority: Authority,
}

impl Rig {
    fn new() -> Self {
        let rig = Self {
            dir: tempfile::tempdir().unwrap(),
            key: SigningKey::from_seed(&[1; 32]).unwrap(),
            authority: Authority::new("shop.example"),
        };
        let trust = TrustSet::new(1, vec![rig.key.public()]).unwrap();
        std::fs::write(rig.path("trust.json"), serde_json::to_vec(&trust).unwrap()).unwrap();
        for service in ["web", "orders", "cart", "public"] {
            let path = if service == "public" { "gateway/public" } else { service };
            let leaf = rig.authority.issue(&format!("spiffe://shop.example/prod/{path}"));
            rig.authority.write_identity(&rig.path(&format!("id-{service}")), &leaf, &[]);
        }
        rig
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// Builds a bundle and puts it where the proxies look.
    fn publish(&self, program: &Program, generation: u64) -> Digest {
        let maps = BTreeMap::new();
        let tests = BTreeMap::new();
        let input = Input { program, source: None, compiler: "test", maps: &maps, tests: &tests };
        let mut packed = pack(&input).unwrap();
        let state = State::default();
        let release = Release {
            generation,
            ..Release::of(name("shop"), name("prod"), packed.id, state_digest(&state).unwrap())
        };
        seal(&mut packed.files, &state, &release, std::slice::from_ref(&self.key)).unwrap();
        self.offer(&archive::write(&packed.files).unwrap());
        packed.id
    }

    fn offer(&self, bytes: &[u8]) {
        std::fs::write(self.path("bundle.new"), bytes).unwrap();
        std::fs::rename(self.path("bundle.new"), self.path("bundle.mcb")).unwrap();
    }

    fn start(&self, service: &str, extra: &[&str]) -> Proxy {
        self.start_as("--service", service, extra)
    }

    /// Publishes generation 1 and waits until orders is ready under it; where it listens.
    fn start_orders(&self, program: &Program, extra: &[&str]) -> (Proxy, u16) {
        self.publish(program, 1);
        let inbound = free_port();
        let address = format!("127.0.0.1:{inbound}");
        let orders = self.start("orders", &[&["--inbound", &address], extra].concat());
        orders.wait_ready();
        (orders, inbound)
    }

    fn start_as(&self, role: &str, service: &str, extra: &[&str]) -> Proxy {
        let path = |file: &str| self.path(file).display().to_string();
        let admin = self.path(&format!("{service}.sock"));
        let (source, trust, state) =
            (path("bundle.mcb"), path("trust.json"), path(&format!("state-{service}")));
        let identity = path(&format!("id-{service}"));
        let socket = admin.display().to_string();
        let mut line = vec!["mesh-proxy", role, service, "--mesh", "shop", "--env", "prod", "--workers", "1"];
        line.extend(["--source", &source, "--trust", &trust, "--state", &state, "--identity", &identity]);
        line.extend(["--admin", &socket, "--drain", "5"]);
        line.extend(extra);
        let args = Cli::try_parse_from(line).unwrap().run.unwrap();
        Proxy {
            admin,
            thread: std::thread::spawn(move || {
                run_with(&args, Seams { preflight: Box::new(InProcess), hook: None })
            }),
        }
    }
}

struct Proxy {
    admin: PathBuf,
    thread: JoinHandle<Result<(), StartError>>,
}

impl Proxy {
    fn raw(&self, method: Method, target: &str) -> Option<(StatusCode, bytes::Bytes)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asked = ask(&self.admin, method, target);
        tokio::task::LocalSet::new().block_on(&runtime, asked).ok()
    }

    fn ask(&self, method: Method, target: &str) -> Option<(StatusCode, Value)> {
        let (status, body) = self.raw(method, target)?;
        Some((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// Waits until requests are taken, with a bundle or without.
    fn wait_listening(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.raw(Method::GET, "/readyz").is_none_or(|(_, body)| body == "starting\n") {
            assert!(!self.thread.is_finished() && Instant::now() < deadline, "the proxy does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn order(&self, target: &str) -> Value {
        self.ask(Method::POST, target).unwrap().1
    }

    fn probation_counts(&self) -> Value {
        self.ask(Method::GET, "/v1/bundle").unwrap().1["probation"]["counts"].clone()
    }

    fn wait_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.ask(Method::GET, "/readyz").is_none_or(|(status, _)| status != StatusCode::OK) {
            assert!(!self.thread.is_finished() && Instant::now() < deadline, "the proxy does not get ready");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn stop(self) {
        self.ask(Method::POST, "/v1/drain").unwrap();
        self.thread.join().unwrap().unwrap();
    }
}

/// An application that answers with what it was sent.
fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                while let Some(message) = read_message(&mut stream) {
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{message}", message.len());
                    if stream.write_all(head.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn read_message(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(head + std::str::from_utf8(&body).unwrap())
}

fn request(port: u16, head: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    send(&mut stream, head)
}

fn send(stream: &mut TcpStream, head: &str) -> (u16, String) {
    stream.write_all(head.replace('\n', "\r\n").as_bytes()).unwrap();
    let message = read_message(stream).expect("an answer");
    (message.split(' ').nth(1).unwrap().parse().unwrap(), message)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\nhost: orders\n\n")
}

#[test]
fn a_mesh_of_two_proxies() {
    let rig = Rig::new();
    let first = rig.publish(&program(false), 1);
    let (inbound, outbound, cart_out) = (free_port(), free_port(), free_port());
    let endpoints = rig.path("endpoints.json");
    std::fs::write(&endpoints, format!(r#"{{"orders": {{"v1": ["127.0.0.1:{inbound}"]}}}}"#)).unwrap();
    let endpoints = endpoints.display().to_string();
    let local = |port: u16| format!("127.0.0.1:{port}");
    let app = application().to_string();
    let orders = rig.start("orders", &["--inbound", &local(inbound), "--app", &app]);
    let spare = local(free_port());
    let web =
        rig.start("web", &["--inbound", &spare, "--outbound", &local(outbound), "--endpoints", &endpoints]);
    let spare = local(free_port());
    let cart =
        rig.start("cart", &["--inbound", &spare, "--outbound", &local(cart_out), "--endpoints", &endpoints]);
    for proxy in [&orders, &web, &cart] {
        proxy.wait_ready();
    }

    // A request goes through both, on its canonical path and without the headers of a liar.
    let liar = "GET //a/../b?x=1 HTTP/1.1\nhost: orders\nx-source-service: payments\nconnection: x-drop\nx-drop: 1\n\n";
    let (status, seen) = request(outbound, liar);
    assert_eq!(status, 200, "{seen}");
    assert!(seen.contains("GET /b?x=1 HTTP/1.1\r\n") && seen.contains("host: orders\r\n"), "{seen}");
    assert!(!seen.contains("x-source-service") && !seen.contains("x-drop"), "{seen}");
    // A body goes through too, on the same connection as before.
    let mut kept = TcpStream::connect(("127.0.0.1", outbound)).unwrap();
    assert_eq!(send(&mut kept, &get("/a")).0, 200);
    let posted = send(&mut kept, "POST /p HTTP/1.1\nhost: orders\ncontent-length: 5\n\nhello");
    assert!(posted.0 == 200 && posted.1.ends_with("hello"), "{posted:?}");

    // Who may not, may not; the callee decides by certificate, whatever the caller's proxy thinks.
    assert_eq!(request(outbound, "PUT /a HTTP/1.1\nhost: orders\n\n").0, 403);
    assert_eq!(request(outbound, "GET /a HTTP/1.1\nhost: nobody\n\n").0, 403);
    assert_eq!(request(cart_out, &get("/a")).0, 403);
    assert!(TcpStream::connect(("127.0.0.1", inbound)).is_ok_and(|mut plain| {
        plain.write_all(get("/a").replace('\n', "\r\n").as_bytes()).unwrap();
        read_message(&mut plain).is_none()
    }));
    for bad in [
        "GET /%2F HTTP/1.1\nhost: orders\n\n",
        "GET /a HTTP/1.1\nhost: a\nhost: b\n\n",
        "GET /a HTTP/1.1\n\n",
    ] {
        assert_eq!(request(outbound, bad).0, 400, "{bad}");
    }
    // Quotas answer 429 with a time to come back.
    let limited = "GET /a HTTP/1.1\nhost: orders\nx-limited: me\n\n";
    let answers: Vec<_> = (0..21).map(|_| send(&mut kept, limited)).collect();
    assert!(answers[..20].iter().all(|(status, _)| *status == 200));
    assert!(answers[20].0 == 429 && answers[20].1.contains("retry-after: "), "{:?}", answers[20]);

    // A new bundle comes into force under a kept connection.
    assert_eq!(send(&mut kept, &get("/pot")).0, 200);
    let second = rig.publish(&program(true), 2);
    assert_eq!(web.order("/v1/reload")["bundle"], second.to_string());
    assert_eq!(send(&mut kept, &get("/pot")), (418, send(&mut kept, &get("/pot")).1));

    // A broken one is refused in words, and an older one too; what is in force stays.
    let whole = std::fs::read(rig.path("bundle.mcb")).unwrap();
    rig.offer(&whole[..whole.len() / 2]);
    let refused = web.order("/v1/reload");
    assert_eq!(
        (&refused["outcome"], &refused["refusal"]["rung"]),
        (&"refused".into(), &"bound".into()),
        "{refused}"
    );
    rig.publish(&program(false), 1);
    let older = web.order("/v1/reload");
    assert_eq!(older["refusal"]["code"], "older-generation", "{older}");
    assert_eq!(send(&mut kept, &get("/pot")).0, 418);

    // Back by hand holds offers until `resume`.
    assert_eq!(web.order("/v1/rollback")["bundle"], first.to_string());
    assert_eq!(send(&mut kept, &get("/pot")).0, 200);
    let third = rig.publish(&program(true), 3);
    assert_eq!(third, second);
    // The watcher may have offered it a moment before.
    let offered = web.order("/v1/reload");
    assert!(offered["outcome"] == "held" || offered["outcome"] == "unchanged", "{offered}");
    assert_eq!(send(&mut kept, &get("/pot")).0, 200);
    assert_eq!(web.order("/v1/resume")["bundle"], third.to_string());
    assert_eq!(send(&mut kept, &get("/pot")).0, 418);

    // A restart needs no source.
    web.stop();
    std::fs::remove_file(rig.path("bundle.mcb")).unwrap();
    let web = rig.start(
        "web",
        &["--inbound", &spare_address(), "--outbound", &local(outbound), "--endpoints", &endpoints],
    );
    web.wait_ready();
    let status = web.ask(Method::GET, "/v1/bundle").unwrap().1;
    assert_eq!(status["active"], third.to_string());
    assert_eq!(request(outbound, &get("/pot")).0, 418);
    assert_eq!(request(outbound, &get("/a")).0, 200);
    for proxy in [web, cart, orders] {
        proxy.stop();
    }
}

fn spare_address() -> String {
    format!("127.0.0.1:{}", free_port())
}

/// A gRPC application: HTTP/2, and trailers after the message.
fn grpc_application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service =
                    hyper::service::service_fn(async |request: http::Request<hyper::body::Incoming>| {
                        let path = request.uri().path().to_owned();
                        let sent = request.into_body().collect().await?;
                        let mut trailers = http::HeaderMap::new();
                        trailers.insert("grpc-status", "0".parse().unwrap());
                        if let Some(seen) = sent.trailers().and_then(|trailers| trailers.get("x-sum")) {
                            trailers.insert("x-sum", seen.clone());
                        }
                        let message = [path.as_bytes(), &sent.to_bytes()].concat();
                        let body = http_body_util::Full::new(bytes::Bytes::from(message));
                        let body = body.with_trailers(std::future::ready(Some(Ok(trailers))));
                        let answer =
                            http::Response::builder().header("content-type", "application/grpc").body(body);
                        Ok::<_, hyper::Error>(answer.unwrap())
                    });
                let io = hyper_util::rt::TokioIo::new(stream);
                let server = hyper::server::conn::http2::Builder::new(crate::http::codec::LocalExecutor);
                tokio::task::spawn_local(server.serve_connection(io, service));
            }
        });
    });
    address
}

/// One gRPC call over HTTP/2 with prior knowledge: status, `grpc-status`, the message, and what came of the trailers.
fn call(port: u16, path: &str) -> (u16, String, String, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(crate::http::codec::LocalExecutor, io).await.unwrap();
        tokio::task::spawn_local(connection);
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", "7".parse().unwrap());
        let body = http_body_util::Full::new(bytes::Bytes::from_static(b"ping"));
        let body = body.with_trailers(std::future::ready(Some(Ok::<_, std::convert::Infallible>(trailers))));
        let request = http::Request::post(format!("http://orders{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(body)
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        let find = |name: &str| {
            let text = |map: &http::HeaderMap| map.get(name).map(|value| value.to_str().unwrap().to_owned());
            text(&head.headers).or_else(|| body.trailers().and_then(text)).unwrap_or_default()
        };
        let (code, sum) = (find("grpc-status"), find("x-sum"));
        let message = String::from_utf8(body.to_bytes().to_vec()).unwrap();
        (head.status.as_u16(), code, message, sum)
    })
}

#[test]
fn grpc_passes_through_with_its_trailers() {
    let rig = Rig::new();
    let mut program = program(false);
    program.services.get_mut("orders").unwrap().protocol = Protocol::Grpc;
    rig.publish(&program, 1);
    let (inbound, outbound) = (free_port(), free_port());
    let endpoints = rig.path("endpoints.json");
    std::fs::write(&endpoints, format!(r#"{{"orders": {{"v1": ["127.0.0.1:{inbound}"]}}}}"#)).unwrap();
    let endpoints = endpoints.display().to_string();
    let app = grpc_application().to_string();
    let orders = rig.start("orders", &["--inbound", &format!("127.0.0.1:{inbound}"), "--app", &app]);
    let out = format!("127.0.0.1:{outbound}");
    let web =
        rig.start("web", &["--inbound", &spare_address(), "--outbound", &out, "--endpoints", &endpoints]);
    orders.wait_ready();
    web.wait_ready();
    for _ in 0..3 {
        let answer = call(outbound, "/shop.Orders/Get");
        assert_eq!(answer, (200, "0".to_owned(), "/shop.Orders/Getping".to_owned(), "7".to_owned()));
    }
    // A refusal of the mesh is trailers-only.
    program.access.get_mut(&Owner::Service(name("orders"))).unwrap().allow[0].methods = vec!["GET".into()];
    rig.publish(&program, 2);
    orders.order("/v1/reload");
    let (status, code, message, _) = call(outbound, "/shop.Orders/Get");
    assert_eq!((status, code.as_str(), message.as_str()), (200, "7", ""));
    web.stop();
    orders.stop();
}

/// One request to a gateway over TLS; the certificate must be for `shop.example` and of this authority.
fn public(port: u16, authority: &Authority, alpn: &[u8], host: &str, path: &str) -> Option<u16> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.root.clone()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let uri = format!("https://{host}{path}");
    let path = path.to_owned();
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let stream = connector.connect("shop.example".try_into().unwrap(), stream).await.ok()?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = hyper_util::rt::TokioIo::new(stream);
        let body = http_body_util::Empty::<bytes::Bytes>::new();
        let response = if http2 {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(crate::http::codec::LocalExecutor, io).await.ok()?;
            tokio::task::spawn_local(connection);
            sender.send_request(http::Request::get(uri).body(body).unwrap()).await.ok()?
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.ok()?;
            tokio::task::spawn_local(connection);
            let request = http::Request::get(path).header("host", uri.split('/').nth(2).unwrap());
            sender.send_request(request.body(body).unwrap()).await.ok()?
        };
        Some(response.status().as_u16())
    })
}

#[test]
fn a_gateway_speaks_public_tls_and_needs_its_secret() {
    let rig = Rig::new();
    let mut program = program(false);
    let gateway = mesh_bundle::program::Gateway {
        listen: 443,
        hosts: vec!["shop.example".into()],
        certificate: Some("tls/shop".into()),
    };
    program.gateways.insert(name("public"), gateway);
    let to_orders = Destination { service: name("orders"), version: None, role: None };
    let action = Action::Forward(vec![Target { to: to_orders, weight: 10_000 }]);
    let routes = Routes { rules: vec![rule("api", "/api/*", action)].into(), ..Routes::default() };
    program.gateway_routes.insert(name("public"), [(name("edge"), routes)].into());
    let entry = &mut program.access.get_mut(&Owner::Service(name("orders"))).unwrap().allow[0];
    entry.from.push(From::Gateway(name("public")));
    rig.publish(&program, 1);
    let (inbound, outside) = (free_port(), free_port());
    let endpoints = rig.path("endpoints.json");
    std::fs::write(&endpoints, format!(r#"{{"orders": {{"v1": ["127.0.0.1:{inbound}"]}}}}"#)).unwrap();
    let (endpoints, secrets) = (endpoints.display().to_string(), rig.path("secrets").display().to_string());
    let app = application().to_string();
    let orders = rig.start("orders", &["--inbound", &format!("127.0.0.1:{inbound}"), "--app", &app]);
    let address = format!("127.0.0.1:{outside}");
    let extra = ["--inbound", &address, "--endpoints", &endpoints, "--secrets", &secrets];
    let gateway = rig.start_as("--gateway", "public", &extra);
    orders.wait_ready();
    gateway.wait_listening();
    // Without the secret the bundle is refused, and the place is named.
    let refused = gateway.order("/v1/reload");
    assert_eq!(refused["refusal"]["code"], "missing-secret", "{refused}");
    assert_eq!(refused["refusal"]["unit"], "gateways/public", "{refused}");
    let leaf = rig.authority.issue_with("spiffe://unused/a", |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("shop.example".try_into().unwrap())];
    });
    leaf.write(&rig.path("secrets/tls/shop"));
    assert_eq!(gateway.order("/v1/reload")["outcome"], "activated");
    for alpn in [&b"h2"[..], b"http/1.1"] {
        assert_eq!(public(outside, &rig.authority, alpn, "shop.example", "/api/a"), Some(200));
        assert_eq!(public(outside, &rig.authority, alpn, "shop.example", "/other"), Some(404));
        assert_eq!(public(outside, &rig.authority, alpn, "evil.example", "/api/a"), Some(421));
    }
    gateway.stop();
    orders.stop();
}

#[test]
fn credentials_stay_outside_and_denials_are_explained_to_the_operator_alone() {
    let rig = Rig::new();
    let mut program = program(false);
    program.mesh.remove_credentials = true;
    program.mesh.access_log = mesh_bundle::program::AccessLog::Errors;
    let deletes = Entry {
        name: "deletes".into(),
        from: vec![From::Service(name("web"))],
        methods: Vec::new(),
        paths: Vec::new(),
        when: Some(method_is("DELETE")),
    };
    program.access.get_mut(&Owner::Service(name("orders"))).unwrap().allow.push(deletes);
    let bundle = rig.publish(&program, 1).to_string();
    let (inbound, outbound) = (free_port(), free_port());
    let endpoints = rig.path("endpoints.json");
    std::fs::write(&endpoints, format!(r#"{{"orders": {{"v1": ["127.0.0.1:{inbound}"]}}}}"#)).unwrap();
    let (endpoints, log) = (endpoints.display().to_string(), rig.path("access.log").display().to_string());
    let app = application().to_string();
    let address = format!("127.0.0.1:{inbound}");
    let orders = rig.start("orders", &["--inbound", &address, "--app", &app, "--access-log", &log]);
    let out = format!("127.0.0.1:{outbound}");
    let web =
        rig.start("web", &["--inbound", &spare_address(), "--outbound", &out, "--endpoints", &endpoints]);
    orders.wait_ready();
    web.wait_ready();
    let secret = "authorization: Bearer x\nproxy-authorization: Basic eA==";
    let (status, seen) = request(outbound, &format!("GET /a HTTP/1.1\nhost: orders\n{secret}\nx-b: 1\n\n"));
    assert!(status == 200 && seen.contains("x-b: 1") && !seen.contains("authorization"), "{seen}");
    let (status, denied) = request(outbound, "PUT /a HTTP/1.1\nhost: orders\n\n");
    assert_eq!(status, 403);
    assert!(denied.ends_with("\r\n\r\ndenied\n") && !denied.contains("access/"), "{denied}");
    let id = denied.lines().find_map(|line| line.strip_prefix("x-mesh-decision: ")).unwrap().to_owned();
    let why = orders.ask(Method::GET, &format!("/v1/explain?decision={id}")).unwrap().1;
    assert_eq!((&why["rule"], &why["reason"]), (&"access/orders".into(), &"not-allowed".into()), "{why}");
    assert_eq!((&why["bundle"], &why["method"]), (&bundle.as_str().into(), &"PUT".into()), "{why}");
    assert_eq!(why["caller"], "spiffe://shop.example/prod/web");
    web.stop();
    orders.stop();
    // `errors`: the request that passed is not logged.
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert_eq!((&lines[0]["decision"], &lines[0]["bundle"]), (&id.into(), &bundle.into()));
    assert_eq!((&lines[0]["rule"], &lines[0]["status"]), (&"access/orders".into(), &403.into()));
    // Both say which part of which entry's expression decided; the log does not say what was read.
    let because = &why["because"][0];
    assert_eq!(
        (&because["rule"], &because["because"]["result"]),
        (&"access/orders/deletes".into(), &"false".into()),
        "{why}"
    );
    assert_eq!(because["because"]["seen"][0]["value"], "\"PUT\"", "{why}");
    let said = r#"access/orders/deletes: request.method == "DELETE" is false"#;
    assert_eq!(lines[0]["because"][0], said, "{text}");
}

/// `request.method == "..."`
fn method_is(method: &str) -> Expression {
    let text = format!("request.method == {method:?}");
    let constant = Op::Constant(Literal::Text(method.into()));
    let sides =
        vec![Tree::new(Op::Slot(Slot::Method), 0..14, vec![]), Tree::new(constant, 18..text.len(), vec![])];
    Expression { code: Tree::new(Op::Compare(CompareOp::Eq), 0..text.len(), sides).flatten(), text }
}

#[test]
fn without_a_bundle_a_proxy_says_so() {
    let rig = Rig::new();
    let outbound = free_port();
    let address = format!("127.0.0.1:{outbound}");
    let web = rig.start("web", &["--inbound", &spare_address(), "--outbound", &address]);
    web.wait_listening();
    assert_eq!(web.ask(Method::GET, "/readyz").unwrap().0, StatusCode::SERVICE_UNAVAILABLE);
    let (status, answer) = request(outbound, &get("/a"));
    assert!(status == 503 && answer.contains("no-bundle"), "{answer}");
    web.stop();
}

#[test]
fn a_state_folder_of_another_proxy_is_refused() {
    let rig = Rig::new();
    rig.publish(&program(false), 1);
    let web = rig.start("web", &["--inbound", &spare_address()]);
    web.wait_ready();
    let again = rig.start("web", &["--inbound", &spare_address()]);
    assert!(matches!(again.thread.join().unwrap(), Err(StartError::Store(_))));
    assert!(Path::exists(&web.admin));
    web.stop();
}

#[test]
fn callers_in_clear_are_counted_while_strict_is_on_probation() {
    let rig = Rig::new();
    let app = application().to_string();
    let mut program = open_program();
    let (orders, inbound) = rig.start_orders(&program, &["--app", &app]);
    assert_eq!(request(inbound, &get("/a")).0, 200);
    program.mesh.tls = TlsMode::Strict;
    let strict = rig.publish(&program, 2);
    assert_eq!(orders.order("/v1/reload")["bundle"], strict.to_string());
    assert_eq!(request(inbound, &get("/a")).0, 403);
    // What the bundle before denied as well is not this one's.
    assert_eq!(request(inbound, "PUT /a HTTP/1.1\nhost: orders\n\n").0, 403);
    let counts = orders.probation_counts();
    assert_eq!((&counts["counted"], &counts["broken"]), (&1.into(), &1.into()), "{counts}");
    orders.stop();
}

#[test]
fn paths_that_are_newly_refused_are_counted() {
    let rig = Rig::new();
    let app = application().to_string();
    let mut program = open_program();
    program.services.get_mut(&name("orders")).unwrap().escaped_slashes = SlashMode::Keep;
    let (orders, inbound) = rig.start_orders(&program, &["--app", &app]);
    assert_eq!(request(inbound, &get("/a%2Fb")).0, 200);
    program.services.get_mut(&name("orders")).unwrap().escaped_slashes = SlashMode::Reject;
    rig.publish(&program, 2);
    assert_eq!(orders.order("/v1/reload")["outcome"], "activated");
    assert_eq!(request(inbound, &get("/a")).0, 200);
    // The last two are bad under either bundle.
    for path in ["/a%2Fb", "/a%5Cb", "/a%5cb", "/%00", "/a%2fb%00"] {
        assert_eq!(request(inbound, &get(path)).0, 400, "{path}");
    }
    let counts = orders.probation_counts();
    assert_eq!((&counts["requests"], &counts["broken"]), (&6.into(), &3.into()), "{counts}");
    orders.stop();
}

#[test]
fn a_bundle_that_moves_the_application_is_followed() {
    let rig = Rig::new();
    let mut program = open_program();
    program.services.get_mut(&name("orders")).unwrap().app_port = Some(free_port());
    let (orders, inbound) = rig.start_orders(&program, &[]);
    assert_eq!(request(inbound, &get("/a")).0, 503);
    program.services.get_mut(&name("orders")).unwrap().app_port = Some(application().port());
    let moved = rig.publish(&program, 2);
    assert_eq!(orders.order("/v1/reload")["bundle"], moved.to_string());
    assert_eq!(request(inbound, &get("/a")).0, 200);
    orders.stop();
}
