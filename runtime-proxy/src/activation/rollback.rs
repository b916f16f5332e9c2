//! Going back by hand: which bundle, and whether it may come back.

use mesh_bundle::{Digest, Refusal, Rung};

use crate::store::Journal;

/// The bundle to go back to: the named one, or the one that was in force before.
///
/// # Errors
/// A [`Refusal`]: there is none, it was never in force here, it is below the floor, or it is quarantined.
pub(super) fn target(journal: &Journal, to: Option<Digest>) -> Result<Digest, Refusal> {
    let target = to.or_else(|| journal.before_active()).ok_or_else(|| {
        Refusal::new(Rung::Eligible, "no-older-bundle", "there is no older bundle in the history")
    })?;
    let activation = journal.activation_of(target).ok_or_else(|| {
        let message = format!("{target} was never in force on this proxy");
        Refusal::new(Rung::Eligible, "not-in-history", message)
    })?;
    if activation.generation < journal.floor() {
        let message = format!("{target} is of generation {}, below the floor", activation.generation);
        return Err(Refusal::new(Rung::Eligible, "below-floor", message));
    }
    if let Some(reason) = journal.quarantine.get(&target) {
        let message = format!("{target} is quarantined: {reason}; `resume {target}` ends that");
        return Err(Refusal::new(Rung::Probation, "quarantined", message));
    }
    Ok(target)
}
