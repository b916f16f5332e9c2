//! The answers that a rule asks for itself: `redirect` and `respond`.

use http::header::{HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use mesh_bundle::program::Respond;

use crate::http::{Body, ResponseHead};

/// The answer of a rule with `redirect`.
pub(super) fn redirect(status: u16, location: &str) -> (ResponseHead, Body) {
    // No bundle is well-formed with another status (`bundle::verify`).
    let mut head =
        ResponseHead::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    if let Ok(location) = HeaderValue::from_str(location) {
        head.headers.append(LOCATION, location);
    }
    (head, Body::Empty)
}

/// The answer of a rule with `respond`.
pub(super) fn respond(respond: &Respond, method: &Method) -> (ResponseHead, Body) {
    // No bundle is well-formed with another status (`bundle::verify`).
    let status = StatusCode::from_u16(respond.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = ResponseHead::new(status);
    for (name, value) in &respond.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            head.headers.append(name, value);
        }
    }
    let body = if *method == Method::HEAD { Body::Empty } else { Body::full(respond.body.clone()) };
    (head, body)
}
