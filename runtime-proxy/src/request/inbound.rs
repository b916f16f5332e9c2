//! The callee's side: who may call, how much, and on to the application.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use http::StatusCode;
use mesh_bundle::Owner;
use mesh_bundle::expr::Instant;
use mesh_bundle::program::{Retry, TlsMode};
use mesh_decision::head::Trust;
use mesh_decision::{Connection, Engine, Request, Source, Verdict};

use super::active::Active;
use super::answer::Answer;
use super::fault::{Guarded, guarded};
use super::outbound::exchange;
use super::prepare::{Prepared, prepare, remove_credentials};
use super::record::{Direction, Record};
use super::streams::Question;
use super::worker::{Local, Worker};
use crate::http::{Body, Head, ResponseHead, Scheme};
use crate::listen::{Handler, InFlight, ListenerMode, Peer};
use crate::quota;
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

impl Guarded for Inbound {
    fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    fn direction(&self) -> Direction {
        Direction::Inbound
    }

    async fn serve(self: Rc<Self>, mut record: Record, mut head: Head, body: Body) -> (ResponseHead, Body) {
        let trust = if record.peer.principal.is_some() { Trust::Mesh } else { Trust::Stranger };
        let Some(local) = record.local.clone() else {
            return record.refuse(Answer::new(StatusCode::SERVICE_UNAVAILABLE, "no-bundle"));
        };
        record.tags.used(local.active());
        let stricter = Cell::default();
        let slashes = |_: &str| {
            let own = local.active().engine.owner().name().as_str();
            local.running().slash_mode(&stricter, own, Engine::own_slash_mode)
        };
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
        if let Err(answer) = decide(&local, &mut record, &head, &prepared) {
            record.about(&prepared.host, prepared.path());
            return record.refuse(answer);
        }
        record.question = Some(Box::new(Question { head: head.clone(), prepared: Rc::clone(&prepared) }));
        self.forward(record, &local, head, body, &prepared).await
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
        guarded(self, peer, in_flight, head, body).await
    }
}

impl Inbound {
    async fn forward(
        &self,
        mut record: Record,
        local: &Local,
        mut head: Head,
        body: Body,
        prepared: &Prepared,
    ) -> (ResponseHead, Body) {
        record.tags.used(local.active());
        let application = local.active().application.as_ref();
        let slot = application.and_then(|service| service.slot(""));
        let (Some(service), Some(slot)) = (application, slot) else {
            return record.refuse(Answer::new(StatusCode::SERVICE_UNAVAILABLE, "no-application"));
        };
        let Some(target) = prepared.target(None) else {
            return record.refuse(Answer::new(StatusCode::BAD_REQUEST, "bad-path"));
        };
        head.target.path = Some(target);
        head.target.scheme = Scheme::Http;
        if local.active().engine.program().mesh.remove_credentials {
            remove_credentials(&mut head.headers);
        }
        let call = Call { service, slot, head: &head, retry: &self.no_retry, deadline: None };
        match exchange(record, call, body, prepared).await {
            Ok((record, response)) => record.relay(response, None),
            Err(written) => written,
        }
    }
}

/// The one place where the callee's side asks the engine.
fn decide(local: &Local, record: &mut Record, head: &Head, prepared: &Prepared) -> Result<(), Answer> {
    let peer = Rc::clone(&record.peer);
    let principal = peer.principal.as_ref().map_or("", |id| id.as_str());
    let owner = if principal.is_empty() { None } else { local.owner_of(principal) };
    let request = asked(local.active(), &peer, owner.as_deref(), head, prepared, record.now());
    // A connection may be older than the bundle that asks for mutual TLS, or new while that is on probation.
    if let Err(reason) = local.active().engine.admits(&request) {
        if let Some(probation) = &local.running().probation {
            record.tag.no_identity(probation, &request);
        }
        return Err(reason.into());
    }
    guard(local, record, &request)
}

/// A caller's request as the engine sees it.
pub(super) fn asked<'r>(
    active: &'r Active,
    peer: &'r Peer,
    owner: Option<&'r Owner>,
    head: &'r Head,
    prepared: &'r Prepared,
    now: Instant,
) -> Request<'r> {
    let principal = peer.principal.as_ref().map_or("", |id| id.as_str());
    Request {
        method: head.method.as_str(),
        scheme: head.target.scheme.as_str(),
        host: &prepared.host,
        path: prepared.path(),
        query: prepared.query(),
        headers: &head.headers,
        size: prepared.size,
        source: Source { principal, owner, ip: &peer.ip },
        connection: Connection {
            mtls: peer.principal.is_some(),
            tls_version: peer.tls_version.unwrap_or_default(),
            sni: peer.sni.as_deref().unwrap_or_default(),
        },
        now,
        picks: active,
    }
}

/// Access, then quotas: of a callee's proxy, and of a gateway before its Routes.
pub(super) fn guard(local: &Local, record: &mut Record, request: &Request<'_>) -> Result<(), Answer> {
    let active = local.active();
    record.tags.used(active);
    let decided = active.engine.decide_inbound(request);
    let own = active.engine.owner().name().as_str();
    let rule = match decided.verdict {
        Verdict::DefaultDeny | Verdict::AuditDeny(None) => &active.access,
        _ => decided.verdict.entry().unwrap_or_default(),
    };
    let probation = local.running().probation.as_deref();
    if let Some(probation) = probation {
        record.tag.inbound(probation, &decided, request, rule);
    }
    record.decided(rule, own, "");
    if matches!(decided.verdict, Verdict::AuditDeny(_)) {
        record.verdict = decided.verdict.word();
    }
    if let Some(reason) = decided.verdict.refusal() {
        record.because = active.engine.because_inbound(request);
        return Err(reason.into());
    }
    if decided.charges.is_empty() {
        return Ok(());
    }
    fn plain<'c>(charge: &'c mesh_decision::Charge<'_>) -> quota::Charge<'c> {
        quota::Charge { limit: charge.limit, key: &charge.key, cost: charge.cost }
    }
    let now = record.worker.shared.clock.nanos();
    let charged = match decided.charges.as_slice() {
        // The usual case needs no list.
        [one] => active.counters.charge(&[plain(one)], now),
        several => active.counters.charge(&several.iter().map(plain).collect::<Vec<_>>(), now),
    };
    charged.map_err(|denied| {
        let limit = active.limits.get(denied.limit).map_or("", |address| &**address);
        if let (Some(probation), Some(reached)) = (probation, active.engine.limits().get(denied.limit)) {
            record.tag.over_quota(probation, reached, limit);
        }
        record.worker.shared.metrics.over_quota(limit);
        record.decided(limit, own, "");
        let mut answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, "over-quota");
        answer.retry_after = denied.retry_after;
        answer
    })
}
