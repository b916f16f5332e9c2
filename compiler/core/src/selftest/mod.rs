//! Self-tests of units: for each rule, access entry and limit an example that it takes, and the neighbours just
//! outside of it, with the answers of the decision core.
//!
//! The answers come from the engine and not from a second reading of the rules, so what a proxy proves is that its
//! bundle, build and machine decide as the compiler's did. A case is kept only if its answer is a function of the unit
//! and its owner: what a canary's state or another service's versions decide is left out of it. Deterministic: no
//! randomness, no clock, everything in the program's order.

mod callers;
mod inbound;
mod neighbours;
mod routes;
mod sketch;
mod solve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::selftest::{Case, Example, Expect, SelfTests};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Program, limits};

use callers::Callers;

/// The self-tests of every unit that has some, as the canonical bytes that lie beside it in a bundle; at most
/// [`limits::SELF_TESTS`] cases a unit. A part of the program that does not build has none: rung 5 refuses it anyway.
#[must_use]
pub fn self_tests(program: &Program) -> BTreeMap<UnitId, Vec<u8>> {
    let mut tests = BTreeMap::new();
    let mut callers = Callers::new(program);
    routes::of_services(program, &mut callers, &mut tests);
    routes::of_gateways(program, &mut callers, &mut tests);
    inbound::of_owners(program, &mut callers, &mut tests);
    tests
}

/// Answers examples in fair turns, the first of each list before the second of any, and keeps the cases that have an
/// answer.
fn keep(
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
fn spread<T>(all: &[T]) -> impl Iterator<Item = &T> {
    let step = all.len().div_ceil(limits::SELF_TESTS).max(1);
    all.iter().step_by(step)
}
