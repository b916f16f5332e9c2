//! Open streams after a swap: decided again on the head that opened them, and ended where it is denied now.
//!
//! A request keeps its bundle to its end; a stream may live for days, and a reviewed deny must reach it
//! (`bundle.md`, rung 8).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use mesh_decision::{Engine, Outcome, Request};
use slab::Slab;
use tokio::time::Instant;

use super::active::Active;
use super::prepare::Prepared;
use super::record::Direction;
use super::worker::Worker;
use super::{inbound, outbound};
use crate::http::Head;
use crate::listen::Peer;
use crate::probation::RequestSample;
use crate::telemetry::{Events, Level, instant};

/// How old a stream is when it is decided again; the next tick of its worker follows within a second.
const AGE: Duration = Duration::from_secs(5);

/// What a request asked, as it was decided.
pub(super) struct Question {
    pub(super) head: Head,
    pub(super) prepared: Rc<Prepared>,
}

/// A response whose end is not in sight.
pub(super) struct Stream {
    question: Box<Question>,
    peer: Rc<Peer>,
    direction: Direction,
    since: Instant,
    /// The activation that it was decided under last.
    serial: Cell<u64>,
    denied: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Stream {
    pub(super) fn new(
        question: Box<Question>,
        peer: Rc<Peer>,
        direction: Direction,
        since: Instant,
        serial: u64,
    ) -> Rc<Self> {
        let (serial, denied) = (Cell::new(serial), Cell::new(false));
        Rc::new(Self { question, peer, direction, since, serial, denied, waker: RefCell::default() })
    }

    /// Whether it is denied by now.
    pub(super) fn was_denied(&self) -> bool {
        self.denied.get()
    }

    /// Whether it is denied now; wakes the task of `cx` when that changes.
    pub(super) fn is_denied(&self, cx: &Context<'_>) -> bool {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        self.denied.get()
    }
}

/// The open streams of one worker.
#[derive(Default)]
pub(super) struct Streams(RefCell<Slab<Rc<Stream>>>);

impl Streams {
    /// Watches a stream until [`Streams::remove`].
    pub(super) fn add(&self, stream: Rc<Stream>) -> usize {
        self.0.borrow_mut().insert(stream)
    }

    /// A stream ended.
    pub(super) fn remove(&self, key: usize) {
        self.0.borrow_mut().try_remove(key);
    }

    /// Decides streams again that are old enough and were decided under another activation than `active`. How many
    /// are denied by that.
    pub(super) fn decide_again(&self, active: &Active, worker: &Worker, now: Instant) -> usize {
        let mut denied = 0;
        for (_, stream) in &*self.0.borrow() {
            let due =
                stream.serial.get() != active.serial && now.saturating_duration_since(stream.since) >= AGE;
            if !due || stream.denied.get() {
                continue;
            }
            stream.serial.set(active.serial);
            // A panic must end neither the worker nor, unsaid, the look at the others; what cannot be decided is denied.
            let denies =
                catch_unwind(AssertUnwindSafe(|| is_denied(active, worker, stream))).unwrap_or_else(|_| {
                    worker.shared.metrics.faults.inc();
                    let kind = RequestSample { fault: true, ..RequestSample::default() };
                    active.tally.count(worker.number, kind);
                    let message =
                        format!("a fault inside the proxy at an open stream, under bundle {}", active.bundle);
                    Events.say(Level::Error, &message);
                    true
                });
            if denies {
                denied += 1;
                stream.denied.set(true);
                if let Some(waker) = &*stream.waker.borrow() {
                    waker.wake_by_ref();
                }
            }
        }
        denied
    }
}

fn is_denied(active: &Active, worker: &Worker, stream: &Stream) -> bool {
    let Question { head, prepared } = &*stream.question;
    let engine = &active.engine;
    let now = instant(worker.shared.clock.wall());
    match stream.direction {
        Direction::Inbound => {
            let principal = stream.peer.principal.as_ref().map_or("", |id| id.as_str());
            let owner = engine.program().mesh.owner_of(principal);
            let request = inbound::asked(active, &stream.peer, owner.as_ref(), head, prepared, now);
            is_refused(engine, &request)
        }
        Direction::Outbound | Direction::Gateway => {
            let gateway = stream.direction == Direction::Gateway;
            let request = outbound::asked(active, &stream.peer, head, prepared, gateway, now);
            if gateway && is_refused(engine, &request) {
                return true;
            }
            let decided = engine.decide_outbound(&request, &mut worker.scratch.borrow_mut());
            matches!(decided.outcome, Outcome::Refuse(_))
        }
    }
}

/// Whether the door of a callee or of a gateway keeps a request out.
fn is_refused(engine: &Engine, request: &Request<'_>) -> bool {
    engine.admits(request).is_err() || !engine.decide_inbound(request).verdict.passes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;
    use std::sync::Arc;

    use http::{Method, Version};
    use mesh_bundle::program::{Access, Entry, From, Mesh, Service, TlsMode};
    use mesh_bundle::{Digest, Name, Owner, Program, State};

    use super::*;
    use crate::clock::Clock;
    use crate::http::{Headers, Scheme, Target};
    use crate::request::{BuildInput, Shared};
    use crate::telemetry::{AccessLog, Metrics, Target as LogTarget};
    use crate::tls::SpiffeId;
    use crate::upstream::Directory;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// What `orders` runs when it lets `caller` in.
    fn active(caller: &str) -> Active {
        let mut mesh = Mesh::new(name("shop"), name("prod"), "shop.example");
        mesh.tls = TlsMode::Permissive;
        let mut program = Program::new(mesh);
        for service in ["orders", "web"] {
            let unit: Service = serde_json::from_str(r#"{"port":80}"#).unwrap();
            program.services.insert(name(service), unit);
        }
        let from = vec![From::Service(name(caller))];
        let entry =
            Entry { name: "callers".into(), from, methods: Vec::new(), paths: Vec::new(), when: None };
        let access = Access { allow: vec![entry], ..Access::default() };
        program.access.insert(Owner::Service(name("orders")), access);
        let (directory, owner) = (Directory::new(), Owner::Service(name("orders")));
        let input = BuildInput {
            program: Arc::new(program.slice(&owner)),
            state: &State::default(),
            owner: &owner,
            bundle: Digest::of(caller.as_bytes()),
            generation: 1,
            directory: &directory,
            application: None,
            has_identity: false,
            seed: 0,
            units: BTreeMap::new(),
        };
        Active::build(&input, None).unwrap()
    }

    fn stream(since: Instant, serial: u64) -> Rc<Stream> {
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let peer = Peer {
            address,
            ip: "127.0.0.1".into(),
            local: address,
            scheme: Scheme::Https,
            principal: Some(SpiffeId::parse("spiffe://shop.example/prod/web").unwrap()),
            tls_version: Some("1.3"),
            sni: None,
        };
        let target = Target { scheme: Scheme::Http, authority: None, path: Some("/".parse().unwrap()) };
        let head =
            Head { method: Method::GET, target, version: Version::HTTP_2, headers: Headers::default() };
        let prepared =
            Prepared { host: "orders".into(), raw: "/".parse().unwrap(), changed: None, size: None };
        let question = Box::new(Question { head, prepared: Rc::new(prepared) });
        Stream::new(question, Rc::new(peer), Direction::Inbound, since, serial)
    }

    #[test]
    fn an_old_stream_is_ended_by_a_bundle_that_denies_it_and_by_no_other() {
        let metrics = Metrics::new();
        let log = AccessLog::open(&LogTarget::Off, metrics.log_dropped.clone()).unwrap();
        let worker = Worker::new(Arc::new(Shared::new(Clock::system(), metrics, log, None)), 0, false);
        let (first, same, denying) = (active("web"), active("web"), active("orders"));
        let since = worker.shared.clock.now();
        let stream = stream(since, first.serial);
        let key = worker.streams.add(Rc::clone(&stream));
        let cx = Context::from_waker(Waker::noop());
        let again = |active, at| worker.streams.decide_again(active, &worker, at);
        assert_eq!(again(&first, since + AGE * 2), 0, "the bundle that decided it");
        assert_eq!(again(&same, since + AGE), 0);
        assert_eq!(again(&denying, since + AGE - Duration::from_millis(1)), 0, "not old enough");
        assert!(!stream.is_denied(&cx));
        assert_eq!(again(&denying, since + AGE), 1);
        assert!(stream.is_denied(&cx));
        assert_eq!(again(&denying, since + AGE), 0, "once");
        worker.streams.remove(key);
        assert!(worker.streams.0.borrow().is_empty());
    }
}
