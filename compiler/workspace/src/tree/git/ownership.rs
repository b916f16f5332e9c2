//! Whose repository it is: git's rule of `safe.directory`.
//!
//! A repository of somebody else is not read unless the person's or the machine's settings name it. The library that
//! reads objects has a rule of its own, which compares texts and knows fewer settings; it is not asked.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::discover::Found;
use super::environment::GitEnvironment;
use super::settings::Settings;
use crate::tree::error::TreeError;

/// Refuses a repository of somebody else that `settings` do not call safe. One that `GIT_DIR` names was chosen, and is
/// not asked about.
///
/// # Errors
/// [`TreeError::Owner`].
pub(super) fn check(
    found: &Found,
    settings: &Settings,
    environment: &GitEnvironment,
) -> Result<(), TreeError> {
    if found.named {
        return Ok(());
    }
    let parts = [found.link.as_ref(), found.top.as_ref(), Some(&found.directory)];
    let Some((path, owner)) = parts.into_iter().flatten().find_map(|path| foreign(path, environment)) else {
        return Ok(());
    };
    let repository = found.top.as_ref().unwrap_or(&found.directory);
    let real = repository.canonicalize().unwrap_or_else(|_| repository.clone());
    if is_safe(&real, settings, environment) {
        return Ok(());
    }
    let scope = if environment.path("HOME").or(environment.path("GIT_CONFIG_GLOBAL")).is_some() {
        "--global"
    } else {
        "--system"
    };
    Err(TreeError::Owner { repository: real, path, owner, scope })
}

/// The path and its owner, where that is another user. Root owns what is root's, and what belongs to whoever became root
/// by `sudo`.
fn foreign(path: &Path, environment: &GitEnvironment) -> Option<(PathBuf, u32)> {
    let owner = std::fs::symlink_metadata(path).ok()?.uid();
    let me = rustix::process::geteuid().as_raw();
    let before = || environment.get("SUDO_UID")?.to_str()?.parse::<u32>().ok();
    let mine = owner == me || (me == 0 && before() == Some(owner));
    (!mine).then(|| (path.to_owned(), owner))
}

/// Whether `safe.directory` names the repository. Of several values the last that says something counts: an empty one
/// takes back all before it.
fn is_safe(repository: &Path, settings: &Settings, environment: &GitEnvironment) -> bool {
    let mut safe = false;
    for value in settings.all("safe.directory") {
        match value.as_deref().unwrap_or_default() {
            b"" => safe = false,
            b"*" => safe = true,
            value => safe |= names(value, repository, environment),
        }
    }
    safe
}

/// Whether one value names the repository: as a path, links resolved, or as `FOLDER/*` for all below a folder.
fn names(value: &[u8], repository: &Path, environment: &GitEnvironment) -> bool {
    let path = match value.strip_prefix(b"~/") {
        Some(below) => match environment.path("HOME") {
            Some(home) => home.join(std::ffi::OsStr::from_bytes(below)),
            None => return false,
        },
        None => PathBuf::from(std::ffi::OsStr::from_bytes(value)),
    };
    // What is relative to nobody knows what names nothing; `.` is the current folder.
    if !path.is_absolute() && path != Path::new(".") {
        return false;
    }
    let real = |path: &Path| path.canonicalize().ok();
    if path.file_name().is_some_and(|name| name == "*") {
        let folder = path.parent().and_then(real);
        return folder.is_some_and(|folder| repository.starts_with(&folder) && *repository != *folder);
    }
    real(&path).is_some_and(|path| path == *repository)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    /// Spellings by which git 2.47 takes a repository for safe, and by which it does not.
    #[test]
    fn every_spelling_is_read_as_git_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let repository = top.join("srv/mesh");
        std::fs::create_dir_all(&repository).unwrap();
        std::os::unix::fs::symlink(top.join("srv"), top.join("link")).unwrap();
        let environment = GitEnvironment::new([(OsString::from("HOME"), OsString::from(&top))]);
        let named = |value: &str| {
            let value = value.replace("TOP", top.to_str().unwrap());
            names(value.as_bytes(), &repository, &environment)
        };
        let yes = [
            "TOP/srv/mesh",
            "TOP/srv/mesh/",
            "TOP/srv/*",
            "TOP/*",
            "TOP/link/mesh",
            "TOP/link/*",
            "TOP/srv/./mesh",
            "TOP/srv//mesh//",
            "~/srv/mesh",
            "~/link/../srv/mesh",
        ];
        let no = [
            "srv/mesh",
            "TOP/srv",
            "TOP/srv/mesh/*",
            "TOP/srv/mesh/.git",
            "TOP/SRV/mesh",
            "TOP/srv/**",
            "TOP/srv/m*",
            "TOP/nowhere",
            "TOP/nowhere/*",
        ];
        assert_eq!(yes.iter().filter(|value| !named(value)).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(no.iter().filter(|value| named(value)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }
}
