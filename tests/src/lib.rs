//! What tests, demo and benchmarks share: the kit (bundles, a proxy alone, a fleet, a client), a seeded random source,
//! generators.
//!
//! May depend on everything; nothing depends on it.

pub mod activate;
pub mod cel;
pub mod generate;
pub mod kit;
pub mod mutate;
pub mod random;
pub mod varied;

use std::path::PathBuf;

/// The top of the repository.
#[must_use]
pub fn top() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}

/// True where the numbers of a full run are asked for (`ci/test --full`).
#[must_use]
pub fn full() -> bool {
    std::env::var_os("MESH_FULL").is_some_and(|value| value == "1")
}
