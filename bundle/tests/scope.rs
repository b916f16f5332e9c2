//! Who needs which units: links between owners give what each proxy reads, and no more.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mesh_bundle::name::{Name, Owner};
use mesh_bundle::pack::{self, Input};
use mesh_bundle::program::Mesh;
use mesh_bundle::scope::{Needs, Scopes};
use mesh_bundle::unit::{Unit, UnitId};
use mesh_bundle::{Program, canonical, verify};
use serde_json::{Value, json};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn program(units: &[(&str, Value)]) -> Program {
    let mesh = (UnitId::Mesh, Unit::Mesh(Mesh::new(name("shop"), name("prod"), "shop.example")));
    let units = units.iter().map(|(path, value)| {
        let id: UnitId = path.parse().unwrap();
        let unit = Unit::from_bytes(&id, &canonical::to_bytes(value).unwrap());
        let unit = unit.map_err(|e| format!("{path}: {e}")).unwrap();
        (id, unit)
    });
    Program::from_units([mesh].into_iter().chain(units)).unwrap()
}

fn service(labels: &Value) -> Value {
    json!({ "port": 80, "labels": labels })
}

fn allow(from: &Value) -> Value {
    json!({ "allow": [{ "name": "callers", "from": [from] }] })
}

fn sends(to: &str) -> Value {
    let target = json!({ "to": { "service": to } });
    json!({ "rules": [{ "name": "all", "action": { "forward": [target] } }] })
}

/// Two teams: `a1` and `a2` of team a, `b1` of team b. Everybody may call `open`.
fn teams() -> Program {
    let reads = json!({
        "code": { "ops": [{ "has": 0 }], "slots": [{ "sourceLabel": "team" }], "v": 1 },
        "text": "has(source.labels.team)",
    });
    program(&[
        ("services/a1", service(&json!({ "team": "a", "tier": "web" }))),
        ("services/a2", service(&json!({ "team": "a" }))),
        ("services/b1", service(&json!({ "team": "b" }))),
        ("services/open", service(&json!({ "team": "c" }))),
        ("services/behind", service(&json!({ "team": "c" }))),
        ("access/a1", allow(&json!({ "labels": { "team": "a" } }))),
        ("access/a2", allow(&json!({ "principal": "spiffe://shop.example/prod/b1" }))),
        ("access/b1", json!({ "mode": "audit" })),
        ("access/open", json!({ "allow": [{ "name": "callers", "from": ["any"], "when": reads }] })),
        ("routes/open", sends("behind")),
        ("gateways/edge", json!({ "hosts": ["shop.example"], "listen": 443 })),
        ("routes/edge/all", sends("open")),
    ])
}

fn shown(needs: &Needs) -> (String, String) {
    let calls: Vec<&str> = needs.calls.iter().map(Name::as_str).collect();
    let units: Vec<String> = needs.units.iter().map(ToString::to_string).collect();
    (calls.join(" "), units.join(" "))
}

#[test]
fn each_proxy_gets_what_it_needs_and_no_more() {
    let scopes = Scopes::of(&teams());
    let needs = |owner: &str| shown(&scopes.needs(&owner.parse().unwrap()).unwrap());
    let labels = "services/a1 services/a2 services/b1 services/behind services/open";
    for (owner, calls, units) in [
        // A label lets team a in, audit and `any` everybody; `behind` is where open's Route leads.
        (
            "a2",
            "a1 b1 open",
            "mesh services/a1 services/a2 services/b1 services/behind services/open routes/open access/a2"
                .to_owned(),
        ),
        // Its access reads labels of team a; it may call itself, since it has that label.
        (
            "a1",
            "a1 b1 open",
            "mesh services/a1 services/a2 services/b1 services/behind services/open routes/open access/a1"
                .to_owned(),
        ),
        // A principal is one service.
        (
            "b1",
            "a2 b1 open",
            "mesh services/a2 services/b1 services/behind services/open routes/open access/b1".to_owned(),
        ),
        // An expression over labels needs the labels of all who may come.
        ("open", "b1 open", format!("mesh {labels} routes/open access/open")),
        (
            "gateway/edge",
            "open",
            "mesh services/behind services/open gateways/edge routes/open routes/edge/all".to_owned(),
        ),
    ] {
        assert_eq!(needs(owner), (calls.to_owned(), units), "{owner}");
    }
    assert_eq!(scopes.needs(&Owner::Service(name("ghost"))), None);
}

#[test]
fn a_way_ends_where_a_route_sends_it_so_the_route_behind_is_nobodys_need() {
    let program = program(&[
        ("services/web", json!({ "port": 80 })),
        ("services/orders", json!({ "port": 80 })),
        ("services/stock", json!({ "port": 80 })),
        ("services/depot", json!({ "port": 80 })),
        ("access/orders", allow(&json!({ "service": "web" }))),
        ("routes/orders", sends("stock")),
        ("routes/stock", sends("depot")),
    ]);
    let scopes = Scopes::of(&program);
    let web = Owner::Service(name("web"));
    let needs = scopes.needs(&web).unwrap();
    assert_eq!(shown(&needs).1, "mesh services/orders services/stock services/web routes/orders");
    for owner in scopes.owners.keys() {
        let part = program.part(scopes.needs(owner).unwrap());
        assert_eq!(verify::complete(&part), Ok(()), "{owner}");
    }
}

#[test]
fn a_limit_per_label_needs_the_labels_of_whoever_may_come() {
    let limit = json!({ "name": "team", "per": { "slot": { "sourceLabel": "team" } }, "rate": { "count": 1, "perMs": 1000 }, "burst": 1 });
    let program = program(&[
        ("services/orders", service(&json!({ "team": "a" }))),
        ("services/web", service(&json!({ "team": "b" }))),
        ("services/mailer", service(&json!({ "team": "c" }))),
        ("access/orders", allow(&json!({ "service": "web" }))),
        ("quotas/orders", json!({ "limits": [limit] })),
    ]);
    let needs = Scopes::of(&program).needs(&Owner::Service(name("orders"))).unwrap();
    assert_eq!(shown(&needs).1, "mesh services/orders services/web access/orders quotas/orders");
}

#[test]
fn a_bundle_says_the_same_as_its_program() {
    let program = teams();
    let (maps, tests) = (Default::default(), Default::default());
    let input = Input { program: &program, source: None, compiler: "meshc 0", maps: &maps, tests: &tests };
    let mut files = pack::pack(&input).unwrap().files;
    for path in ["signature.dsse", "release.dsse", "state.json"] {
        files.insert(path.to_owned(), Vec::new());
    }
    let bundle = verify::intact(files).unwrap();
    let scopes = Scopes::of(&program);
    assert_eq!(bundle.owners().count(), scopes.owners.len());
    for owner in scopes.owners.keys() {
        assert_eq!(bundle.needs(owner), scopes.needs(owner), "{owner}");
    }
}

#[test]
fn the_index_grows_with_the_mesh_and_not_with_its_pairs() {
    let index = |n: usize| {
        let mut units = Vec::new();
        for i in 0..n {
            units.push((format!("services/s{i}"), service(&json!({ "team": "a" }))));
            units.push((format!("access/s{i}"), allow(&json!({ "labels": { "team": "a" } }))));
        }
        let units: Vec<(&str, Value)> = units.iter().map(|(p, v)| (p.as_str(), v.clone())).collect();
        let program = program(&units);
        let (maps, tests) = (Default::default(), Default::default());
        let input =
            Input { program: &program, source: None, compiler: "meshc 0", maps: &maps, tests: &tests };
        let files = pack::pack(&input).unwrap().files;
        files.iter().filter(|(path, _)| path.starts_with("index/")).map(|(_, b)| b.len()).sum::<usize>()
    };
    let (small, large) = (index(100), index(400));
    assert!(large < 5 * small, "{small} bytes for 100 services, {large} for 400");
}
