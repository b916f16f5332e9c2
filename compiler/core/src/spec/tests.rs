//! The language as a whole: real meshes, exact places, drift, one verdict.

#![expect(clippy::disallowed_methods, reason = "tests read examples and write schemas")]

use std::path::{Path, PathBuf};

use super::*;
use crate::diag::{Code, Severity, codes};

const FULL: &str = include_str!("fixtures/full.yaml");

mod verdict;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files_below(folder: &Path, prefix: &str, out: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files_below(&entry.path(), &format!("{path}/"), out);
        } else {
            out.push((path, std::fs::read(entry.path()).unwrap()));
        }
    }
}

fn shop() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    files_below(&repository().join("examples/shop"), "", &mut files);
    files
}

fn one_file(text: &str) -> Loaded {
    load(vec![("a.yaml".to_owned(), text.as_bytes().to_vec())])
}

/// Code and underlined words of every finding.
fn found(text: &str) -> Vec<(Code, String)> {
    let loaded = one_file(text);
    loaded.findings.iter().map(|d| (d.code, loaded.sources.slice(d.primary.span).to_owned())).collect()
}

#[track_caller]
fn one(text: &str, code: Code, words: &str) -> crate::diag::Diagnostic {
    let all = found(text);
    assert_eq!(all, [(code, words.to_owned())], "{:?}", one_file(text).findings);
    one_file(text).findings.into_iter().next().unwrap()
}

#[test]
fn the_shop_has_no_findings() {
    let loaded = load(shop());
    assert_eq!(loaded.findings.iter().collect::<Vec<_>>(), Vec::<&crate::diag::Diagnostic>::new());
    let count = |kind| loaded.objects.iter().filter(|(_, o)| o.address.kind == kind).count();
    assert_eq!((count(Kind::Mesh), count(Kind::Service), count(Kind::Environment)), (1, 6, 4));
    let addresses: Vec<_> = loaded.objects.iter().map(|(_, o)| o.address.to_string()).collect();
    for address in
        ["route/orders", "route/edge", "canary/orders", "access/orders", "quota/payments", "test/checkout"]
    {
        assert!(addresses.iter().any(|a| a == address), "{address} is not in {addresses:?}");
    }
    assert!(
        loaded.objects.iter().all(|(id, o)| o.complete && loaded.document(*id).unwrap().root.span == o.span)
    );
}

#[test]
fn every_field_of_every_kind_decodes() {
    let loaded = one_file(FULL);
    assert_eq!(loaded.findings.iter().collect::<Vec<_>>(), Vec::<&crate::diag::Diagnostic>::new());
    for kind in Kind::ALL {
        assert!(loaded.objects.iter().any(|(_, o)| o.address.kind == kind), "{kind:?}");
    }
    // Whoever adds a field adds it to the fixture.
    for (kind, schema) in schemas() {
        for (name, definition) in
            schema["$defs"].as_object().into_iter().flatten().chain([(&kind.to_owned(), &schema)])
        {
            for key in definition["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
                assert!(
                    FULL.contains(&format!("{key}: ")) || FULL.contains(&format!("{key}:\n")),
                    "{kind}: {name}.{key}"
                );
            }
        }
    }
}

#[test]
fn overrides_of_the_shop_decode_again() {
    let loaded = load(shop());
    let mut merged_any = 0;
    for (_, object) in &loaded.objects {
        let Spec::Environment(environment) = &object.spec else {
            continue;
        };
        for (address, difference) in environment.overrides.iter() {
            let (id, _) = loaded.objects.iter().find(|(_, o)| o.address == address.value).unwrap();
            let mut findings = Vec::new();
            let merged = crate::source::merge(&loaded.document(*id).unwrap().root, difference, &mut findings);
            let object = decode_node(&merged, &loaded.sources, &mut findings).unwrap();
            assert_eq!(findings, []);
            assert_eq!(object.address, address.value);
            merged_any += 1;
        }
    }
    assert!(merged_any >= 3, "{merged_any}");
}

const SERVICE: &str = "kind: Service\nname: cart\nport: 8080\n";

#[test]
fn mistakes_have_their_code_and_the_exact_words() {
    let with = |line: &str| format!("{SERVICE}{line}\n");
    let d = one(&with("protocl: http"), codes::UNKNOWN_FIELD, "protocl");
    assert_eq!(d.message, "`protocl` is not a field of a Service");
    assert_eq!(d.helps.first().map(String::as_str), Some("did you mean `protocol`?"));
    assert_eq!(d.fix.as_ref().unwrap().edits[0].replacement.as_str(), "protocol");
    assert!(one(&with("zzz: 1"), codes::UNKNOWN_FIELD, "zzz").helps.concat().contains("escapedSlashes"));

    let d = one(&with("protocol: grcp"), codes::UNKNOWN_CHOICE, "grcp");
    assert_eq!(d.helps.first().map(String::as_str), Some("did you mean `grpc`?"));
    one(&with("labels: { release: 1.10 }"), codes::WRONG_TYPE, "1.10");
    one(&with("labels: [a]"), codes::WRONG_TYPE, "[a]");
    one(&with("versions: v1"), codes::WRONG_TYPE, "v1");
    one(&with("owner:"), codes::NULL, "owner");
    one(&with("callers: [web, Cart_Shop]"), codes::BAD_VALUE, "Cart_Shop");
    one("kind: Service\nname: cart\n", codes::MISSING_FIELD, "kind");
    // The misspelt field is the missing one: said once.
    one("kind: Service\nname: cart\nprot: 8080\n", codes::UNKNOWN_FIELD, "prot");
    let d = one("kind: Service\nname: Cart_Shop\nport: 8080\n", codes::BAD_NAME, "Cart_Shop");
    assert_eq!(d.fix.as_ref().unwrap().edits[0].replacement.as_str(), "cart-shop");
    one("kind: Service\nname: cart\nport: 65536\n", codes::OUT_OF_RANGE, "65536");
    one(
        "kind: Service\nname: cart\nport: 18446744073709551615\n",
        codes::OUT_OF_RANGE,
        "18446744073709551615",
    );
    one("kind: Service\nname: cart\nport: 80.0\n", codes::WRONG_TYPE, "80.0");
    assert_eq!(
        one("kind: Service\nname: cart\nport: \"80\"\n", codes::WRONG_TYPE, "\"80\"").fix.unwrap().edits[0]
            .replacement,
        "80"
    );

    assert_eq!(
        one("kind: Servce\nname: cart\nport: 80\n", codes::UNKNOWN_KIND, "Servce")
            .helps
            .first()
            .map(String::as_str),
        Some("did you mean `Service`?")
    );
    one("name: cart\n", codes::UNKNOWN_KIND, "name");
    one("- a\n", codes::WRONG_TYPE, "- a");
}

#[test]
fn configured_hosts_are_hosts_that_requests_can_have() {
    for good in ["a.example", "a_b.example", "_acme.a_.example", "localhost", "0_0"] {
        assert_eq!(ExactHost::parse(good).unwrap().as_str(), good);
        assert_eq!(HostText::parse(&format!("*.{good}")).unwrap().wildcard(), Some(good));
        assert_eq!(mesh_decision::host::canonical(good).as_deref(), Ok(good));
        assert!(Endpoint::parse(&format!("{good}:80")).is_some());
    }
    for bad in ["-a.example", "a_-.example", "a..b", "A.example", "a.example.", "*.a"] {
        assert!(ExactHost::parse(bad).is_none(), "{bad}");
    }
}

fn rule(fields: &str) -> String {
    format!("kind: Route\nservice: orders\nrules:\n  - {{ name: a, {fields} }}\n")
}

#[test]
fn mistakes_in_routes_and_units() {
    let d = one(&rule("to: orders, timeout: 2"), codes::MISSING_UNIT, "2");
    assert_eq!(
        (d.helps.first().map(String::as_str), d.fix),
        (Some("write `2s` or `2ms` or `2m`"), None),
        "nobody but the author knows the unit"
    );
    assert_eq!(
        one(&rule("to: orders, timeout: 5 seconds"), codes::BAD_VALUE, "5 seconds").fix.unwrap().edits[0]
            .replacement,
        "5s"
    );
    assert_eq!(
        one(&rule("to: orders, timeout: 0.25"), codes::MISSING_UNIT, "0.25").helps,
        ["write `250ms` or `250us` or `15s`"]
    );
    // A share of one, or a percentage: nobody but the author knows.
    let share = rule("to: [{ to: orders, weight: 100% }, { to: b, weight: 0.05 }]");
    assert_eq!(one(&share, codes::MISSING_UNIT, "0.05").helps, ["write `5%` or `0.05%`"]);
    // Ratios: each would be another percentage.
    let ratios = rule("to: [{ to: orders, weight: 2 }, { to: b, weight: 18 }]");
    assert_eq!(found(&ratios).len(), 2);
    assert!(one_file(&ratios).findings.iter().all(|f| f.code == codes::MISSING_UNIT && f.fix.is_none()));
    assert_eq!(
        one(&rule("to: [{ to: orders, weight: 100 }]"), codes::MISSING_UNIT, "100").fix.unwrap().edits[0]
            .replacement,
        "100%"
    );
    assert_eq!(
        one(&rule("to: orders, retry: { attempts: 1, conditions: [503] }"), codes::WRONG_TYPE, "503")
            .fix
            .unwrap()
            .edits[0]
            .replacement,
        "\"503\""
    );
    one(&rule("to: orders, redirect: { scheme: https }"), codes::FIELD_COMBINATION, "redirect");
    one(&rule("timeout: 2s"), codes::FIELD_COMBINATION, "{ name: a, timeout: 2s }");
    one(&rule("to: orders, match: { methods: [] }"), codes::LIST_LENGTH, "[]");
    assert_eq!(
        one(&rule("to: orders, match: { headers: { X-User: a } }"), codes::BAD_VALUE, "X-User")
            .fix
            .unwrap()
            .edits[0]
            .replacement,
        "x-user"
    );
    one(
        &rule("to: orders, match: { headers: { x: { exact: a, prefix: b } } }"),
        codes::FIELD_COMBINATION,
        "prefix",
    );
    for path in ["orders", "/a//b", "/a/*/b", "/a/../b", "/a?b", "/ä", "/{1}", "/a{b}", "/%zz"] {
        one(
            &rule(&format!("to: orders, match: {{ path: \"{path}\" }}")),
            codes::BAD_VALUE,
            &format!("\"{path}\""),
        );
    }
    one(&rule("to: orders@"), codes::BAD_VALUE, "orders@");
    one(&rule("to: orders").replace("name: a, ", ""), codes::MISSING_FIELD, "{ to: orders }");
    one(
        &rule("to: orders").replace("service: orders", "gateway: public"),
        codes::FIELD_COMBINATION,
        "gateway",
    );
    one(&rule("to: orders").replace("service", "servce"), codes::UNKNOWN_FIELD, "servce");
}

#[test]
fn all_mistakes_of_a_document_are_said_at_once() {
    let text = "kind: Service\nname: Cart\nport: 0\nprotocol: htp\nfoo: 1\n";
    let codes: Vec<_> = found(text).into_iter().map(|f| f.0).collect();
    assert_eq!(codes, [codes::BAD_NAME, codes::OUT_OF_RANGE, codes::UNKNOWN_CHOICE, codes::UNKNOWN_FIELD]);
    // What can be read is there, and says that it is not all.
    let loaded = one_file(&format!("{SERVICE}protocol: htp\n"));
    assert!(!loaded.objects[0].1.complete);
    // What cannot is known by its address.
    let loaded = one_file("kind: Service\nname: cart\nport: x\n---\nkind: Canary\nservice: b\nstages: [\n");
    assert_eq!(
        loaded.broken.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["service/cart", "canary/b"]
    );
}

#[test]
fn nulls_only_remove() {
    let environment = |overrides: &str| format!("kind: Environment\nname: dev\noverrides:\n  {overrides}\n");
    assert_eq!(found(&environment("canary/orders: { sticky: null }")), []);
    assert_eq!(found(&environment("canary/orders: null")), []);
    one(&environment("canry/orders: {}"), codes::BAD_VALUE, "canry/orders");
    one(&environment("canary/orders: 1"), codes::WRONG_TYPE, "1");
    one("kind: Environment\nname: dev\nfollow: null\n", codes::NULL, "null");
}

#[test]
fn two_objects_of_one_address_are_shown_both() {
    let d = one(&format!("{SERVICE}---\n{SERVICE}"), codes::DUPLICATE_ADDRESS, "cart");
    assert_eq!(d.labels.len(), 1);
    assert!(d.labels[0].span < d.primary.span);
    let d = one(
        "kind: Quota\ngateway: a\nlimits: [{per: caller, rate: 1/s}]\n---\nkind: Quota\nservice: a\nlimits: [{per: caller, rate: 1/s}]\n",
        codes::DUPLICATE_ADDRESS,
        "a",
    );
    assert!(!d.helps.is_empty());
}

#[test]
fn files_of_a_mesh() {
    let file = |path: &str| (path.to_owned(), SERVICE.as_bytes().to_vec());
    let loaded = load(vec![file("b/x.yml"), file("a/.hidden.yaml"), file("README.md"), file(".lair/a.yaml")]);
    assert_eq!(
        loaded.sources.iter().map(|(_, f)| f.path().to_owned()).collect::<Vec<_>>(),
        [".lair/a.yaml", "b/x.yml"]
    );
    assert_eq!(loaded.findings.count(Severity::Error), 1);
}

#[test]
fn hidden_characters_never_reach_a_message() {
    let loaded = one_file("kind: Service\n\"na\\x1b[2Jme\": 1\nname: \"\\e[2J\"\nport: 1\n");
    assert!(loaded.findings.len() >= 2);
    for finding in &loaded.findings {
        let mut texts = [&finding.message, &finding.primary.text].into_iter().chain(&finding.helps);
        assert!(texts.all(|t| !t.chars().any(char::is_control)), "{finding:?}");
    }
}

#[test]
fn schemas_are_up_to_date() {
    let folder = repository().join("schemas");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    let pretty = |schema: &serde_json::Value| serde_json::to_string_pretty(schema).unwrap() + "\n";
    let mut wanted: Vec<(String, String)> =
        schemas().iter().map(|(kind, schema)| (format!("{kind}.json"), pretty(schema))).collect();
    assert_eq!(wanted.len(), 13);
    // Where the shop's modeline says.
    wanted.push(("../examples/shop/.meshc/schema/v1.json".to_owned(), pretty(&document_schema())));
    if update {
        for (name, text) in &wanted {
            std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &wanted {
        let there = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(there == *text, "schemas/{name} is out of date: run with UPDATE_SCHEMAS=1");
    }
}
