//! Hop-by-hop fields (RFC 9110, 7.6.1): what ends at this proxy and is never forwarded.

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE};

use super::gate::Rejection;
use super::head::Headers;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// The most names that a request may list in `Connection`; more is a 400.
const MAX_LISTED: usize = 16;

/// Removes a request's hop-by-hop fields, those that `Connection` lists among them. `te: trailers` survives, because a
/// gRPC call needs it and RFC 9113 (8.2.2) allows it.
///
/// # Errors
/// A `Connection` field that lists a framing field or too many names, which only an attack does.
pub fn strip_request(headers: &mut Headers) -> Result<(), Rejection> {
    let trailers = headers.get_all(&TE).any(|value| has_token(value, "trailers"));
    remove_listed(headers)?;
    remove_fixed(headers);
    if trailers {
        headers.append(TE, HeaderValue::from_static("trailers"));
    }
    Ok(())
}

/// Removes a response's hop-by-hop fields.
///
/// # Errors
/// As [`strip_request`]: the upstream's answer is then a 502.
pub fn strip_response(headers: &mut Headers) -> Result<(), Rejection> {
    remove_listed(headers)?;
    remove_fixed(headers);
    Ok(())
}

/// Whether a request asks to leave HTTP for WebSocket or another protocol (`Connection: upgrade`, `Upgrade: x`).
/// An offer of `h2c` is none: a server may ignore it (RFC 9110, 7.8).
#[must_use]
pub fn wants_upgrade(headers: &Headers) -> bool {
    headers.get_all(&CONNECTION).any(|value| has_token(value, "upgrade"))
        && headers.get(&UPGRADE).is_some_and(|value| !has_token(value, "h2c"))
}

fn remove_fixed(headers: &mut Headers) {
    headers.retain(|name, _| {
        !(*name == CONNECTION
            || *name == TE
            || *name == TRANSFER_ENCODING
            || *name == UPGRADE
            || *name == KEEP_ALIVE
            || *name == PROXY_CONNECTION
            || *name == HTTP2_SETTINGS)
    });
}

fn remove_listed(headers: &mut Headers) -> Result<(), Rejection> {
    if !headers.contains(&CONNECTION) {
        return Ok(());
    }
    let mut listed: Vec<HeaderName> = Vec::new();
    let mut seen = 0_usize;
    for value in headers.get_all(&CONNECTION) {
        for token in tokens(value) {
            seen += 1;
            if seen > MAX_LISTED {
                return Err(Rejection::ConnectionField);
            }
            if is_plain(token) {
                continue;
            }
            let name = HeaderName::from_bytes(token).map_err(|_| Rejection::ConnectionField)?;
            if name == CONTENT_LENGTH || name == http::header::HOST {
                return Err(Rejection::ConnectionField);
            }
            listed.push(name);
        }
    }
    if !listed.is_empty() {
        headers.retain(|name, _| !listed.contains(name));
    }
    Ok(())
}

/// Tokens that need no removal of their own: they are either options or removed anyway.
fn is_plain(token: &[u8]) -> bool {
    ["keep-alive", "close", "upgrade", "te", "transfer-encoding", "http2-settings"]
        .iter()
        .any(|known| token.eq_ignore_ascii_case(known.as_bytes()))
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

fn has_token(value: &HeaderValue, wanted: &str) -> bool {
    tokens(value).any(|token| token.eq_ignore_ascii_case(wanted.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn names(headers: &Headers) -> Vec<&str> {
        headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn fixed_and_listed_fields_go() {
        let mut h = headers(&[
            ("connection", "Keep-Alive, x-secret"),
            ("keep-alive", "timeout=5"),
            ("x-secret", "1"),
            ("x-kept", "2"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-connection", "close"),
            ("te", "gzip"),
        ]);
        strip_request(&mut h).unwrap();
        assert_eq!(names(&h), ["x-kept"]);
    }

    #[test]
    fn te_trailers_survives_alone() {
        let mut h = headers(&[("te", "trailers, deflate;q=0.5"), ("connection", "te")]);
        strip_request(&mut h).unwrap();
        assert_eq!(h.get(&TE).unwrap(), "trailers");
        assert_eq!(h.len(), 1);
    }

    #[test]
    fn framing_fields_cannot_be_listed_away() {
        let mut h = headers(&[("connection", "content-length"), ("content-length", "5")]);
        assert_eq!(strip_request(&mut h), Err(Rejection::ConnectionField));
        let many = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q";
        assert_eq!(strip_request(&mut headers(&[("connection", many)])), Err(Rejection::ConnectionField));
    }

    #[test]
    fn only_a_websocket_counts_as_an_upgrade() {
        assert!(wants_upgrade(&headers(&[("connection", "Upgrade"), ("upgrade", "websocket")])));
        assert!(!wants_upgrade(&headers(&[("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c")])));
        assert!(!wants_upgrade(&headers(&[("upgrade", "websocket")])));
    }
}
