//! Commands, outputs and exit codes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{commit, edit, git, meshc, meshc_with, shop, shop_in_git};

#[test]
fn exit_codes_and_forms_are_those_that_scripts_rely_on() {
    let shop = shop();
    let run = meshc(shop.path(), &["validate"]).expect(0);
    assert!(run.out.starts_with("checked 12 files, 19 objects, 3 environments"), "{}", run.out);
    assert!(run.err.contains("1 policy with `forbid` is read"), "{}", run.err);
    assert_eq!(meshc(shop.path(), &["check", "--output", "concise"]).expect(0).out, "");
    let file = shop.path().join("services/web/mesh.yaml");
    edit(&file, "to: orders", "to: oders");
    let line =
        "services/web/mesh.yaml:14:9: error[MC1104] no service is called `oders` (did you mean `orders`?)\n";
    assert_eq!(meshc(shop.path(), &["validate", "--output", "concise"]).expect(1).out, line);
    for form in ["human", "plain", "concise", "json"] {
        assert!(
            meshc(shop.path(), &["validate", "--output", form]).expect(1).out.contains("oders"),
            "{form}"
        );
    }
    let inner = shop.path().join("services/web");
    assert_eq!(meshc(&inner, &["validate", "--output", "concise"]).expect(1).out, line, "found from inside");
    assert_eq!(meshc(&inner, &["validate", "--output", "concise", "."]).expect(1).out, line);
    meshc(&inner, &["validate", "../cart"]).expect(0);
    meshc(&inner, &["validate", "../nowhere"]).expect(2);
    let twice = ["validate", "--output", "json=found.json", "--output", "concise"];
    assert_eq!(meshc(shop.path(), &twice).expect(1).out, line);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shop.path().join("found.json")).unwrap()).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["severity"], &finding["path"], &finding["line"], &finding["endColumn"]),
        (&"MC1104".into(), &"error".into(), &"services/web/mesh.yaml".into(), &14.into(), &14.into())
    );
    assert_eq!((&json["schema"], &json["counts"]["errors"]), (&1.into(), &1.into()));
    for command in ["build", "plan", "test", "access"] {
        assert!(meshc(shop.path(), &[command]).expect(1).out.contains("MC1104"), "{command}");
    }
    // Another name is never repaired, a slip of case is.
    meshc(shop.path(), &["validate", "--fix"]).expect(1);
    edit(&file, "to: oders", "to: Orders");
    let fixed = meshc(shop.path(), &["validate", "--fix"]).expect(0);
    assert!(fixed.err.contains("fixed 1 finding in 1 file"), "{}", fixed.err);
    assert!(std::fs::read_to_string(&file).unwrap().contains("to: orders\n"));
    let empty = tempfile::tempdir().unwrap();
    assert!(meshc(empty.path(), &["validate"]).expect(2).err.contains("mesh.yaml"));
    meshc(empty.path(), &["validat"]).expect(2);
    meshc(empty.path(), &["validate", "--output", "xml"]).expect(2);
    meshc(empty.path(), &["--help"]).expect(0);
}

#[test]
fn drawings_are_ascii_unless_colour_is_forced() {
    let shop = shop();
    edit(&shop.path().join("services/web/mesh.yaml"), "to: orders", "to: oders");
    let plain = meshc(shop.path(), &["validate"]).expect(1).out;
    assert!(plain.is_ascii() && plain.contains("`-- no such service"), "{plain}");
    assert!(plain.ends_with("1 error, 0 warnings in 12 files\n"), "{plain}");
    let forced = meshc_with(shop.path(), &["validate"], &[("CLICOLOR_FORCE", "1")]).expect(1).out;
    assert!(forced.contains('\u{1b}') && forced.contains('╰'), "{forced}");
    let env = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert_eq!(meshc_with(shop.path(), &["validate"], &env).expect(1).out, plain);
}

#[test]
fn a_secret_is_never_shown() {
    let shop = shop();
    let file = shop.path().join("services/cart/mesh.yaml");
    edit(&file, "team-checkout", "\"https://joe:hunter2hunter2@host.example/x\"\nextra: 1");
    for form in ["human", "plain", "concise", "json"] {
        let run = meshc(shop.path(), &["validate", "--output", form]).expect(1);
        assert!(run.out.contains("MC1601") && !run.out.contains("hunter2"), "{form}: {}", run.out);
    }
}

#[test]
fn revisions_are_read_without_a_work_tree() {
    let shop = shop_in_git();
    let bare = tempfile::tempdir().unwrap();
    git(bare.path(), &["clone", "-q", "--bare", shop.path().to_str().unwrap(), "shop.git"]);
    let bare = bare.path().join("shop.git");
    let said = meshc(&bare, &["validate", "--rev", "main"]).expect(0).out;
    assert!(said.starts_with("checked 12 files"), "{said}");
    meshc(&bare, &["validate"]).expect(2);
    meshc(&bare, &["validate", "--rev", "nosuch"]).expect(2);
    let out = bare.join("out.mcb");
    let id = meshc(&bare, &["build", "--rev", "main", "--env", "prod", "-o", out.to_str().unwrap()]);
    let same = meshc(shop.path(), &["build", "--env", "prod", "-o", "out.mcb"]);
    assert_eq!(id.expect(0).last(), same.expect(0).last());
    // What lies in the work tree does not matter to a revision.
    std::fs::write(shop.path().join("services/web/mesh.yaml"), "kind: [").unwrap();
    meshc(shop.path(), &["validate", "--rev", "HEAD"]).expect(0);
    meshc(shop.path(), &["validate"]).expect(1);
    meshc(shop.path(), &["validate", "--rev", "HEAD", "--fix"]).expect(2);
}

#[test]
fn what_is_no_regular_file_is_a_finding_with_its_path() {
    let shop = shop_in_git();
    std::os::unix::fs::symlink("/etc/passwd", shop.path().join("services/leak.yaml")).unwrap();
    let line = "services/leak.yaml:1:1: error[MC6001] ";
    let run = meshc(shop.path(), &["validate", "--output", "concise"]).expect(1);
    assert!(run.out.starts_with(line), "{}", run.out);
    commit(shop.path());
    let run = meshc(shop.path(), &["validate", "--output", "concise", "--rev", "HEAD"]).expect(1);
    assert!(run.out.starts_with(line), "{}", run.out);
    meshc(shop.path(), &["build", "--env", "dev", "-o", "d.mcb"]).expect(1);
}

#[test]
fn names_that_hide_something_are_findings_in_visible_letters() {
    let shop = shop_in_git();
    let blob = git(shop.path(), &["hash-object", "-w", "mesh.yaml"]);
    let mut entries = String::new();
    for line in git(shop.path(), &["ls-tree", "HEAD"]).lines() {
        entries.push_str(&format!("{line}\0"));
    }
    for name in ["a\nb.yaml", "a\u{1b}[2Jb", "a\u{202e}lmay.b"] {
        entries.push_str(&format!("100644 blob {blob}\t{name}\0"));
    }
    std::fs::write(shop.path().join("entries"), entries).unwrap();
    let tree = git(shop.path(), &["-c", "alias.mk=!git mktree -z < entries", "mk"]);
    let id = git(shop.path(), &["commit-tree", &tree, "-m", "x"]);
    for form in ["human", "plain", "concise"] {
        let run = meshc(shop.path(), &["validate", "--rev", &id, "--output", form]).expect(1);
        assert!(run.out.contains("a\\u{1b}[2Jb") && run.out.contains("a\\u{a}b.yaml"), "{}", run.out);
        assert!(!run.out.contains(['\u{1b}', '\u{202e}']), "{form}");
    }
}

#[test]
fn findings_of_an_environment_are_its_own() {
    let shop = shop();
    edit(&shop.path().join("envs/dev.yaml"), "canary/orders", "canary/oders");
    let validate = |env: &str| meshc(shop.path(), &["validate", "--output", "concise", "--env", env]);
    assert_eq!(validate("prod").expect(0).out, "");
    assert!(validate("dev").expect(1).out.contains("MC1501"));
    meshc(shop.path(), &["validate"]).expect(1);
    validate("prd").expect(2);
}

#[test]
fn a_plan_shows_objects_fields_and_units() {
    let shop = shop_in_git();
    let run = meshc(shop.path(), &["plan", "--env", "prod", "--exit-code"]).expect(0);
    assert!(run.out.contains("nothing was compared"), "{}", run.out);
    meshc(shop.path(), &["build", "--env", "prod", "-o", "p"]).expect(0);
    edit(&shop.path().join("services/orders/mesh.yaml"), "timeout: 5s", "timeout: 7s");
    for against in ["HEAD", "p"] {
        let args = ["diff", "--env", "prod", "--against", against, "--output", "json"];
        let plan = meshc(shop.path(), &args).expect(0).json();
        let one = &plan["environments"][0];
        let object = &one["objects"][0];
        assert_eq!(object["address"], "route/orders", "{plan}");
        let field = &object["fields"][0];
        assert_eq!((&field["before"], &field["after"]), (&5_000.into(), &7_000.into()));
        assert_eq!(field["path"], "rules/refund/timeoutMs");
        assert_eq!(field["place"], "services/orders/mesh.yaml:11");
        let unit = &one["units"][0];
        assert_eq!((&unit["unit"], one["units"].as_array().unwrap().len()), (&"routes/orders".into(), 1));
        // orders has it; web, payments and the gateway may call it.
        assert_eq!(unit["owners"], 4);
        assert_ne!(one["before"]["bundle"], one["after"]["bundle"]);
    }
    meshc(shop.path(), &["plan", "--exit-code"]).expect(10);
    meshc(shop.path(), &["plan", "--env", "prd"]).expect(2);
}

#[test]
fn a_request_is_followed_with_places() {
    let shop = shop();
    let route = |args: &[&str]| meshc(shop.path(), &[&["route"], args, &["--env", "prod"]].concat());
    let args = ["POST", "https://shop.example/api/orders/7/refund", "--output", "json"];
    let said = route(&args).expect(0).json();
    let answer = &said["answer"];
    assert_eq!(
        (&answer["edgeRule"], &answer["rule"], &answer["version"], &answer["access"], &answer["path"]),
        (
            &"route/edge/order-api".into(),
            &"route/orders/refund".into(),
            &"v41".into(),
            &"allow".into(),
            &"/orders/7/refund".into()
        )
    );
    assert_eq!(answer["places"]["route/orders/refund"], "services/orders/mesh.yaml:11");
    assert_eq!(answer["places"]["access/orders/allow[0]"], "services/orders/mesh.yaml:40");
    let paid = ["POST", "http://orders/orders/7/paid", "--as", "payments"];
    assert!(route(&paid).expect(0).out.contains("403 not-allowed"));
    let paid = [&paid[..], &["-H", "Idempotency-Key: 1"]].concat();
    assert!(route(&paid).expect(0).out.contains("goes to orders"));
    assert!(route(&["GET", "http://orders/", "--as", "oders"]).expect(2).err.contains("`orders`?"));
    route(&["GET", "orders"]).expect(2);
    let which = meshc(shop.path(), &["route", "GET", "https://shop.example/"]).expect(2);
    assert!(which.err.contains("dev, prod, staging"), "{}", which.err);
    let allowed = meshc(shop.path(), &["access", "web", "payments", "--env", "prod"]).expect(0);
    assert!(allowed.out.contains("web may not call payments in prod"), "{}", allowed.out);
}

#[test]
fn failing_examples_are_failures() {
    let shop = shop();
    assert!(meshc(shop.path(), &["test"]).expect(0).out.contains("2 examples passed"));
    edit(&shop.path().join("tests/checkout.yaml"), "access: deny", "access: allow");
    let run = meshc(shop.path(), &["test", "--output", "concise"]).expect(1);
    assert!(run.out.starts_with("tests/checkout.yaml:6:"), "{}", run.out);
    assert!(run.out.contains("access: expected allow, got deny"), "{}", run.out);
}

#[test]
fn a_new_mesh_is_clean_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    meshc(folder.path(), &["init", "bakery"]).expect(0);
    let mesh = folder.path().join("bakery");
    assert!(meshc(&mesh, &["validate", "--fail-on", "note"]).expect(0).out.contains("no findings"));
    meshc(&mesh, &["test"]).expect(0);
    meshc(&mesh, &["build", "-o", "dev.mcb"]).expect(0);
    assert!(meshc(folder.path(), &["init", "bakery"]).expect(2).err.contains("exists already"));
    meshc(folder.path(), &["init", "Bakery!"]).expect(2);
    meshc(&mesh, &["schema", "--check", "services/hello/mesh.yaml"]).expect(0);
    std::fs::write(mesh.join("odd.yaml"), "kind: Service\nname: a\nport: hunter2hunter2\n").unwrap();
    let run = meshc(&mesh, &["schema", "--check", "odd.yaml"]).expect(1);
    assert!(run.out.contains("odd.yaml:3:7") && !run.out.contains("is not of type \"hunter2"), "{}", run.out);
    let schema = meshc(&mesh, &["schema", "Service"]).expect(0).json();
    assert_eq!(schema["title"], "Service");
    meshc(&mesh, &["schema", "Servce"]).expect(2);
}

#[test]
fn development_identities_are_as_a_proxy_reads_them() {
    let shop = shop();
    let args = ["keygen", "--dev-ca", "certs", "--mesh-from", ".", "--env", "dev"];
    let secret = ["--secret", "tls/shop-example=shop.example"];
    meshc(shop.path(), &[&args[..], &secret].concat()).expect(0);
    let certs = shop.path().join("certs");
    let roots = |id: &str| std::fs::read(certs.join(id).join("roots/shop.example.pem")).unwrap();
    assert_eq!(roots("orders"), roots("gateway/public"));
    for file in ["orders/tls.crt", "orders/tls.key", "secrets/tls/shop-example/tls.key"] {
        assert!(certs.join(file).is_file(), "{file}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(certs.join("orders/tls.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let root = roots("orders");
    let more =
        ["keygen", "--dev-ca", "certs", "--trust-domain", "shop.example", "--env", "dev", "--id", "late"];
    meshc(shop.path(), &more).expect(0);
    assert_eq!(roots("late"), root, "one root a trust domain");
    meshc(shop.path(), &["keygen", "--dev-ca", "certs"]).expect(2);
}

#[test]
fn codes_versions_and_completions() {
    let folder = tempfile::tempdir().unwrap();
    assert!(meshc(folder.path(), &["explain", "MC2001"]).expect(0).out.contains("can never match"));
    meshc(folder.path(), &["explain", "MC9999"]).expect(2);
    for shell in ["bash", "zsh", "fish"] {
        assert!(meshc(folder.path(), &["completion", shell]).expect(0).out.contains("validate"), "{shell}");
    }
    let version = meshc(folder.path(), &["version", "--output", "json"]).expect(0).json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}
