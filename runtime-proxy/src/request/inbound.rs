//! The callee's side: who may call, how much, and on to the application.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use http::StatusCode;
use mesh_bundle::program::{Retry, TlsMode};
use mesh_decision::Engine;
use mesh_decision::head::Trust;

use super::ask::Ask;
use super::direction::Direction;
use super::end::refuse;
use super::exchange::exchange;
use super::fault::guarded;
use super::guard::guard;
use super::prepare::{Prepared, prepare, remove_credentials};
use super::record::Record;
use super::refusal::Answer;
use super::response::relay;
use super::worker::{Local, Worker};
use crate::http::{Body, Head, ResponseHead, Scheme};
use crate::listen::{Handler, InFlight, ListenerMode, Peer};
use crate::upstream::Call;

/// The inbound listener of a service's proxy.
pub struct Inbound {
    worker: Rc<Worker>,
    no_retry: Retry,
}

impl Inbound {
    /// A listener for the service's callers.
    #[must_use]
    pub fn new(worker: Rc<Worker>) -> Rc<Self> {
        Rc::new(Self { worker, no_retry: Retry::default() })
    }
}

impl Handler for Inbound {
    fn mode(&self) -> ListenerMode {
        let shared = &self.worker.shared;
        let tls = shared.running.load().as_ref().map(|running| running.listener_tls());
        match (tls, &shared.identity) {
            // Without a bundle nobody is served, but those who can prove who they are get that in words.
            (None | Some(TlsMode::Strict), Some(identity)) => {
                ListenerMode::Tls(Arc::clone(&identity.load().server))
            }
            (Some(TlsMode::Permissive), Some(identity)) => {
                ListenerMode::Either(Arc::clone(&identity.load().server))
            }
            (None | Some(TlsMode::Permissive), None) => ListenerMode::Plain,
            (Some(TlsMode::Strict), None) => ListenerMode::Closed,
        }
    }

    async fn handle(
        self: Rc<Self>,
        peer: Rc<Peer>,
        in_flight: InFlight,
        head: Head,
        body: Body,
    ) -> (ResponseHead, Body) {
        let serve = |record, head| self.serve(record, head, body);
        guarded(Rc::clone(&self.worker), Direction::Inbound, peer, in_flight, head, serve).await
    }
}

impl Inbound {
    async fn serve(&self, mut record: Record, mut head: Head, body: Body) -> (ResponseHead, Body) {
        let trust = if record.peer.principal.is_some() { Trust::Mesh } else { Trust::Stranger };
        let Some(local) = record.local.clone() else {
            return refuse(record, Answer::new(StatusCode::SERVICE_UNAVAILABLE, "no-bundle"));
        };
        let stricter = Cell::default();
        let slashes = |_: &str| {
            let own = local.active().engine.owner().name().as_str();
            local.running().slash_mode(&stricter, own, Engine::own_slash_mode)
        };
        let prepared = match prepare(&mut head, trust, slashes) {
            Ok(prepared) => Rc::new(prepared),
            Err(answer) => {
                record.tag.unprepared(stricter.get(), &head);
                return refuse(record, answer);
            }
        };
        if record.is_logged() {
            record.about(&prepared.host, prepared.path());
        }
        if let Err(answer) = decide(&local, &mut record, &head, &prepared) {
            record.about(&prepared.host, prepared.path());
            return refuse(record, answer);
        }
        record.watch(&head, &prepared);
        let application = local.active().application.as_ref();
        let slot = application.and_then(|service| service.slot(""));
        let (Some(service), Some(slot)) = (application, slot) else {
            return refuse(record, Answer::new(StatusCode::SERVICE_UNAVAILABLE, "no-application"));
        };
        let Some(target) = prepared.target(None) else {
            return refuse(record, Answer::new(StatusCode::BAD_REQUEST, "bad-path"));
        };
        head.target.path = Some(target);
        head.target.scheme = Scheme::Http;
        if local.active().engine.program().mesh.remove_credentials {
            remove_credentials(&mut head.headers);
        }
        let call = Call { service, slot, head: &head, retry: &self.no_retry, deadline: None };
        match exchange(record, call, body, &prepared).await {
            Ok((record, response)) => relay(record, response, None),
            Err(written) => written,
        }
    }
}

/// The one place where the callee's side asks the engine.
fn decide(local: &Local, record: &mut Record, head: &Head, prepared: &Prepared) -> Result<(), Answer> {
    let peer = Rc::clone(&record.peer);
    let caller = peer.principal.as_ref().and_then(|id| local.owner_of(id.as_str()));
    let caller = caller.as_deref();
    let ask =
        Ask { direction: record.direction, active: local.active(), peer: &peer, caller, head, prepared };
    let request = ask.engine_request(record.now());
    // A connection may be older than the bundle that asks for mutual TLS, or new while that is on probation.
    if let Err(reason) = local.active().engine.admits_connection(&request) {
        if let Some(probation) = &local.running().probation {
            record.tag.no_identity(probation, &request);
        }
        return Err(reason.into());
    }
    guard(local, record, &request)
}
