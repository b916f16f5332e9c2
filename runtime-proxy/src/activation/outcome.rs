//! What came of looking at a source, of going back and of going on.

use mesh_bundle::{Digest, Refusal};
use serde::Serialize;

/// The outcome of a poll of the source or of an operator's command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum ReloadOutcome {
    /// Nothing new.
    Unchanged,
    /// A bundle came into force.
    Activated {
        /// Its id.
        bundle: Digest,
    },
    /// A bundle was stored and waits for `resume`.
    Held {
        /// Its id.
        bundle: Digest,
    },
    /// Refused; what was in force stays.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}
