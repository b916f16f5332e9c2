//! Writes the bundles that the benchmark's proxies run: a gateway in clear with no and with 10,000 routes, and both
//! ends of mutual TLS. Each has an access rule with an expression and a quota that nobody reaches; `gate-free` has the rule
//! without its expression.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use mesh_bundle::pack::{Input, pack};
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_compiler::diag::Severity;
use mesh_tests::kit::bundle::signed;

/// Rules of one Route: a spec file has at most 20,000 nodes, and a unit 1 MiB.
const RULES: usize = 1_000;

/// Writes the benchmark's bundles, their endpoints and the trust set.
#[derive(Debug, Parser)]
struct Args {
    /// The folder to write to.
    out: PathBuf,
    /// One more route, for reloads.
    #[arg(long)]
    extra: Option<String>,
    /// The generation of the releases.
    #[arg(long, default_value_t = 1)]
    generation: u64,
}

type Problem = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match write(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command says why it failed")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn write(args: &Args) -> Result<(), Problem> {
    std::fs::create_dir_all(&args.out)?;
    let key = key(&args.out)?;
    let trust = TrustSet::new(1, vec![key.public()])?;
    std::fs::write(args.out.join("trust.json"), serde_json::to_vec(&trust)?)?;
    let mut paths: Vec<String> = (0..10_000).map(|i| format!("/svc{i:05}/v1/*")).collect();
    paths.extend(args.extra.clone());
    let clear = r#"{"up":{"v1":["127.0.0.1:9001"]}}"#;
    let mutual = r#"{"server":{"v1":["127.0.0.1:9002"]}}"#;
    for (name, files, endpoints) in [
        ("gate", gateway(&["/*".to_owned()], &format!(", when: {CONDITION}")), clear),
        ("gate-free", gateway(&["/*".to_owned()], ""), clear),
        ("gate-10k", gateway(&paths, &format!(", when: {CONDITION}")), clear),
        ("in", pair(), "{}"),
        ("out", pair(), mutual),
    ] {
        std::fs::write(args.out.join(format!("{name}.endpoints.json")), endpoints)?;
        let beside = args.out.join(format!("{name}.new"));
        std::fs::write(&beside, bundle(files, &key, args.generation)?)?;
        std::fs::rename(&beside, args.out.join(format!("{name}.mcb")))?;
    }
    Ok(())
}

/// The signing key of this folder, made when there is none.
fn key(out: &Path) -> Result<SigningKey, Problem> {
    let path = out.join("key.pem");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(SigningKey::from_pem(&text)?);
    }
    let key = SigningKey::from_seed(&[1; 32])?;
    std::fs::write(&path, key.to_pem())?;
    Ok(key)
}

type Files = Vec<(String, Vec<u8>)>;

const CONDITION: &str =
    r#"'request.method == "GET" && "x-tenant" in request.headers && request.headers["x-tenant"] == "acme"'"#;

fn gateway(paths: &[String], when: &str) -> Files {
    let mesh = format!(
        "\
kind: Mesh
name: rig
version: 1
trustDomain: rig
tls: permissive
gateways:
  edge: {{ listen: 8080, hosts: [svc.local] }}
---
kind: Environment
name: default
---
kind: Service
name: up
port: 9001
callers: [gateway/edge]
---
kind: AccessPolicy
gateway: edge
allow:
  - {{ from: [external]{when} }}
---
kind: Quota
gateway: edge
limits:
  - {{ per: caller, rate: 10000000/s, burst: 10000000 }}
"
    );
    let mut files = vec![("mesh.yaml".to_owned(), mesh.into_bytes())];
    for (number, paths) in paths.chunks(RULES).enumerate() {
        let mut text = format!("kind: Route\nname: r{number}\ngateway: edge\norder: {number}\nrules:\n");
        for (rule, path) in paths.iter().enumerate() {
            // Writing to a string does not fail.
            let _written = writeln!(text, "  - {{ name: r{rule}, match: {{ path: {path} }}, to: up }}");
        }
        files.push((format!("routes/r{number}.yaml"), text.into_bytes()));
    }
    files
}

fn pair() -> Files {
    let text = format!(
        "\
kind: Mesh
name: rig
version: 1
trustDomain: rig
---
kind: Identity
name: rig
path: /ns/{{env}}/sa/{{service}}
---
kind: Environment
name: default
---
kind: Service
name: client
port: 18499
callers: [server]
---
kind: Service
name: server
port: 8445
---
kind: AccessPolicy
service: server
allow:
  - {{ from: [client], when: {CONDITION} }}
---
kind: Route
service: server
rules:
  - {{ name: all, match: {{ path: /* }}, to: server }}
---
kind: Quota
service: server
limits:
  - {{ per: caller, rate: 10000000/s, burst: 10000000 }}
"
    );
    vec![("mesh.yaml".to_owned(), text.into_bytes())]
}

fn bundle(files: Files, key: &SigningKey, generation: u64) -> Result<Vec<u8>, Problem> {
    let compiled = mesh_compiler::compile(files, &mesh_compiler::Options::default());
    if let Some(found) = compiled.findings.iter().find(|found| found.severity == Severity::Error) {
        return Err(format!("{} {}", found.code, found.message).into());
    }
    let environment = compiled.environments.first().ok_or("no environment")?;
    let tests = mesh_compiler::selftest::self_tests(&environment.program);
    let input = Input {
        program: &environment.program,
        source: None,
        compiler: "rig-mesh",
        maps: &environment.maps,
        tests: &tests,
    };
    let keys = std::slice::from_ref(key);
    Ok(signed(pack(&input)?, keys, |release| release.generation = generation)?.archive()?)
}
