//! What the fuzz targets share: a signed bundle that input edits, and requests to decide.
//!
//! The targets look for panics, hangs and growth past the stated bounds, and each asserts that what is accepted reads
//! back as it was written.

#[path = "../../tests/src/cel/mod.rs"]
pub mod cel;
pub mod draft;
#[path = "../../tests/src/random.rs"]
pub mod random;
pub mod rules;
pub mod shop;
pub mod trees;
