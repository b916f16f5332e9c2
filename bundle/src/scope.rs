//! Who needs which units: what a proxy fetches, and what makes it reload.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::{Name, Owner};
use crate::program::{Access, Action, From, Program, Routes};
use crate::unit::UnitId;

/// What each owner's proxy needs, for all owners at once.
#[must_use]
pub fn scopes(program: &Program) -> BTreeMap<Owner, Needs> {
    let callable = callable(program);
    let owners = program
        .services
        .keys()
        .map(|n| Owner::Service(n.clone()))
        .chain(program.gateways.keys().map(|n| Owner::Gateway(n.clone())));
    owners
        .map(|owner| {
            let calls = match &owner {
                Owner::Service(name) => callable.get(name).cloned().unwrap_or_default(),
                Owner::Gateway(name) => targets_of(program, name),
            };
            let units = units_of(program, &owner, &calls);
            (owner, Needs { units, calls })
        })
        .collect()
}

/// What one owner's proxy needs: the mesh, its own units, the services that its own access names by label, and for
/// every service whose access may allow it, that one's service, routes, canary and resilience.
#[must_use]
pub fn scope_of(program: &Program, owner: &Owner) -> Needs {
    let calls = match owner {
        Owner::Service(name) => {
            let allowed = program.services.keys().filter(|callee| may_call(program, name, callee));
            allowed.cloned().collect()
        }
        Owner::Gateway(name) => targets_of(program, name),
    };
    Needs { units: units_of(program, owner, &calls), calls }
}

/// What a proxy needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Units, sorted.
    pub units: Vec<UnitId>,
    /// Services that it may call; all others are not visible to it, although it may know their labels.
    pub calls: BTreeSet<Name>,
}

fn targets_of(program: &Program, gateway: &Name) -> BTreeSet<Name> {
    let routes = program.gateway_routes.get(gateway).into_iter().flat_map(|map| map.values());
    routes.flat_map(destinations).collect()
}

fn units_of(program: &Program, owner: &Owner, reach: &BTreeSet<Name>) -> Vec<UnitId> {
    let mut units = BTreeSet::from([UnitId::Mesh]);
    let mut add = |id: UnitId, present: bool| {
        if present {
            units.insert(id);
        }
    };
    add(UnitId::Access(owner.clone()), program.access.contains_key(owner));
    add(UnitId::Quotas(owner.clone()), program.quotas.contains_key(owner));
    let mut targets: BTreeSet<Name> = reach.clone();
    match owner {
        Owner::Service(name) => {
            // Its own Route and Canary too: whoever has a unit accounts for it.
            targets.insert(name.clone());
            add(UnitId::Service(name.clone()), program.services.contains_key(name));
            add(UnitId::Resilience(name.clone()), program.resilience.contains_key(name));
            for selected in selected_callers(program, owner) {
                add(UnitId::Service(selected), true);
            }
        }
        Owner::Gateway(name) => {
            add(UnitId::Gateway(name.clone()), program.gateways.contains_key(name));
            for route in program.gateway_routes.get(name).into_iter().flat_map(|map| map.keys()) {
                add(UnitId::GatewayRoutes(name.clone(), route.clone()), true);
            }
            for selected in selected_callers(program, owner) {
                add(UnitId::Service(selected), true);
            }
        }
    }
    let first: Vec<Name> = targets.iter().cloned().collect();
    for service in first {
        if let Some(routes) = program.routes.get(&service) {
            targets.extend(destinations(routes));
        }
    }
    for service in targets {
        add(UnitId::Routes(service.clone()), program.routes.contains_key(&service));
        add(UnitId::Canary(service.clone()), program.canaries.contains_key(&service));
        add(UnitId::Resilience(service.clone()), program.resilience.contains_key(&service));
        let exists = program.services.contains_key(&service);
        add(UnitId::Service(service), exists);
    }
    units.into_iter().collect()
}

/// Services that `routes` sends requests to.
fn destinations(routes: &Routes) -> impl Iterator<Item = Name> {
    routes.rules.iter().flat_map(|rule| match &rule.action {
        Action::Forward(targets) => targets.iter().map(|t| t.to.service.clone()).collect(),
        Action::Redirect(_) | Action::Respond(_) => Vec::new(),
    })
}

/// For each service, the services that may let it in.
fn callable(program: &Program) -> BTreeMap<Name, BTreeSet<Name>> {
    let mut map: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for (callee, access) in &program.access {
        let Owner::Service(callee) = callee else { continue };
        let mut let_in = |caller: &Name| {
            map.entry(caller.clone()).or_default().insert(callee.clone());
        };
        for from in access_froms(access) {
            match from {
                From::Service(caller) => let_in(caller),
                From::Gateway(_) | From::External => {}
                From::Labels(_) | From::Principal(_) | From::Any => {
                    program.services.keys().filter(|s| selects(program, from, s)).for_each(&mut let_in);
                }
            }
        }
    }
    map
}

fn may_call(program: &Program, caller: &Name, callee: &Name) -> bool {
    let access = program.access.get(&Owner::Service(callee.clone()));
    access.is_some_and(|access| access_froms(access).any(|from| selects(program, from, caller)))
}

/// In audit mode nothing is refused, so everybody may call.
fn access_froms(access: &Access) -> impl Iterator<Item = &From> {
    let audit = access.mode == crate::program::AccessMode::Audit;
    let everybody = audit.then_some(&From::Any);
    access.allow.iter().flat_map(|entry| &entry.from).chain(everybody)
}

/// True if `from` may mean the service `name`.
fn selects(program: &Program, from: &From, name: &Name) -> bool {
    match from {
        From::Service(service) => service == name,
        From::Gateway(_) | From::External => false,
        From::Any => true,
        From::Principal(id) => *id == program.mesh.spiffe_id(&Owner::Service(name.clone())),
        From::Labels(labels) => program
            .services
            .get(name)
            .is_some_and(|s| labels.iter().all(|(key, value)| s.labels.get(key) == Some(value))),
    }
}

/// Services whose labels decide about calls to `owner`: those that its entries select by label,
/// and all possible callers where an expression reads `source.labels`.
fn selected_callers(program: &Program, owner: &Owner) -> BTreeSet<Name> {
    let Some(access) = program.access.get(owner) else {
        return BTreeSet::new();
    };
    let reads_labels =
        |entry: &crate::program::Entry| entry.when.as_ref().is_some_and(|when| labels::read(&when.tree));
    let mut names = BTreeSet::new();
    for entry in access.allow.iter().chain(&access.deny) {
        for from in &entry.from {
            if matches!(from, From::Labels(_)) || reads_labels(entry) {
                names.extend(program.services.keys().filter(|s| selects(program, from, s)).cloned());
            }
        }
    }
    names
}

/// Whether an expression reads the caller's labels.
mod labels {
    use crate::expr::{Expr, Operand, Slot};

    pub(super) fn read(expr: &Expr) -> bool {
        let slot = |s: &Slot| matches!(s, Slot::SourceLabel(_));
        let operand = |o: &Operand| matches!(o, Operand::Slot(s) | Operand::Size(s) if slot(s));
        match expr {
            Expr::Bool(_) => false,
            Expr::Not(inner) => read(inner),
            Expr::All(list) | Expr::Any(list) => list.iter().any(read),
            Expr::If(branch) => read(&branch.condition) || read(&branch.then) || read(&branch.otherwise),
            Expr::Has(s) | Expr::Truth(s) => slot(s),
            Expr::Compare(c) => operand(&c.left) || operand(&c.right),
            Expr::In(m) => operand(&m.item),
            Expr::Member(m) => operand(&m.item) || slot(&m.of),
            Expr::Text(t) => operand(&t.on) || operand(&t.arg),
        }
    }
}
