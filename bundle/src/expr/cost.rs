//! Worst-case cost of an instruction: one function for the compiler, which refuses a rule over the bound by its
//! words, and for the proxy, which refuses a bundle with one.
//!
//! A unit is one comparison, or 8 bytes read. Everything saturates.

use super::op::{Op, TextOp, TextView};
use super::slot::Slot;
use crate::limits;

/// The cost bounds of one instruction with its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bound {
    /// Units, without those that depend on [`Op::Local`].
    pub(super) units: u64,
    /// Units for each 8 bytes of [`Op::Local`]. Kept apart since all values of a name together
    /// are no longer than the head that they came in.
    pub(super) per_local: u64,
    /// Length of the value in bytes, for text.
    pub(super) bytes: u64,
    /// True if the value is [`Op::Local`], or a form of it.
    local: bool,
}

impl Bound {
    /// The bound in units where [`Op::Local`] is a single value.
    pub(super) fn total(self) -> u64 {
        self.units.saturating_add(self.per_local.saturating_mul(VALUE / 8))
    }

    /// Adds `per_word` units for each 8 bytes of `operand`, of which at most `most` bytes are read.
    fn read(&mut self, operand: &Self, per_word: u64, most: u64) {
        if operand.local && most >= VALUE {
            self.per_local = self.per_local.saturating_add(per_word);
        } else {
            let words = operand.bytes.min(most) / 8 + 1;
            self.units = self.units.saturating_add(words.saturating_mul(per_word));
        }
    }
}

const VALUE: u64 = limits::VALUE_BYTES as u64;
const HEAD: u64 = limits::HEAD_BYTES as u64;
const HEADER_LINES: u64 = limits::HEADER_LINES as u64;

/// Computes the bound of `op` from those of its operands, which come last to first.
pub(super) fn bound(op: &Op, slot: Option<&Slot>, children: &[Bound]) -> Bound {
    let mut all = Bound { units: 1, ..Bound::default() };
    for child in children {
        all.units = all.units.saturating_add(child.units);
        all.per_local = all.per_local.saturating_add(child.per_local);
    }
    let first = children.first().copied().unwrap_or_default();
    let last = children.last().copied().unwrap_or_default();
    match op {
        Op::Bool(_) | Op::Not | Op::All(_) | Op::Any(_) | Op::One(_) | Op::Neg => {}
        Op::Add | Op::Sub | Op::Mul | Op::Div(_) | Op::Rem(_) | Op::Part { .. } => {}
        Op::If => {
            // The condition, and the dearer branch: all without the cheaper one.
            let branches = children.get(..2).unwrap_or_default();
            let cheaper = |of: fn(&Bound) -> u64| branches.iter().map(of).min().unwrap_or(0);
            all.units = all.units.saturating_sub(cheaper(|b| b.units));
            all.per_local = all.per_local.saturating_sub(cheaper(|b| b.per_local));
            all.bytes = branches.iter().map(|b| b.bytes).max().unwrap_or(0);
            all.local = branches.iter().any(|b| b.local);
        }
        Op::Has(_) | Op::Count(_) => all.units = all.units.saturating_add(look_up(slot)),
        Op::Slot(_) => {
            all.units = all.units.saturating_add(look_up(slot));
            all.bytes = length(slot);
        }
        Op::OrElse(_) => {
            all.units = all.units.saturating_add(look_up(slot));
            all.bytes = first.bytes.max(length(slot));
            all.local = first.local;
        }
        Op::Each(..) => {
            let values = all.units.saturating_mul(many(slot));
            let bytes = first.per_local.saturating_mul(HEAD / 8);
            all = Bound {
                units: look_up(slot).saturating_add(values).saturating_add(bytes),
                ..Bound::default()
            };
        }
        Op::Member(_) => {
            all.units = all.units.saturating_add(look_up(slot)).saturating_add(many(slot));
            // Every value is compared, all together no longer than the head; once for each value outside.
            all.units = all.units.saturating_add(HEAD / 8);
        }
        Op::In(set) => {
            // Bisection: each step may compare the whole of the longest.
            let steps = u64::from(usize::BITS - set.len().leading_zeros());
            let longest = set.iter().map(literal).max().unwrap_or(0);
            all.read(&first, steps, longest);
        }
        Op::Within(nets) => all.units = all.units.saturating_add(nets.len() as u64),
        // The shorter side ends a comparison.
        Op::Compare(_) | Op::Test(TextOp::StartsWith | TextOp::EndsWith) if first.bytes <= last.bytes => {
            all.read(&first, 1, last.bytes);
        }
        Op::Compare(_) | Op::Test(TextOp::StartsWith | TextOp::EndsWith) => all.read(&last, 1, first.bytes),
        Op::Test(TextOp::Contains) => {
            all.read(&first, 1, u64::MAX);
            all.read(&last, 1, u64::MAX);
        }
        // A step of the automaton for each byte.
        Op::Matches(_) => all.read(&first, 8, u64::MAX),
        Op::IsIp | Op::Ip | Op::Size => all.read(&first, 1, u64::MAX),
        Op::View(view) => {
            all.bytes = first.bytes;
            all.local = first.local;
            if *view == TextView::Trim {
                all.read(&first, 1, u64::MAX);
            }
        }
        Op::Local => {
            all.bytes = VALUE;
            all.local = true;
        }
        Op::Constant(constant) => all.bytes = literal(constant),
    }
    all
}

/// Units for looking up the values of a slot.
fn look_up(slot: Option<&Slot>) -> u64 {
    match slot {
        Some(Slot::Header(_)) => HEADER_LINES,
        // The whole query, or all cookie lines, are read.
        Some(Slot::Query(_) | Slot::Cookie(_)) => HEAD / 8,
        Some(Slot::Param(_)) => VALUE / 8,
        _ => 1,
    }
}

/// The largest number of values of a slot.
fn many(slot: Option<&Slot>) -> u64 {
    match slot {
        Some(Slot::Header(_)) => HEADER_LINES,
        Some(Slot::Query(_)) => limits::QUERY_PARAMETERS as u64,
        Some(Slot::Cookie(_)) => limits::COOKIES as u64,
        _ => 1,
    }
}

/// The largest length of a slot's text, in bytes.
fn length(slot: Option<&Slot>) -> u64 {
    match slot {
        // `http` or `https`; `1.3`.
        Some(Slot::Scheme | Slot::TlsVersion) => 8,
        // The longest IPv6 address as text.
        Some(Slot::Ip) => 45,
        // DNS names (RFC 1035 section 2.3.4).
        Some(Slot::Host | Slot::Sni) => 255,
        // A SPIFFE ID (SPIFFE-ID section 2.3), and its parts.
        Some(Slot::Principal | Slot::TrustDomain) => 2_048,
        Some(Slot::Size | Slot::DestinationPort | Slot::Mtls | Slot::Now) => 0,
        _ => VALUE,
    }
}

fn literal(literal: &super::Literal) -> u64 {
    match literal {
        super::Literal::Text(text) => text.len() as u64,
        _ => 0,
    }
}
