//! Bodies: streamed, never held whole but within the replay bound.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

/// What went wrong with a body under way.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection that it came from failed.
    #[error("the message body ended early: {0}")]
    Transport(#[from] hyper::Error),
    /// The request's time was up.
    #[error("the request's timeout passed before the body's end")]
    TimedOut,
    /// A newer bundle denies the stream.
    #[error("the stream is denied by now")]
    Denied,
    /// A try that was given up still asked for its body.
    #[error("the try that sent this body was given up")]
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
    /// A request body that can be sent again while it is within the bound.
    Replay(Replay),
    /// Watched by the request path, which learns of its end.
    Watched(Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError>>>),
}

impl Body {
    /// From one piece of text or bytes.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::Empty } else { Self::Full(bytes) }
    }

    /// From a connection; a body that is known to be empty is [`Body::Empty`].
    #[must_use]
    pub fn incoming(body: Incoming) -> Self {
        if body.is_end_stream() { Self::Empty } else { Self::Incoming(body) }
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
            Self::Replay(body) => Pin::new(body).poll_frame(cx),
            Self::Watched(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(_) => false,
            Self::Incoming(body) => body.is_end_stream(),
            Self::Replay(body) => body.is_end_stream(),
            Self::Watched(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Incoming(body) => body.size_hint(),
            Self::Replay(body) => body.size_hint(),
            Self::Watched(body) => body.size_hint(),
        }
    }
}

/// The most bytes of a request body that are kept for another try (`semantics.md`, "Time-outs and retries").
const REPLAY_BYTES: usize = mesh_bundle::limits::REPLAY_BYTES;

/// A request body together with what was read of it, from which each try takes its own [`Replay`].
pub struct Unread(Rc<RefCell<Source>>);

struct Source {
    origin: Body,
    declared: SizeHint,
    kept: Vec<Bytes>,
    kept_bytes: usize,
    trailers: Option<HeaderMap>,
    ended: bool,
    overflowed: bool,
    /// Only the latest try may read; an earlier one may still be held by its connection.
    turn: u64,
}

impl Unread {
    /// Begins to keep `origin`.
    #[must_use]
    pub fn new(origin: Body) -> Self {
        let declared = origin.size_hint();
        Self(Rc::new(RefCell::new(Source {
            origin,
            declared,
            kept: Vec::new(),
            kept_bytes: 0,
            trailers: None,
            ended: false,
            overflowed: false,
            turn: 0,
        })))
    }

    /// Whether another try would send the same bytes from the start.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        !self.0.borrow().overflowed
    }

    /// The body for the next try; all earlier ones are given up.
    #[must_use]
    pub fn next_try(&self) -> Body {
        let mut source = self.0.borrow_mut();
        source.turn += 1;
        Body::Replay(Replay { source: Rc::clone(&self.0), turn: source.turn, next: 0, done: false })
    }
}

/// One try's view of a request body.
pub struct Replay {
    source: Rc<RefCell<Source>>,
    turn: u64,
    next: usize,
    done: bool,
}

impl HttpBody for Replay {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        let mut source = this.source.borrow_mut();
        if source.turn != this.turn {
            return Poll::Ready(Some(Err(BodyError::Abandoned)));
        }
        if let Some(piece) = source.kept.get(this.next) {
            let piece = piece.clone();
            this.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if source.ended {
            this.done = true;
            return Poll::Ready(source.trailers.clone().map(|trailers| Ok(Frame::trailers(trailers))));
        }
        match ready!(Pin::new(&mut source.origin).poll_frame(cx)) {
            None => {
                source.ended = true;
                this.done = true;
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                this.done = true;
                source.overflowed = true;
                Poll::Ready(Some(Err(error)))
            }
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    this.next += usize::from(source.keep(data));
                } else if let Some(trailers) = frame.trailers_ref() {
                    source.trailers = Some(trailers.clone());
                    source.ended = true;
                    this.done = true;
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.done
    }

    fn size_hint(&self) -> SizeHint {
        self.source.borrow().declared
    }
}

impl Source {
    /// Keeps a piece if the bound allows; says whether it did.
    fn keep(&mut self, data: &Bytes) -> bool {
        if self.overflowed {
            return false;
        }
        if self.kept_bytes + data.len() > REPLAY_BYTES {
            self.overflowed = true;
            self.kept = Vec::new();
            return false;
        }
        self.kept_bytes += data.len();
        self.kept.push(data.clone());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn pieces(sizes: &[usize]) -> Body {
        let frames: Vec<Result<Frame<Bytes>, BodyError>> = sizes
            .iter()
            .enumerate()
            .map(|(index, size)| {
                Ok(Frame::data(Bytes::from(vec![b'a' + u8::try_from(index).unwrap(); *size])))
            })
            .collect();
        Body::Watched(Box::pin(Pieces(frames.into_iter())))
    }

    struct Pieces(std::vec::IntoIter<Result<Frame<Bytes>, BodyError>>);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            Poll::Ready(self.0.next())
        }
    }

    async fn drain(body: Body) -> Result<Vec<u8>, BodyError> {
        Ok(body.collect().await?.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_second_try_sends_the_same_bytes() {
        let unread = Unread::new(pieces(&[3, 2]));
        let mut first = unread.next_try();
        let piece = first.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece, "aaa");
        assert!(unread.is_replayable());
        assert_eq!(drain(unread.next_try()).await.unwrap(), b"aaabb");
        assert_eq!(drain(unread.next_try()).await.unwrap(), b"aaabb");
        assert!(matches!(drain(first).await, Err(BodyError::Abandoned)));
    }

    #[tokio::test]
    async fn past_the_bound_it_streams_but_is_not_kept() {
        let unread = Unread::new(pieces(&[40_000, 40_000, 1]));
        assert_eq!(drain(unread.next_try()).await.unwrap().len(), 80_001);
        assert!(!unread.is_replayable());
    }

    #[tokio::test]
    async fn the_bound_itself_is_kept() {
        let unread = Unread::new(pieces(&[REPLAY_BYTES - 1, 1]));
        assert_eq!(drain(unread.next_try()).await.unwrap().len(), REPLAY_BYTES);
        assert!(unread.is_replayable());
    }
}
