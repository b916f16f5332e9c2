//! Bodies: pulled, never held whole by the codec.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::incoming::{Incoming, TransportError};

/// What went wrong with a body under way.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection that it came from failed.
    #[error("the message body ended early: {0}")]
    Transport(#[from] TransportError),
    /// The request's time was up.
    #[error("the request's timeout passed before the body's end")]
    TimedOut,
    /// A newer bundle denies the stream.
    #[error("the stream is denied by now")]
    Denied,
    /// An attempt that was given up still asked for its body.
    #[error("the attempt that sent this body was given up")]
    Abandoned,
}

/// A message body. Trailers travel as its last frame.
pub enum Body {
    /// Nothing.
    Empty,
    /// One piece.
    Full(Bytes),
    /// From a connection, as it arrives.
    Incoming(Incoming),
    /// From the proxy, as it makes it: a replay of a request's body, a response's that is watched to its end.
    Stream(Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError>>>),
}

impl Body {
    /// From one piece of text or bytes.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::Empty } else { Self::Full(bytes) }
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            other => other.is_end_stream(),
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(BodyError::Transport),
            Self::Stream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(_) => false,
            Self::Incoming(body) => body.is_end_stream(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Incoming(body) => body.size_hint(),
            Self::Stream(body) => body.size_hint(),
        }
    }
}
