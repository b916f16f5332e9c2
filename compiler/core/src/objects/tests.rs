use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::types::{self, Types};
use super::*;
use crate::cel::evaluate::{self, evaluate};
use crate::cel::types::Unit;
use crate::cel::value::Value;
use crate::model::Model;
use crate::spec::{Object, load, schemas};

/// Records by the name that the schemas give their type.
fn records(types: &Types) -> BTreeMap<String, Arc<Record>> {
    let kinds = Kind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), types.plain(kind).clone()));
    kinds.chain(types.parts().map(|record| (record.name.clone(), record.clone()))).collect()
}

/// Every definition of the schemas, by name.
fn definitions() -> BTreeMap<String, Json> {
    let mut all = BTreeMap::new();
    for (file, schema) in schemas() {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str().to_lowercase() == file).unwrap();
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            all.insert(name.clone(), definition.clone());
        }
        all.insert(kind.as_str().to_owned(), schema);
    }
    all
}

fn reference(schema: &Json) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn properties(schema: &Json) -> BTreeSet<&str> {
    let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    names.filter(|name| *name != "kind").collect()
}

/// The long forms of a definition with several forms.
fn forms<'d>(definition: &'d Json, all: &'d BTreeMap<String, Json>) -> Vec<(&'d str, &'d Json)> {
    let parts = definition["anyOf"].as_array().into_iter().flatten();
    parts.filter_map(|part| Some((reference(part)?, all.get(reference(part)?)?))).collect()
}

#[test]
fn records_have_the_fields_of_the_schemas_and_no_others() {
    let (records, definitions) = (records(types::all()), definitions());
    let mut compared = 0;
    let mut absorbed = BTreeSet::new();
    for (name, definition) in &definitions {
        let forms = forms(definition, &definitions);
        // One record for both forms, by the name of the whole.
        if let Some(record) = records.get(name).filter(|_| !forms.is_empty()) {
            for (long, form) in &forms {
                for property in properties(form) {
                    let field =
                        record.field(property).unwrap_or_else(|| panic!("{name} misses {long}.{property}"));
                    assert!(field.optional, "{name}.{property}: another form may be written");
                }
                absorbed.insert((*long).to_owned());
            }
        }
    }
    for (name, definition) in &definitions {
        let expected = properties(definition);
        if definition["properties"].is_null() || absorbed.contains(name) {
            continue;
        }
        let record = records.get(name).unwrap_or_else(|| panic!("no record is called {name}"));
        let got: BTreeSet<&str> = record.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(got, expected, "{name}");
        let required: Vec<&str> =
            definition["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        for field in &record.fields {
            let property = &definition["properties"][&field.name];
            assert!(
                field.hidden.is_some() || fits(property, &field.ty, &definitions),
                "{name}.{}: {} for {property}",
                field.name,
                field.ty
            );
            assert!(!(field.optional && required.contains(&field.name.as_str())), "{name}.{}", field.name);
            assert!(!field.doc.trim().is_empty(), "{name}.{}", field.name);
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

/// Whether values of the schema are of the type.
fn fits(schema: &Json, ty: &Type, all: &BTreeMap<String, Json>) -> bool {
    if let Some(name) = reference(schema) {
        return fits(&all[name], ty, all);
    }
    if let Some(parts) = schema["anyOf"].as_array() {
        return match ty {
            // One, or a list of some.
            Type::List(item) if parts.iter().any(|p| p["type"] == "array") => {
                parts.iter().all(|part| match part["type"].as_str() {
                    Some("array") => fits(part, ty, all),
                    _ => fits(part, item, all) || matches!(item.as_ref(), Type::Record(_)),
                })
            }
            ty => matches!(ty, Type::Record(_)),
        };
    }
    match (schema["type"].as_str(), ty) {
        (Some("boolean"), Type::Bool)
        | (Some("integer"), Type::Int)
        | (Some("number"), Type::Double)
        | (Some("string"), Type::String | Type::Duration | Type::Timestamp | Type::Quantity(_)) => true,
        // A value with a unit of either kind is a record of both.
        (Some("string"), Type::Record(record)) => record.fields.iter().all(|f| f.optional),
        (Some("array"), Type::List(item)) => fits(&schema["items"], item, all),
        (Some("object"), Type::Record(record)) => {
            properties(schema).iter().all(|name| record.field(name).is_some())
        }
        (Some("object"), Type::Map(key, value)) => {
            **key == Type::String && fits(&schema["additionalProperties"], value, all)
        }
        (None, Type::Dyn) => schema["type"].is_array(),
        (None, Type::String) => schema["const"].is_string(),
        _ => false,
    }
}

#[test]
fn what_goes_with_an_object_hides_no_field() {
    let types = types::all();
    let mut relations = 0;
    for kind in Kind::ALL {
        let (own, plain) = (types.own(kind), types.plain(kind));
        let names: BTreeSet<&str> = own.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names.len(), own.fields.len(), "{kind:?}");
        relations += own.fields.len() - plain.fields.len();
        assert_eq!(own.fields.len() - plain.fields.len(), relations::of(kind).len(), "{kind:?}");
        assert!(!own.field("name").unwrap().optional, "{kind:?}");
    }
    assert!(relations >= 15);
    assert_eq!(documented().len(), Kind::ALL.len() + types.parts().count());
}

const MESH: &str = "kind: Mesh\nname: m\nversion: 1\ntrustDomain: m.example\ngateways: { public: { listen: 443, hosts: [m.example] } }\n";

/// Value of an expression over an object of a mesh.
fn value_of(more: &str, address: (Kind, &str), expression: &str) -> Result<Value, String> {
    let loaded = load(vec![("a.yaml".to_owned(), format!("{MESH}---\n{more}").into_bytes())]);
    let problems: Vec<_> = loaded.findings.iter().collect();
    assert!(problems.is_empty(), "{problems:?}");
    let mut findings = Vec::new();
    let model = Model::new(&loaded, None, &mut findings).unwrap();
    let object: &Object = model.get(address.0, address.1).unwrap();
    let variables = Objects::new(&model).variables(object).unwrap();
    let typed =
        cel::checked(expression, &environment(address.0)).map_err(|found| found[0].message.clone())?;
    evaluate(&typed, &variables, 10_000).map_err(|failure| failure.fault.to_string())
}

#[track_caller]
fn holds(more: &str, address: (Kind, &str), expression: &str) {
    match value_of(more, address, expression) {
        Ok(Value::Bool(true)) => {}
        other => panic!("{expression}: {other:?}"),
    }
}

const SERVICE: &str = "kind: Service\nname: a\nport: 80\ncallers: [b]\nlabels: { tier: critical }\n";

#[test]
fn defaults_are_there_and_other_absent_fields_are_absent() {
    let a = (Kind::Service, "a");
    for expression in [
        "self.appPort == 80 && self.protocol == 'http' && self.escapedSlashes == 'reject'",
        "self.versions == ['v1']",
        "!has(self.owner) && !has(self.proxy) && !has(self.canary) && self.routes == []",
        "self.?owner.orValue('nobody') == 'nobody'",
        "self.labels[?'tier'].orValue('') == 'critical' && !('zone' in self.labels)",
        "mesh.tls == 'strict' && mesh.defaults.timeout == duration('15s') && has(mesh.defaults.retry.off)",
        "mesh.proxy.maxRemoved == percent('30%') && mesh.proxy.probation.window == duration('1m')",
        "environment.name == 'default' && !has(environment.discovery)",
        "has(self.access) && self.access.allow[0].from[0].?caller.orValue('') == 'b' && self.access.mode == 'enforce'",
        "self.?access.allow[0].?name == optional.of('callers')",
    ] {
        holds(SERVICE, a, expression);
    }
    let route = "kind: Route\nservice: a\nrules:\n  - { name: one, to: a, retry: { attempts: 2 } }\n  - { name: two, to: [{ to: a, weight: 100% }], timeout: 2s }\n";
    let all = format!("{SERVICE}---\n{route}");
    for expression in [
        "self.name == 'a' && self.rules[0].timeout == duration('15s') && self.rules[1].timeout == duration('2s')",
        "self.rules.all(r, has(r.to) && r.to == [r.to[0]] && r.to[0].to == 'a' && r.to[0].weight == percent('100%'))",
        "self.rules[0].retry.?attempts.orValue(0) == 2 && !has(self.rules[0].retry.off)",
        "self.rules[0].retry.?budget == optional.of(percent('20%'))",
        "self.rules[0].retry.?backoff.base == optional.of(duration('25ms'))",
        "has(self.rules[1].retry.off) && self.rules[0].enabled",
        "has(self.serviceObject) && self.serviceObject.port == 80 && !has(self.gatewayObject)",
    ] {
        holds(&all, (Kind::Route, "a"), expression);
    }
}

#[test]
fn mesh_defaults_hold_where_rules_say_nothing() {
    let mesh = MESH.trim_end().to_owned() + "\ndefaults: { timeout: 2s, retry: { attempts: 3 } }\n";
    let text = format!("{mesh}---\n{SERVICE}---\nkind: Route\nservice: a\nrules: [{{ name: one, to: a }}]\n");
    let loaded = load(vec![("a.yaml".to_owned(), text.into_bytes())]);
    let mut findings = Vec::new();
    let model = Model::new(&loaded, None, &mut findings).unwrap();
    let variables = Objects::new(&model).variables(model.get(Kind::Route, "a").unwrap()).unwrap();
    let expression =
        "self.rules[0].timeout == duration('2s') && self.rules[0].retry.?attempts.orValue(0) == 3";
    let typed = cel::checked_condition(expression, &environment(Kind::Route)).unwrap();
    assert!(matches!(evaluate(&typed, &variables, 1_000), Ok(Value::Bool(true))));
}

#[test]
fn what_goes_with_an_object_is_found() {
    let all = format!(
        "{SERVICE}---\n{}",
        [
            "kind: Canary\nservice: a\nstable: v1\ncandidate: v2\nstages: [{ weight: 5%, hold: 10m }, { weight: 50%, hold: 1h }]\n",
            "kind: Route\nname: edge\ngateway: public\nrules: [{ name: r, to: a }, { name: s, match: { path: /s }, to: a }]\n",
            "kind: Route\nname: other\ngateway: public\nrules: [{ name: r, redirect: { host: x.example } }]\n",
            "kind: Quota\nservice: a\nlimits: [{ per: caller, rate: 3000/m }, { per: caller, rate: 7/h, cost: 3 }]\n",
            "kind: Resilience\nservice: a\noutlierDetection: { consecutiveErrors: 5, ejectFor: 30s }\n",
            "kind: Telemetry\nservice: a\nslo: { availability: 99.995% }\n",
        ]
        .join("---\n")
    );
    for expression in [
        "self.?canary.stages[0].weight == optional.of(percent('5%'))",
        "has(self.canary) && size(self.canary.stages) == 2 && self.canary.stages.all(s, s.hold >= duration('10m'))",
        "self.gatewayRoutes.map(r, r.name) == ['edge'] && self.routes == []",
        "self.quotas[0].limits[0].rate == rate('50/s') && self.quotas[0].limits[0].burst == 50",
        "self.quotas[0].limits[1].burst == 3 && self.quotas[0].limits[1].cost.?number.orValue(0) == 3",
        "self.?resilience.outlierDetection.maxEjected == optional.of(percent('50%'))",
        "self.?resilience.loadBalancer.policy == optional.of('roundRobin')",
        "self.?telemetry.slo.availability == optional.of(percent('99.995%'))",
    ] {
        holds(&all, (Kind::Service, "a"), expression);
    }
    holds(&all, (Kind::Route, "edge"), "has(self.gatewayObject) && self.gatewayObject.listen == 443");
}

#[test]
fn a_field_that_may_be_absent_needs_a_guard() {
    for (expression, message) in [
        ("self.canary.stable == 'v1'", "`self.canary` may be absent"),
        ("self.labels['tier'] == ''", "`self.labels['tier']` may be absent"),
        ("self.kanary.stable == 'v1'", "there is no `kanary` in `self`"),
        ("self.port == '80'", "unlike types"),
        ("mesh.defaults.timeout > percent('5%')", "unlike types"),
        ("environment.overrides == dyn(1)", "`environment.overrides` is not known here"),
    ] {
        let found = value_of(SERVICE, (Kind::Service, "a"), expression).unwrap_err();
        assert!(found.contains(message) || message == "unlike types", "{expression}: {found}");
    }
}

#[test]
fn units_are_those_of_the_functions() {
    let texts = "kind: Policy\nname: p\neach: Service\nrequire: 'true'\nwaivers: [{ object: service/a, until: 2036-12-31, reason: x }]\n";
    let all = format!("{SERVICE}---\n{texts}");
    holds(
        &all,
        (Kind::Policy, "p"),
        "self.waivers[0].until == timestamp('2036-12-31T00:00:00Z') && self.severity == 'error'",
    );
    let percent = value_of(SERVICE, (Kind::Service, "a"), "mesh.proxy.maxRemoved").unwrap();
    assert!(matches!(percent, Value::Quantity(Unit::Percent, 30_000_000)));
}

#[test]
fn nothing_is_said_of_objects_that_could_not_be_read() {
    let broken = format!("{MESH}---\n{SERVICE}---\nkind: Canary\nservice: a\nstable: v1\ncandidate: 7\n");
    let loaded = load(vec![("a.yaml".to_owned(), broken.into_bytes())]);
    let mut findings = Vec::new();
    let model = Model::new(&loaded, None, &mut findings).unwrap();
    assert!(Objects::new(&model).variables(model.get(Kind::Service, "a").unwrap()).is_none());
}

#[test]
fn invariants_know_the_request_and_the_decision() {
    let environment = invariants();
    for good in [
        "decision.allowed || decision.status == 403",
        "source.service == 'web' && decision.rule == 'edge/site'",
    ] {
        assert!(cel::folded_condition(good, &environment).is_ok(), "{good}");
    }
    for bad in ["decision.allow", "decision.status == 'no'", "self.port == 80"] {
        assert!(cel::folded_condition(bad, &environment).is_err(), "{bad}");
    }
}

#[test]
fn values_are_of_their_types() {
    let loaded = load(vec![("a.yaml".to_owned(), include_bytes!("../spec/fixtures/full.yaml").to_vec())]);
    let mut findings = Vec::new();
    let place = loaded.objects.iter().map(|(_, o)| o).find(|o| o.address.kind == Kind::Environment);
    let model = Model::new(&loaded, place, &mut findings).unwrap();
    let mut objects = Objects::new(&model);
    let mut seen = BTreeSet::new();
    for kind in Kind::ALL {
        for object in objects.each(kind) {
            let Some(variables) = objects.variables(object) else { continue };
            for variable in environment(kind).fields() {
                let value = evaluate::Variables::get(&variables, &variable.name).unwrap();
                is_of(&value, &variable.ty, &mut seen)
                    .unwrap_or_else(|path| panic!("{kind:?} {}{path}", variable.name));
            }
        }
    }
    // The fixture writes every field, so each record is met, and each field of one.
    let all: BTreeSet<String> = records(types::all())
        .iter()
        .flat_map(|(name, record)| record.fields.iter().map(move |f| format!("{name}.{}", f.name)))
        .collect();
    let missed: Vec<&String> = all.difference(&seen).collect();
    assert!(missed.len() < all.len() / 4, "{missed:#?}");
}

/// Notes the fields that are there; `Err` is the path of a value that is not of its type.
fn is_of(value: &Value, ty: &Type, seen: &mut BTreeSet<String>) -> Result<(), String> {
    let good = match (value, ty) {
        (Value::Bool(_), Type::Bool)
        | (Value::Int(_), Type::Int)
        | (Value::Double(_), Type::Double)
        | (Value::String(_), Type::String)
        | (Value::Duration(_), Type::Duration)
        | (Value::Timestamp(_), Type::Timestamp)
        | (_, Type::Dyn) => true,
        (Value::Quantity(unit, _), Type::Quantity(other)) => unit == other,
        (Value::List(items), Type::List(item)) => {
            for (i, one) in items.iter().enumerate() {
                is_of(one, item, seen).map_err(|path| format!("[{i}]{path}"))?;
            }
            true
        }
        (Value::Map(map), Type::Map(_, inner)) => {
            for (key, one) in map.iter() {
                is_of(one, inner, seen).map_err(|path| format!("[{key:?}]{path}"))?;
            }
            true
        }
        (Value::Map(map), Type::Record(record)) => {
            for field in &record.fields {
                match map.text(&field.name) {
                    Some(one) => {
                        seen.insert(format!("{}.{}", record.name, field.name));
                        is_of(one, &field.ty, seen).map_err(|path| format!(".{}{path}", field.name))?;
                    }
                    None if field.optional || field.hidden.is_some() => {}
                    None => return Err(format!(".{} is missing", field.name)),
                }
            }
            map.iter().all(|(key, _)| matches!(key, Value::String(key) if record.field(key).is_some()))
        }
        _ => false,
    };
    if good { Ok(()) } else { Err(format!(": {value:?} is not a {ty}")) }
}

#[test]
fn docs_are_written_from_the_records() {
    crate::tests::page_is_written(
        "docs/policies.md",
        &[("relations", relations_table()), ("records", records_tables())],
    );
}

fn relations_table() -> String {
    let mut out = String::from("| `self` of | field | type | |\n|---|---|---|---|\n");
    for kind in Kind::ALL {
        let (own, plain) = (types::all().own(kind), types::all().plain(kind));
        for field in own.fields.iter().filter(|f| plain.field(&f.name).is_none()) {
            let absent = if field.optional { " May be absent." } else { "" };
            out.push_str(&format!(
                "| {} | `{}` | {} | {}{absent} |\n",
                kind.as_str(),
                field.name,
                field.ty,
                line(field.doc)
            ));
        }
    }
    out
}

fn records_tables() -> String {
    let mut out = String::new();
    for (name, record) in documented() {
        out.push_str(&format!("### {name}\n\n| field | type | |\n|---|---|---|\n"));
        for field in &record.fields {
            let what = match field.hidden {
                Some(why) => why.to_owned(),
                None if field.optional => format!("{} *may be absent*", line(field.doc)),
                None => line(field.doc),
            };
            out.push_str(&format!("| `{}` | {} | {what} |\n", field.name, field.ty));
        }
        out.push('\n');
    }
    out.trim_end().to_owned() + "\n"
}

fn line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
