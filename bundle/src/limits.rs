//! Every number that bounds the language, the bundle and a request, in one place.
//!
//! Compiler and proxy use the same constants, so what one accepts the other can hold.
//! Source: the "Limits" section of the language's semantics (`docs/spec.md`).

/// Services in one mesh.
pub const SERVICES: usize = 10_000;
/// Route rules plus access entries in one mesh.
pub const RULES: usize = 100_000;
/// Size of one spec file in bytes.
pub const FILE_BYTES: usize = 1 << 20;
/// YAML nodes of one spec file, aliases expanded.
pub const FILE_NODES: usize = 20_000;
/// Nesting depth of one spec file.
pub const FILE_DEPTH: usize = 64;
/// Size of one scalar of a spec file in bytes.
pub const SCALAR_BYTES: usize = 64 << 10;
/// Aliases in one spec file.
pub const FILE_ALIASES: usize = 100;
/// Size of one compiled regular expression in bytes.
pub const REGEX_BYTES: usize = 64 << 10;
/// Instructions of one lowered expression, with the members of sets.
pub const EXPR_NODES: usize = 4_096;
/// Nesting depth of one lowered expression.
pub const EXPR_DEPTH: usize = 32;
/// Length of one expression's text in bytes.
pub const EXPR_TEXT: usize = 16 << 10;
/// Slots (places of a request) that one expression reads.
pub const EXPR_SLOTS: usize = 256;
/// Units of work that one evaluation of an expression may take at most: one is a comparison, or 8 bytes read.
pub const EXPR_COST: u64 = 100_000;
/// Bytes of one value of a request: a header, a cookie, a query parameter, the path.
pub const VALUE_BYTES: usize = 8 << 10;
/// Size of a whole bundle in bytes, unpacked.
pub const BUNDLE_BYTES: usize = 256 << 20;
/// Number of units of a bundle.
pub const UNITS: usize = 65_536;
/// Files of a bundle: a unit, its source map and its self-tests, plus index and signatures.
pub const BUNDLE_FILES: usize = 3 * UNITS + 300;
/// Size of one unit, and of any one file beside the units, in bytes.
pub const UNIT_BYTES: usize = 1 << 20;
/// Size of one index shard, source map, or self-test file in bytes.
pub const SIDE_FILE_BYTES: usize = 8 << 20;
/// Size of the manifest in bytes.
pub const MANIFEST_BYTES: usize = 4 << 10;
/// Size of a signature or release envelope in bytes.
pub const ENVELOPE_BYTES: usize = 64 << 10;
/// Largest zstd window (as a power of two) that a reader of archives accepts: 8 MiB.
pub const ZSTD_WINDOW_LOG: u32 = 23;
/// Largest integer that JSON carries exactly (RFC 8259 section 6, RFC 8785): 2^53 - 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// Largest version-like number (epoch, generation) accepted: keeps a counter from being run to its end.
pub const MAX_GENERATION: u64 = 1 << 40;
/// Denials that one release expects.
pub const EXPECTED_DENIALS: usize = 10_000;
/// Keys in a trust set, and signatures in an envelope.
pub const KEYS: usize = 64;
/// Self-tests of one unit.
pub const SELF_TESTS: usize = 64;
/// Basis points in the whole: 100 %.
pub const WHOLE: u32 = 10_000;
/// Number of stages of a canary.
pub const STAGES: usize = 20;
/// Keys that one quota limit tells apart on one proxy; past that one shared bucket.
pub const QUOTA_KEYS: usize = 100_000;
/// Size of a request body kept for a retry, in bytes.
pub const REPLAY_BYTES: usize = 64 << 10;
/// Header lines of one request.
pub const HEADER_LINES: usize = 100;
/// Size of one request's head in bytes.
pub const HEAD_BYTES: usize = 64 << 10;
/// Query parameters of one request that rules can see.
pub const QUERY_PARAMETERS: usize = 100;
/// Cookies of one request that rules can see.
pub const COOKIES: usize = 64;
