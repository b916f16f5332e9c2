//! The parts of a head beside its lines, and what is made of them.

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
    /// The host in its canonical form ([`crate::host::canonical`]).
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
