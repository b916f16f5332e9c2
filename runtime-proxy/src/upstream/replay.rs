//! A request's body over several attempts: kept within a bound, so that it can be sent again.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use mesh_bundle::program::Retry;

use crate::http::{Body, BodyError};

/// What is left to send of a request's body.
pub(super) enum RequestBody {
    /// There is none.
    Empty,
    /// It can be sent once; `None` afterwards.
    Once(Option<Body>),
    /// It is kept while it is read.
    Kept(Unread),
}

impl RequestBody {
    /// Keeps the body only where `retry` may ask for it again.
    pub(super) fn new(body: Body, retry: &Retry) -> Self {
        if body.is_empty() {
            Self::Empty
        } else if retry.attempts == 0 {
            Self::Once(Some(body))
        } else {
            Self::Kept(Unread::new(body))
        }
    }

    /// The body for the next attempt, from its start; `None` where it was sent and not kept.
    pub(super) fn next(&mut self) -> Option<Body> {
        match self {
            Self::Empty => Some(Body::Empty),
            Self::Once(body) => body.take(),
            Self::Kept(unread) => Some(unread.next_attempt()),
        }
    }

    /// Whether another attempt would send the same bytes.
    pub(super) fn can_repeat(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Once(body) => body.is_some(),
            Self::Kept(unread) => unread.is_replayable(),
        }
    }
}

/// The most bytes of a request body that are kept for another attempt (`docs/spec.md`).
const REPLAY_BYTES: usize = mesh_bundle::limits::REPLAY_BYTES;

/// A request body together with what was read of it, from which each attempt takes its own [`Replay`].
pub(super) struct Unread(Rc<RefCell<Source>>);

struct Source {
    origin: Body,
    declared: SizeHint,
    kept: Vec<Bytes>,
    kept_bytes: usize,
    trailers: Option<HeaderMap>,
    ended: bool,
    overflowed: bool,
    /// Only the latest attempt may read; an earlier one may still be held by its connection.
    turn: u64,
}

impl Unread {
    /// Begins to keep `origin`.
    fn new(origin: Body) -> Self {
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

    /// Whether another attempt would send the same bytes from the start.
    fn is_replayable(&self) -> bool {
        !self.0.borrow().overflowed
    }

    /// The body for the next attempt; all earlier ones are given up.
    fn next_attempt(&self) -> Body {
        let mut source = self.0.borrow_mut();
        source.turn += 1;
        Body::Stream(Box::pin(Replay { source: Rc::clone(&self.0), turn: source.turn, next: 0, done: false }))
    }
}

/// One attempt's view of a request body.
struct Replay {
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
        Body::Stream(Box::pin(Pieces(frames.into_iter())))
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
    async fn a_second_attempt_sends_the_same_bytes() {
        let unread = Unread::new(pieces(&[3, 2]));
        let mut first = unread.next_attempt();
        let piece = first.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(piece, "aaa");
        assert!(unread.is_replayable());
        assert_eq!(drain(unread.next_attempt()).await.unwrap(), b"aaabb");
        assert_eq!(drain(unread.next_attempt()).await.unwrap(), b"aaabb");
        assert!(matches!(drain(first).await, Err(BodyError::Abandoned)));
    }

    #[tokio::test]
    async fn past_the_bound_it_streams_but_is_not_kept() {
        let unread = Unread::new(pieces(&[40_000, 40_000, 1]));
        assert_eq!(drain(unread.next_attempt()).await.unwrap().len(), 80_001);
        assert!(!unread.is_replayable());
    }

    #[tokio::test]
    async fn the_bound_itself_is_kept() {
        let unread = Unread::new(pieces(&[REPLAY_BYTES - 1, 1]));
        assert_eq!(drain(unread.next_attempt()).await.unwrap().len(), REPLAY_BYTES);
        assert!(unread.is_replayable());
    }
}
