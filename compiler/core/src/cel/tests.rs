//! Expressions in, trees or findings on exact words out.

use mesh_bundle::expr::Slot;

use super::*;

fn code(text: &str) -> String {
    serde_json::to_string(&condition(text, Phase::Inbound, &["id"], false).unwrap().code).unwrap()
}

/// Code and words of each finding.
fn findings(text: &str) -> Vec<(u16, String)> {
    let found = condition(text, Phase::Inbound, &["id"], false).unwrap_err();
    assert!(!found.is_empty());
    found.into_iter().map(|f| (f.code.0, text.get(f.range).unwrap_or("?").to_owned())).collect()
}

fn one(text: &str, code: u16, words: &str) {
    assert_eq!(findings(text), [(code, words.to_owned())], "{text}");
}

#[test]
fn the_shops_rule_lowers() {
    let text = r#""idempotency-key" in request.headers && request.headers["idempotency-key"] != """#;
    let expected = concat!(
        r#"{"at":[[0,80],[0,36],[40,80],[40,74],[78,80]],"#,
        r#""ops":[{"all":2},{"has":0},{"compare":"ne"},{"slot":0},{"constant":{"text":""}}],"#,
        r#""slots":[{"header":"idempotency-key"}],"v":1}"#
    );
    assert_eq!(code(text), expected);
}

#[test]
fn as_many_open_brackets_as_documented_and_no_more() {
    let within = |n: usize| format!("{}request.path{} == '/a'", "(".repeat(n), ")".repeat(n));
    let around = |n: usize| format!("{}request.path == '/a'{}", "(".repeat(n), ")".repeat(n));
    for good in [within(32), around(32)] {
        assert!(condition(&good, Phase::Inbound, &["id"], false).is_ok(), "{good}");
    }
    for bad in [within(33), around(33)] {
        assert_eq!(findings(&bad), [(codes::CEL_LIMIT.0, bad.clone())]);
    }
}

#[test]
fn guards_dominate_through_and_or_not_and_conditionals() {
    for good in [
        "'x' in request.headers && request.headers['x'] == 'a'",
        "has(request.headers.x) && request.headers.x == 'a'",
        "!('x' in request.headers) || request.headers['x'] == 'a'",
        "'x' in request.headers ? request.headers['x'] == 'a' : false",
        "!(!('x' in request.headers)) && request.headers['x'] == 'a'",
        "'a' in request.headerValues['x']",
        "request.params.id == '5' && request.params['id'] != ''",
        "connection.mtls && request.size <= 1048576 && -1 < request.size",
        "request.method in ['GET', 'HEAD'] && source.service.startsWith('pay')",
        "request.path.matches('^/v[0-9]+/') || size(request.path) > 3",
        "source.ip == \"127.0.0.1\" && destination.port == 80",
    ] {
        assert!(
            condition(good, Phase::Inbound, &["id"], false).is_ok(),
            "{good}: {:?}",
            condition(good, Phase::Inbound, &["id"], false)
        );
    }
    for bad in [
        "request.headers['x'] == 'a'",
        "'x' in request.headers || request.headers['x'] == 'a'",
        "'y' in request.headers && request.headers['x'] == 'a'",
        "request.headers['x'] == 'a' && 'x' in request.headers",
        "'x' in request.headers ? true : request.headers['x'] == 'a'",
    ] {
        one(bad, 3004, "request.headers['x']");
    }
}

#[test]
fn findings_point_at_the_words() {
    one("request.metod == 'GET'", 3003, "metod");
    one("requests.method == 'GET'", 3003, "requests");
    one("request.method.startWith('G')", 3003, "startWith");
    one("request.method.x == 'G'", 3003, "x");
    one("request.size > '1MiB'", 3012, "request.size");
    one("request.method", 3012, "request.method");
    one("request == 'a'", 3012, "request");
    one("'X-Foo' in request.headers", 3005, "'X-Foo'");
    one("request.path.matches('/x(')", 3005, "(");
    one(r"request.path.matches(r'^\<b\>$')", 1240, r"\<");
    one(r"request.path.matches('^\\<b')", 1240, r"'^\\<b'");
    one("request.path.matches('.{1000}.{1000}')", 3005, ".{1000}.{1000}");
    one("request.path.matches(request.host)", 3005, "request.host");
    one("request.params.ix == '5'", 3003, "ix");
    one("auth.subject == 'a'", 3007, "auth.subject");
    one("request.path + 'x' == 'a'", 3006, "request.path + 'x'");
    one("request.size == 1.5", 3012, "request.size");
    one("request.method in request.path", 3012, "request.path");
    one("true && (request.method == 'a' && request.sizes == 1)", 3003, "sizes");
}

#[test]
fn syntax_errors_point_at_the_words() {
    one("request.method == ", 3001, "==");
    one("request.method === 'a'", 3001, "===");
    one("(request.method == 'a'", 3001, "'a'");
    assert_eq!(condition("", Phase::Inbound, &[], false).unwrap_err()[0].code.0, 3001);
}

#[test]
fn phases_differ() {
    assert!(condition("destination.port == 80", Phase::Inbound, &[], false).is_ok());
    let refused = condition("destination.port == 80", Phase::Outbound, &[], false).unwrap_err();
    assert_eq!(refused[0].code.0, 3007);
    assert!(condition("source.service == 'web'", Phase::Outbound, &[], false).is_ok());
}

#[test]
fn keys_are_one_text() {
    let slot = |slot| Ok(RateKey::Slot(slot));
    assert_eq!(key("request.headers['x-tenant']", Phase::Inbound), slot(Slot::Header("x-tenant".into())));
    assert_eq!(key("source.principal", Phase::Inbound), slot(Slot::Principal));
    let computed = key("request.headers[?'x-tenant'].orValue(source.service)", Phase::Inbound);
    assert!(matches!(computed, Ok(RateKey::Expression(_))), "{computed:?}");
    assert!(key("request.size", Phase::Inbound).is_err());
    assert!(key("'a'", Phase::Inbound).is_err());
}

#[test]
fn hostile_expressions_are_refused_quickly() {
    let long_and = vec!["true"; 20_000].join(" && ");
    for text in [
        &format!("{}true{}", "(".repeat(3_000), ")".repeat(3_000)),
        &format!("{}true", "!".repeat(5_000)),
        &format!("{}1 == 1", "-".repeat(5_001)),
        &long_and,
        &format!("x.y{}", ".z".repeat(5_000)),
        &format!("{}true{}", "true ? ".repeat(2_000), " : false".repeat(2_000)),
        &format!("\"{}\" == \"\"", "a".repeat(100_000)),
        &"a".repeat(70_000),
        &format!("{}[1]{}", "[".repeat(3_000), "]".repeat(3_000)),
        &format!("1{} == 1", " + 1".repeat(3_000)),
    ] {
        let found = condition(text, Phase::Inbound, &[], false).unwrap_err();
        assert_eq!(found[0].code.0, 3002, "{text:.20}");
    }
}
