//! Six rules, ours beside the `cel` crate; then how long 10,000 rules take to compile, and hostile texts to be refused.
//! Run by `ci/bench-cel`, which makes the table.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a benchmark, run by hand")]

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cel::common::types::{CelBool, CelMap, CelMapKey, CelString};
use cel::common::value::Val;
use cel::{Context, Env, Value};
use divan::{Bencher, black_box};
use mesh_bundle::program::Service;
use mesh_bundle::{Name, Owner};
use mesh_compiler::cel::{Phase, condition};
use mesh_decision::expr::{Context as Ours, Program, Tri};
use mesh_decision::{Connection, Request, Source};
use mesh_tests::cel::hostile;

/// A rule that holds for [`HEADERS`] and the rest of the request.
struct Rule {
    name: &'static str,
    text: &'static str,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const RULES: [Rule; 6] = [
    Rule {
        name: "method and prefix",
        text: r#"request.method == "GET" && request.path.startsWith("/files/")"#,
    },
    Rule {
        name: "six terms",
        text: r#"connection.mtls && request.method in ["GET", "HEAD"] && source.service in ["orders", "web", "admin"] && "tier" in source.labels && source.labels["tier"] == "gold" && request.path.startsWith("/files/")"#,
    },
    Rule {
        name: "regex and suffix",
        text: r#"request.path.matches("^/files/[a-z0-9-]+/") && request.path.endsWith(".pdf")"#,
    },
    Rule { name: "header", text: r#""x-team" in request.headers && request.headers["x-team"] == "blue""# },
    Rule {
        name: "exists",
        text: r#"["/orders/", "/carts/", "/files/"].exists(prefix, request.path.startsWith(prefix))"#,
    },
    Rule { name: "SPIFFE ID", text: r#"source.principal == "spiffe://shop.example/prod/web""# },
];

const HEADERS: [(&str, &str); 12] = [
    ("host", "files.shop.example"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("cookie", "sid=2d8fa1c0b7e94c1f; theme=dark"),
    ("referer", "https://shop.example/cart"),
    ("x-request-id", "5b1f5c46-6c5e-4a6e-9d62-6c9f8a3c1f7a"),
    ("x-team", "blue"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("content-length", "0"),
    ("x-forwarded-for", "203.0.113.7"),
];
const PATH: &str = "/files/2026-invoices/march.pdf";
const PRINCIPAL: &str = "spiffe://shop.example/prod/web";

fn main() {
    divan::main();
    compile();
    refuse();
}

fn labels() -> BTreeMap<String, String> {
    [("team", "shop"), ("tier", "gold")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn with_ours<T>(run: impl FnOnce(&Ours<'_>) -> T) -> T {
    let headers = HEADERS.to_vec();
    let owner = Owner::Service(Name::new("web").unwrap());
    let source = Service {
        port: 80,
        app_port: None,
        protocol: Default::default(),
        versions: Vec::new(),
        labels: labels(),
        escaped_slashes: Default::default(),
        addresses: BTreeMap::new(),
    };
    let request = Request {
        method: "GET",
        scheme: "https",
        host: "files.shop.example",
        path: PATH,
        query: "",
        headers: &headers,
        size: Some(0),
        source: Source { principal: PRINCIPAL, owner: Some(&owner), ip: "10.0.0.1" },
        connection: Connection { mtls: true, tls_version: "1.3", sni: "files.shop.example" },
        now: mesh_bundle::expr::Instant::default(),
        picks: &0,
    };
    run(&Ours { request: &request, pattern: None, source: Some(&source), destination: None })
}

fn program(text: &str) -> Program {
    let expression = condition(text, Phase::Inbound, &[], false).unwrap_or_else(|f| panic!("{text}: {f:?}"));
    Program::new(&expression).unwrap()
}

/// What a request costs.
#[divan::bench(args = &RULES)]
fn ours(bencher: Bencher<'_, '_>, rule: &Rule) {
    let program = program(rule.text);
    with_ours(|context| {
        assert_eq!(program.evaluate(context), Tri::True);
        bencher.bench_local(|| black_box(&program).evaluate(black_box(context)));
    });
}

/// Texts borrowed, maps as the crate has them.
fn theirs(env: &Arc<Env>) -> Context<'static, 'static> {
    fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Box<dyn Val>)>) -> Box<dyn Val> {
        let fields = fields.into_iter().map(|(name, value)| (CelMapKey::from(name.to_owned()), value));
        Box::new(CelMap::from(fields.collect::<HashMap<_, _>>()))
    }
    fn text(text: &'static str) -> Box<dyn Val> {
        Box::new(CelString::from(text))
    }
    let mut context = Context::with_env(Arc::clone(env));
    let request = map([
        ("method", text("GET")),
        ("path", text(PATH)),
        ("host", text("files.shop.example")),
        ("scheme", text("https")),
        ("headers", map(HEADERS.map(|(name, value)| (name, text(value))))),
    ]);
    let labels = map([("team", text("shop")), ("tier", text("gold"))]);
    let source = map([
        ("principal", text(PRINCIPAL)),
        ("trustDomain", text("shop.example")),
        ("service", text("web")),
        ("ip", text("10.0.0.1")),
        ("labels", labels),
    ]);
    let connection =
        map([("mtls", Box::new(CelBool::from(true)) as Box<dyn Val>), ("sni", text("files.shop.example"))]);
    context.add_variable_as_val("request", request);
    context.add_variable_as_val("source", source);
    context.add_variable_as_val("connection", connection);
    context
}

/// The program and the context made before.
#[divan::bench(args = &RULES)]
fn cel_prepared(bencher: Bencher<'_, '_>, rule: &Rule) {
    let env = Arc::new(Env::stdlib());
    let program = env.compile(rule.text).unwrap();
    let context = theirs(&env);
    assert_eq!(program.execute(&context), Ok(Value::Bool(true)));
    bencher.bench_local(|| black_box(&program).execute(black_box(&context)));
}

/// The program made before, the context with each request: what a proxy has to do.
#[divan::bench(args = &RULES)]
fn cel_per_request(bencher: Bencher<'_, '_>, rule: &Rule) {
    let env = Arc::new(Env::stdlib());
    let program = env.compile(rule.text).unwrap();
    bencher.bench_local(|| black_box(&program).execute(&theirs(black_box(&env))));
}

/// 10,000 different rules.
fn compile() {
    let rules: Vec<String> = (0..10_000)
        .map(|n| match n % 6 {
            0 => format!(r#"request.method == "GET" && request.path.startsWith("/files/{n}/")"#),
            1 => RULES[1].text.replace("gold", &format!("gold-{n}")),
            2 => {
                format!(r#"request.path.matches("^/files/{n}/[a-z0-9-]+/") && request.path.endsWith(".pdf")"#)
            }
            3 => RULES[3].text.replace("blue", &format!("blue-{n}")),
            4 => RULES[4].text.replace("carts", &format!("carts-{n}")),
            _ => format!(r#"source.principal == "spiffe://shop.example/prod/web-{n}""#),
        })
        .collect();
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = Instant::now();
            for rule in &rules {
                condition(rule, Phase::Inbound, &[], false).unwrap_or_else(|f| panic!("{rule}: {f:?}"));
            }
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("10,000 rules compile in {:.0} ms (median of {})", median.as_secs_f64() * 1e3, times.len());
}

/// Each text in each of two runs; the better counts, as the other may have met a page fault.
fn refuse() {
    let mut worst: Vec<(Duration, &str)> = hostile::texts()
        .into_iter()
        .map(|(name, text)| {
            let time = (0..2).map(|_| {
                let start = Instant::now();
                assert!(condition(black_box(&text), Phase::Inbound, &[], false).is_err(), "{name} is taken");
                start.elapsed()
            });
            (time.min().unwrap_or_default(), name)
        })
        .collect();
    worst.sort_unstable();
    println!("{} hostile texts are refused; the worst:", worst.len());
    for (time, name) in worst.iter().rev().take(5) {
        println!("  {:.2} ms: {name}", time.as_secs_f64() * 1e3);
    }
}
