//! Files from a folder.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::{BYTES, DEPTH, ENTRIES, FILES, Refused, Repository, Snapshot, is_spec};
use crate::failure::Failure;

/// Largest file that is read to the end; the compiler refuses smaller ones in words.
const FILE: u64 = 8 << 20;

/// Reads every spec file below `folder`, hidden folders left out.
pub(super) fn snapshot(folder: &Path, repository: Option<&Repository>) -> Result<Snapshot, Failure> {
    let prefix = repository.and_then(|r| r.prefix_of(folder)).unwrap_or_default();
    let mut walk = Walk { files: Vec::new(), refused: Vec::new(), bytes: 0, entries: 0 };
    walk.folder(folder, &prefix, 0)?;
    walk.files.sort();
    let mut snapshot = Snapshot {
        files: walk.files,
        source: None,
        generation: None,
        commit_day: None,
        refused: walk.refused,
        dirty: false,
    };
    // The work tree is the commit's where all its files are.
    if let Some(repository) = repository
        && let Ok(head) = repository.snapshot("HEAD")
    {
        snapshot.generation = head.generation;
        if head.files == snapshot.files {
            (snapshot.source, snapshot.commit_day) = (head.source, head.commit_day);
        } else {
            snapshot.dirty = true;
        }
    }
    Ok(snapshot)
}

struct Walk {
    files: Vec<(String, Vec<u8>)>,
    refused: Vec<Refused>,
    bytes: usize,
    entries: usize,
}

impl Walk {
    fn folder(&mut self, folder: &Path, shown: &str, depth: usize) -> Result<(), Failure> {
        if depth > DEPTH {
            return Err(Failure::cannot(format!("`{shown}` is nested deeper than {DEPTH} folders")));
        }
        let cannot = |e: std::io::Error| Failure::cannot(format!("cannot read `{}`: {e}", folder.display()));
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(cannot)? {
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(Failure::cannot(format!("the mesh's folder has more than {ENTRIES} entries")));
            }
            entries.push(entry.map_err(cannot)?);
        }
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            if name.starts_with('.') {
                continue;
            }
            let path = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
            let kind = entry.file_type().map_err(cannot)?;
            if kind.is_dir() {
                self.folder(&entry.path(), &path, depth + 1)?;
            } else if is_spec(&name) && kind.is_file() {
                self.file(&entry.path(), path)?;
            } else if is_spec(&name) || kind.is_symlink() {
                let why = "it is no regular file; a mesh is made of regular files".to_owned();
                self.refused.push(Refused { path, why });
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, path: String) -> Result<(), Failure> {
        let cannot = |e: std::io::Error| Failure::cannot(format!("cannot read `{path}`: {e}"));
        let mut bytes = Vec::new();
        std::fs::File::open(from).map_err(cannot)?.take(FILE).read_to_end(&mut bytes).map_err(cannot)?;
        self.bytes += bytes.len();
        if self.files.len() >= FILES || self.bytes > BYTES {
            return Err(Failure::cannot(format!("the mesh has more than {FILES} files or {BYTES} bytes")));
        }
        self.files.push((path, bytes));
        Ok(())
    }
}

/// Replaces a file in one step: what was there stays until the new content is whole.
///
/// # Errors
/// Those of the file system.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    std::fs::create_dir_all(&folder)?;
    let mut file = tempfile::NamedTempFile::new_in(&folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}
