//! Constants: what depends on no request is evaluated once, at compile time, and what cannot be right is said.

use std::ops::Range;

use super::CelFinding;
use super::check::type_of;
use super::evaluate::{self, Failure, NoVariables};
use super::typed::{Kind, Typed};
use super::value::{Fault, Value};
use crate::diag::codes;

/// Steps for all constants of one expression. A rule whose constants need more is a program.
pub(super) const STEPS: usize = 100_000;

/// Replaces every closed part by its value; a finding for each that has none, which stays. Takes what it spends from
/// `steps`.
pub(super) fn fold(typed: Typed, steps: &mut usize) -> (Typed, Vec<CelFinding>) {
    let mut findings = Vec::new();
    let folded = part(typed, &mut findings, steps);
    (folded, findings)
}

fn part(mut typed: Typed, findings: &mut Vec<CelFinding>, steps: &mut usize) -> Typed {
    if matches!(typed.kind, Kind::Constant(_) | Kind::Variable(_) | Kind::Local(_)) {
        return typed;
    }
    if !typed.is_open() {
        return match evaluate::evaluate_shared(&typed, &NoVariables, steps) {
            Ok(value) => Typed { kind: Kind::Constant(value), ..typed },
            Err(failure) => {
                findings.push(finding(&failure));
                typed
            }
        };
    }
    typed.parts_mut(&mut |inner| {
        let taken = std::mem::replace(inner, Typed { ty: inner.ty.clone(), range: 0..0, kind: Kind::Wrong });
        *inner = part(taken, findings, steps);
    });
    typed
}

/// The finding about a constant that has no value.
pub(super) fn finding(failure: &Failure) -> CelFinding {
    match &failure.fault {
        Fault::Budget => CelFinding::new(
            codes::CEL_COST,
            failure.range.clone(),
            "the constants of the expression take too long to work out",
        )
        .label("this part")
        .help("write the result"),
        fault => CelFinding::new(
            codes::CEL_CONSTANT,
            failure.range.clone(),
            format!("this is never a value: {fault}"),
        )
        .help("a constant is worked out when the rule is compiled"),
    }
}

/// `typed` with the variable `id` replaced by `by`.
pub(super) fn substitute(typed: &Typed, id: u32, by: &Typed) -> Typed {
    let mut copy = typed.clone();
    replace(&mut copy, id, by);
    copy
}

/// Number of nodes that [`substitute`] makes. Saturates.
pub(super) fn substituted_size(typed: &Typed, id: u32, by: &Typed) -> usize {
    let (mut size, mut times) = (0_usize, 0_usize);
    typed.walk(&mut |part| {
        size += 1;
        times += usize::from(matches!(part.kind, Kind::Local(local) if local == id));
    });
    let mut each = 0_usize;
    by.walk(&mut |_| each += 1);
    times.saturating_mul(each).saturating_add(size)
}

fn replace(typed: &mut Typed, id: u32, by: &Typed) {
    if matches!(typed.kind, Kind::Local(local) if local == id) {
        let range: Range<usize> = typed.range.clone();
        *typed = Typed { range, ..by.clone() };
        return;
    }
    typed.parts_mut(&mut |inner| replace(inner, id, by));
}

/// A constant where `like` stands.
pub(super) fn constant(value: Value, like: &Typed) -> Typed {
    Typed { ty: type_of(&value), range: like.range.clone(), kind: Kind::Constant(value) }
}
