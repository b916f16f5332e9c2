//! Open streams after a swap: decided again on the head that opened them, and ended where it is denied now.
//!
//! A request keeps its bundle to its end; a stream may live for days, and a reviewed deny must reach it
//! (`bundle.md`, rung 8).

use std::panic::{AssertUnwindSafe, catch_unwind};

use mesh_decision::Outcome;

use super::active::Active;
use super::ask::Ask;
use super::direction::Direction;
use super::streams::Stream;
use super::worker::Worker;
use crate::probation::RequestSample;
use crate::telemetry::{Events, Level, instant};

/// Once a second: ends a worker's streams that the bundle in force denies.
pub fn recheck(worker: &Worker) {
    // Takes up what is in force: an older engine is not kept for want of requests.
    let Some(local) = worker.snapshot() else { return };
    let active = local.active();
    for stream in worker.streams.due(active.serial, worker.shared.clock.now()) {
        // A panic must end neither the worker nor, unsaid, the look at the others; what cannot be decided is denied.
        let denied =
            catch_unwind(AssertUnwindSafe(|| is_denied(active, worker, &stream))).unwrap_or_else(|_| {
                worker.shared.metrics.faults.inc();
                active.tally.count(worker.number, RequestSample { fault: true, ..RequestSample::default() });
                let message =
                    format!("a fault inside the proxy at an open stream, under bundle {}", active.bundle);
                Events.say(Level::Error, &message);
                true
            });
        if denied {
            worker.shared.metrics.streams_ended.inc();
            stream.deny();
        }
    }
}

fn is_denied(active: &Active, worker: &Worker, stream: &Stream) -> bool {
    let Stream { direction, peer, head, prepared, .. } = stream;
    let engine = &active.engine;
    let caller = peer.principal.as_ref().and_then(|id| engine.program().mesh.owner_of(id.as_str()));
    let caller = caller.as_ref();
    let ask = Ask { direction: *direction, active, peer, caller, head, prepared };
    let request = ask.engine_request(instant(worker.shared.clock.wall()));
    let is_kept_out =
        || engine.admits_connection(&request).is_err() || !engine.decide_inbound(&request).verdict.passes();
    match direction {
        Direction::Inbound => is_kept_out(),
        Direction::Gateway if is_kept_out() => true,
        Direction::Outbound | Direction::Gateway => {
            let decided = engine.decide_outbound(&request, &mut worker.scratch.borrow_mut());
            matches!(decided.outcome, Outcome::Refuse(_))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;
    use std::rc::Rc;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Waker};
    use std::time::{Duration, SystemTime};

    use http::{Method, Version};
    use mesh_bundle::program::{Access, Entry, From, Mesh, Service, TlsMode};
    use mesh_bundle::{Digest, Name, Owner, Program, State};
    use tokio::time::Instant;

    use super::*;
    use crate::clock::{Clock, TimeSource};
    use crate::http::{Head, Headers, Scheme, Target};
    use crate::listen::Peer;
    use crate::request::prepare::Prepared;
    use crate::request::streams::{AGE, Watch};
    use crate::request::{BuildInput, Running, Shared};
    use crate::telemetry::{AccessLog, Metrics, Target as LogTarget};
    use crate::tls::SpiffeId;
    use crate::upstream::Directory;

    struct Hand(Mutex<Instant>);

    impl TimeSource for Hand {
        fn monotonic(&self) -> Instant {
            *self.0.lock().unwrap()
        }

        fn wall(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// What `orders` runs when it lets `caller` in.
    fn active(caller: &str) -> Arc<Running> {
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
        Arc::new(Running::vouched(Arc::new(Active::build(&input, None).unwrap())))
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
        Stream::new(Direction::Inbound, Rc::new(peer), head, Rc::new(prepared), since, serial)
    }

    #[test]
    fn an_old_stream_is_ended_by_a_bundle_that_denies_it_and_by_no_other() {
        let begun = Instant::now();
        let hand = Arc::new(Hand(Mutex::new(begun)));
        let metrics = Metrics::new();
        let log = AccessLog::open(&LogTarget::Off, metrics.log_dropped.clone()).unwrap();
        let clock = Clock::new(Arc::clone(&hand) as Arc<dyn TimeSource>);
        let worker = Worker::new(Arc::new(Shared::new(clock, metrics, log, None)), 0, false);
        let (first, same, denying) = (active("web"), active("web"), active("orders"));
        let mut watch = Watch::new(Rc::clone(&worker.streams), stream(begun, first.active.serial));
        let cx = Context::from_waker(Waker::noop());
        assert!(!watch.is_denied(&cx));
        let again = |running: &Arc<Running>, at: Duration| {
            *hand.0.lock().unwrap() = begun + at;
            worker.shared.running.store(Some(Arc::clone(running)));
            let before = worker.shared.metrics.streams_ended.get();
            recheck(&worker);
            worker.shared.metrics.streams_ended.get() - before
        };
        assert_eq!(again(&first, AGE * 2), 0, "the bundle that decided it");
        assert_eq!(again(&same, AGE), 0);
        assert_eq!(again(&denying, AGE - Duration::from_millis(1)), 0, "not old enough");
        assert!(!watch.is_denied(&cx));
        assert_eq!(again(&denying, AGE), 1);
        assert!(watch.is_denied(&cx) && watch.was_denied());
        assert_eq!(again(&denying, AGE), 0, "once");
        assert_eq!(worker.streams.due(0, begun + AGE).len(), 0, "what is denied is decided for good");
        drop(watch);
        let forgotten = Watch::new(Rc::clone(&worker.streams), stream(begun, 0));
        drop(forgotten);
        assert!(worker.streams.due(u64::MAX, begun + AGE).is_empty(), "nobody waited for it");
    }
}
