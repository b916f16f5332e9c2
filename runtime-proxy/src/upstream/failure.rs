//! Why a request has no answer from an endpoint.

use http::StatusCode;
use mesh_bundle::program::RetryOn;

/// Why there is no answer. Whose fault it is decides status and retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No endpoint, or none that is not ejected: 503.
    #[error("no endpoint")]
    NoEndpoint,
    /// The bulkhead is full: 503.
    #[error("too many requests under way to the service")]
    Overflow,
    /// No connection could be made: 503.
    #[error("no connection to the endpoint")]
    Connect,
    /// The endpoint refused to process the request: 503.
    #[error("the endpoint refused the request unprocessed")]
    Refused,
    /// The connection ended without an answer: 502.
    #[error("the endpoint ended the connection without an answer")]
    Reset,
    /// Time was up: 504.
    #[error("the timeout passed")]
    TimedOut,
    /// The client's body ended before it was complete; nobody waits for the answer.
    #[error("the request's body ended early")]
    ClientGone,
}

impl Failure {
    /// The status of the proxy's own answer (`docs/proxy.md`, "Reasons").
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoEndpoint | Self::Overflow | Self::Connect | Self::Refused => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Reset => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientGone => StatusCode::BAD_REQUEST,
        }
    }

    /// A short word for the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoEndpoint => "no-endpoint",
            Self::Overflow => "overflow",
            Self::Connect => "connect-failure",
            Self::Refused => "refused-stream",
            Self::Reset => "upstream-reset",
            Self::TimedOut => "timed-out",
            Self::ClientGone => "client-gone",
        }
    }

    /// True if it meets a condition of a retry rule. A class of statuses takes what would be answered with one of them
    /// because the endpoint gave no response; not the mesh's own limits, nor the end of the time.
    pub(super) fn meets(self, condition: RetryOn) -> bool {
        match self {
            Self::Connect => condition == RetryOn::ConnectFailure || condition.is_class(),
            Self::Refused => condition == RetryOn::RefusedStream || condition.is_class(),
            Self::Reset => condition.is_class(),
            Self::NoEndpoint | Self::Overflow | Self::TimedOut | Self::ClientGone => false,
        }
    }

    /// True if the endpoint certainly has not processed the request, so that it may be repeated whatever its method.
    pub(super) fn is_unprocessed(self) -> bool {
        matches!(self, Self::Connect | Self::Refused)
    }
}
