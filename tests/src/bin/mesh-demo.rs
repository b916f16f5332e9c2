//! The main job, end to end, on loopback: a mesh in git becomes a bundle, and proxies run it.
//!
//! Sets up six toy services with their proxies and a gateway in a temporary folder, sends requests, changes the mesh,
//! shows the plan, reloads under load, offers bad bundles, goes back and resumes; prints what happened, with counts.
//! Exit code 0 only if each step did what it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use mesh_tests::kit::KitError;
use mesh_tests::kit::client::{Ask, Reach};
use mesh_tests::kit::files::{copy, replace};
use mesh_tests::kit::fleet::{Fleet, Member, active};
use mesh_tests::kit::process::{meshc, run};

/// Shows the mesh at work on this machine, in about a minute.
#[derive(Debug, Parser)]
struct Args {
    /// Keep everything running until Ctrl-C.
    #[arg(long)]
    stay: bool,
}

/// One row of the table.
struct Row {
    step: &'static str,
    happened: String,
    good: bool,
}

const MEMBERS: &[(&str, &str, u16)] = &[
    ("web", "v1", 8080),
    ("catalog", "v1", 9090),
    ("cart", "v1", 8080),
    ("orders", "v41", 8080),
    ("orders", "v42", 8080),
    ("payments", "v1", 8443),
    ("mailer", "v1", 8025),
];
const HOST: &str = "shop.example";

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("error: {error}"));
            return ExitCode::from(2);
        }
    };
    let begun = Instant::now();
    match runtime.block_on(demo(args.stay)) {
        Ok(rows) => {
            table(&rows);
            let good = rows.iter().filter(|row| row.good).count();
            let seconds = begun.elapsed().as_secs();
            let verdict = if good == rows.len() { "every step did what it says" } else { "a step FAILED" };
            show(&format!("{good} of {} steps as expected in {seconds} s: {verdict}.", rows.len()));
            if good == rows.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn demo(stay: bool) -> Result<Vec<Row>, KitError> {
    let temporary = tempfile::tempdir().map_err(|e| KitError::Io("a temporary folder".into(), e))?;
    let folder = temporary.path().to_owned();
    let repo = folder.join("repo");
    let mut rows = Vec::new();
    copy(&mesh_tests::top().join("examples/shop"), &repo).map_err(|e| KitError::Io("the shop".into(), e))?;
    git(&repo, &["init", "-q", "-b", "main"])?;
    commit(&repo, "the shop")?;

    heading("validate and build");
    let said = meshc(&repo, ["validate"])?;
    show(said.trim());
    let members: Vec<Member> = MEMBERS
        .iter()
        .map(|(s, v, p)| Member { service: (*s).into(), version: (*v).into(), port: *p })
        .collect();
    let gateway = Some(("public", "tls/shop-example", HOST));
    let mut fleet = Fleet::prepare(&folder, "shop", HOST, "local", &members, gateway)?;
    let first = build(&repo, &fleet, &fleet.source)?;
    rows.push(Row {
        step: "build",
        happened: format!("bundle {}", short(&first)),
        good: first.starts_with("sha256:"),
    });
    fleet.start(&members, Some("public"), 1)?;
    fleet.wait_for(&first, 20)?;
    let happened = format!("6 services, {} proxies and a gateway run it", MEMBERS.len());
    rows.push(Row { step: "start", happened, good: true });

    heading("requests");
    requests(&fleet, &mut rows).await?;

    heading("a change, explained before it happens");
    let file = repo.join("services/orders/mesh.yaml");
    edit(&file, "timeout: 5s", "timeout: 8s\n    headers: { request: { set: { x-demo: changed } } }")?;
    commit(&repo, "refunds may take longer")?;
    let plan = meshc(&repo, ["plan", "--against", "HEAD~1", "--env", "local"])?;
    show(plan.trim());
    rows.push(Row {
        step: "plan",
        happened: "names route/orders and its fields".into(),
        good: plan.contains("orders"),
    });

    heading("reload under load");
    let second = reload_under_load(&repo, &fleet, &mut rows).await?;

    heading("bundles that must not run");
    refusals(&repo, &fleet, &second, &mut rows)?;

    heading("back by hand, and on again");
    return_by_hand(&fleet, &first, &second, &mut rows).await?;

    if stay {
        stay_until_told(&fleet).await?;
    }
    Ok(rows)
}

/// A request, and the status that it must bring.
struct Wanted<'a> {
    what: &'static str,
    reach: Reach,
    method: &'a str,
    host: &'a str,
    target: &'a str,
    headers: Vec<(String, Vec<u8>)>,
    status: u16,
    times: u64,
}

async fn requests(fleet: &Fleet, rows: &mut Vec<Row>) -> Result<(), KitError> {
    let plain = |what, reach, method, host, target, status, times| Wanted {
        what,
        reach,
        method,
        host,
        target,
        headers: Vec::new(),
        status,
        times,
    };
    let gateway = fleet.gateway("public", HOST, false)?;
    let gateway2 = fleet.gateway("public", HOST, true)?;
    let mut paid = plain(
        "payments reports an order as paid",
        fleet.from("payments-v1", false)?,
        "POST",
        "orders",
        "/orders/7/paid",
        200,
        20,
    );
    paid.headers = vec![("idempotency-key".into(), b"k1".to_vec())];
    let twice = Wanted {
        what: "the same with a header that came twice",
        headers: vec![("idempotency-key".into(), b"k1".to_vec()), ("idempotency-key".into(), b"k2".to_vec())],
        status: 403,
        reach: paid.reach.clone(),
        ..paid
    };
    let mut forged = plain(
        "a stranger claims to be payments",
        gateway.clone(),
        "POST",
        HOST,
        "/api/orders/7/paid",
        200,
        5,
    );
    forged.headers = vec![("x-source-service".into(), b"payments".to_vec())];
    let mut grpc = plain(
        "web calls catalog over gRPC",
        fleet.from("web-v1", true)?,
        "POST",
        "catalog",
        "/shop.Catalog/List",
        200,
        20,
    );
    grpc.headers =
        vec![("content-type".into(), b"application/grpc".to_vec()), ("te".into(), b"trailers".to_vec())];
    let wanted = vec![
        plain("the site through the gateway, HTTP/1.1", gateway.clone(), "GET", HOST, "/", 200, 50),
        plain("orders through the gateway, HTTP/2", gateway2, "GET", HOST, "/api/orders/7", 200, 50),
        plain(
            "a path that tries to get out",
            gateway.clone(),
            "GET",
            HOST,
            "/api/orders/%2e%2e/%2e%2e/admin",
            200,
            5,
        ),
        plain("an escaped slash", gateway, "GET", HOST, "/api%2forders", 400, 5),
        plain("web asks for orders", fleet.from("web-v1", false)?, "GET", "orders", "/orders/7", 200, 20),
        plain(
            "web asks for payments, which it may not",
            fleet.from("web-v1", false)?,
            "POST",
            "payments",
            "/charge",
            403,
            20,
        ),
        paid,
        twice,
        forged,
        grpc,
    ];
    for one in wanted {
        rows.push(ask(&one).await);
    }
    rows.push(quota(fleet).await?);
    Ok(())
}

async fn ask(wanted: &Wanted<'_>) -> Row {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut connection = None;
    for _ in 0..wanted.times {
        if connection.is_none() {
            connection = wanted.reach.connect().await.ok();
        }
        let request = Ask {
            method: wanted.method,
            host: wanted.host,
            target: wanted.target,
            headers: &wanted.headers,
            body: Bytes::new(),
        };
        let status = match &mut connection {
            None => "no connection".to_owned(),
            Some(open) => match open.send(&request, wanted.reach.tls.is_some()).await {
                Ok(answer) => answer.status.as_u16().to_string(),
                Err(_) => {
                    connection = None;
                    "no answer".to_owned()
                }
            },
        };
        *seen.entry(status).or_default() += 1;
    }
    let good = seen.len() == 1 && seen.contains_key(&wanted.status.to_string());
    Row { step: "request", happened: format!("{}: {}", wanted.what, counts(&seen)), good }
}

/// Payments takes 50/s with a burst of 100 from each caller.
async fn quota(fleet: &Fleet) -> Result<Row, KitError> {
    let reach = fleet.from("orders-v41", false)?;
    let mut connection = reach.connect().await?;
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..300 {
        let request =
            Ask { method: "POST", host: "payments", target: "/charge", headers: &[], body: Bytes::new() };
        let answer = connection.send(&request, false).await?;
        *seen.entry(answer.status.as_u16().to_string()).or_default() += 1;
    }
    let (passed, held) = (seen.get("200").copied().unwrap_or(0), seen.get("429").copied().unwrap_or(0));
    let good = passed >= 100 && held > 0 && passed + held == 300;
    Ok(Row {
        step: "quota",
        happened: format!("orders sends 300 to payments at once: {}", counts(&seen)),
        good,
    })
}

async fn reload_under_load(repo: &Path, fleet: &Fleet, rows: &mut Vec<Row>) -> Result<String, KitError> {
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, failed, connects) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = Vec::new();
    for http2 in [false, true] {
        for _ in 0..4 {
            let reach = fleet.gateway("public", HOST, http2)?;
            let (stop, asked, failed, connects) =
                (stop.clone(), asked.clone(), failed.clone(), connects.clone());
            tasks.push(tokio::spawn(async move {
                let mut connection = None;
                while !stop.load(Ordering::Relaxed) {
                    if connection.is_none() {
                        connection = reach.connect().await.ok();
                        connects.fetch_add(1, Ordering::Relaxed);
                    }
                    let request = Ask {
                        method: "GET",
                        host: HOST,
                        target: "/api/orders/7",
                        headers: &[],
                        body: Bytes::new(),
                    };
                    asked.fetch_add(1, Ordering::Relaxed);
                    let good = match &mut connection {
                        Some(open) => open.send(&request, true).await.is_ok_and(|a| a.status == 200),
                        None => false,
                    };
                    if !good {
                        failed.fetch_add(1, Ordering::Relaxed);
                        connection = None;
                    }
                }
            }));
        }
    }
    let begun = Instant::now();
    let id = build(repo, fleet, &fleet.source)?;
    fleet.reload()?;
    fleet.wait_for(&id, 20)?;
    let took = begun.elapsed();
    // The load goes on for a moment on the new bundle.
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        drop(task.await);
    }
    let (asked, failed) = (asked.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
    let opened = connects.load(Ordering::Relaxed);
    let happened = format!(
        "bundle {} built and in force everywhere in {} ms; {asked} requests meanwhile, {failed} failed, {} of 8 connections lost",
        short(&id),
        took.as_millis(),
        opened.saturating_sub(8)
    );
    rows.push(Row { step: "reload", happened, good: asked > 0 && failed == 0 && opened == 8 });
    Ok(id)
}

fn refusals(repo: &Path, fleet: &Fleet, running: &str, rows: &mut Vec<Row>) -> Result<(), KitError> {
    let good = std::fs::read(&fleet.source).map_err(|e| KitError::Io("the bundle".into(), e))?;
    let unsigned = fleet.folder.join("unsigned.mcb");
    meshc(repo, ["build", "--env", "local", "-o", &unsigned.display().to_string()])?;
    let unsigned = std::fs::read(&unsigned).map_err(|e| KitError::Io("the unsigned bundle".into(), e))?;
    let mut tampered = good.clone();
    if let Some(byte) = tampered.get_mut(good.len() / 2) {
        *byte ^= 1;
    }
    let cut = good.get(..good.len() / 3).unwrap_or_default().to_vec();
    for (what, bytes) in [("unsigned", unsigned), ("tampered with", tampered), ("cut off", cut)] {
        replace(&fleet.source, &bytes)?;
        let instance = fleet.instance("gateway-public")?;
        // The proxy answers an order that it refuses with its reason and another exit code than 0.
        let refused = instance.order(&["reload"]);
        let status = instance.status()?;
        let reason = refused.err().map(|e| in_words(&e.to_string())).unwrap_or_default();
        let shown = if reason.is_empty() { last_refusal(&status) } else { reason };
        let kept = active(&status) == Some(running);
        let good = kept && !shown.is_empty();
        rows.push(Row { step: "refuse", happened: format!("{what}: {}", clip(&shown)), good });
    }
    replace(&fleet.source, &good)
}

async fn return_by_hand(
    fleet: &Fleet,
    first: &str,
    second: &str,
    rows: &mut Vec<Row>,
) -> Result<(), KitError> {
    let begun = Instant::now();
    for instance in fleet.instances.values() {
        instance.order(&["rollback"])?;
    }
    fleet.wait_for(first, 10)?;
    let happened =
        format!("all proxies on {} in {} ms, without a network", short(first), begun.elapsed().as_millis());
    rows.push(Row { step: "rollback", happened, good: true });
    let held = fleet.instance("gateway-public")?;
    drop(held.order(&["reload"]));
    let stays = active(&held.status()?) == Some(first);
    rows.push(Row { step: "hold", happened: "the offer waits until `resume`".into(), good: stays });
    for instance in fleet.instances.values() {
        instance.order(&["resume"])?;
    }
    fleet.wait_for(second, 10)?;
    let gateway = fleet.gateway("public", HOST, false)?;
    let request = Ask { method: "GET", host: HOST, target: "/", headers: &[], body: Bytes::new() };
    let answer = gateway.ask(&request).await?;
    let happened =
        format!("all proxies on {} again, the site answers {}", short(second), answer.status.as_u16());
    rows.push(Row { step: "resume", happened, good: answer.status == 200 });
    Ok(())
}

async fn stay_until_told(fleet: &Fleet) -> Result<(), KitError> {
    let address = fleet.instance("gateway-public")?.inbound;
    let folder = fleet.folder.display();
    show(&format!("the shop runs; its files are in {folder}\ntry:"));
    show(&format!(
        "  curl --cacert {folder}/ids/ca/{HOST}.crt --connect-to {HOST}:443:{address} https://{HOST}/api/orders/7"
    ));
    show(&format!("  mesh-proxy status --admin {folder}/gateway-public.sock\nCtrl-C ends it all"));
    drop(tokio::signal::ctrl_c().await);
    Ok(())
}

/// Builds the local environment and gives the bundle's id.
fn build(repo: &Path, fleet: &Fleet, to: &Path) -> Result<String, KitError> {
    let (key, to) = (fleet.key().display().to_string(), to.display().to_string());
    let said = meshc(repo, ["build", "--env", "local", "-o", &to, "--key", &key])?;
    Ok(said.lines().last().unwrap_or_default().trim().to_owned())
}

fn git(repo: &Path, args: &[&str]) -> Result<(), KitError> {
    let mut command = Command::new("git");
    command
        .current_dir(repo)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, value) in [("NAME", "demo"), ("EMAIL", "demo@shop.example")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    run(&mut command).map(drop)
}

fn commit(repo: &Path, message: &str) -> Result<(), KitError> {
    git(repo, &["add", "-A"])?;
    git(repo, &["commit", "-q", "-m", message])
}

fn edit(file: &Path, old: &str, new: &str) -> Result<(), KitError> {
    let io = |e| KitError::Io(file.display().to_string(), e);
    let text = std::fs::read_to_string(file).map_err(io)?;
    if !text.contains(old) {
        return Err(io(std::io::Error::other(format!("has no `{old}`"))));
    }
    std::fs::write(file, text.replacen(old, new, 1)).map_err(io)
}

fn last_refusal(status: &serde_json::Value) -> String {
    match status.get("lastRefusal") {
        Some(refusal) if !refusal.is_null() => refusal.get("message").unwrap_or(refusal).to_string(),
        _ => String::new(),
    }
}

/// What a proxy's JSON says of a refusal.
fn in_words(said: &str) -> String {
    let json = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let refusals = json.filter_map(|answer| answer.get("refusal").cloned());
    let text = |refusal: &serde_json::Value, field: &str| {
        refusal.get(field).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let mut shown = refusals
        .map(|r| format!("{} [{}, rung {}]", text(&r, "message"), text(&r, "code"), text(&r, "rung")));
    shown.next_back().unwrap_or_default()
}

fn counts(seen: &BTreeMap<String, u64>) -> String {
    seen.iter().map(|(status, count)| format!("{count} × {status}")).collect::<Vec<_>>().join(", ")
}

fn short(id: &str) -> String {
    id.chars().take(19).collect()
}

fn clip(text: &str) -> String {
    text.chars().take(110).collect()
}

fn table(rows: &[Row]) {
    heading("what happened");
    for row in rows {
        let mark = if row.good { "ok  " } else { "FAIL" };
        show(&format!("{mark}  {:9}  {}", row.step, row.happened));
    }
}

fn heading(text: &str) {
    show(&format!("\n== {text}"));
}

#[expect(clippy::print_stdout, reason = "the demo shows what happens")]
fn show(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a command says why it failed")]
fn say(text: &str) {
    eprintln!("{text}");
}
