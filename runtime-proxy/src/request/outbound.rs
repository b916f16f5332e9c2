//! The caller's side, and a gateway's: from a request to an endpoint of a service.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use http::StatusCode;
use mesh_bundle::Owner;
use mesh_decision::head::Trust;
use mesh_decision::{Forward, Outcome, Request};

use super::ask::Ask;
use super::deadline::{deadline, is_stream};
use super::direction::Direction;
use super::end::{refuse, reply};
use super::exchange::exchange;
use super::fault::guarded;
use super::guard::guard;
use super::prepare::{Prepared, edit_all, prepare};
use super::probation::Drawn;
use super::record::Record;
use super::refusal::Answer;
use super::response::relay;
use super::rule_answer;
use super::worker::{Local, Worker};
use crate::http::{Body, Head, ResponseHead, Scheme};
use crate::listen::{Handler, InFlight, ListenerMode, Peer};
use crate::upstream::{Call, Failure, Slot, UpstreamService};

/// The outbound listener of a service's proxy, or a gateway's public one.
pub struct Outbound {
    worker: Rc<Worker>,
    gateway: bool,
}

impl Outbound {
    /// A listener for the application beside the proxy.
    #[must_use]
    pub fn sidecar(worker: Rc<Worker>) -> Rc<Self> {
        Rc::new(Self { worker, gateway: false })
    }

    /// A public listener.
    #[must_use]
    pub fn gateway(worker: Rc<Worker>) -> Rc<Self> {
        Rc::new(Self { worker, gateway: true })
    }
}

impl Handler for Outbound {
    fn mode(&self) -> ListenerMode {
        if !self.gateway {
            return ListenerMode::Plain;
        }
        let shared = &self.worker.shared;
        let certificate = shared.active().and_then(|active| match active.engine.owner() {
            Owner::Gateway(name) => active.engine.program().gateways.get(name)?.certificate.clone(),
            Owner::Service(_) => None,
        });
        match (certificate, &*shared.public.load()) {
            (None, _) => ListenerMode::Plain,
            (Some(_), Some(public)) => ListenerMode::Tls(Arc::clone(&public.config)),
            (Some(_), None) => ListenerMode::Closed,
        }
    }

    async fn handle(
        self: Rc<Self>,
        peer: Rc<Peer>,
        in_flight: InFlight,
        head: Head,
        body: Body,
    ) -> (ResponseHead, Body) {
        let direction = if self.gateway { Direction::Gateway } else { Direction::Outbound };
        let serve = |record, head| serve(record, head, body);
        guarded(Rc::clone(&self.worker), direction, peer, in_flight, head, serve).await
    }
}

async fn serve(mut record: Record, mut head: Head, body: Body) -> (ResponseHead, Body) {
    let Some(local) = record.local.clone() else {
        return refuse(record, Answer::new(StatusCode::SERVICE_UNAVAILABLE, "no-bundle"));
    };
    let trust = if record.direction == Direction::Gateway { Trust::Stranger } else { Trust::Mesh };
    let stricter = Cell::default();
    let slashes = |host: &str| local.running().slash_mode(&stricter, host, |engine| engine.slash_mode(host));
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
    match decide(&local, &mut record, &head, &prepared) {
        Err(answer) => {
            record.about(&prepared.host, prepared.path());
            refuse(record, answer)
        }
        Ok(Next::Answer(written)) => reply(record, written),
        Ok(Next::Forward(forward)) => {
            record.watch(&head, &prepared);
            send(record, &local, head, body, &prepared, forward).await
        }
    }
}

enum Next<'a> {
    Answer((ResponseHead, Body)),
    Forward(Forward<'a>),
}

/// The one place where the caller's side asks the engine.
fn decide<'a>(
    local: &'a Local,
    record: &mut Record,
    head: &Head,
    prepared: &Prepared,
) -> Result<Next<'a>, Answer> {
    let (active, peer, direction) = (local.active(), Rc::clone(&record.peer), record.direction);
    let ask = Ask { direction, active, peer: &peer, caller: None, head, prepared };
    let request = ask.engine_request(record.now());
    if direction == Direction::Gateway {
        active.engine.admits_connection(&request)?;
        guard(local, record, &request)?;
    }
    let worker = Rc::clone(&record.worker);
    let mut scratch = worker.scratch.borrow_mut();
    let decided = match local.running().probation.as_deref() {
        None => active.engine.decide_outbound(&request, &mut scratch),
        Some(probation) => {
            let drawn = Drawn::new(active);
            let drawing = Request { picks: &drawn, ..request };
            let decided = active.engine.decide_outbound(&drawing, &mut scratch);
            record.tag.outbound(probation, &decided, &request, &mut scratch, &drawn);
            decided
        }
    };
    let rule = decided.rule.or(decided.edge).map_or("", |rule| &*rule.address);
    match decided.outcome {
        Outcome::Forward(forward) => {
            record.decided(rule, forward.service.as_str(), forward.version.as_str());
            Ok(Next::Forward(forward))
        }
        Outcome::Redirect { status, location } => {
            record.decided(rule, "", "");
            Ok(Next::Answer(rule_answer::redirect(status, &location)))
        }
        Outcome::Respond(respond) => {
            record.decided(rule, "", "");
            Ok(Next::Answer(rule_answer::respond(respond, &head.method)))
        }
        Outcome::Refuse(reason) => {
            record.decided(rule, "", "");
            Err(reason.into())
        }
    }
}

async fn send(
    mut record: Record,
    local: &Local,
    mut head: Head,
    body: Body,
    prepared: &Prepared,
    mut forward: Forward<'_>,
) -> (ResponseHead, Body) {
    let unavailable = |reason| Answer::new(StatusCode::SERVICE_UNAVAILABLE, reason);
    let Some(service) = local.active().services.get(forward.service.as_str()) else {
        record.tag.ended(Err(Failure::NoEndpoint), None);
        return refuse(record, unavailable("no-endpoint"));
    };
    let Some(slot) = choose_slot(service, &forward, &record.worker) else {
        record.tag.ended(Err(Failure::NoEndpoint), Some(&service.outcomes));
        return refuse(record, unavailable("no-endpoint"));
    };
    let bad = Answer::new(StatusCode::BAD_REQUEST, "bad-rewrite");
    let Some(target) = prepared.target(forward.path.take()) else { return refuse(record, bad) };
    head.target.path = Some(target);
    if let Some(host) = forward.host {
        match host.parse() {
            Ok(authority) => head.target.authority = Some(authority),
            Err(_) => return refuse(record, bad),
        }
    }
    head.target.scheme = if service.transport.tls.is_some() { Scheme::Https } else { Scheme::Http };
    edit_all(forward.request_headers, &mut head.headers);
    let deadline = deadline(&head, forward.timeout_ms, record.start);
    let call = Call { service, slot, head: &head, retry: forward.retry, deadline };
    let (record, mut response) = match exchange(record, call, body, prepared).await {
        Ok(exchanged) => exchanged,
        Err(written) => return written,
    };
    edit_all(forward.response_headers, &mut response.head.headers);
    let deadline = deadline.filter(|_| !is_stream(&response.head));
    relay(record, response, deadline)
}

/// The chosen version's endpoints; the stable ones where no endpoint of a candidate is healthy.
fn choose_slot<'s>(
    service: &'s UpstreamService,
    forward: &Forward<'_>,
    worker: &Worker,
) -> Option<&'s Arc<Slot>> {
    let chosen = service.slot(forward.version.as_str());
    let Some(stable) = forward.fallback else { return chosen };
    if chosen.is_some_and(|slot| slot.has_healthy(&worker.shared.clock)) {
        return chosen;
    }
    worker.shared.metrics.candidate_error(&service.name);
    service.slot(stable.as_str())
}
