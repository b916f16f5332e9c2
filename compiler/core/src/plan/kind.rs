//! Kinds of change.

/// Whether something comes, goes or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is there after and was not before.
    Added,
    /// It was there before and is not after.
    Removed,
    /// It is there before and after, and differs.
    Changed,
}

impl ChangeKind {
    /// `+`, `-` or `~`.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }

    /// `add`, `remove` or `change`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "add",
            Self::Removed => "remove",
            Self::Changed => "change",
        }
    }

    /// The kind of a change between two states, of which one is there at least.
    pub(super) fn of<T>(before: Option<&T>, after: Option<&T>) -> Self {
        match (before, after) {
            (None, _) => Self::Added,
            (Some(_), None) => Self::Removed,
            (Some(_), Some(_)) => Self::Changed,
        }
    }
}
