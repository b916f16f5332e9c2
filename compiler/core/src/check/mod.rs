//! Checks over whole meshes: rules that never match, organisation policies.

mod dead;
mod denied;
mod policy;

use mesh_bundle::Program;

use crate::diag::Diagnostic;
use crate::model::Model;

pub use policy::Policies;

/// Runs every check of one environment that is not part of lowering; `program` is what lowering made of it. Policies are
/// asked beside it: what they find is said once for all environments ([`Policies`]).
pub fn check(model: &Model<'_>, program: Option<&Program>, findings: &mut Vec<Diagnostic>) {
    dead::check(model, findings);
    if let Some(program) = program {
        denied::check(model, program, findings);
    }
}
