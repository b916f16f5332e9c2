//! Files and folders.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::error::KitError;

/// Copies a folder's files and folders; symbolic links as links.
///
/// # Errors
/// Those of the file system.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, &target)?;
        } else {
            std::fs::write(&target, std::fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// The bytes of a folder's regular files, by their path in it.
///
/// # Errors
/// Those of the file system.
pub fn read(folder: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in std::fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.insert(path, std::fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}

/// Replaces a file by rename.
///
/// # Errors
/// Those of the file system.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), KitError> {
    let beside = path.with_extension("new");
    let io = |e| KitError::Io(path.display().to_string(), e);
    std::fs::write(&beside, bytes).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)
}
