//! Public outages as drills: what went wrong there is done to a real proxy here, and must not hurt.
//!
//! Each test names its outage and links the post-mortem. `cargo nextest run -p mesh-tests drill` runs them all;
//! `docs/drills.md` says what each shows.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod drill_offers;
mod drill_shape;
mod drill_survival;

use mesh_bundle::Program;
use mesh_bundle::pack::Packed;
use mesh_tests::kit::bundle::{Terms, packed, program};
use mesh_tests::kit::lone::{Lone, mesh};
use mesh_tests::kit::wait::wait;
use mesh_tests::programs;

/// The rule under which requests for `/cart` go on, and where faults are planted.
const CART: &str = "route/cart/default";

/// The specs of a bundle that answers `/orders` and `/cart`, told apart by one response header.
fn specs(mark: &str) -> String {
    let header = format!("headers: {{ response: {{ set: {{ x-mark: {mark} }} }} }}");
    let rules = format!(
        "name: orders, match: {{ path: /orders/* }}, to: orders, {header}\nname: cart, match: {{ path: /cart/* }}, to: cart"
    );
    mesh(&rules, "")
}

/// The same with a short way to `good (quiet)`; the window, after which a start is forgiven, stays at a minute.
fn marked(mark: &str) -> Program {
    let mut program = program(&specs(mark)).unwrap();
    program.mesh.probation.max_ms = 1_000;
    program
}

fn bundle(mark: &str) -> Packed {
    packed(&marked(mark)).unwrap()
}

/// A proxy under the bundle `first`, good by now, that answers.
fn started(folder: &tempfile::TempDir) -> (Lone, Packed) {
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let first = bundle("first");
    lone.offer(&first, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_good(first.id, 30).unwrap();
    answers(&lone);
    (lone, first)
}

/// Waits until both services are answered for.
fn answers(lone: &Lone) {
    let fine = |path: &str| lone.get(path).is_ok_and(|status| status == 200);
    wait("requests are answered", 20, || fine("/orders/1") && fine("/cart/1")).unwrap();
}
