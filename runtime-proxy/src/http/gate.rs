//! The strict head gate: what no request may look like, whatever the rules say.
//!
//! RFC 9112 (3.2, 6.1, 6.3) and RFC 9113 (8.2, 8.3) leave a recipient some room; a proxy that decides on a request
//! takes none, because the next hop may read the same bytes in another way.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{Method, Version};
use mesh_bundle::limits;

use super::head::Head;

/// Why a head is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No `Host` field and no authority.
    #[error("the request names no host")]
    NoHost,
    /// More than one `Host` field.
    #[error("the request has more than one `host` field")]
    DuplicateHost,
    /// A `Host` field or authority that is no `host[:port]`.
    #[error("the request's host is not `host[:port]`")]
    BadHost,
    /// `Host` differs from `:authority` or from the absolute-form target.
    #[error("the `host` field contradicts the request target")]
    HostMismatch,
    /// `Content-Length` beside `Transfer-Encoding`.
    #[error("the request has both `content-length` and `transfer-encoding`")]
    BothLengths,
    /// Several or malformed `Content-Length` fields.
    #[error("the request's `content-length` is not one number")]
    BadLength,
    /// A transfer coding other than one `chunked`, or one in HTTP/1.0.
    #[error("the request's `transfer-encoding` is not `chunked`")]
    BadTransferCoding,
    /// More header lines than rules can see ([`mesh_bundle::limits::HEADER_LINES`]).
    #[error("the request has too many header lines")]
    TooManyLines,
    /// A header value longer than rules are reckoned with ([`mesh_bundle::limits::VALUE_BYTES`]).
    #[error("the request has a header value that is too long")]
    ValueTooLong,
    /// A target that is neither a path nor `*` of `OPTIONS`.
    #[error("the request target is not a path")]
    BadTarget,
    /// A `Connection` field that lists framing fields or too many names.
    #[error("the `connection` field lists what it must not")]
    ConnectionField,
}

/// Checks a head and moves its host into the target's authority: afterwards there is exactly one statement of the host
/// and no `Host` field.
///
/// # Errors
/// Each variant of [`Rejection`] but [`Rejection::ConnectionField`], all of them a 400.
pub fn admit(head: &mut Head) -> Result<(), Rejection> {
    check_target(head)?;
    check_size(head)?;
    check_lengths(head)?;
    settle_host(head)
}

/// HTTP/2 has a bound on bytes alone; rules see so many lines and no more, and their cost is reckoned with values of a
/// bounded length.
fn check_size(head: &Head) -> Result<(), Rejection> {
    if head.headers.len() > limits::HEADER_LINES {
        return Err(Rejection::TooManyLines);
    }
    if head.headers.iter().any(|(_, value)| value.len() > limits::VALUE_BYTES) {
        return Err(Rejection::ValueTooLong);
    }
    Ok(())
}

fn check_target(head: &Head) -> Result<(), Rejection> {
    match head.target.path.as_ref().map(|path| path.as_str()) {
        Some("*") if head.method == Method::OPTIONS => Ok(()),
        Some(path) if path.starts_with('/') => Ok(()),
        None if head.method == Method::CONNECT => Ok(()),
        _ => Err(Rejection::BadTarget),
    }
}

fn check_lengths(head: &Head) -> Result<(), Rejection> {
    let mut lengths = head.headers.get_all(&CONTENT_LENGTH);
    let length = lengths.next();
    if let Some(value) = length {
        let digits = value.as_bytes();
        if lengths.next().is_some() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Rejection::BadLength);
        }
    }
    let mut codings = head.headers.get_all(&TRANSFER_ENCODING);
    if let Some(coding) = codings.next() {
        if length.is_some() {
            return Err(Rejection::BothLengths);
        }
        let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !chunked || codings.next().is_some() || head.version != Version::HTTP_11 {
            return Err(Rejection::BadTransferCoding);
        }
    }
    Ok(())
}

fn settle_host(head: &mut Head) -> Result<(), Rejection> {
    let host = {
        let mut hosts = head.headers.get_all(&HOST);
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(Rejection::DuplicateHost);
        }
        host.map(|value| parse_authority(value.as_bytes())).transpose()?
    };
    if let Some(authority) = &head.target.authority {
        check_authority(authority)?;
        if host.as_ref().is_some_and(|host| !host.as_str().eq_ignore_ascii_case(authority.as_str())) {
            return Err(Rejection::HostMismatch);
        }
        if host.is_none() && head.version == Version::HTTP_11 && head.method != Method::CONNECT {
            return Err(Rejection::NoHost);
        }
    } else {
        head.target.authority = Some(host.ok_or(Rejection::NoHost)?);
    }
    head.headers.remove(&HOST);
    Ok(())
}

fn parse_authority(value: &[u8]) -> Result<Authority, Rejection> {
    let authority = Authority::try_from(value).map_err(|_| Rejection::BadHost)?;
    check_authority(&authority)?;
    Ok(authority)
}

fn check_authority(authority: &Authority) -> Result<(), Rejection> {
    let text = authority.as_str();
    let host = authority.host();
    let port_is_number = match text.get(host.len()..) {
        None | Some("") => true,
        Some(rest) => rest
            .strip_prefix(':')
            .is_some_and(|port| !port.is_empty() && port.len() <= 5 && port.parse::<u16>().is_ok()),
    };
    if host.is_empty() || text.contains('@') || text.contains(',') || text.contains('%') || !port_is_number {
        return Err(Rejection::BadHost);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Headers, Scheme, Target};
    use http::header::{HeaderName, HeaderValue};

    fn head(version: Version, authority: Option<&str>, lines: &[(&'static str, &'static str)]) -> Head {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Head {
            method: Method::GET,
            target: Target {
                scheme: Scheme::Http,
                authority: authority.map(|a| a.parse().unwrap()),
                path: Some("/a".parse().unwrap()),
            },
            version,
            headers,
        }
    }

    fn verdict(
        version: Version,
        authority: Option<&str>,
        lines: &[(&'static str, &'static str)],
    ) -> Result<(), Rejection> {
        admit(&mut head(version, authority, lines))
    }

    #[test]
    fn host_moves_into_the_authority() {
        let mut h = head(Version::HTTP_11, None, &[("host", "orders:8080"), ("accept", "*/*")]);
        admit(&mut h).unwrap();
        assert_eq!(h.target.authority.unwrap().as_str(), "orders:8080");
        assert!(!h.headers.contains(&HOST));
    }

    #[test]
    fn lines_and_values_are_bounded() {
        let with = |lines: usize, bytes: usize| {
            let mut h = head(Version::HTTP_11, None, &[("host", "orders")]);
            for _ in 0..lines {
                h.headers
                    .append(HeaderName::from_static("x"), HeaderValue::from_str(&"a".repeat(bytes)).unwrap());
            }
            admit(&mut h)
        };
        assert_eq!(with(limits::HEADER_LINES - 1, 1), Ok(()));
        assert_eq!(with(limits::HEADER_LINES, 1), Err(Rejection::TooManyLines));
        assert_eq!(with(1, limits::VALUE_BYTES), Ok(()));
        assert_eq!(with(1, limits::VALUE_BYTES + 1), Err(Rejection::ValueTooLong));
    }

    #[test]
    fn exactly_one_valid_host() {
        let v = Version::HTTP_11;
        assert_eq!(verdict(v, None, &[]), Err(Rejection::NoHost));
        assert_eq!(verdict(v, None, &[("host", "a"), ("host", "a")]), Err(Rejection::DuplicateHost));
        for bad in ["", "a,b", "u@a", "a b", "a:", "a:99999", "a:x", "a/b", "a%41"] {
            let mut h = head(v, None, &[]);
            h.headers.append(HOST, HeaderValue::from_str(bad).unwrap());
            assert_eq!(admit(&mut h), Err(Rejection::BadHost), "{bad:?}");
        }
    }

    #[test]
    fn host_must_agree_with_the_target() {
        assert_eq!(
            verdict(Version::HTTP_2, Some("orders"), &[("host", "payments")]),
            Err(Rejection::HostMismatch)
        );
        assert_eq!(verdict(Version::HTTP_2, Some("orders"), &[("host", "Orders")]), Ok(()));
        assert_eq!(verdict(Version::HTTP_2, Some("orders"), &[]), Ok(()));
        assert_eq!(verdict(Version::HTTP_11, Some("orders"), &[]), Err(Rejection::NoHost));
        assert_eq!(
            verdict(Version::HTTP_11, Some("u@orders"), &[("host", "u@orders")]),
            Err(Rejection::BadHost)
        );
    }

    #[test]
    fn lengths_cannot_contradict() {
        let v = Version::HTTP_11;
        let host = ("host", "a");
        let both = [host, ("content-length", "1"), ("transfer-encoding", "chunked")];
        assert_eq!(verdict(v, None, &both), Err(Rejection::BothLengths));
        for bad in ["+1", "1, 1", "-1", "0x1", ""] {
            let mut h = head(v, None, &[host]);
            h.headers.append(CONTENT_LENGTH, HeaderValue::from_str(bad).unwrap());
            assert_eq!(admit(&mut h), Err(Rejection::BadLength), "{bad:?}");
        }
        let twice = [host, ("content-length", "1"), ("content-length", "1")];
        assert_eq!(verdict(v, None, &twice), Err(Rejection::BadLength));
        assert_eq!(
            verdict(v, None, &[host, ("transfer-encoding", "gzip, chunked")]),
            Err(Rejection::BadTransferCoding)
        );
        assert_eq!(
            verdict(Version::HTTP_10, None, &[host, ("transfer-encoding", "chunked")]),
            Err(Rejection::BadTransferCoding)
        );
    }

    #[test]
    fn targets_are_paths() {
        let mut h = head(Version::HTTP_11, None, &[("host", "a")]);
        h.target.path = Some("*".parse().unwrap());
        assert_eq!(admit(&mut h.clone()), Err(Rejection::BadTarget));
        h.method = Method::OPTIONS;
        assert_eq!(admit(&mut h), Ok(()));
    }
}
