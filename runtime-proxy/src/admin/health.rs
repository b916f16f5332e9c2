//! Liveness and readiness: when a load balancer may send requests.

use http::StatusCode;

/// Where the process stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nobody listens yet.
    Starting,
    /// Requests are taken.
    Serving,
    /// Requests in flight end, and no other is taken.
    Draining,
}

/// The answer of `/readyz`: 200 once requests are taken and a bundle is in force. `/healthz` is 200 while the process
/// answers at all.
pub(super) fn ready(phase: Phase, bundle_in_force: bool) -> (StatusCode, &'static str) {
    match phase {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        Phase::Serving if !bundle_in_force => (StatusCode::SERVICE_UNAVAILABLE, "no bundle is in force\n"),
        Phase::Serving => (StatusCode::OK, "ready\n"),
    }
}
