//! What the fuzz targets share: a signed bundle that input edits, and requests to decide.
//!
//! The targets look for panics, hangs and growth past the stated bounds, and each asserts that what is accepted reads
//! back as it was written.

pub mod draft;
pub mod shop;
pub mod trees;
