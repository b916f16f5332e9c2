//! The caller's side, and a gateway's: from a request to an endpoint of a service.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName};
use mesh_bundle::Owner;
use mesh_decision::head::{Trust, strip_response};
use mesh_decision::{Connection, Forward, Outcome as Decided, Request, Source};
use tokio::time::Instant;

use super::active::Active;
use super::answer::{self, Answer};
use super::fault::{Guarded, guarded};
use super::inbound::guard;
use super::prepare::{Prepared, edit_all, prepare};
use super::probation::Drawn;
use super::record::{Direction, Record};
use super::streams::Question;
use super::worker::{Local, Worker};
use crate::http::{Body, Head, ResponseHead};
use crate::listen::{Handler, InFlight, ListenerMode, Peer};
use crate::upstream::{self, Call, Failure, Outcome, Response, UpstreamService};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

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

impl Guarded for Outbound {
    fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    fn direction(&self) -> Direction {
        if self.gateway { Direction::Gateway } else { Direction::Outbound }
    }

    async fn serve(self: Rc<Self>, mut record: Record, mut head: Head, body: Body) -> (ResponseHead, Body) {
        let Some(local) = record.local.clone() else {
            return record.refuse(Answer::new(StatusCode::SERVICE_UNAVAILABLE, "no-bundle"));
        };
        let trust = if self.gateway { Trust::Stranger } else { Trust::Mesh };
        record.tags.used(local.active());
        let stricter = Cell::default();
        let slashes =
            |host: &str| local.running().slash_mode(&stricter, host, |engine| engine.slash_mode(host));
        let prepared = match prepare(&mut head, trust, slashes) {
            Ok(prepared) => Rc::new(prepared),
            Err(answer) => {
                record.tag.unprepared(stricter.get(), &head);
                return record.refuse(answer);
            }
        };
        if record.is_logged() {
            record.about(&prepared.host, prepared.path());
        }
        match decide(&local, &mut record, &head, &prepared, self.gateway) {
            Err(answer) => {
                record.about(&prepared.host, prepared.path());
                record.refuse(answer)
            }
            Ok(Next::Answer(written)) => record.answer(written),
            Ok(Next::Forward(forward)) => {
                let question = Question { head: head.clone(), prepared: Rc::clone(&prepared) };
                record.question = Some(Box::new(question));
                send(record, &local, head, body, &prepared, forward).await
            }
        }
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
        guarded(self, peer, in_flight, head, body).await
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
    gateway: bool,
) -> Result<Next<'a>, Answer> {
    let active = local.active();
    let peer = Rc::clone(&record.peer);
    let request = asked(active, &peer, head, prepared, gateway, record.now());
    if gateway {
        active.engine.admits(&request)?;
        guard(local, record, &request)?;
    }
    record.tags.used(active);
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
        Decided::Forward(forward) => {
            record.decided(rule, forward.service.as_str(), forward.version.as_str());
            Ok(Next::Forward(forward))
        }
        Decided::Redirect { status, location } => {
            record.decided(rule, "", "");
            Ok(Next::Answer(answer::redirect(status, &location)))
        }
        Decided::Respond(respond) => {
            record.decided(rule, "", "");
            Ok(Next::Answer(answer::respond(respond, &head.method)))
        }
        Decided::Refuse(reason) => {
            record.decided(rule, "", "");
            Err(reason.into())
        }
    }
}

/// A request of the application, or of a stranger, as the engine sees it.
pub(super) fn asked<'r>(
    active: &'r Active,
    peer: &'r Peer,
    head: &'r Head,
    prepared: &'r Prepared,
    gateway: bool,
    now: mesh_bundle::expr::Instant,
) -> Request<'r> {
    let source = if gateway {
        Source { principal: "", owner: None, ip: &peer.ip }
    } else {
        Source { principal: &active.principal, owner: Some(active.engine.owner()), ip: &peer.ip }
    };
    Request {
        method: head.method.as_str(),
        scheme: head.target.scheme.as_str(),
        host: &prepared.host,
        path: prepared.path(),
        query: prepared.query(),
        headers: &head.headers,
        size: prepared.size,
        source,
        connection: Connection {
            mtls: false,
            tls_version: peer.tls_version.unwrap_or_default(),
            sni: peer.sni.as_deref().unwrap_or_default(),
        },
        now,
        picks: active,
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
    let worker = Rc::clone(&record.worker);
    record.tags.used(local.active());
    let unavailable = |reason| Answer::new(StatusCode::SERVICE_UNAVAILABLE, reason);
    let Some(service) = local.active().services.get(forward.service.as_str()) else {
        record.tag.ended(Err(Failure::NoEndpoint), None);
        return record.refuse(unavailable("no-endpoint"));
    };
    let Some(slot) = choose_slot(service, &forward, &worker) else {
        record.tag.ended(Err(Failure::NoEndpoint), Some(&service.outcomes));
        return record.refuse(unavailable("no-endpoint"));
    };
    let bad = Answer::new(StatusCode::BAD_REQUEST, "bad-rewrite");
    let Some(target) = prepared.target(forward.path.take()) else { return record.refuse(bad) };
    head.target.path = Some(target);
    if let Some(host) = forward.host {
        match host.parse() {
            Ok(authority) => head.target.authority = Some(authority),
            Err(_) => return record.refuse(bad),
        }
    }
    head.target.scheme =
        if service.transport.tls.is_some() { crate::http::Scheme::Https } else { crate::http::Scheme::Http };
    edit_all(forward.request_headers, &mut head.headers);
    let deadline = deadline(&head, forward.timeout_ms, record.start());
    let call = Call { service, slot, head: &head, retry: forward.retry, deadline };
    let (mut record, mut response) = match exchange(record, call, body, prepared).await {
        Ok(exchanged) => exchanged,
        Err(written) => return written,
    };
    record.tags.used(local.active());
    edit_all(forward.response_headers, &mut response.head.headers);
    let deadline = deadline.filter(|_| !is_stream(&response.head));
    record.relay(response, deadline)
}

/// Sends a request and hears the head of its answer; `Err` is what is answered instead.
pub(super) async fn exchange(
    mut record: Record,
    call: Call<'_>,
    body: Body,
    prepared: &Prepared,
) -> Result<(Record, Response), (ResponseHead, Body)> {
    let (worker, service) = (Rc::clone(&record.worker), call.service);
    let sending = upstream::send(call, body, worker.means());
    let result = record.unless_denied(sending).await.and_then(|outcome| {
        note(&mut record, service, &outcome);
        outcome.result.map_err(|failure| Answer::new(failure.status(), failure.word()))
    });
    let mut response = match result {
        Ok(response) => response,
        Err(answer) => {
            record.about(&prepared.host, prepared.path());
            return Err(record.refuse(answer));
        }
    };
    if strip_response(&mut response.head.headers).is_err() {
        record.tag.ended(Err(Failure::Reset), None);
        return Err(record.refuse(Answer::new(StatusCode::BAD_GATEWAY, "bad-response")));
    }
    Ok((record, response))
}

/// The chosen version's endpoints; the stable ones where no endpoint of a candidate is healthy.
fn choose_slot<'s>(
    service: &'s UpstreamService,
    forward: &Forward<'_>,
    worker: &Worker,
) -> Option<&'s Arc<upstream::Slot>> {
    let chosen = service.slot(forward.version.as_str());
    let Some(stable) = forward.fallback else { return chosen };
    if chosen.is_some_and(|slot| slot.has_healthy(&worker.shared.clock)) {
        return chosen;
    }
    worker.shared.metrics.candidate_error(&service.name);
    service.slot(stable.as_str())
}

fn note(record: &mut Record, service: &UpstreamService, outcome: &Outcome) {
    record.endpoint = outcome.endpoint;
    record.retries = outcome.retries;
    let result = outcome.result.as_ref().map(|response| response.head.status).map_err(|failure| *failure);
    record.tag.ended(result, Some(&service.outcomes));
    let metrics = &record.worker.shared.metrics;
    if outcome.retries > 0 {
        metrics.retried(&service.name, outcome.retries);
    }
    if outcome.ejected > 0 {
        metrics.ejected(&service.name, outcome.ejected);
    }
}

/// When the last byte is due. `grpc-timeout` lowers, never raises.
fn deadline(head: &Head, timeout_ms: u64, start: Instant) -> Option<Instant> {
    let ruled = (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms));
    let asked = head.headers.get(&GRPC_TIMEOUT).filter(|_| head.is_grpc());
    let asked = asked.and_then(|value| grpc_timeout(value.as_bytes()));
    let shorter = match (ruled, asked) {
        (Some(ruled), Some(asked)) => Some(ruled.min(asked)),
        (one, other) => one.or(other),
    };
    shorter.and_then(|timeout| start.checked_add(timeout))
}

/// `TimeoutValue TimeoutUnit`: at most 8 digits and one of `HMSmun` (gRPC over HTTP/2, "Requests").
fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(count * 3_600)),
        b'M' => Some(Duration::from_secs(count * 60)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// A response without a foreseeable end: its timeout ends with its head.
fn is_stream(head: &ResponseHead) -> bool {
    head.headers.get(&CONTENT_TYPE).is_some_and(|value| {
        value.as_bytes().starts_with(b"application/grpc")
            || value.as_bytes().starts_with(b"text/event-stream")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_timeouts_are_read_strictly() {
        assert_eq!(grpc_timeout(b"100m"), Some(Duration::from_millis(100)));
        assert_eq!(grpc_timeout(b"2S"), Some(Duration::from_secs(2)));
        assert_eq!(grpc_timeout(b"99999999H"), Some(Duration::from_secs(99_999_999 * 3_600)));
        for bad in [&b""[..], b"S", b"1", b"1s", b"-1S", b"100000000S", b"1 S"] {
            assert_eq!(grpc_timeout(bad), None, "{bad:?}");
        }
    }
}
