//! Which examples become cases.

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::limits;
use mesh_bundle::selftest::{Case, Example, Expect, SelfTests};
use mesh_bundle::unit::UnitId;

/// Answers examples in fair turns, the first of each list before the second of any, and keeps the cases that have an
/// answer.
pub(super) fn keep(
    tests: &mut BTreeMap<UnitId, Vec<u8>>,
    unit: UnitId,
    lists: Vec<Vec<Example>>,
    mut answer: impl FnMut(&Example) -> Option<Expect>,
) {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let mut seen: BTreeSet<&Example> = BTreeSet::new();
    let mut cases = Vec::new();
    let turns = (0..longest).flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn)));
    for request in turns {
        if cases.len() == limits::SELF_TESTS {
            break;
        }
        if seen.insert(request)
            && let Some(expect) = answer(request)
        {
            cases.push(Case { expect, request: request.clone() });
        }
    }
    if !cases.is_empty()
        && let Some(bytes) = written(&SelfTests { cases })
    {
        tests.insert(unit, bytes);
    }
}

/// Canonical bytes. The types declare their fields in canonical order and hold ASCII keys and small numbers alone, so
/// plain writing is canonical already, at a third of the time; the tests read every file strictly.
fn written(tests: &SelfTests) -> Option<Vec<u8>> {
    serde_json::to_vec(tests).ok()
}

/// At most [`limits::SELF_TESTS`] of `all`, spread evenly: of more there is no room for an example each.
pub(super) fn spread<T>(all: &[T]) -> impl Iterator<Item = &T> {
    let step = all.len().div_ceil(limits::SELF_TESTS).max(1);
    all.iter().step_by(step)
}
