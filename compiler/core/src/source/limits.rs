//! Documented bounds of what is read (`semantics.md`, "Limits").

/// Bytes of a file.
pub const FILE_BYTES: usize = 1 << 20;
/// Nodes of a file: keys, values, lists and maps; what an alias stands for counts each time.
pub const FILE_NODES: usize = 20_000;
/// Nesting of lists and maps, aliases included.
pub const DEPTH: usize = 64;
/// Bytes of one text, key or anchor name, as written and as meant.
pub const TEXT_BYTES: usize = 64 << 10;
/// Aliases of a file.
pub const FILE_ALIASES: usize = 100;
/// Findings about single characters of a file; the rest is most likely the same mistake.
pub const CHARACTER_FINDINGS: usize = 20;
