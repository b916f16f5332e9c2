//! The parts of proxies, so that every piece of every part is looked at, and none as often as there are proxies.
//!
//! What a proxy holds of a service that it calls is the same at every caller ([`Scopes::for_callers`]), and what it holds
//! of two services knows nothing of each other. So the parts of all proxies are right if those are that leave services
//! out which enough other callers have. A mesh of a thousand services that all may call each other has a million such
//! pairs.

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::scope::{Links, Needs, Scopes};
use mesh_bundle::selftest::{Caller, SelfTests};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Owner};

/// Services at whose proxies what all callers of a service share is looked at.
const CALLERS: usize = 2;

/// Hands out the part of each proxy that is looked at.
pub(super) struct Shares<'b> {
    scopes: &'b Scopes,
    tests: &'b BTreeMap<UnitId, SelfTests>,
    /// How many services were given each callee already.
    given: BTreeMap<&'b Name, usize>,
    /// The callees of each group that were not given to enough services yet.
    open: BTreeMap<&'b str, Vec<&'b Name>>,
    /// Callees whose self-tests name a service as the caller.
    named: BTreeMap<&'b Name, BTreeSet<&'b Name>>,
}

impl<'b> Shares<'b> {
    pub(super) fn new(scopes: &'b Scopes, tests: &'b BTreeMap<UnitId, SelfTests>) -> Self {
        let open = scopes.groups.iter().map(|(key, group)| (key.as_str(), group.calls.iter().collect()));
        let mut named: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
        for (id, tests) in tests {
            let UnitId::Routes(callee) = id else { continue };
            for caller in callers(tests) {
                named.entry(caller).or_default().insert(callee);
            }
        }
        Self { scopes, tests, given: BTreeMap::new(), open: open.collect(), named }
    }

    /// What of the proxy of `owner` is looked at: all that is its own, and its callees as far as enough others have not
    /// had them.
    pub(super) fn of(&mut self, owner: &Owner, links: &'b Links) -> Needs {
        let calls: BTreeSet<&Name> = match owner {
            // All that a gateway calls stands in its own rules.
            Owner::Gateway(_) => links.scope.calls.services.iter().collect(),
            Owner::Service(name) => self.some_callees(owner, name, links),
        };
        let mut units = links.units.clone();
        units.insert(UnitId::Mesh);
        let own = match owner {
            Owner::Service(name) => Some(name),
            Owner::Gateway(_) => None,
        };
        let entered = calls.iter().copied().chain(own);
        units.extend(entered.flat_map(|service| self.scopes.for_callers(service)).cloned());
        let known = links.units.iter().filter_map(|id| self.tests.get(id)).flat_map(callers);
        let known = known.filter(|caller| self.scopes.knows(owner, caller));
        units.extend(known.map(|caller| UnitId::Service(caller.clone())));
        Needs { units, calls: calls.into_iter().cloned().collect() }
    }

    fn some_callees(&mut self, owner: &Owner, name: &Name, links: &'b Links) -> BTreeSet<&'b Name> {
        let named = self.named.get(name).into_iter().flatten().copied();
        let mut calls: BTreeSet<&Name> = named.filter(|callee| self.scopes.may_call(owner, callee)).collect();
        let given = &self.given;
        let wanted = |callee: &&Name| given.get(callee).is_none_or(|times| *times < CALLERS);
        calls.extend(links.scope.calls.services.iter().filter(|callee| wanted(callee)));
        for key in &links.scope.calls.groups {
            if let Some(open) = self.open.get_mut(key.as_str()) {
                open.retain(wanted);
                calls.extend(open.iter().copied());
            }
        }
        for callee in &calls {
            *self.given.entry(*callee).or_insert(0) += 1;
        }
        calls
    }
}

/// The services that self-tests name as callers.
fn callers(tests: &SelfTests) -> impl Iterator<Item = &Name> {
    tests.cases.iter().filter_map(|case| match &case.request.source {
        Caller::Service(name) => Some(name),
        Caller::Own | Caller::Gateway(_) | Caller::Principal(_) | Caller::External => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_bundle::Program;
    use mesh_bundle::program::{Access, Entry, From, Mesh};

    #[test]
    fn every_callee_is_looked_at_and_none_for_every_caller() {
        let name = |text: &str| Name::new(text).unwrap();
        let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
        for index in 0..40 {
            let (service, port) = (name(&format!("s{index}")), serde_json::json!({ "port": 80 }));
            program.services.insert(service.clone(), serde_json::from_value(port).unwrap());
            // Half let everybody in, half the first service alone.
            let from = if index % 2 == 0 { From::Any } else { From::Service(name("s0")) };
            let entry = Entry {
                name: "callers".into(),
                from: vec![from],
                methods: Vec::new(),
                paths: Vec::new(),
                when: None,
            };
            program
                .access
                .insert(Owner::Service(service), Access { allow: vec![entry], ..Access::default() });
        }
        let (scopes, tests) = (Scopes::of(&program), BTreeMap::new());
        let mut shares = Shares::new(&scopes, &tests);
        let mut times: BTreeMap<Name, usize> = BTreeMap::new();
        for (owner, links) in &scopes.owners {
            let (part, whole) = (shares.of(owner, links), scopes.needs(owner).unwrap());
            assert!(part.calls.is_subset(&whole.calls) && part.units.is_subset(&whole.units), "{owner}");
            part.calls.into_iter().for_each(|callee| *times.entry(callee).or_insert(0) += 1);
        }
        assert_eq!(times.len(), 40);
        assert!(times.values().all(|times| (1..=CALLERS).contains(times)), "{times:?}");
    }
}
