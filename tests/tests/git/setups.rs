//! Kinds of clones and repositories.

use crate::bench::Bench;

const VALIDATE: &[&str] = &["validate", "--output", "concise"];
const BUILD: &[&str] = &["build", "--env", "prod", "-o", "p.mcb"];

#[test]
fn a_shallow_clone_lacks_history_by_name() {
    let bench = Bench::with_mesh();
    bench.commit("mesh");
    let url = format!("file://{}", bench.shown("mesh"));
    bench.git("", &["clone", "-q", "--depth", "1", &url, "shallow"]);
    bench.meshc("shallow", VALIDATE).says(0, &[]);
    bench.meshc("shallow", &["plan"]).says(0, &["nothing was compared"]);
    let said = ["the clone is shallow", "--generation", "git fetch --unshallow"];
    bench.meshc("shallow", BUILD).says(2, &said);
    bench
        .meshc("shallow", &["plan", "--against", "HEAD~1"])
        .says(2, &["the clone is shallow", "--unshallow"]);
    bench.meshc("shallow", &["validate", "--rev", "main~1"]).says(2, &["the clone is shallow"]);
    assert_eq!(bench.built("shallow", &["--generation", "7"]).1, 7);
    // Work trees share the cut, though the library looks for it in each.
    bench.git("shallow", &["worktree", "add", "-q", "../linked"]);
    bench.meshc("linked", BUILD).says(2, &said);
}

#[test]
fn a_partial_clone_lacks_objects_by_name() {
    let bench = Bench::with_mesh();
    bench.git("mesh", &["config", "uploadpack.allowFilter", "true"]);
    bench
        .write("mesh/services/web.yaml", "kind: Service\nname: web\nport: 9090\ncallers: [gateway/public]\n");
    bench.commit("mesh");
    let url = format!("file://{}", bench.shown("mesh"));
    bench.git("", &["clone", "-q", "--filter=blob:none", &url, "partial"]);
    bench.meshc("partial", VALIDATE).says(0, &[]);
    assert_eq!(bench.built("partial", &[]).1, 2);
    let said = ["services/web.yaml", "the clone is partial", "fetch --refetch --no-filter origin"];
    for args in [&["plan", "--against", "HEAD~1"][..], &["validate", "--rev", "HEAD~1"]] {
        bench.meshc("partial", args).says(2, &said);
    }
    // The mark of older versions of git, which the library does not know.
    bench.git("partial", &["config", "extensions.partialClone", "origin"]);
    bench.meshc("partial", VALIDATE).says(2, &["partial clone", "config --unset extensions.partialclone"]);
}

#[test]
fn a_sparse_checkout_that_leaves_out_files_is_a_finding() {
    let bench = Bench::with_mesh();
    bench.write("mesh/docs/readme.txt", "x");
    bench.commit("mesh");
    bench.git("mesh", &["sparse-checkout", "set", "--cone", "docs"]);
    let said = ["mesh.yaml:1:1: error[MC6004]", "`services/edge.yaml`, `services/web.yaml`"];
    bench.meshc("mesh", VALIDATE).says(1, &said);
    bench.meshc("mesh", BUILD).says(1, &["MC6004", "git sparse-checkout disable"]);
    bench.meshc("mesh", &["validate", "--rev", "HEAD"]).says(0, &[]);
    bench.meshc("mesh", &["validate", "--staged"]).says(0, &[]);
    bench.git("mesh", &["sparse-checkout", "reapply", "--sparse-index"]);
    bench.meshc("mesh", VALIDATE).says(1, &said);
    bench.meshc("mesh", &["validate", "--staged"]).says(2, &["index", "--no-sparse-index"]);
    // A file that is deleted by hand was not left out.
    bench.git("mesh", &["sparse-checkout", "set", "--no-sparse-index", "--cone", "services"]);
    std::fs::remove_file(bench.path("mesh/services/edge.yaml")).unwrap();
    let run = bench.meshc("mesh", VALIDATE);
    assert!(!run.out.contains("MC6004"), "{}", run.out);
}

#[test]
fn linked_work_trees_and_bare_repositories_are_read() {
    let bench = Bench::with_mesh();
    let head = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench.git("mesh", &["worktree", "add", "-q", "--detach", "../linked"]);
    assert_eq!(bench.built("linked", &[]), (Some(head.clone()), 1));
    bench.git("", &["clone", "-q", "--bare", "mesh", "bare.git"]);
    assert_eq!(bench.built("bare.git", &["--rev", "main"]), (Some(head.clone()), 1));
    bench.meshc("bare.git", VALIDATE).says(2, &["no `mesh.yaml`"]);
    bench.meshc("bare.git", &["validate", "--staged"]).says(2, &["bare repository", "--rev"]);
    // A work tree of a bare repository has files, whatever the shared settings say.
    bench.git("bare.git", &["worktree", "add", "-q", "../of-bare", "main"]);
    assert_eq!(bench.built("of-bare", &[]), (Some(head), 1));
    std::fs::rename(bench.path("bare.git"), bench.path("moved.git")).unwrap();
    bench.meshc("of-bare", VALIDATE).says(2, &["of-bare/.git", "git worktree repair"]);
}

#[test]
fn a_detached_head_is_a_commit_like_any_other() {
    let bench = Bench::with_mesh();
    let first = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench.commit("mesh");
    bench.git("mesh", &["checkout", "-q", "--detach", "HEAD~1"]);
    assert_eq!(bench.built("mesh", &[]), (Some(first), 1));
}

#[test]
fn a_branch_without_a_commit_is_said_by_name() {
    let bench = Bench::new();
    bench.files("mesh");
    bench.git("mesh", &["init", "-q", "-b", "trunk"]);
    bench.meshc("mesh", VALIDATE).says(0, &[]);
    bench.meshc("mesh", BUILD).says(0, &["note: branch `trunk` has no commit yet"]);
    for args in
        [&["plan"][..], &["validate", "--rev", "HEAD"], &["test", "--rev", "trunk"], &["build", "--rev", "@"]]
    {
        bench.meshc("mesh", args).says(2, &["branch `trunk` has none yet", "--staged"]);
    }
    bench.git("mesh", &["add", "."]);
    bench.meshc("mesh", &["validate", "--staged"]).says(0, &[]);
}

#[test]
fn object_ids_of_sha_256_are_said_by_name() {
    let bench = Bench::new();
    bench.files("mesh");
    bench.git("mesh", &["init", "-q", "--object-format=sha256"]);
    bench.commit("mesh");
    for command in ["validate", "plan", "build", "test", "access"] {
        bench
            .meshc("mesh", &[command])
            .says(2, &["SHA-256", "extensions.objectFormat", "archive HEAD | tar -x"]);
    }
    // What the help says.
    let copy = format!("mkdir ../copy && git archive HEAD | tar -x -C {}", bench.shown("copy"));
    bench.git("mesh", &["-c", &format!("alias.copy=!{copy}"), "copy"]);
    bench.meshc("copy", VALIDATE).says(0, &[]);
}

#[test]
fn references_in_a_table_are_said_by_name() {
    let bench = Bench::with_mesh();
    // As git 2.45 and later write it.
    bench.git("mesh", &["config", "core.repositoryFormatVersion", "1"]);
    bench.git("mesh", &["config", "extensions.refStorage", "reftable"]);
    std::fs::remove_dir_all(bench.path("mesh/.git/refs")).unwrap();
    bench.write("mesh/.git/HEAD", "ref: refs/heads/.invalid\n");
    bench.write("mesh/.git/refs/heads", "this repository uses the reftable format\n");
    bench.write("mesh/.git/reftable/tables.list", "");
    bench.meshc("mesh", VALIDATE).says(2, &["references as reftable", "git clone --ref-format=files"]);
}

#[test]
fn an_extension_that_nobody_knows_is_said_by_name() {
    let bench = Bench::with_mesh();
    // By hand: git changes no settings that it does not understand.
    bench.write(
        "mesh/.git/config",
        "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\ttomorrow = true\n",
    );
    bench.meshc("mesh", VALIDATE).says(2, &["extensions.tomorrow"]);
    bench.write("mesh/.git/config", "[core]\n\trepositoryFormatVersion = 2\n");
    bench.meshc("mesh", VALIDATE).says(2, &["version 2 of the repository format"]);
    // Before version 1 there are none.
    bench.write("mesh/.git/config", "[extensions]\n\ttomorrow = true\n");
    bench.meshc("mesh", VALIDATE).says(0, &[]);
}

#[test]
fn lost_alternates_are_said_by_path() {
    let bench = Bench::with_mesh();
    let head = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench.git("", &["clone", "-q", "--shared", "mesh", "borrowing"]);
    assert_eq!(bench.built("borrowing", &[]), (Some(head), 1));
    std::fs::rename(bench.path("mesh"), bench.path("elsewhere")).unwrap();
    let said = ["info/alternates", &bench.shown("mesh/.git/objects"), "is not there"];
    for args in [BUILD, &["plan"], &["validate", "--rev", "HEAD"]] {
        bench.meshc("borrowing", args).says(2, &said);
    }
}

#[test]
fn replacements_and_grafts_change_no_byte_and_no_generation() {
    let bench = Bench::with_mesh();
    let first = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench
        .write("mesh/services/web.yaml", "kind: Service\nname: web\nport: 9090\ncallers: [gateway/public]\n");
    let second = bench.commit("mesh");
    bench.git("mesh", &["replace", &second, &first]);
    assert_eq!(bench.built("mesh", &["--rev", "HEAD"]), (Some(second.clone()), 2));
    bench.meshc("mesh", &["validate", "--rev", "HEAD"]).says(0, &["note:", "refs/replace"]);
    bench.git("mesh", &["replace", "-d", &second]);
    bench.write("mesh/.git/info/grafts", &format!("{second}\n"));
    assert_eq!(bench.git("mesh", &["rev-list", "--count", "HEAD"]), "1", "git heeds them");
    assert_eq!(bench.built("mesh", &[]), (Some(second), 2));
    bench.meshc("mesh", &["plan", "--against", "HEAD~1"]).says(0, &["note:", "info/grafts"]);
    bench.meshc("mesh", &["plan"]).says(0, &["info/grafts"]);
}

#[test]
fn a_tag_that_hides_a_branch_is_said() {
    let bench = Bench::with_mesh();
    let first = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench.git("mesh", &["tag", "main"]);
    let second = bench.commit("mesh");
    let said = ["note: `main` is `refs/tags/main` and `refs/heads/main`", "write `refs/heads/main`"];
    for args in
        [&["validate", "--rev", "main"][..], &["plan", "--against", "main"], &["test", "--rev", "main~0"]]
    {
        bench.meshc("mesh", args).says(0, &said);
    }
    assert_eq!(bench.built("mesh", &["--rev", "main"]).0, Some(first));
    assert_eq!(bench.built("mesh", &["--rev", "refs/heads/main"]).0, Some(second.clone()));
    assert_eq!(bench.built("mesh", &["--rev", "heads/main"]).0, Some(second));
}

#[test]
fn submodules_are_repositories_of_their_own() {
    let bench = Bench::with_mesh();
    let head = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench.git("", &["init", "-q", "-b", "main", "whole"]);
    let add = ["-c", "protocol.file.allow=always", "submodule", "add", "-q", "../mesh", "mesh"];
    bench.git("whole", &add);
    bench.commit("whole");
    // The mesh is the submodule.
    assert_eq!(bench.built("whole/mesh", &[]), (Some(head), 1));
    // A submodule in a mesh is refused, with its files there and without.
    bench.files("whole");
    bench.commit("whole");
    let said = ["mesh:1:1: error[MC6001]"];
    bench.meshc("whole", VALIDATE).says(1, &said);
    bench.meshc("whole", &["validate", "--rev", "HEAD", "--output", "concise"]).says(1, &said);
    bench.git("whole", &["submodule", "deinit", "-q", "-f", "mesh"]);
    bench.meshc("whole", VALIDATE).says(1, &["it is a submodule"]);
}

#[test]
fn revisions_of_every_form_and_trees_are_read() {
    let bench = Bench::with_mesh();
    let first = bench.git("mesh", &["rev-parse", "HEAD"]);
    bench.git("mesh", &["tag", "-a", "-m", "x", "v1"]);
    std::fs::create_dir(bench.path("mesh/deep")).unwrap();
    bench.git("mesh", &["mv", "mesh.yaml", "services", "deep"]);
    bench.commit("mesh");
    let tree = bench.git("mesh", &["rev-parse", "v1^{tree}"]);
    let short = first.get(..10).unwrap();
    for rev in ["v1", "HEAD~1", "HEAD^", short, &first, "main@{1}", "v1^{commit}", &tree, "v1^{tree}", "v1:"]
    {
        bench.meshc("mesh", &["validate", "--rev", rev]).says(0, &["checked 3 files"]);
    }
    for rev in ["HEAD:deep", "HEAD:deep/", "main@{0}:./deep", "@:deep", "HEAD^{tree}:deep"] {
        let said = bench.meshc("mesh", &["validate", "--rev", rev]).says(0, &["checked 3 files"]);
        assert!(said.err.is_empty(), "{}", said.err);
    }
    bench.meshc("mesh", &["validate", "--rev", "nosuch"]).says(2, &["`nosuch` is not a revision"]);
    bench.meshc("mesh", &["validate", "--rev", ":mesh.yaml"]).says(2, &["no commit", "--staged"]);
    bench
        .meshc("mesh", &["validate", "--rev", "HEAD:deep/mesh.yaml"])
        .says(2, &["no folder `deep/mesh.yaml`"]);
    bench.meshc("mesh", &["build", "--rev", &tree]).says(2, &["no commits to count", "--generation"]);
    bench.meshc("mesh", &["build", "--rev", &tree, "--generation", "1", "-o", "t"]).says(0, &[]);
    bench.git("mesh", &["config", "remote.origin.url", "https://git.example/mesh"]);
    let said = ["fetch origin +release:refs/remotes/origin/release"];
    bench.meshc("mesh/deep", &["plan", "--against", "origin/release"]).says(2, &said);
    bench.meshc("mesh", &["validate", "--help"]).says(0, &["HEAD~2", "REV:FOLDER"]);
}

#[test]
fn what_cannot_be_looked_into_is_not_outside_of_git() {
    let bench = Bench::with_mesh();
    bench.write("mesh/.git/config", "[core\n");
    bench.meshc("mesh", VALIDATE).says(2, &[".git/config"]);
    bench.write("mesh/.git/config", "");
    bench.write("mesh/.git/HEAD", "");
    // Git itself does not take this for a repository.
    assert_eq!(bench.git_command("mesh", &["rev-parse"]).output().unwrap().status.code(), Some(128));
    let run = bench.meshc("mesh", BUILD);
    assert_eq!(run.code, 2, "{run:?}");
    std::fs::remove_dir_all(bench.path("mesh/.git")).unwrap();
    bench.write("mesh/.git", "gitdir: /nowhere\n");
    bench.meshc("mesh", VALIDATE).says(2, &["`/nowhere`, which is no git repository"]);
    std::fs::remove_file(bench.path("mesh/.git")).unwrap();
    bench.meshc("mesh", VALIDATE).says(0, &[]);
    bench.meshc("mesh", &["validate", "--rev", "HEAD"]).says(2, &["in no git repository"]);
    bench.meshc("mesh", &["validate", "--staged"]).says(2, &["in no git repository"]);
}
