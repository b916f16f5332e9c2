//! The conformance suite of CEL (google/cel-spec) against our checker and evaluator.
//!
//! Each case is right (value and type), refused where the suite expects an error, or outside of the language, by the
//! code of the finding. Nothing else passes. `../shared/vectors/cel` holds a sample; the whole suite fits the same form.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking and shows its counts"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mesh_bundle::expr::{Expression, Instant};
use mesh_compiler::cel::environment::Environment;
use mesh_compiler::cel::evaluate::{Variables, evaluate};
use mesh_compiler::cel::functions::Signature;
use mesh_compiler::cel::types::{Field, Type};
use mesh_compiler::cel::value::{Map, Value};
use mesh_compiler::cel::{self, CelFinding, Typed};
use mesh_decision::expr::{Context, Program, Tri};
use mesh_decision::request::{Connection, Request, Source};
use mesh_tests::activate::skip;
use serde_json::Value as Json;

/// Steps of one case: the bound of policies.
const STEPS: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Value and type are those of the suite, or both fail.
    Right,
    /// The suite expects an error at run time, and the checker finds it.
    RefusedAsExpected,
    /// The checker refuses it; why.
    Outside(&'static str),
    /// What must not be; what.
    Wrong(String),
}

#[test]
fn what_is_in_the_language_is_right() {
    let Some(folder) = vectors() else { return };
    let mut tally: BTreeMap<Verdict, Vec<String>> = BTreeMap::new();
    let (mut cases, mut strict, mut proxies) = (0, Vec::new(), 0);
    for case in read(&folder) {
        cases += 1;
        let name = format!("{}/{}/{}", text(&case, "file"), text(&case, "section"), text(&case, "name"));
        let line = format!("{name}: {}", text(&case, "expr"));
        let (verdict, refused_here) = run(&case);
        if verdict == Verdict::Right && refused_here {
            strict.push(line.clone());
        }
        match in_a_proxy(&case) {
            Some(Ok(())) => proxies += 1,
            Some(Err(what)) => {
                tally.entry(Verdict::Wrong(format!("a proxy {what}"))).or_default().push(line.clone());
            }
            None => {}
        }
        tally.entry(verdict).or_default().push(line);
    }
    let mut report = format!("{cases} cases\n");
    let mut wrong = String::new();
    for (verdict, lines) in &tally {
        match verdict {
            Verdict::Right => writeln!(report, "{:5} right, value and type", lines.len()).unwrap(),
            Verdict::RefusedAsExpected => {
                writeln!(report, "{:5} refused, where the suite expects an error", lines.len()).unwrap();
            }
            Verdict::Outside(why) => writeln!(report, "{:5} outside: {why}", lines.len()).unwrap(),
            Verdict::Wrong(what) => writeln!(wrong, "{what}\n    {}", lines.join("\n    ")).unwrap(),
        }
    }
    writeln!(report, "{proxies:5} also right as the code of a bundle, evaluated by a proxy").unwrap();
    writeln!(
        report,
        "{:5} of the right ones need CEL's own rules: they mix types, or read without a guard",
        strict.len()
    )
    .unwrap();
    println!("{report}");
    for (verdict, lines) in &tally {
        if let Verdict::Outside(why) = verdict {
            println!("outside, {why}:\n    {}", lines.join("\n    "));
        }
    }
    assert!(wrong.is_empty(), "{report}\n{wrong}");
}

fn run(case: &Json) -> (Verdict, bool) {
    let expression = text(case, "expr");
    let declared = declare(case);
    let standard = declared.clone().standard();
    let unchecked = case.get("disable_check").and_then(Json::as_bool) == Some(true);
    let typed = match cel::checked(expression, &standard) {
        Ok(typed) => typed,
        Err(found) => return (refused(case, &found, unchecked), false),
    };
    let refused_here = cel::checked(expression, &declared).is_err();
    (judge(case, &typed), refused_here)
}

/// Lowers the case with its constants left to the proxy, writes and reads the bytes, evaluates. `None` for what proxies do
/// not evaluate.
fn in_a_proxy(case: &Json) -> Option<Result<(), String>> {
    let (kind, value) = case["expect"]["value"].as_object()?.iter().next()?;
    let expression = match kind.as_str() {
        "bool" if value.as_bool()? => text(case, "expr").to_owned(),
        "bool" => format!("!({})", text(case, "expr")),
        "int" => format!("({}) == {}", text(case, "expr"), value.as_str()?),
        "string" => format!("({}) == {}", text(case, "expr"), Json::from(value.as_str()?)),
        _ => return None,
    };
    let lowered = cel::unfolded(&expression, &declare(case)).ok().filter(|e| e.code.ops.len() > 1)?;
    let bytes = mesh_bundle::canonical::to_bytes(&lowered).unwrap();
    let read: Expression = mesh_bundle::canonical::from_bytes(&bytes).unwrap();
    let program = match Program::new(&read) {
        Ok(program) => program,
        Err(error) => return Some(Err(format!("refuses it: {error}"))),
    };
    let request = Request {
        method: "GET",
        scheme: "http",
        host: "a",
        path: "/",
        query: "",
        headers: &Vec::<(&str, &str)>::new(),
        size: None,
        source: Source::default(),
        connection: Connection::default(),
        now: Instant::default(),
        picks: &0,
    };
    let context = Context { request: &request, pattern: None, source: None, destination: None };
    Some(match program.evaluate(&context) {
        Tri::True => Ok(()),
        other => Err(format!("says {other:?} of `{expression}`")),
    })
}

fn judge(case: &Json, typed: &Typed) -> Verdict {
    let expect = case.get("expect").unwrap();
    if let Some(ty) = expect.get("type").and_then(Json::as_str) {
        let ty = read_type(ty);
        if typed.ty != ty {
            return Verdict::Wrong(format!("expected the type {ty}, found {}", typed.ty));
        }
    }
    if case.get("check_only").and_then(Json::as_bool) == Some(true) {
        return Verdict::Right;
    }
    let outcome = evaluate(typed, &Bindings(case.get("bindings").unwrap()), STEPS);
    match (expect.get("kind").and_then(Json::as_str), outcome) {
        (Some("error"), Err(_)) => Verdict::Right,
        (Some("error"), Ok(value)) => Verdict::Wrong(format!("expected an error, found {value:?}")),
        (_, Err(failure)) => Verdict::Wrong(format!("fails: {}", failure.fault)),
        (_, Ok(value)) => {
            let due = read_value(expect.get("value").unwrap());
            if !same(&value, &due) {
                return Verdict::Wrong(format!("expected {due:?}, found {value:?}"));
            }
            // What the checker said must be what came out.
            match fits(&value, &typed.ty) {
                true => Verdict::Right,
                false => Verdict::Wrong(format!("is {value:?}, and the checker said {}", typed.ty)),
            }
        }
    }
}

/// A refusal by the checker is right where the suite expects an error; else it is outside, for a reason.
fn refused(case: &Json, found: &[CelFinding], unchecked: bool) -> Verdict {
    let error = case["expect"]["kind"] == "error";
    let finding = &found[0];
    match (finding.code.0, error) {
        (3001..=3012, true) => Verdict::RefusedAsExpected,
        (3006, false) => Verdict::Outside("functions of optimisers, and messages"),
        (3003 | 3010 | 3012, false) if unchecked => {
            Verdict::Outside("ill-typed, for interpreters without a checker")
        }
        (3001, false) => Verdict::Wrong(format!("does not parse: {}", finding.message)),
        _ => Verdict::Wrong(format!("is refused: {:?} {}", finding.code, finding.message)),
    }
}

fn declare(case: &Json) -> Environment {
    let mut environment = Environment::new().within(text(case, "container"));
    for entry in case["type_env"].as_array().unwrap() {
        if let Some(name) = entry.get("ident").and_then(Json::as_str) {
            let ty = read_type(entry["type"].as_str().unwrap());
            environment = environment.with(Field::new(name, ty, ""));
        }
        if let Some(name) = entry.get("function").and_then(Json::as_str) {
            let signature = |overload: &Json| Signature {
                method: overload["instance"] == true,
                parameters: overload["params"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|p| read_type(p.as_str().unwrap()))
                    .collect(),
                result: read_type(overload["result"].as_str().unwrap()),
                variadic: false,
            };
            let signatures = entry["overloads"].as_array().unwrap().iter().map(signature).collect();
            environment = environment.with_function(name, signatures);
        }
    }
    environment
}

struct Bindings<'j>(&'j Json);

impl Variables for Bindings<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name).map(read_value)
    }
}

/// A type as the suite writes it: `list(int)`, `optional_type<dyn>`, `tuple<$T,int>`.
fn read_type(text: &str) -> Type {
    let open = text.find(['(', '<']);
    let (name, inner) = match open {
        Some(at) => (&text[..at], Some(&text[at + 1..text.len() - 1])),
        None => (text, None),
    };
    let mut parameters = Vec::new();
    if let Some(inner) = inner {
        let (mut depth, mut start) = (0, 0);
        for (i, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '(' | '<' => depth += 1,
                ')' | '>' => depth -= 1,
                ',' if depth == 0 => {
                    parameters.push(read_type(inner[start..i].trim()));
                    start = i + 1;
                }
                _ => {}
            }
        }
    }
    match (name, parameters.as_slice()) {
        ("list", [item]) => Type::list(item.clone()),
        ("map", [key, value]) => Type::map(key.clone(), value.clone()),
        ("optional_type", [item]) => Type::optional(item.clone()),
        ("null", []) => Type::Null,
        (name, []) if name.starts_with('$') => Type::Var(u32::from(name.as_bytes()[1])),
        (name, []) => {
            Type::by_name(name).or_else(|| Type::parse(name).ok()).unwrap_or_else(|| panic!("{name}"))
        }
        (name, parameters) => Type::Opaque(name.into(), parameters.into()),
    }
}

fn read_value(json: &Json) -> Value {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    let string = || value.as_str().unwrap();
    match kind.as_str() {
        "null" => Value::Null,
        "bool" => Value::Bool(value.as_bool().unwrap()),
        "int" => Value::Int(string().parse().unwrap()),
        "uint" => Value::Uint(string().parse().unwrap()),
        "double" => Value::Double(string().replace("Infinity", "inf").parse().unwrap()),
        "string" => Value::text(string()),
        "bytes" => {
            let hex = string();
            let byte = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
            Value::Bytes((0..hex.len()).step_by(2).map(byte).collect())
        }
        "list" => Value::list(value.as_array().unwrap().iter().map(read_value)),
        "map" => {
            let mut map = Map::default();
            for pair in value.as_array().unwrap() {
                map.insert(read_value(&pair[0]), read_value(&pair[1])).unwrap();
            }
            Value::Map(Arc::new(map))
        }
        "type" => Value::Type(string().into()),
        other => panic!("a value of the kind {other}"),
    }
}

/// The same value of the same type: `1` is not `1u`, and NaN is itself.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b.iter()).all(|((ka, va), (kb, vb))| same(ka, kb) && same(va, vb))
        }
        (a, b) => a.type_name() == b.type_name() && a.equals(b),
    }
}

fn fits(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (_, Type::Dyn) => true,
        (Value::List(items), Type::List(item)) => items.iter().all(|value| fits(value, item)),
        (Value::Map(map), Type::Map(key, of)) => map.iter().all(|(k, v)| fits(k, key) && fits(v, of)),
        (Value::Optional(inner), Type::Optional(ty)) => inner.as_deref().is_none_or(|value| fits(value, ty)),
        (value, ty) => value.type_name() == ty.runtime_name(),
    }
}

fn text<'j>(case: &'j Json, key: &str) -> &'j str {
    case.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn read(folder: &Path) -> Vec<Json> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    files.sort();
    let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Json>>())
        .collect()
}

/// The vectors, if they are here.
fn vectors() -> Option<PathBuf> {
    let folder = mesh_tests::top().join("../shared/vectors/cel");
    if folder.is_dir() {
        return Some(folder);
    }
    skip("conformance of CEL", "its vectors are not beside this checkout");
    None
}
