//! Single files: replaced in one step, read within a bound.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Replaces a file in one step: what was there stays until the new content is whole. A file that is there keeps its
/// permissions; a new one gets `mode`, less what the umask takes.
///
/// # Errors
/// Those of the file system.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
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
pub fn read_small(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
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
