//! The files of a mesh: from a folder, or from a git revision without touching the work tree.

mod folder;
mod git;

use std::path::{Path, PathBuf};

use mesh_bundle::manifest::Source;

pub(crate) use folder::replace_file;
pub(crate) use git::Repository;

use crate::failure::Failure;

/// Files that one mesh may have.
pub(crate) const FILES: usize = 20_000;
/// Bytes that all of them may have together.
pub(crate) const BYTES: usize = 256 << 20;
/// Entries of folders that are looked at while searching for them.
pub(crate) const ENTRIES: usize = 200_000;
/// Folders within folders.
pub(crate) const DEPTH: usize = 32;

/// The files of one mesh at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// YAML files by path (relative to the git top level, outside git to the mesh's folder), sorted.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// The commit that they are of; absent outside git and for a work tree that differs from it.
    pub(crate) source: Option<Source>,
    /// First-parent commits up to the commit; `None` outside git, an error in words for a shallow clone.
    pub(crate) generation: Option<Result<u64, String>>,
    /// The committer's date of the commit, in days since 1970-01-01.
    pub(crate) commit_day: Option<i64>,
    /// Files that no mesh holds: symbolic links, submodules, names that no file system takes.
    pub(crate) refused: Vec<Refused>,
    /// The work tree is in git and differs from its commit.
    pub(crate) dirty: bool,
}

/// A file that cannot be part of a mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its path.
    pub(crate) path: String,
    /// Why.
    pub(crate) why: String,
}

/// Where the files are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The mesh's folder; for a bare repository the repository itself.
    pub(crate) folder: PathBuf,
    /// The git revision to read instead of the folder.
    pub(crate) rev: Option<String>,
}

impl Place {
    /// The nearest folder from `start` upwards that has a `mesh.yaml`, or the place of a revision.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(start: &Path, rev: Option<String>) -> Result<Self, Failure> {
        let start = start
            .canonicalize()
            .map_err(|e| Failure::cannot(format!("cannot open `{}`: {e}", start.display())))?;
        let found = start.ancestors().find(|folder| folder.join("mesh.yaml").is_file());
        if let Some(folder) = found {
            return Ok(Self { folder: folder.to_owned(), rev });
        }
        if rev.is_some() {
            return Ok(Self { folder: start, rev });
        }
        Err(Failure::cannot(format!("there is no `mesh.yaml` in `{}` or above it", start.display()))
            .help("start one with `meshc init NAME`, or name its folder with -C DIR"))
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When the folder or the repository cannot be read, or a bound of this module is passed.
    pub(crate) fn read(&self) -> Result<Snapshot, Failure> {
        match &self.rev {
            Some(rev) => Repository::open(&self.folder)?.snapshot(rev),
            None => {
                let found = Repository::open_if_any(&self.folder);
                folder::snapshot(&self.folder, found.as_ref())
            }
        }
    }
}

/// True for a file that the compiler reads.
fn is_spec(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
}
