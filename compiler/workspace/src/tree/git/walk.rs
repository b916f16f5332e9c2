//! From the entries of a tree to the files of a mesh. Nothing is checked out, no filter, hook or attribute has an effect,
//! and every object is bounded before it is read.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Tree};

use super::opened::Repository;
use crate::tree::error::TreeError;
use crate::tree::ignore::Ignored;
use crate::tree::snapshot::{BYTES, DEPTH, ENTRIES, FILES, NOT_REGULAR, Refused, TWICE, is_spec, unusable};

/// Largest blob that is read; the compiler refuses smaller ones in words.
const BLOB: usize = 8 << 20;

/// Entries of a folder of the index, by name.
pub(super) type Staged = BTreeMap<Vec<u8>, StagedEntry>;

/// What the index has under a name.
pub(super) enum StagedEntry {
    /// A folder.
    Folder(Staged),
    /// A file, link or submodule, by its mode.
    File(u32, Oid),
}

/// A walk over entries, and what it has found.
pub(super) struct Walk<'r> {
    repository: &'r Repository,
    ignored: &'r Ignored,
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) refused: Vec<Refused>,
    bytes: usize,
    entries: usize,
}

/// Names of one folder, in lower case.
type Names = BTreeSet<String>;

impl<'r> Walk<'r> {
    pub(super) fn new(repository: &'r Repository, ignored: &'r Ignored) -> Self {
        Self { repository, ignored, files: Vec::new(), refused: Vec::new(), bytes: 0, entries: 0 }
    }

    /// The files below a tree object whose path is `folder`.
    pub(super) fn tree(&mut self, tree: &Tree<'_>, folder: &str, depth: usize) -> Result<(), TreeError> {
        let mut names = Names::new();
        for entry in tree {
            let mode = entry.filemode().cast_unsigned();
            if let Some(path) = self.entry(&mut names, folder, entry.name_bytes(), mode, entry.id())? {
                let found = self.repository.libgit2.find_tree(entry.id());
                let tree = found.map_err(|e| self.repository.lacking(&e, &path))?;
                self.below(depth)?;
                self.tree(&tree, &path, depth + 1)?;
            }
        }
        Ok(())
    }

    /// The files below a folder of the index.
    pub(super) fn staged(&mut self, staged: &Staged, folder: &str, depth: usize) -> Result<(), TreeError> {
        let mut names = Names::new();
        for (name, entry) in staged {
            match entry {
                StagedEntry::File(mode, id) => {
                    self.entry(&mut names, folder, name, *mode, *id)?;
                }
                StagedEntry::Folder(inner) => {
                    if let Some(path) = self.entry(&mut names, folder, name, FOLDER, Oid::ZERO_SHA1)? {
                        self.below(depth)?;
                        self.staged(inner, &path, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn below(&self, depth: usize) -> Result<(), TreeError> {
        if depth + 1 > DEPTH { Err(TreeError::CommitDepth) } else { Ok(()) }
    }

    /// Takes or refuses one entry. The path of a folder that is to be walked through.
    fn entry(
        &mut self,
        names: &mut Names,
        folder: &str,
        name: &[u8],
        mode: u32,
        id: Oid,
    ) -> Result<Option<String>, TreeError> {
        self.entries += 1;
        if self.entries > ENTRIES {
            return Err(TreeError::CommitEntries);
        }
        let text = String::from_utf8_lossy(name).into_owned();
        let path = if folder.is_empty() { text.clone() } else { format!("{folder}/{text}") };
        if self.ignored.covers(&path) {
            return Ok(None);
        }
        let mut refuse = |why: String| self.refused.push(Refused { path: path.clone(), why });
        if let Some(why) = unusable(name) {
            refuse(why.to_owned());
            return Ok(None);
        }
        if !names.insert(text.to_lowercase()) {
            refuse(TWICE.to_owned());
            return Ok(None);
        }
        if text.starts_with('.') {
            return Ok(None);
        }
        match mode & KIND {
            FOLDER => return Ok(Some(path)),
            FILE if is_spec(&text) => self.blob(id, path)?,
            FILE => {}
            LINK => refuse(format!("it is a symbolic link; {NOT_REGULAR}")),
            SUBMODULE => self.refused.push(Refused::submodule(path)),
            _ => refuse(format!("it is not a regular file; {NOT_REGULAR}")),
        }
        Ok(None)
    }

    fn blob(&mut self, id: Oid, path: String) -> Result<(), TreeError> {
        let repository = self.repository;
        let odb = repository.libgit2.odb().map_err(|e| repository.lacking(&e, &path))?;
        let (size, _) = odb.read_header(id).map_err(|e| repository.lacking(&e, &path))?;
        if size > BLOB {
            let why = format!(
                "it has {size} bytes, and a file of a mesh has at most {}",
                mesh_bundle::limits::FILE_BYTES
            );
            self.refused.push(Refused { path, why });
            return Ok(());
        }
        let blob = repository.libgit2.find_blob(id).map_err(|e| repository.lacking(&e, &path))?;
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

/// The kind of a mode, and git's kinds.
const KIND: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
pub(super) const SUBMODULE: u32 = 0o160_000;
