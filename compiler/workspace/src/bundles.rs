//! Bundles on disk: a folder or one archive.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use mesh_bundle::files::Kind;
use mesh_bundle::{FileSet, Refusal, archive, limits};
use rustix::fs::{CWD, RenameFlags};

use crate::files::replace_file;

/// Folders within a bundle's folder.
const DEPTH: usize = 6;

/// A bundle cannot be read from a disk, or written to it.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file or folder that cannot be read, or has more files than a bundle.
    #[error("cannot read `{}`: {source}", .path.display())]
    Read {
        /// The bundle.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// An archive past [`limits::BUNDLE_BYTES`].
    #[error("`{}` has more than {} bytes", .path.display(), limits::BUNDLE_BYTES)]
    Size {
        /// The archive.
        path: PathBuf,
    },
    /// A place that cannot be written.
    #[error("cannot write `{}`: {source}", .path.display())]
    Write {
        /// The place.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A folder that holds files which no bundle has: it is never replaced.
    #[error("`{}` holds something else than bundles", .path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
}

/// Whether a path names an archive.
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "mcb")
}

/// Reads a folder or an archive, bounded before anything is parsed.
///
/// # Errors
/// When it cannot be read, or is not an archive.
pub fn read(path: &Path) -> Result<Result<FileSet, Refusal>, BundleError> {
    let cannot = |source| BundleError::Read { path: path.to_owned(), source };
    if path.is_dir() {
        let mut budget = Budget { files: limits::BUNDLE_FILES, bytes: limits::BUNDLE_BYTES };
        let mut files = FileSet::new();
        read_folder(path, "", DEPTH, &mut files, &mut budget).map_err(cannot)?;
        return Ok(Ok(files));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    let most = limits::BUNDLE_BYTES as u64;
    file.take(most + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > most {
        return Err(BundleError::Size { path: path.to_owned() });
    }
    Ok(archive::read(&bytes))
}

struct Budget {
    files: usize,
    bytes: usize,
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut FileSet,
    budget: &mut Budget,
) -> std::io::Result<()> {
    let wrong = |what: &str| std::io::Error::new(ErrorKind::InvalidData, what.to_owned());
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let depth =
                depth.checked_sub(1).ok_or_else(|| wrong("folders are nested too deep for a bundle"))?;
            read_folder(&entry.path(), &format!("{path}/"), depth, files, budget)?;
            continue;
        }
        if !kind.is_file() {
            return Err(wrong(&format!("`{}` is not a regular file", path.escape_debug())));
        }
        budget.files = budget.files.checked_sub(1).ok_or_else(|| wrong("more files than a bundle has"))?;
        let mut bytes = Vec::new();
        std::fs::File::open(entry.path())?.take(budget.bytes as u64 + 1).read_to_end(&mut bytes)?;
        budget.bytes =
            budget.bytes.checked_sub(bytes.len()).ok_or_else(|| wrong("more bytes than a bundle has"))?;
        files.insert(path, bytes);
    }
    Ok(())
}

/// Bundles that are written and not yet in their place: what is there stays until [`Staged::put`]. Dropped before, they
/// leave nothing behind.
#[derive(Debug)]
pub struct Staged {
    to: PathBuf,
    form: Form,
    /// Removed with all that it holds: bundles that were not put, or those that were replaced.
    beside: tempfile::TempDir,
}

/// What is staged.
#[derive(Debug)]
enum Form {
    Archive,
    Folders {
        /// Bundles are in their place already.
        replaces: bool,
    },
}

/// Writes bundles below one folder beside `to`, each in the folder that its key names (`""` is the folder itself).
///
/// # Errors
/// When something else than bundles is at `to`, or it cannot be written.
pub fn stage_folders(to: &Path, bundles: &BTreeMap<String, FileSet>) -> Result<Staged, BundleError> {
    let cannot = |source| BundleError::Write { path: to.to_owned(), source };
    let replaces = match occupied(to).map_err(cannot)? {
        Occupied::Foreign => return Err(BundleError::Foreign { path: to.to_owned() }),
        Occupied::Bundles => true,
        Occupied::No => false,
    };
    let staged = Staged::new(to, Form::Folders { replaces }).map_err(cannot)?;
    for (key, files) in bundles {
        let folder = staged.path(key);
        for (path, bytes) in files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(cannot)?;
            }
            std::fs::write(&path, bytes).map_err(cannot)?;
        }
    }
    Ok(staged)
}

/// Writes one archive beside `to`.
///
/// # Errors
/// When it cannot be written.
pub fn stage_archive(to: &Path, files: &FileSet) -> Result<Staged, BundleError> {
    let cannot = |source| BundleError::Write { path: to.to_owned(), source };
    let bytes = archive::write(files).map_err(cannot)?;
    let staged = Staged::new(to, Form::Archive).map_err(cannot)?;
    replace_file(&staged.path(""), &bytes, 0o666).map_err(cannot)?;
    Ok(staged)
}

impl Staged {
    fn new(to: &Path, form: Form) -> std::io::Result<Self> {
        let parent = to.parent().filter(|p| !p.as_os_str().is_empty());
        let parent = parent.map_or(PathBuf::from("."), Path::to_owned);
        std::fs::create_dir_all(&parent)?;
        let beside = tempfile::Builder::new().prefix(".meshc-").tempdir_in(&parent)?;
        Ok(Self { to: to.to_owned(), form, beside })
    }

    /// Where the bundle of a key lies now; an archive holds one, whatever its key.
    fn path(&self, key: &str) -> PathBuf {
        let fresh = self.beside.path().join("fresh");
        match self.form {
            Form::Folders { .. } if !key.is_empty() => fresh.join(key),
            Form::Folders { .. } | Form::Archive => fresh,
        }
    }

    /// Reads what was written for a key, as [`read`] does.
    ///
    /// # Errors
    /// When it cannot be read, or is not an archive.
    pub fn read(&self, key: &str) -> Result<Result<FileSet, Refusal>, BundleError> {
        read(&self.path(key))
    }

    /// Puts the whole in the place of what is there, by one rename.
    ///
    /// # Errors
    /// When it cannot be written; what was there is there then.
    pub fn put(self) -> Result<(), BundleError> {
        let cannot = |source| BundleError::Write { path: self.to.clone(), source };
        match self.form {
            Form::Archive => self.put_archive().map_err(cannot),
            Form::Folders { replaces: false } => std::fs::rename(self.path(""), &self.to).map_err(cannot),
            Form::Folders { replaces: true } => self.exchange().map_err(cannot),
        }
    }

    fn put_archive(&self) -> std::io::Result<()> {
        let (fresh, to) = (self.path(""), &self.to);
        match std::fs::metadata(to) {
            // A device or pipe: written to, never replaced.
            Ok(there) if !there.is_file() && !there.is_dir() => return std::fs::copy(fresh, to).map(drop),
            Ok(there) if there.is_file() => std::fs::set_permissions(&fresh, there.permissions())?,
            _ => {}
        }
        std::fs::rename(fresh, to)
    }

    fn exchange(&self) -> std::io::Result<()> {
        let (fresh, to) = (self.path(""), &self.to);
        match rustix::fs::renameat_with(CWD, &fresh, CWD, to, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            // A file system that cannot exchange: the old one steps aside first, and comes back if the new one fails.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
                let old = self.beside.path().join("old");
                std::fs::rename(to, &old)?;
                std::fs::rename(&fresh, to).inspect_err(|_| {
                    // The first error is the one to tell.
                    let _ = std::fs::rename(&old, to);
                })
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

/// State of the place that bundles are to be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occupied {
    No,
    Bundles,
    Foreign,
}

fn occupied(to: &Path) -> std::io::Result<Occupied> {
    let entries = match std::fs::symlink_metadata(to) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Occupied::No),
        Err(e) => return Err(e),
        Ok(there) if !there.is_dir() => return Ok(Occupied::Foreign),
        Ok(_) => names(to)?,
    };
    let all_bundles = || -> std::io::Result<bool> {
        for name in &entries {
            let folder = to.join(name);
            if !std::fs::symlink_metadata(&folder)?.is_dir() || !is_bundle(&names(&folder)?) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    let ours = is_bundle(&entries) || all_bundles()?;
    Ok(if ours { Occupied::Bundles } else { Occupied::Foreign })
}

/// True for a folder with the entries of a bundle and no other.
fn is_bundle(names: &[String]) -> bool {
    let folder = |name: &str| matches!(name, "index" | "units" | "sourcemap" | "selftest");
    names.iter().any(|name| name == "manifest.json")
        && names.iter().all(|name| folder(name) || Kind::of(name).is_some())
}

fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn bundle(text: &str) -> FileSet {
        [("manifest.json".to_owned(), text.into()), ("units/mesh.json".to_owned(), b"{}".to_vec())].into()
    }

    #[test]
    fn a_bundle_is_replaced_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        let to = root.path().join("out");
        for text in ["1", "2"] {
            let staged = stage_folders(&to, &[(String::new(), bundle(text))].into()).unwrap();
            assert_eq!(staged.read("").unwrap().unwrap(), bundle(text));
            staged.put().unwrap();
            assert_eq!(read(&to).unwrap().unwrap(), bundle(text));
        }
        drop(stage_folders(&to, &[("dev".to_owned(), bundle("3"))].into()).unwrap());
        assert_eq!(read(&to).unwrap().unwrap(), bundle("2"), "what was not put left nothing");
        stage_folders(&to, &[("dev".to_owned(), bundle("3"))].into()).unwrap().put().unwrap();
        assert_eq!(names(&to).unwrap(), ["dev"]);
        assert_eq!(names(root.path()).unwrap(), ["out"], "nothing is left beside");
        std::fs::write(to.join("notes.txt"), "mine").unwrap();
        assert!(stage_folders(&to, &[(String::new(), bundle("4"))].into()).is_err());
        assert_eq!(std::fs::read(to.join("notes.txt")).unwrap(), b"mine");
    }

    #[test]
    fn an_archive_is_replaced_and_keeps_its_permissions() {
        let root = tempfile::tempdir().unwrap();
        let to = root.path().join("deep/prod.mcb");
        stage_archive(&to, &bundle("1")).unwrap().put().unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o640)).unwrap();
        let staged = stage_archive(&to, &bundle("2")).unwrap();
        assert_eq!(staged.read("prod").unwrap().unwrap(), bundle("2"));
        assert_eq!(read(&to).unwrap().unwrap(), bundle("1"));
        staged.put().unwrap();
        assert_eq!(read(&to).unwrap().unwrap(), bundle("2"));
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(&root.path().join("deep")).unwrap(), ["prod.mcb"], "nothing is left beside");
    }
}
