//! A fault at one request is that request's alone: it is answered 500, counted against the bundle, and said.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use http::{Method, StatusCode, Version};

use super::answer::Answer;
use super::record::{Direction, Record};
use super::worker::Worker;
use crate::http::{Body, Head, Headers, ResponseHead, Target};
use crate::listen::{InFlight, Peer};
use crate::telemetry::{Events, Level};

/// A listener whose requests are guarded.
pub(super) trait Guarded {
    /// What it works with.
    fn worker(&self) -> &Rc<Worker>;

    /// Its side.
    fn direction(&self) -> Direction;

    /// Serves one request.
    async fn serve(self: Rc<Self>, record: Record, head: Head, body: Body) -> (ResponseHead, Body);
}

/// Serves a request; a panic on the way becomes a 500 and is counted as the bundle's.
pub(super) async fn guarded<G: Guarded>(
    this: Rc<G>,
    peer: Rc<Peer>,
    in_flight: InFlight,
    head: Head,
    body: Body,
) -> (ResponseHead, Body) {
    let (worker, direction) = (Rc::clone(this.worker()), this.direction());
    let record = Record::new(Rc::clone(&worker), direction, Rc::clone(&peer), in_flight.clone(), &head);
    // What is needed of the head to answer, should all else be lost.
    let short = Short { method: head.method.clone(), grpc: head.is_grpc(), target: head.target.clone() };
    let mut served = pin!(this.serve(record, head, body));
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
        None => short.answer(worker, direction, peer, in_flight),
    }
}

struct Short {
    method: Method,
    grpc: bool,
    target: Target,
}

impl Short {
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
        let fallen = record.worker.fallen.take();
        record.inherit(fallen);
        record.about(&host, &path);
        let (bundle, rule) = record.decided_by();
        let message = format!(
            "a fault inside the proxy at {} {path}, under rule `{rule}` of bundle {bundle}",
            head.method
        );
        Events.say(Level::Error, &message);
        record.refuse(Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "proxy-fault"))
    }
}
