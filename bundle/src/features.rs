//! Features that units may require of a proxy. A proxy that lacks one must not run the unit.

/// Required by units that hold an expression: the instructions of [`crate::expr::VERSION`] 1.
pub const EXPRESSIONS: &str = "expressions-1";

/// Required by gateways and their Routes that claim `*`, every host that nobody else claims. A proxy that lacks it would
/// answer 404 there.
pub const CATCH_ALL: &str = "catch-all";

/// Required by units with a rule whose `match` is a list.
pub const MATCH_ANY: &str = "match-any";

/// Required by units with a path of the form [`crate::PathPattern::Prefix`].
pub const PATH_PREFIX: &str = "path-prefix";

/// Required by units that retry on a class of statuses, `5xx` or `gateway-error`.
pub const RETRY_CLASSES: &str = "retry-classes";

/// Required by a canary of the strategy `blueGreen`. The format has it; no proxy enforces it yet, so such a bundle is
/// refused at rung 3.
pub const BLUE_GREEN: &str = "blue-green";

/// Required by a canary with a stage for some requests only; refused like [`BLUE_GREEN`].
pub const STAGE_MATCH: &str = "stage-match";

/// Features that this version enforces, sorted.
pub const FEATURES: &[&str] = &[CATCH_ALL, EXPRESSIONS, MATCH_ANY, PATH_PREFIX, RETRY_CLASSES];
