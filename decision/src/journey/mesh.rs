//! Journeys: a request's whole way through the mesh, by the gateway or the caller's proxy, then the callee's.
//!
//! Tools show journeys, and tests compare live proxies with them. Each hop is decided by the engine of that hop's own
//! proxy, built from that proxy's part of the program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mesh_bundle::expr::Instant;
use mesh_bundle::program::{Protocol, Sticky, TlsMode};
use mesh_bundle::scope::Scopes;
use mesh_bundle::{Name, Owner, Program, State};
use serde::Serialize;

use crate::build::BuildError;
use crate::edit;
use crate::engine::Engine;
use crate::explain::Step;
use crate::head::{self, Admitted, Rejection, StartLine, Trust, Version};
use crate::host;
use crate::outbound_decision::{Forward, Outcome};
use crate::reason::Reason;
use crate::request::{Connection, Picks, Request, Source};
use crate::route::Scratch;

/// A request whose journey is followed.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The method token.
    pub method: String,
    /// The scheme: `http` or `https`.
    pub scheme: String,
    /// The authority as a client would write it.
    pub authority: String,
    /// Path and query as a client would write them.
    pub target: String,
    /// The version of HTTP that it is asked in.
    pub version: Version,
    /// Header lines, names in lower case. A `host` line takes the place of `authority` in HTTP/1.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The service that asks, or the gateway that a stranger asks; where absent, a stranger at the gateway of the host.
    pub caller: Option<Owner>,
    /// The stranger's address.
    pub ip: String,
    /// The size of the body, where no `content-length` states it.
    pub size: Option<u64>,
    /// The arrival time of the request.
    pub now: Instant,
}

/// The outcome of a request, hop by hop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Journey {
    /// The status, where the mesh answers itself; `None` where the service does.
    pub status: Option<u16>,
    /// A short word for the reason of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason in words that a head or a path is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The gateway that a stranger came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Address of the gateway's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge_rule: Option<String>,
    /// Address of the service's rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Name of the service.
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
    /// The access verdict: `allow`, `deny`, `audit-deny`; absent where the request did not get that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
    /// Address of the access entry that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_entry: Option<String>,
    /// Addresses of the limits that are charged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<String>,
    /// Timeout in milliseconds; 0 is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Number of tries after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The `location` of a redirect.
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

    /// The program of the whole mesh.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The engine of one proxy, built on first use.
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
        let mut journey = Journey::default();
        let trust = match ask.caller {
            Some(Owner::Service(_)) => Trust::Mesh,
            Some(Owner::Gateway(_)) | None => Trust::Stranger,
        };
        let mut lines = ask.headers.clone();
        let head = Sent { version: ask.version, method: &ask.method, authority: &ask.authority };
        let admitted = match head.admit(&ask.target, &mut lines, trust) {
            Ok(admitted) => admitted,
            Err(rejection) => return Ok(journey.reject(rejection)),
        };
        let first = match &ask.caller {
            Some(caller) => caller.clone(),
            None => match self.gateway_of(&admitted.host) {
                Some(name) => Owner::Gateway(name.clone()),
                None => return Ok(journey.refuse(Reason::NoHost)),
            },
        };
        let engine = self.engine(&first)?;
        let at_edge = matches!(first, Owner::Gateway(_));
        if at_edge {
            journey.gateway = Some(first.name().to_string());
        }
        let (raw_path, query) = ask.target.split_once('?').unwrap_or((ask.target.as_str(), ""));
        let path = match head::canonical_path(raw_path, engine.slash_mode(&admitted.host)) {
            Ok(path) => path,
            Err(rejection) => return Ok(journey.reject(rejection)),
        };
        let principal = self.program.mesh.spiffe_id(&first);
        let source = match at_edge {
            true => Source { principal: "", owner: None, ip: &ask.ip },
            false => Source { principal: &principal, owner: Some(&first), ip: &ask.ip },
        };
        let request = Request {
            method: &ask.method,
            scheme: &ask.scheme,
            host: &admitted.host,
            path: &path,
            query,
            headers: &lines,
            size: admitted.framing.size().or(ask.size),
            source,
            connection: Connection::default(),
            now: ask.now,
            picks,
        };
        if at_edge && !journey.enter(&engine, &request) {
            return Ok(journey);
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
                if reason == Reason::NotVisible {
                    journey.access = Some("deny".into());
                }
                return Ok(journey.refuse(reason));
            }
        };
        journey.service = Some(forward.service.to_string());
        journey.version = Some(forward.version.to_string());
        journey.timeout_ms = Some(forward.timeout_ms);
        journey.attempts = Some(forward.retry.attempts);
        let arrived = Arrived { request: &request, from: &first, principal: &principal };
        let authority = forward.host.unwrap_or(admitted.authority.as_deref().unwrap_or(&ask.authority));
        let mut sent = lines.clone();
        for edits in forward.request_headers.into_iter().flatten() {
            edit::apply(edits, &mut sent);
        }
        journey.at_callee(self, &forward, &arrived, authority, sent)?;
        Ok(journey)
    }

    /// The current shares of a service's default destination: version and basis points.
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

    /// The stickiness of a service's default destination to a caller, in words.
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

    /// The mesh's TLS mode: whether it accepts plain text.
    #[must_use]
    pub fn tls(&self) -> TlsMode {
        self.program.mesh.tls
    }
}

/// A head on its way to a hop: HTTP/1 states the host in a field, HTTP/2 in the start line.
struct Sent<'a> {
    version: Version,
    method: &'a str,
    authority: &'a str,
}

impl Sent<'_> {
    /// Admits the head as the hop does. A `host` line that is there already stays as it is.
    fn admit(
        &self,
        target: &str,
        lines: &mut Vec<(String, Vec<u8>)>,
        trust: Trust,
    ) -> Result<Admitted, Rejection> {
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        let in_start = self.version == Version::Http2;
        if !(in_start || lines.iter().any(|(name, _)| name == "host")) {
            lines.insert(0, ("host".to_owned(), self.authority.as_bytes().to_vec()));
        }
        let start = StartLine {
            version: self.version,
            method: self.method,
            authority: in_start.then_some(self.authority),
            target: Some(path),
        };
        head::admit(&start, lines, trust)
    }
}

/// A request at its first hop, and who sends it on.
struct Arrived<'a> {
    request: &'a Request<'a>,
    from: &'a Owner,
    principal: &'a str,
}

impl Journey {
    fn refuse(mut self, reason: Reason) -> Self {
        self.note(reason);
        self
    }

    fn reject(mut self, rejection: Rejection) -> Self {
        self.note(rejection.reason());
        self.detail = Some(rejection.to_string());
        self
    }

    fn note(&mut self, reason: Reason) {
        self.status = Some(reason.status());
        self.reason = Some(reason.word().to_owned());
    }

    /// Continues a forwarded request at the callee's proxy.
    fn at_callee(
        &mut self,
        mesh: &Mesh,
        forward: &Forward<'_>,
        arrived: &Arrived<'_>,
        authority: &str,
        mut lines: Vec<(String, Vec<u8>)>,
    ) -> Result<(), BuildError> {
        let request = arrived.request;
        let engine = mesh.engine(&Owner::Service(forward.service.clone()))?;
        let path = forward.path.as_deref().unwrap_or(request.path);
        let protocol = mesh.program.services.get(forward.service).map(|service| service.protocol);
        let version = if protocol == Some(Protocol::Grpc) { Version::Http2 } else { Version::Http11 };
        if version != Version::Http2 {
            lines.insert(0, ("host".to_owned(), authority.as_bytes().to_vec()));
        }
        let sent = Sent { version, method: request.method, authority };
        let admitted = sent.admit(path, &mut lines, Trust::Mesh);
        let canonical = head::canonical_path(path, engine.own_slash_mode());
        let (admitted, path) = match admitted.and_then(|admitted| Ok((admitted, canonical?))) {
            Ok(both) => both,
            Err(rejection) => {
                self.note(rejection.reason());
                self.detail = Some(rejection.to_string());
                return Ok(());
            }
        };
        let inner = Request {
            host: &admitted.host,
            path: &path,
            headers: &lines,
            source: Source { principal: arrived.principal, owner: Some(arrived.from), ip: "127.0.0.1" },
            connection: Connection { mtls: true, tls_version: "1.3", sni: "" },
            ..*request
        };
        if self.enter(&engine, &inner) {
            self.path = Some(path.into_owned());
            self.host = Some(forward.host.unwrap_or(request.host).to_owned());
            self.headers = lines;
        }
        Ok(())
    }

    /// Notes the verdict of a door about a request: a gateway's before its Routes, or a callee's. False if it does
    /// not pass.
    fn enter(&mut self, engine: &Engine, request: &Request<'_>) -> bool {
        if let Err(reason) = engine.admits_connection(request) {
            self.note(reason);
            return false;
        }
        let door = engine.decide_inbound(request);
        self.access_steps.extend(engine.explain_inbound(request));
        self.access = Some(door.verdict.word().to_owned());
        self.access_entry = door.verdict.entry().map(str::to_owned);
        let limit = |charge: &crate::Charge<'_>| {
            let limit = engine.limits().get(charge.limit)?;
            Some(format!("quota/{}/{}", engine.owner(), limit.name))
        };
        self.quotas.extend(door.charges.iter().filter_map(limit));
        let refusal = door.verdict.refusal();
        if let Some(reason) = refusal {
            self.note(reason);
        }
        refusal.is_none()
    }
}
