//! Checks over whole meshes: rules that never match, organisation policies.

mod dead;
mod policy;

use crate::diag::Diagnostic;
use crate::model::Model;

pub use policy::Policies;

/// Runs every check of one environment that is not part of lowering. Policies are asked beside it: what they find is said
/// once for all environments ([`Policies`]).
pub fn check(model: &Model<'_>, findings: &mut Vec<Diagnostic>) {
    dead::check(model, findings);
}
