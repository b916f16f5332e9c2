//! A request's whole way: the gateway or the caller's proxy, then the callee's.
//!
//! What the tools show and what tests compare live proxies with. Each hop is decided by the
//! engine of that hop's own proxy, built from that proxy's part of the program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mesh_bundle::expr::Instant;
use mesh_bundle::program::{Sticky, TlsMode};
use mesh_bundle::scope::Scopes;
use mesh_bundle::{Name, Owner, Program, State};
use serde::Serialize;

use crate::build::BuildError;
use crate::edit::{self, HeaderStore};
use crate::engine::{Engine, Scratch};
use crate::explain::Step;
use crate::outbound::Outcome;
use crate::request::{Connection, Picks, Request, Source};
use crate::{host, path};

/// A request to ask about.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The method token.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// The authority as a client would write it.
    pub authority: String,
    /// Path and query as a client would write them.
    pub target: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Who asks: a service or gateway of the mesh; nobody for a stranger.
    pub caller: Option<Owner>,
    /// The stranger's address.
    pub ip: String,
    /// The declared body size.
    pub size: Option<u64>,
    /// When it is asked.
    pub now: Instant,
}

/// What happens to it, hop by hop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Journey {
    /// The status, where the mesh answers itself; `None` where the service does.
    pub status: Option<u16>,
    /// A short word for the reason of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The gateway that a stranger came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The gateway's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge_rule: Option<String>,
    /// The service's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its version, for the pick that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The path that the service sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The host that the service sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Header lines that the service sees, of those asked with and those that rules add.
    #[serde(skip)]
    pub headers: Vec<(String, Vec<u8>)>,
    /// `allow`, `deny`, `audit-deny`; absent where the request did not get that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
    /// The access entry that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_entry: Option<String>,
    /// Limits that are charged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<String>,
    /// Milliseconds; 0 is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Further tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Where a redirect leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Rules that were asked at the first hop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Access entries that were asked, at the gateway's door and at the service's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_steps: Vec<Step>,
}

/// Engines of every proxy of a program, built when first needed.
pub struct Mesh {
    program: Arc<Program>,
    scopes: Scopes,
    state: State,
    engines: Mutex<BTreeMap<Owner, Arc<Engine>>>,
}

impl Mesh {
    /// Prepares a whole program.
    #[must_use]
    pub fn new(program: Arc<Program>, state: State) -> Self {
        let scopes = Scopes::of(&program);
        Self { program, scopes, state, engines: Mutex::new(BTreeMap::new()) }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The engine of one proxy.
    ///
    /// # Errors
    /// [`BuildError`] when its part of the program does not build.
    pub fn engine(&self, owner: &Owner) -> Result<Arc<Engine>, BuildError> {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = engines.get(owner) {
            return Ok(Arc::clone(engine));
        }
        let needs = self.scopes.needs(owner).unwrap_or_default();
        let part = Arc::new(self.program.part(needs));
        let engine = Arc::new(Engine::new(part, &self.state, owner)?);
        engines.insert(owner.clone(), Arc::clone(&engine));
        Ok(engine)
    }

    /// The gateway whose hosts cover a canonical host: an exact one before the longest wildcard.
    #[must_use]
    pub fn gateway_of(&self, canonical_host: &str) -> Option<&Name> {
        let covering = self.program.gateways.iter().flat_map(|(name, gateway)| {
            let mine = gateway.hosts.iter().filter(|h| host::covers(h, canonical_host));
            mine.map(move |h| (h.starts_with('*'), std::cmp::Reverse(h.len()), name))
        });
        covering.min().map(|(_, _, name)| name)
    }

    /// Follows a request to its end. Shares are drawn from `picks`.
    ///
    /// # Errors
    /// [`BuildError`] when a proxy's part of the program does not build.
    pub fn follow(&self, ask: &Ask, picks: &dyn Picks) -> Result<Journey, BuildError> {
        let mut journey = Journey::empty();
        let Ok(canonical_host) = host::canonical(&ask.authority) else {
            return Ok(journey.refuse(400, "bad-host"));
        };
        let first = match &ask.caller {
            Some(caller) => caller.clone(),
            None => match self.gateway_of(&canonical_host) {
                Some(name) => Owner::Gateway(name.clone()),
                None => return Ok(journey.refuse(404, "no-host")),
            },
        };
        let engine = self.engine(&first)?;
        let at_edge = matches!(first, Owner::Gateway(_));
        if at_edge {
            journey.gateway = Some(first.name().to_string());
        }
        let (raw_path, query) = ask.target.split_once('?').unwrap_or((ask.target.as_str(), ""));
        let Ok(clean) = path::canonical(raw_path, engine.slash_mode(&canonical_host)) else {
            return Ok(journey.refuse(400, "bad-path"));
        };
        let mut headers = ask.headers.clone();
        headers.retain(|(name, _)| !(edit::is_identity(name) || (at_edge && edit::is_forgeable(name))));
        let mut request = Request {
            method: &ask.method,
            scheme: &ask.scheme,
            host: &canonical_host,
            path: &clean,
            query,
            headers: &headers,
            size: ask.size,
            source: Source { principal: "", owner: None, ip: &ask.ip },
            connection: Connection::default(),
            now: ask.now,
            picks,
        };
        if at_edge {
            let door = engine.decide_inbound(&request);
            journey.access_steps = engine.explain_inbound(&request);
            if !journey.enter(&engine, &door) {
                return Ok(journey);
            }
        } else {
            request.source.owner = ask.caller.as_ref();
        }
        let principal = self.program.mesh.spiffe_id(&first);
        if !at_edge {
            request.source.principal = &principal;
        }
        journey.steps = engine.explain_outbound(&request);
        let decided = engine.decide_outbound(&request, &mut Scratch::default());
        journey.edge_rule = decided.edge.map(|r| r.address.to_string());
        journey.rule = decided.rule.map(|r| r.address.to_string());
        let forward = match decided.outcome {
            Outcome::Forward(forward) => forward,
            Outcome::Respond(respond) => {
                journey.status = Some(respond.status);
                return Ok(journey);
            }
            Outcome::Redirect { status, location } => {
                journey.status = Some(status);
                journey.location = Some(location);
                return Ok(journey);
            }
            Outcome::Refuse(reason) => {
                if reason == crate::Reason::NotVisible {
                    journey.access = Some("deny".into());
                }
                return Ok(journey.refuse(reason.status(), reason.word()));
            }
        };
        journey.service = Some(forward.service.to_string());
        journey.version = Some(forward.version.to_string());
        journey.timeout_ms = Some(forward.timeout_ms);
        journey.attempts = Some(forward.retry.attempts);
        let sent_path =
            forward.path.as_deref().map_or(Cow::Borrowed(request.path), Cow::Borrowed).into_owned();
        let sent_host = forward.host.unwrap_or(request.host).to_owned();
        let mut sent = headers.clone();
        for edits in forward.request_headers.into_iter().flatten() {
            edit::apply(edits, &mut sent);
        }
        if forward.host.is_some() {
            HeaderStore::remove(&mut sent, "host");
        }
        let callee = Owner::Service(forward.service.clone());
        let engine = self.engine(&callee)?;
        let inner = Request {
            host: &sent_host,
            path: &sent_path,
            headers: &sent,
            source: Source { principal: &principal, owner: Some(&first), ip: "127.0.0.1" },
            connection: Connection { mtls: true, tls_version: "1.3", sni: "" },
            ..request
        };
        let guard = engine.decide_inbound(&inner);
        journey.access_steps.extend(engine.explain_inbound(&inner));
        if journey.enter(&engine, &guard) {
            journey.path = Some(sent_path.clone());
            journey.host = Some(sent_host.clone());
            journey.headers = sent.clone();
        }
        Ok(journey)
    }

    /// How a service's default destination is shared now: version and basis points.
    #[must_use]
    pub fn shares(&self, service: &Name) -> Vec<(String, u32)> {
        let Some(canary) = self.program.canaries.get(service) else {
            let versions =
                self.program.services.get(service).map(|s| s.versions.as_slice()).unwrap_or_default();
            return versions.iter().map(|v| (v.to_string(), mesh_bundle::limits::WHOLE)).collect();
        };
        let weight = self.state.weight(&self.program, service.as_str());
        let rest = mesh_bundle::limits::WHOLE - weight;
        let sides = [(Some(&canary.stable), rest), (canary.candidate.as_ref(), weight)];
        sides.into_iter().filter_map(|(v, w)| Some((v?.to_string(), w))).collect()
    }

    /// How a service's default destination sticks to a caller, in words.
    #[must_use]
    pub fn stickiness(&self, service: &Name) -> Option<String> {
        let sticky = self.program.canaries.get(service)?.sticky.as_ref()?;
        Some(match sticky {
            Sticky::Header(name) => format!("header {name}"),
            Sticky::Cookie(name) => format!("cookie {name}"),
            Sticky::Source => "caller".to_owned(),
            Sticky::Ip => "address".to_owned(),
        })
    }

    /// Whether the mesh accepts plain text.
    #[must_use]
    pub fn tls(&self) -> TlsMode {
        self.program.mesh.tls
    }
}

impl Journey {
    fn empty() -> Self {
        Self {
            status: None,
            reason: None,
            gateway: None,
            edge_rule: None,
            rule: None,
            service: None,
            version: None,
            path: None,
            host: None,
            headers: Vec::new(),
            access: None,
            access_entry: None,
            quotas: Vec::new(),
            timeout_ms: None,
            attempts: None,
            location: None,
            steps: Vec::new(),
            access_steps: Vec::new(),
        }
    }

    fn refuse(mut self, status: u16, reason: &str) -> Self {
        self.status = Some(status);
        self.reason = Some(reason.to_owned());
        self
    }

    /// Notes the verdict at a door; false if it does not pass.
    fn enter(&mut self, engine: &Engine, door: &crate::Inbound<'_>) -> bool {
        self.access = Some(door.verdict.word().to_owned());
        self.access_entry = door.verdict.entry().map(str::to_owned);
        let limit = |charge: &crate::Charge<'_>| {
            let limit = engine.limits().get(charge.limit)?;
            Some(format!("quota/{}/{}", engine.owner(), limit.name))
        };
        self.quotas.extend(door.charges.iter().filter_map(limit));
        match door.verdict.status() {
            Some(status) => {
                self.status = Some(status);
                self.reason = Some(if status == 403 { "denied" } else { door.verdict.word() }.to_owned());
                false
            }
            None => true,
        }
    }
}
