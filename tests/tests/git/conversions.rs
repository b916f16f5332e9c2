//! Checkouts that write files otherwise than the commit has them.

use crate::bench::Bench;

/// A clone whose checkout runs under some settings or attributes.
fn checkout(attributes: &str, settings: &[&str]) -> (Bench, String) {
    let bench = Bench::with_mesh();
    bench.write("mesh/mesh.yaml", &format!("# $Id$\n{}", crate::bench::FILES[0].1));
    if !attributes.is_empty() {
        bench.write("mesh/.gitattributes", attributes);
    }
    let head = bench.commit("mesh");
    let mut args = vec!["clone", "-q"];
    for setting in settings {
        args.extend(["-c", setting]);
    }
    bench.git("", &[&args[..], &["mesh", "clone"]].concat());
    (bench, head)
}

#[test]
fn what_git_calls_unchanged_builds_the_commit_s_bytes() {
    let cases: [(&str, &[&str]); 6] = [
        ("", &["core.autocrlf=true"]),
        ("* text eol=crlf\n", &[]),
        ("*.yaml text=auto eol=crlf ident\n", &[]),
        ("* text=auto\n", &["core.eol=crlf"]),
        ("*.yaml ident\n", &[]),
        ("*.yaml ident\n", &["core.autocrlf=true"]),
    ];
    for (attributes, settings) in cases {
        let (bench, head) = checkout(attributes, settings);
        let text = std::fs::read_to_string(bench.path("clone/mesh.yaml")).unwrap();
        assert!(text.contains('\r') || text.contains("$Id: "), "{attributes} {settings:?} changed nothing");
        assert_eq!(bench.git("clone", &["status", "--porcelain"]), "");
        let (commit, generation) = bench.built("clone", &[]);
        assert_eq!((commit, generation), (Some(head), 2), "{attributes} {settings:?}");
        let id = |folder: &str| {
            let run =
                bench.meshc(folder, &["build", "--env", "prod", "-o", &bench.shown("b.mcb")]).says(0, &[]);
            run.last().to_owned()
        };
        assert_eq!(id("clone"), id("mesh"));
        bench.meshc("clone", &["plan", "--exit-code"]).says(0, &["nothing was compared"]);
    }
}

#[test]
fn what_git_calls_changed_names_no_commit() {
    let (bench, _) = checkout("", &["core.autocrlf=true"]);
    bench.git("clone", &["config", "core.autocrlf", "false"]);
    // Written again: git looks at the time of a file before it looks into it.
    let file = bench.path("clone/services/web.yaml");
    std::fs::write(&file, std::fs::read(&file).unwrap()).unwrap();
    assert_ne!(bench.git("clone", &["status", "--porcelain"]), "");
    assert_eq!(bench.built("clone", &[]).0, None);
    let (bench, _) = checkout("*.yaml -text\n", &["core.autocrlf=true"]);
    let file = bench.path("clone/services/web.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains('\r'), "not converted");
    std::fs::write(&file, text.replace('\n', "\r\n")).unwrap();
    assert_eq!(bench.built("clone", &[]).0, None);
}

#[test]
fn repairs_keep_the_line_ends_of_the_checkout() {
    let (bench, _) = checkout("* text eol=crlf\n", &[]);
    let file = bench.path("clone/services/edge.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    // Committed with the fault, so that the checkout is the commit's.
    std::fs::write(&file, text.replace("to: web", "to: web, enabled: \"true\"")).unwrap();
    bench.commit("clone");
    let run = bench.meshc("clone", &["validate", "--fix"]);
    let after = std::fs::read_to_string(&file).unwrap();
    if run.err.contains("fixed") {
        assert!(
            after.contains("enabled: true") && after.matches('\n').count() == after.matches("\r\n").count()
        );
    } else {
        panic!("{run:?}");
    }
}
