//! From addresses and units to files and lines, by the source maps of a work tree or a bundle.

use std::collections::BTreeMap;

use mesh_bundle::sourcemap::SourceMap;
use mesh_bundle::unit::UnitId;
use mesh_bundle::verify::Intact;
use mesh_bundle::{Name, Owner, Program};

/// Source places of units.
pub(crate) enum Places<'a> {
    /// In files that were compiled just now.
    Maps(&'a BTreeMap<UnitId, SourceMap>),
    /// As a bundle says.
    Bundle(&'a Intact),
}

impl Places<'_> {
    /// `file:line` of a part of a unit.
    pub(crate) fn of(&self, unit: &UnitId, pointer: &str) -> Option<String> {
        let place = match self {
            Self::Maps(maps) => maps.get(unit)?.resolve(pointer),
            Self::Bundle(bundle) => bundle.source_map(unit)?.resolve(pointer),
        }?;
        // Without the column: whoever reads a route wants the line.
        place.rsplit_once(':').map(|(line, _)| crate::text::clean(line))
    }

    /// `file:line` of a rule: `route/edge/site` of a gateway, `route/orders/refund` of a service. The implicit rule
    /// `default` stands where its service does.
    pub(crate) fn of_rule(&self, program: &Program, gateway: Option<&str>, address: &str) -> Option<String> {
        let (route, rule) = address.strip_prefix("route/")?.split_once('/')?;
        let index = |rules: &[mesh_bundle::program::Rule]| rules.iter().position(|r| r.name.as_str() == rule);
        let name = Name::new(route).ok()?;
        if let Some(gateway) = gateway {
            let routes = program.gateway_routes.get(gateway)?.get(route)?;
            let unit = UnitId::GatewayRoutes(Name::new(gateway).ok()?, name);
            return self.of(&unit, &format!("/rules/{}", index(&routes.rules)?));
        }
        match program.routes.get(route) {
            Some(routes) => self.of(&UnitId::Routes(name), &format!("/rules/{}", index(&routes.rules)?)),
            None => self.of(&UnitId::Service(name), ""),
        }
    }

    /// `file:line` of an entry of an owner's access rules.
    pub(crate) fn of_entry(&self, program: &Program, owner: &Owner, address: &str) -> Option<String> {
        let access = program.access.get(owner)?;
        let name = address.strip_prefix(&format!("access/{owner}/")).unwrap_or(address);
        let unit = UnitId::Access(owner.clone());
        let find = |list: &[mesh_bundle::program::Entry]| list.iter().position(|e| e.name == name);
        if let Some(index) = find(&access.allow) {
            return self.of(&unit, &format!("/allow/{index}"));
        }
        find(&access.deny).and_then(|index| self.of(&unit, &format!("/deny/{index}")))
    }
}
