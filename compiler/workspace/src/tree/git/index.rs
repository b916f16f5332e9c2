//! The index: what is staged, and which files a sparse checkout left out.

use std::collections::BTreeMap;
use std::path::Path;

use git2::Oid;

use super::walk::{Staged, StagedEntry};
use super::words::words;
use crate::tree::error::TreeError;
use crate::tree::snapshot::listed;

/// The index of a work tree.
pub(super) struct Index {
    index: git2::Index,
}

impl Index {
    /// Reads an index. One that is not there is empty.
    ///
    /// # Errors
    /// For one that cannot be read, such as a sparse or a split one.
    pub(super) fn open(path: &Path) -> Result<Self, TreeError> {
        let unreadable = |e: git2::Error| TreeError::Index { path: path.to_owned(), reason: words(&e) };
        git2::Index::open(path).map(|index| Self { index }).map_err(unreadable)
    }

    /// The entries below a folder of the work tree, as a commit would have them: what is only intended to be added is not
    /// among them.
    ///
    /// # Errors
    /// For files with conflicts.
    pub(super) fn staged(&self, folder: &str) -> Result<Staged, TreeError> {
        let mut all = Staged::new();
        let mut conflicts = Vec::new();
        for entry in self.index.iter() {
            let Some(below) = below(&entry.path, folder) else { continue };
            if stage(&entry) > 0 {
                let path = String::from_utf8_lossy(&entry.path).into_owned();
                if conflicts.last() != Some(&path) {
                    conflicts.push(path);
                }
            } else if !extended(&entry, git2::IndexEntryExtendedFlag::INTENT_TO_ADD) {
                insert(&mut all, below, entry.mode, entry.id);
            }
        }
        if conflicts.is_empty() { Ok(all) } else { Err(TreeError::Conflicts { paths: listed(&conflicts) }) }
    }

    /// The blob that is staged at a path.
    pub(super) fn blob(&self, path: &str) -> Option<Oid> {
        self.index.get_path(Path::new(path), 0).map(|entry| entry.id)
    }

    /// Paths below a folder that the checkout leaves out (`skip-worktree`).
    pub(super) fn left_out(&self, folder: &str) -> Vec<String> {
        let below = self.index.iter().filter(|entry| below(&entry.path, folder).is_some());
        let skipped = below.filter(|entry| extended(entry, git2::IndexEntryExtendedFlag::SKIP_WORKTREE));
        skipped.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect()
    }

    /// Paths of submodules below a folder.
    pub(super) fn submodules(&self, folder: &str) -> Vec<String> {
        let below = self.index.iter().filter(|entry| below(&entry.path, folder).is_some());
        let modules = below.filter(|entry| entry.mode == super::walk::SUBMODULE);
        modules.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect()
    }
}

/// The path of an entry below a folder; none for one that lies elsewhere.
fn below<'p>(path: &'p [u8], folder: &str) -> Option<&'p [u8]> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder.as_bytes())?.strip_prefix(b"/") }
}

/// The stage of an entry (gitformat-index(5)): 0, or a side of a conflict.
fn stage(entry: &git2::IndexEntry) -> u16 {
    (entry.flags >> 12) & 3
}

fn extended(entry: &git2::IndexEntry, flag: git2::IndexEntryExtendedFlag) -> bool {
    entry.flags_extended & flag.bits() != 0
}

/// Puts a file in its folders.
fn insert(all: &mut Staged, path: &[u8], mode: u32, id: Oid) {
    let mut folder = all;
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            folder.insert(part.to_vec(), StagedEntry::File(mode, id));
            return;
        }
        let inner = folder.entry(part.to_vec()).or_insert_with(|| StagedEntry::Folder(BTreeMap::new()));
        match inner {
            StagedEntry::Folder(inner) => folder = inner,
            // No index has a file that is a folder too.
            StagedEntry::File(..) => return,
        }
    }
}
