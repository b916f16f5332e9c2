//! Callers as they are named on the command line.

use std::fmt;

use mesh_bundle::{Name, Owner, Program};
use mesh_compiler::diag::nearest;

use crate::failure::Failure;
use crate::text::clean;

/// Somebody who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A service or gateway of the mesh.
    Owner(Owner),
    /// A stranger, without an identity of the mesh.
    External,
}

impl Caller {
    /// `external`, or whom [`caller`] reads.
    ///
    /// # Errors
    /// For nobody of this mesh and environment.
    pub(crate) fn of(text: &str, program: &Program) -> Result<Self, Failure> {
        if text == EXTERNAL { Ok(Self::External) } else { caller(text, program).map(Self::Owner) }
    }

    /// The service or gateway that `callee` sees. A gateway's public door sees no identity.
    pub(crate) fn at(&self, callee: &Owner) -> Option<&Owner> {
        match (self, callee) {
            (Self::Owner(owner), Owner::Service(_)) => Some(owner),
            (Self::Owner(_), Owner::Gateway(_)) | (Self::External, _) => None,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => owner.fmt(f),
            Self::External => f.write_str(EXTERNAL),
        }
    }
}

/// The word for strangers, as in `from` of an access entry.
const EXTERNAL: &str = "external";

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
