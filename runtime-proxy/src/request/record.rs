//! What is remembered of a request until its response has ended, and then counted and logged.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::{Method, StatusCode};
use mesh_bundle::expr;
use mesh_bundle::program::AccessLog;
use mesh_decision::explain::Step;
use tokio::time::Instant;

use super::direction::Direction;
use super::meters::Meters;
use super::prepare::Prepared;
use super::probation::ProbationTag;
use super::streams::{Stream, Watch};
use super::worker::{Local, PanickedRequest, Worker};
use crate::http::Head;
use crate::listen::{InFlight, Peer};
use crate::telemetry::{Entry, instant, timestamp};

/// One request under way.
pub(super) struct Record {
    pub(super) worker: Rc<Worker>,
    /// What was in force when its head was complete; nothing else decides it.
    pub(super) local: Option<Rc<Local>>,
    pub(super) peer: Rc<Peer>,
    pub(super) direction: Direction,
    /// When its head was complete.
    pub(super) start: Instant,
    pub(super) method: Method,
    pub(super) grpc: bool,
    pub(super) host: String,
    pub(super) path: String,
    meters: Option<Rc<Meters>>,
    /// The endpoint of the last attempt.
    pub(super) endpoint: Option<SocketAddr>,
    pub(super) retries: u32,
    /// `audit-deny`, or nothing worth saying.
    pub(super) verdict: &'static str,
    /// Why access refused it, as far as expressions say.
    pub(super) because: Vec<Step>,
    /// What tells it of a newer bundle that denies it, once it is forwarded.
    pub(super) watch: Option<Watch>,
    /// What probation knows of it.
    pub(super) tag: ProbationTag,
    /// The id that a refusal carries on the wire.
    pub(super) decision: String,
    /// Why the proxy answered itself, or why the response broke off; empty for neither.
    pub(super) reason: &'static str,
    pub(super) status: StatusCode,
    /// Bytes of the response's body so far.
    pub(super) bytes: u64,
    _in_flight: InFlight,
}

impl Record {
    /// A request whose head is complete.
    pub(super) fn new(
        worker: Rc<Worker>,
        direction: Direction,
        peer: Rc<Peer>,
        in_flight: InFlight,
        head: &Head,
    ) -> Self {
        Self {
            local: worker.snapshot(),
            peer,
            direction,
            start: worker.shared.clock.now(),
            method: head.method.clone(),
            grpc: head.is_grpc(),
            host: String::new(),
            path: String::new(),
            meters: None,
            endpoint: None,
            retries: 0,
            verdict: "",
            because: Vec::new(),
            watch: None,
            tag: ProbationTag::default(),
            decision: String::new(),
            reason: "",
            status: StatusCode::OK,
            bytes: 0,
            _in_flight: in_flight,
            worker,
        }
    }

    /// Takes over what is known of a request that a panic ended.
    pub(super) fn restore(&mut self, panicked: Option<PanickedRequest>) {
        self.tag.sample.fault = true;
        if let Some(PanickedRequest { local, meters }) = panicked {
            self.local = local;
            self.meters = meters;
        }
    }

    /// The time of day, as rules see it.
    pub(super) fn now(&self) -> expr::Instant {
        instant(self.worker.shared.clock.wall())
    }

    /// Remembers host and path: always for a refusal, else only for the log.
    pub(super) fn about(&mut self, host: &str, path: &str) {
        host.clone_into(&mut self.host);
        path.clone_into(&mut self.path);
    }

    /// What decided: a rule's address, and the service and version that it chose. The texts belong to the bundle in force.
    pub(super) fn decided(&mut self, rule: &str, service: &str, version: &str) {
        let Some(local) = &self.local else { return };
        self.meters = Some(local.meters.of(self.direction, rule, service, version));
        if let Some(hook) = &self.worker.shared.hook {
            hook(rule);
        }
    }

    /// From now on it is ended when a newer bundle denies what it asks.
    pub(super) fn watch(&mut self, head: &Head, prepared: &Rc<Prepared>) {
        let Some(local) = &self.local else { return };
        let (peer, prepared) = (Rc::clone(&self.peer), Rc::clone(prepared));
        let serial = local.active().serial;
        let stream = Stream::new(self.direction, peer, head.clone(), prepared, self.start, serial);
        self.watch = Some(Watch::new(Rc::clone(&self.worker.streams), stream));
    }

    /// The address of what decided; empty for none.
    pub(super) fn rule(&self) -> &str {
        self.meters.as_ref().map_or("", |meters| &*meters.rule)
    }

    /// The bundle that decides; empty for none.
    pub(super) fn bundle(&self) -> &str {
        self.local.as_ref().map_or("", |local| &*local.active().bundle_text)
    }

    /// The caller's principal, or its address.
    pub(super) fn caller(&self) -> &str {
        self.peer.principal.as_ref().map_or(&*self.peer.ip, |id| id.as_str())
    }

    /// Whether somebody may read host and path.
    pub(super) fn is_logged(&self) -> bool {
        self.worker.shared.log.is_on() && self.wanted() != AccessLog::Off
    }

    /// The response has ended.
    pub(super) fn finish(self) {
        if let Some(local) = &self.local {
            let mut sample = self.tag.sample;
            sample.failed |= self.status.is_server_error();
            local.active().tally.count(self.worker.number, sample);
        }
        let took = self.worker.shared.clock.now().saturating_duration_since(self.start);
        let (metrics, seconds) = (&self.worker.shared.metrics, took.as_secs_f64());
        match &self.meters {
            Some(meters) => meters.observe(self.status, seconds, metrics),
            None => Meters::new(self.direction, "", "", "").observe(self.status, seconds, metrics),
        }
        if self.is_logged() && (self.wanted() == AccessLog::All || self.is_error()) {
            self.log(took);
        }
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

    fn log(&self, took: Duration) {
        let endpoint = self.endpoint.map_or_else(String::new, |address| address.to_string());
        let because: Vec<String> = self.because.iter().filter_map(decisive).collect();
        let meters = self.meters.as_deref();
        self.worker.shared.log.log(&Entry {
            time: &timestamp(self.worker.shared.clock.wall()),
            direction: self.direction.as_str(),
            method: self.method.as_str(),
            host: &self.host,
            path: &self.path,
            status: self.status.as_u16(),
            duration_ms: took.as_secs_f64() * 1_000.0,
            bytes: self.bytes,
            caller: self.caller(),
            rule: self.rule(),
            because: &because,
            service: meters.map_or("", |meters| &*meters.service),
            version: meters.map_or("", |meters| &*meters.version),
            endpoint: &endpoint,
            verdict: self.verdict,
            bundle: self.bundle(),
            decision: &self.decision,
            retries: self.retries,
            reason: self.reason,
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Unwinding takes the record with it; what it knew is needed to say whose fault it was.
        if std::thread::panicking() {
            let known = PanickedRequest { local: self.local.take(), meters: self.meters.take() };
            self.worker.panicked.replace(Some(known));
        }
    }
}

/// The part of an access entry's expression that decided, for the log.
fn decisive(step: &Step) -> Option<String> {
    let because = step.because.as_ref()?;
    Some(format!("{}: {} {}", step.rule, because.words, because.result.said()))
}
