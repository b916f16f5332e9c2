//! Rung 3, second half: not too much at once.
//!
//! A bundle that takes away a large share of what the proxy knows is refused unless a reviewer has seen it, because the
//! gate that should have asked may be the thing that is broken.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::limits;
use crate::name::Name;
use crate::program::Program;
use crate::refusal::{Refusal, Rung};
use crate::release::Acknowledges;
use crate::unit::{Access, Routes};

/// What a bundle takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Services, rules and allow entries that are no more.
    pub removed: usize,
    /// How many there were.
    pub total: usize,
}

impl Removal {
    /// Compares two parts of programs for the same proxy.
    #[must_use]
    pub fn between(old: &Program, new: &Program) -> Self {
        let mut all = Self { removed: 0, total: 0 };
        all.add(old.services.keys().map(Name::as_str), new.services.keys().map(Name::as_str));
        for (service, routes) in &old.routes {
            all.rules(routes, new.routes.get(service));
        }
        for (gateway, by_name) in &old.gateway_routes {
            let after = new.gateway_routes.get(gateway);
            for (name, routes) in by_name {
                all.rules(routes, after.and_then(|by_name| by_name.get(name)));
            }
        }
        for (owner, access) in &old.access {
            let after = new.access.get(owner);
            all.add(allowed(access), after.into_iter().flat_map(allowed));
        }
        all
    }

    fn rules(&mut self, old: &Routes, new: Option<&Routes>) {
        if new.is_some_and(|new| Arc::ptr_eq(&old.rules, &new.rules)) {
            self.total += old.rules.len();
            return;
        }
        let after = new.into_iter().flat_map(|new| new.rules.iter()).map(|rule| rule.name.as_str());
        self.add(old.rules.iter().map(|rule| rule.name.as_str()), after);
    }

    /// The names of one list, which are different from each other, before and after.
    fn add<'p>(&mut self, old: impl Iterator<Item = &'p str>, new: impl Iterator<Item = &'p str>) {
        let after: BTreeSet<&str> = new.collect();
        for name in old {
            self.total += 1;
            self.removed += usize::from(!after.contains(name));
        }
    }
}

/// Whether `new` may follow `old`.
///
/// # Errors
/// A [`Refusal`] at [`Rung::Eligible`] with the number that would have to be acknowledged.
pub fn not_too_much(old: &Program, new: &Program, seen: &Acknowledges) -> Result<(), Refusal> {
    let Removal { removed, total } = Removal::between(old, new);
    let allowed = u128::from(old.mesh.max_removed) * total as u128;
    let within = removed as u128 * u128::from(limits::WHOLE) <= allowed;
    if within || u64::from(seen.removed) >= removed as u64 {
        return Ok(());
    }
    let message = format!(
        "{removed} of {total} services, rules and allow entries go away, more than the {} % that `maxRemoved` allows; \
         build with `--acknowledge removed={removed}` if that is meant",
        old.mesh.max_removed / 100
    );
    Err(Refusal::new(Rung::Eligible, "removes-too-much", message))
}

fn allowed(access: &Access) -> impl Iterator<Item = &str> {
    access.allow.iter().map(|entry| &*entry.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::{Mesh, Protocol, Service, SlashMode};
    use std::collections::BTreeMap;

    fn program(services: usize) -> Program {
        let name = |text: &str| Name::new(text).unwrap();
        let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
        for index in 0..services {
            program.services.insert(
                name(&format!("s{index}")),
                Service {
                    port: 80,
                    app_port: None,
                    protocol: Protocol::Http,
                    versions: vec![name("v1")],
                    labels: BTreeMap::new(),
                    escaped_slashes: SlashMode::Reject,
                    addresses: BTreeMap::new(),
                },
            );
        }
        program
    }

    #[test]
    fn each_list_is_compared_by_its_names() {
        let with = |rules: usize, entries: usize| {
            let (orders, mut program) = (Name::new("orders").unwrap(), program(1));
            let action = serde_json::json!({ "forward": [{ "to": { "service": "orders" } }] });
            let rules: Vec<_> = (0..rules)
                .map(|i| serde_json::json!({ "name": format!("r{i}"), "action": action }))
                .collect();
            let routes: Routes = serde_json::from_value(serde_json::json!({ "rules": rules })).unwrap();
            let edge = [(Name::new("edge").unwrap(), routes.clone())].into();
            program.gateway_routes.insert(Name::new("public").unwrap(), edge);
            program.routes.insert(orders.clone(), routes);
            let allow: Vec<_> = (0..entries)
                .map(|i| serde_json::json!({ "name": format!("allow[{i}]"), "from": ["any"] }))
                .collect();
            let access = serde_json::from_value(serde_json::json!({ "allow": allow })).unwrap();
            program.access.insert(crate::Owner::Service(orders), access);
            program
        };
        let between = |old: &Program, new: &Program| {
            let Removal { removed, total } = Removal::between(old, new);
            (removed, total)
        };
        let old = with(10, 4);
        assert_eq!(between(&old, &old.clone()), (0, 25));
        assert_eq!(between(&old, &with(10, 4)), (0, 25));
        assert_eq!(between(&old, &with(12, 9)), (0, 25));
        assert_eq!(between(&old, &with(7, 3)), (7, 25));
        assert_eq!(between(&old, &program(0)), (25, 25));
    }

    #[test]
    fn a_third_may_go_unseen_and_more_only_seen() {
        let seen = |removed| Acknowledges { removed, denied: Vec::new() };
        assert!(not_too_much(&program(10), &program(7), &seen(0)).is_ok());
        let refusal = not_too_much(&program(10), &program(6), &seen(0)).unwrap_err();
        assert_eq!((refusal.rung, refusal.code.as_str()), (Rung::Eligible, "removes-too-much"));
        assert!(not_too_much(&program(10), &program(6), &seen(3)).is_err());
        assert!(not_too_much(&program(10), &program(6), &seen(4)).is_ok());
        assert!(not_too_much(&program(10), &program(0), &seen(0)).is_err());
        assert!(not_too_much(&program(0), &program(0), &seen(0)).is_ok());
    }
}
