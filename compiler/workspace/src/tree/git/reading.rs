//! The files of a mesh at a revision, in the index, and what git knows of those in a work tree.

use std::collections::BTreeMap;
use std::path::Path;

use git2::Oid;
use mesh_bundle::manifest::Source;

use super::index::Index;
use super::opened::Repository;
use super::walk::Walk;
use super::words::words;
use super::{convert, revision};
use crate::tree::error::{COMMITS, GenerationError, TreeError};
use crate::tree::ignore::Ignored;
use crate::tree::snapshot::{Commit, Refused, Snapshot, is_spec};

impl Repository {
    /// The mesh's files at a revision.
    ///
    /// # Errors
    /// For a revision that is none, an object that is missing or corrupt, and past the bounds.
    pub(in crate::tree) fn snapshot(&self, rev: &str) -> Result<Snapshot, TreeError> {
        let named = revision::named(self, rev)?;
        let folder = named.folder.as_str();
        let tree = if folder.is_empty() {
            named.tree
        } else {
            let missing = |_| TreeError::NoFolder { rev: rev.to_owned(), folder: folder.to_owned() };
            let entry = named.tree.get_path(Path::new(folder)).map_err(missing)?;
            self.libgit2.find_tree(entry.id()).map_err(missing)?
        };
        let says = tree.get_name("mesh.yaml").and_then(|entry| self.content(entry.id()));
        let ignored = Ignored::of(folder, says.as_deref().unwrap_or_default());
        let mut walk = Walk::new(self, &ignored);
        walk.tree(&tree, folder, 0)?;
        let source = |commit: &git2::Commit<'_>| Source {
            commit: commit.id().to_string(),
            tree: tree.id().to_string(),
            held: BTreeMap::new(),
        };
        let commit = named.commit.as_ref();
        let commit = commit.map(|c| Commit { source: source(c), seconds: c.committer().when().seconds() });
        let mut snapshot = Snapshot::of(walk.files, walk.refused, ignored);
        snapshot.commit = commit;
        snapshot.remarks = self.remarks();
        snapshot.remarks.extend(revision::ambiguous(self, rev));
        Ok(snapshot)
    }

    /// The mesh's files as they are staged.
    ///
    /// # Errors
    /// For a bare repository, conflicts, an index that cannot be read, and past the bounds.
    pub(in crate::tree) fn staged(&self) -> Result<Snapshot, TreeError> {
        if self.top.is_none() {
            return Err(TreeError::NoIndex { repository: self.found.directory.clone() });
        }
        let index = Index::open(&self.index_file())?;
        let mesh = format!("{}/mesh.yaml", self.folder);
        let says = index.blob(mesh.trim_start_matches('/')).and_then(|id| self.content(id));
        let ignored = Ignored::of(&self.folder, says.as_deref().unwrap_or_default());
        let mut walk = Walk::new(self, &ignored);
        walk.staged(&index.staged(&self.folder)?, &self.folder, 0)?;
        Ok(Snapshot::of(walk.files, walk.refused, ignored))
    }

    /// What git knows of files that were read from the work tree: those that a checkout converted get the bytes of the
    /// commit, submodules are refused although nothing is in their folders, and what a sparse checkout left out is told.
    ///
    /// # Errors
    /// When objects or the index cannot be read.
    pub(in crate::tree) fn look_at(&self, snapshot: &mut Snapshot) -> Result<(), TreeError> {
        if self.top.is_none() {
            return Ok(());
        }
        self.take_back_conversions(snapshot)?;
        let sparse = self.settings.bool("core.sparsecheckout") == Some(true);
        let modules = self.top.as_ref().is_some_and(|top| top.join(".gitmodules").exists());
        if !sparse && !modules {
            return Ok(());
        }
        let index = match Index::open(&self.index_file()) {
            Ok(index) => index,
            // A sparse index names folders only; then what the commit has and the disk has not was left out.
            Err(_) if sparse => return self.missing_of_commit(snapshot),
            Err(error) => return Err(error),
        };
        for path in index.submodules(&self.folder) {
            let known = snapshot.refused.iter().any(|refused| refused.path == path);
            if !known && !is_hidden(&path, &self.folder) && !snapshot.ignored.covers(&path) {
                snapshot.refused.push(Refused::submodule(path));
            }
        }
        if sparse {
            snapshot.hidden = index.left_out(&self.folder);
            self.only_missing(snapshot);
        }
        Ok(())
    }

    /// First-parent commits up to `rev`, itself included; none for a branch without a commit.
    ///
    /// # Errors
    /// For a revision that is none.
    pub(in crate::tree) fn generation_of(
        &self,
        rev: &str,
    ) -> Result<Result<u64, GenerationError>, TreeError> {
        let named = revision::named(self, rev)?;
        Ok(match named.commit {
            Some(commit) => self.generation(commit.id()),
            None => Err(GenerationError::Tree),
        })
    }

    fn take_back_conversions(&self, snapshot: &mut Snapshot) -> Result<(), TreeError> {
        if self.unborn().is_some() || !snapshot.files.iter().any(|(_, file)| convert::may_be_converted(file))
        {
            return Ok(());
        }
        let tree = revision::named(self, "HEAD")?.tree;
        for (path, file) in snapshot.files.iter_mut().filter(|(_, file)| convert::may_be_converted(file)) {
            let Ok(entry) = tree.get_path(Path::new(path)) else { continue };
            let Some(blob) = self.content(entry.id()) else { continue };
            let conversion = convert::Conversion::of(&self.libgit2, path, &self.settings);
            if conversion.gives(file, &blob) {
                *file = blob;
            }
        }
        Ok(())
    }

    /// Takes for left out what the commit has and the disk has not.
    fn missing_of_commit(&self, snapshot: &mut Snapshot) -> Result<(), TreeError> {
        if self.unborn().is_none() {
            snapshot.hidden = self.snapshot("HEAD")?.files.into_iter().map(|(path, _)| path).collect();
            self.only_missing(snapshot);
        }
        Ok(())
    }

    /// Leaves only files of the mesh that were not read.
    fn only_missing(&self, snapshot: &mut Snapshot) {
        let Snapshot { files, hidden, ignored, .. } = snapshot;
        hidden.retain(|path| {
            is_spec(path.rsplit('/').next().unwrap_or(path))
                && !is_hidden(path, &self.folder)
                && !ignored.covers(path)
                && files.binary_search_by(|(there, _)| there.cmp(path)).is_err()
        });
    }

    fn generation(&self, from: Oid) -> Result<u64, GenerationError> {
        if self.is_shallow() {
            return Err(GenerationError::Shallow);
        }
        let broken = |e: &git2::Error| {
            let grafts =
                if self.has_grafts() { "; grafts (`info/grafts`) do not stand in for it" } else { "" };
            GenerationError::Repository { reason: format!("{}{grafts}", words(e)) }
        };
        let mut walk = self.libgit2.revwalk().map_err(|e| broken(&e))?;
        walk.simplify_first_parent().map_err(|e| broken(&e))?;
        walk.push(from).map_err(|e| broken(&e))?;
        let mut count = 0;
        for commit in walk {
            commit.map_err(|e| broken(&e))?;
            count += 1;
            if count > COMMITS {
                return Err(GenerationError::TooMany);
            }
        }
        Ok(count)
    }
}

/// Whether a path below a folder has a part that begins with a dot, which no mesh reads.
fn is_hidden(path: &str, folder: &str) -> bool {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.split('/').any(|part| part.starts_with('.'))
}
