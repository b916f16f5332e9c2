//! What the callee's side of the mesh does with a request: access, then quotas.

use std::borrow::Cow;

use crate::reason::Reason;

/// The decision of a callee's proxy, or of a gateway about its own door.
#[derive(Debug)]
pub struct Inbound<'a> {
    /// May it pass?
    pub verdict: Verdict<'a>,
    /// What it costs, if it passes.
    pub charges: Vec<Charge<'a>>,
}

/// An access verdict, with the address of the entry that decided (`access/orders/allow[1]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// An allow entry took it.
    Allow(&'a str),
    /// Nothing guards this gateway.
    Open,
    /// A deny entry took it.
    Deny(&'a str),
    /// No allow entry took it.
    DefaultDeny,
    /// It would be denied, but the policy only watches.
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

    /// Why it is refused, and with which status; `None` if it passes.
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

    /// What access says: `allow`, `deny`, `audit-deny` or `ambiguous-request`. Self-tests in bundles hold these words.
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
    /// The bucket.
    pub key: Cow<'a, str>,
    /// How much.
    pub cost: u32,
}
