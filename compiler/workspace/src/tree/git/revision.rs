//! What a revision names: a commit or a tree, and the mesh's folder in it.

use git2::{ErrorCode, Object, ObjectType};

use super::opened::Repository;
use super::words::words;
use crate::tree::error::TreeError;
use crate::tree::remark::Remark;
use crate::tree::shell::command;

/// Tags of tags that are followed.
const TAGS: usize = 64;

/// Where git looks for a short name, in this order (gitrevisions(7)).
const PLACES: [&str; 6] = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/", "refs/remotes/@/HEAD"];

/// What a revision names.
pub(super) struct Named<'r> {
    /// The tree of the top level.
    pub(super) tree: git2::Tree<'r>,
    /// Its commit; none for a tree.
    pub(super) commit: Option<git2::Commit<'r>>,
    /// The mesh's folder in the tree, with `/`; empty for the top level.
    pub(super) folder: String,
}

/// Reads a revision: what `git rev-parse` takes for a commit or tree, or `REV:FOLDER`, where the mesh's folder is another
/// than where the mesh lies in the work tree.
///
/// # Errors
/// For a revision that is none, and objects that are missing or corrupt.
pub(super) fn named<'r>(repository: &'r Repository, text: &str) -> Result<Named<'r>, TreeError> {
    let (rev, folder) = split(repository, text);
    let mut object = find(repository, rev)?;
    for _ in 0..TAGS {
        let Some(tag) = object.as_tag() else { break };
        object = tag.target().map_err(|e| repository.lacking(&e, rev))?;
    }
    let kind = object.kind().map_or("nothing", |kind| kind.str());
    let other = || TreeError::NotACommit { rev: rev.to_owned(), kind };
    match object.kind() {
        Some(ObjectType::Commit) => {
            let commit = object.into_commit().map_err(|_| other())?;
            let tree = commit.tree().map_err(|e| repository.lacking(&e, rev))?;
            Ok(Named { tree, commit: Some(commit), folder })
        }
        Some(ObjectType::Tree) => {
            let tree = object.into_tree().map_err(|_| other())?;
            Ok(Named { tree, commit: None, folder })
        }
        _ => Err(other()),
    }
}

/// What a person should know about the name: several references have it, and git takes the first.
pub(super) fn ambiguous(repository: &Repository, text: &str) -> Option<Remark> {
    let rev = split(repository, text).0;
    let end = rev.find(['~', '^', '@', ':']).unwrap_or(rev.len());
    let name = rev.get(..end).filter(|name| !name.is_empty())?;
    let full = PLACES.map(|place| match place.split_once('@') {
        Some((before, after)) => format!("{before}{name}{after}"),
        None => format!("{place}{name}"),
    });
    let mut there = full.into_iter().filter(|name| repository.libgit2.find_reference(name).is_ok());
    let (taken, other) = (there.next()?, there.next()?);
    Some(Remark::Ambiguous { name: name.to_owned(), taken, other })
}

/// Revision and folder. Without a folder it is the one where the mesh lies in the work tree.
fn split<'t>(repository: &Repository, text: &'t str) -> (&'t str, String) {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && at > 0 => {
                let (rev, folder) = text.split_at_checked(at).unwrap_or((text, ""));
                return (rev, place(&repository.folder, folder.trim_start_matches(':')));
            }
            // `:/text` and `:path` are revisions as a whole.
            ':' => break,
            _ => {}
        }
    }
    (text, repository.folder.clone())
}

/// A folder as it is written behind a revision: from the top level, or from here with `./`.
fn place(here: &str, written: &str) -> String {
    let folder = match written.strip_prefix("./").or(written.strip_prefix('.').filter(|rest| rest.is_empty()))
    {
        Some(below) => format!("{here}/{below}"),
        None => written.to_owned(),
    };
    folder.trim_matches('/').to_owned()
}

fn find<'r>(repository: &'r Repository, rev: &str) -> Result<Object<'r>, TreeError> {
    let error = match repository.libgit2.revparse_single(rev) {
        Ok(object) => return Ok(object),
        Err(error) => error,
    };
    let end = rev.find(['~', '^', '@', ':']).unwrap_or(rev.len());
    let base = rev.get(..end).unwrap_or(rev);
    if let Some(branch) = repository.unborn()
        && (matches!(base, "" | "HEAD") || branch == base)
    {
        return Err(TreeError::Unborn { rev: rev.to_owned(), branch });
    }
    let known = repository.libgit2.resolve_reference_from_short_name(base).is_ok();
    if known && base == rev && error.code() == ErrorCode::NotFound {
        // The reference is there, and what it names is not.
        return Err(repository.lacking(&error, rev));
    }
    let at = repository.place();
    let remote = base.split_once('/').filter(|(remote, _)| !known && repository.has_remote(remote));
    let (because, remedy) = match remote {
        Some((remote, branch)) => {
            let into = format!("+{branch}:refs/remotes/{remote}/{branch}");
            (None, Some(command(at, &["fetch", remote, &into])))
        }
        None if rev.starts_with(':') && !rev.starts_with(":/") => (
            Some("files of the index are no commit; all that is staged is read with --staged".to_owned()),
            None,
        ),
        None if repository.is_shallow() => {
            let because = "the clone is shallow, and what is older is not there";
            (Some(because.to_owned()), Some(command(at, &["fetch", "--unshallow"])))
        }
        None => (None, None),
    };
    Err(TreeError::NoRevision { rev: rev.to_owned(), reason: words(&error), because, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_behind_a_revision_are_from_the_top_or_from_here() {
        assert_eq!(place("a/b", "/c/"), "c");
        assert_eq!(place("a/b", "./c"), "a/b/c");
        assert_eq!(place("a/b", "."), "a/b");
        assert_eq!(place("a/b", ""), "");
    }
}
