//! A message body as it arrives on a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

/// Why a body that was arriving ended early.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TransportError(hyper::Error);

/// The body of a message that a connection delivers. It is pulled: what nobody asks for stays with its sender, but for the
/// codec's own bounded buffer.
pub struct Incoming(hyper::body::Incoming);

impl Incoming {
    /// `None` where the message has no body.
    pub(super) fn new(body: hyper::body::Incoming) -> Option<Self> {
        (!body.is_end_stream()).then_some(Self(body))
    }
}

impl HttpBody for Incoming {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        Pin::new(&mut self.0).poll_frame(cx).map_err(TransportError)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
