//! Reasons of refusals: the one table of reason words and statuses.

/// The reason that the mesh answers a request itself with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// `CONNECT`, or a request for another protocol.
    #[error("the request asks to leave HTTP, which this mesh does not let it")]
    NoUpgrades,
    /// A head that two servers could read in two ways.
    #[error("the head of the request cannot be read in one way only")]
    BadHead,
    /// More header lines than rules can see, or a value longer than they are reckoned with (RFC 6585 section 5).
    #[error("the head of the request is larger than rules can see")]
    HeadTooLarge,
    /// No host, several, or one that is no name or address.
    #[error("the request does not name one host")]
    BadHost,
    /// The path has no canonical form.
    #[error("the path has no canonical form")]
    BadPath,
    /// The host is not the one that the connection was opened for (RFC 9110 section 15.5.20).
    #[error("the host is not the server name of the connection")]
    WrongServerName,
    /// The mesh asks for an identity, and the caller showed none.
    #[error("the caller showed no identity, and the mesh is `tls: strict`")]
    NoIdentity,
    /// A deny entry took the request.
    #[error("a deny entry takes this request")]
    Denied,
    /// No allow entry took the request.
    #[error("no allow entry takes this request")]
    NotAllowed,
    /// No gateway host covers the request's host.
    #[error("no route for this host")]
    NoHost,
    /// No rule takes the request.
    #[error("no rule takes this request")]
    NoRule,
    /// No service of this name lets this caller in, or there is none.
    #[error("no such service is visible to this caller")]
    NotVisible,
    /// A rule reads a value that came more than once.
    #[error("a value that a rule reads came more than once, or the query has a broken escape")]
    Ambiguous,
    /// The rewritten path has no canonical form.
    #[error("the rewritten path has no canonical form")]
    BadRewrite,
}

impl Reason {
    /// The status code of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadHead | Self::BadHost | Self::BadPath | Self::Ambiguous | Self::BadRewrite => 400,
            Self::NoIdentity | Self::Denied | Self::NotAllowed | Self::NotVisible => 403,
            Self::NoHost | Self::NoRule => 404,
            Self::WrongServerName => 421,
            Self::HeadTooLarge => 431,
            Self::NoUpgrades => 501,
        }
    }

    /// A short word for logs and answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoUpgrades => "no-upgrades",
            Self::BadHead => "bad-head",
            Self::HeadTooLarge => "head-too-large",
            Self::BadHost => "bad-host",
            Self::BadPath => "bad-path",
            Self::WrongServerName => "wrong-sni",
            Self::NoIdentity => "no-identity",
            Self::Denied => "denied",
            Self::NotAllowed => "not-allowed",
            Self::NoHost => "no-host",
            Self::NoRule => "no-rule",
            Self::NotVisible => "not-visible",
            Self::Ambiguous => "ambiguous-request",
            Self::BadRewrite => "bad-rewrite",
        }
    }
}
