//! The decoder and the JSON Schema give one verdict.

use std::collections::BTreeMap;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::diag::{FileId, Sources, Span};
use crate::source::{Key, Node, Style, Text, Value};

fn validators() -> BTreeMap<&'static str, Validator> {
    schemas().iter().map(|(kind, schema)| (*kind, jsonschema::validator_for(schema).unwrap())).collect()
}

fn validator_of<'v>(validators: &'v BTreeMap<&'static str, Validator>, json: &Json) -> Option<&'v Validator> {
    let kind = Kind::from_word(json.get("kind")?.as_str()?)?;
    validators.get(if kind == Kind::AccessPolicy { "accesspolicy" } else { kind.slug() })
}

/// The JSON value as a node without places.
fn node(json: &Json) -> Node {
    let span = Span::new(FileId(0), 0, 0);
    let text = |t: &str| Text { text: t.into(), style: Style::Double };
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::String(s) => Value::Text(text(s)),
        Json::Array(items) => Value::Seq(items.iter().map(node).collect()),
        Json::Object(entries) => Value::Map(
            entries.iter().map(|(k, v)| (Key { span, text: k.as_str().into() }, node(v))).collect(),
        ),
    };
    Node { span, value }
}

fn decodes(json: &Json) -> Result<(), String> {
    let mut findings = Vec::new();
    let object = decode_node(&node(json), &Sources::new(), &mut findings);
    if findings.is_empty() {
        assert!(object.is_some(), "no object and no reason: {json}");
        return Ok(());
    }
    Err(findings.iter().map(|f| format!("{} {}", f.code, f.message)).collect::<Vec<_>>().join("; "))
}

fn documents() -> Vec<Json> {
    let mut files = shop();
    files.push(("full.yaml".to_owned(), FULL.as_bytes().to_vec()));
    load(files).documents.iter().map(|d| d.root.to_json()).collect()
}

#[test]
fn examples_are_valid_for_both() {
    let validators = validators();
    for json in documents() {
        let validator = validator_of(&validators, &json).unwrap();
        let errors: Vec<_> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{json}");
        assert_eq!(decodes(&json), Ok(()), "{json}");
    }
}

/// Values that are right somewhere and wrong elsewhere.
fn words() -> Vec<Json> {
    let texts = [
        "",
        "a",
        "A",
        "orders",
        "orders@v41",
        "orders@",
        "@v1",
        "a/b",
        "gateway/public",
        "canary/orders",
        "access/x",
        "5%",
        "100%",
        "100.01%",
        "0.5%",
        "0.005%",
        "2s",
        "1m30s",
        "30s1m",
        "1.5s",
        "0s",
        "50/s",
        "0/s",
        "3000/m",
        "1MiB",
        "1MB",
        "0B",
        "/",
        "/*",
        "/a/*",
        "/a/*/b",
        "/{id}/x",
        "/{1}",
        "//",
        "/a/",
        "/a/..",
        "/.a",
        "/%2F",
        "/%zz",
        "*.x",
        "x.y",
        "X.y",
        "x.",
        "*",
        "GET",
        "get it",
        "x-a",
        "X-A",
        "503",
        "200",
        "grpc-unavailable",
        "5xx",
        "gateway-error",
        "/a/./b",
        "none",
        "http",
        "on",
        "2026-02-28",
        "2026-02-29",
        "2024-02-29",
        "2026-13-01",
        "spiffe://a/b",
        "spiffe://a/../b",
        "spiffe://a/b/",
        "https://a/b",
        "http://",
        "https://a b",
        "GET https://a/b",
        "GET  https://a",
        "main",
        "refs/heads/x.lock",
        "a..b",
        "TLS_A",
        "TLS_",
        "{service}:{port}",
        "{service}.x:80",
        "{version}:80",
        "a:0",
        "a:65535",
        "a:65536",
        "[::1]:1",
        "127.0.0.1:80",
        "MC2001",
        "mc2001",
        "1.2",
        "done",
        "true",
        "é",
        "a b",
        "a\tb",
        " a",
        "Service",
        "Servce",
        "tls/x",
        "org/**",
        "../x",
        "/{env}/{service}",
        "a-",
        "-a",
        "edge/x",
        "x.*",
        "caller",
    ];
    let mut all: Vec<Json> = texts.iter().map(|t| Json::from(*t)).collect();
    all.push(Json::from("a".repeat(63)));
    all.push(Json::from("a".repeat(64)));
    all.push(Json::from("a".repeat(300)));
    all.extend([Json::Null, Json::from(true), Json::from(false), Json::from(0.5), Json::from(-1.5)]);
    all.extend(
        [-1, 0, 1, 2, 20, 21, 99, 100, 101, 301, 304, 404, 600, 65535, 65536, i64::MAX].map(Json::from),
    );
    all.extend([
        Json::from(1e30),
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::json!(["a"]),
        serde_json::json!([null]),
    ]);
    all.extend([
        serde_json::json!({ "labels": { "a": "b" } }),
        serde_json::json!({ "regex": "a" }),
        serde_json::json!({ "secret": "a/b" }),
    ]);
    all
}

const KEYS: [&str; 12] =
    ["name", "service", "gateway", "to", "when", "from", "zzz", "exact", "path", "labels", "max", "redirect"];

/// Characters that texts are changed with.
const ALPHABET: [char; 24] = [
    'a', 'Z', '0', '9', '%', '/', '.', '-', '*', '{', '}', '@', ' ', 'ß', '_', ':', '~', '\n', '\t', '"',
    '[', '?', '#', 's',
];

/// Walks to the place with this number, counted depth first, and applies the change there.
fn at(json: &mut Json, number: &mut usize, change: &mut dyn FnMut(&mut Json)) {
    if *number == 0 {
        change(json);
    }
    *number = number.wrapping_sub(1);
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| at(item, number, change)),
        Json::Object(entries) => entries.iter_mut().for_each(|(_, value)| at(value, number, change)),
        _ => {}
    }
}

fn places(json: &Json) -> usize {
    1 + match json {
        Json::Array(items) => items.iter().map(places).sum(),
        Json::Object(entries) => entries.values().map(places).sum(),
        _ => 0,
    }
}

/// One small change of a document.
fn mutate(json: &mut Json, place: usize, what: u8, pick: usize, words: &[Json]) {
    let mut number = place % places(json);
    let word = words[pick % words.len()].clone();
    at(json, &mut number, &mut |value| match (what % 8, value) {
        (0 | 1, value) => *value = word.clone(),
        (2, Json::Object(entries)) if !entries.is_empty() => {
            let key = entries.keys().nth(pick % entries.len()).unwrap().clone();
            entries.remove(&key);
        }
        (3, Json::Object(entries)) => {
            entries.insert(KEYS[pick % KEYS.len()].to_owned(), word.clone());
        }
        (4, Json::Object(entries)) if !entries.is_empty() => {
            let key = entries.keys().nth(pick % entries.len()).unwrap().clone();
            let value = entries.remove(&key).unwrap();
            entries.insert(key.to_uppercase(), value);
        }
        (5, Json::Array(items)) => items.push(word.clone()),
        (6, Json::Array(items)) => items.clear(),
        (5..=7, Json::String(text)) => {
            let mut chars: Vec<char> = text.chars().collect();
            let at = pick % (chars.len() + 1);
            let c = ALPHABET[(pick / 7) % ALPHABET.len()];
            match what % 8 {
                5 => chars.insert(at, c),
                6 if at < chars.len() => chars[at] = c,
                _ if at < chars.len() => drop(chars.remove(at)),
                _ => {}
            }
            *text = chars.into_iter().collect();
        }
        (_, value) => *value = Json::Array(vec![value.clone()]),
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_verdict(document in any::<usize>(), changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<usize>()), 0..3)) {
        thread_local! {
            static FIXED: (BTreeMap<&'static str, Validator>, Vec<Json>, Vec<Json>) = (validators(), documents(), words());
        }
        FIXED.with(|(validators, documents, words)| {
            let mut json = documents[document % documents.len()].clone();
            for (place, what, pick) in changes {
                mutate(&mut json, place, what, pick, words);
            }
            // A document without a known kind has no schema.
            if let Some(validator) = validator_of(validators, &json) {
                let ours = decodes(&json);
                let theirs = validator.validate(&json).map_err(|e| format!("{} at {}", e, e.instance_path()));
                prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}\nours {:?}\ntheirs {:?}", json, ours, theirs);
            }
            Ok(())
        })?;
    }
}

/// A scalar's constructor and the validator of its schema.
type LeafCheck = (&'static str, fn(&str) -> bool, Validator);

fn leaves() -> Vec<LeafCheck> {
    macro_rules! leaves {
        ($($Scalar:ty),* $(,)?) => {
            vec![$((
                stringify!($Scalar),
                |text| <$Scalar as Scalar>::parse(text).is_some(),
                jsonschema::validator_for(&schemars::schema_for!($Scalar).to_value()).unwrap(),
            )),*]
        };
    }
    leaves![
        Name,
        TrustDomain,
        HostText,
        HostClaim,
        ExactHost,
        Endpoint,
        SecretName,
        LabelKey,
        LabelValue,
        SpiffeId,
        Caller,
        TestCaller,
        Destination,
        Address,
        RuleRef,
        Duration,
        Percent,
        FinePercent,
        Rate,
        ByteSize,
        crate::diag::Date,
        Quantity,
        PathText,
        PathLiteral,
        PathPrefix,
        HeaderName,
        HeaderValue,
        MethodToken,
        CookieName,
        Prose,
        AnyText,
        RegexSource,
        Url,
        RelPath,
        Glob,
        BranchName,
        IdentityPath,
        EndpointPattern,
        VersionPattern,
        CelSource,
        Send,
        Condition,
        CodeText,
        CipherSuite,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_verdict_on_every_scalar(start in any::<usize>(), edits in prop::collection::vec((any::<usize>(), any::<u8>(), any::<usize>()), 0..3)) {
        thread_local! {
            static FIXED: (Vec<LeafCheck>, Vec<Json>) = (leaves(), words().into_iter().filter(Json::is_string).collect());
        }
        FIXED.with(|(leaves, words)| {
            let mut text: Vec<char> = words[start % words.len()].as_str().unwrap().chars().collect();
            for (at, what, pick) in edits {
                let c = ALPHABET[pick % ALPHABET.len()];
                let at = at % (text.len() + 1);
                match what % 3 {
                    1 if at < text.len() => text[at] = c,
                    2 if at < text.len() => drop(text.remove(at)),
                    _ => text.insert(at, c),
                }
            }
            let text: String = text.into_iter().collect();
            for (name, parse, validator) in leaves {
                prop_assert_eq!(parse(&text), validator.is_valid(&Json::from(text.as_str())), "{} {:?}", name, text);
            }
            Ok(())
        })?;
    }
}
