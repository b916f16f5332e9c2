//! The schema for editors in an editor's hands: `yaml-language-server`, which `ci/setup test` installs, finds nothing in the
//! examples and the right things in broken files, explains fields, and offers what the document's kind has.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use mesh_tests::activate::skip;
use mesh_tests::kit::files::{copy, read};
use mesh_tests::kit::process::binary;
use serde_json::{Value, json};
use server::{Finding, Server};
use tempfile::TempDir;

const KINDS: [&str; 13] = [
    "Mesh",
    "Service",
    "Route",
    "Canary",
    "AccessPolicy",
    "Quota",
    "Resilience",
    "Identity",
    "Telemetry",
    "Policy",
    "Environment",
    "External",
    "Test",
];

fn program(test: &str) -> Option<PathBuf> {
    let program = server::program();
    if program.is_none() {
        skip(test, "`ci/setup test` installs yaml-language-server");
    }
    program
}

/// A folder; the server's patterns match nothing below one whose name begins with a dot.
fn visible() -> TempDir {
    tempfile::Builder::new().prefix("editors").tempdir().expect("a folder")
}

/// A copy of the shop with the settings that `docs/editors.md` gives, and their server.
fn shop(program: &Path) -> (TempDir, PathBuf, Server) {
    let folder = visible();
    let shop = folder.path().canonicalize().expect("a path").join("shop");
    copy(&mesh_tests::top().join("examples/shop"), &shop).expect("the shop");
    let server = Server::start(program, &shop, &documented());
    (folder, shop, server)
}

fn documented() -> Value {
    let page = std::fs::read_to_string(mesh_tests::top().join("docs/editors.md")).expect("the page");
    let block =
        page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the settings");
    let settings: Value = serde_json::from_str(block).expect("JSON");
    settings["yaml.schemas"].clone()
}

fn specs(folder: &Path) -> Vec<(PathBuf, String)> {
    let files = read(folder).expect("files").into_iter();
    let specs = files.filter(|(path, _)| path.extension().is_some_and(|is| is == "yaml"));
    specs.map(|(path, bytes)| (folder.join(path), String::from_utf8(bytes).expect("text"))).collect()
}

#[test]
fn the_shop_has_no_finding_and_every_document_is_looked_at() {
    let Some(program) = program("the shop in an editor") else { return };
    let (_folder, shop, mut server) = shop(&program);
    let files = specs(&shop);
    assert!(files.len() > 10, "files are missing");
    for (file, text) in files {
        let found = server.open(&file, &text);
        assert!(found.is_empty(), "{}: {found:?}", file.display());
        // A mistake in one more document shows that the silence is no accident.
        let more = format!("{text}---\nkind: Servce\nname: a\n");
        let found = server.open(&file, &more);
        let line = more.lines().count() as u64 - 1;
        assert!(
            matches!(found.as_slice(), [one] if one.line == line && one.message.contains("Service")),
            "{}: {found:?}",
            file.display()
        );
    }
}

#[test]
fn a_new_mesh_has_no_finding_by_its_own_lines() {
    let Some(program) = program("a new mesh in an editor") else { return };
    let folder = visible();
    let top = folder.path().canonicalize().expect("a path");
    let status = Command::new(binary("meshc")).args(["init", "bakery"]).current_dir(&top).status();
    assert!(status.is_ok_and(|status| status.success()), "init");
    let mesh = top.join("bakery");
    // The settings are for the probe alone.
    let schemas = json!({ ".meshc/schema/v1.json": [server::PROBE] });
    let mut server = Server::start(&program, &mesh, &schemas);
    for (file, text) in specs(&mesh) {
        if !file.components().any(|part| part.as_os_str() == ".github") {
            let found = server.open(&file, &text);
            assert!(found.is_empty(), "{}: {found:?}", file.display());
            let broken = text.replace("name:", "nmae:");
            let documents = broken.matches("kind:").count();
            assert!(server.open(&file, &broken).len() >= documents, "{}", file.display());
        }
    }
}

#[test]
fn broken_files_have_the_right_findings() {
    let Some(program) = program("broken files in an editor") else { return };
    let (_folder, shop, mut server) = shop(&program);
    let file = shop.join("services/orders/mesh.yaml");
    let text = std::fs::read_to_string(&file).expect("the file");
    for (from, to, line, words) in [
        ("    timeout: 5s", "    timeuot: 5s", 13, "timeuot"),
        ("interval: 30s", "interval: 30", 29, "string"),
        ("port: 8080", "port: many", 4, "integer"),
        ("noData: pause", "noData: wait", 31, "pause"),
        ("kind: Canary", "kind: Canery", 20, "Canary"),
        ("candidate: v42\n", "", 20, "candidate"),
        ("methods: [POST] }\n    timeout", "methods: [POST ok] }\n    timeout", 12, "pattern"),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        let found = server.open(&file, &text.replace(from, to));
        let right = |finding: &Finding| finding.line == line && finding.message.contains(words);
        assert!(found.len() == 1 && found.iter().all(right), "`{to}`, line {line}, {words}: {found:?}");
    }
}

#[test]
fn fields_are_explained_and_offered_by_kind() {
    let Some(program) = program("hover and completion") else { return };
    let (_folder, shop, mut server) = shop(&program);
    let file = shop.join("services/orders/mesh.yaml");
    let text = std::fs::read_to_string(&file).expect("the file");
    for (words, says) in [
        ("versions", "Its versions"),
        ("stages", "growing weights"),
        ("retry", "retries"),
        ("    - { name: errors, measure", "A measure of the proxies"),
        ("  - from", "One of these callers"),
    ] {
        let shown = server.hover(&file, &text, words);
        assert!(shown.contains(says), "`{words}`: {shown}");
    }
    let draft = "kind: Canary\nservice: orders\n\n---\nkind: Service\nname: a\nprotocol: \n---\nkind: \n";
    let offered = server.completions(&file, draft, "service: orders\n");
    for field in ["stable", "candidate", "stages", "analysis", "onFailure"] {
        assert!(offered.iter().any(|label| label == field), "{field}: {offered:?}");
    }
    assert!(!offered.iter().any(|label| label == "port" || label == "rules"), "{offered:?}");
    assert_eq!(sorted(server.completions(&file, draft, "protocol: ")), ["grpc", "http", "tcp"]);
    assert_eq!(sorted(server.completions(&file, draft, "protocol: \n---\nkind: ")), sorted(KINDS));
}

fn sorted<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Vec<String> {
    let mut words: Vec<String> = words.into_iter().map(Into::into).collect();
    words.sort();
    words.dedup();
    words
}
