//! What `--output json` prints is what `schemas/reports` says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{edit, meshc, shop_in_git};
use jsonschema::Validator;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/reports")
}

fn validator(command: &str) -> Validator {
    let text = std::fs::read_to_string(folder().join(format!("{command}.json"))).unwrap();
    jsonschema::draft202012::new(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// Runs a command and holds its report against a schema.
#[track_caller]
fn run(folder: &Path, args: &[&str], code: i32, schema: &str) -> Value {
    let json = meshc(folder, &[args, &["--output", "json"]].concat()).expect(code).json();
    let wrong: Vec<String> = validator(schema).iter_errors(&json).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{args:?}: {wrong:?}\n{json:#}");
    json
}

#[test]
fn every_command_prints_what_its_schema_says() {
    let shop = shop_in_git();
    let at = shop.path();
    let mut seen = BTreeSet::from(["init.json".to_owned()]);
    // In a folder of its own: a second mesh below the shop would be part of it.
    let elsewhere = tempfile::tempdir().unwrap();
    run(elsewhere.path(), &["init", "small"], 0, "init");
    let mut run = |args: &[&str], code: i32, schema: &'static str| {
        seen.insert(format!("{schema}.json"));
        run(at, args, code, schema)
    };
    run(&["version"], 0, "version");
    run(&["explain"], 0, "explain");
    run(&["explain", "MC2001"], 0, "explain");
    run(&["keygen", "-o", "mesh.key", "--trust", "trust.json"], 0, "keygen");
    run(&["keygen", "--dev-ca", "certs", "--mesh-from", ".", "--env", "dev"], 0, "keygen");
    run(&["validate"], 0, "validate");
    run(&["test"], 0, "test");
    run(&["access", "--env", "prod"], 0, "access");
    run(&["access", "web", "orders", "--env", "prod"], 0, "access");
    run(
        &["build", "--env", "prod", "-o", "p.mcb", "--key", "mesh.key", "--stage", "canary/orders=1"],
        0,
        "build",
    );
    run(&["verify", "p.mcb", "--trust", "trust.json"], 0, "verify");
    let routed =
        ["route", "POST", "http://orders/orders/5/paid", "--as", "payments", "-H", "idempotency-key: 1"];
    run(&[&routed[..], &["--explain", "--env", "prod"]].concat(), 0, "route");
    run(&["route", "GET", "https://nowhere.example/", "--env", "prod"], 0, "route");
    run(&["plan", "--env", "prod"], 0, "plan");
    run(&["plan", "--against", "p.mcb"], 0, "plan");
    edit(&at.join("tests/checkout.yaml"), "rule: edge/order-api, service: orders", "service: cart");
    assert_eq!(run(&["test"], 1, "test")["failed"], 1);
    edit(&at.join("services/mailer/mesh.yaml"), "8025", "8026");
    assert_eq!(run(&["plan", "--env", "prod"], 0, "plan")["changes"], true);
    std::fs::write(at.join("p.mcb"), "no bundle").unwrap();
    assert_eq!(run(&["verify", "p.mcb"], 1, "verify")["verdict"], "refused");
    edit(&at.join("services/web/mesh.yaml"), "to: orders", "to: oders");
    // On a mesh with errors every command prints the report of `validate`.
    for command in ["validate", "build", "plan", "test", "access"] {
        assert_eq!(run(&[command], 1, "validate")["command"], command);
    }
    run(&["schema", "--check", "services/web/mesh.yaml"], 0, "validate");
    let all: BTreeSet<String> =
        std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(seen, all);
}

#[test]
fn a_report_that_is_otherwise_is_found() {
    let mut report = meshc(&std::env::temp_dir(), &["version", "--output", "json"]).expect(0).json();
    assert!(validator("version").is_valid(&report));
    report["bundleFormat"] = "one".into();
    assert!(!validator("version").is_valid(&report));
}
