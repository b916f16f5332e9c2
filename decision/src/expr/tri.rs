//! Three-valued logic.

use serde::Serialize;

/// The result of an expression, in three-valued logic. An error absorbs like CEL's: `false && error` is false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tri {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// A value was read that has no single value.
    Error,
}

impl Tri {
    /// The result in a sentence: "... is true".
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            Self::True => "is true",
            Self::False => "is false",
            Self::Error => "is an error",
        }
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl std::ops::Not for Tri {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Error => Self::Error,
        }
    }
}
