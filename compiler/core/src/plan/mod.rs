//! The effect of a change: the difference of two programs as objects, as fields, and as units that move.
//!
//! Reads programs and nothing else, so a bundle compares with a work tree as well as a revision does.

mod fields;
mod kind;
mod units;

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::Program;
use mesh_bundle::canonical::CanonicalError;
use mesh_bundle::program::AccessMode;
use mesh_bundle::unit::{Unit, UnitId};
use serde_json::Value;

pub use fields::FieldChange;
pub use kind::ChangeKind;
pub use units::UnitChange;

/// The difference of two programs of one environment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Objects that differ, by address.
    pub objects: Vec<Change>,
    /// Units that differ, by id.
    pub units: Vec<UnitChange>,
}

/// An object that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its address: `route/orders`, `access/gateway/public`, `mesh/shop`.
    pub address: String,
    /// Whether it comes, goes or changes.
    pub kind: ChangeKind,
    /// The fields that differ; none for an object that comes or goes.
    pub fields: Vec<FieldChange>,
    /// The unit that holds it, or most of it.
    pub unit: UnitId,
    /// A consequence that its fields do not show, in words.
    pub remark: Option<&'static str>,
}

impl Plan {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.units.is_empty()
    }

    /// Number of objects that come, go or change, by kind of change.
    #[must_use]
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.objects.iter().filter(|c| c.kind == kind).count()
    }
}

/// Compares two programs; `None` is an environment that does not exist.
///
/// # Errors
/// When a unit has no canonical form, which no program from the compiler or a verified bundle lacks.
pub fn plan(before: Option<&Program>, after: Option<&Program>) -> Result<Plan, CanonicalError> {
    let (old, new) = (Side::new(before)?, Side::new(after)?);
    let addresses: BTreeSet<&String> = old.objects.keys().chain(new.objects.keys()).collect();
    let closed = |unit: &UnitId| after.and_then(|after| closed(unit, after));
    let mut objects = Vec::new();
    for address in addresses {
        let (before, after) = (old.objects.get(address), new.objects.get(address));
        let kind = ChangeKind::of(before, after);
        let none = Vec::new();
        let (was, is) = (before.unwrap_or(&none), after.unwrap_or(&none));
        let mut changed = Vec::new();
        if kind == ChangeKind::Changed {
            let units: BTreeSet<&UnitId> = was.iter().chain(is).map(|part| &part.unit).collect();
            for unit in units {
                let find = |parts: &[Part]| parts.iter().find(|p| p.unit == *unit).map(|p| p.value.clone());
                let empty = || Value::Object(serde_json::Map::new());
                let (was, is) = (find(was).unwrap_or_else(empty), find(is).unwrap_or_else(empty));
                changed.extend(fields::compare(unit, &was, &is));
            }
            if changed.is_empty() {
                continue;
            }
        }
        let Some(part) = is.first().or_else(|| was.first()) else { continue };
        let (address, unit) = (address.clone(), part.unit.clone());
        let remark = closed(&unit);
        objects.push(Change { address, kind, fields: changed, unit, remark });
    }
    Ok(Plan { objects, units: units::compare(before, after)? })
}

/// What no entry allows is denied, so access without one is closed to everybody, whatever it denies.
fn closed(unit: &UnitId, after: &Program) -> Option<&'static str> {
    let UnitId::Access(owner) = unit else { return None };
    let access = after.access.get(owner)?;
    let closed = access.mode == AccessMode::Enforce && access.allow.is_empty();
    closed.then_some("no entry allows anything, so every request is answered with 403")
}

/// One program by addresses.
struct Side {
    objects: BTreeMap<String, Vec<Part>>,
}

/// The share of one unit in an object.
struct Part {
    unit: UnitId,
    value: Value,
}

impl Side {
    fn new(program: Option<&Program>) -> Result<Self, CanonicalError> {
        let mut objects: BTreeMap<String, Vec<Part>> = BTreeMap::new();
        let Some(program) = program else { return Ok(Self { objects }) };
        let mut put = |address: String, unit: &UnitId, value: Value| {
            objects.entry(address).or_default().push(Part { unit: unit.clone(), value });
        };
        for (id, unit) in program.units() {
            let mut value = json(&unit)?;
            if id == UnitId::Control {
                // Teams are written in the mesh, the rest in the environment.
                let teams = value.as_object_mut().and_then(|map| map.remove("teams"));
                if let Some(teams) = teams {
                    let map = [("teams".to_owned(), teams)].into_iter().collect();
                    put(format!("mesh/{}", program.mesh.name), &id, Value::Object(map));
                }
                if value.as_object().is_some_and(|map| map.is_empty()) {
                    continue;
                }
            }
            put(address(&id, program), &id, value);
        }
        Ok(Self { objects })
    }
}

fn json(unit: &Unit) -> Result<Value, CanonicalError> {
    Ok(serde_json::from_slice(&unit.to_bytes()?)?)
}

/// The address under which people know what a unit holds.
fn address(id: &UnitId, program: &Program) -> String {
    match id {
        UnitId::Mesh => format!("mesh/{}", program.mesh.name),
        UnitId::Control => format!("environment/{}", program.mesh.environment),
        UnitId::Service(name) => format!("service/{name}"),
        UnitId::Gateway(name) => format!("gateway/{name}"),
        UnitId::Routes(name) | UnitId::GatewayRoutes(_, name) => format!("route/{name}"),
        UnitId::Access(owner) => format!("access/{owner}"),
        UnitId::Quotas(owner) => format!("quota/{owner}"),
        UnitId::Canary(name) => format!("canary/{name}"),
        UnitId::Resilience(name) => format!("resilience/{name}"),
    }
}

#[cfg(test)]
mod tests;
