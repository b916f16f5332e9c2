//! Planted bugs: what the comparison is worth. Each is one that an evaluator, or what stands in front of it, might have;
//! it is made by changing the code of the rule, the request, or the value, and must be found.

use mesh_bundle::expr::{Code, CompareOp, Expression, Literal, Net, Op, Part, Quantifier, TextOp, TextView};
use mesh_decision::expr::{Program, Tri};
use mesh_tests::cel::samples::Sample;

use super::{Known, Pool};

/// An instruction with its operands.
#[derive(Debug, Clone, PartialEq)]
struct Tree {
    op: Op,
    of: Vec<Tree>,
}

enum Bug {
    /// In the evaluator: everywhere in the code.
    Code(fn(Op, Vec<Tree>) -> Tree),
    /// In what reads the request.
    Request(fn(&Sample) -> Sample),
    /// In what takes the value.
    Value(fn(Tri) -> Tri),
}

fn made(op: Op, of: Vec<Tree>) -> Tree {
    Tree { op, of }
}

/// The operand itself.
fn only(op: Op, mut of: Vec<Tree>) -> Tree {
    if of.is_empty() { made(op, of) } else { of.remove(0) }
}

/// A bug that changes one instruction to another over the same operands.
macro_rules! op {
    ($($from:pat => $to:expr),+) => {
        Bug::Code(|op, of| {
            let op = match op { $($from => $to,)+ op => op };
            made(op, of)
        })
    };
}

const BUGS: &[(&str, Bug)] = &[
    ("`<` is `<=`", op!(Op::Compare(CompareOp::Lt) => Op::Compare(CompareOp::Le))),
    ("`<=` is `<`", op!(Op::Compare(CompareOp::Le) => Op::Compare(CompareOp::Lt))),
    ("`>=` is `>`", op!(Op::Compare(CompareOp::Ge) => Op::Compare(CompareOp::Gt))),
    ("`!=` is `<`", op!(Op::Compare(CompareOp::Ne) => Op::Compare(CompareOp::Lt))),
    ("`==` is `>=`", op!(Op::Compare(CompareOp::Eq) => Op::Compare(CompareOp::Ge))),
    ("`&&` is `||`", op!(Op::All(n) => Op::Any(n))),
    ("`||` is `&&`", op!(Op::Any(n) => Op::All(n))),
    ("`!` is left out", Bug::Code(|op, of| if op == Op::Not { only(op, of) } else { made(op, of) })),
    ("`exists_one` is `exists`, over literals", op!(Op::One(n) => Op::Any(n))),
    (
        "`exists_one` is `exists`, over values",
        op!(Op::Each(Quantifier::ExistsOne, s) => Op::Each(Quantifier::Exists, s)),
    ),
    ("`all` is `exists`, over values", op!(Op::Each(Quantifier::All, s) => Op::Each(Quantifier::Exists, s))),
    ("`exists` is `all`, over values", op!(Op::Each(Quantifier::Exists, s) => Op::Each(Quantifier::All, s))),
    (
        "`? :` takes the other branch",
        Bug::Code(|op, mut of| {
            if op == Op::If {
                of.swap(1, 2);
            }
            made(op, of)
        }),
    ),
    (
        "what is made first is left out where it is not used",
        Bug::Code(|op, mut of| {
            let strict = op == Op::If && matches!(of[0].op, Op::One(_));
            if strict { of.remove(2) } else { made(op, of) }
        }),
    ),
    (
        "a set lacks its last",
        Bug::Code(|op, of| match op {
            Op::In(mut set) if set.len() > 1 => {
                set.pop();
                made(Op::In(set), of)
            }
            op => made(op, of),
        }),
    ),
    ("`startsWith` is `contains`", op!(Op::Test(TextOp::StartsWith) => Op::Test(TextOp::Contains))),
    ("`endsWith` is `contains`", op!(Op::Test(TextOp::EndsWith) => Op::Test(TextOp::Contains))),
    ("`contains` is `startsWith`", op!(Op::Test(TextOp::Contains) => Op::Test(TextOp::StartsWith))),
    (
        "`orValue` has no default",
        Bug::Code(|op, of| match op {
            Op::OrElse(slot) => made(Op::Slot(slot), Vec::new()),
            op => made(op, of),
        }),
    ),
    (
        "`orValue` is its default",
        Bug::Code(|op, of| if matches!(op, Op::OrElse(_)) { only(op, of) } else { made(op, of) }),
    ),
    ("`lowerAscii` is left out", Bug::Code(|op, of| without(op, of, TextView::Lower))),
    ("`upperAscii` is left out", Bug::Code(|op, of| without(op, of, TextView::Upper))),
    ("`trim` is left out", Bug::Code(|op, of| without(op, of, TextView::Trim))),
    ("`has` is true", op!(Op::Has(_) => Op::Bool(true))),
    (
        "`in` a list of values is `has`",
        Bug::Code(|op, of| match op {
            Op::Member(slot) => made(Op::Has(slot), Vec::new()),
            op => made(op, of),
        }),
    ),
    ("a pattern matches at the start only", op!(Op::Matches(p) => Op::Matches(format!("^(?:{p})")))),
    ("a pattern ignores case", op!(Op::Matches(p) => Op::Matches(format!("(?i){p}")))),
    (
        "a network is a bit wider",
        Bug::Code(|op, of| match op {
            Op::Within(nets) => {
                let wider = |net: &Net| Net::new(net.first(), net.bits().saturating_sub(1)).unwrap();
                let mut nets: Vec<Net> = nets.iter().map(wider).collect();
                nets.sort();
                nets.dedup();
                made(Op::Within(nets), of)
            }
            op => made(op, of),
        }),
    ),
    (
        "ints are one more",
        op!(Op::Constant(Literal::Int(n)) => Op::Constant(Literal::Int(n.wrapping_add(1)))),
    ),
    (
        "times are a nanosecond later",
        Bug::Code(|op, of| match op {
            Op::Constant(Literal::Time(mut time)) => {
                time.nanos = (time.nanos + 1) % 1_000_000_000;
                made(Op::Constant(Literal::Time(time)), of)
            }
            op => made(op, of),
        }),
    ),
    (
        "months count from 1",
        Bug::Code(|op, of| match op {
            Op::Part { part: Part::Month, .. } => {
                made(Op::Add, vec![made(op, of), made(Op::Constant(Literal::Int(1)), Vec::new())])
            }
            op => made(op, of),
        }),
    ),
    (
        "minutes are seconds",
        op!(Op::Part { offset, part: Part::Minutes } => Op::Part { offset, part: Part::Seconds }),
    ),
    ("a zone is left out", op!(Op::Part { part, .. } => Op::Part { offset: 0, part })),
    ("a zone has the other sign", op!(Op::Part { offset, part } => Op::Part { offset: -offset, part })),
    ("`+` is `-`", op!(Op::Add => Op::Sub)),
    (
        "`a - b` of ints is `b - a`",
        Bug::Code(|op, mut of| {
            if op == Op::Sub {
                of.reverse();
            }
            made(op, of)
        }),
    ),
    ("`*` is `+`", op!(Op::Mul => Op::Add)),
    ("`/` is `%`", op!(Op::Div(n) => Op::Rem(n))),
    ("`-a` is `a`", Bug::Code(|op, of| if op == Op::Neg { only(op, of) } else { made(op, of) })),
    ("two places are swapped", Bug::Code(made)),
    ("the first of several header lines counts", Bug::Request(|sample| deduped(sample, false))),
    ("the last of several header lines counts", Bug::Request(|sample| deduped(sample, true))),
    (
        "several header lines are joined",
        Bug::Request(|sample| {
            let mut sample = deduped(sample, false);
            for (name, value) in &mut sample.headers {
                if name != "cookie" {
                    value.extend_from_slice(b",");
                }
            }
            sample
        }),
    ),
    (
        "the first of several parameters counts",
        Bug::Request(|sample| {
            let mut seen = Vec::new();
            let first = |pair: &&str| {
                let name = pair.split('=').next().unwrap_or_default().to_owned();
                let new = !seen.contains(&name);
                seen.push(name);
                new
            };
            Sample {
                query: sample.query.split('&').filter(first).collect::<Vec<_>>().join("&"),
                ..sample.clone()
            }
        }),
    ),
    (
        "a query is not decoded",
        Bug::Request(|sample| Sample {
            query: sample.query.replace('%', "%25").replace('+', "%2B"),
            ..sample.clone()
        }),
    ),
    (
        "`+` in a query is no space",
        Bug::Request(|sample| Sample { query: sample.query.replace('+', "%2B"), ..sample.clone() }),
    ),
    (
        "cookies of the first line only",
        Bug::Request(|sample| {
            let mut sample = sample.clone();
            let mut seen = false;
            sample.headers.retain(|(name, _)| name != "cookie" || !std::mem::replace(&mut seen, true));
            sample
        }),
    ),
    ("labels of the caller are lost", Bug::Request(|sample| Sample { source: None, ..sample.clone() })),
    (
        "a header that is no text is dropped",
        Bug::Request(|sample| {
            let mut sample = sample.clone();
            sample.headers.retain(|(_, value)| std::str::from_utf8(value).is_ok());
            sample
        }),
    ),
    (
        "the clock has whole seconds",
        Bug::Request(|sample| {
            let mut sample = sample.clone();
            sample.now.nanos = 0;
            sample
        }),
    ),
    ("an error is false", Bug::Value(|value| if value == Tri::Error { Tri::False } else { value })),
    ("an error is true", Bug::Value(|value| if value == Tri::Error { Tri::True } else { value })),
];

fn without(op: Op, of: Vec<Tree>, view: TextView) -> Tree {
    if op == Op::View(view) { only(op, of) } else { made(op, of) }
}

/// Header lines by name, one each; cookies stay.
fn deduped(sample: &Sample, last: bool) -> Sample {
    let mut sample = sample.clone();
    let mut kept: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in sample.headers.drain(..) {
        match kept.iter_mut().find(|(known, _)| *known == name && name != "cookie") {
            Some((_, known)) if last => *known = value,
            Some(_) => {}
            None => kept.push((name, value)),
        }
    }
    sample.headers = kept;
    sample
}

/// Prints how many pairs each takes until it is found.
pub(crate) fn all_are_found(known: &[Known], pool: &Pool) {
    let mut lost = Vec::new();
    println!("planted bug: pairs until it is found");
    for (name, bug) in BUGS {
        match found(name, bug, known, pool) {
            Some(pairs) => println!("  {name}: {pairs}"),
            None => lost.push(name),
        }
    }
    assert!(lost.is_empty(), "planted and not found: {lost:?}");
}

/// The number of the first pair that differs. Programs that the bug does not touch count as well.
fn found(name: &str, bug: &Bug, known: &[Known], pool: &Pool) -> Option<usize> {
    let mut pairs = 0;
    for program in known {
        let mut expression = program.expression.clone();
        if let Bug::Code(change) = bug {
            let code = if name == "two places are swapped" {
                swapped(&expression.code)
            } else {
                code(&changed(read(&expression.code, &mut 0), *change), &expression.code)
            };
            if code.ops == expression.code.ops && code.slots == expression.code.slots {
                pairs += program.requests.len();
                continue;
            }
            expression = Expression { code, ..expression };
        }
        // A changed rule may be over a bound.
        let Ok(built) = Program::new(&expression) else { continue };
        for (number, wanted) in program.requests.iter().zip(&program.wanted) {
            pairs += 1;
            let sample = &pool.samples[*number].0;
            let ours = match bug {
                Bug::Request(change) => pool.ours(&built, &change(sample), program.bound),
                Bug::Value(change) => change(pool.ours(&built, sample, program.bound)),
                Bug::Code(_) => pool.ours(&built, sample, program.bound),
            };
            if ours != *wanted {
                return Some(pairs);
            }
        }
    }
    None
}

fn read(code: &Code, at: &mut usize) -> Tree {
    let op = code.ops[*at].clone();
    *at += 1;
    let of = (0..op.arity()).map(|_| read(code, at)).collect();
    made(op, of)
}

fn changed(from: Tree, change: fn(Op, Vec<Tree>) -> Tree) -> Tree {
    let of = from.of.into_iter().map(|part| changed(part, change)).collect();
    change(from.op, of)
}

/// The code of a tree, without the slots that it uses no more.
fn code(tree: &Tree, from: &Code) -> Code {
    let mut ops = Vec::new();
    let mut open = vec![tree];
    while let Some(part) = open.pop() {
        ops.push(part.op.clone());
        open.extend(part.of.iter().rev());
    }
    let mut used: Vec<u16> = ops.iter().filter_map(|op| op.slot().copied()).collect();
    used.sort_unstable();
    used.dedup();
    for op in &mut ops {
        if let Some(slot) = slot(op) {
            *slot = u16::try_from(used.binary_search(slot).unwrap()).unwrap();
        }
    }
    let slots = used.iter().map(|slot| from.slots[usize::from(*slot)].clone()).collect();
    Code { at: Vec::new(), ops, slots, v: from.v }
}

fn slot(op: &mut Op) -> Option<&mut u16> {
    match op {
        Op::Has(slot)
        | Op::Each(_, slot)
        | Op::Member(slot)
        | Op::Slot(slot)
        | Op::OrElse(slot)
        | Op::Count(slot) => Some(slot),
        _ => None,
    }
}

/// The first two slots of one kind change places.
fn swapped(from: &Code) -> Code {
    let mut code = from.clone();
    let alike = |a: usize, b: usize| {
        let (a, b) = (&from.slots[a], &from.slots[b]);
        a.ty() == b.ty() && a.optional() == b.optional() && a.repeated() == b.repeated()
    };
    let pairs = (0..from.slots.len()).flat_map(|a| (a + 1..from.slots.len()).map(move |b| (a, b)));
    if let Some((a, b)) = pairs.into_iter().find(|(a, b)| alike(*a, *b)) {
        let (a, b) = (u16::try_from(a).unwrap(), u16::try_from(b).unwrap());
        for slot in code.ops.iter_mut().filter_map(slot) {
            *slot = if *slot == a {
                b
            } else if *slot == b {
                a
            } else {
                *slot
            };
        }
    }
    code
}
