//! The files of a mesh: from a folder, from git's index, or from a revision without touching the work tree.

mod error;
mod folder;
mod git;
mod ignore;
mod place;
mod remark;
mod shell;
mod snapshot;

pub use error::{GenerationError, TreeError};
pub use git::GitEnvironment;
pub use ignore::Ignored;
pub use place::{Origin, Place, Which};
pub use remark::Remark;
pub(crate) use snapshot::listed;
pub use snapshot::{BYTES, Commit, DEPTH, ENTRIES, FILES, Refused, Snapshot};
