//! Texts that are made to cost: each must be refused, and soon.

/// Each with a name.
#[must_use]
pub fn texts() -> Vec<(&'static str, String)> {
    let nested = |open: &str, inner: &str, close: &str, n: usize| {
        format!("{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    let macros = |name: &str, list: &str, n: usize| {
        let open: String = (0..n).map(|i| format!("{list}.{name}(v{i}, ")).collect();
        // Nothing ends it early.
        let never = if name.starts_with("exists") { "!=" } else { "==" };
        format!("{open}v0 {never} v0{}", ")".repeat(n))
    };
    let list = |item: &dyn Fn(usize) -> String, n: usize| (0..n).map(item).collect::<Vec<_>>().join(", ");
    let keys = |n: usize| list(&|i| format!("'{i}': {i}"), n);
    vec![
        ("3,000 brackets", nested("(", "true", ")", 3_000)),
        ("3,000 brackets, never closed", "(".repeat(3_000)),
        ("16,000 brackets", "(".repeat(16_000)),
        ("3,000 lists in lists", nested("[", "1", "]", 3_000) + " == []"),
        ("3,000 negations", format!("{}true", "!".repeat(3_000))),
        ("15,000 minus signs", format!("{}1 == 1", "-".repeat(15_000))),
        ("20,000 times `&&`", vec!["a"; 20_000].join(" && ")),
        ("20,000 times `||`, short", vec!["a"; 20_000].join("||")),
        ("5,000 times `&&`", vec!["a"; 5_000].join("&&")),
        ("2,500 times `&&` of fields", vec!["a.b"; 2_500].join("&&")),
        ("a text of 100 kB", format!("request.path == '{}'", "a".repeat(100_000))),
        ("a text of 16 kB, never closed", format!("request.path == '{}", "a".repeat(16_000))),
        ("4 `all` over 12, inside each other", macros("all", "[1,2,3,4,5,6,7,8,9,10,11,12]", 4)),
        ("8 `all` over 4", macros("all", "[1,2,3,4]", 8)),
        ("20 `all` over 2", macros("all", "[1,2]", 20)),
        ("20 `exists` over texts", macros("exists", "['a','b']", 20)),
        ("20 `exists_one` over 2", macros("exists_one", "[1,2]", 20)),
        ("20 `map` over 2", macros("map", "[1,2]", 20)),
        ("20 `filter` over 3", macros("filter", "[1,2,3]", 20)),
        ("200 `map`", macros("map", "[1,2]", 200)),
        ("12 `map`, each doubling what it is", nested("[", "1", "].map(x, [x, x])", 12) + " == []"),
        (
            "`all` that tests a request, unrolled too often",
            format!(
                "{}request.path.startsWith(a) || request.host == b || request.method == c{}",
                ["a", "b", "c"].map(|v| format!("[{}].all({v}, ", list(&|i| format!("'/{i}'"), 40))).concat(),
                ")".repeat(3)
            ),
        ),
        ("a chain of 4,000 fields", format!("request{} == ''", ".a".repeat(4_000))),
        ("a chain of 3,000 calls", format!("request.path{} == ''", ".trim()".repeat(2_000))),
        ("a chain of 4,000 indexes", format!("[1]{} == 1", "[0]".repeat(4_000))),
        ("a chain of 5,000 sums", format!("{} == 1", vec!["1"; 5_000].join("+"))),
        ("a chain of 2,000 comparisons", vec!["1"; 5_000].join("<")),
        ("a list of 8,000", format!("request.size in [{}]", vec!["1"; 8_000].join(","))),
        (
            "a list of 4,600",
            format!("request.size in [{}]", list(&|i| (i + 10).to_string(), 2_600) + &",1".repeat(2_000)),
        ),
        ("500 ternaries", format!("{}true{}", "true ? ".repeat(500), " : false".repeat(500))),
        ("2,000 ternaries to the right", format!("{}true", "a?b:".repeat(3_000))),
        ("maps 500 deep", nested("{'a': ", "1", "}", 500) + " == {}"),
        ("a map of 3,000", format!("{{{}}} == {{}}", keys(3_000))),
        (
            "a map of 1,200 whose keys are looked up",
            format!("{{{}}}.all(k, k in {{{}}})", keys(700), keys(700)),
        ),
        (
            "a regular expression that repeats repetitions",
            "request.path.matches('((a{1,100}){1,100}){1,100}')".to_owned(),
        ),
        (
            "500 groups in a regular expression",
            format!("request.path.matches('{}a{}')", "(".repeat(500), ")".repeat(500)),
        ),
        (
            "a constant regular expression over 8 kB",
            format!(
                "'{}'.matches('(a?){{60}}a{{60}}$') == request.path.matches('(a*)*{}')",
                "a".repeat(8_000),
                "(b{1,60}){1,60}"
            ),
        ),
        ("64 regular expressions", vec!["request.path.matches('a')"; 64].join(" && ")),
        ("a constant that doubles 30 times", format!("{} == ''", doubled(30))),
        (
            "`format` of much",
            format!("'{}'.format([{}]) == ''", "%s".repeat(2_000), vec!["'aaaa'"; 800].join(",")),
        ),
        (
            "`replace` of nothing by much",
            format!(
                "{}.size() == 1",
                "'aaaaaaaaaaaaaaaa'".to_owned() + &".replace('a', 'aaaaaaaaaaaaaaaa')".repeat(12)
            ),
        ),
        ("`lists.range` of all", "lists.range(9223372036854775807).all(x, true)".to_owned()),
        ("`cel.bind` that doubles 25 times", bound(25)),
        (
            "2,000 elements over a body of 60 parts",
            format!(
                "[{}].all(v, request.size > 0 || v{} == 0)",
                vec!["1"; 2_000].join(","),
                "+v*v".repeat(15)
            ),
        ),
        (
            "300 constants that each take long",
            vec!["request.size>0||lists.range(9999).all(x,x>=0)"; 300].join("&&"),
        ),
        (
            "elements that each make a constant that takes long",
            format!(
                "[{}].all(v, request.size > 0 || lists.range(9999).all(x, x + v > 0))",
                vec!["1"; 2_000].join(",")
            ),
        ),
        (
            "a body of 100 parts over 300 elements, three deep",
            format!(
                "[{l}].all(a, request.size > 0 || [{l}].all(b, a + b > 0 || [{l}].all(c, {})))",
                vec!["a == b || b == c"; 100].join(" && "),
                l = vec!["1"; 300].join(",")
            ),
        ),
        ("comments of 15 kB and nothing", format!("// {}", "a".repeat(15_000))),
        ("15,000 lines", "\n".repeat(15_000)),
        ("15,000 quotes", "'".repeat(15_000)),
        ("4,000 escapes", format!("request.path == '{}'", r"\u00".repeat(3_900))),
        ("bytes past the end of an escape", r"request.path == '\x'".to_owned()),
        ("a number of 10,000 digits", format!("request.size == {}", "9".repeat(10_000))),
        ("10,000 dots", ".".repeat(10_000)),
        ("5,000 question marks", "a?".repeat(5_000)),
    ]
}

/// `('a' + 'a').map..`: lists whose size doubles with each call.
fn doubled(n: usize) -> String {
    format!("['a']{}.join()", ".map(x, [x, x]).flatten()".repeat(n))
}

/// Each name is twice the one before.
fn bound(n: usize) -> String {
    let open: String = (0..n).map(|i| format!("cel.bind(b{}, b{i} + b{i}, ", i + 1)).collect();
    format!("cel.bind(b0, request.path, {open}b{n} == ''{})", ")".repeat(n))
}
