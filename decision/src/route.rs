//! Routing: selects the rule that takes a request, and its destination, at a gateway and in the Route of a service.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use mesh_bundle::program::{HeaderEdits, SlashMode};
use mesh_bundle::{Name, Owner, Program};

use crate::alternatives::Taken;
use crate::build::{BuildError, Builder, BuiltAction, BuiltRule, BuiltTarget, Choice, GatewayTables, Table};
use crate::canary;
use crate::host;
use crate::matcher::Matcher;
use crate::outbound_decision::{Forward, Outbound, Outcome, RuleRef};
use crate::path;
use crate::reason::Reason;
use crate::redirect;
use crate::request::{Fields, Request, Source};
use crate::values;

/// The rules of one proxy: a gateway's own, and those of the services that it may call.
#[derive(Debug)]
pub(crate) struct Routing {
    program: Arc<Program>,
    owner: Owner,
    /// The owner's SPIFFE ID, as the callee's certificate check sees it.
    principal: String,
    /// At a gateway, its tables and the port that it listens on.
    gateway: Option<(GatewayTables, u16)>,
    services: HashMap<Name, Table, FixedState>,
}

/// Buffers that a caller keeps between requests, so that deciding allocates little.
#[derive(Debug, Default)]
pub struct Scratch {
    found: Vec<u32>,
}

/// A rule, and its match that takes the request.
#[derive(Clone, Copy)]
pub(crate) struct Hit<'t> {
    pub(crate) rule: &'t BuiltRule,
    pub(crate) by: &'t Matcher,
}

/// The decision of a gateway's own Routes.
pub(crate) enum Edge<'a> {
    /// The decision is final.
    Decided(Outbound<'a>),
    /// The Route of a service decides on, with the rewritten path, if it was rewritten.
    Enters { service: &'a Name, rule: &'a BuiltRule, path: Option<String> },
}

impl Routing {
    pub(crate) fn build(
        builder: &mut Builder<'_>,
        program: &Arc<Program>,
        owner: &Owner,
    ) -> Result<Self, BuildError> {
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
        Ok(Self {
            principal: program.mesh.spiffe_id(owner),
            owner: owner.clone(),
            program: Arc::clone(program),
            gateway,
            services,
        })
    }

    /// Decides the outcome of a request on the caller's side.
    pub(crate) fn decide(&self, request: &Request<'_>, scratch: &mut Scratch) -> Outbound<'_> {
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

    /// At a gateway: decides by its own Routes alone. `None` at a service's proxy.
    pub(crate) fn decide_edge(&self, request: &Request<'_>, scratch: &mut Scratch) -> Option<Edge<'_>> {
        let (tables, listen) = self.gateway.as_ref()?;
        Some(self.edge(tables, *listen, request, scratch))
    }

    /// Decides a request for a service by the service's own Route; `None` where the service is no destination.
    pub(crate) fn decide_route(
        &self,
        service: &Name,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Option<Outbound<'_>> {
        self.services.contains_key(service).then(|| self.at_service(service, None, request, scratch))
    }

    /// The service that a host inside the mesh names: `orders`, or `orders.<environment>`.
    pub(crate) fn service_of(&self, host: &str) -> Option<&Name> {
        let name = host::service_in(host, self.program.mesh.environment.as_str())?;
        self.services.get_key_value(name).map(|(name, _)| name)
    }

    /// The table of rules that a host leads to.
    pub(crate) fn table_for(&self, host: &str) -> Option<&Table> {
        match &self.gateway {
            Some((tables, _)) => table_of(tables, host),
            None => self.service_of(host).and_then(|name| self.services.get(name)),
        }
    }

    /// What a path is made canonical with before a request for `host` is decided; unknown hosts keep no escaped slashes.
    pub(crate) fn slash_mode(&self, host: &str) -> SlashMode {
        self.table_for(host).map_or(SlashMode::Reject, |table| table.slashes)
    }

    /// The table of a service's own rules.
    pub(crate) fn table_of_service(&self, name: &Name) -> Option<&Table> {
        self.services.get(name)
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

    /// Decides by the gateway's own Routes, before the service's Route is asked.
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
        let hit = match self.find(table, request, scratch) {
            Ok(hit) => hit,
            Err(reason) => return refused(None, reason),
        };
        let rule = hit.rule;
        let edge = Some(&rule.reference);
        let target = match &rule.action {
            BuiltAction::Fence => return refused(None, Reason::NoRule),
            BuiltAction::Respond(respond) => {
                return Edge::Decided(Outbound { edge, rule: None, outcome: Outcome::Respond(respond) });
            }
            BuiltAction::Redirect(redirect) => {
                let outcome = redirect::location(redirect, hit.by.pattern(), Some(listen), request);
                return Edge::Decided(Outbound { edge, rule: None, outcome });
            }
            BuiltAction::Forward(shares) => canary::choose(shares, rule, request),
        };
        let Some(target) = target else {
            return refused(edge, Reason::NoRule);
        };
        let slashes =
            self.program.services.get(&target.service).map(|s| s.escaped_slashes).unwrap_or_default();
        // The table kept escaped slashes for the sake of another service.
        if slashes == SlashMode::Reject && path::has_escaped_slash(request.path) {
            return refused(edge, Reason::BadPath);
        }
        if matches!(target.to, Choice::Route) {
            return match rewritten(hit, request.path, slashes) {
                Ok(path) => Edge::Enters { service: &target.service, rule, path },
                Err(reason) => refused(edge, reason),
            };
        }
        Edge::Decided(self.forward(target, None, hit, request, edge))
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
        let mut decided = self.behind(edge, path.as_deref(), request, |inner| {
            self.at_service(service, Some(edge), inner, scratch)
        });
        if let Outcome::Forward(forward) = &mut decided.outcome
            && forward.path.is_none()
        {
            forward.path = path;
        }
        decided
    }

    /// Asks about the request as a service's Route sees it behind a gateway: as the gateway's rule leaves it, with the
    /// rewritten path, if it was rewritten.
    pub(crate) fn behind<R>(
        &self,
        edge: &BuiltRule,
        path: Option<&str>,
        request: &Request<'_>,
        ask: impl FnOnce(&Request<'_>) -> R,
    ) -> R {
        let host = edge.rewrite.host.as_deref().unwrap_or(request.host);
        // A service's Route sees its caller, and that is the gateway.
        let source = Source { principal: &self.principal, owner: Some(&self.owner), ip: request.source.ip };
        let edited = Edited { base: request.headers, edits: edge.request_headers.get() };
        let path = path.unwrap_or(request.path);
        ask(&Request { path, host, headers: &edited, source, ..*request })
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
        let hit = match self.find(table, request, scratch) {
            Ok(hit) => hit,
            Err(reason) => return refused(edge_ref, None, reason),
        };
        let rule = hit.rule;
        let reference = Some(&rule.reference);
        match &rule.action {
            BuiltAction::Fence => refused(edge_ref, None, Reason::NoRule),
            BuiltAction::Respond(respond) => {
                Outbound { edge: edge_ref, rule: reference, outcome: Outcome::Respond(respond) }
            }
            BuiltAction::Redirect(redirect) => {
                let outcome = redirect::location(redirect, hit.by.pattern(), None, request);
                Outbound { edge: edge_ref, rule: reference, outcome }
            }
            BuiltAction::Forward(shares) => match canary::choose(shares, rule, request) {
                Some(target) => self.forward(target, edge, hit, request, edge_ref),
                None => refused(edge_ref, reference, Reason::NoRule),
            },
        }
    }

    /// The first rule of a table that takes a request.
    pub(crate) fn find<'t>(
        &self,
        table: &'t Table,
        request: &Request<'_>,
        scratch: &mut Scratch,
    ) -> Result<Hit<'t>, Reason> {
        table.index.candidates(request.path, &mut scratch.found);
        for at in &scratch.found {
            let rule = usize::try_from(*at).ok().and_then(|at| table.rules.get(at));
            let Some(rule) = rule else { continue };
            match rule.matches.test(request, &self.program.services) {
                Taken::By(by) => return Ok(Hit { rule, by }),
                Taken::No => {}
                Taken::Ambiguous => return Err(Reason::Ambiguous),
            }
        }
        Err(Reason::NoRule)
    }

    /// Forwards to a target; `hit` has the rule that chose the target, `edge` is the gateway's, if another one.
    fn forward<'a>(
        &'a self,
        target: &'a BuiltTarget,
        edge: Option<&'a BuiltRule>,
        hit: Hit<'a>,
        request: &Request<'_>,
        edge_ref: Option<&'a RuleRef>,
    ) -> Outbound<'a> {
        let last = hit.rule;
        let rule_ref = if edge.is_some() || edge_ref.is_none() { Some(&last.reference) } else { None };
        let slashes =
            self.program.services.get(&target.service).map(|s| s.escaped_slashes).unwrap_or_default();
        let path = match rewritten(hit, request.path, slashes) {
            Ok(path) => path,
            Err(reason) => return refused(edge_ref, rule_ref, reason),
        };
        let (version, fallback) = match &target.to {
            Choice::Version(version) => (version, None),
            Choice::Canary(split) => canary::version(split, request),
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

fn table_of<'t>(tables: &'t GatewayTables, host: &str) -> Option<&'t Table> {
    let wildcard =
        || tables.wildcards.iter().find(|(pattern, _)| host::covers(pattern, host)).map(|(_, t)| t);
    tables.exact.get(host).or_else(wildcard).map(AsRef::as_ref)
}

fn refused<'a>(edge: Option<&'a RuleRef>, rule: Option<&'a RuleRef>, reason: Reason) -> Outbound<'a> {
    Outbound { edge, rule, outcome: Outcome::Refuse(reason) }
}

fn rewritten(hit: Hit<'_>, path: &str, slashes: SlashMode) -> Result<Option<String>, Reason> {
    let Some(change) = &hit.rule.rewrite.path else {
        return Ok(None);
    };
    let changed = path::rewrite(path, hit.by.pattern(), change, slashes);
    changed.map(Some).map_err(|_| Reason::BadRewrite)
}
