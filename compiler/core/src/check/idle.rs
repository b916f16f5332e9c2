//! Parts that have no effect: what nobody can reach, what says nothing, what stands beside something that does not use it.

use std::collections::BTreeSet;

use super::sites::Sites;
use crate::diag::{Diagnostic, Severity, Span, codes};
use crate::model::Model;
use crate::source::{Node, Value};
use crate::spec::{Destination, Kind, Loaded, Resilience, Rule, To};

/// Looks at one environment.
pub(super) fn check(model: &Model<'_>, sites: &Sites<'_>, findings: &mut Vec<Diagnostic>) {
    gateways(model, findings);
    for (object, route) in model.routes() {
        if object.complete && route.rules.iter().all(|rule| !rule.enabled().value) {
            let message =
                format!("every rule of `{}` is off, so every request is answered with 404", object.address);
            let finding = Diagnostic::new(codes::ALL_OFF, object.name_span, message);
            findings.push(
                finding.help("switch one on, or take the Route out: a service without one sends to itself"),
            );
        }
    }
    for rule in &sites.rules {
        unused(rule.written, findings);
        twice(rule.written, findings);
    }
    for (object, resilience) in model.resiliences() {
        if object.complete && is_empty(resilience) {
            let message = format!("the Resilience of `{}` says nothing", resilience.service.as_str());
            let finding = Diagnostic::new(codes::NO_EFFECT, object.name_span, message);
            findings.push(finding.help("write `outlierDetection` or `limits`, or take it out"));
        }
    }
    if let Some(settings) = model.settings {
        for (_, over) in settings.overrides.iter() {
            named_twice(over, findings);
        }
    }
}

/// Looks at what is written, before overrides: an override that empties a list does something.
pub(super) fn written(loaded: &Loaded, findings: &mut Vec<Diagnostic>) {
    for (id, object) in loaded.objects.iter().filter(|(_, object)| object.address.kind == Kind::AccessPolicy)
    {
        let deny = loaded.document(*id).and_then(|document| document.root.get("deny"));
        if let Some(deny) = deny.filter(|deny| deny.as_seq().is_some_and(<[Node]>::is_empty)) {
            let message = format!("`deny: []` of `{}` denies nothing", object.address);
            findings.push(Diagnostic::new(codes::NO_EFFECT, deny.span, message).help("take it out"));
        }
    }
}

fn gateways(model: &Model<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(mesh) = model.mesh_spec() else { return };
    if model.has_broken(Kind::Route) || !model.of_kind(Kind::Route).all(|object| object.complete) {
        return;
    }
    let routed: BTreeSet<&str> =
        model.routes().filter_map(|(_, route)| Some(route.gateway.as_ref()?.as_str())).collect();
    for (name, _) in mesh.gateways.iter().filter(|(name, _)| !routed.contains(name.as_str())) {
        let message =
            format!("gateway `{}` has no Route, so every request is answered with 404", name.as_str());
        let finding = Diagnostic::new(codes::GATEWAY_WITHOUT_ROUTE, name.span, message);
        findings.push(
            finding.help(format!("write a Route with `gateway: {}`, or take the gateway out", name.as_str())),
        );
    }
}

/// Time-outs and retries of a rule that sends nothing on.
fn unused(rule: &Rule, findings: &mut Vec<Diagnostic>) {
    let beside = match (&rule.redirect, &rule.respond) {
        (Some(_), _) => "redirect",
        (None, Some(_)) => "respond",
        (None, None) => return,
    };
    let retry = rule.retry.as_ref().map(|retry| match retry {
        crate::spec::Retry::Off(off) => off.span,
        crate::spec::Retry::On(form) => form.attempts.span,
    });
    for (field, span) in [("timeout", rule.timeout.as_ref().map(|time| time.span)), ("retry", retry)] {
        if let Some(span) = span {
            let message = format!("`{field}` has no effect beside `{beside}`: nothing is sent on");
            findings.push(Diagnostic::new(codes::NO_EFFECT, span, message).help("take it out"));
        }
    }
}

/// One target twice in a split.
fn twice(rule: &Rule, findings: &mut Vec<Diagnostic>) {
    let Some(To::Split(shares)) = &rule.to else { return };
    let mut seen: Vec<(&Destination, Span)> = Vec::new();
    for share in shares.value.iter() {
        match seen.iter().find(|(known, _)| *known == &share.to.value) {
            Some((_, first)) => {
                let message = format!("`{}` stands twice in one split", share.to.value);
                let finding = Diagnostic::new(codes::TARGET_TWICE, share.to.span, message).at("here again");
                findings.push(
                    finding
                        .label(*first, "first here")
                        .help("make one share of both, or name the other target"),
                );
            }
            None => seen.push((&share.to.value, share.to.span)),
        }
    }
}

fn is_empty(spec: &Resilience) -> bool {
    let Resilience {
        name: _,
        owner: _,
        description: _,
        service: _,
        load_balancer,
        health_check,
        outlier_detection,
        circuit_breaker,
        limits,
        locality,
        complete,
    } = spec;
    // A field that could not be read was written.
    *complete
        && load_balancer.is_none()
        && health_check.is_none()
        && outlier_detection.is_none()
        && circuit_breaker.is_none()
        && limits.is_none()
        && locality.is_none()
}

/// Lists of an override in which two things have one name: they are merged into one another, in order.
fn named_twice(over: &Node, findings: &mut Vec<Diagnostic>) {
    match &over.value {
        Value::Map(entries) => entries.iter().for_each(|(_, value)| named_twice(value, findings)),
        Value::Seq(items) => {
            let mut seen: Vec<(&str, Span)> = Vec::new();
            for item in items {
                named_twice(item, findings);
                let Some((name, span)) = item.get("name").and_then(|name| Some((name.as_str()?, name.span)))
                else {
                    continue;
                };
                match seen.iter().find(|(known, _)| *known == name) {
                    Some((_, first)) => {
                        let message = format!("`{name}` stands twice in one list of an override");
                        let finding = Diagnostic::new(codes::OVERRIDE_TWICE, span, message).at("here again");
                        findings.push(
                            finding
                                .severity(Severity::Error)
                                .label(*first, "first here")
                                .help("write each once: the second would be merged into the first"),
                        );
                    }
                    None => seen.push((name, span)),
                }
            }
        }
        _ => {}
    }
}
