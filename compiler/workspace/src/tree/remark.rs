//! What a person should know about a repository, though nothing is wrong.

use std::fmt;

/// A fact about the repository that makes git, or a reader, see something else than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Several references have the name of a revision.
    Ambiguous {
        /// The name.
        name: String,
        /// The reference that is taken, as git does.
        taken: String,
        /// The first of the others.
        other: String,
    },
    /// There are replacements of objects (git-replace(1)).
    Replaced,
    /// There are grafts (`info/grafts`).
    Grafts,
    /// The branch has no commit yet.
    Unborn {
        /// The branch.
        branch: String,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous { name, taken, other } => write!(
                f,
                "`{}` is `{taken}` and `{other}`; git takes the first, and so is done here; for the other write `{other}`",
                name.escape_debug()
            ),
            Self::Replaced => f.write_str(
                "the repository replaces objects (`refs/replace`), which git shows instead of those that were \
                 committed; bundles are made of what was committed",
            ),
            Self::Grafts => f.write_str(
                "the repository has grafts (`info/grafts`), by which git shows another history; commits are counted \
                 as they were made",
            ),
            Self::Unborn { branch } => {
                write!(f, "branch `{}` has no commit yet, so no commit is named", branch.escape_debug())
            }
        }
    }
}
