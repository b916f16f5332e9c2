//! Scopes: the units that each owner's proxy needs, hence those that it fetches and that make it reload.
//!
//! Written as links between owners and not as lists of units, so that the index of a mesh whose
//! access goes by labels stays as small as the mesh.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::canonical::{self, is_default};
use crate::expr::Slot;
use crate::name::{Name, Owner};
use crate::program::Program;
use crate::unit::{Access, AccessMode, Action, Entry, From, Quotas, Routes, UnitId};

/// The needs of one proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The units that it fetches, sorted.
    pub units: BTreeSet<UnitId>,
    /// Services that it may call; all others are not visible to it, although it may know their labels.
    pub calls: BTreeSet<Name>,
}

/// Dependencies between the owners of one mesh: of a program by [`Scopes::of`], of a bundle as its index says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes {
    /// Every service and gateway.
    pub owners: BTreeMap<Owner, Links>,
    /// Groups of callers by [`group_key`].
    pub groups: BTreeMap<String, Group>,
}

/// The entry of one owner in [`Scopes`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// The owner's own units.
    pub units: BTreeSet<UnitId>,
    /// The owner's dependencies on other owners.
    pub scope: Scope,
}

/// Dependencies of an owner on others; [`Scopes::needs`] derives the units from them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Services that it may call: these, and those that let its groups in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub calls: ServiceSet,
    /// Services whose labels its access reads: these, and the members of groups.
    #[serde(default, rename = "knows", skip_serializing_if = "is_default")]
    pub reads_labels_of: ServiceSet,
    /// Services that the Route of a service sends requests to.
    #[serde(default, rename = "sends", skip_serializing_if = "BTreeSet::is_empty")]
    pub forwards_to: BTreeSet<Name>,
}

/// A set of services, listed by name and by group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSet {
    /// Services listed by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<Name>,
    /// Groups listed by [`group_key`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
}

/// Services that access rules mean together: everybody, or all with some labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Services that let the group in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub calls: BTreeSet<Name>,
    /// Services that belong to the group.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<Name>,
}

/// The key of a group in the index; `None` for a caller that names at most one service.
#[must_use]
pub fn group_key(from: &From) -> Option<String> {
    match from {
        From::Any => Some("any".to_owned()),
        // Canonical, so that two spellings of the same labels are one group. Texts always have such a form; labels
        // without one would name nobody.
        From::Labels(labels) => {
            canonical::to_bytes(labels).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        }
        From::Service(_) | From::Gateway(_) | From::Principal(_) | From::External => None,
    }
}

impl Scopes {
    /// Computes the scopes of `program`.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let mut scopes = Self::default();
        for name in program.services.keys() {
            scopes.owners.insert(Owner::Service(name.clone()), Links::default());
        }
        for name in program.gateways.keys() {
            scopes.owners.insert(Owner::Gateway(name.clone()), Links::default());
        }
        for id in program.unit_ids() {
            if let Some(links) = id.owner().and_then(|owner| scopes.owners.get_mut(&owner)) {
                links.units.insert(id);
            }
        }
        for (service, routes) in &program.routes {
            if let Some(links) = scopes.owners.get_mut(&Owner::Service(service.clone())) {
                links.scope.forwards_to = destinations(routes).collect();
                links.scope.forwards_to.remove(service);
            }
        }
        for (gateway, routes) in &program.gateway_routes {
            if let Some(links) = scopes.owners.get_mut(&Owner::Gateway(gateway.clone())) {
                links.scope.calls.services.extend(routes.values().flat_map(destinations));
            }
        }
        for (callee, access) in &program.access {
            scopes.link(program, callee, access);
        }
        scopes.fill(program);
        scopes
    }

    /// Adds the links that `access` of `callee` implies: who may call it, and whose labels its proxy needs.
    fn link(&mut self, program: &Program, callee: &Owner, access: &Access) {
        // In audit mode nothing is refused, so everybody may call.
        let everybody = (access.mode == AccessMode::Audit).then_some(&From::Any);
        if let Owner::Service(callee) = callee {
            for from in access.allow.iter().flat_map(|entry| &entry.from).chain(everybody) {
                if let Some(key) = group_key(from) {
                    self.groups.entry(key).or_default().calls.insert(callee.clone());
                } else if let Some(caller) = service_of(program, from)
                    && let Some(links) = self.owners.get_mut(&Owner::Service(caller))
                {
                    links.scope.calls.services.insert(callee.clone());
                }
            }
        }
        let mut knows = ServiceSet::default();
        let mut know = |from: &From| {
            if let Some(key) = group_key(from) {
                self.groups.entry(key.clone()).or_default();
                knows.groups.insert(key);
            } else {
                knows.services.extend(service_of(program, from));
            }
        };
        // A limit per label needs the labels of whoever may come.
        let limited = program.quotas.get(callee).is_some_and(limits_by_label);
        if limited {
            everybody.into_iter().for_each(&mut know);
        }
        for (entry, allows) in access
            .allow
            .iter()
            .map(|entry| (entry, true))
            .chain(access.deny.iter().map(|entry| (entry, false)))
        {
            let reads = reads_labels(entry) || (limited && allows);
            entry.from.iter().filter(|from| reads || matches!(from, From::Labels(_))).for_each(&mut know);
        }
        if let Some(links) = self.owners.get_mut(callee) {
            links.scope.reads_labels_of = knows;
        }
    }

    /// Members of groups, and the groups of each service. Each distinct choice of labels is
    /// looked at once, however many entries make it.
    fn fill(&mut self, program: &Program) {
        let entries = program.access.values().flat_map(|a| a.allow.iter().chain(&a.deny));
        let froms: BTreeSet<&From> = entries.flat_map(|e| &e.from).chain([&From::Any]).collect();
        let known: BTreeSet<String> = self
            .owners
            .values()
            .flat_map(|links| links.scope.reads_labels_of.groups.iter().cloned())
            .collect();
        for from in froms {
            let Some((key, group)) = group_key(from).and_then(|k| self.groups.get_mut(&k).map(|g| (k, g)))
            else {
                continue;
            };
            for (name, service) in &program.services {
                let member = match from {
                    From::Labels(labels) => labels.iter().all(|(k, v)| service.labels.get(k) == Some(v)),
                    _ => true,
                };
                if !member {
                    continue;
                }
                if known.contains(&key) {
                    group.members.insert(name.clone());
                }
                if !group.calls.is_empty()
                    && let Some(links) = self.owners.get_mut(&Owner::Service(name.clone()))
                {
                    links.scope.calls.groups.insert(key.clone());
                }
            }
        }
    }

    /// The needs of the proxy of `owner`: the mesh, its own units, the services whose labels its access reads, and
    /// for every service that it may call, that one's service, routes, canary and resilience, with service, canary and
    /// resilience of the destinations of those routes: there a way ends, so their own routes are not asked. `None` for an
    /// owner that is not there.
    #[must_use]
    pub fn needs(&self, owner: &Owner) -> Option<Needs> {
        let me = self.owners.get(owner)?;
        let groups =
            |circle: &ServiceSet| circle.groups.iter().filter_map(|key| self.groups.get(key)).collect();
        let mut calls = me.scope.calls.services.clone();
        let in_groups: Vec<&Group> = groups(&me.scope.calls);
        calls.extend(in_groups.into_iter().flat_map(|group| &group.calls).cloned());
        let mut units = me.units.clone();
        units.insert(UnitId::Mesh);
        let own = match owner {
            Owner::Service(name) => Some(name),
            Owner::Gateway(_) => None,
        };
        units.extend(calls.iter().chain(own).flat_map(|service| self.for_callers(service)).cloned());
        let known: Vec<&Group> = groups(&me.scope.reads_labels_of);
        let known = known.into_iter().flat_map(|group| &group.members);
        for service in me.scope.reads_labels_of.services.iter().chain(known) {
            if self.owners.contains_key(&Owner::Service(service.clone())) {
                units.insert(UnitId::Service(service.clone()));
            }
        }
        Some(Needs { units, calls })
    }

    /// The units that whoever calls `service` needs for that: the service's own, and of the destinations of its Route
    /// all but their Routes, since a way ends there.
    pub fn for_callers(&self, service: &Name) -> impl Iterator<Item = &UnitId> {
        let links = |service: &Name| self.owners.get(&Owner::Service(service.clone()));
        let own = links(service);
        let ends = own.into_iter().flat_map(|own| &own.scope.forwards_to).filter_map(links);
        let ends = ends.flat_map(|end| &end.units).filter(|id| !matches!(id, UnitId::Routes(_)));
        own.into_iter().flat_map(|own| &own.units).chain(ends).filter(|id| is_for_callers(id))
    }

    /// Whether the proxy of `owner` reads the labels of `service`.
    #[must_use]
    pub fn knows(&self, owner: &Owner, service: &Name) -> bool {
        let Some(me) = self.owners.get(owner) else { return false };
        let ServiceSet { services, groups } = &me.scope.reads_labels_of;
        let member = |key: &String| self.groups.get(key).is_some_and(|group| group.members.contains(service));
        services.contains(service) || groups.iter().any(member)
    }

    /// Whether the proxy of `owner` may call `service`.
    #[must_use]
    pub fn may_call(&self, owner: &Owner, service: &Name) -> bool {
        let Some(me) = self.owners.get(owner) else { return false };
        let ServiceSet { services, groups } = &me.scope.calls;
        let lets_in = |key: &String| self.groups.get(key).is_some_and(|group| group.calls.contains(service));
        services.contains(service) || groups.iter().any(lets_in)
    }
}

impl Program {
    /// The part of the program that the proxy of `owner` needs. Of an owner that is not there: the mesh alone.
    /// For many owners, take [`Scopes::of`] once and [`Program::part`] for each.
    #[must_use]
    pub fn slice(&self, owner: &Owner) -> Self {
        self.part(Scopes::of(self).needs(owner).unwrap_or_default())
    }

    /// The part of the program with exactly the needed units.
    #[must_use]
    pub fn part(&self, needs: Needs) -> Self {
        let mut part = Self::new(self.mesh.clone());
        for id in needs.units {
            match id {
                UnitId::Mesh | UnitId::Control => {}
                UnitId::Service(name) => copy(&self.services, &mut part.services, name),
                UnitId::Gateway(name) => copy(&self.gateways, &mut part.gateways, name),
                UnitId::Routes(name) => copy(&self.routes, &mut part.routes, name),
                UnitId::GatewayRoutes(gateway, name) => {
                    if let Some(routes) = self.gateway_routes.get(&gateway) {
                        copy(routes, part.gateway_routes.entry(gateway).or_default(), name);
                    }
                }
                UnitId::Access(owner) => copy(&self.access, &mut part.access, owner),
                UnitId::Quotas(owner) => copy(&self.quotas, &mut part.quotas, owner),
                UnitId::Canary(name) => copy(&self.canaries, &mut part.canaries, name),
                UnitId::Resilience(name) => copy(&self.resilience, &mut part.resilience, name),
            }
        }
        part.calls = Some(needs.calls);
        part
    }
}

fn copy<K: Ord, V: Clone>(from: &BTreeMap<K, V>, to: &mut BTreeMap<K, V>, key: K) {
    if let Some(value) = from.get(&key).cloned() {
        to.insert(key, value);
    }
}

/// True for units of a callee that a caller's proxy reads.
fn is_for_callers(id: &UnitId) -> bool {
    match id {
        UnitId::Service(_) | UnitId::Routes(_) | UnitId::Canary(_) | UnitId::Resilience(_) => true,
        UnitId::Mesh | UnitId::Control | UnitId::Gateway(_) | UnitId::GatewayRoutes(..) => false,
        UnitId::Access(_) | UnitId::Quotas(_) => false,
    }
}

/// The one service of this mesh that `from` names; `None` for any other set of callers.
fn service_of(program: &Program, from: &From) -> Option<Name> {
    match from {
        From::Service(name) => program.services.contains_key(name).then(|| name.clone()),
        From::Principal(id) => match program.mesh.owner_of(id) {
            Some(Owner::Service(name)) => program.services.contains_key(&name).then_some(name),
            Some(Owner::Gateway(_)) | None => None,
        },
        From::Gateway(_) | From::External | From::Labels(_) | From::Any => None,
    }
}

fn reads_labels(entry: &Entry) -> bool {
    entry.when.as_ref().is_some_and(|when| when.code.reads(is_label))
}

fn is_label(slot: &Slot) -> bool {
    matches!(slot, Slot::SourceLabel(_))
}

fn limits_by_label(quotas: &Quotas) -> bool {
    quotas.limits.iter().any(|limit| limit.per.reads(is_label))
}

/// Services that `routes` sends requests to.
fn destinations(routes: &Routes) -> impl Iterator<Item = Name> {
    routes.rules.iter().flat_map(|rule| match &rule.action {
        Action::Forward(targets) => targets.iter().map(|t| t.to.service.clone()).collect(),
        Action::Redirect(_) | Action::Respond(_) => Vec::new(),
    })
}
