//! Where a mesh is, and where its files come from.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::error::{GenerationError, TreeError};
use super::folder;
use super::git::{GitEnvironment, Repository};
use super::remark::Remark;
use super::snapshot::{Commit, Snapshot};

/// Provenance of a snapshot by git.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The commit whose files the snapshot holds; absent outside git and for files that differ from it.
    pub commit: Option<Commit>,
    /// First-parent commits up to the commit; `None` outside git and before the first commit, an error for a shallow
    /// clone.
    pub generation: Option<Result<u64, GenerationError>>,
    /// The files are in git and differ from the commit.
    pub dirty: bool,
    /// What a person should know about the repository.
    pub remarks: Vec<Remark>,
}

/// Which files of a mesh are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those of the folder.
    Files,
    /// Those that are staged in git's index.
    Staged,
    /// Those of a commit or tree.
    Revision(String),
}

/// Location of a mesh: its folder, and which of its files are read.
#[derive(Debug, Clone)]
pub struct Place {
    /// The mesh's folder; for a bare repository the repository itself.
    pub folder: PathBuf,
    /// Which files are read.
    pub which: Which,
    /// The path of the folder below the git top level.
    prefix: String,
    environment: GitEnvironment,
}

impl Place {
    /// The nearest folder from `start` upwards whose `mesh.yaml` says what the mesh is, or the place of a revision.
    /// Services have files of that name too; where none says it, the outermost one of the repository is meant.
    ///
    /// # Errors
    /// When there is none, and when `start` lies in a repository that may not or cannot be read.
    pub fn find(start: &Path, which: Which, environment: GitEnvironment) -> Result<Self, TreeError> {
        let start =
            start.canonicalize().map_err(|source| TreeError::Open { path: start.to_owned(), source })?;
        let repository = Repository::open(&start, &environment)?;
        // A mesh is looked for in the repository of `start`, never in one around it.
        let top = repository.as_ref().and_then(Repository::top);
        let inside = |folder: &&Path| top.is_none_or(|top| folder.starts_with(top));
        let folders = || start.ancestors().take_while(inside).filter(|f| f.join("mesh.yaml").is_file());
        let says = folders().find(|folder| says_mesh(&folder.join("mesh.yaml")));
        let found = says.or_else(|| if top.is_some() { folders().last() } else { folders().next() });
        let folder = match found {
            Some(folder) => folder.to_owned(),
            None if which != Which::Files => start,
            None => return Err(TreeError::NoMesh { start }),
        };
        let prefix = repository.and_then(|repository| repository.prefix_of(&folder)).unwrap_or_default();
        Ok(Self { folder, which, prefix, environment })
    }

    /// The same mesh at a revision.
    #[must_use]
    pub fn at(&self, rev: &str) -> Self {
        Self { which: Which::Revision(rev.to_owned()), ..self.clone() }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When the folder or the repository cannot be read, or a bound of a mesh is passed.
    pub fn read(&self) -> Result<Snapshot, TreeError> {
        let repository = self.repository()?;
        let needed = || TreeError::NoRepository { folder: self.folder.clone() };
        match &self.which {
            Which::Revision(rev) => repository.ok_or_else(needed)?.snapshot(rev),
            Which::Staged => repository.ok_or_else(needed)?.staged(),
            Which::Files => {
                let mut snapshot = folder::snapshot(&self.folder, &self.prefix)?;
                if let Some(repository) = repository {
                    repository.look_at(&mut snapshot)?;
                }
                Ok(snapshot)
            }
        }
    }

    /// The path of the mesh's folder below the git top level, with `/`; empty outside git.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Provenance of `snapshot`, which was read from here.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn origin(&self, snapshot: &Snapshot) -> Result<Origin, TreeError> {
        let Some(repository) = self.repository()? else { return Ok(Origin::default()) };
        let rev = match &self.which {
            Which::Revision(rev) => rev.as_str(),
            Which::Files | Which::Staged => match repository.unborn() {
                Some(branch) => {
                    return Ok(Origin { remarks: vec![Remark::Unborn { branch }], ..Origin::default() });
                }
                None => "HEAD",
            },
        };
        let mut origin = Origin { generation: Some(repository.generation_of(rev)?), ..Origin::default() };
        if matches!(self.which, Which::Revision(_)) {
            origin.commit.clone_from(&snapshot.commit);
            return Ok(origin);
        }
        // The files are the commit's where all are; a commit without the mesh's folder has none of them.
        match repository.snapshot(rev) {
            Ok(head) => {
                origin.dirty = head.files != snapshot.files;
                origin.commit = head.commit.filter(|_| !origin.dirty);
                origin.remarks = head.remarks;
            }
            Err(TreeError::NoFolder { .. }) => origin.dirty = true,
            Err(error) => return Err(error),
        }
        Ok(origin)
    }

    fn repository(&self) -> Result<Option<Repository>, TreeError> {
        Repository::open(&self.folder, &self.environment)
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
