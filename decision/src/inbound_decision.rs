//! The decision of the callee's side of the mesh about a request: access, then quotas.

use std::borrow::Cow;

use crate::reason::Reason;

/// The decision of a callee's proxy, or of a gateway about its own door.
#[derive(Debug)]
pub struct Inbound<'a> {
    /// The access verdict: whether the request may pass.
    pub verdict: Verdict<'a>,
    /// Charges on the limits, if the request passes.
    pub charges: Vec<Charge<'a>>,
}

/// An access verdict, with the address of the entry that decided (`access/orders/allow[1]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// An allow entry took the request.
    Allow(&'a str),
    /// No access rules guard this gateway.
    Open,
    /// A deny entry took the request.
    Deny(&'a str),
    /// No allow entry took the request.
    DefaultDeny,
    /// The request would be denied, but the access rules are in audit mode.
    AuditDeny(Option<&'a str>),
    /// A quota key that came more than once: 400.
    Ambiguous,
}

impl Verdict<'_> {
    /// True if the request passes.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Self::Allow(_) | Self::Open | Self::AuditDeny(_))
    }

    /// The reason of the refusal, which has the status; `None` if the request passes.
    #[must_use]
    pub fn refusal(self) -> Option<Reason> {
        match self {
            Self::Deny(_) => Some(Reason::Denied),
            Self::DefaultDeny => Some(Reason::NotAllowed),
            Self::Ambiguous => Some(Reason::Ambiguous),
            Self::Allow(_) | Self::Open | Self::AuditDeny(_) => None,
        }
    }

    /// The address of the entry that decided.
    #[must_use]
    pub fn entry(&self) -> Option<&str> {
        match self {
            Self::Allow(entry) | Self::Deny(entry) | Self::AuditDeny(Some(entry)) => Some(entry),
            Self::Open | Self::DefaultDeny | Self::AuditDeny(None) | Self::Ambiguous => None,
        }
    }

    /// The verdict as a word: `allow`, `deny`, `audit-deny` or `ambiguous-request`. Self-tests in bundles hold these
    /// words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow(_) | Self::Open => "allow",
            Self::Deny(_) | Self::DefaultDeny => "deny",
            Self::AuditDeny(_) => "audit-deny",
            Self::Ambiguous => "ambiguous-request",
        }
    }
}

/// A charge against one bucket of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge<'a> {
    /// Index of the limit in [`crate::Engine::limits`].
    pub limit: usize,
    /// Key of the bucket.
    pub key: Cow<'a, str>,
    /// The amount charged: the `cost` of the limit.
    pub cost: u32,
}
