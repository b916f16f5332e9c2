//! A refusal: what the proxy answers to a request that it does not let through, over HTTP and gRPC.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use mesh_decision::Reason;

use crate::http::{Body, ResponseHead};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DECISION: HeaderName = HeaderName::from_static("x-mesh-decision");

/// A refusal, before it is written for the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// A short word for the log: `no-rule`, `denied`, `over-quota`.
    pub reason: &'static str,
    /// When to come back.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// A refusal.
    #[must_use]
    pub fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason, retry_after: None }
    }

    /// Writes the refusal. A gRPC call gets trailers only, on 200 (`docs/proxy.md`, "Reasons"). Of a 403 the wire
    /// carries nothing but the decision's id.
    pub(super) fn write(self, method: &Method, grpc: bool, decision: &str) -> (ResponseHead, Body) {
        let mut head = ResponseHead::new(if grpc { StatusCode::OK } else { self.status });
        let word = if self.status == StatusCode::FORBIDDEN { "denied" } else { self.reason };
        if let Ok(id) = HeaderValue::from_str(decision) {
            head.headers.append(DECISION, id);
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up: coming back earlier would be refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            head.headers.append(RETRY_AFTER, seconds.max(1).into());
        }
        if grpc {
            head.headers.append(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            head.headers.append(GRPC_STATUS, HeaderValue::from_static(grpc_status(self.status)));
            head.headers.append(GRPC_MESSAGE, HeaderValue::from_static(word));
            return (head, Body::Empty);
        }
        head.headers.append(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        let body = if *method == Method::HEAD { Body::Empty } else { Body::full(format!("{word}\n")) };
        (head, body)
    }
}

impl From<Reason> for Answer {
    fn from(reason: Reason) -> Self {
        // Every status of the table is one.
        let status = StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, reason.word())
    }
}

/// How a gRPC call ends that is denied on its way.
pub(super) fn denied_trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from_static(grpc_status(StatusCode::FORBIDDEN)));
    trailers.insert(GRPC_MESSAGE, HeaderValue::from_static("denied"));
    trailers
}

/// gRPC's code for a status (403, 404, 429, 503, 504 as `docs/spec.md` says; the others as in gRPC's http-grpc-status-mapping.md).
fn grpc_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "7",
        404 | 501 => "12",
        429 => "8",
        502 | 503 => "14",
        504 => "4",
        400 | 500 => "13",
        _ => "2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'h>(head: &'h ResponseHead, name: &'static str) -> Option<&'h str> {
        head.headers.get(&HeaderName::from_static(name)).map(|value| value.to_str().unwrap())
    }

    #[test]
    fn grpc_calls_get_trailers_only() {
        for (status, code) in [(403, "7"), (404, "12"), (429, "8"), (503, "14"), (504, "4"), (502, "14")] {
            let answer = Answer::new(StatusCode::from_u16(status).unwrap(), "why");
            let (head, body) = answer.write(&Method::POST, true, "id");
            assert_eq!((head.status.as_u16(), header(&head, "grpc-status")), (200, Some(code)));
            assert!(body.is_empty());
        }
    }

    #[test]
    fn a_denial_tells_nothing_but_its_id() {
        let (head, body) =
            Answer::new(StatusCode::FORBIDDEN, "not-visible").write(&Method::GET, false, "00ff");
        assert_eq!((head.status.as_u16(), header(&head, "x-mesh-decision")), (403, Some("00ff")));
        assert!(matches!(body, Body::Full(text) if text == "denied\n"));
    }

    #[test]
    fn retry_after_is_rounded_up() {
        let mut answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, "over-quota");
        for (wait, expected) in [(1, "1"), (1_000, "1"), (1_001, "2")] {
            answer.retry_after = Some(Duration::from_millis(wait));
            assert_eq!(header(&answer.write(&Method::GET, false, "").0, "retry-after"), Some(expected));
        }
    }
}
