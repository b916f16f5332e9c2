//! `meshc route` and live proxies agree on facts: requests with sizes, addresses, server names, schemes, ports, cookies and
//! odd header lines enter a fleet by two gateways that share a host, one of them over TLS, and by a service's own proxy;
//! status, location, rules, service, version, path, host and headers are what the decision core says.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its counts"
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use mesh_bundle::{Owner, Program, State, archive, verify};
use mesh_decision::head::Version;
use mesh_decision::journey::{Ask, Journey, Mesh};
use mesh_tests::full;
use mesh_tests::kit::client::{self, Reach};
use mesh_tests::kit::compare::{Live, same};
use mesh_tests::kit::fleet::{Fleet, Member};
use mesh_tests::kit::process::meshc;
use mesh_tests::kit::raw::{exchange, head, odd_line};
use mesh_tests::random::Random;

const SEED: u64 = 20_264;

/// Rules that forward set `x-rule`, so that the service tells which one took the request.
const MESH: &str = r#"kind: Mesh
name: facts
version: 1
trustDomain: facts.example
tls: strict
defaults: { retry: none }
gateways:
  plain: { listen: 8080, hosts: [a.facts.example, "*.w.facts.example"] }
  secure: { listen: 8443, hosts: [a.facts.example, b.facts.example, "*.w.facts.example"], certificate: { secret: tls/facts } }
---
kind: Environment
name: local
---
kind: Service
name: web
port: 9001
callers: []
---
kind: Service
name: cart
port: 9002
---
kind: Service
name: orders
port: 9003
versions: [v1, v2]
---
kind: Canary
service: orders
stable: v1
candidate: v2
sticky: { header: user }
stages: [{ weight: 50%, hold: 10m }]
---
kind: AccessPolicy
service: cart
deny:
  - { name: hop, from: [any], when: 'connection.sni != "cart" || request.scheme != "https"' }
allow:
  - { name: gateways, from: [gateway/plain, gateway/secure], when: 'source.ip == "127.0.0.1"' }
  - { name: web, from: [web], when: 'request.size <= 1200 && source.service == "web"' }
---
kind: AccessPolicy
service: orders
deny:
  - { name: hop, from: [any], when: 'connection.sni != "orders" || connection.tlsVersion != "1.3" || !connection.mtls' }
  - { name: large, from: [any], when: 'request.size > 2000' }
allow:
  - { name: gateways, from: [gateway/plain, gateway/secure] }
  - { name: web, from: [web], to: { methods: [GET, POST] } }
---
kind: AccessPolicy
gateway: secure
deny:
  - { name: address, from: [any], when: 'source.ip == "127.0.0.7"' }
  - { name: name, from: [any], when: 'connection.sni == "x.w.facts.example" && request.path.startsWith("/private")' }
  - { name: unnamed, from: [any], when: 'connection.sni == "" && request.path.startsWith("/private")' }
  - { name: size, from: [any], to: { paths: [/small/*] }, when: 'request.size >= 1500' }
  - { name: tls, from: [any], when: 'connection.tlsVersion != "1.3" || request.scheme != "https" || connection.mtls' }
allow: [{ name: all, from: [external] }]
---
kind: AccessPolicy
gateway: plain
deny:
  - { name: network, from: [any], when: 'cidr("127.0.0.4/30").containsIP(source.ip)' }
  - { name: tls, from: [any], when: 'connection.tlsVersion != "" || connection.sni != "" || request.scheme != "http"' }
allow: [{ name: all, from: [external] }]
---
kind: Route
name: edge
gateway: secure
hosts: [a.facts.example, "*.w.facts.example"]
sticky: { source: ip }
rules:
  - { name: size, match: { path: /size/*, when: 'request.size > 1000' }, to: orders, headers: { request: { set: { x-rule: size } } } }
  - { name: near, match: { path: /*, when: 'source.ip == "127.0.0.3"' }, to: cart, headers: { request: { set: { x-rule: near } } } }
  - { name: tenant, match: { path: /*, headers: { x-tenant: acme } }, to: orders@v2, headers: { request: { set: { x-rule: tenant } } } }
  - { name: session, match: { path: /*, cookies: { session: s1 } }, respond: { status: 201, body: session } }
  - { name: query, match: { path: /old/*, query: { a: '1' } }, redirect: { prefix: /new, status: 308 } }
  - { name: split, match: { path: /split/* }, to: [{ to: orders@v1, weight: 60% }, { to: cart, weight: 40% }], headers: { request: { set: { x-rule: split } } } }
  - { name: rest, match: { path: /* }, to: orders, headers: { request: { set: { x-rule: rest } } } }
---
kind: Route
name: other
gateway: secure
hosts: [b.facts.example]
rules:
  - { name: host, match: { path: /*, when: 'request.host == "b.facts.example"' }, to: cart, headers: { request: { set: { x-rule: host } } } }
---
kind: Route
name: clear
gateway: plain
rules:
  - { name: up, match: { path: /up/* }, redirect: { scheme: https, port: 8443 } }
  - { name: over, match: { path: /old/* }, redirect: { prefix: /new } }
  - { name: flag, match: { path: /*, headers: { x-flag: { present: true } }, when: 'request.scheme == "http"' }, to: cart, headers: { request: { set: { x-rule: flag } } } }
  - { name: rest, match: { path: /* }, to: orders, headers: { request: { set: { x-rule: rest } } } }
---
kind: Route
service: orders
rules:
  - { name: small, match: { path: /*, methods: [POST], when: 'request.size < 10' }, to: orders@v2, headers: { request: { set: { x-inner: small } } } }
  - { name: address, match: { path: /*, when: 'source.ip == "127.0.0.2"' }, to: orders@v1, headers: { request: { set: { x-inner: address } } } }
  - { name: clear, match: { path: /size/*, callers: [gateway/plain], when: 'request.scheme == "http"' }, to: orders@v2, headers: { request: { set: { x-inner: clear } } } }
  - { name: tls, match: { path: /size/*, when: 'request.scheme == "https"' }, to: orders@v1, headers: { request: { set: { x-inner: tls } } } }
  - { name: rest, match: { path: /* }, to: orders, headers: { request: { set: { x-inner: rest } } } }
"#;

const NAMES: [&str; 5] =
    ["a.facts.example", "b.facts.example", "x.w.facts.example", "y.w.facts.example", "c.facts.example"];

/// How often a request with a body is asked again where a refusal is lost with its connection.
const RESETS: usize = 8;

fn requests() -> usize {
    if full() { 5_000 } else { 400 }
}

#[test]
fn facts_are_the_same_in_route_and_in_live_proxies() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = folder.path().join("mesh");
    std::fs::create_dir(&mesh).unwrap();
    std::fs::write(mesh.join("mesh.yaml"), MESH).unwrap();
    let member = |service: &str, version: &str, port| Member {
        service: service.to_owned(),
        version: version.to_owned(),
        port,
    };
    let members = [
        member("cart", "v1", 9002),
        member("orders", "v1", 9003),
        member("orders", "v2", 9003),
        member("web", "v1", 9001),
    ];
    let secret = ("tls/facts", "a.facts.example");
    let secure = Some(("secure", secret.0, secret.1));
    let mut fleet =
        Fleet::prepare(folder.path(), "facts", "facts.example", "local", &members, secure).unwrap();
    let (key, out) = (fleet.key().display().to_string(), fleet.source.display().to_string());
    let stage = "canary/orders=1";
    meshc(&mesh, ["build", "--env", "local", "--key", &key, "-o", &out, "--stage", stage]).unwrap();
    let (program, state) = unpacked(&std::fs::read(&fleet.source).unwrap());
    fleet.start(&members, Some("secure"), 1).unwrap();
    fleet.add_gateway("plain", None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(compare(&fleet, &Mesh::new(Arc::new(program), state)));
}

/// What the proxies run, read from the very archive.
fn unpacked(bytes: &[u8]) -> (Program, State) {
    let files = archive::read(bytes).unwrap();
    let state = serde_json::from_slice(files.get("state.json").unwrap()).unwrap();
    (verify::well_formed(&verify::intact(files).unwrap(), None).unwrap(), state)
}

/// Mistakes that the comparison must find, each about one fact, with the requests that found it.
struct Planted(BTreeMap<&'static str, usize>);

impl Planted {
    /// Follows a request as a core would that has a fact wrong.
    fn look(&mut self, mesh: &Mesh, ask: &Ask, live: &Live) {
        let without = |name: &str| -> Vec<(String, Vec<u8>)> {
            ask.headers.iter().filter(|(known, _)| known != name).cloned().collect()
        };
        let stranger = ask.caller.is_none();
        let first = stranger.then(|| "gateway/plain".parse::<Owner>().unwrap());
        let wrong = [
            ("address", Ask { ip: None, ..ask.clone() }),
            ("server name", Ask { sni: Some("other.example".to_owned()), ..ask.clone() }),
            ("size", Ask { headers: without("content-length"), ..ask.clone() }),
            ("hop-by-hop fields", Ask { headers: without("connection"), ..ask.clone() }),
            ("first gateway by name", Ask { caller: ask.caller.clone().or(first), ..ask.clone() }),
            ("cookies", Ask { headers: without("cookie"), ..ask.clone() }),
        ];
        for (fact, wrong) in wrong {
            let journey = mesh.follow(&wrong, &0).unwrap();
            *self.0.entry(fact).or_default() += usize::from(same(&journey, ask, live).is_err());
        }
    }
}

async fn compare(fleet: &Fleet, mesh: &Mesh) {
    let mut random = Random::new(SEED);
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut planted = Planted(BTreeMap::new());
    let mut resets = 0;
    for n in 0..requests() {
        let entrance = Entrance::draw(&mut random);
        let (ask, body) = entrance.ask(&mut random);
        let journey = mesh.follow(&ask, &0).unwrap();
        let mut live = entrance.send(fleet, &ask, &body).await;
        // A callee that refuses before it has read the body may break the connection that its answer is on.
        for _ in 0..RESETS {
            if live.body.trim_end() != "upstream-reset" || body.is_empty() {
                break;
            }
            resets += 1;
            live = entrance.send(fleet, &ask, &body).await;
        }
        // A head that no gateway would take is refused before one is chosen.
        let chosen = journey.gateway.as_deref().is_none_or(|gateway| entrance.gateway() == Some(gateway));
        let chosen = if chosen { Ok(()) } else { Err("another gateway".to_owned()) };
        if let Err(difference) = chosen.and_then(|()| same(&journey, &ask, &live)) {
            panic!("request {n}: {difference}\nask: {ask:?}\ncore: {journey:?}\nlive: {live:?}");
        }
        planted.look(mesh, &ask, &live);
        *tally.entry(kind(&journey)).or_default() += 1;
    }
    println!("{} requests agree: {tally:?}; {resets} were asked again", requests());
    println!("planted mistakes are found by {:?}", planted.0);
    for (fact, found) in &planted.0 {
        assert!(*found > 0, "no request would find a mistake about {fact}");
    }
    for kind in ["denied", "wrong-sni", "needs-tls", "no-host", "redirect", "orders", "cart"] {
        assert!(tally.contains_key(kind), "no request of the kind {kind}: {tally:?}");
    }
}

fn kind(journey: &Journey) -> String {
    let service = journey.service.clone().filter(|_| journey.status.is_none());
    let redirect = journey.location.as_ref().map(|_| "redirect".to_owned());
    journey.reason.clone().or(service).or(redirect).unwrap_or_else(|| "answer".to_owned())
}

/// Where a request enters.
enum Entrance {
    /// The gateway with TLS, under this server name; over HTTP/2 or HTTP/1.
    Secure { sni: Option<&'static str>, http2: bool },
    /// The gateway in clear.
    Plain,
    /// The gateway with TLS, in clear all the same.
    ClearToSecure,
    /// The proxy of a service's application.
    Sidecar,
}

impl Entrance {
    fn draw(random: &mut Random) -> Self {
        match random.below(10) {
            0..=4 => {
                let sni = if random.chance(8) { None } else { random.one(&NAMES).copied() };
                Self::Secure { sni, http2: random.chance(4) }
            }
            5..=6 => Self::Plain,
            7 if random.chance(4) => Self::ClearToSecure,
            _ => Self::Sidecar,
        }
    }

    fn gateway(&self) -> Option<&'static str> {
        match self {
            Self::Secure { .. } | Self::ClearToSecure => Some("secure"),
            Self::Plain => Some("plain"),
            Self::Sidecar => None,
        }
    }

    /// A request that enters here, and its body as it is on the wire.
    fn ask(&self, random: &mut Random) -> (Ask, Vec<u8>) {
        let http2 = matches!(self, Self::Secure { http2: true, .. });
        let (scheme, authority) = self.authority(random);
        let method = pick(random, &["GET", "GET", "POST", "POST", "PUT", "DELETE", "OPTIONS"]);
        let mut headers = lines(random, http2);
        let body = body(random, method, http2, &mut headers);
        let ip = match self {
            Self::Sidecar => Ipv4Addr::LOCALHOST,
            _ => Ipv4Addr::new(127, 0, 0, u8::try_from(1 + random.below(8)).unwrap()),
        };
        let caller = match self {
            Self::Sidecar => Some("web"),
            // Nobody has this host: whoever asks says whom it connects to.
            Self::Secure { .. } if authority.starts_with("c.") => Some("gateway/secure"),
            _ => None,
        };
        let caller = caller.map(|name| name.parse::<Owner>().unwrap());
        let ask = Ask {
            method: method.to_owned(),
            scheme: scheme.to_owned(),
            authority,
            target: target(random),
            version: if http2 { Version::Http2 } else { Version::Http11 },
            headers,
            caller,
            ip: Some(ip.to_string()),
            sni: match self {
                Self::Secure { sni, .. } => Some(sni.unwrap_or_default().to_owned()),
                _ => None,
            },
            ..Ask::default()
        };
        (ask, body)
    }

    /// Scheme and authority, most often with the host of the server name.
    fn authority(&self, random: &mut Random) -> (&'static str, String) {
        let any = pick(random, &NAMES[..4]);
        match self {
            Self::Secure { sni, .. } => {
                let host = sni.filter(|_| !random.chance(3)).unwrap_or(any);
                ("https", format!("{host}{}", pick(random, &["", ":8443"])))
            }
            Self::Plain => {
                let host = pick(random, &["a.facts.example", "x.w.facts.example", "A.facts.example."]);
                ("http", format!("{host}{}", pick(random, &["", ":8080"])))
            }
            Self::ClearToSecure => ("http", format!("{any}:8443")),
            Self::Sidecar => {
                let hosts = ["orders", "cart", "orders.local", "ORDERS:80", "web", "nobody", "cart.other"];
                ("http", pick(random, &hosts).to_owned())
            }
        }
    }

    async fn send(&self, fleet: &Fleet, ask: &Ask, body: &[u8]) -> Live {
        let from = ask.ip.as_ref().map(|ip| ip.parse::<IpAddr>().unwrap());
        let reach = |instance: &str, tls, http2| {
            let instance = fleet.instance(instance).unwrap();
            let address = instance.outbound.unwrap_or(instance.inbound);
            Reach { address, tls, http2, from }
        };
        match self {
            Self::Secure { sni, http2 } => {
                let config = client::trusting_all(*http2, sni.is_some()).unwrap();
                let name = sni.unwrap_or("a.facts.example").to_owned();
                let reach = reach("gateway-secure", Some((config, name)), *http2);
                if *http2 { framed(&reach, ask, body).await } else { raw(&reach, ask, body).await }
            }
            Self::ClearToSecure => raw(&reach("gateway-secure", None, false), ask, body).await,
            Self::Plain => raw(&reach("gateway-plain", None, false), ask, body).await,
            Self::Sidecar => raw(&reach("web-v1", None, false), ask, body).await,
        }
    }
}

async fn raw(reach: &Reach, ask: &Ask, body: &[u8]) -> Live {
    let mut bytes = head(ask);
    bytes.extend_from_slice(body);
    exchange(reach, &bytes).await.unwrap()
}

/// Over HTTP/2, by the client that the other tests use.
async fn framed(reach: &Reach, ask: &Ask, body: &[u8]) -> Live {
    let request = client::Ask {
        method: &ask.method,
        host: &ask.authority,
        target: &ask.target,
        headers: &ask.headers,
        body: Bytes::copy_from_slice(body),
    };
    let answer = reach.ask(&request).await.unwrap();
    Live {
        status: Some(answer.status.as_u16()),
        location: answer.headers.get("location").and_then(|at| at.to_str().ok()).map(str::to_owned),
        body: String::from_utf8_lossy(&answer.body).into_owned(),
    }
}

/// Header lines: exactly one that versions stick to, and some that are odd.
fn lines(random: &mut Random, http2: bool) -> Vec<(String, Vec<u8>)> {
    let mut headers = vec![("user".to_owned(), format!("u{}", random.below(500)).into_bytes())];
    for _ in 0..random.below(4) {
        let (name, value) = odd_line(random);
        let of_the_body = matches!(name, "content-length" | "transfer-encoding" | "expect");
        // HTTP/2 has no fields about the connection (RFC 9113 section 8.2.2).
        let of_the_hop =
            matches!(name, "connection" | "upgrade" | "te" | "host" | "keep-alive" | "proxy-connection")
                || name == "http2-settings";
        if !(of_the_body || http2 && of_the_hop) {
            headers.push((name.to_owned(), value.to_vec()));
        }
    }
    headers
}

/// A body, with the line that frames it; none for a part of the requests.
fn body(random: &mut Random, method: &str, http2: bool, headers: &mut Vec<(String, Vec<u8>)>) -> Vec<u8> {
    if !matches!(method, "POST" | "PUT") {
        return Vec::new();
    }
    let size = pick(random, &[0, 5, 9, 10, 1_000, 1_001, 1_200, 1_201, 1_499, 1_500, 2_000, 2_001]);
    let bytes = vec![b'x'; size];
    if !http2 && random.chance(4) {
        headers.push(("transfer-encoding".to_owned(), b"chunked".to_vec()));
        let last = "0\r\n\r\n".to_owned();
        let chunk = if size == 0 { last } else { format!("{size:x}\r\n{}\r\n{last}", "x".repeat(size)) };
        return chunk.into_bytes();
    }
    headers.push(("content-length".to_owned(), size.to_string().into_bytes()));
    bytes
}

fn target(random: &mut Random) -> String {
    let path = pick(
        random,
        &[
            "/",
            "/size/1",
            "/size/1",
            "/split/1",
            "/split/2",
            "/old/a",
            "/up/a",
            "/small/a",
            "/private/a",
            "//size/./1",
            "/size%2F1",
            "/a/../old/b",
            "/x;v=1",
        ],
    );
    let query = pick(random, &["", "", "", "?a=1", "?a=1&a=1", "?b=%20"]);
    format!("{path}{query}")
}

fn pick<T: Copy>(random: &mut Random, of: &[T]) -> T {
    random.one(of).copied().unwrap()
}
