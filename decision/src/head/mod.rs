//! The head of a request, before any rule sees it: the checks that it must pass, the fields that end at this hop, and
//! those that the caller may not set.
//!
//! [`admit`] takes a head as a codec tokenised it and decides nothing but this. It is the same for a proxy's live
//! traffic and for the tools, so that a rule sees the same request in both. Framing is a result of it: a codec reads the
//! body by what [`Admitted::framing`] says.

mod gate;
mod hop;
mod identity;
mod lines;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use mesh_bundle::program::SlashMode;

use crate::host;
use crate::path::{self, PathError};
use crate::reason::Reason;

pub use hop::{BadConnectionField, strip_response};
pub use lines::HeaderLines;

/// The start line, before the fields: the request line of HTTP/1, the pseudo-fields of HTTP/2
/// (RFC 9113 section 8.3.1).
#[derive(Debug, Clone, Copy)]
pub struct StartLine<'a> {
    /// The version that the connection speaks.
    pub version: Version,
    /// The method token.
    pub method: &'a str,
    /// `:authority`, or the authority of an absolute-form target.
    pub authority: Option<&'a str>,
    /// Path and query as they came; `*` for `OPTIONS *`; absent for `CONNECT`.
    pub target: Option<&'a str>,
}

/// The versions of HTTP that requests arrive in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no transfer coding.
    Http10,
    /// HTTP/1.1 (RFC 9112).
    #[default]
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
}

/// The trust in a request's fields, by its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// A caller of the mesh, or the application beside the proxy.
    Mesh,
    /// A stranger: fields about the way of the request are not believed either.
    Stranger,
}

/// A head that passed; its lines are those that rules see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The `host` field as it came, where the start line names no authority.
    pub authority: Option<Box<str>>,
    /// The host in its canonical form ([`host::canonical`]).
    pub host: Box<str>,
    /// The delimitation of the body.
    pub framing: Framing,
}

/// The delimitation of a request's body (RFC 9112 section 6.3, RFC 9113 section 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By `content-length`, in bytes.
    Length(u64),
    /// By the chunked transfer coding.
    Chunked,
    /// By nothing in the head: no body in HTTP/1, the end of the stream in HTTP/2.
    Unstated,
}

impl Framing {
    /// The declared size of the body in bytes.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        match self {
            Self::Length(bytes) => Some(bytes),
            Self::Chunked | Self::Unstated => None,
        }
    }
}

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
            | Self::Length
            | Self::BothLengths
            | Self::TransferCoding
            | Self::ConnectionField => Reason::BadHead,
            Self::NoHost | Self::DuplicateHost | Self::Host | Self::HostMismatch => Reason::BadHost,
            Self::Path(_) => Reason::BadPath,
        }
    }
}

/// Checks a head, and takes from its lines what ends at this hop and what `trust` does not cover: the host, hop-by-hop
/// fields, those that `Connection` lists, `Expect`, identities.
///
/// # Errors
/// [`Rejection`]; the lines are then as they were.
pub fn admit(
    start: &StartLine<'_>,
    lines: &mut impl HeaderLines,
    trust: Trust,
) -> Result<Admitted, Rejection> {
    let seen = gate::survey(lines.lines());
    // Number and framing first, as a codec that reads bytes meets them.
    seen.check_lines()?;
    let framing = seen.framing(start.version)?;
    if start.method == "CONNECT" || seen.asks_for_upgrade() {
        return Err(Rejection::Upgrade);
    }
    gate::check_target(start)?;
    seen.check_values()?;
    let from_field = seen.host(start)?;
    let listed = seen.listed()?;
    let authority = from_field.or(start.authority).ok_or(Rejection::NoHost)?;
    let host = host::canonical(authority).map_err(|_| Rejection::Host)?.into();
    let authority = if start.authority.is_some() { None } else { Some(authority.into()) };
    let trailers = seen.accepts_trailers();
    lines.keep(|name, _| {
        let name = name.as_bytes();
        let ends_here = name == b"host" || name == b"expect" || hop::is_hop_by_hop(name);
        let claim = identity::is_identity(name) || (trust == Trust::Stranger && identity::is_forgeable(name));
        !(ends_here || claim || listed.iter().any(|listed| listed == name))
    });
    if trailers {
        // A gRPC call needs it, and RFC 9113 (8.2.2) allows it.
        lines.add("te", "trailers");
    }
    Ok(Admitted { authority, host, framing })
}

/// The canonical path of an admitted head, by what the service does with escaped slashes.
///
/// # Errors
/// [`Rejection::Path`] for a path without a canonical form.
pub fn canonical_path(raw: &str, slashes: SlashMode) -> Result<Cow<'_, str>, Rejection> {
    path::canonical(raw, slashes).map_err(Rejection::Path)
}
