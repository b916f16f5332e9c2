//! Callers as they are named on the command line.

use mesh_bundle::{Name, Owner, Program};
use mesh_compiler::diag::nearest;

use crate::failure::Failure;
use crate::text::clean;

/// A service, gateway or SPIFFE ID of this mesh and environment.
///
/// # Errors
/// For nobody of this mesh and environment.
pub(crate) fn caller(text: &str, program: &Program) -> Result<Owner, Failure> {
    let owner =
        if text.starts_with("spiffe://") { program.mesh.owner_of(text) } else { text.parse::<Owner>().ok() };
    let exists = |owner: &Owner| match owner {
        Owner::Service(name) => program.services.contains_key(name),
        Owner::Gateway(name) => program.gateways.contains_key(name),
    };
    owner.filter(exists).ok_or_else(|| {
        let message =
            format!("`{}` is not a service or gateway of `{}`", clean(text), program.mesh.environment);
        match nearest(text, program.services.keys().map(Name::as_str)) {
            Some(near) => Failure::cannot(message).help(format!("did you mean `{near}`?")),
            None => Failure::cannot(message),
        }
    })
}
