//! The kind Test: examples that must stay true. `cases` resolves them, `run` puts them to the decision core.

mod cases;
mod run;

pub use cases::{Expect, TestCase, cases};
pub use run::{Mismatch, Ran, RunError, run};
