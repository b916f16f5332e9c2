//! Units that move: what proxies fetch.

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::Program;
use mesh_bundle::canonical::CanonicalError;
use mesh_bundle::scope::Scopes;
use mesh_bundle::unit::UnitId;

use super::kind::ChangeKind;

/// A unit whose bytes differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitChange {
    /// Id of the unit.
    pub unit: UnitId,
    /// Whether it comes, goes or changes.
    pub kind: ChangeKind,
    /// Its bytes before.
    pub before: Option<u64>,
    /// Its bytes after.
    pub after: Option<u64>,
    /// Number of services and gateways whose scope holds it: their proxies fetch it, or drop it.
    pub owners: usize,
}

/// Compares the units of two programs.
pub(super) fn compare(
    before: Option<&Program>,
    after: Option<&Program>,
) -> Result<Vec<UnitChange>, CanonicalError> {
    let (was, is) = (bytes(before)?, bytes(after)?);
    let ids: BTreeSet<&UnitId> = was.keys().chain(is.keys()).collect();
    let moved: Vec<&UnitId> = ids.into_iter().filter(|id| was.get(id) != is.get(id)).collect();
    let (old, new) = (holders(before, &moved), holders(after, &moved));
    let size = |map: &BTreeMap<UnitId, Vec<u8>>, id: &UnitId| map.get(id).map(|bytes| bytes.len() as u64);
    let change = |id: &UnitId| {
        let holders = if is.contains_key(id) { &new } else { &old };
        UnitChange {
            unit: id.clone(),
            kind: ChangeKind::of(was.get(id), is.get(id)),
            before: size(&was, id),
            after: size(&is, id),
            owners: holders.get(id).copied().unwrap_or(0),
        }
    };
    Ok(moved.into_iter().map(change).collect())
}

fn bytes(program: Option<&Program>) -> Result<BTreeMap<UnitId, Vec<u8>>, CanonicalError> {
    let units = program.map(Program::units).unwrap_or_default();
    units.into_iter().map(|(id, unit)| Ok((id, unit.to_bytes()?))).collect()
}

/// Number of scopes that hold each of `units`.
fn holders(program: Option<&Program>, units: &[&UnitId]) -> BTreeMap<UnitId, usize> {
    let wanted: BTreeSet<&UnitId> = units.iter().copied().collect();
    let mut counts = BTreeMap::new();
    if wanted.is_empty() {
        return counts;
    }
    let scopes = program.map(Scopes::of).unwrap_or_default();
    for needs in scopes.owners.keys().filter_map(|owner| scopes.needs(owner)) {
        for id in needs.units.into_iter().filter(|id| wanted.contains(id)) {
            *counts.entry(id).or_insert(0) += 1;
        }
    }
    counts
}
