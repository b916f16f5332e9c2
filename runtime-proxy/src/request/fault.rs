//! A fault at one request is that request's alone: it is answered 500, counted against the bundle, and said.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use http::{Method, StatusCode, Version};

use super::direction::Direction;
use super::end::refuse;
use super::record::Record;
use super::refusal::Answer;
use super::worker::Worker;
use crate::http::{Body, Head, Headers, ResponseHead, Target};
use crate::listen::{InFlight, Peer};
use crate::telemetry::{Events, Level};

/// Begins a request's record and serves it; a panic on the way becomes a 500 and is counted as the bundle's.
pub(super) async fn guarded<F>(
    worker: Rc<Worker>,
    direction: Direction,
    peer: Rc<Peer>,
    in_flight: InFlight,
    head: Head,
    serve: impl FnOnce(Record, Head) -> F,
) -> (ResponseHead, Body)
where
    F: Future<Output = (ResponseHead, Body)>,
{
    let record = Record::new(Rc::clone(&worker), direction, Rc::clone(&peer), in_flight.clone(), &head);
    let summary =
        HeadSummary { method: head.method.clone(), grpc: head.is_grpc(), target: head.target.clone() };
    let mut served = pin!(serve(record, head));
    let outcome = poll_fn(|cx| {
        // After a panic the future is not polled again, and what it shares with others is counters and pools.
        match catch_unwind(AssertUnwindSafe(|| served.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(written)) => Poll::Ready(Some(written)),
            Err(_) => Poll::Ready(None),
        }
    })
    .await;
    match outcome {
        Some(written) => written,
        None => summary.answer(worker, direction, peer, in_flight),
    }
}

/// What is needed of a head to answer, should all else be lost.
struct HeadSummary {
    method: Method,
    grpc: bool,
    target: Target,
}

impl HeadSummary {
    fn answer(
        self,
        worker: Rc<Worker>,
        direction: Direction,
        peer: Rc<Peer>,
        in_flight: InFlight,
    ) -> (ResponseHead, Body) {
        worker.shared.metrics.faults.inc();
        let path = self.target.path.as_ref().map_or_else(String::new, |path| path.path().to_owned());
        let host = self.target.authority.as_ref().map_or_else(String::new, ToString::to_string);
        let head = Head {
            method: self.method,
            target: self.target,
            version: Version::HTTP_11,
            headers: Headers::default(),
        };
        let mut record = Record::new(worker, direction, peer, in_flight, &head);
        record.grpc = self.grpc;
        let panicked = record.worker.panicked.take();
        record.restore(panicked);
        record.about(&host, &path);
        let (rule, bundle) = (record.rule(), record.bundle());
        let message = format!(
            "a fault inside the proxy at {} {path}, under rule `{rule}` of bundle {bundle}",
            head.method
        );
        Events.say(Level::Error, &message);
        refuse(record, Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "proxy-fault"))
    }
}
