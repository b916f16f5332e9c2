//! What the parts of a check share.

use std::ops::Range;

use crate::cel::CelFinding;
use crate::cel::environment::Environment;
use crate::cel::typed::Typed;
use crate::cel::types::{Type, Unifier};
use crate::diag::codes;

/// The check of one expression, while it runs.
pub(super) struct Checker<'e> {
    pub(super) text: &'e str,
    pub(super) environment: &'e Environment,
    pub(super) unifier: Unifier,
    pub(super) findings: Vec<CelFinding>,
    /// Variables of the macros around a node, innermost last.
    pub(super) locals: Vec<(String, u32, Type)>,
    pub(super) numbers: u32,
    /// Places whose missing guard has been reported, by path and condition.
    pub(super) reported: Vec<(String, Range<usize>)>,
}

impl<'e> Checker<'e> {
    pub(super) fn new(text: &'e str, environment: &'e Environment) -> Self {
        Self {
            text,
            environment,
            unifier: Unifier::default(),
            findings: Vec::new(),
            locals: Vec::new(),
            numbers: 0,
            reported: Vec::new(),
        }
    }

    pub(super) fn finish(self, mut typed: Typed) -> (Typed, Vec<CelFinding>) {
        settle(&mut typed, &self.unifier);
        let mut findings = self.findings;
        // A name that is none may have stood in the guard.
        if findings.iter().any(|found| found.code == codes::CEL_UNKNOWN) {
            findings.retain(|found| found.code != codes::CEL_UNGUARDED);
        }
        (typed, findings)
    }
}

fn settle(typed: &mut Typed, unifier: &Unifier) {
    typed.ty = unifier.settle(&typed.ty);
    typed.parts_mut(&mut |part| settle(part, unifier));
}
