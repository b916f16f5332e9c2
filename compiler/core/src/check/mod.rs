//! Checks over whole meshes: rules that never match, organisation policies, tests.

mod dead;
mod policy;
mod tests;

use crate::diag::{Date, Diagnostic};
use crate::model::Model;

pub use tests::{Expect, Stage, TestCase};

/// Runs every check that is not part of lowering.
pub fn check(model: &Model<'_>, today: Option<Date>, findings: &mut Vec<Diagnostic>) {
    dead::check(model, findings);
    policy::check(model, today, findings);
}

/// The cases of the tests that are about the model's environment.
pub fn cases(model: &Model<'_>, findings: &mut Vec<Diagnostic>) -> Vec<TestCase> {
    tests::cases(model, findings)
}
