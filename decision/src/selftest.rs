//! Self-tests: repeats the example decisions that lie beside a unit (rung 6 of the activation ladder).
//!
//! The compiler writes the answers with [`answer`], a proxy compares with the same function, so a difference is one of
//! the engine, the bundle or the machine, and never of two readings of one example.

use std::fmt;

use mesh_bundle::Owner;
use mesh_bundle::expr::{Instant, Slot};
use mesh_bundle::program::From;
use mesh_bundle::selftest::{
    ADDRESS, Access, Caller, Case, Charge, Example, Expect, Forward, NOW, Redirect, Refuse, Respond,
    SelfTests,
};
use mesh_bundle::unit::UnitId;

use crate::engine::Engine;
use crate::outbound_decision::{Outbound, Outcome, RuleRef};
use crate::reason::Reason;
use crate::request::{Connection, Fields, Request, Source};
use crate::route::{Edge, Scratch};
use crate::values;

/// The counts of a run of self-tests in which none failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proved {
    /// Cases that gave the expected answer.
    pub passed: usize,
    /// Cases that are not for this proxy.
    pub skipped: usize,
}

/// A failed self-test: the refusal of rung 6.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("self-test {case}, {request}: expected {expected}, got {got}")]
pub struct Failure {
    /// Index of the case, from 0.
    pub case: usize,
    /// The request in one line.
    pub request: String,
    /// The expected outcome, in words.
    pub expected: String,
    /// The outcome of the engine, in words.
    pub got: String,
}

/// Runs the self-tests of a unit. Cases that this proxy cannot judge are counted and skipped: those of a Route to a
/// service that is no destination of it, of access, quotas and gateway Routes of somebody else, and those that name a
/// caller whose labels decide and whom the proxy does not know.
///
/// # Errors
/// [`Failure`]: the first case with another answer.
pub fn prove(engine: &Engine, unit: &UnitId, tests: &SelfTests) -> Result<Proved, Failure> {
    let mut proved = Proved::default();
    if !judges(engine, unit) {
        proved.skipped = tests.cases.len();
        return Ok(proved);
    }
    let labels = labels_matter(engine, unit);
    let mut scratch = Scratch::default();
    for (index, Case { expect, request }) in tests.cases.iter().enumerate() {
        let unknown = |name| !engine.program().services.contains_key(name);
        if labels && matches!(&request.source, Caller::Service(name) if unknown(name)) {
            proved.skipped += 1;
            continue;
        }
        match answer(engine, unit, request, &mut scratch) {
            None => proved.skipped += 1,
            Some(got) if agrees(expect, &got) => proved.passed += 1,
            Some(got) => {
                let (expected, got) = (Words(expect).to_string(), Words(&got).to_string());
                return Err(Failure { case: index, request: line(unit, request), expected, got });
            }
        }
    }
    Ok(proved)
}

/// True if a proxy can judge self-tests of this unit at all.
#[must_use]
pub fn judges(engine: &Engine, unit: &UnitId) -> bool {
    match unit {
        UnitId::Routes(service) => engine.routing().table_of_service(service).is_some(),
        UnitId::GatewayRoutes(gateway, _) => {
            matches!(engine.owner(), Owner::Gateway(name) if name == gateway)
        }
        UnitId::Access(owner) | UnitId::Quotas(owner) => engine.owner() == owner,
        UnitId::Mesh | UnitId::Control | UnitId::Service(_) | UnitId::Gateway(_) => false,
        UnitId::Canary(_) | UnitId::Resilience(_) => false,
    }
}

/// The engine's outcome for an example of `unit`; `None` where it cannot judge. A Route answers with the destination
/// of the request, a gateway's Route up to where it enters a service's, access with its verdict, quotas with their
/// charges.
#[must_use]
pub fn answer(engine: &Engine, unit: &UnitId, example: &Example, scratch: &mut Scratch) -> Option<Expect> {
    if !judges(engine, unit) {
        return None;
    }
    let owner = match &example.source {
        Caller::Own => Some(engine.owner().clone()),
        Caller::Service(name) => Some(Owner::Service(name.clone())),
        Caller::Gateway(name) => Some(Owner::Gateway(name.clone())),
        Caller::Principal(_) | Caller::External => None,
    };
    let principal = match (&owner, &example.source) {
        (Some(owner), _) => engine.program().mesh.spiffe_id(owner),
        (None, Caller::Principal(id)) => id.clone(),
        (None, _) => String::new(),
    };
    // Callees see mutual TLS where there is an identity; applications reach their own proxy in clear.
    let inbound = matches!(unit, UnitId::Access(_) | UnitId::Quotas(_));
    let connection = match inbound && !principal.is_empty() {
        true => Connection { mtls: true, tls_version: "1.3", sni: "" },
        false => Connection::default(),
    };
    let headers = Lines(example);
    let ip = if example.ip.is_empty() { ADDRESS } else { &example.ip };
    let own = unit.owner();
    let host = match &own {
        Some(owner) if example.host.is_empty() => owner.name().as_str(),
        _ => &example.host,
    };
    let request = Request {
        method: &example.method,
        scheme: &example.scheme,
        host,
        path: &example.path,
        query: &example.query,
        headers: &headers,
        size: example.size,
        source: Source { principal: &principal, owner: owner.as_ref(), ip },
        connection,
        now: Instant::new(example.now.unwrap_or(NOW), 0).unwrap_or_default(),
        picks: &example.pick,
    };
    if !inbound && values::is_excessive(&request) {
        return Some(refused(None, Reason::Ambiguous));
    }
    match unit {
        UnitId::Routes(service) => engine
            .routing()
            .decide_route(service, &request, scratch)
            .map(|decided| sent(decided.rule, &decided)),
        UnitId::GatewayRoutes(..) => Some(match engine.routing().decide_edge(&request, scratch)? {
            Edge::Decided(decided) => sent(decided.edge, &decided),
            Edge::Enters { service, rule, path } => Expect::Forward(Forward {
                host: rule.rewrite.host.clone(),
                path,
                rule: address(Some(&rule.reference)),
                service: service.clone(),
                version: None,
            }),
        }),
        UnitId::Access(_) => {
            // The verdict alone: an ambiguous key of a quota, which hides it, belongs to another unit.
            let verdict = engine.decide_access(&request, &mut ());
            let entry = verdict.entry().map(str::to_owned);
            Some(Expect::Access(Access { entry, verdict: verdict.word().to_owned() }))
        }
        UnitId::Quotas(_) => {
            let decided = engine.decide_inbound(&request);
            if !decided.verdict.passes() {
                let entry = decided.verdict.entry().map(str::to_owned);
                return Some(Expect::Access(Access { entry, verdict: decided.verdict.word().to_owned() }));
            }
            let charge = |charge: &crate::Charge<'_>| Charge {
                cost: charge.cost,
                key: charge.key.clone().into_owned(),
                limit: engine.limits().get(charge.limit).map(|l| l.name.clone()).unwrap_or_default(),
            };
            Some(Expect::Charges(decided.charges.iter().map(charge).collect()))
        }
        _ => None,
    }
}

/// True if labels of a caller can decide a case of this unit.
fn labels_matter(engine: &Engine, unit: &UnitId) -> bool {
    let label = |slot: &Slot| matches!(slot, Slot::SourceLabel(_));
    let program = engine.program();
    let routes = match unit {
        UnitId::Routes(service) => program.routes.get(service),
        UnitId::GatewayRoutes(gateway, name) => {
            program.gateway_routes.get(gateway).and_then(|routes| routes.get(name))
        }
        // Scopes hold every caller whose labels access reads, so a caller that is not there has none that it means.
        UnitId::Quotas(owner) => {
            let limits = program.quotas.get(owner).map(|q| q.limits.as_slice()).unwrap_or_default();
            return limits.iter().any(|limit| limit.per.reads(label));
        }
        _ => None,
    };
    routes.is_some_and(|routes| {
        routes.rules.iter().any(|rule| {
            rule.matches.iter().any(|one| {
                one.callers.iter().any(|from| matches!(from, From::Labels(_)))
                    || one.when.as_ref().is_some_and(|when| when.code.reads(label))
            })
        })
    })
}

fn agrees(expected: &Expect, got: &Expect) -> bool {
    match (expected, got) {
        (Expect::Forward(expected), Expect::Forward(got)) => {
            let Forward { host, path, rule, service, version } = expected;
            (version.is_none() || *version == got.version)
                && (host, path, rule, service) == (&got.host, &got.path, &got.rule, &got.service)
        }
        _ => expected == got,
    }
}

fn sent(rule: Option<&RuleRef>, decided: &Outbound<'_>) -> Expect {
    match &decided.outcome {
        Outcome::Forward(forward) => Expect::Forward(Forward {
            host: forward.host.map(str::to_owned),
            path: forward.path.clone(),
            rule: address(rule),
            service: forward.service.clone(),
            version: Some(forward.version.clone()),
        }),
        Outcome::Redirect { status, location } => {
            Expect::Redirect(Redirect { location: location.clone(), rule: address(rule), status: *status })
        }
        Outcome::Respond(respond) => Expect::Respond(Respond { rule: address(rule), status: respond.status }),
        Outcome::Refuse(reason) => refused(rule, *reason),
    }
}

fn refused(rule: Option<&RuleRef>, reason: Reason) -> Expect {
    let rule = rule.map(|rule| rule.address.to_string());
    Expect::Refuse(Refuse { reason: reason.word().to_owned(), rule })
}

fn address(rule: Option<&RuleRef>) -> String {
    rule.map(|rule| rule.address.to_string()).unwrap_or_default()
}

/// The header lines of an example as [`Fields`]: one a name, or two.
struct Lines<'e>(&'e Example);

impl Fields for Lines<'_> {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        let mut lines = [&self.0.headers, &self.0.again].into_iter().filter_map(|lines| lines.get(name));
        lines.nth(n).map(String::as_bytes)
    }
}

/// Formats a request in one line: `GET http://orders/x?a=1 from web with x-tenant: acme`.
fn line(unit: &UnitId, example: &Example) -> String {
    let Example { again, headers, host, ip, method, now, path, pick, query, scheme, size, source } = example;
    let host = match unit.owner() {
        Some(owner) if host.is_empty() => owner.name().to_string(),
        _ => host.clone(),
    };
    let mut line = format!("{method} {scheme}://{host}{path}");
    if !query.is_empty() {
        line.push_str(&format!("?{query}"));
    }
    match source {
        Caller::Own => {}
        Caller::Service(name) => line.push_str(&format!(" from {name}")),
        Caller::Gateway(name) => line.push_str(&format!(" from gateway/{name}")),
        Caller::Principal(id) => line.push_str(&format!(" from {id}")),
        Caller::External => line.push_str(" from outside"),
    }
    if !ip.is_empty() {
        line.push_str(&format!(" at {ip}"));
    }
    let mut joint = " with ";
    for (name, value) in headers.iter().chain(again) {
        line.push_str(&format!("{joint}{name}: {value}"));
        joint = ", ";
    }
    if let Some(size) = size {
        line.push_str(&format!("{joint}{size} bytes"));
    }
    if let Some(now) = now {
        line.push_str(&format!(", {now} s after 1970"));
    }
    if *pick != 0 {
        line.push_str(&format!(", pick {pick}"));
    }
    line
}

/// Displays an outcome in words.
struct Words<'e>(&'e Expect);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expect::Forward(Forward { host, path, rule, service, version }) => {
                write!(f, "{rule} to {service}")?;
                if let Some(version) = version {
                    write!(f, "@{version}")?;
                }
                if let Some(host) = host {
                    write!(f, " as host {host}")?;
                }
                match path {
                    Some(path) => write!(f, " with path {path}"),
                    None => Ok(()),
                }
            }
            Expect::Redirect(redirect) => {
                write!(f, "{} with {} to {}", redirect.rule, redirect.status, redirect.location)
            }
            Expect::Respond(respond) => write!(f, "{} with {}", respond.rule, respond.status),
            Expect::Refuse(Refuse { reason, rule: None }) => f.write_str(reason),
            Expect::Refuse(Refuse { reason, rule: Some(rule) }) => write!(f, "{reason} by {rule}"),
            Expect::Access(Access { entry: None, verdict }) => f.write_str(verdict),
            Expect::Access(Access { entry: Some(entry), verdict }) => write!(f, "{verdict} by {entry}"),
            Expect::Charges(charges) if charges.is_empty() => f.write_str("no charge"),
            Expect::Charges(charges) => {
                for (n, Charge { cost, key, limit }) in charges.iter().enumerate() {
                    let joint = if n == 0 { "" } else { ", " };
                    write!(f, "{joint}{cost} of {limit} for `{key}`")?;
                }
                Ok(())
            }
        }
    }
}
