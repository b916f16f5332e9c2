//! The preflight check: a child process that builds a bundle's engine and runs its self-tests before the proxy does.
//!
//! What kills, hangs or bloats the builder does so there, behind limits on memory, processor time and wall time; the
//! proxy hears of it in words and stays as it is. Rungs 5 and 6 of the ladder climb here first.

mod cancel;
mod child;
mod failure;
mod input;
mod parent;

pub use cancel::Cancel;
pub use child::{Limits, run};
pub use failure::Failure;
pub use input::{PreflightInput, Verdict};
pub use parent::{ChildPreflight, Preflight};

/// A preflight for tests whose program is no `mesh-proxy`.
#[cfg(test)]
pub(crate) struct InProcess;

#[cfg(test)]
impl Preflight for InProcess {
    fn check(&self, input: &PreflightInput<'_>, _: &Cancel) -> Result<usize, mesh_bundle::Refusal> {
        child::check(input)
    }
}
