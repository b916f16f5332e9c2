//! The files of a mesh: from a folder, or from a git revision without touching the work tree.

mod folder;
mod git;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use mesh_bundle::manifest::Source;

pub(crate) use folder::{read_small, replace_file};
use git::Repository;

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
    /// Files that no mesh holds: symbolic links, submodules, names that no file system takes.
    pub(crate) refused: Vec<Refused>,
    /// The commit that they were read from; absent for a folder.
    pub(crate) commit: Option<Commit>,
}

/// A commit from which a mesh is read.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// Commit and tree of the mesh's folder.
    pub(crate) source: Source,
    /// The committer's time in Unix seconds.
    pub(crate) seconds: i64,
}

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

/// A file that cannot be part of a mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Path of the file, relative as in [`Snapshot::files`].
    pub(crate) path: String,
    /// Reason of the refusal, for the message.
    pub(crate) why: String,
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

/// True for a file that the compiler reads.
fn is_spec(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

/// The reason that an entry of this name cannot be part of a mesh: names that a checkout could be led astray with
/// (git's own `verify_path`), and control characters.
fn unusable(name: &[u8]) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let Ok(text) = std::str::from_utf8(name) else { return Some("its name is not UTF-8") };
    if name.is_empty() || name.contains(&b'/') || name.contains(&b'\\') || matches!(name, b"." | b"..") {
        return Some("its name leads out of its folder");
    }
    if text.chars().any(mesh_compiler::diag::is_hidden) {
        return Some("its name holds a hidden character");
    }
    if matches!(lower.as_slice(), b".git" | b"git~1") {
        return Some("its name is git's own");
    }
    None
}

/// Two names that some file systems take for one.
const TWICE: &str = "two entries have this name, or differ in letter case only";
/// Reason of refusal for links, submodules, devices and the like.
const NOT_REGULAR: &str = "a mesh is made of regular files";
