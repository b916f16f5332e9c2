//! Checks over whole meshes: rules that never match, organisation policies, tests.

mod dead;
mod policy;
mod tests;

use crate::diag::Diagnostic;
use crate::model::Model;

pub use policy::Policies;
pub use tests::{Expect, Stage, TestCase};

/// Runs every check of one environment that is not part of lowering. Policies are asked beside it: what they find is said
/// once for all environments ([`Policies`]).
pub fn check(model: &Model<'_>, findings: &mut Vec<Diagnostic>) {
    dead::check(model, findings);
}

/// The cases of the tests that are about the model's environment.
pub fn cases(model: &Model<'_>, findings: &mut Vec<Diagnostic>) -> Vec<TestCase> {
    tests::cases(model, findings)
}
