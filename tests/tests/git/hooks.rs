//! Hooks: what is staged, what is pushed, and the variables that git sets.

use std::os::unix::fs::PermissionsExt as _;

use mesh_tests::kit::process::binary;

use crate::bench::Bench;

const BROKEN: &str = "kind: Service\nname: web\nport: 8080\ncallers: [nobody]\n";

/// Writes a hook that runs `meshc` with these words and lets its exit code decide.
fn hook(bench: &Bench, path: &str, script: &str) {
    let meshc = binary("meshc").display().to_string();
    bench.write(path, &format!("#!/bin/sh\nset -e\n{}\n", script.replace("meshc", &meshc)));
    std::fs::set_permissions(bench.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_is_staged_is_read_from_the_index_alone() {
    let bench = Bench::with_mesh();
    let head = bench.git("mesh", &["rev-parse", "HEAD"]);
    let staged =
        |code: i32| bench.meshc("mesh", &["validate", "--staged", "--output", "concise"]).says(code, &[]);
    assert_eq!(bench.built("mesh", &["--staged"]), (Some(head), 1));
    bench.write("mesh/services/web.yaml", BROKEN);
    staged(0);
    bench.git("mesh", &["add", "."]);
    bench.write("mesh/services/web.yaml", crate::bench::FILES[1].1);
    assert!(staged(1).out.contains("services/web.yaml:4:"));
    bench.meshc("mesh", &["validate"]).says(0, &[]);
    bench.meshc("mesh", &["validate", "--staged", "--fix"]).says(2, &["--fix"]);
    bench.meshc("mesh", &["validate", "--staged", "--rev", "HEAD"]).says(2, &["--rev"]);
    bench.git("mesh", &["add", "."]);
    // What is only intended to be added is in no commit.
    bench.write("mesh/services/more.yaml", "kind: [");
    bench.git("mesh", &["add", "-N", "services/more.yaml"]);
    staged(0);
    bench.git("mesh", &["rm", "-q", "--cached", "services/more.yaml"]);
    std::fs::remove_file(bench.path("mesh/services/more.yaml")).unwrap();
    // A change that is staged: the plan compares it with the commit.
    bench.write("mesh/services/web.yaml", &crate::bench::FILES[1].1.replace("8080", "8081"));
    bench.git("mesh", &["add", "."]);
    bench.meshc("mesh", &["plan", "--staged", "--exit-code"]).says(10, &["8081"]);
    let run = bench.meshc("mesh", &["build", "--staged", "--env", "prod", "-o", "p.mcb"]);
    run.says(0, &["what is staged differs from its commit"]);
}

#[test]
fn conflicts_are_said() {
    let bench = Bench::with_mesh();
    let change = |port: &str| {
        bench.write("mesh/services/web.yaml", &crate::bench::FILES[1].1.replace("8080", port));
        bench.commit("mesh")
    };
    bench.git("mesh", &["checkout", "-q", "-b", "other"]);
    change("1");
    bench.git("mesh", &["checkout", "-q", "main"]);
    change("2");
    assert!(!bench.git_command("mesh", &["merge", "other"]).output().unwrap().status.success());
    bench.meshc("mesh", &["validate", "--staged"]).says(2, &["conflicts in `services/web.yaml`", "git add"]);
}

#[test]
fn a_hook_before_a_commit_sees_the_commit_that_will_be() {
    let bench = Bench::with_mesh();
    hook(&bench, "mesh/.git/hooks/pre-commit", "meshc validate --staged");
    bench.write("mesh/services/web.yaml", BROKEN);
    let commit = |args: &[&str]| {
        let args = [&["commit", "-q", "-m", "x"], args].concat();
        bench.git_command("mesh", &args).output().unwrap().status.success()
    };
    // With -a and with paths git has another index for the time of the hook.
    assert!(!commit(&["-a"]));
    assert!(!commit(&["services/web.yaml"]));
    bench.git("mesh", &["add", "."]);
    assert!(!commit(&[]));
    bench.write("mesh/services/web.yaml", &crate::bench::FILES[1].1.replace("8080", "8081"));
    assert!(commit(&["-a"]));
    // In a linked work tree and below it.
    bench.git("mesh", &["worktree", "add", "-q", "../linked"]);
    bench.write("linked/services/web.yaml", BROKEN);
    let run = bench.git_command("linked/services", &["commit", "-q", "-a", "-m", "x"]).output().unwrap();
    assert!(!run.status.success());
    assert!(String::from_utf8_lossy(&run.stderr).contains("MC1104"), "{run:?}");
}

#[test]
fn a_hook_before_a_push_is_taken_sees_what_is_pushed() {
    let bench = Bench::with_mesh();
    bench.git("", &["clone", "-q", "--bare", "mesh", "server.git"]);
    let script = "while read old new ref; do\n  meshc validate --rev \"$new\"\n  meshc plan --rev \"$new\" --against \"$old\"\ndone";
    hook(&bench, "server.git/hooks/pre-receive", script);
    bench.git("mesh", &["remote", "add", "origin", "../server.git"]);
    bench.write("mesh/services/web.yaml", BROKEN);
    bench.commit("mesh");
    let push = || bench.git_command("mesh", &["push", "-q", "origin", "main"]).output().unwrap();
    let run = push();
    assert!(!run.status.success());
    assert!(String::from_utf8_lossy(&run.stderr).contains("MC1104"), "{run:?}");
    bench.write("mesh/services/web.yaml", &crate::bench::FILES[1].1.replace("8080", "8081"));
    bench.commit("mesh");
    let run = push();
    assert!(run.status.success(), "{run:?}");
    assert!(String::from_utf8_lossy(&run.stderr).contains("8081"), "{run:?}");
}

#[test]
fn variables_of_hooks_are_heeded_unless_another_repository_was_chosen() {
    let bench = Bench::with_mesh();
    let head = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench.files("other");
    bench.git("other", &["init", "-q", "-b", "main"]);
    bench.commit("other");
    bench.commit("other");
    let validate = |folder: &str, args: &[&str], variables: &[(&str, &str)]| {
        bench.meshc_with(folder, &[&["validate", "--output", "concise"], args].concat(), variables)
    };
    // A post-receive hook runs in the git directory, with GIT_DIR=. and works on another checkout.
    let dot = [("GIT_DIR", ".")];
    validate("mesh/.git", &["--rev", &head], &dot).says(0, &[]);
    let there = bench.shown("other");
    validate("mesh/.git", &["-C", &there, "--rev", "HEAD~1"], &dot).says(0, &[]);
    // The index of the commit in which a hook runs is not that of another repository.
    let index = [("GIT_INDEX_FILE", ".git/index")];
    bench.write("other/services/web.yaml", BROKEN);
    bench.git("other", &["add", "."]);
    validate("mesh", &["-C", &there, "--staged"], &index).says(1, &["MC1104"]);
    bench.git("other", &["reset", "-q", "--hard"]);
    // From a folder of nobody, GIT_DIR alone says which.
    let named = bench.shown("mesh/.git");
    validate("", &["--rev", &head], &[("GIT_DIR", &named)]).says(0, &[]);
    // The settings of the person in a folder of their own (a bare repository and GIT_WORK_TREE).
    std::fs::rename(bench.path("mesh/.git"), bench.path("apart.git")).unwrap();
    let apart = [("GIT_DIR", &*bench.shown("apart.git")), ("GIT_WORK_TREE", &*bench.shown("mesh"))];
    validate("mesh/services", &["--staged"], &apart).says(0, &[]);
    let broken = [("GIT_DIR", "/nowhere")];
    validate("mesh", &[], &broken).says(2, &["GIT_DIR names `/nowhere`", "unset GIT_DIR"]);
    // Folders above a ceiling are nobody's.
    std::fs::rename(bench.path("apart.git"), bench.path("mesh/.git")).unwrap();
    bench.files("mesh/inner");
    let ceiling = bench.shown("mesh");
    let run =
        bench.meshc_with("mesh/inner", &["validate", "--staged"], &[("GIT_CEILING_DIRECTORIES", &ceiling)]);
    run.says(2, &["in no git repository"]);
}
