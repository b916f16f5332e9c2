//! Hostile inputs: every case of `tests/corpus` is refused for the stated reason, or taken, in 256 MiB of address space.
//! What a case takes is measured elsewhere (at most 0.5 s and 50 MiB); here a limit ends what hangs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use mesh_bundle::program::SlashMode;
use mesh_bundle::trust::TrustSet;
use mesh_bundle::{Refusal, archive, verify};
use mesh_compiler::cel::{self, Phase};
use mesh_compiler::diag::Severity;
use mesh_compiler::spec::{BranchName, Scalar};
use mesh_compiler::{Options, compile};
use mesh_decision::{host, path};
use mesh_tests::kit::process::{binary, meshc, run};
use mesh_tests::top;
use serde_json::Value;

/// Seconds after which a case counts as hanging, on the slowest machine.
const SECONDS: u64 = 5;
/// Kibibytes of address space that one case may take: `ulimit -v`, so that more is an error and not a guess.
const MEMORY: u64 = 256 << 10;

/// Generates a corpus and gives the rows of one manifest.
fn generated(script: &str, args: &[&str], folder: &Path) {
    let script = top().join("tests/corpus").join(script);
    let python = script.extension().is_some_and(|e| e == "py");
    let mut command = if python { Command::new("python3") } else { Command::new("bash") };
    run(command.arg(script).args(args).arg(folder)).unwrap();
}

fn rows(manifest: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(manifest).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!rows.is_empty());
    rows
}

fn text<'v>(row: &'v Value, name: &str) -> &'v str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn words(row: &Value, name: &str) -> Vec<String> {
    let list = row.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// Files of a folder as the compiler takes them.
fn files(folder: &Path, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            all.extend(files(&entry.path(), &format!("{name}/")));
        } else {
            all.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    all
}

#[test]
fn yaml() {
    let folder = tempfile::tempdir().unwrap();
    generated("gen_rest.py", &[], folder.path());
    let yaml = folder.path().join("yaml");
    let mut wrong = Vec::new();
    for row in rows(&yaml.join("manifest.jsonl")) {
        let case = text(&row, "case").to_owned();
        let compiled = compile(files(&yaml.join(&case), ""), &Options::default());
        let found = |severity| {
            let of = compiled.findings.iter().filter(|f| f.severity == severity);
            let mut codes: Vec<String> = of.map(|f| f.code.to_string()).collect();
            codes.sort();
            codes.dedup();
            codes
        };
        for (name, severity) in [("codes", Severity::Error), ("warnings", Severity::Warning)] {
            if found(severity) != words(&row, name) {
                wrong.push(format!("{case}: {name} {:?}, expected {:?}", found(severity), words(&row, name)));
            }
        }
        let units: String = compiled
            .environments
            .iter()
            .flat_map(|e| e.program.units())
            .map(|(_, unit)| String::from_utf8(unit.to_bytes().unwrap()).unwrap())
            .collect();
        for literal in words(&row, "literal") {
            let escaped = serde_json::to_string(&literal).unwrap();
            if !units.contains(escaped.trim_matches('"')) {
                wrong.push(format!("{case}: `{literal}` is not carried as it is written"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same through the real binary, with a bound on memory and time.
#[test]
fn yaml_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    generated("gen_rest.py", &[], folder.path());
    let yaml = folder.path().join("yaml");
    for row in rows(&yaml.join("manifest.jsonl")) {
        let case = yaml.join(text(&row, "case"));
        let expected = if words(&row, "codes").is_empty() { 0 } else { 1 };
        let said = bounded(&["validate", "-C", &case.display().to_string(), "--output", "concise"], expected);
        for code in words(&row, "codes") {
            assert!(said.contains(&code), "{}: no {code} in\n{said}", case.display());
        }
    }
}

/// Runs `meshc` under the bounds; it must end with the exit code, in time, without a panic.
fn bounded(args: &[&str], exit: i32) -> String {
    let meshc = binary("meshc").display().to_string();
    let line = format!("ulimit -v {MEMORY}; exec timeout {SECONDS} \"$0\" \"$@\"");
    let output =
        Command::new("bash").args(["-c", &line, &meshc]).args(args).env("NO_COLOR", "1").output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "meshc {args:?} said\n{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn paths() {
    let folder = tempfile::tempdir().unwrap();
    generated("gen_rest.py", &[], folder.path());
    for row in rows(&folder.path().join("paths/manifest.jsonl")) {
        let target = text(&row, "target");
        // An absolute form has its own authority, which must be the request's (`a.test`).
        let (authority, rest) = match target.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or((Some(rest), "/"), |at| {
                let (authority, path) = rest.split_at(at);
                (Some(authority), path)
            }),
            None => (None, target),
        };
        let raw = rest.split('?').next().unwrap_or_default();
        let same_host = authority.is_none_or(|a| a == "a.test");
        let form = path::canonical(raw, SlashMode::Reject).ok().filter(|_| same_host);
        let routed = form.is_some();
        assert_eq!(routed, text(&row, "expect") == "route", "{row}");
        if let Some(form) = form {
            assert_eq!(form, text(&row, "canonical"), "{row}");
            let admin = mesh_bundle::PathPattern::parse("/admin/*").unwrap();
            let denied = path::matches(&admin, &form);
            assert_eq!(denied, text(&row, "deny_admin") == "deny", "{row}");
        }
    }
}

#[test]
fn hosts() {
    let folder = tempfile::tempdir().unwrap();
    generated("gen_rest.py", &[], folder.path());
    for row in rows(&folder.path().join("hosts/manifest.jsonl")) {
        let form = host::canonical(text(&row, "host"));
        assert_eq!(form.is_ok(), text(&row, "expect") == "route", "{row}");
        if let Ok(form) = form {
            assert_eq!(form, text(&row, "canonical"), "{row}");
        }
    }
}

#[test]
fn expressions() {
    let folder = tempfile::tempdir().unwrap();
    generated("gen_rest.py", &[], folder.path());
    for row in rows(&folder.path().join("cel/cases.jsonl")) {
        let found = cel::condition(text(&row, "expr"), Phase::Inbound, &[], false);
        let mut codes: Vec<String> = found.err().into_iter().flatten().map(|f| f.code.to_string()).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes, words(&row, "codes"), "{:.200}", row.to_string());
    }
}

#[test]
fn branches() {
    let folder = tempfile::tempdir().unwrap();
    generated("gen_rest.py", &[], folder.path());
    for row in rows(&folder.path().join("git-input/manifest.jsonl")) {
        let taken = BranchName::parse(text(&row, "ref")).is_some();
        assert_eq!(taken, text(&row, "expect") == "accept", "{row}");
    }
}

/// Archives made from a good bundle without its key.
#[test]
fn archives() {
    let folder = tempfile::tempdir().unwrap();
    let (base, out) = (folder.path().join("base"), folder.path().join("out"));
    let shown = |path: &Path| path.display().to_string();
    let (key, trust) = (folder.path().join("key.pem"), folder.path().join("trust.json"));
    meshc(folder.path(), ["keygen", "-o", &shown(&key), "--trust", &shown(&trust)]).unwrap();
    let shop = shown(&top().join("examples/shop"));
    meshc(folder.path(), ["build", "-C", &shop, "--env", "prod", "--key", &shown(&key), "-o", &shown(&base)])
        .unwrap();
    generated("gen_bundle.py", &[&shown(&base)], &out);
    let trust: TrustSet = serde_json::from_slice(&std::fs::read(&trust).unwrap()).unwrap();
    let climb = |bytes: &[u8]| -> Result<(), Refusal> {
        let files = archive::read(bytes)?;
        verify::bound(&files)?;
        let candidate = verify::authentic(files, &trust)?;
        verify::well_formed(&candidate.bundle, None).map(drop)
    };
    let mut wrong = Vec::new();
    for row in rows(&out.join("manifest.jsonl")) {
        let file =
            ["file", "case"].iter().map(|name| text(&row, name)).find(|name| !name.is_empty()).unwrap();
        let file = if file.ends_with(".mcb") { file.to_owned() } else { format!("{file}.mcb") };
        let got = climb(&std::fs::read(out.join(&file)).unwrap()).err();
        let code = got.as_ref().map_or(Value::Null, |r| Value::from(r.code.clone()));
        if Some(&code) != row.get("code") {
            wrong.push(format!("{row}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn repositories() {
    let folder = tempfile::tempdir().unwrap();
    generated("git_evil.sh", &[], folder.path());
    let rows = rows(&folder.path().join("manifest.jsonl"));
    assert!(rows.len() >= 27, "{} repositories", rows.len());
    for row in rows {
        let repository: PathBuf = folder.path().join(text(&row, "repository"));
        let exit = row.get("exit").and_then(Value::as_i64).and_then(|e| i32::try_from(e).ok()).unwrap();
        let place = repository.display().to_string();
        let said =
            bounded(&["validate", "-C", &place, "--rev", text(&row, "rev"), "--output", "concise"], exit);
        for code in words(&row, "codes") {
            assert!(said.contains(&code), "{row}: no {code} in\n{said}");
        }
        assert!(!said.contains("root:"), "{row}: something outside of the repository was read\n{said}");
    }
    // What the hostile configurations would have run.
    assert!(!Path::new("/var/evil_meshc").exists());
}
