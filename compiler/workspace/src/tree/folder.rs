//! Files from a folder.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use super::error::TreeError;
use super::snapshot::{
    BYTES, DEPTH, ENTRIES, FILES, NOT_REGULAR, Refused, Snapshot, TWICE, is_spec, unusable,
};

/// Largest file that is read to the end; the compiler refuses smaller ones in words.
const FILE: u64 = 8 << 20;

/// Reads every spec file below `folder`, hidden folders and files left out. `prefix` stands before their paths.
pub(super) fn snapshot(folder: &Path, prefix: &str) -> Result<Snapshot, TreeError> {
    let mut walk = Walk { files: Vec::new(), refused: Vec::new(), bytes: 0, entries: 0 };
    walk.folder(folder, prefix, 0)?;
    walk.files.sort();
    Ok(Snapshot { files: walk.files, refused: walk.refused, commit: None })
}

struct Walk {
    files: Vec<(String, Vec<u8>)>,
    refused: Vec<Refused>,
    bytes: usize,
    entries: usize,
}

impl Walk {
    fn folder(&mut self, folder: &Path, shown: &str, depth: usize) -> Result<(), TreeError> {
        if depth > DEPTH {
            return Err(TreeError::FolderDepth { folder: shown.to_owned() });
        }
        let cannot = |source| TreeError::Read { path: folder.display().to_string(), source };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(cannot)? {
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(TreeError::FolderEntries);
            }
            entries.push(entry.map_err(cannot)?);
        }
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut names = BTreeSet::new();
        for entry in entries {
            let raw = entry.file_name();
            let name = raw.to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
            if let Some(why) = unusable(raw.as_encoded_bytes()) {
                self.refused.push(Refused { path, why: why.to_owned() });
                continue;
            }
            if !names.insert(name.to_lowercase()) {
                self.refused.push(Refused { path, why: TWICE.to_owned() });
                continue;
            }
            let kind = entry.file_type().map_err(cannot)?;
            if kind.is_dir() {
                if entry.path().join(".git").exists() {
                    self.refused
                        .push(Refused { path, why: format!("it is another repository; {NOT_REGULAR}") });
                } else {
                    self.folder(&entry.path(), &path, depth + 1)?;
                }
            } else if is_spec(&name) && kind.is_file() {
                self.file(&entry.path(), path)?;
            } else if !kind.is_file() {
                let what = if kind.is_symlink() { "a symbolic link" } else { "not a regular file" };
                self.refused.push(Refused { path, why: format!("it is {what}; {NOT_REGULAR}") });
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, path: String) -> Result<(), TreeError> {
        let cannot = |source| TreeError::Read { path: path.clone(), source };
        let mut bytes = Vec::new();
        std::fs::File::open(from).map_err(cannot)?.take(FILE).read_to_end(&mut bytes).map_err(cannot)?;
        self.bytes += bytes.len();
        if self.files.len() >= FILES || self.bytes > BYTES {
            return Err(TreeError::Size);
        }
        self.files.push((path, bytes));
        Ok(())
    }
}
