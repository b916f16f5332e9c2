//! Why the files of a mesh cannot be read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::shell::quoted;
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
    /// A revision or the index outside of any repository.
    #[error("`{}` is in no git repository", .folder.display())]
    NoRepository {
        /// The folder.
        folder: PathBuf,
    },
    /// A repository of another user, which git does not read either.
    #[error("the repository `{}` belongs to another user (`{}` to user {owner}), and no `safe.directory` names it",
        .repository.display(), .path.display())]
    Owner {
        /// The repository: the top level of its work tree, or itself.
        repository: PathBuf,
        /// The path in it that is the other user's.
        path: PathBuf,
        /// The user, by number.
        owner: u32,
        /// Where a setting can be written: `--global`, or `--system` for a user without a home.
        scope: &'static str,
    },
    /// A repository of a form that cannot be read.
    #[error("the repository `{}` has {what}, which cannot be read", .repository.display())]
    Unsupported {
        /// The repository.
        repository: PathBuf,
        /// The form, with the setting that says so.
        what: String,
        /// The command that helps.
        remedy: String,
    },
    /// A `.git` file that leads to no repository.
    #[error("`{}` leads to `{}`, which is no git repository",
        .link.display(), .target.to_string_lossy().escape_debug())]
    GitLink {
        /// The file.
        link: PathBuf,
        /// The place that it names.
        target: PathBuf,
    },
    /// A variable that names nothing that is there.
    #[error("{name} names `{}`, and that cannot be opened: {reason}", .value.display())]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Settings of git that cannot be read.
    #[error("the git settings in `{}` cannot be read: {reason}", .place.escape_debug())]
    Settings {
        /// The file or variable.
        place: String,
        /// The reason.
        reason: String,
    },
    /// An index that cannot be read.
    #[error("the index `{}` cannot be read: {reason}", .path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The reason in the words of git's library.
        reason: String,
    },
    /// What is staged, in a repository without a work tree.
    #[error("`{}` is a bare repository, in which nothing is staged", .repository.display())]
    NoIndex {
        /// The repository.
        repository: PathBuf,
    },
    /// Files with conflicts, which have no staged content.
    #[error("there are conflicts in {paths}")]
    Conflicts {
        /// The files.
        paths: String,
    },
    /// A branch without a commit.
    #[error("`{}` is no commit: branch `{}` has none yet", .rev.escape_debug(), .branch.escape_debug())]
    Unborn {
        /// The revision.
        rev: String,
        /// The branch.
        branch: String,
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
    #[error("`{}` is not a revision of this repository: {}", .rev.escape_debug(), .because.as_ref().unwrap_or(.reason))]
    NoRevision {
        /// The text.
        rev: String,
        /// The reason in the words of git's library.
        reason: String,
        /// A better reason, where one is known.
        because: Option<String>,
        /// The command that brings it, where one may.
        remedy: Option<String>,
    },
    /// A revision that is a file.
    #[error("`{}` is a {kind}, not a commit or tree", .rev.escape_debug())]
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
    /// An object that is not there, for a known reason.
    #[error("the objects of `{}` are not there: {because}", .what.escape_debug())]
    Lacking {
        /// The revision or file.
        what: String,
        /// The reason.
        because: String,
        /// What brings them.
        remedy: String,
    },
    /// A missing or corrupt object.
    #[error("the repository cannot be read: {reason}")]
    Repository {
        /// The reason in the words of git's library.
        reason: String,
    },
}

impl TreeError {
    /// What to do, as far as it is known: mostly a command.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let git = |words: &str| format!("run `git {words}`");
        Some(match self {
            Self::NoMesh { .. } => "start one with `meshc init NAME`, or name its folder with -C DIR".to_owned(),
            Self::Read { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
                "what is no part of the mesh is listed in mesh.yaml: `ignore: [PATH]`".to_owned()
            }
            Self::Open { path, source } if source.kind() == ErrorKind::PermissionDenied => {
                format!("let this user read it, or run as its owner: `ls -ld {}`", shown(path))
            }
            Self::Owner { repository, scope, .. } => {
                git(&format!("config {scope} --add safe.directory {}", shown(repository)))
            }
            Self::Unsupported { remedy, .. } => format!("run `{remedy}`"),
            Self::Lacking { remedy, .. } if remedy.starts_with("git ") => format!("run `{remedy}`"),
            Self::Lacking { remedy, .. } => remedy.clone(),
            Self::GitLink { .. } => {
                "in the main work tree run `git worktree repair`, for a submodule `git submodule update --init`"
                    .to_owned()
            }
            Self::Variable { name, .. } => format!("unset it: `unset {name}`"),
            Self::Index { .. } => {
                "write it in the plain form: `git sparse-checkout reapply --no-sparse-index`, or \
                 `git update-index --no-split-index`"
                    .to_owned()
            }
            Self::NoIndex { .. } => "name a revision: --rev REV".to_owned(),
            Self::Conflicts { .. } => "resolve them, then `git add` them".to_owned(),
            Self::Unborn { .. } => "commit first; what is staged is read with --staged".to_owned(),
            Self::NoRevision { remedy: Some(remedy), .. } => format!("run `{remedy}`"),
            Self::NoFolder { rev, .. } => {
                format!("name the folder behind the revision: --rev {}:FOLDER", quoted(rev))
            }
            Self::Repository { .. } => git("fsck"),
            _ => return None,
        })
    }
}

fn shown(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// The commits up to a revision cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerationError {
    /// The history is cut.
    #[error("the clone is shallow, so its commits cannot be counted: fetch the whole history")]
    Shallow,
    /// A tree, which stands in no history.
    #[error("a tree that is no commit's has no commits to count")]
    Tree,
    /// More commits than are counted.
    #[error("more than {} commits", COMMITS)]
    TooMany,
    /// A missing or corrupt object.
    #[error("{reason}")]
    Repository {
        /// The reason in the words of git's library.
        reason: String,
    },
}
