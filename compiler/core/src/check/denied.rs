//! Targets in Routes of services that let in nobody of those whose requests they get.

use std::collections::BTreeSet;

use mesh_bundle::limits::WHOLE;
use mesh_bundle::program::{Access, AccessMode, From, Program};
use mesh_bundle::{Name as Key, Owner};
use mesh_decision::{Source, caller, reach};

use crate::diag::{Diagnostic, Severity, Span, codes};
use crate::model::Model;
use crate::numbers::percent;
use crate::spec::{self, Destination, Rule, Sp, To};

/// Most callers that a finding names.
const NAMED: usize = 3;

/// Looks at the targets of services' Routes. A gateway's rules are judged where the gateway is: it is their only sender.
pub(super) fn check(model: &Model<'_>, program: &Program, findings: &mut Vec<Diagnostic>) {
    // Where something could not be read, nobody knows whom it would let in.
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return;
    }
    for (_, route) in model.routes() {
        let Some(service) = route.service.as_ref().and_then(|name| Key::new(name.as_str()).ok()) else {
            continue;
        };
        let mut callers = None;
        for rule in route.rules.iter().filter(|rule| rule.enabled().value) {
            for (to, weight) in targets(rule) {
                let Ok(target) = Key::new(to.value.service.as_str()) else { continue };
                let access = program.access.get(&Owner::Service(target.clone()));
                let Some(access) = access.filter(|_| target != service && weight > 0) else { continue };
                let callers = callers.get_or_insert_with(|| callers_of(program, &service));
                let senders: Vec<&Owner> =
                    callers.iter().filter(|caller| takes(program, &service, rule, caller)).collect();
                if !senders.is_empty() && !senders.iter().any(|sender| may_call(program, access, sender)) {
                    findings.push(finding(model, rule, &service, to, weight, &senders));
                }
            }
        }
    }
}

/// The targets of a rule with their shares in basis points.
fn targets(rule: &Rule) -> Vec<(&Sp<Destination>, u32)> {
    match &rule.to {
        None => Vec::new(),
        Some(To::One(to)) => vec![(to, WHOLE)],
        Some(To::Split(shares)) => {
            shares.value.iter().map(|share| (&share.to, u32::from(share.weight.basis_points()))).collect()
        }
    }
}

/// The services and gateways that may call a service.
fn callers_of(program: &Program, service: &Key) -> Vec<Owner> {
    let Some(access) = program.access.get(&Owner::Service(service.clone())) else { return Vec::new() };
    let mut callers: BTreeSet<Owner> = BTreeSet::new();
    let mut all = access.mode == AccessMode::Audit;
    for from in access.allow.iter().flat_map(|entry| &entry.from) {
        match from {
            From::Service(name) => {
                callers.insert(Owner::Service(name.clone()));
            }
            From::Gateway(name) => {
                callers.insert(Owner::Gateway(name.clone()));
            }
            From::Labels(_) | From::Principal(_) | From::Any => all = true,
            From::External => {}
        }
    }
    if all {
        callers.extend(program.services.keys().cloned().map(Owner::Service));
        callers.extend(program.gateways.keys().cloned().map(Owner::Gateway));
    }
    callers.into_iter().filter(|caller| may_call(program, access, caller)).collect()
}

/// True if a rule of a service's Route is for this caller.
fn takes(program: &Program, service: &Key, rule: &Rule, sender: &Owner) -> bool {
    let lowered = program.routes.get(service).map(|routes| &routes.rules);
    let lowered =
        lowered.and_then(|rules| rules.iter().find(|known| known.name.as_str() == rule.name.as_str()));
    let principal = program.mesh.spiffe_id(sender);
    let source = Source { principal: &principal, owner: Some(sender), ip: "" };
    let selects = |from: &From| caller::selects(from, &source, &program.services);
    lowered.is_some_and(|rule| {
        rule.matches.iter().any(|one| one.callers.is_empty() || one.callers.iter().any(selects))
    })
}

fn may_call(program: &Program, access: &Access, sender: &Owner) -> bool {
    let principal = program.mesh.spiffe_id(sender);
    let source = Source { principal: &principal, owner: Some(sender), ip: "" };
    reach::may_pass(access, &source, &program.services)
}

fn finding(
    model: &Model<'_>,
    rule: &Rule,
    service: &Key,
    to: &Sp<Destination>,
    weight: u32,
    senders: &[&Owner],
) -> Diagnostic {
    let target = to.value.service.as_str();
    let share = if weight == WHOLE {
        "all requests".to_owned()
    } else {
        format!("{} of the requests", percent(weight))
    };
    let message = format!("{share} of rule `{}` are denied by `{target}`", rule.name.as_str());
    let mut names: Vec<String> = senders.iter().take(NAMED).map(|sender| format!("`{sender}`")).collect();
    if senders.len() > NAMED {
        names.push(format!("{} more", senders.len() - NAMED));
    }
    let names = names.join(", ");
    let mut finding = Diagnostic::new(codes::DENIED_SHARE, to.span, message)
        .at(format!("lets in nobody who calls `{service}`: {names}"));
    if let Some(place) = policy(model, target) {
        finding = finding.label(place, "who may call it");
    }
    finding
        .note(format!("the Route of `{service}` sends for its callers, and they are whom `{target}` sees"))
        .help(format!("let them in at `{target}`, or send their requests elsewhere"))
}

/// Where it is written who may call a service.
fn policy(model: &Model<'_>, service: &str) -> Option<Span> {
    let callers = model.service(service).and_then(|service| service.callers.as_ref());
    let of = |policy: &spec::AccessPolicy| policy.service.as_ref().is_some_and(|s| s.as_str() == service);
    let policy = model.policies_of_access().find(|(_, policy)| of(policy));
    callers.map(|callers| callers.span).or(policy.map(|(object, _)| object.name_span))
}
