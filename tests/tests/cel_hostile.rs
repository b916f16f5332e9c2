//! Texts that are made to cost are refused, in every environment. How soon is measured by `ci/bench-cel`.

use mesh_compiler::cel::{Environment, Phase, checked, condition};
use mesh_tests::cel::hostile;

#[test]
fn hostile_texts_are_refused() {
    for (name, text) in hostile::texts() {
        assert!(condition(&text, Phase::Inbound, &[], false).is_err(), "{name} is taken");
        // As a policy it may be well typed; it must come back.
        let _ = checked(&text, &Environment::new());
    }
}
