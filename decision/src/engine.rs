//! The engine: everything that one proxy decides with.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use mesh_bundle::program::{
    AccessMode, HeaderEdits, Limit, RateKey, Redirect, RewritePath, Service, SlashMode, Sticky,
};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Owner, Program, State};

use crate::access;
use crate::build::{
    BuildError, Builder, BuiltAction, BuiltEntry, BuiltRule, BuiltTarget, CanarySplit, Choice,
};
use crate::build::{GatewayTables, Table};
use crate::expr::{self, Context, Destination};
use crate::host;
use crate::inbound::{Charge, Inbound, Verdict};
use crate::matcher::Matched;
use crate::outbound::{Forward, Outbound, Outcome, Reason, RuleRef};
use crate::path;
use crate::request::{Fields, Request, Source};
use crate::split;
use crate::values::{self, Value};

/// What one proxy decides with. Immutable; share it behind an `Arc`.
#[derive(Debug)]
pub struct Engine {
    program: Arc<Program>,
    owner: Owner,
    principal: String,
    version: String,
    gateway: Option<(GatewayTables, u16)>,
    services: HashMap<Name, Table, FixedState>,
    access: Option<(AccessMode, Vec<BuiltEntry>, Vec<BuiltEntry>)>,
    limits: Vec<Limit>,
    /// Beside each limit, its key where that is an expression.
    keys: Vec<Option<expr::Key>>,
    counts: (u32, u32),
}

/// What a gateway's own Routes say.
pub(crate) enum Edge<'a> {
    /// The last word.
    Decided(Outbound<'a>),
    /// The Route of a service decides on, with the rewritten path, if it was rewritten.
    Enters { service: &'a Name, rule: &'a BuiltRule, path: Option<String> },
}

/// Buffers that a caller keeps between requests, so that deciding allocates little.
#[derive(Debug, Default)]
pub struct Scratch {
    found: Vec<u32>,
}

impl Engine {
    /// Builds the engine of `owner`'s proxy from its part of a program ([`Program::slice`]) and
    /// the rollout's state.
    ///
    /// # Errors
    /// [`BuildError`] with unit and pointer: rung 5 of the activation ladder.
    pub fn new(program: Arc<Program>, state: &State, owner: &Owner) -> Result<Self, BuildError> {
        let mut builder = Builder::new(&program, state);
        let mut services = HashMap::default();
        for name in program.services.keys() {
            // Others are here for their labels, or because a rule of a callee sends on to them.
            let destination = program.calls.as_ref().is_none_or(|calls| calls.contains(name));
            if destination {
                services.insert(name.clone(), builder.service(name)?);
            }
        }
        let gateway = match owner {
            Owner::Gateway(name) => {
                let listen = program.gateways.get(name).map_or(0, |g| g.listen);
                Some((builder.gateway(name)?, listen))
            }
            Owner::Service(_) => None,
        };
        let access = match program.access.get(owner) {
            Some(access) => Some((
                access.mode,
                builder.entries(owner, "deny", &access.deny)?,
                builder.entries(owner, "allow", &access.allow)?,
            )),
            None => None,
        };
        let limits = program.quotas.get(owner).map(|q| q.limits.clone()).unwrap_or_default();
        let keys = keys(owner, &limits)?;
        let counts = builder.counts();
        let principal = program.mesh.spiffe_id(owner);
        let owner = owner.clone();
        Ok(Self {
            owner,
            principal,
            version: String::new(),
            gateway,
            services,
            access,
            limits,
            keys,
            counts,
            program,
        })
    }

    /// Tells the engine which version of its service the proxy stands for
    /// (`destination.version`).
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Its part of the program.
    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Whom it stands for.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Number of rules; their ids are below it.
    #[must_use]
    pub fn rule_count(&self) -> u32 {
        self.counts.0
    }

    /// Number of splits; their ids are below it.
    #[must_use]
    pub fn split_count(&self) -> u32 {
        self.counts.1
    }

    /// The limits of the owner, by [`Charge::limit`].
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// What the service of a canonical `host` does with escaped slashes; the path must be made
    /// canonical with it before the request is decided. Gateways and unknown hosts refuse them.
    #[must_use]
    pub fn slash_mode(&self, host: &str) -> SlashMode {
        let service = match &self.gateway {
            Some(_) => None,
            None => self.service_of(host).and_then(|name| self.program.services.get(name)),
        };
        service.map(|s| s.escaped_slashes).unwrap_or_default()
    }

    /// The same for the owner's own application.
    #[must_use]
    pub fn own_slash_mode(&self) -> SlashMode {
        self.own_service().map(|s| s.escaped_slashes).unwrap_or_default()
    }

    fn own_service(&self) -> Option<&Service> {
        match &self.owner {
            Owner::Service(name) => self.program.services.get(name),
            Owner::Gateway(_) => None,
        }
    }

    /// The service that a host inside the mesh names: `orders`, or `orders.<environment>`.
    #[must_use]
    pub fn service_of(&self, host: &str) -> Option<&Name> {
        let name = match host.split_once('.') {
            Some((name, environment)) if environment == self.program.mesh.environment.as_str() => name,
            Some(_) => return None,
            None => host,
        };
        self.services.get_key_value(name).map(|(name, _)| name)
    }

    /// Decides what the caller's side does with a request.
    #[must_use]
    pub fn decide_outbound(&self, request: &Request<'_>, scratch: &mut Scratch) -> Outbound<'_> {
        if values::is_excessive(request) {
            return refused(None, None, Reason::Ambiguous);
        }
        match &self.gateway {
            Some((tables, listen)) => self.at_gateway(tables, *listen, request, scratch),
            None => match self.service_of(request.host) {
                Some(service) => self.at_service(service, None, request, scratch),
                None => refused(None, None, Reason::NotVisible),
            },
        }
    }

    fn at_gateway<'a>(
        &'a self,
        tables: &'a GatewayTables,
        listen: u16,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Outbound<'a> {
        match self.edge(tables, listen, request, scratch) {
            Edge::Decided(decided) => decided,
            Edge::Enters { service, rule, path } => self.enter(service, rule, path, request, scratch),
        }
    }

    /// What the gateway's own Routes say, before the service's Route is asked.
    fn edge<'a>(
        &'a self,
        tables: &'a GatewayTables,
        listen: u16,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Edge<'a> {
        let refused = |edge, reason| Edge::Decided(refused(edge, None, reason));
        let Some(table) = table_of(tables, request.host) else {
            return refused(None, Reason::NoHost);
        };
        let rule = match self.find(table, request, scratch) {
            Ok(rule) => rule,
            Err(reason) => return refused(None, reason),
        };
        let edge = Some(&rule.reference);
        let target = match &rule.action {
            BuiltAction::Fence => return refused(None, Reason::NoRule),
            BuiltAction::Respond(respond) => {
                return Edge::Decided(Outbound { edge, rule: None, outcome: Outcome::Respond(respond) });
            }
            BuiltAction::Redirect(redirect) => {
                let outcome = redirected(redirect, rule, Some(listen), request);
                return Edge::Decided(Outbound { edge, rule: None, outcome });
            }
            BuiltAction::Forward(shares) => choose(shares, rule, request),
        };
        let Some(target) = target else {
            return refused(edge, Reason::NoRule);
        };
        if matches!(target.to, Choice::Route) {
            let slashes =
                self.program.services.get(&target.service).map(|s| s.escaped_slashes).unwrap_or_default();
            return match rewritten(rule, request.path, slashes) {
                Ok(path) => Edge::Enters { service: &target.service, rule, path },
                Err(reason) => refused(edge, reason),
            };
        }
        Edge::Decided(self.forward(target, None, rule, request, edge))
    }

    /// At a gateway: what its own Routes say. `None` at a service's proxy.
    pub(crate) fn decide_edge(&self, request: &Request<'_>, scratch: &mut Scratch) -> Option<Edge<'_>> {
        let (tables, listen) = self.gateway.as_ref()?;
        Some(self.edge(tables, *listen, request, scratch))
    }

    /// What a service's own Route says to a request that asks for it; `None` where the service is no destination.
    pub(crate) fn decide_route(
        &self,
        service: &Name,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Option<Outbound<'_>> {
        self.services.contains_key(service).then(|| self.at_service(service, None, request, scratch))
    }

    /// Enters the Route of a service with the request as the gateway's rule left it.
    fn enter<'a>(
        &'a self,
        service: &Name,
        edge: &'a BuiltRule,
        path: Option<String>,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Outbound<'a> {
        let host = edge.rewrite.host.as_deref().unwrap_or(request.host);
        // A service's Route sees its caller, and that is the gateway.
        let source = Source { principal: &self.principal, owner: Some(&self.owner), ip: request.source.ip };
        let edited = Edited { base: request.headers, edits: edge.request_headers.get() };
        let path_now = path.as_deref().unwrap_or(request.path);
        let inner = Request { path: path_now, host, headers: &edited, source, ..*request };
        let mut decided = self.at_service(service, Some(edge), &inner, scratch);
        if let Outcome::Forward(forward) = &mut decided.outcome
            && forward.path.is_none()
        {
            forward.path = path;
        }
        decided
    }

    fn at_service<'a>(
        &'a self,
        service: &Name,
        edge: Option<&'a BuiltRule>,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Outbound<'a> {
        let edge_ref = edge.map(|e| &e.reference);
        let Some(table) = self.services.get(service) else {
            return refused(edge_ref, None, Reason::NotVisible);
        };
        let rule = match self.find(table, request, scratch) {
            Ok(rule) => rule,
            Err(reason) => return refused(edge_ref, None, reason),
        };
        let reference = Some(&rule.reference);
        match &rule.action {
            BuiltAction::Fence => refused(edge_ref, None, Reason::NoRule),
            BuiltAction::Respond(respond) => {
                Outbound { edge: edge_ref, rule: reference, outcome: Outcome::Respond(respond) }
            }
            BuiltAction::Redirect(redirect) => {
                let outcome = redirected(redirect, rule, None, request);
                Outbound { edge: edge_ref, rule: reference, outcome }
            }
            BuiltAction::Forward(shares) => match choose(shares, rule, request) {
                Some(target) => self.forward(target, edge, rule, request, edge_ref),
                None => refused(edge_ref, reference, Reason::NoRule),
            },
        }
    }

    fn find<'t>(
        &self,
        table: &'t Table,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Result<&'t BuiltRule, Reason> {
        table.index.candidates(request.path, &mut scratch.found);
        for at in &scratch.found {
            let rule = usize::try_from(*at).ok().and_then(|at| table.rules.get(at));
            let Some(rule) = rule else { continue };
            match rule.matcher.test(request, &self.program.services, None) {
                Matched::Yes => return Ok(rule),
                Matched::No(_) => {}
                Matched::Ambiguous => return Err(Reason::Ambiguous),
            }
        }
        Err(Reason::NoRule)
    }

    /// `last` is the rule that chose the target; `edge` the gateway's, if another one.
    fn forward<'a>(
        &'a self,
        target: &'a BuiltTarget,
        edge: Option<&'a BuiltRule>,
        last: &'a BuiltRule,
        request: &Request<'_>,
        edge_ref: Option<&'a RuleRef>,
    ) -> Outbound<'a> {
        let rule_ref = if edge.is_some() || edge_ref.is_none() { Some(&last.reference) } else { None };
        let slashes =
            self.program.services.get(&target.service).map(|s| s.escaped_slashes).unwrap_or_default();
        let path = match rewritten(last, request.path, slashes) {
            Ok(path) => path,
            Err(reason) => return refused(edge_ref, rule_ref, reason),
        };
        let (version, fallback) = match &target.to {
            Choice::Version(version) => (version, None),
            Choice::Canary(split) => canary(split, request),
            Choice::Route => return refused(edge_ref, rule_ref, Reason::NoRule),
        };
        let defaults = &self.program.mesh.defaults;
        let timeout_ms = match (edge.and_then(|e| e.timeout_ms), last.timeout_ms) {
            (None, None) => defaults.timeout_ms,
            (Some(one), None) | (None, Some(one)) => one,
            (Some(0), Some(other)) | (Some(other), Some(0)) => other,
            (Some(one), Some(other)) => one.min(other),
        };
        let retry =
            last.retry.as_deref().or(edge.and_then(|e| e.retry.as_deref())).unwrap_or(&defaults.retry);
        let forward = Forward {
            service: &target.service,
            version,
            fallback,
            path,
            host: last.rewrite.host.as_deref().or(edge.and_then(|e| e.rewrite.host.as_deref())),
            request_headers: [edge.and_then(|e| e.request_headers.get()), last.request_headers.get()],
            response_headers: [last.response_headers.get(), edge.and_then(|e| e.response_headers.get())],
            timeout_ms,
            retry,
        };
        Outbound { edge: edge_ref, rule: rule_ref, outcome: Outcome::Forward(forward) }
    }

    /// Decides what the callee's side does with a request: access, then quotas. At a gateway it
    /// guards the door, before its Routes.
    #[must_use]
    pub fn decide_inbound<'a>(&'a self, request: &'a Request<'a>) -> Inbound<'a> {
        let verdict = self.decide_access(request);
        if !verdict.passes() {
            return Inbound { verdict, charges: Vec::new() };
        }
        let mut charges = Vec::with_capacity(self.limits.len());
        let ambiguous = || Inbound { verdict: Verdict::Ambiguous, charges: Vec::new() };
        for ((index, limit), key) in self.limits.iter().enumerate().zip(&self.keys) {
            let key = match &limit.per {
                RateKey::Caller => Cow::Borrowed(request.source.key()),
                RateKey::Service => Cow::Borrowed(""),
                RateKey::Slot(slot) => match expr::text(slot, &self.context(request)) {
                    Value::One(value) => value,
                    Value::Absent => Cow::Borrowed(""),
                    Value::Repeated => return ambiguous(),
                },
                RateKey::Expression(_) => match key.as_ref().and_then(|key| key.of(&self.context(request))) {
                    Some(key) => key,
                    None => return ambiguous(),
                },
            };
            charges.push(Charge { limit: index, key, cost: limit.cost });
        }
        Inbound { verdict, charges }
    }

    /// Access alone.
    pub(crate) fn decide_access<'a>(&'a self, request: &Request<'_>) -> Verdict<'a> {
        if values::is_excessive(request) {
            return Verdict::Ambiguous;
        }
        let Some((mode, deny, allow)) = &self.access else {
            return match self.owner {
                Owner::Gateway(_) => Verdict::Open,
                Owner::Service(_) => Verdict::DefaultDeny,
            };
        };
        // An entry that errs: deny matches, allow does not.
        let took = |entries: &'a [BuiltEntry], on_error: bool| {
            entries
                .iter()
                .find(|entry| self.entry_takes(entry, request, on_error))
                .map(|e| e.address.as_str())
        };
        let verdict = match (took(deny, true), took(allow, false)) {
            (Some(entry), _) => Verdict::Deny(entry),
            (None, Some(entry)) => Verdict::Allow(entry),
            (None, None) => Verdict::DefaultDeny,
        };
        match (mode, verdict) {
            (AccessMode::Audit, Verdict::Deny(entry)) => Verdict::AuditDeny(Some(entry)),
            (AccessMode::Audit, Verdict::DefaultDeny) => Verdict::AuditDeny(None),
            _ => verdict,
        }
    }

    fn entry_takes(&self, entry: &BuiltEntry, request: &Request<'_>, on_error: bool) -> bool {
        let services = &self.program.services;
        entry.from.iter().any(|from| access::selects(from, &request.source, services))
            && entry.matchers.iter().any(|matcher| {
                match matcher.test_whole(request, services, self.destination()) {
                    Matched::Yes => true,
                    Matched::No(_) => false,
                    Matched::Ambiguous => on_error,
                }
            })
    }

    fn destination(&self) -> Option<Destination<'_>> {
        let service = self.own_service()?;
        Some(Destination { name: self.owner.name().as_str(), service, version: &self.version })
    }

    /// Denying and allowing entries.
    pub(crate) fn entries(&self) -> Option<(&[BuiltEntry], &[BuiltEntry])> {
        self.access.as_ref().map(|(_, deny, allow)| (deny.as_slice(), allow.as_slice()))
    }

    pub(crate) fn context<'c>(&'c self, request: &'c Request<'c>) -> Context<'c> {
        let source = match request.source.owner {
            Some(Owner::Service(name)) => self.program.services.get(name),
            _ => None,
        };
        Context { request, pattern: None, source, destination: self.destination() }
    }

    pub(crate) fn table_for(&self, host: &str) -> Option<&Table> {
        match &self.gateway {
            Some((tables, _)) => table_of(tables, host),
            None => self.service_of(host).and_then(|name| self.services.get(name)),
        }
    }

    pub(crate) fn table_of_service(&self, name: &Name) -> Option<&Table> {
        self.services.get(name)
    }
}

/// Header lines as a gateway's rule leaves them: removed, set, added.
struct Edited<'e> {
    base: &'e dyn Fields,
    edits: Option<&'e HeaderEdits>,
}

impl Fields for Edited<'_> {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        let Some(edits) = self.edits else { return self.base.nth(name, n) };
        let set = edits.set.get(name).map(String::as_bytes);
        let removed = set.is_some() || edits.remove.iter().any(|known| known == name);
        let line = |n: usize| if removed { set.filter(|_| n == 0) } else { self.base.nth(name, n) };
        if let Some(line) = line(n) {
            return Some(line);
        }
        let first_free = n == 0 || line(n - 1).is_some();
        edits.add.get(name).map(String::as_bytes).filter(|_| first_free)
    }
}

fn keys(owner: &Owner, limits: &[Limit]) -> Result<Vec<Option<expr::Key>>, BuildError> {
    let key = |(i, limit): (usize, &Limit)| {
        let RateKey::Expression(key) = &limit.per else { return Ok(None) };
        expr::Key::new(key).map(Some).map_err(|e| BuildError {
            unit: UnitId::Quotas(owner.clone()),
            pointer: format!("/limits/{i}/per"),
            reason: e.to_string(),
        })
    };
    limits.iter().enumerate().map(key).collect()
}

fn table_of<'t>(tables: &'t GatewayTables, host: &str) -> Option<&'t Table> {
    let wildcard =
        || tables.wildcards.iter().find(|(pattern, _)| host::covers(pattern, host)).map(|(_, t)| t);
    tables.exact.get(host).or_else(wildcard).map(AsRef::as_ref)
}

fn refused<'a>(edge: Option<&'a RuleRef>, rule: Option<&'a RuleRef>, reason: Reason) -> Outbound<'a> {
    Outbound { edge, rule, outcome: Outcome::Refuse(reason) }
}

/// The destination of a rule: the only one, or the one whose share the pick falls in.
fn choose<'t>(
    shares: &'t [(u32, BuiltTarget)],
    rule: &BuiltRule,
    request: &Request<'_>,
) -> Option<&'t BuiltTarget> {
    let (Some(split), [_, _, ..]) = (rule.reference.split, shares) else {
        return shares.first().map(|(_, target)| target);
    };
    let sticky = rule.sticky.as_ref().and_then(|s| sticky_key(s, request));
    let pick = match sticky {
        Some(key) => split::sticky(&rule.reference.address, "", &key),
        None => request.picks.pick(split),
    };
    shares.iter().find(|(upper, _)| pick < *upper).map(|(_, target)| target)
}

/// The candidate lies at the low end, so that growth only adds.
fn canary<'t>(canary: &'t CanarySplit, request: &Request<'_>) -> (&'t Name, Option<&'t Name>) {
    let pick = match canary.weight {
        0 => return (&canary.stable, None),
        _ => match canary.sticky.as_ref().and_then(|s| sticky_key(s, request)) {
            Some(key) => split::sticky(&canary.address, &canary.content, &key),
            None => request.picks.pick(canary.split),
        },
    };
    if pick < canary.weight { (&canary.candidate, Some(&canary.stable)) } else { (&canary.stable, None) }
}

/// `None` where the request has no such value, or several: then the counter draws.
fn sticky_key<'r>(sticky: &Sticky, request: &Request<'r>) -> Option<Cow<'r, str>> {
    let value = match sticky {
        Sticky::Header(name) => values::header(request.headers, name),
        Sticky::Cookie(name) => values::cookie(request.headers, name),
        Sticky::Ip => return Some(Cow::Borrowed(request.source.ip)),
        Sticky::Source => {
            // Behind a gateway the stranger's address tells callers apart; the gateway is one caller.
            let source = request.source;
            let edge = matches!(source.owner, Some(Owner::Gateway(_)));
            let key = if edge || source.principal.is_empty() { source.ip } else { source.principal };
            return Some(Cow::Borrowed(key));
        }
    };
    match value {
        Value::One(value) => Some(value),
        Value::Absent | Value::Repeated => None,
    }
}

fn rewritten(rule: &BuiltRule, path: &str, slashes: SlashMode) -> Result<Option<String>, Reason> {
    let Some(change) = &rule.rewrite.path else {
        return Ok(None);
    };
    let changed = path::rewrite(path, rule.matcher.pattern(), change, slashes);
    changed.map(Some).map_err(|_| Reason::BadRewrite)
}

/// Builds the `location`. Port: the rule's, else the default of a scheme that the rule sets,
/// else the listener's; 80 and 443 are left out where they are the scheme's own (Gateway API).
fn redirected<'a>(
    redirect: &Redirect,
    rule: &BuiltRule,
    listen: Option<u16>,
    request: &Request<'_>,
) -> Outcome<'a> {
    let scheme = redirect.scheme.as_deref().unwrap_or(request.scheme);
    let host = redirect.host.as_deref().unwrap_or(request.host);
    let own = if scheme == "https" { 443 } else { 80 };
    let port = redirect.port.or(if redirect.scheme.is_some() { Some(own) } else { listen });
    let path = match &redirect.path {
        None => Ok(Cow::Borrowed(request.path)),
        Some(change @ (RewritePath::Full(_) | RewritePath::Prefix(_))) => {
            path::rewrite(request.path, rule.matcher.pattern(), change, SlashMode::Keep).map(Cow::Owned)
        }
    };
    let Ok(path) = path else {
        return Outcome::Refuse(Reason::BadRewrite);
    };
    let port = port.filter(|port| *port != own).map(|port| format!(":{port}")).unwrap_or_default();
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    Outcome::Redirect { status: redirect.status, location: format!("{scheme}://{host}{port}{path}{query}") }
}
