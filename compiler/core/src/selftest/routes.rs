//! Self-tests of Routes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_bundle::expr::Slot;
use mesh_bundle::program::{Action, Canary, Gateway, Match, Routes, Rule, Sticky, Target};
use mesh_bundle::selftest::{Caller, Example, Expect, Forward};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Owner, Program, State, limits};
use mesh_decision::Engine;
use mesh_decision::Scratch;
use mesh_decision::selftest::answer;

use super::callers::{Callers, STRANGER};
use super::neighbours::{Taken, from_others};
use super::selection::{keep, spread};
use super::sketch::Sketch;

/// Routes of services. All have one engine, in which every service is a destination: what a Route answers depends on
/// no other destination of the proxy that asks it.
pub(super) fn of_services<'p>(
    program: &'p Program,
    callers: &mut Callers<'p>,
    tests: &mut BTreeMap<UnitId, Vec<u8>>,
) {
    let Some(any) = program.services.keys().next() else { return };
    let whole = Arc::new(Program { calls: None, ..program.clone() });
    let Ok(engine) = Engine::new(whole, &State::default(), &Owner::Service(any.clone())) else { return };
    let mut scratch = Scratch::default();
    for (service, routes) in &program.routes {
        // Where nobody may call, no proxy could judge.
        let Some(caller) = callers.of(service) else { continue };
        let source = if depends_on_caller(routes) { caller } else { Caller::Own };
        let unit = UnitId::Routes(service.clone());
        let base = Sketch::new("", "http", source);
        let lists = examples(routes, &base, callers);
        let own = Some((service, program.canaries.get(service)));
        let id = unit.clone();
        keep(tests, unit, lists, |example| {
            answer(&engine, &id, example, &mut scratch).map(|got| lasting(got, &routes.rules, own))
        });
    }
}

/// Routes of gateways: one engine a gateway, whose tables hold all of them.
pub(super) fn of_gateways<'p>(
    program: &'p Program,
    callers: &mut Callers<'p>,
    tests: &mut BTreeMap<UnitId, Vec<u8>>,
) {
    if program.gateway_routes.is_empty() {
        return;
    }
    // Destinations' own Routes are not asked, so none is built.
    let whole = Arc::new(Program { calls: Some(BTreeSet::new()), ..program.clone() });
    let mut scratch = Scratch::default();
    for (name, all) in &program.gateway_routes {
        let owner = Owner::Gateway(name.clone());
        let Ok(engine) = Engine::new(Arc::clone(&whole), &State::default(), &owner) else { continue };
        let Some(gateway) = program.gateways.get(name) else { continue };
        for (route, routes) in all {
            let id = UnitId::GatewayRoutes(name.clone(), route.clone());
            let lists = at_gateway(gateway, routes, callers);
            keep(tests, id.clone(), lists, |example| {
                answer(&engine, &id, example, &mut scratch).map(|got| lasting(got, &routes.rules, None))
            });
        }
    }
}

fn at_gateway<'p>(gateway: &Gateway, routes: &'p Routes, callers: &mut Callers<'p>) -> Vec<Vec<Example>> {
    let scheme = if gateway.certificate.is_some() { "https" } else { "http" };
    let hosts = if routes.hosts.is_empty() { &gateway.hosts } else { &routes.hosts };
    let mut hosts = hosts.iter().map(|host| host.replacen('*', "a", 1));
    let Some(first) = hosts.next() else { return Vec::new() };
    let base = Sketch::new(&first, scheme, Caller::External);
    let mut lists = examples(routes, &base, callers);
    let taken = lists.iter().find_map(|list| list.first()).cloned();
    if let Some(taken) = taken {
        // Every further host, and one that is none.
        let others = hosts.chain([format!("not-{first}")]);
        lists.push(others.map(|host| Example { host, ..taken.clone() }).collect());
    }
    lists
}

/// Matches of one rule that get examples each.
const MATCHES: usize = 8;

/// Examples of the rules of a Route, a list a match.
fn examples<'p>(routes: &'p Routes, base: &Sketch<'p>, callers: &mut Callers<'p>) -> Vec<Vec<Example>> {
    let matches = spread(&routes.rules)
        .flat_map(|rule| rule.matches.iter().take(MATCHES).map(move |matches| (rule, matches)));
    matches.map(|(rule, matches)| of_match(rule, matches, base, callers)).collect()
}

/// Examples of one match of a rule, the one that it takes first.
fn of_match<'p>(
    rule: &Rule,
    matches: &'p Match,
    base: &Sketch<'p>,
    callers: &mut Callers<'p>,
) -> Vec<Example> {
    let mut base = base.clone();
    let froms: Vec<Caller> = matches.callers.iter().filter_map(|from| callers.one(from)).collect();
    if let Some(first) = froms.first() {
        base.example.source = first.clone();
    }
    let taken = Taken::of_rule(matches);
    let Some(sketch) = taken.example(&base, callers) else { return Vec::new() };
    let Some(example) = sketch.finish() else { return Vec::new() };
    let mut examples = vec![example.clone()];
    if let Action::Forward(targets) = &rule.action {
        examples.extend(ends(targets).into_iter().map(|pick| Example { pick, ..example.clone() }));
    }
    if !froms.is_empty() {
        examples.extend(from_others(&example, froms.into_iter().skip(1).take(3)));
        examples.extend(from_others(&example, [Caller::Principal(STRANGER.to_owned())]));
    }
    examples.extend(taken.neighbours(&sketch, callers));
    examples
}

/// The first and last pick of each share.
fn ends(targets: &[Target]) -> Vec<u32> {
    let mut picks = Vec::new();
    let mut upper = 0_u32;
    for target in targets.iter().filter(|_| targets.len() > 1) {
        picks.push(upper);
        upper = upper.saturating_add(target.weight);
        picks.push(upper.saturating_sub(1));
    }
    picks.retain(|pick| *pick < limits::WHOLE);
    picks
}

/// Takes out of an answer what the rollout's state or the units of another service decide: a version stays only where
/// every share of the rule that leads to its service fixes it. `own` is the service whose Route it is, with its Canary.
fn lasting(answer: Expect, rules: &[Rule], own: Option<(&Name, Option<&Canary>)>) -> Expect {
    let Expect::Forward(forward) = answer else { return answer };
    let name = forward.rule.rsplit('/').next().unwrap_or_default();
    let rule = rules.iter().find(|rule| rule.name.as_str() == name);
    let fixed = |target: &Target| {
        let own = own.filter(|(service, _)| **service == target.to.service);
        let settled = own.is_some_and(|(_, canary)| canary.is_none_or(|canary| canary.candidate.is_none()));
        target.to.version.is_some() || settled || (own.is_some() && target.to.role.is_some())
    };
    let lasts = match rule.map(|rule| &rule.action) {
        Some(Action::Forward(targets)) => {
            targets.iter().filter(|target| target.to.service == forward.service).all(fixed)
        }
        _ => false,
    };
    let version = forward.version.filter(|_| lasts);
    Expect::Forward(Forward { version, ..forward })
}

/// True if who asks can change an answer of this Route.
fn depends_on_caller(routes: &Routes) -> bool {
    let caller = |slot: &Slot| {
        matches!(slot, Slot::Principal | Slot::TrustDomain | Slot::Service | Slot::SourceLabel(_))
    };
    matches!(routes.sticky, Some(Sticky::Source))
        || routes.rules.iter().any(|rule| {
            rule.matches.iter().any(|one| {
                !one.callers.is_empty() || one.when.as_ref().is_some_and(|when| when.code.reads(caller))
            })
        })
}
