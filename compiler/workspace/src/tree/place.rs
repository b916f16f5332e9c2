//! The files of a mesh: from a folder, or from a git revision without touching the work tree.

mod folder;
mod git;
mod snapshot;

use std::io::Read as _;
use std::path::{Path, PathBuf};

pub(crate) use folder::{read_small, replace_file};
use git::Repository;
pub(crate) use snapshot::{Commit, Snapshot};

use crate::failure::Failure;

/// Provenance of a snapshot by git.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The commit whose files the snapshot holds; absent outside git and for a work tree that differs from it.
    pub(crate) commit: Option<Commit>,
    /// First-parent commits up to the commit; `None` outside git, an error in words for a shallow clone.
    pub(crate) generation: Option<Result<u64, String>>,
    /// The work tree is in git and differs from its commit.
    pub(crate) dirty: bool,
}

/// Location of a mesh: its folder, and the repository and revision where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The mesh's folder; for a bare repository the repository itself.
    pub(crate) folder: PathBuf,
    /// The git revision to read instead of the folder.
    pub(crate) rev: Option<String>,
}

impl Place {
    /// The nearest folder from `start` upwards whose `mesh.yaml` says what the mesh is, or the place of a revision.
    /// Services have files of that name too; where none says it, the outermost one of the repository is meant.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(start: &Path, rev: Option<String>) -> Result<Self, Failure> {
        let start = start
            .canonicalize()
            .map_err(|e| Failure::cannot(format!("cannot open `{}`: {e}", start.display())))?;
        // A mesh is looked for in the repository of `start`, never in one around it.
        let top = Repository::open_if_any(&start).and_then(|r| r.top());
        let inside = |folder: &&Path| top.as_ref().is_none_or(|top| folder.starts_with(top));
        let folders = || start.ancestors().take_while(inside).filter(|f| f.join("mesh.yaml").is_file());
        let says = folders().find(|folder| says_mesh(&folder.join("mesh.yaml")));
        let found = says.or_else(|| if top.is_some() { folders().last() } else { folders().next() });
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
            None => folder::snapshot(&self.folder, &self.prefix()),
        }
    }

    /// The path of the mesh's folder below the git top level, with `/`; empty outside git.
    pub(crate) fn prefix(&self) -> String {
        Repository::open_if_any(&self.folder).and_then(|r| r.prefix_of(&self.folder)).unwrap_or_default()
    }

    /// Provenance of `snapshot`, which was read from here.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub(crate) fn origin(&self, snapshot: &Snapshot) -> Result<Origin, Failure> {
        let Some(repository) = Repository::open_if_any(&self.folder) else { return Ok(Origin::default()) };
        let rev = self.rev.as_deref().unwrap_or("HEAD");
        // A repository without a commit has no origin to name.
        let Some(generation) = repository.generation_of(rev) else { return Ok(Origin::default()) };
        let mut origin = Origin { generation: Some(generation), ..Origin::default() };
        if snapshot.commit.is_some() {
            origin.commit.clone_from(&snapshot.commit);
            return Ok(origin);
        }
        // The work tree is the commit's where all its files are.
        match repository.snapshot(rev) {
            Ok(head) if head.files == snapshot.files => origin.commit = head.commit,
            _ => origin.dirty = true,
        }
        Ok(origin)
    }
}

/// Whether a file has a line `kind: Mesh`. Read by line and not as YAML: a file with mistakes is found all the same.
fn says_mesh(file: &Path) -> bool {
    let mut text = Vec::new();
    let most = mesh_bundle::limits::FILE_BYTES as u64;
    let read = std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut text));
    let says = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        let value = line.strip_prefix("kind:").unwrap_or_default();
        value.trim().trim_matches(['"', '\'']) == "Mesh"
    };
    read.is_ok() && String::from_utf8_lossy(&text).lines().any(says)
}
