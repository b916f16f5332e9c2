//! Routes of services and gateways.

use std::collections::BTreeMap;

use mesh_bundle::program::{Action, Program, Redirect, RewritePath, Routes, Rule, SlashMode};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name as Key, Owner, PathPattern};
use mesh_decision::host;

use super::context::{Cx, key, only_one, owner, unique};
use super::edits::{self, Side};
use super::rule_match::{self, Ground};
use super::slashes::{self, Kept};
use super::{hidden_host, matching, retry, rewrite, split};
use crate::diag::{Diagnostic, Span, codes};
use crate::spec::{self, Kind, Object};

/// Lowers all Routes.
pub(super) fn routes(cx: &mut Cx<'_, '_>, program: &mut Program) {
    let model = cx.model;
    let kept = Kept::of(model, program);
    let mut seen = BTreeMap::new();
    for (object, spec) in model.routes() {
        if let (None, Some(gateway)) = (&spec.service, &spec.gateway) {
            if let Some(Owner::Gateway(gateway)) = owner(cx, None, Some(gateway))
                && let Some(name) = key(&object.address.name)
            {
                let unit = UnitId::GatewayRoutes(gateway.clone(), name.clone());
                let routes = one(cx, program, object, spec, &unit, kept.at(spec), true);
                program.gateway_routes.entry(gateway).or_default().insert(name, routes);
            }
            continue;
        }
        let Some(Owner::Service(name)) = owner(cx, spec.service.as_ref(), None) else { continue };
        if !only_one(cx, &mut seen, &name, "a Route", object.name_span) {
            continue;
        }
        let slashes = slashes::of_service(program, &name);
        let unit = UnitId::Routes(name.clone());
        let routes = one(cx, program, object, spec, &unit, slashes, false);
        program.routes.insert(name, routes);
    }
    for (object, spec) in model.services() {
        implicit(cx, program, object, spec);
    }
    claims(cx, program);
}

fn one(
    cx: &mut Cx<'_, '_>,
    program: &Program,
    object: &Object,
    spec: &spec::Route,
    unit: &UnitId,
    slashes: SlashMode,
    edge: bool,
) -> Routes {
    cx.place(unit, "", object.span);
    unique(cx, spec.rules.iter().map(|r| &r.name), "rules");
    let fences: Vec<PathPattern> = spec
        .paths
        .iter()
        .flat_map(|paths| paths.iter())
        .filter_map(|p| matching::pattern(cx, p.as_str(), p.span, slashes))
        .collect();
    let mut rules = Vec::new();
    for rule in spec.rules.iter() {
        cx.place(unit, format!("/rules/{}", rules.len()), rule.name.span);
        let lowered = self::rule(cx, program, rule, slashes, edge, &fences);
        if rule.enabled().value {
            rules.extend(lowered);
        }
    }
    Routes {
        hosts: spec.hosts.iter().flat_map(|h| h.iter()).map(|h| h.as_str().to_owned()).collect(),
        order: spec.order().get(),
        paths: fences,
        sticky: spec.sticky.as_ref().and_then(matching::sticky),
        rules: rules.into(),
    }
}

fn rule(
    cx: &mut Cx<'_, '_>,
    program: &Program,
    spec: &spec::Rule,
    slashes: SlashMode,
    edge: bool,
    fences: &[PathPattern],
) -> Option<Rule> {
    unsupported(cx, spec);
    let matches = rule_match::lower(cx, spec, Ground { slashes, edge, fences });
    let rewrite = rewrite::rewrite(cx, spec, &matches, slashes::of_destinations(program, spec));
    let action = action(cx, program, spec, edge)?;
    let headers = spec.headers.as_ref();
    let request_headers =
        headers.and_then(|h| h.request.as_ref()).map(|spec| edits::edits(cx, spec, Side::Request));
    let response_headers =
        headers.and_then(|h| h.response.as_ref()).map(|spec| edits::edits(cx, spec, Side::Response));
    Some(Rule {
        name: key(&spec.name)?,
        matches,
        action,
        rewrite: rewrite.into(),
        request_headers: request_headers.unwrap_or_default().into(),
        response_headers: response_headers.unwrap_or_default().into(),
        timeout_ms: spec.timeout.as_ref().map(|t| t.as_millis_ceil()),
        retry: spec.retry.as_ref().map(|r| retry::retry(cx, r).into()),
    })
}

fn unsupported(cx: &mut Cx<'_, '_>, spec: &spec::Rule) {
    if let Some(mirror) = &spec.mirror {
        cx.not_enforced("`mirror`", mirror.to.span, "");
    }
    if let Some(fault) = &spec.fault {
        let delay = fault.delay.as_ref().map(|d| d.percent.span);
        let span = delay.or(fault.abort.as_ref().map(|a| a.percent.span)).unwrap_or(spec.name.span);
        cx.not_enforced("`fault`", span, "");
    }
    if let Some(hedge) = &spec.hedge {
        cx.not_enforced("`hedge`", hedge.after.span, "use `retry`");
    }
    match &spec.compress {
        Some(spec::Compress::On(on)) if on.value => {
            cx.not_enforced("`compress`", on.span, "let services compress");
        }
        Some(spec::Compress::Form(_)) => {
            cx.not_enforced("`compress`", spec.name.span, "let services compress");
        }
        _ => {}
    }
    if let Some(time) = &spec.per_try_timeout {
        cx.not_enforced("`perTryTimeout`", time.span, "`timeout` bounds all tries together");
    }
    if let Some(time) = &spec.idle_timeout {
        cx.not_enforced("`idleTimeout`", time.span, "`timeout` bounds the whole exchange; `0s` is off");
    }
}

fn action(cx: &mut Cx<'_, '_>, program: &Program, spec: &spec::Rule, edge: bool) -> Option<Action> {
    if let Some(redirect) = &spec.redirect {
        let path = match (&redirect.prefix, &redirect.path) {
            (Some(prefix), _) => Some(rewrite::prefix(cx, spec, prefix)),
            (None, Some(full)) => Some(RewritePath::Full(full.as_str().to_owned())),
            (None, None) => None,
        };
        return Some(Action::Redirect(Box::new(Redirect {
            status: redirect.status().get(),
            scheme: redirect.scheme.as_ref().map(|s| s.value.as_str().to_owned()),
            host: redirect.host.as_ref().map(|h| h.as_str().to_owned()),
            port: redirect.port.as_ref().map(|p| p.get()),
            path,
        })));
    }
    if let Some(respond) = &spec.respond {
        return Some(Action::Respond(Box::new(edits::respond(cx, respond))));
    }
    Some(Action::Forward(split::targets(cx, program, spec.to.as_ref()?, edge, spec.complete)?))
}

/// A service with several versions needs somebody who says which one answers.
fn implicit(cx: &mut Cx<'_, '_>, program: &Program, object: &Object, spec: &spec::Service) {
    let Some(name) = key(&spec.name) else { return };
    let several = program.services.get(&name).is_some_and(|s| s.versions.len() > 1);
    let decided = cx.model.canary(name.as_str()).is_some() || program.routes.contains_key(&name);
    let hidden = [Kind::Route, Kind::Canary].into_iter().any(|kind| {
        cx.model.has_broken(kind)
            || cx.model.is_broken(&spec::Address { kind, name: object.address.name.clone() })
    });
    if several && !decided && !hidden && object.complete {
        let message =
            format!("`{name}` has several versions, and neither a Canary nor a Route chooses among them");
        let finding = Diagnostic::new(codes::AMBIGUOUS_DESTINATION, spec.name.span, message);
        cx.report(finding.help(format!(
            "add a Canary, or a Route with `service: {name}` that sends to `{name}@version`: Routes of gateways decide for their own requests alone"
        )));
    }
}

/// A Route's claim on a host: its place, and its order with its words.
type Claim = (Span, Option<(i32, Span)>);

/// Hosts of gateway Routes: known to the gateway, and claimed in an order.
fn claims(cx: &mut Cx<'_, '_>, program: &Program) {
    let model = cx.model;
    let mut by_host: BTreeMap<(Key, String), Vec<Claim>> = BTreeMap::new();
    for (object, spec) in model.routes() {
        let Some(gateway) = spec.gateway.as_ref().and_then(|g| key(g)) else { continue };
        let Some(unit) = program.gateways.get(&gateway) else { continue };
        let order = spec.order.as_ref().map(|o| (o.get(), o.span));
        let mut claim = |host: &str, span: Span| {
            by_host.entry((gateway.clone(), host.to_owned())).or_default().push((span, order));
        };
        match &spec.hosts {
            None => unit.hosts.iter().for_each(|host| claim(host, object.name_span)),
            Some(hosts) => {
                for host in hosts.iter() {
                    let text = host.as_str();
                    let hidden = !cx.model.mesh.complete;
                    let known = hidden
                        || unit
                            .hosts
                            .iter()
                            .any(|own| own == text || host::covers(own, text.trim_start_matches('*')));
                    if known {
                        let listed = model.mesh_spec().and_then(|mesh| mesh.gateways.get(gateway.as_str()));
                        if let Some((listed, name)) = listed.zip(spec.gateway.as_ref()) {
                            hidden_host::check(cx, name, listed, host);
                        }
                        claim(text, host.span);
                    } else {
                        let message = format!("gateway `{gateway}` does not answer for `{text}`");
                        let finding = Diagnostic::new(codes::UNKNOWN_HOST, host.span, message)
                            .at("not one of its hosts");
                        cx.report(finding.help(format!("its hosts are {}", unit.hosts.join(", "))));
                    }
                }
            }
        }
    }
    for ((_, host), claims) in by_host {
        let mut orders: BTreeMap<i32, Span> = BTreeMap::new();
        for (span, order) in claims.iter().filter(|_| claims.len() > 1) {
            match order {
                None => {
                    let message = format!("several Routes claim `{host}`, and this one has no `order`");
                    let others = claims.iter().find(|(other, _)| other != span).map(|(other, _)| *other);
                    let finding = Diagnostic::new(codes::HOST_CLAIMS, *span, message);
                    let finding = others.into_iter().fold(finding, |f, s| f.label(s, "claimed here too"));
                    cx.report(finding.help("give each an `order`: they are asked in rising order"));
                }
                Some((order, place)) => {
                    if let Some(first) = orders.insert(*order, *place) {
                        let message = format!("two Routes of `{host}` have order {order}");
                        cx.report(
                            Diagnostic::new(codes::HOST_CLAIMS, *place, message).label(first, "here too"),
                        );
                    }
                }
            }
        }
    }
}
