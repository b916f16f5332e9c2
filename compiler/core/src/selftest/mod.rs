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
mod selection;
mod sketch;
mod solve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use mesh_bundle::Program;
use mesh_bundle::unit::UnitId;

use callers::Callers;

/// The self-tests of every unit that has some, as the canonical bytes that lie beside it in a bundle; at most
/// [`mesh_bundle::limits::SELF_TESTS`] cases a unit. A part of the program that does not build has none: rung 5 refuses it anyway.
#[must_use]
pub fn self_tests(program: &Program) -> BTreeMap<UnitId, Vec<u8>> {
    let mut tests = BTreeMap::new();
    let mut callers = Callers::new(program);
    routes::of_services(program, &mut callers, &mut tests);
    routes::of_gateways(program, &mut callers, &mut tests);
    inbound::of_owners(program, &mut callers, &mut tests);
    tests
}
