//! Hosts: their canonical form, and the patterns that cover them.

use std::borrow::Cow;

/// The error of an authority without a canonical form; the answer is 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host is not a name or address")]
pub struct HostError;

/// The canonical form of an authority: lower case, without port and one trailing dot. Names
/// are labels of letters, digits, `-` and `_`, at most 63 bytes each and 253 together
/// (RFC 1035 section 2.3.4); IPv6 addresses stand in brackets (RFC 3986 section 3.2.2).
///
/// # Errors
/// [`HostError`] for anything else, user information included.
pub fn canonical(authority: &str) -> Result<Cow<'_, str>, HostError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(HostError)?;
        let port_ok = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        address.parse::<std::net::Ipv6Addr>().map_err(|_| HostError)?;
        if !port_ok {
            return Err(HostError);
        }
        let end = authority.len() - port.len();
        return Ok(lower(authority.get(..end).ok_or(HostError)?));
    }
    let name = match authority.split_once(':') {
        Some((name, port)) if is_port(port) => name,
        Some(_) => return Err(HostError),
        None => authority,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if name.len() > 253 || !name.split('.').all(label) {
        return Err(HostError);
    }
    Ok(lower(name))
}

fn is_port(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 5
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u16>().is_ok()
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The service that a canonical host inside the mesh names: `orders`, or `orders.<environment>`. Nothing says that it exists.
#[must_use]
pub fn service_in<'h>(host: &'h str, environment: &str) -> Option<&'h str> {
    match host.split_once('.') {
        Some((name, of)) => (of == environment).then_some(name),
        None => Some(host),
    }
}

/// True if `pattern` (exact, or `*.x` for one or more labels before `.x`) covers the canonical `host`.
#[must_use]
pub fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        for (raw, form) in [
            ("A.test", "a.test"),
            ("a.test.", "a.test"),
            ("a.test:443", "a.test"),
            ("a.test.:80", "a.test"),
            ("[::1]", "[::1]"),
            ("[::FFFF:127.0.0.1]:8080", "[::ffff:127.0.0.1]"),
            ("0x7f.1", "0x7f.1"),
            ("a_b.test", "a_b.test"),
        ] {
            assert_eq!(canonical(raw).as_deref(), Ok(form), "{raw}");
        }
        for bad in [
            "", ".", "a..b", ".a", "a.test..", "a@b", "a#b", "a\\b", "*.a", "a, b", "a:", "a:x", "a:99999",
            "[::1",
        ] {
            assert_eq!(canonical(bad), Err(HostError), "{bad}");
        }
        assert!(canonical(&format!("{}.test", "a".repeat(64))).is_err());
        assert!(canonical(&["a".repeat(60).as_str(); 5].join(".")).is_err());
    }

    #[test]
    fn services_are_named_alone_or_with_their_environment() {
        assert_eq!(service_in("orders", "prod"), Some("orders"));
        assert_eq!(service_in("orders.prod", "prod"), Some("orders"));
        assert_eq!(service_in("orders.dev", "prod"), None);
        assert_eq!(service_in("a.orders.prod", "prod"), None);
    }

    #[test]
    fn wildcards_take_one_or_more_labels() {
        assert!(covers("*.x", "a.x") && covers("*.x", "a.b.x"));
        assert!(!covers("*.x", "x") && !covers("*.x", "ax") && !covers("*.x", ".x"));
        assert!(covers("a.x", "a.x") && !covers("a.x", "b.x"));
    }
}
