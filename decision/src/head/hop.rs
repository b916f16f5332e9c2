//! Hop-by-hop fields (RFC 9110 section 7.6.1): fields that end at this proxy and are never forwarded.

use mesh_bundle::message::is_hop_by_hop;

use super::lines::HeaderLines;

/// The most names that a message may list in `Connection`.
const MAX_LISTED: usize = 16;

/// A `Connection` field that lists a framing field or too many names, which only an attack does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the `connection` field lists what it must not")]
pub struct BadConnectionField;

/// Removes a response's hop-by-hop fields, those that `Connection` lists among them.
///
/// # Errors
/// [`BadConnectionField`]: the upstream's answer is then a 502.
pub fn strip_response(lines: &mut impl HeaderLines) -> Result<(), BadConnectionField> {
    let connection = lines.lines().filter(|(name, _)| *name == "connection").map(|(_, value)| value);
    let listed = listed(connection)?;
    lines.keep(|name, _| {
        let name = name.as_bytes();
        !(is_hop_by_hop(name) || listed.iter().any(|listed| listed == name))
    });
    Ok(())
}

/// Whether a request's field ends at this hop, whatever `Connection` lists: the host, which the start line has from now
/// on, `Expect`, and hop-by-hop fields.
pub(super) fn ends_here(name: &[u8]) -> bool {
    name == b"host" || name == b"expect" || is_hop_by_hop(name)
}

/// The names, in lower case, that `Connection` fields list and that are not removed anyway.
pub(super) fn listed<'l>(fields: impl Iterator<Item = &'l [u8]>) -> Result<Vec<Vec<u8>>, BadConnectionField> {
    let mut listed = Vec::new();
    let mut seen = 0_usize;
    for name in fields.flat_map(tokens) {
        seen += 1;
        if seen > MAX_LISTED {
            return Err(BadConnectionField);
        }
        if is_plain(name) {
            continue;
        }
        let name = name.to_ascii_lowercase();
        if !name.iter().all(|byte| is_token(*byte)) || matches!(name.as_slice(), b"content-length" | b"host")
        {
            return Err(BadConnectionField);
        }
        listed.push(name);
    }
    Ok(listed)
}

/// The elements of a comma-separated list, without blanks and empty ones (RFC 9110 section 5.6.1).
pub(super) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

/// True if a comma-separated list has `wanted`, in whatever case.
pub(super) fn has_token(value: &[u8], wanted: &str) -> bool {
    tokens(value).any(|token| token.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Options of a connection, and fields that are removed anyway.
fn is_plain(token: &[u8]) -> bool {
    ["keep-alive", "close", "upgrade", "te", "transfer-encoding", "http2-settings"]
        .iter()
        .any(|known| token.eq_ignore_ascii_case(known.as_bytes()))
}

/// `tchar` of RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
