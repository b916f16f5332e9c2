//! Which repository a folder lies in: by git's way from folder to folder upwards, and by `GIT_DIR`.

use std::io::{ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::environment::GitEnvironment;
use crate::tree::error::TreeError;

/// Bytes of a file that holds one path.
const PATH_FILE: u64 = 16 << 10;

/// A repository on disk, not opened yet. Nothing in it was trusted so far, its settings were not read.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The `.git` file of a linked work tree or submodule, which leads to the git directory.
    pub(super) link: Option<PathBuf>,
    /// Top level of the work tree; none where the git directory stands for itself.
    pub(super) top: Option<PathBuf>,
    /// The git directory: `HEAD`, the index.
    pub(super) directory: PathBuf,
    /// The directory that all work trees share: objects, branches, settings.
    pub(super) common: PathBuf,
    /// Named by `GIT_DIR` and not come upon.
    pub(super) named: bool,
}

/// The repository of `start`, a canonical path; none outside of any. `GIT_DIR` names it, unless `start` was chosen (`-C`)
/// and lies in another one.
///
/// # Errors
/// For a `GIT_DIR` or `.git` that leads to no repository, and one that cannot be looked into.
pub(super) fn discover(start: &Path, environment: &GitEnvironment) -> Result<Option<Found>, TreeError> {
    let Some(named) = named(environment)? else { return upwards(start, environment) };
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let inside = |folder: &Option<PathBuf>| folder.as_ref().is_some_and(|folder| start.starts_with(folder));
    if here.as_deref() == Some(start) || inside(&named.top) || start.starts_with(&named.directory) {
        return Ok(Some(named));
    }
    Ok(upwards(start, environment)?.or(Some(named)))
}

/// The repository that `GIT_DIR` names.
fn named(environment: &GitEnvironment) -> Result<Option<Found>, TreeError> {
    let Some(path) = environment.path("GIT_DIR") else { return Ok(None) };
    let wrong = |reason: String| TreeError::Variable { name: "GIT_DIR", value: path.to_owned(), reason };
    let directory = path.canonicalize().map_err(|e| wrong(e.to_string()))?;
    let Some(common) = common(&directory)? else {
        return Err(wrong("it is not a git directory".to_owned()));
    };
    // Beside its `.git`, and for a linked work tree beside the file that leads here; else git takes the current folder.
    let beside = match read_path(&directory.join("gitdir")) {
        Some(link) => link.parent().map(Path::to_owned),
        None if directory.file_name().is_some_and(|name| name == ".git") => {
            directory.parent().map(Path::to_owned)
        }
        None => std::env::current_dir().ok(),
    };
    let top = beside.and_then(|top| top.canonicalize().ok()).filter(|top| *top != directory);
    Ok(Some(Found { link: None, top, directory, common, named: true }))
}

/// The nearest repository from `start` upwards, but for the folders of `GIT_CEILING_DIRECTORIES` and above them.
fn upwards(start: &Path, environment: &GitEnvironment) -> Result<Option<Found>, TreeError> {
    let ceilings = environment.paths("GIT_CEILING_DIRECTORIES");
    let ceilings: Vec<PathBuf> =
        ceilings.into_iter().map(|path| path.canonicalize().unwrap_or(path)).collect();
    for folder in start.ancestors() {
        if folder != start && ceilings.iter().any(|ceiling| ceiling == folder) {
            return Ok(None);
        }
        let inner = folder.join(".git");
        if std::fs::metadata(&inner).is_ok_and(|there| there.is_file()) {
            return linked(folder, inner).map(Some);
        }
        if let Some(common) = common(&inner)? {
            let top = Some(folder.to_owned());
            return Ok(Some(Found { link: None, top, directory: inner, common, named: false }));
        }
        if let Some(common) = common(folder)? {
            let directory = folder.to_owned();
            return Ok(Some(Found { link: None, top: None, directory, common, named: false }));
        }
    }
    Ok(None)
}

/// The repository that the file `.git` of a folder leads to.
fn linked(folder: &Path, link: PathBuf) -> Result<Found, TreeError> {
    let lost = |target: PathBuf| TreeError::GitLink { link: link.clone(), target };
    let target = read_path(&link).ok_or_else(|| lost(PathBuf::new()))?;
    let directory = target.canonicalize().map_err(|_| lost(target.clone()))?;
    let Some(common) = common(&directory)? else { return Err(lost(target)) };
    Ok(Found { top: Some(folder.to_owned()), link: Some(link), directory, common, named: false })
}

/// The shared directory of a git directory; none where `directory` is none.
fn common(directory: &Path) -> Result<Option<PathBuf>, TreeError> {
    match std::fs::symlink_metadata(directory.join("HEAD")) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            return Err(TreeError::Open { path: directory.to_owned(), source: e });
        }
        Err(_) => return Ok(None),
    }
    let common = read_path(&directory.join("commondir")).unwrap_or_else(|| directory.to_owned());
    let common = common.canonicalize().unwrap_or(common);
    let whole = common.join("objects").is_dir() && common.join("refs").is_dir();
    Ok(whole.then_some(common))
}

/// The path that a file holds, possibly behind `gitdir:`, from the file's folder; none where there is no such file.
fn read_path(file: &Path) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    std::fs::File::open(file).ok()?.take(PATH_FILE).read_to_end(&mut bytes).ok()?;
    let path = bytes.strip_prefix(b"gitdir:").unwrap_or(&bytes).trim_ascii();
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    (!path.as_os_str().is_empty()).then(|| file.parent().unwrap_or(file).join(path))
}
