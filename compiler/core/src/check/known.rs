//! Who there is: the services, gateways, labels and identities that rules can name.

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::program::{Mesh, Program};
use mesh_bundle::{Name as Key, Owner};

use crate::diag::nearest;
use crate::model::Model;
use crate::source::{Node, Value};
use crate::spec::{Environment, Kind, Spec};

/// Names of an environment, with those that another environment may add: what is missing here may be there, and
/// the same words say both.
pub(super) struct Known<'m> {
    program: &'m Program,
    /// Services of this environment, and of others.
    services: BTreeSet<&'m str>,
    /// Values of labels, by key.
    labels: BTreeMap<&'m str, BTreeSet<&'m str>>,
    /// Labels that an override of some environment gives.
    overridden: BTreeSet<(&'m str, &'m str)>,
    /// Environments of the mesh.
    environments: Vec<Key>,
    /// Every service could be read.
    pub(super) services_are_read: bool,
    /// Nothing is unknown about identities: the mesh could be read, and they look alike in all environments.
    identities_are_alike: bool,
}

impl<'m> Known<'m> {
    pub(super) fn new(model: &'m Model<'_>, program: &'m Program) -> Self {
        let environments: Vec<&Environment> = environments(model).collect();
        let mut names: Vec<Key> =
            environments.iter().filter_map(|e| Key::new(e.name.as_str()).ok()).collect();
        if names.is_empty() {
            names.push(program.mesh.environment.clone());
        }
        let mut known = Self {
            program,
            services: program.services.keys().map(Key::as_str).collect(),
            labels: BTreeMap::new(),
            overridden: BTreeSet::new(),
            environments: names,
            services_are_read: !model.has_broken(Kind::Service)
                && model.of_kind(Kind::Service).all(|object| object.complete),
            identities_are_alike: model.mesh.complete
                && !model.has_broken(Kind::Identity)
                && !model.has_broken(Kind::Environment),
        };
        for service in program.services.values() {
            for (key, value) in &service.labels {
                known.labels.entry(key).or_default().insert(value);
            }
        }
        for (address, over) in environments.iter().flat_map(|e| e.overrides.iter()) {
            match address.value.kind {
                Kind::Service => {
                    known.services.insert(address.value.name.as_str());
                    known.overridden.extend(labels(over));
                }
                Kind::Identity => known.identities_are_alike = false,
                _ => {}
            }
        }
        for (key, value) in known.overridden.clone() {
            known.labels.entry(key).or_default().insert(value);
        }
        known
    }

    /// The names that `source.service` can be.
    pub(super) fn services(&self) -> impl Iterator<Item = &'m str> {
        self.services.iter().copied()
    }

    /// Keys of labels.
    pub(super) fn label_keys(&self) -> impl Iterator<Item = &'m str> {
        self.labels.keys().copied()
    }

    /// Values of a label.
    pub(super) fn label_values(&self, key: &str) -> impl Iterator<Item = &'m str> {
        self.labels.get(key).into_iter().flatten().copied()
    }

    /// True if some service has all of these labels, or may have them somewhere.
    pub(super) fn has_labels(&self, wanted: &BTreeMap<&str, &str>) -> bool {
        !self.services_are_read
            || wanted.iter().any(|(key, value)| self.overridden.contains(&(*key, *value)))
            || self.program.services.values().any(|service| {
                wanted.iter().all(|(key, value)| service.labels.get(*key).is_some_and(|own| own == value))
            })
    }

    /// True for an identity of the mesh's own trust domain that no service or gateway has, in any environment.
    pub(super) fn names_nobody(&self, principal: &str) -> bool {
        self.is_own(principal)
            && !self.in_each_environment().any(|mesh| match mesh.owner_of(principal) {
                Some(Owner::Service(name)) => {
                    !self.services_are_read || self.services.contains(name.as_str())
                }
                Some(Owner::Gateway(name)) => self.program.gateways.contains_key(&name),
                None => false,
            })
    }

    /// True for the beginning of identities of the mesh's own trust domain that no service or gateway has.
    pub(super) fn begins_nobody(&self, prefix: &str) -> bool {
        self.services_are_read && self.is_own(prefix) && {
            let owners = || {
                let services =
                    self.services.iter().filter_map(|name| Key::new(name).ok().map(Owner::Service));
                services.chain(self.program.gateways.keys().cloned().map(Owner::Gateway))
            };
            !self
                .in_each_environment()
                .any(|mesh| owners().any(|owner| mesh.spiffe_id(&owner).starts_with(prefix)))
        }
    }

    /// The identity that was meant, or else the form of all identities.
    pub(super) fn identity_help(&self, principal: &str) -> String {
        let meant = self.in_each_environment().find_map(|mesh| {
            let owner = match mesh.owner_of(principal)? {
                Owner::Service(name) => {
                    nearest(name.as_str(), self.services()).and_then(|n| Key::new(n).ok()).map(Owner::Service)
                }
                Owner::Gateway(name) => {
                    let known = self.program.gateways.keys().map(Key::as_str);
                    nearest(name.as_str(), known).and_then(|n| Key::new(n).ok()).map(Owner::Gateway)
                }
            };
            owner.map(|owner| mesh.spiffe_id(&owner))
        });
        match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                let mesh = &self.program.mesh;
                let form =
                    mesh.identity_path.replace("{env}", "<environment>").replace("{service}", "<service>");
                format!("identities of this mesh are `spiffe://{}{form}`", mesh.trust_domain)
            }
        }
    }

    fn is_own(&self, principal: &str) -> bool {
        let own = principal
            .strip_prefix("spiffe://")
            .and_then(|rest| rest.strip_prefix(self.program.mesh.trust_domain.as_str()))
            .is_some_and(|path| path.starts_with('/'));
        own && self.identities_are_alike
    }

    fn in_each_environment(&self) -> impl Iterator<Item = Mesh> {
        let mesh = &self.program.mesh;
        self.environments.iter().map(|environment| Mesh { environment: environment.clone(), ..mesh.clone() })
    }
}

fn environments<'m>(model: &'m Model<'_>) -> impl Iterator<Item = &'m Environment> {
    model.of_kind(Kind::Environment).filter_map(|object| match &object.spec {
        Spec::Environment(environment) => Some(environment.as_ref()),
        _ => None,
    })
}

/// Labels that an override gives to a service.
fn labels(over: &Node) -> impl Iterator<Item = (&str, &str)> {
    let entries = over.get("labels").and_then(Node::as_map);
    entries.into_iter().flatten().filter_map(|(key, value)| match &value.value {
        Value::Text(text) => Some((&*key.text, &*text.text)),
        _ => None,
    })
}
