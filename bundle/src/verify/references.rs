//! The semantic checks of rung 4: units that decode must also make sense together. A compiler never writes what is
//! refused here; a signed mistake, or a compiler newer than the proxy, might.

use std::collections::BTreeSet;
use std::fmt::{Arguments, Display};

use crate::expr::{Expression, Type};
use crate::limits;
use crate::name::Name;
use crate::program::{
    Action, Canary, Destination, From, HeaderEdits, Match, Matches, Program, RateKey, Redirect, Role, Routes,
    Rule, Service, Sticky, ValueMatch,
};
use crate::refusal::{Refusal, Rung};
use crate::unit::UnitId;

/// A complaint inside a unit: pointer, code, message.
type Complaint = (String, &'static str, String);

/// Checks every reference, sum and bound of `program`.
///
/// # Errors
/// The first complaint, in the order of the units.
pub(super) fn check(program: &Program) -> Result<(), Refusal> {
    let at = |id: UnitId| {
        move |(pointer, code, message): Complaint| {
            Refusal::new(Rung::WellFormed, code, message).at(&id).pointing(pointer)
        }
    };
    let rules = program.routes.values().chain(program.gateway_routes.values().flat_map(|r| r.values()));
    let entries = program.access.values().map(|a| a.allow.len() + a.deny.len()).sum::<usize>();
    let rules = rules.map(|r| r.rules.len()).sum::<usize>() + entries;
    if program.services.len() > limits::SERVICES || rules > limits::RULES {
        let message = format!(
            "{} services and {rules} rules, and the limits are {} and {}",
            program.services.len(),
            limits::SERVICES,
            limits::RULES
        );
        return Err(Refusal::new(Rung::WellFormed, "over-limit", message));
    }
    for (name, unit) in &program.services {
        service(unit).map_err(at(UnitId::Service(name.clone())))?;
    }
    for (name, unit) in &program.canaries {
        let id = UnitId::Canary(name.clone());
        canary_versions(program, name, unit).map_err(at(id.clone()))?;
        let weights: Vec<u32> = unit.stages.iter().map(|s| s.weight).collect();
        let grow = weights.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let inside = weights.iter().all(|w| (1..limits::WHOLE).contains(w));
        if !grow
            || !inside
            || weights.is_empty() != unit.candidate.is_none()
            || weights.len() > limits::STAGES
        {
            return Err(at(id)(complain(
                "/stages",
                "bad-stages",
                "stages grow strictly and stay below the whole".into(),
            )));
        }
    }
    for (name, unit) in &program.routes {
        routes(program, unit, Hop::Service).map_err(at(UnitId::Routes(name.clone())))?;
    }
    for (gateway, map) in &program.gateway_routes {
        for (name, unit) in map {
            let id = UnitId::GatewayRoutes(gateway.clone(), name.clone());
            if !program.gateways.contains_key(gateway) {
                return Err(at(id)(complain(
                    "",
                    "unknown-gateway",
                    format!("there is no gateway `{gateway}`"),
                )));
            }
            routes(program, unit, Hop::Gateway).map_err(at(id))?;
        }
    }
    for (owner, unit) in &program.access {
        let lists = [("allow", &unit.allow), ("deny", &unit.deny)];
        for (list, entries) in lists {
            for (i, entry) in entries.iter().enumerate() {
                let here = format!("/{list}/{i}");
                let id = UnitId::Access(owner.clone());
                if entry.from.is_empty() {
                    return Err(at(id)(complain(&here, "empty-from", "an entry names nobody".into())));
                }
                expression(entry.when.as_ref(), format_args!("{here}/when")).map_err(at(id))?;
            }
        }
    }
    for (owner, unit) in &program.quotas {
        for (i, limit) in unit.limits.iter().enumerate() {
            let sane = limit.rate.count >= 1 && limit.rate.per_ms >= 1 && limit.burst >= 1 && limit.cost >= 1;
            if !sane || limit.cost > limit.burst {
                let message = "rate, burst and cost are at least 1, and the burst covers the cost";
                let complaint = complain(format_args!("/limits/{i}"), "bad-limit", message.into());
                return Err(at(UnitId::Quotas(owner.clone()))(complaint));
            }
            key(&limit.per, format_args!("/limits/{i}/per")).map_err(at(UnitId::Quotas(owner.clone())))?;
        }
    }
    Ok(())
}

/// Checks that what the units of one proxy's part refer to is in the part. What [`check`] checks inside of units is the
/// same in every part.
///
/// # Errors
/// The first complaint, in the order of the units.
pub(super) fn complete(part: &Program) -> Result<(), Refusal> {
    let refuse = |id: &UnitId, (pointer, code, message): Complaint| {
        Refusal::new(Rung::WellFormed, code, message).at(id).pointing(pointer)
    };
    for (name, unit) in &part.canaries {
        canary_versions(part, name, unit).map_err(|c| refuse(&UnitId::Canary(name.clone()), c))?;
    }
    let own = part.routes.iter().map(|(name, unit)| (UnitId::Routes(name.clone()), unit, Hop::Service));
    let edge = part.gateway_routes.iter().flat_map(|(gateway, by_name)| {
        let id = |name: &Name| UnitId::GatewayRoutes(gateway.clone(), name.clone());
        by_name.iter().map(move |(name, unit)| (id(name), unit, Hop::Gateway))
    });
    for (id, unit, hop) in own.chain(edge) {
        for (i, rule) in unit.rules.iter().enumerate() {
            targets(part, rule, hop, format_args!("/rules/{i}")).map_err(|c| refuse(&id, c))?;
        }
    }
    Ok(())
}

/// Whose Route a rule stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hop {
    /// A service's: its destinations are final.
    Service,
    /// A gateway's: a service without a version is entered by its own Route.
    Gateway,
}

fn complain(pointer: impl Display, code: &'static str, message: String) -> Complaint {
    (pointer.to_string(), code, message)
}

fn service(unit: &Service) -> Result<(), Complaint> {
    if unit.versions.is_empty() {
        return Err(complain("/versions", "no-versions", "a service has at least one version".into()));
    }
    if !unit.versions.windows(2).all(|pair| matches!(pair, [a, b] if a < b)) {
        return Err(complain("/versions", "versions-order", "versions are sorted and different".into()));
    }
    match unit.addresses.keys().find(|v| !unit.versions.contains(v)) {
        Some(version) => {
            Err(complain("/addresses", "unknown-version", format!("this service has no version `{version}`")))
        }
        None => Ok(()),
    }
}

fn canary_versions(program: &Program, name: &Name, unit: &Canary) -> Result<(), Complaint> {
    let known = |version: &Name| program.services.get(name).is_some_and(|s| s.versions.contains(version));
    for (field, version) in [("/stable", Some(&unit.stable)), ("/candidate", unit.candidate.as_ref())] {
        if let Some(version) = version.filter(|version| !known(version)) {
            return Err(complain(field, "unknown-version", format!("`{name}` has no version `{version}`")));
        }
    }
    Ok(())
}

fn routes(program: &Program, unit: &Routes, hop: Hop) -> Result<(), Complaint> {
    if let Some(Sticky::Header(name)) = &unit.sticky {
        header_name(name, format_args!("/sticky"))?;
    }
    let mut names = BTreeSet::new();
    for (i, rule) in unit.rules.iter().enumerate() {
        // Pointers are written only where there is a complaint: most of ten thousand rules have none.
        if !names.insert(&rule.name) {
            let here = format_args!("/rules/{i}");
            return Err(complain(here, "duplicate-rule", format!("two rules are called `{}`", rule.name)));
        }
        self::rule(program, rule, hop, format_args!("/rules/{i}"))?;
    }
    Ok(())
}

fn one_match(matches: &Match, here: Arguments<'_>) -> Result<(), Complaint> {
    for (i, ValueMatch { name, .. }) in matches.headers.iter().enumerate() {
        header_name(name.as_str(), format_args!("{here}/headers/{i}"))?;
    }
    if matches.callers.iter().any(|from| matches!(from, From::External)) {
        return Err(complain(here, "bad-caller", "outbound rules see callers of the mesh only".into()));
    }
    expression(matches.when.as_deref(), format_args!("{here}/when"))
}

fn rule(program: &Program, rule: &Rule, hop: Hop, here: Arguments<'_>) -> Result<(), Complaint> {
    match &rule.matches {
        Matches::One(one) => one_match(one, format_args!("{here}/match"))?,
        Matches::Any(several) => {
            for (i, one) in several.iter().enumerate() {
                one_match(one, format_args!("{here}/match/{i}"))?;
            }
        }
    }
    edits(&rule.request_headers, format_args!("{here}/requestHeaders"))?;
    edits(&rule.response_headers, format_args!("{here}/responseHeaders"))?;
    match &rule.action {
        Action::Forward(shares) => {
            let sum: u64 = shares.iter().map(|t| u64::from(t.weight)).sum();
            if sum != u64::from(limits::WHOLE) {
                let message = format!("weights sum to {sum} of {}", limits::WHOLE);
                return Err(complain(format_args!("{here}/action/forward"), "bad-split", message));
            }
            targets(program, rule, hop, here)
        }
        Action::Redirect(redirect) => {
            let Redirect { status, scheme, .. } = &**redirect;
            let fine = matches!(status, 301 | 302 | 303 | 307 | 308)
                && scheme.as_deref().is_none_or(|s| matches!(s, "http" | "https"));
            let complaint = || {
                complain(format_args!("{here}/action/redirect"), "bad-redirect", "no such redirect".into())
            };
            fine.then_some(()).ok_or_else(complaint)
        }
        Action::Respond(respond) => {
            for (name, value) in &respond.headers {
                header(name, value, format_args!("{here}/action/respond"))?;
            }
            let fine = (200..600).contains(&respond.status);
            fine.then_some(()).ok_or_else(|| {
                complain(format_args!("{here}/action/respond"), "bad-status", "a status is 200 to 599".into())
            })
        }
    }
}

fn targets(program: &Program, rule: &Rule, hop: Hop, here: Arguments<'_>) -> Result<(), Complaint> {
    let Action::Forward(shares) = &rule.action else { return Ok(()) };
    let mut shares = shares.iter().enumerate();
    shares.try_for_each(|(i, share)| {
        destination(program, &share.to, hop, format_args!("{here}/action/forward/{i}"))
    })
}

fn destination(program: &Program, to: &Destination, hop: Hop, here: Arguments<'_>) -> Result<(), Complaint> {
    let Some(service) = program.services.get(&to.service) else {
        return Err(complain(here, "unknown-service", format!("there is no service `{}`", to.service)));
    };
    let canary = program.canaries.contains_key(&to.service);
    let candidate = program.canaries.get(&to.service).is_some_and(|c| c.candidate.is_some());
    match (&to.version, to.role) {
        (Some(version), None) if service.versions.contains(version) => Ok(()),
        (Some(version), None) => {
            let message = format!("`{}` has no version `{version}`", to.service);
            Err(complain(here, "unknown-version", message))
        }
        (None, Some(Role::Stable)) if canary => Ok(()),
        (None, Some(Role::Candidate)) if candidate => Ok(()),
        (None, Some(_)) => {
            Err(complain(here, "no-canary", format!("`{}` has no canary with that role", to.service)))
        }
        (None, None) if canary || service.versions.len() == 1 => Ok(()),
        // The service's own Route goes on from here.
        (None, None) if hop == Hop::Gateway && program.routes.contains_key(&to.service) => Ok(()),
        (None, None) => {
            let message = format!("`{}` has several versions and no canary", to.service);
            Err(complain(here, "ambiguous-version", message))
        }
        (Some(_), Some(_)) => Err(complain(here, "bad-destination", "a version and a role at once".into())),
    }
}

fn edits(edits: &HeaderEdits, here: Arguments<'_>) -> Result<(), Complaint> {
    for (name, value) in edits.set.iter().chain(&edits.add) {
        header(name, value, here)?;
    }
    edits.remove.iter().try_for_each(|name| header_name(name, here))
}

fn header(name: &str, value: &str, here: Arguments<'_>) -> Result<(), Complaint> {
    header_name(name, here)?;
    let clean = value.bytes().all(|b| b == b'\t' || (b >= 0x20 && b != 0x7f));
    clean
        .then_some(())
        .ok_or_else(|| complain(here, "bad-header", format!("the value of `{name}` has a control character")))
}

/// Checks that a header name is a lower-case token (RFC 9110 section 5.6.2).
fn header_name(name: &str, here: Arguments<'_>) -> Result<(), Complaint> {
    let token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b);
    let fine = !name.is_empty() && name.len() <= 256 && name.bytes().all(token);
    fine.then_some(())
        .ok_or_else(|| complain(here, "bad-header", "a header name is a lower-case token".into()))
}

fn key(per: &RateKey, here: Arguments<'_>) -> Result<(), Complaint> {
    let refused = |why: String| complain(here, "bad-expression", why);
    match per {
        RateKey::Caller | RateKey::Service => Ok(()),
        RateKey::Slot(slot) if slot.ty() == Type::Text => Ok(()),
        RateKey::Slot(_) => Err(refused("a key is text".into())),
        RateKey::Expression(key) => key.check(Type::Text).map(drop).map_err(|e| refused(e.to_string())),
    }
}

fn expression(when: Option<&Expression>, here: Arguments<'_>) -> Result<(), Complaint> {
    let Some(when) = when else { return Ok(()) };
    when.check(Type::Bool).map(drop).map_err(|e| complain(here, "bad-expression", e.to_string()))
}
