//! The strict gate: checks of a request head that hold whatever the rules say.
//!
//! RFC 9112 (3.2, 6.1, 6.3) and RFC 9113 (8.2, 8.3) leave a recipient some room; a proxy that decides on a request
//! takes none, because the next hop may read the same bytes in another way.

use mesh_bundle::limits;

use super::hop::{self, has_token};
use super::parts::{Framing, StartLine, Version};
use super::rejection::Rejection;

/// The fields that the gate checks, collected in one walk over the lines.
#[derive(Default)]
pub(super) struct Survey<'l> {
    lines: usize,
    longest: usize,
    blank_end: bool,
    host: Sole<'l>,
    length: Sole<'l>,
    coding: Sole<'l>,
    upgrade: Option<&'l [u8]>,
    connection: Vec<&'l [u8]>,
    trailers: bool,
}

/// The first line of a name, and whether there are more.
#[derive(Default)]
struct Sole<'l> {
    first: Option<&'l [u8]>,
    more: bool,
}

impl<'l> Sole<'l> {
    fn add(&mut self, value: &'l [u8]) {
        self.more = self.first.is_some();
        self.first = self.first.or(Some(value));
    }
}

/// Walks over the lines of a request once.
pub(super) fn survey<'l>(lines: impl Iterator<Item = (&'l str, &'l [u8])>) -> Survey<'l> {
    let mut seen = Survey::default();
    for (name, value) in lines {
        seen.lines += 1;
        seen.longest = seen.longest.max(value.len());
        seen.blank_end |=
            [value.first(), value.last()].into_iter().flatten().any(|byte| matches!(byte, b' ' | b'\t'));
        match name.as_bytes() {
            b"te" => seen.trailers |= has_token(value, "trailers"),
            b"host" => seen.host.add(value),
            b"upgrade" => seen.upgrade = seen.upgrade.or(Some(value)),
            b"connection" => seen.connection.push(value),
            b"content-length" => seen.length.add(value),
            b"transfer-encoding" => seen.coding.add(value),
            _ => {}
        }
    }
    seen
}

/// A target is a path, or `*` of `OPTIONS` (RFC 9112 section 3.2).
pub(super) fn check_target(start: &StartLine<'_>) -> Result<(), Rejection> {
    match start.target {
        Some("*") if start.method == "OPTIONS" => Ok(()),
        Some(path) if path.starts_with('/') => Ok(()),
        _ => Err(Rejection::Target),
    }
}

impl<'l> Survey<'l> {
    /// True if the request asks to leave HTTP for WebSocket or another protocol (`Connection: upgrade`, `Upgrade: x`).
    /// An offer of `h2c` is none: a server may ignore it (RFC 9110 section 7.8).
    pub(super) fn asks_for_upgrade(&self) -> bool {
        self.connection.iter().any(|value| has_token(value, "upgrade"))
            && self.upgrade.is_some_and(|value| !has_token(value, "h2c"))
    }

    /// True if `te` lists `trailers` (RFC 9110 section 10.1.4).
    pub(super) fn accepts_trailers(&self) -> bool {
        self.trailers
    }

    /// HTTP/2 has a bound on bytes alone; rules see so many lines and no more.
    pub(super) fn check_lines(&self) -> Result<(), Rejection> {
        if self.lines > limits::HEADER_LINES { Err(Rejection::TooManyLines) } else { Ok(()) }
    }

    /// The cost of rules is reckoned with values of a bounded length, and none has a blank at an end.
    pub(super) fn check_values(&self) -> Result<(), Rejection> {
        if self.longest > limits::VALUE_BYTES {
            return Err(Rejection::ValueTooLong);
        }
        if self.blank_end { Err(Rejection::BlankEnd) } else { Ok(()) }
    }

    /// One statement of the body's length at most.
    pub(super) fn framing(&self, version: Version) -> Result<Framing, Rejection> {
        let length = self.length.first.map(|value| digits(value).filter(|_| !self.length.more));
        match (length, self.coding.first) {
            (Some(None), _) => Err(Rejection::Length),
            (Some(Some(_)), Some(_)) => Err(Rejection::BothLengths),
            (Some(Some(bytes)), None) => Ok(Framing::Length(bytes)),
            (None, None) => Ok(Framing::Unstated),
            (None, Some(coding)) => {
                let sole = coding.eq_ignore_ascii_case(b"chunked") && !self.coding.more;
                if sole && version == Version::Http11 {
                    Ok(Framing::Chunked)
                } else {
                    Err(Rejection::TransferCoding)
                }
            }
        }
    }

    /// The `host` field: at most one, the same as the start line's authority, and required in HTTP/1.1 (RFC 9112
    /// section 3.2).
    pub(super) fn host(&self, start: &StartLine<'_>) -> Result<Option<&'l str>, Rejection> {
        if self.host.more {
            return Err(Rejection::DuplicateHost);
        }
        let host = self.host.first.map(|value| std::str::from_utf8(value).map_err(|_| Rejection::Host));
        let host = host.transpose()?;
        match (host, start.authority) {
            (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
                Err(Rejection::HostMismatch)
            }
            (None, _) if start.version == Version::Http11 => Err(Rejection::NoHost),
            _ => Ok(host),
        }
    }

    /// The names that `Connection` lists.
    pub(super) fn listed(&self) -> Result<Vec<Vec<u8>>, Rejection> {
        hop::listed(self.connection.iter().copied()).map_err(|_| Rejection::ConnectionField)
    }
}

/// A number of decimal digits alone (RFC 9110 section 8.6) that fits 64 bits.
fn digits(value: &[u8]) -> Option<u64> {
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}
