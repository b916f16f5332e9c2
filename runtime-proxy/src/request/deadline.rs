//! When the last byte of an answer is due.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderName};
use tokio::time::Instant;

use crate::http::{Head, ResponseHead};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// When a request that came in at `start` must have ended; `timeout_ms` is the rule's, 0 for none. `grpc-timeout` lowers,
/// never raises.
pub(super) fn deadline(head: &Head, timeout_ms: u64, start: Instant) -> Option<Instant> {
    let ruled = (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms));
    let asked = head.headers.get(&GRPC_TIMEOUT).filter(|_| head.is_grpc());
    let asked = asked.and_then(|value| grpc_timeout(value.as_bytes()));
    let shorter = match (ruled, asked) {
        (Some(ruled), Some(asked)) => Some(ruled.min(asked)),
        (one, other) => one.or(other),
    };
    shorter.and_then(|timeout| start.checked_add(timeout))
}

/// A response without a foreseeable end: its timeout ends with its head.
pub(super) fn is_stream(head: &ResponseHead) -> bool {
    head.headers.get(&CONTENT_TYPE).is_some_and(|value| {
        value.as_bytes().starts_with(b"application/grpc")
            || value.as_bytes().starts_with(b"text/event-stream")
    })
}

/// `TimeoutValue TimeoutUnit`: at most 8 digits and one of `HMSmun` (gRPC over HTTP/2, "Requests").
fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(count * 3_600)),
        b'M' => Some(Duration::from_secs(count * 60)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_timeouts_are_read_strictly() {
        assert_eq!(grpc_timeout(b"100m"), Some(Duration::from_millis(100)));
        assert_eq!(grpc_timeout(b"2S"), Some(Duration::from_secs(2)));
        assert_eq!(grpc_timeout(b"99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        for bad in [&b""[..], b"S", b"1", b"1s", b"-1S", b"100000000S", b"1 S"] {
            assert_eq!(grpc_timeout(bad), None, "{bad:?}");
        }
    }
}
