//! The files of an identity or a secret.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::error::IdentityError;
use crate::files::{self, Links};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The most files of a folder that are read.
const MAX_FILES: usize = 256;

/// The bytes of a folder's files, by their path within it.
#[derive(Clone, PartialEq, Eq)]
pub struct FileSet {
    dir: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl FileSet {
    /// Reads `tls.crt`, `tls.key` and every `roots/*.pem` of an identity folder.
    ///
    /// # Errors
    /// A file that is missing, unreadable or over 1 MiB; more than 256 files.
    pub fn read_identity(dir: &Path) -> Result<Self, IdentityError> {
        let mut set = Self::read_pair(dir)?;
        let roots = dir.join("roots");
        let read_error = |source| IdentityError::Read { path: roots.clone(), source };
        for entry in std::fs::read_dir(&roots).map_err(read_error)? {
            let name = entry.map_err(read_error)?.file_name();
            let Some(name) = name.to_str().filter(|name| name.ends_with(".pem")) else {
                continue;
            };
            if set.files.len() >= MAX_FILES {
                return Err(IdentityError::TooMuch(roots));
            }
            set.add(&format!("roots/{name}"))?;
        }
        Ok(set)
    }

    /// Reads `tls.crt` and `tls.key` of a secret's folder.
    ///
    /// # Errors
    /// A file that is missing, unreadable or over 1 MiB.
    pub fn read_pair(dir: &Path) -> Result<Self, IdentityError> {
        let mut set = Self { dir: dir.to_owned(), files: BTreeMap::new() };
        set.add("tls.crt")?;
        set.add("tls.key")?;
        Ok(set)
    }

    /// The bytes of one file.
    ///
    /// # Errors
    /// The file was not read.
    pub fn get(&self, name: &str) -> Result<&[u8], IdentityError> {
        self.files.get(name).map(Vec::as_slice).ok_or_else(|| IdentityError::Read {
            path: self.dir.join(name),
            source: io::ErrorKind::NotFound.into(),
        })
    }

    /// The files' paths in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    fn add(&mut self, name: &str) -> Result<(), IdentityError> {
        let path = self.dir.join(name);
        let bytes = files::read(&path, MAX_FILE, Links::Followed).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge => IdentityError::TooMuch(path.clone()),
            _ => IdentityError::Read { path: path.clone(), source },
        })?;
        self.files.insert(name.to_owned(), bytes);
        Ok(())
    }
}
