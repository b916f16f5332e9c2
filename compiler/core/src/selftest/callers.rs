//! Callers of examples: concrete services, gateways and strangers that fit an entry.

use std::collections::BTreeMap;

use mesh_bundle::program::{AccessMode, Action, From};
use mesh_bundle::selftest::Caller;
use mesh_bundle::{Name, Owner, Program};

/// An identity that no mesh of ours gives (RFC 2606 reserves the domain).
pub(super) const STRANGER: &str = "spiffe://stranger.example/nobody";

/// Callers of a program, looked up once.
pub(super) struct Callers<'p> {
    program: &'p Program,
    labelled: BTreeMap<&'p BTreeMap<String, String>, Option<&'p Name>>,
    gateways: BTreeMap<&'p Name, &'p Name>,
}

impl<'p> Callers<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let mut gateways = BTreeMap::new();
        for (gateway, routes) in &program.gateway_routes {
            for rule in routes.values().flat_map(|routes| routes.rules.iter()) {
                if let Action::Forward(targets) = &rule.action {
                    for target in targets {
                        gateways.entry(&target.to.service).or_insert(gateway);
                    }
                }
            }
        }
        Self { program, labelled: BTreeMap::new(), gateways }
    }

    /// The first caller that `from` means; of everybody one without an identity.
    pub(super) fn one(&mut self, from: &'p From) -> Option<Caller> {
        match from {
            From::Service(name) => self.known(&Owner::Service(name.clone())),
            From::Gateway(name) => self.known(&Owner::Gateway(name.clone())),
            From::Labels(labels) => self.with_labels(labels).cloned().map(Caller::Service),
            From::Principal(id) => {
                let own = self.program.mesh.owner_of(id);
                own.and_then(|owner| self.known(&owner)).or_else(|| Some(Caller::Principal(id.clone())))
            }
            From::External | From::Any => Some(Caller::External),
        }
    }

    /// Somebody whose proxy sends requests to `service`; `None` if nobody may.
    pub(super) fn of(&mut self, service: &'p Name) -> Option<Caller> {
        let access = self.program.access.get(&Owner::Service(service.clone()));
        let froms = access.map(|access| access.allow.iter().flat_map(|entry| &entry.from));
        // Where everybody may call, the service itself may, and stays the same whoever comes or goes.
        let open = access.is_some_and(|access| access.mode == AccessMode::Audit);
        let open = open.then(|| Caller::Service(service.clone()));
        for from in froms.into_iter().flatten() {
            let caller = match from {
                From::Any => Some(Caller::Service(service.clone())),
                From::Service(_) | From::Labels(_) | From::Principal(_) => self.one(from),
                From::Gateway(_) | From::External => None,
            };
            if let Some(caller @ Caller::Service(_)) = caller {
                return Some(caller);
            }
        }
        open.or_else(|| self.gateways.get(service).map(|gateway| Caller::Gateway((*gateway).clone())))
    }

    /// The first service with this label.
    pub(super) fn with_label(&self, key: &str, value: &str) -> Option<&'p Name> {
        let mut services = self.program.services.iter();
        services.find(|(_, s)| s.labels.get(key).is_some_and(|v| v == value)).map(|(name, _)| name)
    }

    /// The service or gateway, if there is one.
    pub(super) fn known(&self, owner: &Owner) -> Option<Caller> {
        match owner {
            Owner::Service(name) => {
                self.program.services.contains_key(name).then(|| Caller::Service(name.clone()))
            }
            Owner::Gateway(name) => {
                self.program.gateways.contains_key(name).then(|| Caller::Gateway(name.clone()))
            }
        }
    }

    fn with_labels(&mut self, labels: &'p BTreeMap<String, String>) -> Option<&'p Name> {
        let services = &self.program.services;
        *self.labelled.entry(labels).or_insert_with(|| {
            let all = |known: &BTreeMap<String, String>| labels.iter().all(|(k, v)| known.get(k) == Some(v));
            services.iter().find(|(_, service)| all(&service.labels)).map(|(name, _)| name)
        })
    }
}
