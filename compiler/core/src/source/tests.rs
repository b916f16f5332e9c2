//! Reading as a whole: exact places, hostile input, merging.

use super::*;
use crate::diag::{Code, Diagnostic, Sources, codes};

fn read(text: impl AsRef<[u8]>) -> (Sources, Parsed) {
    let mut sources = Sources::new();
    let (_, parsed) = parse(&mut sources, "a.yaml", text.as_ref());
    (sources, parsed)
}

/// Code and underlined words of every finding.
fn found(text: impl AsRef<[u8]>) -> Vec<(Code, String)> {
    let (sources, parsed) = read(text);
    parsed.findings.iter().map(|d| (d.code, sources.slice(d.primary.span).to_owned())).collect()
}

fn one(text: impl AsRef<[u8]>) -> (Code, String) {
    let mut all = found(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn at(code: Code, words: &str) -> (Code, String) {
    (code, words.to_owned())
}

#[test]
fn every_key_and_value_has_its_exact_bytes() {
    let text = "kind: Route   # c\nrules:\n  - name: 'a b'\n    to: {x: [1, two ]}\nempty:\nblock: |\n  one\n  two\n\nlast: é\n";
    let (sources, parsed) = read(text);
    assert_eq!(parsed.findings, []);
    let root = &parsed.documents[0].root;
    let words = |node: &Node| sources.slice(node.span).to_owned();
    assert_eq!(words(root), text.trim_end());
    assert_eq!(words(root.get("kind").unwrap()), "Route");
    let rules = root.get("rules").unwrap();
    assert_eq!(words(rules), "- name: 'a b'\n    to: {x: [1, two ]}");
    let rule = &rules.as_seq().unwrap()[0];
    assert_eq!(words(rule.get("name").unwrap()), "'a b'");
    assert_eq!(words(rule.get("to").unwrap()), "{x: [1, two ]}");
    assert_eq!(words(rule.get("to").unwrap().get("x").unwrap()), "[1, two ]");
    assert_eq!(words(root.get("empty").unwrap()), "empty");
    assert_eq!(words(root.get("block").unwrap()), "one\n  two");
    assert_eq!(words(root.get("last").unwrap()), "é");
    assert_eq!(root.get("block").unwrap().as_str(), Some("one\ntwo\n"));
}

#[test]
fn mistakes_have_their_code_and_the_exact_words() {
    assert_eq!(one("a: 1\nb: 2\n\"a\": 3\n"), at(codes::DUPLICATE_KEY, "\"a\""));
    assert_eq!(one("a: &x {b: 1}\nc: {<<: *x}\n"), at(codes::MERGE_KEY, "<<"));
    assert_eq!(one("a:\n\tb: 1\n"), at(codes::TAB, "\t"));
    assert_eq!(one("a:\t1\nb: 'x\ty' # z\tz\n"), at(codes::TAB, "\t"));
    assert_eq!(one("a: !!binary aGk=\n"), at(codes::TAG, "!!binary"));
    assert_eq!(one("a: !x {b: 1}\n"), at(codes::TAG, "!x"));
    assert_eq!(one("? [a, b]\n: 1\n"), at(codes::KEY_NOT_TEXT, "[a, b]"));
    assert_eq!(one("8080: 1\n"), at(codes::KEY_NOT_TEXT, "8080"));
    assert_eq!(one("a: &a [*a]\n"), at(codes::ALIAS, "*a"));
    assert_eq!(one("a: *b\n"), at(codes::ALIAS, "*b"));
    assert_eq!(one("a: .inf\n"), at(codes::NOT_FINITE, ".inf"));
    assert_eq!(one("a: 0777\n"), at(codes::WRONG_TYPE, "0777"));
    assert_eq!(one("%YAML 1.1\n---\na: 1\n"), at(codes::DIRECTIVE, "%"));
    assert_eq!(one("a: \"x\\u202ey\"\n"), at(codes::HIDDEN_CHARACTER, "\"x\\u202ey\""));
    assert_eq!(one("# \u{202e}\na: 1\n"), at(codes::HIDDEN_CHARACTER, "\u{202e}"));
    assert_eq!(one("a: \"x\0\"\n"), at(codes::ENCODING, "\0"));
    assert_eq!(one(b"a: \"\xc0\xaf\"\n"), at(codes::ENCODING, "\u{FFFD}"));
    assert_eq!(one("{\"a\":\"\\ud800\"}").0, codes::ENCODING);
    assert_eq!(one("a: 1\n---\n---\nb: 1\n").0, codes::EMPTY);
    assert_eq!(one("key: AKIAABCDEFGHIJKLMNOP\n"), at(codes::SECRET, "AKIAABCDEFGHIJKLMNOP"));
}

#[test]
fn a_duplicate_names_both_places() {
    let (sources, parsed) = read("x: {weight: 1, weight: 100}\n");
    let finding = &parsed.findings[0];
    assert_eq!(finding.primary.span.start, 15);
    assert_eq!((sources.slice(finding.labels[0].span), finding.labels[0].span.start), ("weight", 4));
    // The first one counts.
    assert_eq!(parsed.documents[0].root.get("x").unwrap().get("weight").unwrap().value, Value::Int(1));
}

#[test]
fn a_broken_document_hides_nothing_of_the_others() {
    let (_, parsed) =
        read("a: 1\n---\nkind: Service\nname: b\nlist: [1, 2\n---\nc: 3\n---\nd: 1\nx: ]\n---\ne: 5\n");
    let names: Vec<_> = parsed
        .documents
        .iter()
        .map(|d| (d.root.as_map().unwrap()[0].0.text.to_string(), d.complete))
        .collect();
    assert_eq!(
        names,
        [("a", true), ("kind", false), ("c", true), ("d", false), ("e", true)]
            .map(|(n, c)| (n.to_owned(), c))
    );
    assert_eq!(parsed.documents[1].root.get("name").unwrap().as_str(), Some("b"));
    assert_eq!(parsed.findings.len(), 2);
}

#[test]
fn aliases_stand_for_values_with_the_place_of_the_anchor() {
    let (sources, parsed) = read("a: &x [1, {k: v}]\nb: *x\nc: &y word\n*y : d\n");
    assert_eq!(parsed.findings, []);
    let root = &parsed.documents[0].root;
    assert_eq!(root.get("a"), root.get("b"));
    assert_eq!(sources.slice(root.get("b").unwrap().span), "[1, {k: v}]");
    assert_eq!(root.get("word").unwrap().as_str(), Some("d"));
    // Anchors end with their document.
    assert_eq!(one("a: &x 1\n---\nb: *x\n"), at(codes::ALIAS, "*x"));
}

#[test]
fn a_star_without_quotes_is_told_from_an_alias() {
    for text in ["hosts: [*]\n", "hosts:\n  - *.shop.example\n", "hosts: *\n"] {
        let (_, parsed) = read(text);
        let finding = &parsed.findings[0];
        assert!(finding.helps[0].contains("in quotes"), "{text}: {finding:?}");
    }
    assert_eq!(one("b: *x\n"), at(codes::ALIAS, "*x"));
}

#[test]
fn limits_are_exact() {
    let deep = |n: usize| format!("a: {}{}\n", "[".repeat(n), "]".repeat(n));
    assert_eq!(found(deep(limits::FILE_DEPTH - 1)), []);
    assert_eq!(one(deep(limits::FILE_DEPTH)), at(codes::LIMIT_DEPTH, "["));
    // Depth through aliases counts.
    assert_eq!(
        one(format!("a: &a {}{}\nb: [*a]\n", "[".repeat(63), "]".repeat(63))),
        at(codes::LIMIT_DEPTH, "*a")
    );
    let text = |n: usize| format!("a: {}\n", "x".repeat(n));
    assert_eq!(found(text(limits::SCALAR_BYTES)), []);
    assert_eq!(one(text(limits::SCALAR_BYTES + 1)).0, codes::LIMIT_TEXT);
    let aliases = |n: usize| format!("a: &a x\nb: [{}]\n", vec!["*a"; n].join(","));
    assert_eq!(found(aliases(limits::FILE_ALIASES)), []);
    assert_eq!(one(aliases(limits::FILE_ALIASES + 1)), at(codes::LIMIT_ALIASES, "*a"));
    // The document and its list are nodes too.
    let nodes = |n: usize| "- 1\n".repeat(n - 2);
    assert_eq!(found(nodes(limits::FILE_NODES)), []);
    assert_eq!(one(nodes(limits::FILE_NODES + 1)).0, codes::LIMIT_NODES);
    assert_eq!(found(format!("a: 1\n{}", "#".repeat(limits::FILE_BYTES - 5))), []);
    assert_eq!(one(format!("a: 1\n{}", "#".repeat(limits::FILE_BYTES - 4))).0, codes::LIMIT_FILE);
}

#[test]
fn hostile_files_end_soon_and_for_the_stated_reason() {
    let first = |text: String| found(text).into_iter().map(|f| f.0).next();
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &"abcdefgh"
            .chars()
            .zip("bcdefghi".chars())
            .map(|(q, c)| format!("{c}: &{c} [{}]\n", vec![format!("*{q}"); 9].join(",")))
            .collect::<String>();
    assert_eq!(first(bomb), Some(codes::LIMIT_NODES));
    assert_eq!(first(format!("a: {}", "[".repeat(500_000))), Some(codes::LIMIT_DEPTH));
    assert_eq!(
        first(format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000))),
        Some(codes::LIMIT_DEPTH)
    );
    assert_eq!(first((0..1400).map(|i| " ".repeat(i) + "a:\n").collect()), Some(codes::LIMIT_DEPTH));
    assert_eq!(first("? ".repeat(20_000) + "a\n"), Some(codes::LIMIT_DEPTH));
    assert_eq!(first((0..60_000).map(|i| format!("k{i}: 1\n")).collect()), Some(codes::LIMIT_NODES));
    assert_eq!(first(format!("a: \"{}\"\n", "\\x41".repeat(60_000))), Some(codes::LIMIT_TEXT));
    assert_eq!(first(format!("&{} x\n", "a".repeat(100_000))), Some(codes::LIMIT_TEXT));
    assert_eq!(first(format!("a: \"{}", "b\n".repeat(50_000))), Some(codes::SYNTAX));
    assert_eq!(first("[\n---\n".repeat(100_000)), Some(codes::SYNTAX));
    assert_eq!(first("\t".repeat(1_000_000)), Some(codes::TAB));
    assert_eq!(first("#\n".repeat(200_000) + "a: 1\n"), None);
    assert_eq!(first("#\tmeshc:\n".repeat(100_000) + "a: 1\n"), None);
    assert!(first(": ".repeat(50_000)).is_some());
    // What was open is not reported as well.
    assert_eq!(one("? ".repeat(20_000) + "a\n").0, codes::LIMIT_DEPTH);
}

#[test]
fn encodings() {
    assert_eq!(
        one("a: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).0,
        codes::ENCODING
    );
    assert_eq!(one([0xFF, 0xFE, b'a', 0]).0, codes::ENCODING);
    let (sources, parsed) = read("\u{FEFF}a: 1\nb: [\n");
    assert_eq!(parsed.findings[0].code, codes::SYNTAX);
    assert_eq!(sources.slice(parsed.documents[0].root.get("a").unwrap().span), "1");
    assert_eq!(one("a: 1\rb: 2\r\n"), at(codes::HIDDEN_CHARACTER, "\r"));
    assert_eq!(found("a: 1\r\nb: 2\r\n"), []);
    assert_eq!(one("").0, codes::EMPTY);
    assert_eq!(read("# x\n").1.findings[0].severity, crate::diag::Severity::Warning);
}

#[test]
fn the_generated_marker_marks_the_file() {
    let (_, parsed) = read("generated: true\n---\nkind: A\n---\nkind: B\n");
    assert_eq!(parsed.findings, []);
    assert_eq!(parsed.documents.iter().map(|d| d.generated).collect::<Vec<_>>(), [true, true]);
    assert_eq!(one("kind: A\n---\ngenerated: true\n"), at(codes::GENERATED_MARKER, "generated"));
    assert_eq!(one("kind: A\ngenerated: true\n"), at(codes::GENERATED_MARKER, "generated"));
}

#[test]
fn an_envelope_is_taken_off() {
    let text = "apiVersion: meshc/v1\nkind: Service\nmetadata: {name: cart}\nspec:\n  port: 8080\n";
    let (sources, parsed) = read(text);
    assert_eq!(parsed.findings, []);
    let keys: Vec<_> = parsed.documents[0].root.as_map().unwrap().iter().map(|(k, _)| &*k.text).collect();
    assert_eq!(keys, ["kind", "name", "port"]);
    assert_eq!(sources.slice(parsed.documents[0].root.get("port").unwrap().span), "8080");
    assert_eq!(one(text.replace("meshc/v1", "v1")), at(codes::ENVELOPE, "v1"));
    assert_eq!(one(text.replace("name: cart", "name: cart, uid: x")), at(codes::ENVELOPE, "uid"));
    assert_eq!(one(text.replace("  port", "  name")), at(codes::ENVELOPE, "name"));
    assert_eq!(one(text.to_owned() + "status: {}\n"), at(codes::ENVELOPE, "status"));
}

#[test]
fn offsets_inside_texts_map_back_to_the_file() {
    let text = "plain: one two\nsingle: 'it''s on\n  e more'\ndouble: \"tab\\tq \\u00e9\\\n   end\"\nliteral: |\n  a == b\n    && c\n\n  || d\nfolded: >-\n    x == y\n    && z\n\n    end\nmany: a\n  b\n  c\n";
    let (sources, parsed) = read(text);
    assert_eq!(parsed.findings, []);
    let root = &parsed.documents[0].root;
    for (key, words, raw) in [
        ("plain", "two", "two"),
        ("single", "it's", "it''s"),
        ("single", "on e", "on\n  e"),
        ("double", "\tq", "\\tq"),
        ("double", "é", "\\u00e9"),
        ("double", "end", "end"),
        ("literal", "a == b", "a == b"),
        ("literal", "&& c", "&& c"),
        ("literal", "|| d", "|| d"),
        ("folded", "y &&", "y\n    && "),
        ("folded", "z", "z"),
        ("folded", "end", "end"),
        ("many", "b", "b"),
        ("many", "c", "c"),
    ] {
        let node = root.get(key).unwrap();
        let Value::Text(text) = &node.value else { panic!("{key}") };
        let start = text.text.find(words).unwrap();
        let span = TextMap::new(&sources, node.span, text).span(start..start + words.len());
        assert_eq!(sources.slice(span).trim_end(), raw.trim_end(), "{key}: {words}");
    }
}

fn merged(base: &str, over: &str) -> (serde_json::Value, Vec<Diagnostic>) {
    let root = |text: &str| read(text).1.documents.remove(0).root;
    let mut findings = Vec::new();
    let node = merge(&root(base), &root(over), &mut findings);
    (node.to_json(), findings)
}

#[test]
fn overrides_merge_as_rule_8_says() {
    let json = |text: &str| read(text).1.documents.remove(0).root.to_json();
    let (got, findings) = merged(
        "a: {x: 1, y: 2}\nrules: [{name: p, to: u}, {name: q, to: v}]\nplain: [1, 2]\ngone: 1\nkept: 1\n",
        "a: {y: 3, z: 4}\nrules: [{name: q, to: w}, {name: r, to: s}]\nplain: [3]\ngone: null\n",
    );
    assert_eq!(findings, []);
    assert_eq!(
        got,
        json(
            "a: {x: 1, y: 3, z: 4}\nrules: [{name: p, to: u}, {name: q, to: w}, {name: r, to: s}]\nplain: [3]\nkept: 1\n"
        )
    );
    // No item has a name: the list is replaced.
    assert_eq!(merged("s: [{x: 1}, {x: 2}]\n", "s: [{name: a}]\n").0, json("s: [{name: a}]\n"));
    // Some have one: neither is done.
    for (base, over) in [
        ("s: [{name: a, x: 1}, {x: 2}]\n", "s: [{name: a}]\n"),
        ("s: [{name: a, x: 1}]\n", "s: [{name: a, x: 2}, {x: 3}]\n"),
    ] {
        let (got, findings) = merged(base, over);
        assert_eq!(got, json(base));
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [codes::MIXED_LIST]);
    }
    assert_eq!(merged("s: {a: 1}\n", "s: [1]\n").0, json("s: [1]\n"));
    let (got, findings) = merged("a: 1\n", "b: {c: null, d: 1}\n");
    assert_eq!(got, json("a: 1\nb: {d: 1}\n"));
    assert_eq!(findings[0].code, codes::REMOVES_NOTHING);
}

#[test]
fn repairs_inside_texts_are_written_as_the_text_is() {
    let text = "plain: a['x'] == b\nquoted: a[\"x\"]\nsingle: 'a[''x'']'\ndouble: \"a[\\\"x\\\"]\"\nliteral: |\n  a['x']\nflow: { in: a.x }\n";
    let repaired = |key: &str, words: &str, replacement: &str| {
        let (sources, parsed) = read(text);
        assert_eq!(parsed.findings, []);
        let root = &parsed.documents[0].root;
        let node = root.get(key).unwrap();
        let node = node.get("in").unwrap_or(node);
        let Value::Text(inner) = &node.value else { panic!("{key}") };
        let start = inner.text.find(words).unwrap();
        let map = TextMap::new(&sources, node.span, inner);
        let (span, written) = map.replace(start..start + words.len(), replacement).unwrap();
        let slice = |range: std::ops::Range<usize>| text.get(range).unwrap();
        let whole = [slice(0..span.start as usize), &written, slice(span.end as usize..text.len())].concat();
        let (_, parsed) = read(&whole);
        assert_eq!(parsed.findings, [], "{whole}");
        let node = parsed.documents[0].root.get(key).unwrap();
        let Value::Text(now) = &node.get("in").unwrap_or(node).value else { panic!("{key}") };
        assert_eq!(now.text.trim_end(), inner.text.trim_end().replacen(words, replacement, 1), "{whole}");
    };
    repaired("plain", "b", "c");
    repaired("plain", "a", "'x' in a && a");
    repaired("plain", "b", "{\"k\": 1}");
    repaired("quoted", "x", "y\"z");
    repaired("single", "'x'", "'y'");
    repaired("double", "\"x\"", "\"y\\\"");
    repaired("literal", "'x'", "\"y\"");
    repaired("flow", "a.x", "a[\"x\"]");
}
