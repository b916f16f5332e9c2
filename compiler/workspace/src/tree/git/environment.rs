//! Variables by which git is told where things are.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What the environment says about git: variables `GIT_*`, and those that git's settings are found by. Hooks set some
/// of them, and git heeds them in every repository.
#[derive(Debug, Clone, Default)]
pub struct GitEnvironment {
    variables: BTreeMap<OsString, OsString>,
}

impl GitEnvironment {
    /// The variables of a process; those that git does not read are dropped.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let of_git = |name: &OsStr| {
            name.as_encoded_bytes().starts_with(b"GIT_")
                || matches!(name.to_str(), Some("HOME" | "XDG_CONFIG_HOME" | "SUDO_UID"))
        };
        Self { variables: variables.into_iter().filter(|(name, _)| of_git(name)).collect() }
    }

    /// The value of a variable; none where it is not set.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The value as a path; none where it is not set or empty.
    pub(super) fn path(&self, name: &str) -> Option<&Path> {
        self.get(name).filter(|value| !value.is_empty()).map(Path::new)
    }

    /// The value as paths between colons; empty ones left out.
    pub(super) fn paths(&self, name: &str) -> Vec<PathBuf> {
        let all = self.get(name).map(|value| std::env::split_paths(value).collect::<Vec<_>>());
        all.into_iter().flatten().filter(|path| !path.as_os_str().is_empty()).collect()
    }

    /// Whether the value is one of git's words for yes; none where the variable is not set, or says neither yes nor no.
    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        git2::Config::parse_bool(self.get(name)?.to_str()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_others_are_dropped() {
        let all = [("GIT_DIR", "x"), ("HOME", ""), ("PATH", "/bin"), ("GIT_CONFIG_NOSYSTEM", "yes")];
        let all = all.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = GitEnvironment::new(all);
        assert_eq!(environment.path("GIT_DIR"), Some(Path::new("x")));
        assert_eq!(environment.path("HOME"), None);
        assert_eq!(environment.get("PATH"), None);
        assert_eq!(environment.bool("GIT_CONFIG_NOSYSTEM"), Some(true));
        assert_eq!(environment.bool("GIT_DIR"), None);
    }
}
