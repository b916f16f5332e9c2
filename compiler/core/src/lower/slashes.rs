//! What becomes of escaped slashes (`%2F`, `%5C`) in the paths that rules see.

use mesh_bundle::program::{Program, SlashMode};
use mesh_bundle::{Name as Key, Owner};

use super::context::key;
use crate::model::Model;
use crate::spec::{Route, Rule, To};

/// The Routes of gateways that send to a service which keeps escaped slashes; in most meshes there is none.
pub(super) struct Kept<'m> {
    routes: Vec<&'m Route>,
}

impl<'m> Kept<'m> {
    /// Those of a mesh whose services are lowered.
    pub(super) fn of(model: &'m Model<'_>, program: &Program) -> Self {
        if program.services.values().all(|service| service.escaped_slashes == SlashMode::Reject) {
            return Self { routes: Vec::new() };
        }
        let keeps = |route: &Route| {
            let mut services = route.rules.iter().flat_map(destinations);
            services.any(|service| of_service(program, &service) == SlashMode::Keep)
        };
        let edge = model.routes().map(|(_, route)| route).filter(|route| route.gateway.is_some());
        Self { routes: edge.filter(|route| keeps(route)).collect() }
    }

    /// In requests that a gateway's Route is asked about: they stay where any rule for one of its hosts sends to a service
    /// that keeps them, as the gateway's proxy does it.
    pub(super) fn at(&self, route: &Route) -> SlashMode {
        let meets = |other: &&Route| gateway(other) == gateway(route) && share_a_host(other, route);
        keep(self.routes.iter().any(meets))
    }

    /// In requests that access of `owner` is asked about.
    pub(super) fn behind(&self, program: &Program, owner: &Owner) -> SlashMode {
        match owner {
            Owner::Service(service) => of_service(program, service),
            Owner::Gateway(name) => {
                keep(self.routes.iter().any(|route| gateway(route) == Some(name.as_str())))
            }
        }
    }
}

/// In requests for a service.
pub(super) fn of_service(program: &Program, service: &Key) -> SlashMode {
    program.services.get(service).map_or(SlashMode::Reject, |service| service.escaped_slashes)
}

/// In what a rule sends on: they stay where every destination keeps them. A rule without destinations sends nothing on.
pub(super) fn of_destinations(program: &Program, rule: &Rule) -> SlashMode {
    keep(destinations(rule).all(|service| of_service(program, &service) == SlashMode::Keep))
}

fn keep(keeps: bool) -> SlashMode {
    if keeps { SlashMode::Keep } else { SlashMode::Reject }
}

fn gateway(route: &Route) -> Option<&str> {
    route.gateway.as_ref().map(|gateway| gateway.as_str())
}

/// Routes without `hosts` claim all hosts of their gateway.
fn share_a_host(a: &Route, b: &Route) -> bool {
    match (&a.hosts, &b.hosts) {
        (Some(a), Some(b)) => a.iter().any(|host| b.iter().any(|other| other.value == host.value)),
        _ => true,
    }
}

fn destinations(rule: &Rule) -> impl Iterator<Item = Key> {
    let (one, several) = match &rule.to {
        None => (None, None),
        Some(To::One(to)) => (Some(to), None),
        Some(To::Split(shares)) => (None, Some(shares)),
    };
    let several = several.into_iter().flat_map(|shares| shares.value.iter().map(|share| &share.to));
    one.into_iter().chain(several).filter_map(|to| key(&to.value.service))
}
