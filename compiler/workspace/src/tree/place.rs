//! Where a mesh is, and where its files come from.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::error::{GenerationError, TreeError};
use super::folder;
use super::git::Repository;
use super::snapshot::{Commit, Snapshot};

/// Provenance of a snapshot by git.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The commit whose files the snapshot holds; absent outside git and for a work tree that differs from it.
    pub commit: Option<Commit>,
    /// First-parent commits up to the commit; `None` outside git, an error for a shallow clone.
    pub generation: Option<Result<u64, GenerationError>>,
    /// The work tree is in git and differs from its commit.
    pub dirty: bool,
}

/// Location of a mesh: its folder, and the repository and revision where there is one.
#[derive(Debug, Clone)]
pub struct Place {
    /// The mesh's folder; for a bare repository the repository itself.
    pub folder: PathBuf,
    /// The git revision to read instead of the folder.
    pub rev: Option<String>,
}

impl Place {
    /// The nearest folder from `start` upwards whose `mesh.yaml` says what the mesh is, or the place of a revision.
    /// Services have files of that name too; where none says it, the outermost one of the repository is meant.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(start: &Path, rev: Option<String>) -> Result<Self, TreeError> {
        let start =
            start.canonicalize().map_err(|source| TreeError::Open { path: start.to_owned(), source })?;
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
        Err(TreeError::NoMesh { start })
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When the folder or the repository cannot be read, or a bound of a mesh is passed.
    pub fn read(&self) -> Result<Snapshot, TreeError> {
        match &self.rev {
            Some(rev) => Repository::open(&self.folder)?.snapshot(rev),
            None => folder::snapshot(&self.folder, &self.prefix()),
        }
    }

    /// The path of the mesh's folder below the git top level, with `/`; empty outside git.
    pub fn prefix(&self) -> String {
        Repository::open_if_any(&self.folder).and_then(|r| r.prefix_of(&self.folder)).unwrap_or_default()
    }

    /// Provenance of `snapshot`, which was read from here.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn origin(&self, snapshot: &Snapshot) -> Result<Origin, TreeError> {
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
