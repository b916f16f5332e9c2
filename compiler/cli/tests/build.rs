//! Bundles: the same bytes everywhere, replaced in one step, signed, refused when touched.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::{commit, edit, files, git, meshc, meshc_with, shop, shop_in_git};

fn key(folder: &Path) {
    meshc(folder, &["keygen", "-o", "mesh.key", "--trust", "trust.json"]).expect(0);
}

#[test]
fn the_same_commit_gives_the_same_bytes_on_any_machine() {
    let (keys, one) = (tempfile::tempdir().unwrap(), shop_in_git());
    key(keys.path());
    let clones = tempfile::tempdir().unwrap();
    let two = clones.path().join("other/place");
    git(clones.path(), &["clone", "-q", one.path().to_str().unwrap(), two.to_str().unwrap()]);
    let key = keys.path().join("mesh.key");
    let mut built = Vec::new();
    for (folder, env) in [
        (one.path(), [("TZ", "UTC"), ("LANG", "C"), ("HOME", "/nonexistent")]),
        (two.as_path(), [("TZ", "Pacific/Kiritimati"), ("LANG", "tr_TR.UTF-8"), ("HOME", "/tmp")]),
    ] {
        let out = tempfile::tempdir().unwrap();
        let (dir, archive) = (out.path().join("all"), out.path().join("prod.mcb"));
        let stage = ["--stage", "canary/orders=1", "--expires", "30d"];
        let common = ["--key", key.to_str().unwrap(), "-o"];
        meshc_with(folder, &[&["build"], &stage[..], &common, &[dir.to_str().unwrap()]].concat(), &env)
            .expect(0);
        let prod = [&["build", "--env", "prod"], &stage[..], &common, &[archive.to_str().unwrap()]].concat();
        let id = meshc_with(folder, &prod, &env).expect(0).last().to_owned();
        built.push((files(&dir), std::fs::read(&archive).unwrap(), id));
    }
    assert_eq!(built.first(), built.last());
    let (all, _, id) = built.pop().unwrap();
    assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    let folders: BTreeSet<&str> = all.keys().filter_map(|p| p.split('/').next()).collect();
    assert_eq!(folders, BTreeSet::from(["dev", "prod", "staging"]));
}

#[test]
fn a_change_in_one_service_moves_only_what_is_its_own() {
    let shop = shop_in_git();
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let build = |to: &Path| {
        let to = to.join("b");
        meshc(shop.path(), &["build", "--env", "prod", "-o", to.to_str().unwrap()]).expect(0);
        files(&to)
    };
    let before = build(before.path());
    edit(&shop.path().join("services/mailer/mesh.yaml"), "8025", "8026");
    commit(shop.path());
    let after = build(after.path());
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let moved: Vec<&str> = after
        .iter()
        .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
        .map(|(path, _)| path.as_str())
        .collect();
    let index = |path: &&str| path.starts_with("index/");
    let (index, rest): (Vec<&str>, Vec<&str>) = moved.into_iter().partition(index);
    let own = [
        "manifest.json",
        "release.dsse",
        "signature.dsse",
        "sourcemap/access/mailer.json",
        "sourcemap/services/mailer.json",
        "units/services/mailer.json",
    ];
    assert_eq!(rest, own);
    // The head and the shard of the unit's owner.
    assert_eq!(index.len(), 2, "{index:?}");
}

#[test]
fn out_is_replaced_whole_and_foreign_folders_are_left_alone() {
    let shop = shop();
    let build = ["build", "--env", "dev", "-o", "out"];
    meshc(shop.path(), &build).expect(0);
    let out = shop.path().join("out");
    let first = files(&out);
    edit(&shop.path().join("services/mailer/mesh.yaml"), "8025", "8026");
    meshc(shop.path(), &build).expect(0);
    assert_ne!(files(&out), first);
    // Something wrong: nothing is touched.
    let second = files(&out);
    edit(&shop.path().join("services/mailer/mesh.yaml"), "port:", "prot:");
    meshc(shop.path(), &build).expect(1);
    assert_eq!(files(&out), second);
    edit(&shop.path().join("services/mailer/mesh.yaml"), "prot:", "port:");
    let run = meshc(shop.path(), &["build", "--env", "dev", "-o", "services"]).expect(2);
    assert!(run.err.contains("something else than bundles"), "{}", run.err);
    assert!(shop.path().join("services/mailer/mesh.yaml").is_file());
    let left: Vec<_> = std::fs::read_dir(shop.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|n| n != ".meshc" && n.to_str().unwrap().starts_with(".meshc")), "{left:?}");
    meshc(shop.path(), &["build", "-o", "all.mcb"]).expect(2);
}

#[test]
fn keys_bundles_and_trust_fit_and_anything_touched_is_refused() {
    let shop = shop_in_git();
    key(shop.path());
    let run = meshc(shop.path(), &["build", "--env", "prod", "-o", "p", "--key", "mesh.key"]).expect(0);
    assert!(!run.err.contains("not signed"), "{}", run.err);
    let verify = ["verify", "p", "--trust", "trust.json", "--output", "json"];
    let good = meshc(shop.path(), &verify).expect(0).json();
    assert_eq!((&good["verdict"], &good["bundle"]), (&"good".into(), &run.last().into()));
    assert_eq!(good["release"]["generation"], 1);
    assert_eq!(good["manifest"]["source"]["commit"], git(shop.path(), &["rev-parse", "HEAD"]).as_str());

    let unit = shop.path().join("p/units/access/payments.json");
    edit(&unit, "orders", "mailer");
    let bad = meshc(shop.path(), &verify).expect(1).json();
    assert_eq!(bad["refusal"]["code"], "wrong-digest");
    meshc(shop.path(), &["verify", "p"]).expect(1);

    let run = meshc(shop.path(), &["build", "--env", "prod", "-o", "u.mcb"]).expect(0);
    assert!(run.err.contains("not signed"), "{}", run.err);
    let said = meshc(shop.path(), &["verify", "u.mcb", "--output", "json"]).expect(0).json();
    assert!(said["selfTests"]["passed"].as_u64().is_some_and(|n| n > 0), "{said}");
    let run = meshc(shop.path(), &["verify", "u.mcb"]).expect(0);
    assert!(run.out.contains("NOT checked"), "{}", run.out);
    let refused = meshc(shop.path(), &["verify", "u.mcb", "--trust", "trust.json"]).expect(1);
    assert!(refused.out.contains("bad-signature"), "{}", refused.out);
    let bytes = std::fs::read(shop.path().join("u.mcb")).unwrap();
    std::fs::write(shop.path().join("cut.mcb"), bytes.get(..bytes.len() / 2).unwrap()).unwrap();
    let cut = meshc(shop.path(), &["verify", "cut.mcb"]).expect(1);
    assert!(cut.out.contains("rung 1"), "{}", cut.out);
    meshc(shop.path(), &["verify", "nothing.mcb"]).expect(2);
    // A key is never replaced.
    meshc(shop.path(), &["keygen", "-o", "mesh.key"]).expect(2);
}

#[test]
fn the_generation_counts_first_parents() {
    let shop = shop_in_git();
    let release = |args: &[&str]| {
        let args = [&["build", "--env", "dev", "-o", "d.mcb"], args].concat();
        meshc(shop.path(), &args).expect(0);
        meshc(shop.path(), &["verify", "d.mcb", "--output", "json"]).expect(0).json()["release"].clone()
    };
    edit(&shop.path().join("services/mailer/mesh.yaml"), "8025", "8026");
    commit(shop.path());
    assert_eq!(release(&[])["generation"], 2);
    assert_eq!(release(&["--rev", "HEAD~1"])["generation"], 1);
    let given = release(&[
        "--generation",
        "9",
        "--floor",
        "3",
        "--expires",
        "1h",
        "--acknowledge",
        "removed=2",
        "--acknowledge",
        "denied=access/orders",
    ]);
    assert_eq!((&given["generation"], &given["floor"]), (&9.into(), &3.into()));
    // From the commit's time, not from now.
    assert_eq!(given["expires"], 1_770_091_506 + 3_600);
    assert_eq!(given["acknowledges"], serde_json::json!({"removed": 2, "denied": ["access/orders"]}));
    meshc(shop.path(), &["build", "--env", "dev", "-o", "d.mcb", "--floor", "99"]).expect(2);

    let clones = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shop.path().display());
    git(clones.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = clones.path().join("shallow");
    let run = meshc(&shallow, &["build", "--env", "dev", "-o", "d.mcb"]).expect(2);
    assert!(run.err.contains("shallow") && run.err.contains("--generation"), "{}", run.err);
    assert!(!shallow.join("d.mcb").exists());
    meshc(&shallow, &["build", "--env", "dev", "-o", "d.mcb", "--generation", "2"]).expect(0);
    meshc(&shallow, &["validate"]).expect(0);
}

#[test]
fn stages_become_state() {
    let shop = shop();
    let stage = |text: &str| {
        meshc(shop.path(), &["build", "--env", "prod", "-o", "s.mcb", "--generation", "1", "--stage", text])
    };
    for (text, number, weight) in [("canary/orders=2", 2, 2_500), ("canary/orders=done", 4, 10_000)] {
        stage(text).expect(0);
        let said = meshc(shop.path(), &["verify", "s.mcb", "--output", "json"]).expect(0).json();
        let canary = &said["state"]["canaries"]["canary/orders"];
        assert_eq!((&canary["stage"], &canary["weight"]), (&number.into(), &weight.into()));
        let routed = ["route", "GET", "http://orders/orders/5", "--as", "web", "--bundle", "s.mcb"];
        let routed = meshc(shop.path(), &[&routed[..], &["--pick", "2499", "--output", "json"]].concat());
        assert_eq!(routed.expect(0).json()["answer"]["version"], "v42");
    }
    assert!(stage("canary/oders=1").expect(2).err.contains("did you mean `canary/orders`?"));
    stage("canary/orders=5").expect(2);
    stage("orders=1").expect(2);
}

#[test]
fn a_key_is_its_owners_and_build_says_where_it_is_not() {
    let shop = shop_in_git();
    let mode = |bits: u32| std::fs::Permissions::from_mode(bits);
    meshc(shop.path(), &["keygen", "-o", "k.key", "--trust", "t.json"]).expect(0);
    let key = shop.path().join("k.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let build = ["build", "--env", "prod", "-o", "p.mcb", "--key", "k.key"];
    assert!(!meshc(shop.path(), &build).expect(0).err.contains("others"));
    std::fs::set_permissions(&key, mode(0o640)).unwrap();
    assert!(meshc(shop.path(), &build).expect(0).err.contains("others may read the key `k.key`"));
}
