//! What is remembered of a request until its response has ended: counted, logged, given back.

use std::cell::OnceCell;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use mesh_bundle::program::AccessLog;
use mesh_decision::explain::Step;
use serde::Serialize;
use tokio::time::{Instant, Sleep};

use super::answer::{self, Answer};
use super::probation::ProbationTag;
use super::streams::{Question, Stream};
use super::tag::Tags;
use super::worker::{Local, Worker};
use crate::http::{Body, BodyError, Head, ResponseHead};
use crate::listen::{InFlight, Peer};
use crate::telemetry::{Entry, RequestLabels, RequestMeter, instant, timestamp};
use crate::upstream::{Failure, Lease, Load, Permit, Response};

/// On which side of the proxy a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the application beside the proxy.
    Outbound,
    /// To the application beside the proxy.
    Inbound,
    /// From the public.
    Gateway,
}

impl Direction {
    /// Its name in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Gateway => "gateway",
        }
    }
}

/// Why a request was refused, for the admin socket.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The id that went over the wire.
    pub decision: String,
    /// When.
    pub time: String,
    /// Which side.
    pub direction: &'static str,
    /// The method.
    pub method: String,
    /// The host as it came.
    pub host: String,
    /// The canonical path.
    pub path: String,
    /// The caller.
    pub caller: String,
    /// The status.
    pub status: u16,
    /// A short word.
    pub reason: &'static str,
    /// The rule or entry that decided; empty for none.
    pub rule: String,
    /// The bundle that decided; empty for none.
    pub bundle: String,
    /// Where expressions of access entries were asked: the entries, with the parts that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Step>,
}

/// The meters of one rule and version, by class of status.
pub(super) struct Meters {
    direction: Direction,
    rule: Box<str>,
    service: Box<str>,
    version: Box<str>,
    classes: [OnceCell<RequestMeter>; 5],
}

impl Meters {
    fn new(direction: Direction, rule: &str, service: &str, version: &str) -> Self {
        let (rule, service, version) = (rule.into(), service.into(), version.into());
        Self { direction, rule, service, version, classes: Default::default() }
    }

    fn observe(&self, status: StatusCode, seconds: f64, worker: &Worker) {
        let class = status.as_u16() / 100;
        let Some(cell) = class.checked_sub(1).and_then(|index| self.classes.get(usize::from(index))) else {
            return;
        };
        let meter = cell.get_or_init(|| {
            worker.shared.metrics.request(&RequestLabels {
                direction: self.direction.as_str().to_owned(),
                rule: self.rule.to_string(),
                service: self.service.to_string(),
                version: self.version.to_string(),
                code: format!("{class}xx"),
            })
        });
        meter.observe(seconds);
    }
}

/// What a request that was lost to a fault was decided by.
pub(super) type Fallen = Option<(Option<Rc<Local>>, Option<Rc<Meters>>)>;

impl Drop for Record {
    fn drop(&mut self) {
        if let Some((key, _)) = self.watched.take() {
            self.worker.streams.remove(key);
        }
        // Unwinding takes the record with it; what it knew is needed to say whose fault it was.
        if std::thread::panicking() {
            let known = (self.local.take(), self.meters.take());
            self.worker.fallen.replace(Some(known));
        }
    }
}

/// One request under way.
pub(super) struct Record {
    pub(super) worker: Rc<Worker>,
    pub(super) local: Option<Rc<Local>>,
    pub(super) peer: Rc<Peer>,
    direction: Direction,
    start: Instant,
    method: Method,
    host: String,
    path: String,
    meters: Option<Rc<Meters>>,
    pub(super) grpc: bool,
    pub(super) endpoint: Option<SocketAddr>,
    pub(super) retries: u32,
    /// `audit-deny`, or nothing worth saying.
    pub(super) verdict: &'static str,
    /// Why access refused it, as far as expressions say.
    pub(super) because: Vec<Step>,
    /// The same for the log.
    decided: Vec<String>,
    pub(super) tags: Tags,
    /// What it asked, until somebody waits for its end.
    pub(super) question: Option<Box<Question>>,
    /// Its place among the worker's open streams, once somebody waits.
    watched: Option<(usize, Rc<Stream>)>,
    /// What probation knows of it.
    pub(super) tag: ProbationTag,
    decision: String,
    reason: &'static str,
    status: StatusCode,
    bytes: u64,
    _in_flight: InFlight,
}

impl Record {
    pub(super) fn new(
        worker: Rc<Worker>,
        direction: Direction,
        peer: Rc<Peer>,
        in_flight: InFlight,
        head: &Head,
    ) -> Self {
        let local = worker.snapshot();
        Self {
            local,
            peer,
            direction,
            start: worker.shared.clock.now(),
            method: head.method.clone(),
            host: String::new(),
            path: String::new(),
            meters: None,
            grpc: head.is_grpc(),
            endpoint: None,
            retries: 0,
            verdict: "",
            because: Vec::new(),
            decided: Vec::new(),
            tags: Tags::default(),
            question: None,
            watched: None,
            tag: ProbationTag::default(),
            decision: String::new(),
            reason: "",
            status: StatusCode::OK,
            bytes: 0,
            _in_flight: in_flight,
            worker,
        }
    }

    pub(super) fn start(&self) -> Instant {
        self.start
    }

    /// The time of day, as rules see it.
    pub(super) fn now(&self) -> mesh_bundle::expr::Instant {
        instant(self.worker.shared.clock.wall())
    }

    /// Remembers host and path: always for a refusal, else only for the log.
    pub(super) fn about(&mut self, host: &str, path: &str) {
        host.clone_into(&mut self.host);
        path.clone_into(&mut self.path);
    }

    /// Whether somebody may read host and path.
    pub(super) fn is_logged(&self) -> bool {
        self.worker.shared.log.is_on() && self.wanted() != AccessLog::Off
    }

    /// What the mesh wants logged; everything while there is no bundle that says otherwise.
    fn wanted(&self) -> AccessLog {
        self.local.as_ref().map_or(AccessLog::All, |local| local.active().access_log)
    }

    /// Refused, failed, broken off, or denied by a policy that only watches.
    fn is_error(&self) -> bool {
        self.status.is_client_error()
            || self.status.is_server_error()
            || !self.reason.is_empty()
            || !self.verdict.is_empty()
    }

    /// What decided. The texts belong to the bundle in force and are told apart by their place in memory.
    pub(super) fn decided(&mut self, rule: &str, service: &str, version: &str) {
        let Some(local) = &self.local else { return };
        let key = (self.direction, place(rule), place(service), place(version));
        let mut meters = local.meters.borrow_mut();
        let known =
            meters.entry(key).or_insert_with(|| Rc::new(Meters::new(self.direction, rule, service, version)));
        self.meters = Some(Rc::clone(known));
        drop(meters);
        if let Some(hook) = &self.worker.shared.hook {
            hook(rule);
        }
    }

    /// Takes over what is known of a request that was lost to a fault.
    pub(super) fn inherit(&mut self, fallen: Fallen) {
        self.tag.sample.fault = true;
        let Some((local, meters)) = fallen else { return };
        self.local = local;
        self.meters = meters;
    }

    /// The bundle and the rule that it is decided by.
    pub(super) fn decided_by(&self) -> (&str, &str) {
        (self.bundle(), self.meters.as_ref().map_or("", |meters| &*meters.rule))
    }

    /// Ends with an answer of the proxy's own.
    pub(super) fn refuse(mut self, answer: Answer) -> (ResponseHead, Body) {
        self.status = answer.status;
        self.reason = answer.reason;
        self.decision = format!("{:016x}", self.worker.random.next());
        if self.is_logged() {
            self.decided = self.because.iter().filter_map(decided).collect();
        }
        self.worker.shared.explain(Explained {
            decision: self.decision.clone(),
            time: timestamp(self.worker.shared.clock.wall()),
            direction: self.direction.as_str(),
            method: self.method.to_string(),
            host: self.host.clone(),
            path: self.path.clone(),
            caller: self.caller().to_owned(),
            status: answer.status.as_u16(),
            reason: answer.reason,
            rule: self.meters.as_ref().map_or_else(String::new, |meters| meters.rule.to_string()),
            bundle: self.bundle().to_owned(),
            because: std::mem::take(&mut self.because),
        });
        let written = answer.write(&self.method, self.grpc, &self.decision);
        self.finish();
        written
    }

    /// Ends with an answer that a rule asked for.
    pub(super) fn answer(mut self, written: (ResponseHead, Body)) -> (ResponseHead, Body) {
        self.status = written.0.status;
        self.finish();
        written
    }

    /// Goes on with an endpoint's response; ends when its body does.
    pub(super) fn relay(mut self, response: Response, deadline: Option<Instant>) -> (ResponseHead, Body) {
        let Response { head, body, lease, permit, load } = response;
        self.status = head.status;
        if body.is_end_stream() {
            lease.give_back();
            drop((permit, load));
            self.finish();
            return (head, Body::Empty);
        }
        let tracked = Tracked {
            inner: body,
            deadline: deadline.map(Deadline::At),
            ending: Some(Ending { record: self, lease, _permit: permit, _load: load }),
        };
        (head, Body::Stream(Box::pin(tracked)))
    }

    /// Whether a newer bundle denies what is under way; wakes the task of `cx` when that changes.
    fn is_denied(&mut self, cx: &Context<'_>) -> bool {
        if let (Some(question), Some(local)) = (self.question.take(), &self.local) {
            let (peer, serial) = (Rc::clone(&self.peer), local.active().serial);
            let stream = Stream::new(question, peer, self.direction, self.start, serial);
            self.watched = Some((self.worker.streams.add(Rc::clone(&stream)), stream));
        }
        self.watched.as_ref().is_some_and(|(_, stream)| stream.is_denied(cx))
    }

    fn was_denied(&self) -> bool {
        self.watched.as_ref().is_some_and(|(_, stream)| stream.was_denied())
    }

    /// The outcome of `call`, or an answer where a newer bundle denies the request before there is one.
    pub(super) async fn unless_denied<T>(&mut self, call: impl Future<Output = T>) -> Result<T, Answer> {
        let mut call = pin!(call);
        poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
            Poll::Pending if self.is_denied(cx) => {
                Poll::Ready(Err(Answer::new(StatusCode::FORBIDDEN, "denied-since")))
            }
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    fn caller(&self) -> &str {
        self.peer.principal.as_ref().map_or(&*self.peer.ip, |id| id.as_str())
    }

    fn bundle(&self) -> &str {
        self.local.as_ref().map_or("", |local| &*local.active().bundle_text)
    }

    fn finish(mut self) {
        if let Some(local) = &self.local {
            self.tags.used(local.active());
        }
        if self.tags.is_mixed() {
            self.worker.shared.metrics.mixed.inc();
        }
        if let Some(local) = &self.local {
            let mut kind = self.tag.sample;
            kind.failed |= self.status.is_server_error();
            local.active().tally.count(self.worker.number, kind);
        }
        let took = self.worker.shared.clock.now().saturating_duration_since(self.start);
        match &self.meters {
            Some(meters) => meters.observe(self.status, took.as_secs_f64(), &self.worker),
            None => {
                Meters::new(self.direction, "", "", "").observe(
                    self.status,
                    took.as_secs_f64(),
                    &self.worker,
                );
            }
        }
        if self.is_logged() && (self.wanted() == AccessLog::All || self.is_error()) {
            self.log(took.as_secs_f64() * 1_000.0);
        }
    }

    fn log(&self, duration_ms: f64) {
        let endpoint = self.endpoint.map_or_else(String::new, |address| address.to_string());
        let meters = self.meters.as_deref();
        self.worker.shared.log.log(&Entry {
            time: &timestamp(self.worker.shared.clock.wall()),
            direction: self.direction.as_str(),
            method: self.method.as_str(),
            host: &self.host,
            path: &self.path,
            status: self.status.as_u16(),
            duration_ms,
            bytes: self.bytes,
            caller: self.caller(),
            rule: meters.map_or("", |meters| &*meters.rule),
            because: &self.decided,
            service: meters.map_or("", |meters| &*meters.service),
            version: meters.map_or("", |meters| &*meters.version),
            endpoint: &endpoint,
            verdict: self.verdict,
            bundle: self.bundle(),
            mixed: self.tags.is_mixed(),
            decision: &self.decision,
            retries: self.retries,
            reason: self.reason,
        });
    }
}

/// The part of an access entry's expression that decided, for the log.
fn decided(step: &Step) -> Option<String> {
    let because = step.because.as_ref()?;
    Some(format!("{}: {} {}", step.rule, because.words, because.result.said()))
}

fn place(text: &str) -> usize {
    // Empty texts may share a place with anything.
    if text.is_empty() { 0 } else { text.as_ptr().addr() }
}

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

/// A response's body on its way to the client.
struct Tracked {
    inner: Body,
    deadline: Option<Deadline>,
    ending: Option<Ending>,
}

impl Tracked {
    /// Whether a newer bundle denies the stream.
    fn is_denied(&mut self, cx: &Context<'_>) -> bool {
        self.ending.as_mut().is_some_and(|ending| ending.record.is_denied(cx))
    }

    /// Ends a stream that is denied now: a gRPC call with its status, everything else short of its end.
    fn deny(&mut self) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let grpc = self.ending.as_ref().is_some_and(|ending| ending.record.grpc);
        let ended = self.ending.is_none();
        self.end(false, "denied-since");
        Poll::Ready(match (ended, grpc) {
            (true, _) => None,
            (false, true) => Some(Ok(Frame::trailers(answer::denied_trailers()))),
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
        if self.ending.as_ref().is_some_and(|ending| ending.record.was_denied()) {
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
