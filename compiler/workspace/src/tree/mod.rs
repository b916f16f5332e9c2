//! The files of a mesh: from a folder, or from a git revision without touching the work tree.

mod error;
mod folder;
mod git;
mod place;
mod snapshot;

pub use error::{GenerationError, TreeError};
pub use place::{Origin, Place};
pub use snapshot::{BYTES, Commit, DEPTH, ENTRIES, FILES, Refused, Snapshot};
