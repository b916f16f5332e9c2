//! Building of expressions: from flat code to typed nodes, with related tests joined.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mesh_bundle::expr::{
    Code, CompareOp, ExprError, Instant, Literal, Net, Op, Part, Quantifier, Slot, Span, TextOp, TextView,
    Type, View,
};

use super::tri::Tri;
use crate::regex::{Pattern, RegexError};

/// The error of an expression that does not build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprBuildError {
    /// The code does not pass its check.
    #[error("{0}")]
    Code(#[from] ExprError),
    /// A regular expression does not compile.
    #[error("regular expression: {0}")]
    Regex(#[from] RegexError),
}

/// A node whose value is a bool.
#[derive(Debug)]
pub(super) enum Cond {
    Bool(bool),
    Not(Box<Cond>),
    All(Box<[Cond]>),
    Any(Box<[Cond]>),
    One(Box<[Cond]>),
    If(Box<[Cond; 3]>),
    Has(Slot),
    Mtls,
    /// A test of one slot, with the result where the slot is absent: an error, or the guard's value.
    Place {
        slot: Slot,
        absent: Tri,
        test: Test,
    },
    /// A test of any other text.
    On(Box<TextOf>, Test),
    Each(Quantifier, Slot, Box<Cond>),
    Member(Box<TextOf>, Slot),
    Within(Box<IpOf>, Box<[Net]>),
    BoolIn(Box<Cond>, Box<[bool]>),
    IntIn(Box<IntOf>, Box<[i64]>),
    TimeIn(Box<TimeOf>, Box<[Instant]>),
    SpanIn(Box<SpanOf>, Box<[Span]>),
    IpIn(Box<IpOf>, Box<[IpAddr]>),
    CompareBool(CompareOp, Box<[Cond; 2]>),
    CompareInt(CompareOp, Box<[IntOf; 2]>),
    CompareText(CompareOp, Box<[TextOf; 2]>),
    CompareTime(CompareOp, Box<[TimeOf; 2]>),
    CompareSpan(CompareOp, Box<[SpanOf; 2]>),
    CompareIp(CompareOp, Box<[IpOf; 2]>),
    /// A test of a text by another that is not constant.
    Test(TextOp, Box<[TextOf; 2]>),
}

/// A test of a text by constants; never an error.
#[derive(Debug)]
pub(super) enum Test {
    Is(Box<str>),
    Order(CompareOp, Box<str>),
    Text(TextOp, Box<str>),
    In(Set),
    Matches(Pattern),
    IsIp,
    Not(Box<Test>),
    All(Box<[Test]>),
    Any(Box<[Test]>),
}

/// A set of constant texts, sorted.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) sorted: Box<[Box<str>]>,
    /// Bit n is set where a text of n bytes is in the set; the last bit for all longer ones.
    pub(super) lengths: u64,
}

/// A node whose value is a text.
#[derive(Debug)]
pub(super) enum TextOf {
    Slot(Slot),
    Local,
    Constant(Box<str>),
    OrElse(Slot, Box<TextOf>),
    If(Box<(Cond, TextOf, TextOf)>),
    View(TextView, Box<TextOf>),
}

/// A node whose value is an int.
#[derive(Debug)]
pub(super) enum IntOf {
    Size,
    Port,
    Constant(i64),
    If(Box<(Cond, IntOf, IntOf)>),
    Length(TextOf),
    Count(Slot),
    Add(Box<[IntOf; 2]>),
    Sub(Box<[IntOf; 2]>),
    Mul(Box<[IntOf; 2]>),
    Neg(Box<IntOf>),
    Div(Box<IntOf>, i64),
    Rem(Box<IntOf>, i64),
    Part(Box<TimeOf>, Part, i32),
}

/// A node whose value is a point in time.
#[derive(Debug)]
pub(super) enum TimeOf {
    Now,
    Constant(Instant),
    If(Box<(Cond, TimeOf, TimeOf)>),
    Plus(Box<(TimeOf, SpanOf)>),
    Minus(Box<(TimeOf, SpanOf)>),
}

/// A node whose value is a length of time.
#[derive(Debug)]
pub(super) enum SpanOf {
    Constant(Span),
    If(Box<(Cond, SpanOf, SpanOf)>),
    Plus(Box<[SpanOf; 2]>),
    Minus(Box<[SpanOf; 2]>),
    Neg(Box<SpanOf>),
    Between(Box<[TimeOf; 2]>),
}

/// A node whose value is an IP address.
#[derive(Debug)]
pub(super) enum IpOf {
    Text(TextOf),
    Constant(IpAddr),
    If(Box<(Cond, IpOf, IpOf)>),
}

type Built<T> = Result<T, ExprBuildError>;

/// Builds a condition from checked code; `types` are those of its instructions.
pub(super) fn condition(code: &Code, types: &[Type]) -> Built<Cond> {
    let root = code.root().ok_or(ExprError::NotOne)?;
    Builder::new(types).cond(root)
}

/// Builds a text from checked code; `types` are those of its instructions.
pub(super) fn text(code: &Code, types: &[Type]) -> Built<TextOf> {
    let root = code.root().ok_or(ExprError::NotOne)?;
    Builder::new(types).text(root)
}

/// A builder over the types of the instructions. Its recursion goes no deeper than
/// [`mesh_bundle::limits::EXPR_DEPTH`], which the check has seen to.
pub(super) struct Builder<'t> {
    types: &'t [Type],
}

/// The error of an instruction that the check refuses, and so is never built.
fn unlike(view: View<'_>) -> ExprBuildError {
    ExprError::Types(view.index()).into()
}

fn slot(view: View<'_>) -> Built<Slot> {
    view.slot().cloned().ok_or_else(|| unlike(view))
}

fn only(view: View<'_>) -> Built<View<'_>> {
    view.child().ok_or_else(|| unlike(view))
}

impl<'t> Builder<'t> {
    pub(super) fn new(types: &'t [Type]) -> Self {
        Self { types }
    }

    fn ty(&self, view: View<'_>) -> Built<Type> {
        self.types.get(view.index()).copied().ok_or_else(|| unlike(view))
    }

    pub(super) fn cond(&self, view: View<'_>) -> Built<Cond> {
        let list = || view.children().map(|child| self.cond(child)).collect::<Built<Vec<Cond>>>();
        Ok(match view.op() {
            Op::Bool(value) | Op::Constant(Literal::Bool(value)) => Cond::Bool(*value),
            Op::Not => negated(self.cond(only(view)?)?),
            Op::All(_) => joined(list()?, true),
            Op::Any(_) => joined(list()?, false),
            Op::One(_) => Cond::One(list()?.into()),
            Op::If => {
                let [condition, then, otherwise] = view.branches().ok_or_else(|| unlike(view))?;
                Cond::If(Box::new([self.cond(condition)?, self.cond(then)?, self.cond(otherwise)?]))
            }
            Op::Has(_) => Cond::Has(slot(view)?),
            // `mtls` is the one slot of type bool.
            Op::Slot(_) if slot(view)? == Slot::Mtls => Cond::Mtls,
            Op::Each(quantifier, _) => {
                Cond::Each(*quantifier, slot(view)?, Box::new(self.cond(only(view)?)?))
            }
            Op::In(set) => self.membership(view, set)?,
            Op::Member(_) => Cond::Member(Box::new(self.text(only(view)?)?), slot(view)?),
            Op::Within(nets) => Cond::Within(Box::new(self.ip(only(view)?)?), nets.as_slice().into()),
            Op::Compare(op) => self.comparison(view, *op)?,
            Op::Test(op) => {
                let [on, arg] = self.pair(view, Self::text)?;
                match arg {
                    TextOf::Constant(arg) => tested(on, Test::Text(*op, arg)),
                    arg => Cond::Test(*op, Box::new([on, arg])),
                }
            }
            Op::Matches(pattern) => tested(self.text(only(view)?)?, Test::Matches(Pattern::search(pattern)?)),
            Op::IsIp => tested(self.text(only(view)?)?, Test::IsIp),
            _ => return Err(unlike(view)),
        })
    }

    fn membership(&self, view: View<'_>, set: &[Literal]) -> Built<Cond> {
        let item = only(view)?;
        // All members are of the item's type, so nothing is left out.
        fn members<T>(set: &[Literal], member: impl Fn(&Literal) -> Option<T>) -> Box<[T]> {
            set.iter().filter_map(member).collect()
        }
        Ok(match self.ty(item)? {
            Type::Text => {
                let texts = members(set, |l| match l {
                    Literal::Text(text) => Some(text.as_str().into()),
                    _ => None,
                });
                tested(self.text(item)?, Test::In(Set::new(texts.into_vec())))
            }
            Type::Bool => Cond::BoolIn(
                Box::new(self.cond(item)?),
                members(set, |l| if let Literal::Bool(value) = l { Some(*value) } else { None }),
            ),
            Type::Int => Cond::IntIn(
                Box::new(self.int(item)?),
                members(set, |l| if let Literal::Int(value) = l { Some(*value) } else { None }),
            ),
            Type::Time => Cond::TimeIn(
                Box::new(self.time(item)?),
                members(set, |l| if let Literal::Time(value) = l { Some(*value) } else { None }),
            ),
            Type::Span => Cond::SpanIn(
                Box::new(self.span(item)?),
                members(set, |l| if let Literal::Span(value) = l { Some(*value) } else { None }),
            ),
            Type::Ip => Cond::IpIn(
                Box::new(self.ip(item)?),
                members(set, |l| if let Literal::Ip(value) = l { Some(*value) } else { None }),
            ),
        })
    }

    fn comparison(&self, view: View<'_>, op: CompareOp) -> Built<Cond> {
        let (left, _) = view.pair().ok_or_else(|| unlike(view))?;
        Ok(match self.ty(left)? {
            Type::Bool => Cond::CompareBool(op, Box::new(self.pair(view, Self::cond)?)),
            Type::Int => Cond::CompareInt(op, Box::new(self.pair(view, Self::int)?)),
            Type::Time => Cond::CompareTime(op, Box::new(self.pair(view, Self::time)?)),
            Type::Span => Cond::CompareSpan(op, Box::new(self.pair(view, Self::span)?)),
            Type::Ip => Cond::CompareIp(op, Box::new(self.pair(view, Self::ip)?)),
            Type::Text => {
                let by = |op, text| match op {
                    CompareOp::Eq => Test::Is(text),
                    CompareOp::Ne => Test::Not(Box::new(Test::Is(text))),
                    other => Test::Order(other, text),
                };
                match self.pair(view, Self::text)? {
                    [on, TextOf::Constant(text)] => tested(on, by(op, text)),
                    [TextOf::Constant(text), on] => tested(on, by(mirrored(op), text)),
                    pair => Cond::CompareText(op, Box::new(pair)),
                }
            }
        })
    }

    fn text(&self, view: View<'_>) -> Built<TextOf> {
        Ok(match view.op() {
            Op::Slot(_) => TextOf::Slot(slot(view)?),
            Op::Local => TextOf::Local,
            Op::Constant(Literal::Text(text)) => TextOf::Constant(text.as_str().into()),
            Op::OrElse(_) => TextOf::OrElse(slot(view)?, Box::new(self.text(only(view)?)?)),
            Op::If => TextOf::If(Box::new(self.branches(view, Self::text)?)),
            Op::View(form) => TextOf::View(*form, Box::new(self.text(only(view)?)?)),
            _ => return Err(unlike(view)),
        })
    }

    fn int(&self, view: View<'_>) -> Built<IntOf> {
        Ok(match view.op() {
            Op::Slot(_) => match slot(view)? {
                Slot::Size => IntOf::Size,
                Slot::DestinationPort => IntOf::Port,
                _ => return Err(unlike(view)),
            },
            Op::Constant(Literal::Int(value)) => IntOf::Constant(*value),
            Op::If => IntOf::If(Box::new(self.branches(view, Self::int)?)),
            Op::Size => IntOf::Length(self.text(only(view)?)?),
            Op::Count(_) => IntOf::Count(slot(view)?),
            Op::Add => IntOf::Add(Box::new(self.pair(view, Self::int)?)),
            Op::Sub => IntOf::Sub(Box::new(self.pair(view, Self::int)?)),
            Op::Mul => IntOf::Mul(Box::new(self.pair(view, Self::int)?)),
            Op::Neg => IntOf::Neg(Box::new(self.int(only(view)?)?)),
            Op::Div(by) => IntOf::Div(Box::new(self.int(only(view)?)?), *by),
            Op::Rem(by) => IntOf::Rem(Box::new(self.int(only(view)?)?), *by),
            Op::Part { offset, part } => IntOf::Part(Box::new(self.time(only(view)?)?), *part, *offset),
            _ => return Err(unlike(view)),
        })
    }

    fn time(&self, view: View<'_>) -> Built<TimeOf> {
        let pair = || view.pair().ok_or_else(|| unlike(view));
        Ok(match view.op() {
            Op::Slot(_) if slot(view)? == Slot::Now => TimeOf::Now,
            Op::Constant(Literal::Time(time)) => TimeOf::Constant(*time),
            Op::If => TimeOf::If(Box::new(self.branches(view, Self::time)?)),
            Op::Add => {
                let (left, right) = pair()?;
                let (time, span) = if self.ty(left)? == Type::Time { (left, right) } else { (right, left) };
                TimeOf::Plus(Box::new((self.time(time)?, self.span(span)?)))
            }
            Op::Sub => {
                let (time, span) = pair()?;
                TimeOf::Minus(Box::new((self.time(time)?, self.span(span)?)))
            }
            _ => return Err(unlike(view)),
        })
    }

    fn span(&self, view: View<'_>) -> Built<SpanOf> {
        Ok(match view.op() {
            Op::Constant(Literal::Span(span)) => SpanOf::Constant(*span),
            Op::If => SpanOf::If(Box::new(self.branches(view, Self::span)?)),
            Op::Add => SpanOf::Plus(Box::new(self.pair(view, Self::span)?)),
            Op::Sub => {
                let (left, _) = view.pair().ok_or_else(|| unlike(view))?;
                match self.ty(left)? {
                    Type::Time => SpanOf::Between(Box::new(self.pair(view, Self::time)?)),
                    _ => SpanOf::Minus(Box::new(self.pair(view, Self::span)?)),
                }
            }
            Op::Neg => SpanOf::Neg(Box::new(self.span(only(view)?)?)),
            _ => return Err(unlike(view)),
        })
    }

    fn ip(&self, view: View<'_>) -> Built<IpOf> {
        Ok(match view.op() {
            Op::Constant(Literal::Ip(ip)) => IpOf::Constant(*ip),
            Op::If => IpOf::If(Box::new(self.branches(view, Self::ip)?)),
            Op::Ip => IpOf::Text(self.text(only(view)?)?),
            _ => return Err(unlike(view)),
        })
    }

    fn pair<T>(&self, view: View<'_>, each: fn(&Self, View<'_>) -> Built<T>) -> Built<[T; 2]> {
        let (left, right) = view.pair().ok_or_else(|| unlike(view))?;
        Ok([each(self, left)?, each(self, right)?])
    }

    fn branches<T>(&self, view: View<'_>, each: fn(&Self, View<'_>) -> Built<T>) -> Built<(Cond, T, T)> {
        let [condition, then, otherwise] = view.branches().ok_or_else(|| unlike(view))?;
        Ok((self.cond(condition)?, each(self, then)?, each(self, otherwise)?))
    }
}

impl Set {
    fn new(mut texts: Vec<Box<str>>) -> Self {
        texts.sort();
        texts.dedup();
        let lengths = texts.iter().fold(0, |bits, text| bits | Self::bit(text.len()));
        Self { sorted: texts.into(), lengths }
    }

    /// The bit of a length in [`Set::lengths`].
    pub(super) fn bit(length: usize) -> u64 {
        1 << length.min(63)
    }
}

fn tested(on: TextOf, test: Test) -> Cond {
    match on {
        TextOf::Slot(slot) => Cond::Place { slot, absent: Tri::Error, test },
        on => Cond::On(Box::new(on), test),
    }
}

fn negated(inner: Cond) -> Cond {
    match inner {
        Cond::Bool(value) => Cond::Bool(!value),
        Cond::Not(inner) => *inner,
        Cond::Place { slot, absent, test } => {
            Cond::Place { slot, absent: !absent, test: Test::Not(Box::new(test)) }
        }
        other => Cond::Not(Box::new(other)),
    }
}

/// A conjunction (`all`) or disjunction: flattened, constants left out, guards joined with what
/// they guard, tests of one place joined to one read, the cheap parts first.
fn joined(parts: Vec<Cond>, all: bool) -> Cond {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Cond::Bool(value) if value == all => {}
            // Decides, whatever else errs.
            Cond::Bool(_) => return Cond::Bool(!all),
            Cond::All(inner) if all => flat.extend(inner),
            Cond::Any(inner) if !all => flat.extend(inner),
            other => flat.push(other),
        }
    }
    let mut flat = merge(guard(flat, all), all);
    flat.sort_by_cached_key(cost);
    match flat.len() {
        0 => Cond::Bool(all),
        1 => flat.pop().unwrap_or(Cond::Bool(all)),
        _ if all => Cond::All(flat.into()),
        _ => Cond::Any(flat.into()),
    }
}

/// `has(x) && test(x)` reads `x` once: absent is false. `!has(x) || test(x)`: absent is true. Exact, since there the
/// guard decides, whatever the tests are.
fn guard(mut parts: Vec<Cond>, all: bool) -> Vec<Cond> {
    let tested: BTreeSet<Slot> = parts
        .iter()
        .filter_map(|part| match part {
            Cond::Place { slot, .. } => Some(slot.clone()),
            _ => None,
        })
        .collect();
    let mut guarded = BTreeSet::new();
    parts.retain(|part| {
        let slot = match part {
            Cond::Has(slot) if all => slot,
            Cond::Not(inner) if !all => match inner.as_ref() {
                Cond::Has(slot) => slot,
                _ => return true,
            },
            _ => return true,
        };
        if tested.contains(slot) {
            guarded.insert(slot.clone());
        }
        !tested.contains(slot)
    });
    for part in &mut parts {
        if let Cond::Place { slot, absent, .. } = part
            && guarded.contains(slot)
        {
            *absent = Tri::from(!all);
        }
    }
    parts
}

/// Tests of one place become one. Where it cannot be read all of them err, and so does the one; where it is absent
/// the one is what they are together.
fn merge(parts: Vec<Cond>, all: bool) -> Vec<Cond> {
    let decides = Tri::from(!all);
    let mut places: Vec<(Slot, Tri, Vec<Test>)> = Vec::new();
    let mut rest = Vec::new();
    for part in parts {
        let Cond::Place { slot, absent, test } = part else {
            rest.push(part);
            continue;
        };
        match places.iter_mut().find(|(known, ..)| *known == slot) {
            Some((_, together, tests)) => {
                tests.push(test);
                if *together != decides && absent != !decides {
                    *together = absent;
                }
            }
            None => places.push((slot, absent, vec![test])),
        }
    }
    let one = |(slot, absent, tests)| Cond::Place { slot, absent, test: one_test(tests, all) };
    rest.extend(places.into_iter().map(one));
    rest
}

fn one_test(tests: Vec<Test>, all: bool) -> Test {
    let mut tests = if all { tests } else { equalities(tests) };
    tests.sort_by_key(test_cost);
    match tests.len() {
        1 => tests.pop().unwrap_or(Test::Any(Box::default())),
        _ if all => Test::All(tests.into()),
        _ => Test::Any(tests.into()),
    }
}

/// Joins several equalities of one text into one set.
fn equalities(tests: Vec<Test>) -> Vec<Test> {
    let mut texts = Vec::new();
    let mut rest = Vec::new();
    for test in tests {
        match test {
            Test::Is(text) => texts.push(text),
            Test::In(set) => texts.extend(set.sorted),
            other => rest.push(other),
        }
    }
    match texts.len() {
        0 => {}
        1 => rest.extend(texts.pop().map(Test::Is)),
        _ => rest.push(Test::In(Set::new(texts))),
    }
    rest
}

/// A rough estimate of a condition's cost in nanoseconds, used for the order of evaluation only.
fn cost(cond: &Cond) -> u32 {
    let sum = |list: &[Cond]| list.iter().map(cost).fold(1, u32::saturating_add);
    match cond {
        Cond::Bool(_) | Cond::Mtls => 1,
        Cond::Not(inner) | Cond::BoolIn(inner, _) => cost(inner),
        Cond::All(list) | Cond::Any(list) | Cond::One(list) => sum(list),
        Cond::If(parts) => sum(parts.as_ref()),
        Cond::CompareBool(_, pair) => sum(pair.as_ref()),
        Cond::Has(slot) => place_cost(slot),
        Cond::Place { slot, test, .. } => place_cost(slot) + test_cost(test),
        Cond::CompareInt(..) | Cond::IntIn(..) | Cond::CompareTime(..) | Cond::CompareSpan(..) => 10,
        Cond::TimeIn(..) | Cond::SpanIn(..) => 10,
        Cond::On(..) | Cond::CompareText(..) | Cond::Test(..) => 50,
        Cond::Within(..) | Cond::IpIn(..) | Cond::CompareIp(..) => 60,
        Cond::Member(..) => 100,
        Cond::Each(_, _, body) => cost(body).saturating_mul(4).saturating_add(50),
    }
}

fn place_cost(slot: &Slot) -> u32 {
    match slot {
        Slot::Header(_) | Slot::Param(_) => 20,
        Slot::SourceLabel(_) | Slot::DestinationLabel(_) => 15,
        Slot::Query(_) | Slot::Cookie(_) => 60,
        Slot::TrustDomain => 10,
        _ => 1,
    }
}

fn test_cost(test: &Test) -> u32 {
    match test {
        Test::Is(_) | Test::Order(..) => 2,
        Test::Text(TextOp::StartsWith | TextOp::EndsWith, _) => 2,
        Test::Text(TextOp::Contains, _) => 20,
        Test::In(_) => 6,
        Test::IsIp => 20,
        Test::Matches(_) => 40,
        Test::Not(inner) => test_cost(inner),
        Test::All(list) | Test::Any(list) => list.iter().map(test_cost).fold(1, u32::saturating_add),
    }
}

/// The operator of the comparison with its sides exchanged.
fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq | CompareOp::Ne => op,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}
