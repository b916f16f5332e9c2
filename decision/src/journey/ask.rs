//! A request to follow.

use mesh_bundle::Owner;
use mesh_bundle::expr::Instant;

use crate::head::Version;

/// A request whose journey is followed.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The method token.
    pub method: String,
    /// The scheme in which it reaches its first proxy: `http` or `https`.
    pub scheme: String,
    /// The authority as a client would write it. Its port, or the scheme's, says which gateway is meant where several
    /// have the host.
    pub authority: String,
    /// Path and query as a client would write them.
    pub target: String,
    /// The version of HTTP that it is asked in.
    pub version: Version,
    /// Header lines, names in lower case. In HTTP/1 rules see the host of a `host` line and not that of `authority`.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The service that asks, or the gateway that a stranger asks; where absent, a stranger at the gateway of the host.
    pub caller: Option<Owner>,
    /// The caller's address, if it is known: a stranger's as its gateway sees it, a service's as the callee sees it.
    pub ip: Option<String>,
    /// The server name of the client's handshake with a gateway, empty for none; where absent, the host of `authority`, as
    /// clients send it (RFC 6066 section 3).
    pub sni: Option<String>,
    /// The arrival time of the request.
    pub now: Instant,
}
