//! Files from git objects. Nothing is checked out, no filter, hook or attribute has an effect, and
//! every object is bounded before it is read.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use git2::{ObjectType, Oid, Tree};
use mesh_bundle::manifest::Source;

use super::error::{COMMITS, GenerationError, TreeError};
use super::snapshot::{
    BYTES, Commit, DEPTH, ENTRIES, FILES, NOT_REGULAR, Refused, Snapshot, TWICE, is_spec, unusable,
};

/// Largest blob that is read; the compiler refuses smaller ones in words.
const BLOB: usize = 8 << 20;
/// Tags of tags that are followed.
const TAGS: usize = 64;

/// A git repository.
pub(super) struct Repository {
    repository: git2::Repository,
    /// The mesh's folder below the top level, with `/`; empty for the top level and bare ones.
    folder: String,
}

impl Repository {
    /// Opens the repository that `folder` lies in.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(super) fn open(folder: &Path) -> Result<Self, TreeError> {
        let repository = git2::Repository::discover(folder).map_err(|e| TreeError::NoRepository {
            folder: folder.to_owned(),
            reason: e.message().to_owned(),
        })?;
        let mut opened = Self { repository, folder: String::new() };
        opened.folder = opened.prefix_of(folder).unwrap_or_default();
        Ok(opened)
    }

    /// Like [`Self::open`]; `None` outside a repository.
    pub(super) fn open_if_any(folder: &Path) -> Option<Self> {
        Self::open(folder).ok()
    }

    /// The path of `folder` below the top level, with `/`; `None` outside of the work tree.
    pub(super) fn prefix_of(&self, folder: &Path) -> Option<String> {
        let top = self.repository.workdir()?.canonicalize().ok()?;
        let folder = folder.canonicalize().ok()?;
        let parts = folder.strip_prefix(top).ok()?.components().map(|part| match part {
            Component::Normal(name) => name.to_str().map(str::to_owned),
            _ => None,
        });
        Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
    }

    /// The top level of the work tree; `None` for a bare repository.
    pub(super) fn top(&self) -> Option<PathBuf> {
        self.repository.workdir()?.canonicalize().ok()
    }

    /// The mesh's files at a revision: what `git rev-parse` takes for a commit, or `COMMIT:FOLDER` where the mesh lies
    /// in a folder of a bare repository.
    ///
    /// # Errors
    /// For a revision that is none, an object that is missing or corrupt, and past the bounds.
    pub(super) fn snapshot(&self, rev: &str) -> Result<Snapshot, TreeError> {
        let (rev, folder) = self.split(rev);
        let commit = self.commit(rev)?;
        let top = commit.tree().map_err(|e| broken(&e))?;
        let tree = if folder.is_empty() {
            top
        } else {
            let missing = |_| TreeError::NoFolder { rev: rev.to_owned(), folder: folder.to_owned() };
            let entry = top.get_path(Path::new(folder)).map_err(missing)?;
            self.repository.find_tree(entry.id()).map_err(missing)?
        };
        let mut walk = Walk {
            repository: &self.repository,
            files: Vec::new(),
            refused: Vec::new(),
            bytes: 0,
            entries: 0,
        };
        walk.tree(&tree, folder, 0)?;
        walk.files.sort();
        let source = Source {
            commit: commit.id().to_string(),
            tree: tree.id().to_string(),
            held: std::collections::BTreeMap::new(),
        };
        let commit = Commit { source, seconds: commit.committer().when().seconds() };
        Ok(Snapshot { files: walk.files, refused: walk.refused, commit: Some(commit) })
    }

    /// First-parent commits up to `rev`, itself included; `None` for a revision that is none.
    pub(super) fn generation_of(&self, rev: &str) -> Option<Result<u64, GenerationError>> {
        let id = self.commit(self.split(rev).0).ok()?.id();
        Some(self.generation(id))
    }

    /// Revision and folder. A bare repository has no work tree to stand in, so the folder is part of the revision.
    fn split<'a>(&'a self, rev: &'a str) -> (&'a str, &'a str) {
        match rev.split_once(':') {
            Some((commit, folder))
                if self.repository.is_bare() && !commit.is_empty() && !commit.contains("^{/") =>
            {
                (commit, folder.trim_matches('/'))
            }
            _ => (rev, self.folder.as_str()),
        }
    }

    fn commit(&self, rev: &str) -> Result<git2::Commit<'_>, TreeError> {
        let unknown =
            |e: git2::Error| TreeError::NoRevision { rev: rev.to_owned(), reason: e.message().to_owned() };
        let mut object = self.repository.revparse_single(rev).map_err(unknown)?;
        for _ in 0..TAGS {
            let Some(tag) = object.as_tag() else { break };
            object = tag.target().map_err(|e| broken(&e))?;
        }
        let kind = object.kind().map_or("nothing", |k| k.str());
        object.into_commit().map_err(|_| TreeError::NotACommit { rev: rev.to_owned(), kind })
    }

    /// First-parent commits up to `from`, itself included.
    fn generation(&self, from: Oid) -> Result<u64, GenerationError> {
        if self.repository.is_shallow() {
            return Err(GenerationError::Shallow);
        }
        let mut walk = self.repository.revwalk().map_err(|e| broken_walk(&e))?;
        walk.simplify_first_parent().map_err(|e| broken_walk(&e))?;
        walk.push(from).map_err(|e| broken_walk(&e))?;
        let mut count = 0;
        for commit in walk {
            commit.map_err(|e| broken_walk(&e))?;
            count += 1;
            if count > COMMITS {
                return Err(GenerationError::TooMany);
            }
        }
        Ok(count)
    }
}

struct Walk<'r> {
    repository: &'r git2::Repository,
    files: Vec<(String, Vec<u8>)>,
    refused: Vec<Refused>,
    bytes: usize,
    entries: usize,
}

impl Walk<'_> {
    fn tree(&mut self, tree: &Tree<'_>, folder: &str, depth: usize) -> Result<(), TreeError> {
        if depth > DEPTH {
            return Err(TreeError::CommitDepth);
        }
        let mut names = BTreeSet::new();
        for entry in tree {
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(TreeError::CommitEntries);
            }
            let raw = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let path = if folder.is_empty() { raw.clone() } else { format!("{folder}/{raw}") };
            if let Some(why) = unusable(entry.name_bytes()) {
                self.refused.push(Refused { path, why: why.to_owned() });
                continue;
            }
            if !names.insert(raw.to_lowercase()) {
                self.refused.push(Refused { path, why: TWICE.to_owned() });
                continue;
            }
            match (entry.kind(), entry.filemode() & 0o170_000) {
                _ if raw.starts_with('.') => {}
                (Some(ObjectType::Tree), _) => {
                    let tree = self.repository.find_tree(entry.id()).map_err(|e| broken(&e))?;
                    self.tree(&tree, &path, depth + 1)?;
                }
                (_, 0o100_000) if is_spec(&raw) => self.blob(entry.id(), path)?,
                (_, 0o100_000) => {}
                (_, mode) => {
                    let what = match mode {
                        0o120_000 => "a symbolic link",
                        0o160_000 => "a submodule",
                        _ => "not a regular file",
                    };
                    let why = format!("it is {what}; {NOT_REGULAR}");
                    self.refused.push(Refused { path, why });
                }
            }
        }
        Ok(())
    }

    fn blob(&mut self, id: Oid, path: String) -> Result<(), TreeError> {
        let odb = self.repository.odb().map_err(|e| broken(&e))?;
        let (size, _) = odb.read_header(id).map_err(|e| broken(&e))?;
        if size > BLOB {
            let why = format!(
                "it has {size} bytes, and a file of a mesh has at most {}",
                mesh_bundle::limits::FILE_BYTES
            );
            self.refused.push(Refused { path, why });
            return Ok(());
        }
        let blob = self.repository.find_blob(id).map_err(|e| broken(&e))?;
        let content = blob.content();
        if content.starts_with(b"version https://git-lfs.github.com/spec/") {
            let why = "it is a Git LFS pointer, not the file".to_owned();
            self.refused.push(Refused { path, why });
            return Ok(());
        }
        self.bytes += content.len();
        if self.files.len() >= FILES || self.bytes > BYTES {
            return Err(TreeError::Size);
        }
        self.files.push((path, content.to_vec()));
        Ok(())
    }
}

fn broken(error: &git2::Error) -> TreeError {
    TreeError::Repository { reason: error.message().to_owned() }
}

fn broken_walk(error: &git2::Error) -> GenerationError {
    GenerationError::Repository { reason: error.message().to_owned() }
}
