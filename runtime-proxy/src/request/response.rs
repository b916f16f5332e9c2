//! An endpoint's response on its way to the client, watched to its last byte.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::record::Record;
use super::refusal;
use super::streams::Watch;
use crate::http::{Body, BodyError, ResponseHead};
use crate::upstream::{Failure, Lease, Load, Permit, Response};

/// Goes on with an endpoint's response; the request ends when its body does.
pub(super) fn relay(
    mut record: Record,
    response: Response,
    deadline: Option<Instant>,
) -> (ResponseHead, Body) {
    let Response { head, body, lease, permit, load } = response;
    record.status = head.status;
    if body.is_end_stream() {
        lease.give_back();
        drop((permit, load));
        record.finish();
        return (head, Body::Empty);
    }
    let tracked = Tracked {
        inner: body,
        deadline: deadline.map(Deadline::At),
        ending: Some(Ending { record, lease, _permit: permit, _load: load }),
    };
    (head, Body::Stream(Box::pin(tracked)))
}

/// A response's body on its way to the client.
struct Tracked {
    inner: Body,
    deadline: Option<Deadline>,
    ending: Option<Ending>,
}

/// What is held until the body's end.
struct Ending {
    record: Record,
    lease: Lease,
    _permit: Permit,
    _load: Load,
}

enum Deadline {
    /// Nobody has waited yet: most bodies are there at once and need no timer.
    At(Instant),
    Waiting(Pin<Box<Sleep>>),
}

impl Tracked {
    /// Whether a newer bundle denies the stream.
    fn is_denied(&mut self, cx: &Context<'_>) -> bool {
        self.ending
            .as_mut()
            .and_then(|ending| ending.record.watch.as_mut())
            .is_some_and(|watch| watch.is_denied(cx))
    }

    /// Ends a stream that is denied now: a gRPC call with its status, everything else short of its end.
    fn deny(&mut self) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let grpc = self.ending.as_ref().is_some_and(|ending| ending.record.grpc);
        let ended = self.ending.is_none();
        self.end(false, "denied-since");
        Poll::Ready(match (ended, grpc) {
            (true, _) => None,
            (false, true) => Some(Ok(Frame::trailers(refusal::denied_trailers()))),
            (false, false) => Some(Err(BodyError::Denied)),
        })
    }

    /// Short of its end: for its bundle as bad as no answer.
    fn cut(&mut self, failure: Failure, reason: &'static str) {
        if let Some(Ending { record, .. }) = &mut self.ending {
            record.tag.ended(Err(failure), None);
            record.tag.sample.failed = true;
        }
        self.end(false, reason);
    }

    fn end(&mut self, complete: bool, reason: &'static str) {
        let Some(Ending { mut record, lease, .. }) = self.ending.take() else { return };
        if complete {
            lease.give_back();
        }
        record.reason = reason;
        record.finish();
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(Deadline::At(at)) = self.deadline {
            self.deadline = Some(Deadline::Waiting(Box::pin(tokio::time::sleep_until(at))));
        }
        match &mut self.deadline {
            Some(Deadline::Waiting(sleep)) => sleep.as_mut().poll(cx).is_ready(),
            _ => false,
        }
    }
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ending.as_ref().and_then(|ending| ending.record.watch.as_ref()).is_some_and(Watch::was_denied)
        {
            return self.deny();
        }
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Pending if self.is_denied(cx) => self.deny(),
            Poll::Pending if self.is_late(cx) => {
                self.cut(Failure::TimedOut, "timed-out");
                Poll::Ready(Some(Err(BodyError::TimedOut)))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(data), Some(ending)) = (frame.data_ref(), &mut self.ending) {
                    ending.record.bytes += data.len() as u64;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.cut(Failure::Reset, "upstream-reset");
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                self.end(true, "");
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        // The codec stops asking when the declared length is reached.
        let complete = self.inner.is_end_stream();
        self.end(complete, if complete { "" } else { "client-gone" });
    }
}
