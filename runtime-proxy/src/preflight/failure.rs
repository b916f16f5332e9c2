//! Checks that came to no verdict.

use mesh_bundle::{Refusal, Rung};

/// Why a check came to no verdict on the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The child ended without an answer that can be read.
    Crashed,
    /// The child took longer than it may.
    TimedOut,
    /// The child could not be started.
    Unavailable,
    /// The proxy stops.
    Cancelled,
}

impl Failure {
    /// All of them.
    const ALL: [Self; 4] = [Self::Crashed, Self::TimedOut, Self::Unavailable, Self::Cancelled];

    /// The code of the refusal.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Crashed => "preflight-crashed",
            Self::TimedOut => "preflight-timeout",
            Self::Unavailable => "preflight-unavailable",
            Self::Cancelled => "preflight-cancelled",
        }
    }

    /// The failure that a refusal tells of; `None` where it is about the bundle itself.
    #[must_use]
    pub fn of(refusal: &Refusal) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.code() == refusal.code)
    }

    /// Whether another check of the same bundle may end otherwise. A child that crashed or hung would do so again, and
    /// holds up all else meanwhile.
    #[must_use]
    pub fn may_heal(self) -> bool {
        match self {
            Self::Crashed | Self::TimedOut => false,
            Self::Unavailable | Self::Cancelled => true,
        }
    }

    /// The refusal, in words.
    #[must_use]
    pub fn refusal(self, message: impl Into<String>) -> Refusal {
        Refusal::new(Rung::Built, self.code(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_known_by_its_code() {
        for failure in Failure::ALL {
            assert_eq!(Failure::of(&failure.refusal("why")), Some(failure));
        }
        assert_eq!(Failure::of(&Refusal::new(Rung::Built, "cannot-build", "why")), None);
    }
}
