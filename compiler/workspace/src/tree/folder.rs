//! Files from a folder.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::snapshot::{
    BYTES, DEPTH, ENTRIES, FILES, NOT_REGULAR, Refused, Snapshot, TWICE, is_spec, unusable,
};
use crate::failure::Failure;

/// Largest file that is read to the end; the compiler refuses smaller ones in words.
const FILE: u64 = 8 << 20;

/// Reads every spec file below `folder`, hidden folders and files left out. `prefix` stands before their paths.
pub(super) fn snapshot(folder: &Path, prefix: &str) -> Result<Snapshot, Failure> {
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

/// Replaces a file in one step: what was there stays until the new content is whole. A file that is there keeps its
/// permissions; a new one gets `mode`, less what the umask takes.
///
/// # Errors
/// Those of the file system.
pub(crate) fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let there = std::fs::metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file() && !there.is_dir()) {
        // A device or pipe, such as /dev/null: written to, never replaced.
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let folder =
        path.parent().filter(|p| !p.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    std::fs::create_dir_all(&folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".meshc-");
    let permissions = std::fs::Permissions::from_mode(mode);
    let mut file = builder.permissions(permissions).tempfile_in(&folder)?;
    if let Some(there) = there {
        file.as_file().set_permissions(there.permissions())?;
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Reads a small file, such as a key.
///
/// # Errors
/// Those of the file system, and for more than `most` bytes.
pub(crate) fn read_small(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(std::io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_permissions_and_devices_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/a");
        replace_file(&file, b"1", 0o600).unwrap();
        let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        replace_file(&file, b"2", 0o666).unwrap();
        assert_eq!((mode(&file), std::fs::read(&file).unwrap()), (0o600, b"2".to_vec()));
        replace_file(Path::new("/dev/null"), b"3", 0o666).unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
        assert!(read_small(&file, 1).is_ok() && read_small(&file, 0).is_err());
    }
}
