//! Rung 3, second half: not too much at once.
//!
//! A bundle that takes away a large share of what the proxy knows is refused unless a reviewer has seen it, because the
//! gate that should have asked may be the thing that is broken.

use std::collections::BTreeSet;

use mesh_bundle::release::Acknowledges;
use mesh_bundle::{Program, Refusal, Rung, limits};

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
        let (before, after) = (addresses(old), addresses(new));
        Self { removed: before.difference(&after).count(), total: before.len() }
    }
}

/// Whether `new` may follow `old`.
///
/// # Errors
/// A [`Refusal`] at [`Rung::ForMe`] with the number that would have to be acknowledged.
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
    Err(Refusal::new(Rung::ForMe, "removes-too-much", message))
}

fn addresses(program: &Program) -> BTreeSet<String> {
    let services = program.services.keys().map(|name| format!("service/{name}"));
    let rules = program.routes.iter().flat_map(|(service, routes)| {
        routes.rules.iter().map(move |rule| format!("route/{service}/{}", rule.name))
    });
    let edges = program.gateway_routes.iter().flat_map(|(gateway, routes)| {
        routes.iter().flat_map(move |(route, routes)| {
            routes.rules.iter().map(move |rule| format!("route/{gateway}/{route}/{}", rule.name))
        })
    });
    let entries = program.access.iter().flat_map(|(owner, access)| {
        access.allow.iter().map(move |entry| format!("access/{owner}/{}", entry.name))
    });
    services.chain(rules).chain(edges).chain(entries).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_bundle::Name;
    use mesh_bundle::program::{Mesh, Protocol, Service, SlashMode};
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
    fn a_third_may_go_unseen_and_more_only_seen() {
        let seen = |removed| Acknowledges { removed, denied: Vec::new() };
        assert!(not_too_much(&program(10), &program(7), &seen(0)).is_ok());
        let refusal = not_too_much(&program(10), &program(6), &seen(0)).unwrap_err();
        assert_eq!((refusal.rung, refusal.code.as_str()), (Rung::ForMe, "removes-too-much"));
        assert!(not_too_much(&program(10), &program(6), &seen(3)).is_err());
        assert!(not_too_much(&program(10), &program(6), &seen(4)).is_ok());
        assert!(not_too_much(&program(10), &program(0), &seen(0)).is_err());
        assert!(not_too_much(&program(0), &program(0), &seen(0)).is_ok());
    }
}
