use std::collections::BTreeMap;

use mesh_bundle::expr::{
    Code, CompareOp, Instant, Literal, Net, Op, Part, Quantifier, Span, TextOp, TextView, Tree, parse_ip,
};
use mesh_bundle::program::Service;
use mesh_bundle::{Name, Owner};
use proptest::prelude::*;

use super::*;
use crate::request::Request;
use crate::request::{Connection, Source};
use mesh_bundle::PathPattern;

fn tree(op: Op<Slot>, children: Vec<Tree>) -> Tree {
    Tree::new(op, 0..0, children)
}

fn leaf(op: Op<Slot>) -> Tree {
    tree(op, Vec::new())
}

fn slot(slot: Slot) -> Tree {
    leaf(Op::Slot(slot))
}

fn lit(literal: Literal) -> Tree {
    leaf(Op::Constant(literal))
}

fn str(text: &str) -> Tree {
    lit(Literal::Text(text.into()))
}

fn int(n: i64) -> Tree {
    lit(Literal::Int(n))
}

fn eq(a: Tree, b: Tree) -> Tree {
    tree(Op::Compare(CompareOp::Eq), vec![a, b])
}

fn all(parts: Vec<Tree>) -> Tree {
    tree(Op::All(0), parts)
}

fn any(parts: Vec<Tree>) -> Tree {
    tree(Op::Any(0), parts)
}

fn not(part: Tree) -> Tree {
    tree(Op::Not, vec![part])
}

fn x() -> Slot {
    Slot::Header("x".into())
}

fn expression(tree: &Tree) -> Expression {
    let Code { ops, slots, v, .. } = tree.flatten();
    Expression { code: Code { at: Vec::new(), ops, slots, v }, text: String::new() }
}

const QUERY: &str = "a=1&esc=%C3%84+b&bad=%zz&two=1&two=2&Case=AbC&none=";

fn with<R>(headers: &[(&str, &[u8])], ask: impl FnOnce(&Context<'_>) -> R) -> R {
    let headers = headers.to_vec();
    let owner = Owner::Service(Name::new("web").unwrap());
    let request = Request {
        method: "GET",
        scheme: "http",
        host: "orders",
        path: "/orders/5",
        query: QUERY,
        headers: &headers,
        size: Some(7),
        source: Source { principal: "spiffe://shop.test/prod/web", owner: Some(&owner), ip: "10.1.2.3" },
        connection: Connection { mtls: true, tls_version: "1.3", sni: "orders" },
        // 2026-07-01T12:00:00Z, a Wednesday
        now: Instant::new(1_782_907_200, 0).unwrap(),
        picks: &0,
    };
    let pattern = PathPattern::parse("/orders/{id}").unwrap();
    let service: Service = serde_json::from_value(
        serde_json::json!({"port": 8080, "versions": ["v1"], "labels": {"team": "blue"}}),
    )
    .unwrap();
    let destination = Some(Destination { name: "orders", service: &service, version: "v1" });
    ask(&Context { request: &request, pattern: Some(&pattern), source: Some(&service), destination })
}

fn run(tree: &Tree, headers: &[(&str, &[u8])]) -> Tri {
    let program = Program::new(&expression(tree)).unwrap();
    with(headers, |cx| program.evaluate(cx))
}

fn holds(tree: Tree) {
    assert_eq!(run(&tree, &[("cookie", b"c=v; d=1; d=2")]), Tri::True, "{tree:?}");
}

fn errs(tree: Tree) {
    assert_eq!(run(&tree, &[("cookie", b"c=v; d=1; d=2")]), Tri::Error, "{tree:?}");
}

fn x_is(value: &str) -> Tree {
    eq(slot(x()), str(value))
}

#[test]
fn a_repeated_header_is_an_error_that_and_and_or_absorb() {
    let twice: [(&str, &[u8]); 2] = [("x", b"1"), ("x", b"2")];
    let (yes, no) = (leaf(Op::Bool(true)), leaf(Op::Bool(false)));
    let mtls = || slot(Slot::Mtls);
    assert_eq!(run(&x_is("1"), &twice), Tri::Error);
    assert_eq!(run(&all(vec![x_is("1"), no.clone()]), &twice), Tri::False);
    assert_eq!(run(&all(vec![x_is("1"), not(mtls())]), &twice), Tri::False);
    assert_eq!(run(&any(vec![x_is("1"), yes]), &twice), Tri::True);
    assert_eq!(run(&any(vec![x_is("1"), mtls()]), &twice), Tri::True);
    assert_eq!(run(&any(vec![x_is("1"), no]), &twice), Tri::Error);
    assert_eq!(run(&not(x_is("1")), &twice), Tri::Error);
    assert_eq!(run(&leaf(Op::Has(x())), &twice), Tri::True);
    assert_eq!(run(&tree(Op::Member(x()), vec![str("2")]), &twice), Tri::True);
    assert_eq!(run(&tree(Op::Member(x()), vec![str("3")]), &twice), Tri::False);
    // An unreadable line might be the one that is looked for.
    let unreadable: [(&str, &[u8]); 2] = [("x", b"1"), ("x", b"\xff")];
    assert_eq!(run(&tree(Op::Member(x()), vec![str("1")]), &unreadable), Tri::True);
    assert_eq!(run(&tree(Op::Member(x()), vec![str("2")]), &unreadable), Tri::Error);
}

#[test]
fn slots_read_what_the_request_says() {
    for (slot, value) in [
        (Slot::Method, "GET"),
        (Slot::Path, "/orders/5"),
        (Slot::Host, "orders"),
        (Slot::Scheme, "http"),
        (Slot::Param("id".into()), "5"),
        (Slot::Query("a".into()), "1"),
        (Slot::Query("esc".into()), "Ä b"),
        (Slot::Query("none".into()), ""),
        (Slot::Cookie("c".into()), "v"),
        (Slot::Principal, "spiffe://shop.test/prod/web"),
        (Slot::TrustDomain, "shop.test"),
        (Slot::Service, "web"),
        (Slot::Ip, "10.1.2.3"),
        (Slot::SourceLabel("team".into()), "blue"),
        (Slot::DestinationLabel("team".into()), "blue"),
        (Slot::DestinationService, "orders"),
        (Slot::DestinationVersion, "v1"),
        (Slot::TlsVersion, "1.3"),
        (Slot::Sni, "orders"),
    ] {
        holds(eq(self::slot(slot.clone()), str(value)));
        holds(not(eq(self::slot(slot), str("other"))));
    }
    holds(eq(slot(Slot::Size), int(7)));
    holds(eq(slot(Slot::DestinationPort), int(8080)));
    holds(slot(Slot::Mtls));
    holds(eq(slot(Slot::Now), lit(Literal::Time(Instant::new(1_782_907_200, 0).unwrap()))));
    for absent in [x(), Slot::Query("zz".into()), Slot::Cookie("z".into()), Slot::SourceLabel("z".into())] {
        errs(eq(slot(absent.clone()), str("")));
        holds(not(leaf(Op::Has(absent.clone()))));
        holds(eq(tree(Op::OrElse(absent), vec![str("d")]), str("d")));
    }
    for several in [Slot::Query("two".into()), Slot::Query("bad".into()), Slot::Cookie("d".into())] {
        errs(eq(slot(several.clone()), str("1")));
        errs(eq(tree(Op::OrElse(several.clone()), vec![str("d")]), str("d")));
        holds(leaf(Op::Has(several)));
    }
}

#[test]
fn texts_are_tested_in_any_form() {
    let path = || slot(Slot::Path);
    holds(tree(Op::Matches("ders/[0-9]$".into()), vec![path()]));
    holds(not(tree(Op::Matches("^ders".into()), vec![path()])));
    for (op, arg) in [(TextOp::StartsWith, "/ord"), (TextOp::EndsWith, "/5"), (TextOp::Contains, "ers/")] {
        holds(tree(Op::Test(op), vec![path(), str(arg)]));
        holds(not(tree(Op::Test(op), vec![path(), str("no")])));
        holds(tree(
            Op::Test(op),
            vec![path(), tree(Op::View(TextView::Trim), vec![str(&format!(" {arg} "))])],
        ));
    }
    let lower = |of| tree(Op::View(TextView::Lower), vec![of]);
    let case = || slot(Slot::Query("Case".into()));
    holds(eq(lower(case()), str("abc")));
    holds(tree(Op::Matches("^a.c$".into()), vec![lower(case())]));
    holds(tree(Op::In(vec![Literal::Text("abc".into()), Literal::Text("b".into())]), vec![lower(case())]));
    let escaped = || slot(Slot::Query("esc".into()));
    holds(eq(tree(Op::Size, vec![escaped()]), int(3)));
    holds(tree(Op::Compare(CompareOp::Lt), vec![str("Z"), escaped()]));
    let many = (0..20).map(|n| Literal::Text(format!("/orders/{n}"))).collect::<Vec<_>>();
    holds(tree(Op::In(many.clone()), vec![path()]));
    holds(not(tree(Op::In(many), vec![str("/orders/20")])));
}

#[test]
fn addresses_times_and_numbers_are_compared() {
    let ip = |of| tree(Op::Ip, vec![of]);
    let net = |text: &str| Op::Within(vec![Net::try_from(text.to_owned()).unwrap()]);
    holds(tree(net("10.0.0.0/8"), vec![ip(slot(Slot::Ip))]));
    holds(not(tree(net("11.0.0.0/8"), vec![ip(slot(Slot::Ip))])));
    holds(eq(ip(slot(Slot::Ip)), lit(Literal::Ip(parse_ip("10.1.2.3").unwrap()))));
    errs(tree(net("::/0"), vec![ip(slot(Slot::Path))]));
    holds(tree(Op::IsIp, vec![slot(Slot::Ip)]));
    holds(not(tree(Op::IsIp, vec![slot(Slot::Path)])));
    let now = || slot(Slot::Now);
    let part = |part, offset| tree(Op::Part { offset, part }, vec![now()]);
    holds(eq(part(Part::DayOfWeek, 0), int(3)));
    holds(eq(part(Part::Hours, 7_200), int(14)));
    let hour = || lit(Literal::Span(Span::new(3_600, 0).unwrap()));
    let later = tree(Op::Add, vec![hour(), now()]);
    holds(tree(Op::Compare(CompareOp::Gt), vec![later.clone(), now()]));
    holds(eq(tree(Op::Sub, vec![later.clone(), now()]), hour()));
    holds(eq(tree(Op::Sub, vec![later, hour()]), now()));
    holds(eq(
        tree(Op::Neg, vec![tree(Op::Neg, vec![hour()])]),
        tree(Op::Sub, vec![tree(Op::Add, vec![hour(), hour()]), hour()]),
    ));
    let last = lit(Literal::Time(Instant::new(253_402_300_799, 0).unwrap()));
    errs(tree(Op::Compare(CompareOp::Gt), vec![tree(Op::Add, vec![last, hour()]), now()]));
    let size = || slot(Slot::Size);
    for (op, operands, result) in [
        (Op::Add, vec![size(), int(1)], 8),
        (Op::Sub, vec![size(), int(8)], -1),
        (Op::Mul, vec![size(), int(-2)], -14),
        (Op::Neg, vec![size()], -7),
        (Op::Div(-2), vec![size()], -3),
        (Op::Rem(-2), vec![size()], 1),
    ] {
        holds(eq(tree(op, operands), int(result)));
    }
    for (op, operands) in [
        (Op::Add, vec![int(i64::MAX), int(1)]),
        (Op::Sub, vec![int(i64::MIN), int(1)]),
        (Op::Mul, vec![int(i64::MIN), int(-1)]),
        (Op::Neg, vec![int(i64::MIN)]),
        (Op::Div(-1), vec![int(i64::MIN)]),
        (Op::Rem(-1), vec![int(i64::MIN)]),
    ] {
        errs(eq(tree(op, operands), int(0)));
    }
    // A branch that is not taken does not err.
    let overflow = tree(Op::Neg, vec![int(i64::MIN)]);
    holds(eq(tree(Op::If, vec![slot(Slot::Mtls), int(1), overflow]), int(1)));
}

#[test]
fn quantifiers_walk_the_values_of_a_name() {
    let local_is = |value: &str| eq(leaf(Op::Local), str(value));
    let each = |quantifier, body| tree(Op::Each(quantifier, x()), vec![body]);
    type Lines<'a> = &'a [(&'a str, &'a [u8])];
    let rows: [(Lines<'_>, [Tri; 3]); 5] = [
        (&[], [Tri::True, Tri::False, Tri::False]),
        (&[("x", b"a")], [Tri::True, Tri::True, Tri::True]),
        (&[("x", b"a"), ("x", b"a")], [Tri::True, Tri::True, Tri::False]),
        (&[("x", b"a"), ("x", b"b")], [Tri::False, Tri::True, Tri::True]),
        (&[("x", b"a"), ("x", b"\xff")], [Tri::Error, Tri::True, Tri::Error]),
    ];
    for (headers, expected) in rows {
        for (quantifier, expected) in
            [Quantifier::All, Quantifier::Exists, Quantifier::ExistsOne].into_iter().zip(expected)
        {
            assert_eq!(
                run(&each(quantifier, local_is("a")), headers),
                expected,
                "{quantifier:?} {headers:?}"
            );
        }
        let count = eq(leaf(Op::Count(x())), int(headers.len() as i64));
        assert_eq!(run(&count, headers), Tri::True);
    }
    let one = |parts| tree(Op::One(0), parts);
    holds(one(vec![slot(Slot::Mtls), leaf(Op::Bool(false))]));
    holds(not(one(vec![slot(Slot::Mtls), leaf(Op::Bool(true))])));
    errs(one(vec![slot(Slot::Mtls), x_is("a")]));
    holds(not(one(Vec::new())));
}

#[test]
fn keys_are_texts_and_errors_have_none() {
    let key = |tree: &Tree, headers: &[(&str, &[u8])]| {
        let key = Key::new(&expression(tree)).unwrap();
        with(headers, |cx| key.of(cx).map(Cow::into_owned))
    };
    let or = tree(Op::OrElse(x()), vec![str("none")]);
    assert_eq!(key(&or, &[]), Some("none".to_owned()));
    assert_eq!(key(&or, &[("x", b"A")]), Some("A".to_owned()));
    assert_eq!(key(&tree(Op::View(TextView::Lower), vec![or.clone()]), &[("x", b"A")]), Some("a".to_owned()));
    assert_eq!(key(&or, &[("x", b"A"), ("x", b"B")]), None);
    assert!(Key::new(&expression(&x_is("a"))).is_err());
    assert!(Program::new(&expression(&or)).is_err());
}

#[test]
fn what_belongs_together_is_joined() {
    use build::{Cond, Test};
    let built = |tree: &Tree| Program::new(&expression(tree)).unwrap().cond;
    let guarded = built(&all(vec![leaf(Op::Has(x())), x_is("a")]));
    assert!(matches!(guarded, Cond::Place { absent: Tri::False, test: Test::Is(_), .. }), "{guarded:?}");
    let guarded = built(&any(vec![not(leaf(Op::Has(x()))), x_is("a")]));
    assert!(matches!(guarded, Cond::Place { absent: Tri::True, test: Test::Is(_), .. }), "{guarded:?}");
    let set = built(&any(vec![x_is("a"), x_is("b"), x_is("a")]));
    assert!(matches!(&set, Cond::Place { test: Test::In(set), .. } if set.sorted.len() == 2), "{set:?}");
    let cheap_first = built(&all(vec![x_is("a"), slot(Slot::Mtls)]));
    assert!(matches!(&cheap_first, Cond::All(list) if matches!(list[0], Cond::Mtls)), "{cheap_first:?}");
}

#[test]
fn the_part_that_decides_is_named_in_the_order_written() {
    let text = r#"request.method == "GET" && (request.headers["x"] == "a" || request.path == "/b")"#;
    let at = |words: &str| {
        let start = text.find(words).unwrap();
        start..start + words.len()
    };
    let compare = |slot: Slot, words: &str, value: &str| {
        Tree::new(
            Op::Compare(CompareOp::Eq),
            at(words),
            vec![
                Tree::new(Op::Slot(slot), at(words), Vec::new()),
                Tree::new(Op::Constant(Literal::Text(value.into())), at(words), Vec::new()),
            ],
        )
    };
    let [method, header, path] =
        [r#"request.method == "GET""#, r#"request.headers["x"] == "a""#, r#"request.path == "/b""#];
    let either = r#"request.headers["x"] == "a" || request.path == "/b""#;
    let rule = Tree::new(
        Op::All(0),
        0..text.len(),
        vec![
            compare(Slot::Method, method, "GET"),
            Tree::new(
                Op::Any(0),
                at(either),
                vec![compare(x(), header, "a"), compare(Slot::Path, path, "/b")],
            ),
        ],
    );
    let rule = Expression { code: rule.flatten(), text: text.to_owned() };
    let decided = |headers: &[(&str, &[u8])]| with(headers, |cx| explain(&rule, cx).unwrap());
    let seen = |slot: Slot, place: &str, value: &str| Seen { place: place.into(), value: value.into(), slot };
    let repeated = decided(&[("x", b"1"), ("x", b"2")]);
    assert_eq!((repeated.result, repeated.words.as_str()), (Tri::Error, header));
    assert_eq!(repeated.seen, [seen(x(), r#"request.headers["x"]"#, "(several values, or not text)")]);
    let fine = decided(&[("x", b"a")]);
    assert_eq!((fine.result, fine.range), (Tri::True, 0..text.len()));
    let neither = decided(&[("x", b"c")]);
    assert_eq!((neither.result, neither.words.as_str()), (Tri::False, either));
    assert_eq!(
        neither.seen,
        [seen(x(), r#"request.headers["x"]"#, r#""c""#), seen(Slot::Path, "request.path", r#""/orders/5""#)]
    );
    let long = decided(&[("x", "é".repeat(40).as_bytes())]);
    assert_eq!(long.seen[0].value, format!("{:?}... (80 bytes)", "é".repeat(32)));
}

#[test]
fn secrets_are_not_shown() {
    for (place, header) in [
        (Slot::Header("authorization".into()), "authorization"),
        (Slot::Header("cookie".into()), "cookie"),
        (Slot::Cookie("s".into()), "cookie"),
    ] {
        let rule = expression(&eq(slot(place), str("x")));
        let decided = with(&[(header, b"s=secret")], |cx| explain(&rule, cx).unwrap());
        assert_eq!(decided.seen[0].value, "(hidden)");
    }
}

/// Evaluates a tree as it is written: no joining, no order of its own. Text and bool only.
fn reference(tree: &Tree, headers: &BTreeMap<&str, Vec<&str>>) -> Tri {
    let read = |tree: &Tree| match &tree.op {
        Op::Slot(Slot::Header(name)) => match headers.get(name.as_str()).map(Vec::as_slice) {
            Some([one]) => Some((*one).to_owned()),
            _ => None,
        },
        Op::Constant(Literal::Text(text)) => Some(text.clone()),
        _ => unreachable!(),
    };
    let children = || tree.children.iter().map(|child| reference(child, headers));
    let truth = |value: Option<bool>| value.map_or(Tri::Error, Tri::from);
    match &tree.op {
        Op::Bool(value) => (*value).into(),
        Op::Not => !reference(&tree.children[0], headers),
        Op::All(_) => children().fold(Tri::True, |a, b| match (a, b) {
            (Tri::False, _) | (_, Tri::False) => Tri::False,
            (Tri::True, b) => b,
            _ => Tri::Error,
        }),
        Op::Any(_) => children().fold(Tri::False, |a, b| match (a, b) {
            (Tri::True, _) | (_, Tri::True) => Tri::True,
            (Tri::False, b) => b,
            _ => Tri::Error,
        }),
        Op::If => match reference(&tree.children[0], headers) {
            Tri::True => reference(&tree.children[1], headers),
            Tri::False => reference(&tree.children[2], headers),
            Tri::Error => Tri::Error,
        },
        Op::Has(Slot::Header(name)) => headers.contains_key(name.as_str()).into(),
        Op::Compare(CompareOp::Eq) => {
            truth(read(&tree.children[0]).zip(read(&tree.children[1])).map(|(a, b)| a == b))
        }
        Op::Compare(CompareOp::Ne) => {
            truth(read(&tree.children[0]).zip(read(&tree.children[1])).map(|(a, b)| a != b))
        }
        Op::Test(TextOp::StartsWith) => {
            truth(read(&tree.children[0]).zip(read(&tree.children[1])).map(|(a, b)| a.starts_with(&b)))
        }
        Op::In(set) => truth(read(&tree.children[0]).map(|text| set.contains(&Literal::Text(text)))),
        _ => unreachable!(),
    }
}

fn some_text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "ab", "b"]).prop_map(str::to_owned)
}

fn some_tree() -> impl Strategy<Value = Tree> {
    let name = || prop::sample::select(vec!["x", "y", "z"]).prop_map(|name| Slot::Header(name.to_owned()));
    let operand = || prop_oneof![3 => name().prop_map(slot), 1 => some_text().prop_map(|text| str(&text))];
    let op = prop::sample::select(vec![
        Op::Compare(CompareOp::Eq),
        Op::Compare(CompareOp::Ne),
        Op::Test(TextOp::StartsWith),
    ]);
    let leaf_node = prop_oneof![
        1 => prop::bool::ANY.prop_map(|value| leaf(Op::Bool(value))),
        3 => name().prop_map(|name| leaf(Op::Has(name))),
        5 => (op, operand(), operand()).prop_map(|(op, a, b)| tree(op, vec![a, b])),
        2 => (prop::collection::btree_set(some_text(), 0..4), operand())
            .prop_map(|(set, on)| tree(Op::In(set.into_iter().map(Literal::Text).collect()), vec![on])),
    ];
    leaf_node.prop_recursive(5, 60, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(not),
            prop::collection::vec(inner.clone(), 0..5).prop_map(all),
            prop::collection::vec(inner.clone(), 0..5).prop_map(any),
            prop::collection::vec(inner, 3).prop_map(|parts| tree(Op::If, parts)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Joining and reordering change no result, and what is explained is what is decided.
    #[test]
    fn a_built_expression_gives_what_is_written(
        tree in some_tree(),
        lines in prop::collection::vec((prop::sample::select(vec!["x", "y", "z"]), prop::sample::select(vec!["", "a", "ab", "b"])), 0..5),
    ) {
        let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in &lines {
            by_name.entry(name).or_default().push(value);
        }
        let wanted = reference(&tree, &by_name);
        let headers: Vec<(&str, &[u8])> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        prop_assert_eq!(run(&tree, &headers), wanted);
        let expression = expression(&tree);
        prop_assert_eq!(with(&headers, |cx| explain(&expression, cx).unwrap().result), wanted);
    }
}
