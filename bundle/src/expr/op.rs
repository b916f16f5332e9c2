//! Instructions of lowered expressions, with their operands and semantics.

use serde::{Deserialize, Serialize};

use super::literal::{Literal, int_as_text};
use super::net::Net;
use super::time::Part;

/// The number of a slot: its place in [`super::Code::slots`].
pub type SlotId = u16;

/// One instruction. Its operands follow it, in order, each with all of its own.
///
/// `S` is how a slot is named: by number in [`super::Code`], by itself in a [`super::Tree`].
/// *Error* is CEL's: of a place that is absent or has no single value, of arithmetic past its
/// range, of a text that is no address. Unless said otherwise an operand's error is the result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Op<S = SlotId> {
    /// Bool: a constant.
    Bool(bool),
    /// Bool: negation of one bool.
    Not,
    /// Bool: n-ary conjunction, of the given number of bools; false absorbs errors (CEL `&&`). True of none.
    All(u16),
    /// Bool: n-ary disjunction, of the given number of bools; true absorbs errors (CEL `||`). False of none.
    Any(u16),
    /// Bool: exactly one of the given number of bools is true; any error is the result (CEL `exists_one`).
    One(u16),
    /// `condition ? then : otherwise`, of any one type: three operands. Only the chosen one is evaluated.
    If,
    /// Bool: the request has this slot, at least once (CEL `has`). For optional slots; no operands, never an error.
    Has(S),
    /// Bool: a quantifier over the list of values of a header, query parameter or cookie, empty where it
    /// is absent. One bool, the body, in which [`Op::Local`] is the value. A value that is no text is an
    /// error where the body reads it. Not inside another.
    Each(Quantifier, S),
    /// Bool: one scalar equals one of these constants of its type; sorted, without repeats.
    In(Vec<Literal>),
    /// Bool: one text equals one value of a header, query parameter or cookie. Where none does and one is
    /// no text: an error.
    Member(S),
    /// Bool: one address lies in one of these networks; sorted, without repeats.
    Within(Vec<Net>),
    /// Bool: two scalars of one type. Addresses have no order: `eq` and `ne` only.
    Compare(CompareOp),
    /// Bool: two texts, the tested one first.
    Test(TextOp),
    /// Bool: one text is searched for this regular expression, not anchored (RE2 dialect, ASCII classes).
    Matches(String),
    /// Bool: one text is an address by [`super::parse_ip`].
    IsIp,
    /// The value of a place, of its type. An error where it is absent, repeated, or no text.
    Slot(S),
    /// Text: the value that the surrounding [`Op::Each`] is at.
    Local,
    /// A constant of any type.
    Constant(Literal),
    /// Text: the value of an optional place, or that of one text where it is absent (CEL
    /// `[?'x'].orValue(..)`). An error where it is repeated or no text.
    OrElse(S),
    /// Int: the number of code points of one text.
    Size,
    /// Int: the number of values of a header, query parameter or cookie; 0 where it is absent.
    Count(S),
    /// Text: one text in another form.
    View(TextView),
    /// Ip: the address that one text is, by [`super::parse_ip`]; an error for any other text.
    Ip,
    /// `a + b`: two ints, two spans, or a time and a span. Past the range: an error.
    Add,
    /// `a - b`: two ints, two spans, two times (a span), or a time and a span. Past the range: an error.
    Sub,
    /// `a * b`: two ints. Past the range: an error.
    Mul,
    /// `-a`: an int or a span. Past the range: an error.
    Neg,
    /// `a / n` of one int, rounded towards zero; `n` is not 0, and -1 errs at the lowest int.
    #[serde(with = "int_as_text")]
    Div(i64),
    /// `a % n` of one int, with the sign of `a`; `n` is not 0, and -1 errs at the lowest int.
    #[serde(with = "int_as_text")]
    Rem(i64),
    /// Int: a part of one time.
    Part {
        /// Seconds east of UTC, at most [`super::Instant::OFFSET`] either way.
        offset: i32,
        /// The part of the time.
        part: Part,
    },
}

/// The condition of an [`Op::Each`] over the values. CEL: `all` and `exists` absorb errors, `exists_one` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quantifier {
    /// `all`: the body holds for every value. True of none.
    All,
    /// `exists`: the body holds for at least one value.
    Exists,
    /// `exists_one`: the body holds for exactly one value.
    ExistsOne,
}

/// Comparison operators. Text compares by code points, which for UTF-8 is by bytes; false is below true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompareOp {
    /// `==`: equal.
    Eq,
    /// `!=`: not equal.
    Ne,
    /// `<`: less than.
    Lt,
    /// `<=`: less than or equal.
    Le,
    /// `>`: greater than.
    Gt,
    /// `>=`: greater than or equal.
    Ge,
}

/// Tests on text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TextOp {
    /// `startsWith`: the first text begins with the second.
    StartsWith,
    /// `endsWith`: the first text ends with the second.
    EndsWith,
    /// `contains`: the first text contains the second.
    Contains,
}

/// Forms of text (CEL's string extensions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TextView {
    /// `lowerAscii`: the letters A to Z as a to z.
    Lower,
    /// `upperAscii`: the letters a to z as A to Z.
    Upper,
    /// `trim`: without white space (Unicode `White_Space`) at both ends.
    Trim,
}

impl<S> Op<S> {
    /// The number of operands that follow.
    #[must_use]
    pub fn arity(&self) -> usize {
        match self {
            Self::Bool(_)
            | Self::Has(_)
            | Self::Slot(_)
            | Self::Local
            | Self::Constant(_)
            | Self::Count(_) => 0,
            Self::Not
            | Self::Each(..)
            | Self::In(_)
            | Self::Member(_)
            | Self::Within(_)
            | Self::Matches(_)
            | Self::IsIp
            | Self::OrElse(_)
            | Self::Size
            | Self::View(_)
            | Self::Ip
            | Self::Neg
            | Self::Div(_)
            | Self::Rem(_)
            | Self::Part { .. } => 1,
            Self::Compare(_) | Self::Test(_) | Self::Add | Self::Sub | Self::Mul => 2,
            Self::If => 3,
            Self::All(n) | Self::Any(n) | Self::One(n) => usize::from(*n),
        }
    }

    /// The slot that the instruction reads or tests for presence.
    #[must_use]
    pub fn slot(&self) -> Option<&S> {
        match self {
            Self::Has(slot)
            | Self::Each(_, slot)
            | Self::Member(slot)
            | Self::Slot(slot)
            | Self::OrElse(slot)
            | Self::Count(slot) => Some(slot),
            _ => None,
        }
    }

    /// Maps the instruction's slot by `name`; everything else stays.
    pub(super) fn rename<T>(&self, name: impl FnOnce(&S) -> T) -> Op<T> {
        match self {
            Self::Has(slot) => Op::Has(name(slot)),
            Self::Each(quantifier, slot) => Op::Each(*quantifier, name(slot)),
            Self::Member(slot) => Op::Member(name(slot)),
            Self::Slot(slot) => Op::Slot(name(slot)),
            Self::OrElse(slot) => Op::OrElse(name(slot)),
            Self::Count(slot) => Op::Count(name(slot)),
            Self::Bool(value) => Op::Bool(*value),
            Self::Not => Op::Not,
            Self::All(n) => Op::All(*n),
            Self::Any(n) => Op::Any(*n),
            Self::One(n) => Op::One(*n),
            Self::If => Op::If,
            Self::In(set) => Op::In(set.clone()),
            Self::Within(nets) => Op::Within(nets.clone()),
            Self::Compare(op) => Op::Compare(*op),
            Self::Test(op) => Op::Test(*op),
            Self::Matches(pattern) => Op::Matches(pattern.clone()),
            Self::IsIp => Op::IsIp,
            Self::Local => Op::Local,
            Self::Constant(literal) => Op::Constant(literal.clone()),
            Self::Size => Op::Size,
            Self::View(view) => Op::View(*view),
            Self::Ip => Op::Ip,
            Self::Add => Op::Add,
            Self::Sub => Op::Sub,
            Self::Mul => Op::Mul,
            Self::Neg => Op::Neg,
            Self::Div(n) => Op::Div(*n),
            Self::Rem(n) => Op::Rem(*n),
            Self::Part { offset, part } => Op::Part { offset: *offset, part: *part },
        }
    }
}
