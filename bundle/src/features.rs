//! Features that units may require of a proxy. A proxy that lacks one must not run the unit.

/// Required by units that hold an expression: the instructions of [`crate::expr::VERSION`] 1.
pub const EXPRESSIONS: &str = "expressions-1";

/// Required by units with a rule whose `match` is a list. The format has it; no engine runs it yet, so such a bundle is
/// refused at rung 4.
pub const MATCH_ANY: &str = "match-any";

/// Required by a canary of the strategy `blueGreen`; refused like [`MATCH_ANY`].
pub const BLUE_GREEN: &str = "blue-green";

/// Required by a canary with a stage for some requests only; refused like [`MATCH_ANY`].
pub const STAGE_MATCH: &str = "stage-match";

/// Features that this version enforces, sorted.
pub const FEATURES: &[&str] = &[EXPRESSIONS];
