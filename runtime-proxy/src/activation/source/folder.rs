//! A folder as a source.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mesh_bundle::{FileSet, Refusal, limits};

use super::offer::unreadable;
use super::{Fingerprint, Raw, Source};
use crate::files::{self, Links};

/// How deep a bundle's folders go: `units/routes/public/edge.json`.
const DEPTH: usize = 4;
/// What changes with every release.
const TOP: [&str; 4] = ["manifest.json", "release.dsse", "state.json", "signature.dsse"];

/// A folder of a bundle's files.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Source for Folder {
    fn fingerprint(&self) -> Fingerprint {
        let top = TOP.map(|file| self.path.join(file));
        Fingerprint::of([self.path.as_path()].into_iter().chain(top.iter().map(PathBuf::as_path)))
    }

    fn read(&self) -> Result<Raw, Refusal> {
        let mut files = FileSet::new();
        let mut budget = Budget { files: limits::BUNDLE_FILES, bytes: limits::BUNDLE_BYTES };
        read_dir(&self.path, "", DEPTH, &mut files, &mut budget)
            .map_err(|error| unreadable(&self.path, &error))?;
        Ok(Raw::Folder(files))
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// What is left of the bounds.
struct Budget {
    files: usize,
    bytes: usize,
}

fn read_dir(
    dir: &Path,
    prefix: &str,
    depth: usize,
    files: &mut FileSet,
    budget: &mut Budget,
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| io::Error::other("a file name is not UTF-8"))?;
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 1 {
            read_dir(&entry.path(), &format!("{path}/"), depth - 1, files, budget)?;
            continue;
        }
        if !kind.is_file() {
            return Err(io::Error::other(format!("`{}` is no file of a bundle", path.escape_debug())));
        }
        budget.files = budget.files.checked_sub(1).ok_or_else(|| io::Error::other("too many files"))?;
        let limit = budget.bytes.min(limits::SIDE_FILE_BYTES);
        let bytes = files::read(&entry.path(), limit as u64, Links::Refused).map_err(|error| {
            let large = error.kind() == io::ErrorKind::FileTooLarge;
            let named = || io::Error::other(format!("`{}` is too large", path.escape_debug()));
            if large { named() } else { error }
        })?;
        budget.bytes -= bytes.len();
        files.insert(path, bytes);
    }
    Ok(())
}
