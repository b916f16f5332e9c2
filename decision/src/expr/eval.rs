//! Evaluation: the walk over typed nodes. `None` is CEL's error.

use std::cmp::Ordering;
use std::net::IpAddr;

use mesh_bundle::expr::{CompareOp, Instant, Quantifier, Slot, Span, TextOp, parse_ip};

use super::build::{Cond, IntOf, IpOf, Set, SpanOf, Test, TextOf, TimeOf};
use super::context::Context;
use super::slots::{self, Read};
use super::tri::Tri;
use crate::text::Text;
use crate::values;

/// The input of an evaluation: the context and the quantifier's value.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f, 'a> {
    pub(super) context: &'f Context<'a>,
    /// The current value of the enclosing quantifier; `None` for a value that is not text.
    pub(super) local: Option<Text<'a>>,
}

/// Evaluates a condition. Holds the nodes that most rules are made of; [`other`] has the rest, so that this stays
/// small.
pub(super) fn condition<'a>(node: &'a Cond, frame: &Frame<'_, 'a>) -> Tri {
    match node {
        Cond::Place { slot, absent, test } => place(slot, *absent, test, frame),
        Cond::Mtls => frame.context.request.connection.mtls.into(),
        Cond::All(list) => absorb(list, frame, Tri::False),
        Cond::Any(list) => absorb(list, frame, Tri::True),
        Cond::Not(inner) => !condition(inner, frame),
        Cond::Bool(value) => (*value).into(),
        node => other(node, frame),
    }
}

/// Evaluates a test of one slot. Inlined into the loops over conjunctions and disjunctions, which are mostly made of
/// these.
#[inline(always)]
fn place(slot: &Slot, absent: Tri, test: &Test, frame: &Frame<'_, '_>) -> Tri {
    match slots::plain(slot, frame.context) {
        Some(on) => match test {
            Test::Is(text) => **text == *on,
            Test::Text(TextOp::StartsWith, arg) => on.starts_with(&**arg),
            test => holds_plain(test, on),
        }
        .into(),
        None => match slots::read(slot, frame.context) {
            Read::One(text) => holds(test, text).into(),
            Read::Absent => absent,
            Read::Unreadable => Tri::Error,
        },
    }
}

#[inline(never)]
fn other<'a>(node: &'a Cond, frame: &Frame<'_, 'a>) -> Tri {
    match node {
        Cond::One(list) => {
            let mut one = Exactly::default();
            for node in list {
                if !one.count(condition(node, frame)) {
                    break;
                }
            }
            one.result()
        }
        Cond::If(parts) => {
            let [test, then, otherwise] = parts.as_ref();
            match condition(test, frame) {
                Tri::True => condition(then, frame),
                Tri::False => condition(otherwise, frame),
                Tri::Error => Tri::Error,
            }
        }
        Cond::Has(slot) => slots::has(slot, frame.context).into(),
        Cond::On(on, test) => truth(text(on, frame).map(|on| holds(test, on))),
        Cond::Each(quantifier, slot, body) => each(*quantifier, slot, body, frame),
        Cond::Member(item, slot) => text(item, frame).map_or(Tri::Error, |item| member(item, slot, frame)),
        Cond::Within(on, nets) => truth(ip(on, frame).map(|ip| nets.iter().any(|net| net.contains(ip)))),
        Cond::BoolIn(item, set) => match condition(item, frame) {
            Tri::True => set.contains(&true).into(),
            Tri::False => set.contains(&false).into(),
            Tri::Error => Tri::Error,
        },
        Cond::IntIn(item, set) => truth(int(item, frame).map(|item| set.binary_search(&item).is_ok())),
        Cond::TimeIn(item, set) => truth(time(item, frame).map(|item| set.binary_search(&item).is_ok())),
        Cond::SpanIn(item, set) => truth(span(item, frame).map(|item| set.binary_search(&item).is_ok())),
        Cond::IpIn(item, set) => truth(ip(item, frame).map(|item| set.binary_search(&item).is_ok())),
        Cond::CompareBool(op, pair) => {
            let [left, right] = pair.as_ref();
            match (condition(left, frame), condition(right, frame)) {
                (Tri::Error, _) | (_, Tri::Error) => Tri::Error,
                (left, right) => is(*op, (left == Tri::True).cmp(&(right == Tri::True))).into(),
            }
        }
        Cond::CompareInt(op, pair) => compare(*op, pair, |node| int(node, frame)),
        Cond::CompareTime(op, pair) => compare(*op, pair, |node| time(node, frame)),
        Cond::CompareSpan(op, pair) => compare(*op, pair, |node| span(node, frame)),
        Cond::CompareIp(op, pair) => compare(*op, pair, |node| ip(node, frame)),
        Cond::CompareText(op, pair) => {
            let [left, right] = pair.as_ref();
            truth(text(left, frame).zip(text(right, frame)).map(|(left, right)| is(*op, left.order(right))))
        }
        Cond::Test(op, pair) => {
            let [on, arg] = pair.as_ref();
            truth(text(on, frame).zip(text(arg, frame)).map(|(on, arg)| test(*op, on, arg)))
        }
        Cond::Place { .. } | Cond::Mtls | Cond::All(_) | Cond::Any(_) | Cond::Not(_) | Cond::Bool(_) => {
            condition(node, frame)
        }
    }
}

/// Evaluates `&&` or `||`: one `decisive` value decides, else an error does.
fn absorb<'a>(list: &'a [Cond], frame: &Frame<'_, 'a>, decisive: Tri) -> Tri {
    let mut result = !decisive;
    for node in list {
        let value = match node {
            Cond::Place { slot, absent, test } => place(slot, *absent, test, frame),
            node => condition(node, frame),
        };
        match value {
            value if value == decisive => return decisive,
            Tri::Error => result = Tri::Error,
            _ => {}
        }
    }
    result
}

/// The state of a count to exactly one true value, in which an error is final.
#[derive(Default)]
struct Exactly {
    found: usize,
    error: bool,
}

impl Exactly {
    /// False where nothing that comes can change the result.
    fn count(&mut self, value: Tri) -> bool {
        self.found += usize::from(value == Tri::True);
        self.error |= value == Tri::Error;
        !self.error
    }

    fn result(&self) -> Tri {
        if self.error { Tri::Error } else { (self.found == 1).into() }
    }
}

fn each<'a>(quantifier: Quantifier, slot: &Slot, body: &'a Cond, frame: &Frame<'_, 'a>) -> Tri {
    let of = |local| condition(body, &Frame { local, ..*frame });
    let decisive = match quantifier {
        Quantifier::All => Tri::False,
        Quantifier::Exists => Tri::True,
        Quantifier::ExistsOne => {
            let mut one = Exactly::default();
            slots::each(slot, frame.context, &mut |local| one.count(of(local)));
            return one.result();
        }
    };
    let mut result = !decisive;
    slots::each(slot, frame.context, &mut |local| {
        match of(local) {
            value if value == decisive => result = decisive,
            Tri::Error => result = Tri::Error,
            _ => {}
        }
        result != decisive
    });
    result
}

fn member(item: Text<'_>, slot: &Slot, frame: &Frame<'_, '_>) -> Tri {
    let mut result = Tri::False;
    slots::each(slot, frame.context, &mut |value| {
        match value {
            Some(value) if value.order(item) == Ordering::Equal => result = Tri::True,
            Some(_) => {}
            None => result = Tri::Error,
        }
        result != Tri::True
    });
    result
}

fn truth(value: Option<bool>) -> Tri {
    value.map_or(Tri::Error, Tri::from)
}

fn compare<T, V: Ord>(op: CompareOp, pair: &[T; 2], value: impl Fn(&T) -> Option<V>) -> Tri {
    let [left, right] = pair;
    truth(value(left).zip(value(right)).map(|(left, right)| is(op, left.cmp(&right))))
}

fn is(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

fn test(op: TextOp, on: Text<'_>, arg: Text<'_>) -> bool {
    match op {
        TextOp::StartsWith => on.starts_with(arg),
        TextOp::EndsWith => on.ends_with(arg),
        TextOp::Contains => on.contains(arg),
    }
}

fn holds_plain(test: &Test, on: &str) -> bool {
    match test {
        Test::Is(text) => **text == *on,
        Test::Text(TextOp::StartsWith, arg) => on.starts_with(&**arg),
        Test::Text(TextOp::EndsWith, arg) => on.ends_with(&**arg),
        Test::In(set) => set.contains_plain(on),
        Test::Matches(pattern) => pattern.is_match(on),
        Test::Not(inner) => !holds_plain(inner, on),
        Test::All(list) => list.iter().all(|test| holds_plain(test, on)),
        Test::Any(list) => list.iter().any(|test| holds_plain(test, on)),
        Test::Order(..) | Test::Text(TextOp::Contains, _) | Test::IsIp => holds(test, Text::plain(on)),
    }
}

fn holds(test: &Test, on: Text<'_>) -> bool {
    match test {
        Test::Is(text) => on.is(text),
        Test::Order(op, text) => is(*op, on.order(Text::plain(text))),
        Test::Text(op, arg) => self::test(*op, on, Text::plain(arg)),
        Test::In(set) => set.contains(on),
        Test::Matches(pattern) => pattern.is_match_of(on),
        Test::IsIp => on.with(parse_ip).is_some(),
        Test::Not(inner) => !holds(inner, on),
        Test::All(list) => list.iter().all(|test| holds(test, on)),
        Test::Any(list) => list.iter().any(|test| holds(test, on)),
    }
}

/// The largest set that is searched linearly; larger ones by bisection.
const FEW: usize = 8;

impl Set {
    fn contains_plain(&self, text: &str) -> bool {
        if self.lengths & Self::bit(text.len()) == 0 {
            return false;
        }
        if self.sorted.len() <= FEW {
            return self.sorted.iter().any(|known| **known == *text);
        }
        self.sorted.binary_search_by(|known| (**known).cmp(text)).is_ok()
    }

    fn contains(&self, text: Text<'_>) -> bool {
        match text.as_plain() {
            Some(plain) => self.contains_plain(plain),
            None => self.sorted.binary_search_by(|known| Text::plain(known).order(text)).is_ok(),
        }
    }
}

pub(super) fn text<'a>(node: &'a TextOf, frame: &Frame<'_, 'a>) -> Option<Text<'a>> {
    match node {
        TextOf::Slot(slot) => match slots::read(slot, frame.context) {
            Read::One(text) => Some(text),
            Read::Absent | Read::Unreadable => None,
        },
        TextOf::Local => frame.local,
        TextOf::Constant(text) => Some(Text::plain(text)),
        TextOf::OrElse(slot, other) => match slots::read(slot, frame.context) {
            Read::One(text) => Some(text),
            Read::Absent => text(other, frame),
            Read::Unreadable => None,
        },
        TextOf::If(parts) => text(branch(parts, frame)?, frame),
        TextOf::View(view, inner) => Some(text(inner, frame)?.viewed(*view)),
    }
}

fn branch<'n, T>((condition, then, otherwise): &'n (Cond, T, T), frame: &Frame<'_, '_>) -> Option<&'n T> {
    match self::condition(condition, frame) {
        Tri::True => Some(then),
        Tri::False => Some(otherwise),
        Tri::Error => None,
    }
}

fn int(node: &IntOf, frame: &Frame<'_, '_>) -> Option<i64> {
    let pair = |pair: &[IntOf; 2]| {
        let [left, right] = pair;
        int(left, frame).zip(int(right, frame))
    };
    match node {
        IntOf::Size => Some(values::size(frame.context.request)),
        IntOf::Port => Some(frame.context.destination.map_or(0, |d| i64::from(d.service.port))),
        IntOf::Constant(value) => Some(*value),
        IntOf::If(parts) => int(branch(parts, frame)?, frame),
        IntOf::Length(on) => i64::try_from(text(on, frame)?.size()).ok(),
        IntOf::Count(slot) => {
            let mut count = 0;
            slots::each(slot, frame.context, &mut |_| {
                count += 1;
                true
            });
            Some(count)
        }
        IntOf::Add(both) => pair(both).and_then(|(a, b)| a.checked_add(b)),
        IntOf::Sub(both) => pair(both).and_then(|(a, b)| a.checked_sub(b)),
        IntOf::Mul(both) => pair(both).and_then(|(a, b)| a.checked_mul(b)),
        IntOf::Neg(inner) => int(inner, frame)?.checked_neg(),
        IntOf::Div(inner, by) => int(inner, frame)?.checked_div(*by),
        IntOf::Rem(inner, by) => int(inner, frame)?.checked_rem(*by),
        IntOf::Part(of, part, offset) => Some(time(of, frame)?.part(*part, *offset)),
    }
}

fn time(node: &TimeOf, frame: &Frame<'_, '_>) -> Option<Instant> {
    match node {
        TimeOf::Now => Some(frame.context.request.now),
        TimeOf::Constant(time) => Some(*time),
        TimeOf::If(parts) => time(branch(parts, frame)?, frame),
        TimeOf::Plus(parts) => time(&parts.0, frame)?.plus(span(&parts.1, frame)?),
        TimeOf::Minus(parts) => time(&parts.0, frame)?.minus(span(&parts.1, frame)?),
    }
}

fn span(node: &SpanOf, frame: &Frame<'_, '_>) -> Option<Span> {
    match node {
        SpanOf::Constant(span) => Some(*span),
        SpanOf::If(parts) => span(branch(parts, frame)?, frame),
        SpanOf::Plus(pair) => {
            let [left, right] = pair.as_ref();
            span(left, frame)?.plus(span(right, frame)?)
        }
        SpanOf::Minus(pair) => {
            let [left, right] = pair.as_ref();
            span(left, frame)?.minus(span(right, frame)?)
        }
        SpanOf::Neg(inner) => span(inner, frame)?.negated(),
        SpanOf::Between(pair) => {
            let [left, right] = pair.as_ref();
            time(left, frame)?.since(time(right, frame)?)
        }
    }
}

fn ip(node: &IpOf, frame: &Frame<'_, '_>) -> Option<IpAddr> {
    match node {
        IpOf::Text(on) => text(on, frame)?.with(parse_ip),
        IpOf::Constant(ip) => Some(*ip),
        IpOf::If(parts) => ip(branch(parts, frame)?, frame),
    }
}
