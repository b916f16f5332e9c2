//! Simple solving: a request that an expression, test or regular expression takes, or does not.
//!
//! Best effort: what is found is put to the engine afterwards, so a wrong guess costs an example and never an answer.

use mesh_bundle::expr::{CompareOp, Expr, Literal, Operand, Slot, TextOp};
use mesh_bundle::program::ValueTest;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::callers::Callers;
use super::sketch::{ANYTHING, Sketch};

/// Longest text that is made up for an example, in bytes.
const LONGEST: usize = 1 << 10;

/// Changes the request so that the expression is `wanted`; false where no way is found.
pub(super) fn satisfy(tree: &Expr, wanted: bool, sketch: &mut Sketch<'_>, callers: &Callers<'_>) -> bool {
    match tree {
        Expr::Bool(value) => *value == wanted,
        Expr::Not(inner) => satisfy(inner, !wanted, sketch, callers),
        Expr::All(list) if wanted => list.iter().all(|e| satisfy(e, true, sketch, callers)),
        Expr::Any(list) if !wanted => list.iter().all(|e| satisfy(e, false, sketch, callers)),
        // One part decides: the first that can be brought to it.
        Expr::All(list) | Expr::Any(list) => list.iter().any(|e| {
            let mut tried = sketch.clone();
            let done = satisfy(e, wanted, &mut tried, callers);
            if done {
                *sketch = tried;
            }
            done
        }),
        Expr::If(branch) => {
            let mut tried = sketch.clone();
            let [condition, then, otherwise] = [&branch.condition, &branch.then, &branch.otherwise];
            if satisfy(condition, true, &mut tried, callers) && satisfy(then, wanted, &mut tried, callers) {
                *sketch = tried;
                return true;
            }
            satisfy(condition, false, sketch, callers) && satisfy(otherwise, wanted, sketch, callers)
        }
        Expr::Has(slot) if !wanted => sketch.remove(slot),
        Expr::Has(slot) => sketch.get(slot).is_some() || sketch.set(slot, ANYTHING, callers),
        // Whether the connection is mutual TLS follows from the caller, who is chosen already.
        Expr::Truth(_) => true,
        Expr::Compare(c) => match (&c.left, &c.right) {
            (operand, Operand::Literal(literal)) => compare(operand, c.op, literal, wanted, sketch, callers),
            (Operand::Literal(literal), operand) => {
                compare(operand, mirrored(c.op), literal, wanted, sketch, callers)
            }
            _ => true,
        },
        Expr::In(m) => {
            let op = if wanted { CompareOp::Eq } else { CompareOp::Ne };
            if wanted {
                return m.set.first().is_some_and(|first| compare(&m.item, op, first, true, sketch, callers));
            }
            m.set.iter().all(|literal| compare(&m.item, op, literal, true, sketch, callers))
        }
        Expr::Member(m) => match &m.item {
            Operand::Literal(Literal::Text(text)) if wanted => sketch.set(&m.of, text, callers),
            _ => !wanted && sketch.remove(&m.of),
        },
        Expr::Text(t) => match (&t.on, &t.arg) {
            (Operand::Slot(slot), Operand::Literal(Literal::Text(arg))) => {
                let test = match t.op {
                    TextOp::StartsWith => ValueTest::Prefix(arg.clone()),
                    TextOp::EndsWith => ValueTest::Suffix(arg.clone()),
                    TextOp::Contains => ValueTest::Contains(arg.clone()),
                    TextOp::Matches => ValueTest::Regex(arg.clone()),
                };
                if wanted { take(&test, slot, sketch, callers) } else { sketch.set(slot, ANYTHING, callers) }
            }
            _ => true,
        },
    }
}

/// Puts a value at `slot` that the test takes.
pub(super) fn take(test: &ValueTest, slot: &Slot, sketch: &mut Sketch<'_>, callers: &Callers<'_>) -> bool {
    let now = sketch.get(slot);
    let value = match test {
        ValueTest::Exact(text) => text.clone(),
        ValueTest::Prefix(text) if now.is_some_and(|now| now.starts_with(text)) => return true,
        ValueTest::Suffix(text) if now.is_some_and(|now| now.ends_with(text)) => return true,
        ValueTest::Contains(text) if now.is_some_and(|now| now.contains(text)) => return true,
        ValueTest::Prefix(text) | ValueTest::Suffix(text) | ValueTest::Contains(text) => text.clone(),
        ValueTest::Regex(text) => match matching(text) {
            Some(value) => value,
            None => return false,
        },
        ValueTest::Present(false) => return sketch.remove(slot),
        ValueTest::Present(true) => return now.is_some() || sketch.set(slot, ANYTHING, callers),
    };
    sketch.set(slot, &value, callers)
}

/// A text that a regular expression takes as a whole: the first alternative, repetitions as few as may be.
pub(super) fn matching(regex: &str) -> Option<String> {
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).nest_limit(100).build();
    let mut out = Vec::new();
    write(&parser.parse(regex).ok()?, &mut out)?;
    String::from_utf8(out).ok()
}

fn write(hir: &Hir, out: &mut Vec<u8>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => {
            let ranges: Vec<(u8, u8)> = match class {
                Class::Bytes(class) => class.iter().map(|r| (r.start(), r.end())).collect(),
                Class::Unicode(class) => class
                    .iter()
                    .map(|r| (u8::try_from(r.start()).unwrap_or(0), u8::try_from(r.end()).unwrap_or(0x7e)))
                    .collect(),
            };
            // A letter or digit reads best, and is good in every place.
            let mut all = (b'a'..=b'z').chain(b'0'..=b'9').chain(b'!'..=b'~');
            out.push(all.find(|c| ranges.iter().any(|(start, end)| (start..=end).contains(&c)))?);
        }
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                write(&repetition.sub, out)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, out))?,
        HirKind::Alternation(parts) => write(parts.first()?, out)?,
    }
    (out.len() <= LONGEST).then_some(())
}

/// The body sizes that an expression compares with.
pub(super) fn sizes(tree: &Expr, found: &mut Vec<i64>) {
    match tree {
        Expr::Not(inner) => sizes(inner, found),
        Expr::All(list) | Expr::Any(list) => list.iter().for_each(|e| sizes(e, found)),
        Expr::If(b) => [&b.condition, &b.then, &b.otherwise].into_iter().for_each(|e| sizes(e, found)),
        Expr::Compare(c) => {
            if let (Operand::Slot(Slot::Size), Operand::Literal(Literal::Int(n)))
            | (Operand::Literal(Literal::Int(n)), Operand::Slot(Slot::Size)) = (&c.left, &c.right)
            {
                found.push(*n);
            }
        }
        _ => {}
    }
}

fn compare(
    operand: &Operand,
    op: CompareOp,
    literal: &Literal,
    wanted: bool,
    sketch: &mut Sketch<'_>,
    callers: &Callers<'_>,
) -> bool {
    let op = if wanted { op } else { opposite(op) };
    match (operand, literal) {
        (Operand::Slot(Slot::Size), Literal::Int(n)) => {
            let value = number(op, *n).and_then(|value| u64::try_from(value).ok());
            let fits = value.is_some_and(|value| value <= mesh_bundle::limits::MAX_SAFE_INTEGER);
            if fits {
                sketch.example.size = value;
            }
            fits
        }
        (Operand::Size(slot), Literal::Int(n)) => {
            let length = number(op, *n).and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= LONGEST);
            length.is_some_and(|length| sketch.set(slot, &ANYTHING.repeat(length), callers))
        }
        (Operand::Slot(slot), Literal::Text(text)) => match op {
            CompareOp::Eq | CompareOp::Le | CompareOp::Ge => sketch.set(slot, text, callers),
            CompareOp::Ne => match sketch.get(slot) {
                Some(now) if now != text => true,
                _ => sketch.set(slot, &format!("{text}{ANYTHING}"), callers),
            },
            CompareOp::Gt => sketch.set(slot, &format!("{text}{ANYTHING}"), callers),
            CompareOp::Lt => sketch.set(slot, "", callers),
        },
        // The destination is what it is; the engine says whether it fits.
        _ => true,
    }
}

/// The number nearest to `n` for which the comparison holds.
fn number(op: CompareOp, n: i64) -> Option<i64> {
    match op {
        CompareOp::Eq | CompareOp::Le | CompareOp::Ge => Some(n),
        CompareOp::Ne | CompareOp::Gt => n.checked_add(1),
        CompareOp::Lt => n.checked_sub(1),
    }
}

fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

/// The same comparison with its sides exchanged.
fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq | CompareOp::Ne => op,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}
