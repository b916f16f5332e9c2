//! `meshc route` and live proxies agree: the same random requests are followed in the decision core and sent through a
//! fleet on loopback; status, rule, service, version, path, host and headers must be the same.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its counts"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use mesh_bundle::path::Segment;
use mesh_bundle::{Owner, PathPattern, Program, State, archive, verify};
use mesh_decision::head::Version;
use mesh_decision::journey::{self, Journey, Mesh};
use mesh_tests::kit::client::{self, Answer, Connection, Reach};
use mesh_tests::kit::compare::{Live, same};
use mesh_tests::kit::files::copy;
use mesh_tests::kit::fleet::{Fleet, Member};
use mesh_tests::kit::process::meshc;
use mesh_tests::kit::wait::wait;
use mesh_tests::random::Random;
use mesh_tests::{full, generate, top};

const SEED: u64 = 20_260;

/// Requests a mesh: 20,000 together in a full run.
fn requests() -> usize {
    if full() { 10_000 } else { 1_000 }
}

#[test]
fn the_shop_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = folder.path().join("mesh");
    copy(&top().join("examples/shop"), &mesh).unwrap();
    // Sticky splits make versions a function of the request; high rates keep quotas out of the way.
    let local = concat!(
        "kind: Environment\nname: local\noverrides:\n",
        "  mesh/shop: { gateways: { public: { listen: 8443 } } }\n",
        "  canary/orders: { sticky: { header: user } }\n",
        "  quota/payments: { limits: [{ per: caller, rate: 1000000/s, burst: 1000000 }] }\n"
    );
    std::fs::write(mesh.join("envs/local.yaml"), local).unwrap();
    let stage = ["--stage".to_owned(), "canary/orders=2".to_owned()];
    agree(
        folder.path(),
        &mesh,
        "shop",
        "shop.example",
        "local",
        Some(("public", "tls/shop-example", "shop.example")),
        &stage,
    );
}

#[test]
fn a_generated_mesh_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = folder.path().join("mesh");
    let size = generate::Size { services: 6, routes: 240, rules: 24, seed: SEED };
    generate::mesh(size).write(&mesh).unwrap();
    agree(folder.path(), &mesh, "generated", "generated.example", "prod", None, &[]);
}

fn agree(
    folder: &Path,
    spec: &Path,
    name: &str,
    domain: &str,
    environment: &str,
    gateway: Option<(&str, &str, &str)>,
    more: &[String],
) {
    let probe = compiled(spec, environment);
    let members: Vec<Member> = probe
        .services
        .iter()
        .flat_map(|(service, unit)| {
            unit.versions.iter().map(|version| Member {
                service: service.to_string(),
                version: version.to_string(),
                port: unit.port,
            })
        })
        .collect();
    let mut fleet = Fleet::prepare(folder, name, domain, environment, &members, gateway).unwrap();
    let (key, out) = (fleet.key().display().to_string(), fleet.source.display().to_string());
    let mut args: Vec<String> =
        ["build", "--env", environment, "--key", &key, "-o", &out].map(str::to_owned).to_vec();
    args.extend_from_slice(more);
    meshc(spec, args).unwrap();
    let (program, state) = unpacked(&fleet.source);
    fleet.start(&members, gateway.map(|(name, ..)| name), 1).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(compare(&fleet, Arc::new(program), state, gateway));
}

fn compiled(spec: &Path, environment: &str) -> Program {
    let mut files = Vec::new();
    collect(spec, "", &mut files);
    let compiled = mesh_compiler::compile(files, &mesh_compiler::Options::default());
    assert!(!compiled.findings.has_errors(), "{:?}", compiled.findings);
    compiled.environments.into_iter().find(|e| e.name.as_str() == environment).unwrap().program
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
}

/// What the proxies run, read from the very archive.
fn unpacked(archive_path: &Path) -> (Program, State) {
    let files = archive::read(&std::fs::read(archive_path).unwrap()).unwrap();
    let state = serde_json::from_slice(files.get("state.json").unwrap()).unwrap();
    (verify::well_formed(&verify::intact(files).unwrap(), None).unwrap(), state)
}

/// Where requests enter: the instance, and how it is reached.
struct Entrance {
    instance: String,
    caller: Option<Owner>,
    reach: Reach,
    connection: Option<Connection>,
    expected: Vec<Journey>,
}

async fn compare(fleet: &Fleet, program: Arc<Program>, state: State, gateway: Option<(&str, &str, &str)>) {
    let mesh = Mesh::new(Arc::clone(&program), state);
    let mut entrances = Vec::new();
    for (name, instance) in &fleet.instances {
        let service = name.rsplit_once('-').map_or(name.as_str(), |(service, _)| service);
        let (caller, reach) = match (instance.outbound, gateway) {
            (Some(_), _) => (Some(service.parse::<Owner>().unwrap()), fleet.from(name, false).unwrap()),
            (None, Some((gateway, _, host))) => (None, fleet.gateway(gateway, host, false).unwrap()),
            (None, None) => continue,
        };
        let instance = name.clone();
        entrances.push(Entrance { instance, caller, reach, connection: None, expected: Vec::new() });
    }
    let mut random = Random::new(SEED);
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..requests() {
        let at = random.below(entrances.len());
        let Some(entrance) = entrances.get_mut(at) else { continue };
        let ask = question(&mut random, &program, entrance);
        let journey = mesh.follow(&ask, &0).unwrap();
        let answer = send(entrance, &ask).await;
        if let Err(difference) = same(&journey, &ask, &live(&answer)) {
            panic!(
                "request {n} through {}: {difference}\nask: {ask:?}\ncore: {journey:?}\nlive: {answer:?}",
                entrance.instance
            );
        }
        let kind = journey
            .status
            .map_or("passed".to_owned(), |s| format!("{s} {}", journey.reason.clone().unwrap_or_default()));
        *tally.entry(kind).or_default() += 1;
        entrance.expected.push(journey);
    }
    rules(fleet, &entrances);
    println!("{} requests agree: {tally:?}", requests());
    assert!(
        tally.get("passed").is_some_and(|n| *n > requests() / 20),
        "too few requests got through: {tally:?}"
    );
    assert!(tally.len() >= 4, "too few kinds of outcome: {tally:?}");
}

/// Paths of one service's rules and entries; for a gateway, of its own.
fn patterns(program: &Program, service: Option<&str>) -> Vec<PathPattern> {
    let routes: Vec<_> = match service {
        Some(service) => program.routes.get(service).into_iter().collect(),
        None => program.gateway_routes.values().flat_map(|map| map.values()).collect(),
    };
    let rules = routes
        .into_iter()
        .flat_map(|r| r.rules.iter())
        .flat_map(|rule| rule.matches.iter())
        .filter_map(|one| one.path.clone());
    let entries =
        program.access.iter().filter(|(owner, _)| service.is_none_or(|s| owner.name().as_str() == s));
    rules.chain(entries.flat_map(|(_, a)| &a.allow).flat_map(|e| e.paths.clone())).collect()
}

fn question(random: &mut Random, program: &Program, entrance: &Entrance) -> journey::Ask {
    // Mostly services that the caller may call; also those that it may not.
    let every: Vec<String> = program.services.keys().map(ToString::to_string).collect();
    let calls = entrance.caller.as_ref().and_then(|owner| program.slice(owner).calls).unwrap_or_default();
    let calls: Vec<String> = calls.iter().map(ToString::to_string).collect();
    let services = if calls.is_empty() || random.chance(5) { every } else { calls };
    let service = random.one(&services).cloned().unwrap_or_default();
    let patterns = patterns(program, entrance.caller.as_ref().map(|_| service.as_str()));
    let gateway = entrance.caller.is_none();
    let environment = program.mesh.environment.as_str();
    let authority = if gateway {
        let hosts = program.gateways.values().flat_map(|g| g.hosts.clone()).collect::<Vec<_>>();
        let host = random.one(&hosts).cloned().unwrap_or_default();
        match random.below(10) {
            0 => host.to_uppercase(),
            1 => format!("{host}:443"),
            _ => host,
        }
    } else {
        match random.below(12) {
            0 => format!("{service}.{environment}"),
            1 => format!("{service}.elsewhere"),
            2 => "nobody".to_owned(),
            3 => format!("{}:8080", service.to_uppercase()),
            _ => service,
        }
    };
    let mut target = path(random, &patterns);
    match random.below(8) {
        0 => target.push_str("?a=1&b=%20x"),
        1 => target.push_str("?a=1&a=2"),
        _ => {}
    }
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, values) in [
        ("idempotency-key", ["k1", ""]),
        ("x-tenant", ["t1x", "t7"]),
        ("x-flag-1", ["on-0", "on-1"]),
        ("x-flag-3", ["on-2", "off"]),
        ("x-source-service", ["payments", "web"]),
    ] {
        for _ in 0..[0, 0, 1, 1, 1, 2].get(random.below(6)).copied().unwrap_or(0) {
            headers.push((name.to_owned(), random.one(&values).copied().unwrap_or("x").as_bytes().to_vec()));
        }
    }
    // Exactly one, since without it a counter draws.
    headers.push(("user".to_owned(), format!("u{}", random.below(500)).into_bytes()));
    journey::Ask {
        method: random
            .one(&["GET", "GET", "POST", "POST", "PUT", "DELETE", "PATCH"])
            .copied()
            .unwrap_or("GET")
            .to_owned(),
        version: Version::default(),
        scheme: if gateway { "https" } else { "http" }.to_owned(),
        authority,
        target,
        headers,
        caller: entrance.caller.clone(),
        ip: Some("127.0.0.1".to_owned()),
        sni: None,
        now: mesh_bundle::expr::Instant::default(),
    }
}

/// A path that some pattern takes, mostly; sometimes written in another form, or in a bad one.
fn path(random: &mut Random, patterns: &[PathPattern]) -> String {
    let mut path = String::new();
    match random.one(patterns) {
        Some(PathPattern::Segments { segments, below }) => {
            for segment in segments {
                path.push('/');
                match segment {
                    Segment::Literal(text) => path.push_str(text),
                    Segment::Param(_) => path.push_str(&format!("id{}", random.below(9))),
                }
            }
            if *below && random.chance(2) {
                path.push_str(&format!("/more{}", random.below(9)));
            }
        }
        Some(PathPattern::Prefix(text)) => {
            path.push_str(text);
            path.push_str(random.one(&["", "more", "/more", "../more"]).copied().unwrap_or_default());
        }
        Some(PathPattern::Regex(_)) | None => {}
    }
    if path.is_empty() {
        path.push('/');
    }
    match random.below(24) {
        0 => path.push('/'),
        1 => path = path.replacen('/', "//", 1),
        2 => path = format!("/x/..{path}"),
        3 => path = format!("/./{}", path.trim_start_matches('/')),
        4 => path = path.replace('o', "%6F"),
        5 => path.push_str("/%2fadmin"),
        6 => path.push_str("/..;/x"),
        7 => path.push_str("/%zz"),
        8 => path.push_str(";v=1"),
        _ => {}
    }
    path
}

async fn send(entrance: &mut Entrance, ask: &journey::Ask) -> Answer {
    let tls = entrance.reach.tls.is_some();
    let request = client::Ask {
        method: &ask.method,
        host: &ask.authority,
        target: &ask.target,
        headers: &ask.headers,
        body: Bytes::new(),
    };
    if let Some(connection) = &mut entrance.connection
        && let Ok(answer) = connection.send(&request, tls).await
    {
        return answer;
    }
    // A refused request may cost its connection; the next one opens another.
    let mut connection = entrance.reach.connect().await.unwrap();
    let answer = connection.send(&request, tls).await.unwrap();
    entrance.connection = Some(connection);
    answer
}

fn live(answer: &Answer) -> Live {
    Live {
        status: Some(answer.status.as_u16()),
        location: answer.headers.get("location").and_then(|at| at.to_str().ok()).map(str::to_owned),
        body: String::from_utf8_lossy(&answer.body).into_owned(),
    }
}

/// Each instance's log names the rules that the core names, request by request.
fn rules(fleet: &Fleet, entrances: &[Entrance]) {
    for entrance in entrances {
        let path = fleet.folder.join(format!("{}.access.log", entrance.instance));
        let lines = || -> Vec<serde_json::Value> {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            lines.filter(|l: &serde_json::Value| l.get("direction").is_some_and(|d| d != "inbound")).collect()
        };
        let wanted = entrance.expected.len();
        wait("the log is written", 10, || lines().len() >= wanted).unwrap();
        let lines = lines();
        assert_eq!(lines.len(), wanted, "{}: one line a request", entrance.instance);
        for (journey, line) in entrance.expected.iter().zip(&lines) {
            let logged = line.get("rule").and_then(serde_json::Value::as_str).unwrap_or_default();
            let named = [&journey.rule, &journey.edge_rule, &journey.access_entry];
            let known = named.iter().any(|n| n.as_deref() == Some(logged));
            let none = named.iter().all(|n| n.is_none()) && logged.is_empty();
            // The caller's side does not know the rule where the callee refuses before one is named.
            assert!(
                known || none || logged.is_empty(),
                "{}: {logged:?} in the log, {journey:?}",
                entrance.instance
            );
            if journey.rule.is_some() || journey.edge_rule.is_some() {
                assert!(!logged.is_empty(), "{}: no rule in the log, {journey:?}", entrance.instance);
            }
        }
    }
}
