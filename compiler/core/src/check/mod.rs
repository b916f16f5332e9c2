//! Checks over whole meshes: parts that never match, name nobody, admit nobody or do nothing; organisation policies.

mod admission;
mod callers;
mod conditions;
mod dead;
mod denied;
mod headers;
mod idle;
mod known;
mod literal;
mod methods;
mod policy;
mod redirects;
mod retries;
mod sites;
mod values;

use crate::diag::Diagnostic;
use crate::lower::Lowered;
use crate::model::Model;
use crate::spec::Loaded;

pub use policy::Policies;

/// Runs every check of one environment that is not part of lowering. Policies are asked beside it: what they find is said
/// once for all environments ([`Policies`]).
pub fn check(loaded: &Loaded, model: &Model<'_>, lowered: Option<&Lowered>, findings: &mut Vec<Diagnostic>) {
    dead::check(model, findings);
    literal::check(model, findings);
    let Some(Lowered { program, .. }) = lowered else { return };
    let known = known::Known::new(model, program);
    let sites = sites::Sites::new(model, program);
    values::check(&sites, findings);
    headers::check(model, program, findings);
    callers::check(model, &sites, &known, findings);
    conditions::check(model, program, &sites, &known, findings);
    admission::check(loaded, model, program, &sites, findings);
    denied::check(model, program, findings);
    redirects::check(program, &sites, findings);
    retries::check(model, &sites, findings);
    idle::check(model, &sites, findings);
}

/// Runs every check of what is written, whatever the environment.
pub fn check_written(loaded: &Loaded, findings: &mut Vec<Diagnostic>) {
    idle::written(loaded, findings);
}
