use mesh_bundle::Name;
use mesh_bundle::program::Mesh;
use serde_json::json;

use super::*;

fn program(units: &[(&str, Value)]) -> Program {
    let name = |text: &str| Name::new(text).unwrap();
    let mesh = Mesh::new(name("shop"), name("prod"), "shop.example");
    let mut all = vec![(UnitId::Mesh, Unit::Mesh(mesh))];
    for (path, value) in units {
        let id: UnitId = path.parse().unwrap();
        let bytes = mesh_bundle::canonical::to_bytes(value).unwrap();
        all.push((id.clone(), Unit::from_bytes(&id, &bytes).unwrap()));
    }
    Program::from_units(all).unwrap()
}

fn rule(name: &str, timeout: Option<u64>) -> Value {
    let mut rule = json!({"name": name, "action": {"forward": [{"to": {"service": "a"}}]}});
    if let Some(timeout) = timeout {
        rule["timeoutMs"] = timeout.into();
    }
    rule
}

fn mesh(rules: Vec<Value>) -> Program {
    program(&[
        ("services/a", json!({"port": 80})),
        ("services/b", json!({"port": 80})),
        ("access/a", json!({"allow": [{"name": "callers", "from": [{"service": "b"}]}]})),
        ("routes/a", json!({"rules": rules})),
    ])
}

#[test]
fn the_same_program_has_no_difference() {
    let one = mesh(vec![rule("x", None)]);
    assert!(plan(Some(&one), Some(&one)).unwrap().is_empty());
}

#[test]
fn rules_are_matched_by_name_and_order_is_a_change() {
    let before = mesh(vec![rule("x", None), rule("y", Some(1)), rule("z", None)]);
    let after = mesh(vec![rule("y", Some(2)), rule("x", Some(5)), rule("w", None)]);
    let plan = plan(Some(&before), Some(&after)).unwrap();
    let [change] = plan.objects.as_slice() else { panic!("{plan:?}") };
    assert_eq!((change.address.as_str(), change.kind), ("route/a", ChangeKind::Changed));
    let shown: Vec<_> =
        change.fields.iter().map(|f| (f.path.as_str(), f.before.is_some(), f.after.is_some())).collect();
    let expected = [
        ("rules/y/timeoutMs", true, true),
        ("rules/x/timeoutMs", false, true),
        ("rules/w", false, true),
        ("rules/z", true, false),
        ("rules (order)", true, true),
    ];
    assert_eq!(shown, expected);
    assert_eq!(change.fields[0].pointer, "/rules/0/timeoutMs");
    let [unit] = plan.units.as_slice() else { panic!("{plan:?}") };
    assert_eq!(
        (unit.unit.to_string().as_str(), unit.owners),
        ("routes/a", 2),
        "a itself, and b, which may call it"
    );
}

#[test]
fn objects_come_and_go() {
    let small = program(&[("services/a", json!({"port": 80}))]);
    let large = mesh(vec![rule("x", None)]);
    let grown = plan(Some(&small), Some(&large)).unwrap();
    let addresses: Vec<_> = grown.objects.iter().map(|c| format!("{}{}", c.kind.sign(), c.address)).collect();
    assert_eq!(addresses, ["+access/a", "+route/a", "+service/b"]);
    let shrunk = plan(Some(&large), Some(&small)).unwrap();
    assert_eq!(shrunk.count(ChangeKind::Removed), 3);
    assert_eq!(plan(None, Some(&small)).unwrap().count(ChangeKind::Added), 2);
}

#[test]
fn an_expression_is_its_text() {
    let when = |text: &str| json!({"text": text, "code": {"ops": [{"has": 0}], "slots": [{"header": text}], "v": 1}});
    let with = |text: &str| {
        let mut one = rule("x", None);
        one["match"] = json!({"when": when(text)});
        mesh(vec![one])
    };
    let plan = plan(Some(&with("a")), Some(&with("b"))).unwrap();
    let field = &plan.objects[0].fields[0];
    assert_eq!((field.path.as_str(), field.before.as_ref()), ("rules/x/match/when", Some(&json!("a"))));
}

#[test]
fn teams_belong_to_the_mesh_and_waves_to_the_environment() {
    let one = program(&[("control", json!({"teams": {"t": {}}, "proxies": {"holdMs": 5}}))]);
    let two = program(&[("control", json!({"teams": {"u": {}}, "proxies": {"holdMs": 6}}))]);
    let plan = plan(Some(&one), Some(&two)).unwrap();
    let shown: Vec<_> = plan.objects.iter().map(|c| (c.address.as_str(), c.fields.len())).collect();
    assert_eq!(shown, [("environment/prod", 1), ("mesh/shop", 2)]);
}

#[test]
fn access_that_is_closed_to_everybody_says_so() {
    let with = |access: Value| program(&[("services/a", json!({"port": 80})), ("access/a", access)]);
    let web = json!([{"name": "web", "from": [{"service": "b"}]}]);
    let remark = |before: Value, after: Value| {
        let plan = plan(Some(&with(before)), Some(&with(after))).unwrap();
        let [change] = plan.objects.as_slice() else { panic!("{plan:?}") };
        change.remark.is_some()
    };
    assert!(remark(json!({"allow": web}), json!({"deny": web})));
    assert!(!remark(json!({"deny": web}), json!({"allow": web})));
    assert!(!remark(json!({"allow": web}), json!({"deny": web, "mode": "audit"})));
}
