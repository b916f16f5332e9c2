//! Why the files of a mesh cannot be read.

use std::path::PathBuf;

use super::snapshot::{BYTES, DEPTH, ENTRIES, FILES};

/// First-parent commits that are counted.
pub(super) const COMMITS: u64 = 10_000_000;

/// The files of a mesh cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The folder from which the search starts.
    #[error("cannot open `{}`: {source}", .path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// No folder upwards of this one holds a mesh.
    #[error("there is no `mesh.yaml` in `{}` or above it", .start.display())]
    NoMesh {
        /// The folder from which the search started.
        start: PathBuf,
    },
    /// A file or folder that cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file or folder.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// Folders within folders past [`DEPTH`].
    #[error("`{folder}` is nested deeper than {} folders", DEPTH)]
    FolderDepth {
        /// The innermost one.
        folder: String,
    },
    /// Entries of a folder past [`ENTRIES`].
    #[error("the mesh's folder has more than {} entries", ENTRIES)]
    FolderEntries,
    /// Files past [`FILES`], or bytes past [`BYTES`].
    #[error("the mesh has more than {} files or {} bytes", FILES, BYTES)]
    Size,
    /// A revision outside of any repository.
    #[error("`{}` is in no git repository: {reason}", .folder.display())]
    NoRepository {
        /// The folder.
        folder: PathBuf,
        /// The reason in git's words.
        reason: String,
    },
    /// The commit has no such folder.
    #[error("`{}` has no folder `{folder}`", .rev.escape_debug())]
    NoFolder {
        /// The revision.
        rev: String,
        /// The folder.
        folder: String,
    },
    /// A text that names no object of the repository.
    #[error("`{}` is not a revision of this repository: {reason}", .rev.escape_debug())]
    NoRevision {
        /// The text.
        rev: String,
        /// The reason in git's words.
        reason: String,
    },
    /// A revision that is a tree or a blob.
    #[error("`{}` is a {kind}, not a commit", .rev.escape_debug())]
    NotACommit {
        /// The revision.
        rev: String,
        /// What it is.
        kind: &'static str,
    },
    /// Folders of a commit past [`DEPTH`].
    #[error("folders of the commit are nested deeper than {}", DEPTH)]
    CommitDepth,
    /// Entries of a commit past [`ENTRIES`].
    #[error("the commit has more than {} entries", ENTRIES)]
    CommitEntries,
    /// A missing or corrupt object.
    #[error("the repository cannot be read: {reason}")]
    Repository {
        /// The reason in git's words.
        reason: String,
    },
}

/// The commits up to a revision cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerationError {
    /// The history is cut.
    #[error("the clone is shallow, so its commits cannot be counted: fetch the whole history")]
    Shallow,
    /// More commits than are counted.
    #[error("more than {} commits", COMMITS)]
    TooMany,
    /// A missing or corrupt object.
    #[error("{reason}")]
    Repository {
        /// The reason in git's words.
        reason: String,
    },
}
