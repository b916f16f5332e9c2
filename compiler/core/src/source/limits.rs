//! Bounds of a file: those of the language, and one of reports.

pub use mesh_bundle::limits::{FILE_ALIASES, FILE_BYTES, FILE_DEPTH, FILE_NODES, SCALAR_BYTES};

/// Findings about single characters of a file; the rest is most likely the same mistake.
pub const CHARACTER_FINDINGS: usize = 20;
