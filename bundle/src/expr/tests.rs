use super::*;
use crate::canonical;
use crate::expr::{
    Expression, Literal, Net, Part as TimePart, Quantifier, Span, TextOp, TextView, Tree, parse_ip,
};

fn tree(op: Op<Slot>, children: Vec<Tree>) -> Tree {
    Tree::new(op, 0..1, children)
}

fn slot(slot: Slot) -> Tree {
    tree(Op::Slot(slot), Vec::new())
}

fn x() -> Slot {
    Slot::Header("x".into())
}

fn text(text: &str) -> Tree {
    tree(Op::Constant(Literal::Text(text.into())), Vec::new())
}

fn int(n: i64) -> Tree {
    tree(Op::Constant(Literal::Int(n)), Vec::new())
}

fn yes() -> Tree {
    tree(Op::Bool(true), Vec::new())
}

fn check(tree: &Tree) -> Result<Checked, ExprError> {
    tree.flatten().check(Type::Bool, "x")
}

fn code(json: &str) -> Code {
    serde_json::from_str(json).unwrap()
}

/// `'x' in request.headers && request.headers['x'] == 'a' && request.size > 5`
fn rule() -> Tree {
    tree(
        Op::All(0),
        vec![
            tree(Op::Has(x()), Vec::new()),
            tree(Op::Compare(CompareOp::Eq), vec![slot(x()), text("a")]),
            tree(Op::Compare(CompareOp::Gt), vec![slot(Slot::Size), int(i64::MIN)]),
        ],
    )
}

#[test]
fn code_is_written_as_documented_and_read_back() {
    let expression = Expression { code: rule().flatten(), text: "x".into() };
    let bytes = canonical::to_bytes(&expression).unwrap();
    let expected = concat!(
        r#"{"code":{"at":[[0,1],[0,1],[0,1],[0,1],[0,1],[0,1],[0,1],[0,1]],"#,
        r#""ops":[{"all":3},{"has":1},{"compare":"eq"},{"slot":1},{"constant":{"text":"a"}},"#,
        r#"{"compare":"gt"},{"slot":0},{"constant":{"int":"-9223372036854775808"}}],"#,
        r#""slots":["size",{"header":"x"}],"v":1},"text":"x"}"#
    );
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    assert_eq!(canonical::from_bytes::<Expression>(&bytes).unwrap(), expression);
    let checked = expression.check(Type::Bool).unwrap();
    assert_eq!(checked.types.get(6), Some(&Type::Int));
    assert_eq!(expression.check(Type::Text), Err(ExprError::Result));
}

#[test]
fn every_instruction_reads_what_it_writes() {
    let ip = parse_ip("10.0.0.1").unwrap();
    let ops: Vec<Op> = vec![
        Op::One(2),
        Op::If,
        Op::Each(Quantifier::ExistsOne, 3),
        Op::In(vec![Literal::Bool(true), Literal::Ip(ip)]),
        Op::Member(1),
        Op::Within(vec![Net::new(ip, 8).unwrap()]),
        Op::Test(TextOp::StartsWith),
        Op::Matches("^a".into()),
        Op::IsIp,
        Op::Local,
        Op::Constant(Literal::Time(Instant::new(-1, 5).unwrap())),
        Op::Constant(Literal::Span(Span::new(-1, 5).unwrap())),
        Op::OrElse(0),
        Op::Count(0),
        Op::View(TextView::Trim),
        Op::Div(i64::MAX),
        Op::Rem(-3),
        Op::Part { offset: -3_600, part: TimePart::DayOfWeek },
    ];
    let code = Code { at: Vec::new(), ops, slots: Vec::new(), v: VERSION };
    let bytes = canonical::to_bytes(&code).unwrap();
    assert_eq!(canonical::from_bytes::<Code>(&bytes).unwrap(), code);
}

#[test]
fn views_walk_the_tree_that_was_flattened() {
    let code = rule().flatten();
    let root = code.root().unwrap();
    let children: Vec<_> = root.children().collect();
    assert_eq!(children.iter().map(|c| c.index()).collect::<Vec<_>>(), [1, 2, 5]);
    assert_eq!(children[0].slot(), Some(&x()));
    let (left, right) = children[2].pair().unwrap();
    assert_eq!(left.slot(), Some(&Slot::Size));
    assert_eq!(right.op(), &Op::Constant(Literal::Int(i64::MIN)));
    assert_eq!(right.words(), Some(0..1));
    assert!(right.child().is_none());
    assert!(code.reads(|s| matches!(s, Slot::Header(_))) && !code.reads(|s| *s == Slot::Path));
}

#[test]
fn hostile_code_is_refused_each_for_its_own_reason() {
    use ExprError as E;
    let rows: &[(&str, E)] = &[
        (r#"{"v":2,"slots":[],"ops":[{"bool":true}]}"#, E::Version(2)),
        (r#"{"v":1,"slots":[],"ops":[]}"#, E::NotOne),
        (r#"{"v":1,"slots":[],"ops":[{"all":2},{"bool":true}]}"#, E::Operands(0)),
        (r#"{"v":1,"slots":[],"ops":["not"]}"#, E::Operands(0)),
        (r#"{"v":1,"slots":[],"ops":[{"bool":true},{"bool":true}]}"#, E::NotOne),
        (r#"{"v":1,"slots":["path"],"ops":[{"slot":1}]}"#, E::NoSlot(0)),
        (r#"{"v":1,"slots":["path"],"ops":[{"bool":true}]}"#, E::Slots),
        (r#"{"v":1,"slots":["path","method"],"ops":[{"compare":"eq"},{"slot":0},{"slot":1}]}"#, E::Slots),
        (r#"{"v":1,"slots":["path","path"],"ops":[{"compare":"eq"},{"slot":0},{"slot":1}]}"#, E::Slots),
        (r#"{"v":1,"slots":[],"ops":["isIp","local"]}"#, E::Quantifier(0)),
        (
            r#"{"v":1,"slots":[{"header":"x"}],"ops":[{"each":["all",0]},{"each":["all",0]},"isIp","local"]}"#,
            E::Quantifier(0),
        ),
        (r#"{"v":1,"slots":[],"ops":[{"bool":true}],"at":[[0,2]]}"#, E::Words(0)),
        (r#"{"v":1,"slots":[],"ops":[{"bool":true}],"at":[[1,0]]}"#, E::Words(0)),
        (r#"{"v":1,"slots":[],"ops":[{"bool":true}],"at":[[0,1],[0,1]]}"#, E::Words(1)),
        (
            r#"{"v":1,"slots":["mtls"],"ops":[{"in":[{"bool":true},{"bool":false}]},{"slot":0}]}"#,
            E::Constant(0),
        ),
        (r#"{"v":1,"slots":["mtls"],"ops":[{"in":[{"text":"a"}]},{"slot":0}]}"#, E::Types(0)),
        (r#"{"v":1,"slots":["path"],"ops":[{"has":0}]}"#, E::Types(0)),
        (r#"{"v":1,"slots":["path"],"ops":["not",{"slot":0}]}"#, E::Types(0)),
        (
            r#"{"v":1,"slots":["path"],"ops":[{"compare":"eq"},{"slot":0},{"constant":{"int":"1"}}]}"#,
            E::Types(0),
        ),
        (r#"{"v":1,"slots":["ip"],"ops":[{"compare":"lt"},"ip",{"slot":0},"ip",{"slot":0}]}"#, E::Types(0)),
        (
            r#"{"v":1,"slots":["size"],"ops":[{"compare":"lt"},{"div":"0"},{"slot":0},{"slot":0}]}"#,
            E::Constant(1),
        ),
        (
            r#"{"v":1,"slots":["now"],"ops":[{"compare":"lt"},{"slot":0},{"constant":{"time":{"nanos":0,"seconds":253402300800}}}]}"#,
            E::Constant(2),
        ),
        (
            r#"{"v":1,"slots":["ip"],"ops":[{"compare":"eq"},"ip",{"slot":0},{"constant":{"ip":"::ffff:1.2.3.4"}}]}"#,
            E::Constant(3),
        ),
        (r#"{"v":1,"slots":["size"],"ops":[{"slot":0}]}"#, E::Result),
    ];
    for (json, expected) in rows {
        assert_eq!(code(json).check(Type::Bool, "x").as_ref(), Err(expected), "{json}");
    }
    // Words end at characters.
    assert_eq!(
        code(r#"{"v":1,"slots":[],"ops":[{"bool":true}],"at":[[0,1]]}"#).check(Type::Bool, "é"),
        Err(E::Words(0))
    );
}

#[test]
fn unknown_instructions_and_fields_are_no_code() {
    for bad in [
        r#"{"v":1,"slots":[],"ops":["jump"]}"#,
        r#"{"v":1,"slots":[],"ops":[{"bool":true}],"more":1}"#,
        r#"{"v":1,"slots":[],"ops":[{"part":{"offset":0,"part":"hours","more":1}}]}"#,
        r#"{"v":1,"slots":[],"ops":[{"div":3}]}"#,
        r#"{"v":1,"slots":[],"ops":[{"all":65536}]}"#,
        r#"{"v":1,"slots":[],"ops":[{"within":["10.0.0.1/8"]}]}"#,
    ] {
        assert!(serde_json::from_str::<Code>(bad).is_err(), "{bad}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth: usize| (0..depth).fold(yes(), |inner, _| tree(Op::Not, vec![inner]));
    assert!(check(&nested(limits::EXPR_DEPTH)).is_ok());
    assert_eq!(check(&nested(limits::EXPR_DEPTH + 1)), Err(ExprError::TooDeep));
    let wide = |n: usize| tree(Op::All(0), vec![yes(); n]);
    assert!(check(&wide(limits::EXPR_NODES - 1)).is_ok());
    assert_eq!(check(&wide(limits::EXPR_NODES)), Err(ExprError::TooLarge));
    let members = (0..limits::EXPR_NODES).map(|n| Literal::Int(n as i64)).collect();
    assert_eq!(check(&tree(Op::In(members), vec![int(1)])), Err(ExprError::TooLarge));
}

fn cost(tree: &Tree) -> u64 {
    tree.flatten().measure(Type::Bool, "x").unwrap().cost()
}

#[test]
fn costs_follow_the_bounds_of_a_request() {
    let matches = |on: Tree| tree(Op::Matches("a".into()), vec![on]);
    let on_path = cost(&matches(slot(Slot::Path)));
    assert!((8_192..8_300).contains(&on_path), "{on_path}");
    assert!(cost(&tree(Op::Compare(CompareOp::Eq), vec![slot(x()), text("abc")])) < 110);
    // One scan over all values of a name fits, two do not.
    let each = |body: Tree| tree(Op::Each(Quantifier::Exists, x()), vec![body]);
    let local = || tree(Op::Local, Vec::new());
    let one = cost(&each(matches(local())));
    assert!((65_536..70_000).contains(&one), "{one}");
    let two = each(tree(Op::All(0), vec![matches(local()), matches(local())]));
    assert!(matches!(check(&two), Err(ExprError::Cost(units)) if units == cost(&two)));
    // Of two branches the dearer counts.
    let branch = tree(Op::If, vec![slot(Slot::Mtls), matches(slot(Slot::Path)), matches(slot(Slot::Path))]);
    assert!(cost(&branch) < on_path + 20);
    // Nothing overflows.
    let mut dear = tree(Op::All(0), vec![matches(slot(Slot::Path)); 1_000]);
    for _ in 0..3 {
        dear = tree(Op::Not, vec![dear]);
    }
    assert!(cost(&dear) > 8_000_000);
}
