//! The workflow of `meshc init`, run step by step as a CI service runs it.

use std::process::{Command, Output};

use mesh_compiler::diag::Sources;
use mesh_compiler::source::{Node, Value, parse};
use mesh_tests::kit::process::binary;

use crate::bench::Bench;

/// The scripts of the workflow's steps, in order.
fn scripts(bench: &Bench) -> Vec<String> {
    let text = std::fs::read(bench.path("shop/.github/workflows/mesh.yaml")).unwrap();
    let (_, parsed) = parse(&mut Sources::new(), "workflow.yaml", &text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let root = &parsed.documents.first().unwrap().root;
    let steps = root.get("jobs").and_then(|jobs| jobs.get("mesh")?.get("steps")).unwrap();
    let Value::Seq(steps) = &steps.value else { panic!("no steps") };
    steps.iter().filter_map(|step| step.get("run").and_then(Node::as_str).map(str::to_owned)).collect()
}

/// Runs the steps in a checkout until one fails; the last one's output.
fn run(bench: &Bench, variables: &[(&str, &str)]) -> Output {
    let added = bench.path("added");
    std::fs::write(&added, "").unwrap();
    let mut last = None;
    for script in scripts(bench) {
        let script = script.replace("${{ github.base_ref }}", "main");
        let more = std::fs::read_to_string(&added).unwrap();
        let path = format!("{}:/usr/bin:/bin", more.trim());
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]);
        command.current_dir(bench.path("checkout")).env_clear().env("PATH", path);
        command.env("RUNNER_TEMP", bench.path("temp")).env("GITHUB_PATH", &added).env("HOME", bench.path(""));
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let good = output.status.success();
        last = Some(output);
        if !good {
            break;
        }
    }
    last.unwrap()
}

#[test]
fn it_installs_what_it_runs() {
    let bench = Bench::new();
    bench.meshc("", &["init", "shop"]).says(0, &[]);
    bench.git("shop", &["init", "-q", "-b", "main"]);
    bench.commit("shop");
    bench.git("", &["clone", "-q", "shop", "checkout"]);
    let meshc = binary("meshc");
    let url = format!("file://{}", meshc.display());
    let sum = Command::new("sha256sum").arg(&meshc).output().unwrap();
    let sum = String::from_utf8_lossy(&sum.stdout).split(' ').next().unwrap().to_owned();
    let said = |output: &Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let good = run(&bench, &[("URL", &url), ("SHA256", &sum)]);
    assert!(good.status.success() && said(&good).contains("nothing was compared"), "{}", said(&good));
    let unset = run(&bench, &[("URL", ""), ("SHA256", "")]);
    assert!(
        !unset.status.success() && said(&unset).contains("MESHC_URL and MESHC_SHA256"),
        "{}",
        said(&unset)
    );
    let other = run(&bench, &[("URL", &url), ("SHA256", &"0".repeat(64))]);
    assert!(!other.status.success(), "{}", said(&other));
}
