//! What a head is refused for.

use crate::path::PathError;
use crate::reason::Reason;

/// The rule that a refused head breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// `CONNECT`, or a request for another protocol.
    #[error("the request asks to leave HTTP")]
    Upgrade,
    /// A target that is neither a path nor `*` of `OPTIONS`.
    #[error("the request target is not a path")]
    Target,
    /// More header lines than rules can see ([`mesh_bundle::limits::HEADER_LINES`]).
    #[error("the request has too many header lines")]
    TooManyLines,
    /// A header value longer than rules are reckoned with ([`mesh_bundle::limits::VALUE_BYTES`]).
    #[error("the request has a header value that is too long")]
    ValueTooLong,
    /// A header value with a blank at an end: HTTP/1 has none (RFC 9110 section 5.5), and HTTP/2 calls it malformed
    /// (RFC 9113 section 8.2.1). A rule would take it for another value than what is behind it does.
    #[error("the request has a header value with a blank at its end")]
    BlankEnd,
    /// Several `Content-Length` fields, or one that is not one number of at most 64 bits.
    #[error("the request's `content-length` is not one number")]
    Length,
    /// `Content-Length` beside `Transfer-Encoding`.
    #[error("the request has both `content-length` and `transfer-encoding`")]
    BothLengths,
    /// A transfer coding other than one `chunked`, or one outside of HTTP/1.1.
    #[error("the request's `transfer-encoding` is not `chunked`")]
    TransferCoding,
    /// A `Connection` field that lists framing fields or too many names.
    #[error("the `connection` field lists what it must not")]
    ConnectionField,
    /// No `Host` field and no authority.
    #[error("the request names no host")]
    NoHost,
    /// More than one `Host` field.
    #[error("the request has more than one `host` field")]
    DuplicateHost,
    /// A `Host` field or authority that is no `host[:port]`.
    #[error("the request's host is not `host[:port]`")]
    Host,
    /// `Host` differs from `:authority` or from the absolute-form target.
    #[error("the `host` field contradicts the request target")]
    HostMismatch,
    /// A path without a canonical form.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl Rejection {
    /// The reason of the answer, which gives the word and the status.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Upgrade => Reason::NoUpgrades,
            Self::TooManyLines | Self::ValueTooLong => Reason::HeadTooLarge,
            Self::Target
            | Self::BlankEnd
            | Self::Length
            | Self::BothLengths
            | Self::TransferCoding
            | Self::ConnectionField => Reason::BadHead,
            Self::NoHost | Self::DuplicateHost | Self::Host | Self::HostMismatch => Reason::BadHost,
            Self::Path(_) => Reason::BadPath,
        }
    }
}
