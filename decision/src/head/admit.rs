//! The way of a head through the gate.

use std::borrow::Cow;

use mesh_bundle::program::SlashMode;

use super::gate;
use super::lines::HeaderLines;
use super::parts::{Admitted, StartLine, Trust};
use super::rejection::Rejection;
use super::visible;
use crate::host;
use crate::path;

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
        !(visible::is_taken_away(name, trust) || listed.iter().any(|listed| listed == name))
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
