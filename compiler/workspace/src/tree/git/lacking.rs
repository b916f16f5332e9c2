//! Why an object that something names is not there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::ErrorCode;

use super::opened::{LINES, Repository};
use super::words::words;
use crate::files::read_small;
use crate::tree::error::TreeError;
use crate::tree::shell::command;

/// Object directories behind object directories that are looked at; git follows five.
const CHAIN: usize = 5;
/// Object directories that are looked at in all.
const DIRECTORIES: usize = 100;

impl Repository {
    /// The error for `what`, an object or the path of a file, that cannot be read: with the reason where it is the kind of
    /// clone, or objects that lie elsewhere.
    pub(super) fn lacking(&self, error: &git2::Error, what: &str) -> TreeError {
        let reason = words(error);
        if error.code() != ErrorCode::NotFound {
            return TreeError::Repository { reason };
        }
        let at = self.place();
        let what = what.to_owned();
        if let Some((list, path)) = self.lost_objects() {
            let because = format!("`{}` names `{}`, which is not there", list.display(), path.display());
            let remedy = format!("bring that folder back, or write its new path into {}", list.display());
            return TreeError::Lacking { what, because, remedy };
        }
        if let Some(remote) = self.promisor() {
            let because = "the clone is partial, and what it left out is not fetched here".to_owned();
            let remedy = command(at, &["fetch", "--refetch", "--no-filter", &remote]);
            return TreeError::Lacking { what, because, remedy };
        }
        if self.is_shallow() {
            let because = "the clone is shallow, and what is older is not there".to_owned();
            return TreeError::Lacking { what, because, remedy: command(at, &["fetch", "--unshallow"]) };
        }
        TreeError::Repository { reason }
    }

    /// The remote that a partial clone has its objects from.
    fn promisor(&self) -> Option<String> {
        let remotes = self.settings.own_matching(r"^remote\..*\.promisor$");
        let (key, _) = remotes.into_iter().find(|(_, value)| value == "true")?;
        Some(key.strip_prefix("remote.")?.strip_suffix(".promisor")?.to_owned())
    }

    /// The first folder of other objects that is not there, and the file that names it.
    fn lost_objects(&self) -> Option<(PathBuf, PathBuf)> {
        let mut open = vec![(self.found.common.join("objects"), 0)];
        let mut seen = BTreeSet::new();
        while let Some((objects, depth)) = open.pop() {
            if depth > CHAIN || seen.len() > DIRECTORIES || !seen.insert(objects.clone()) {
                continue;
            }
            let list = objects.join("info/alternates");
            let Ok(bytes) = read_small(&list, LINES) else { continue };
            for line in String::from_utf8_lossy(&bytes)
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
            {
                let other = objects.join(Path::new(line));
                if !other.is_dir() {
                    return Some((list, other));
                }
                open.push((other, depth + 1));
            }
        }
        None
    }
}
