//! Start-up: the best bundle on the own disk that still climbs, and has not killed the proxy too often.

use std::sync::Arc;

use mesh_bundle::verify::Standing;
use mesh_bundle::{Digest, Refusal};

use super::in_force::InForce;
use super::ladder::{Check, Ladder};
use super::proven::Ready;
use crate::store::{BOOT_ATTEMPTS, Disk};
use crate::telemetry::{Events, Level};

/// Brings a bundle of the own disk into force: the one that was, else the last good one, else older ones. Needs nobody.
/// One that the proxy died under three times before it was good is quarantined.
pub(super) fn start(ladder: &Ladder, in_force: &mut InForce<impl Disk>) -> Option<Digest> {
    in_force.adopt_root();
    let journal = in_force.journal();
    let order = journal.start_order().into_iter().filter(|bundle| journal.may_start(*bundle));
    let (deadly, sound): (Vec<Digest>, Vec<Digest>) = order.partition(|bundle| journal.is_deadly(*bundle));
    for bundle in &deadly {
        condemn(in_force, *bundle);
    }
    // What died under the last good one may have other reasons: better that than nothing.
    let quarantined = |bundle: &Digest| in_force.journal().quarantine.contains_key(bundle);
    let last: Vec<Digest> = deadly.into_iter().filter(|bundle| !quarantined(bundle)).collect();
    sound.into_iter().chain(last).find(|bundle| boot(ladder, in_force, *bundle))
}

/// Rungs 1 to 6 for what is on the own disk, under the newest accepted state.
pub(super) fn restore(
    ladder: &Ladder,
    in_force: &mut InForce<impl Disk>,
    bundle: Digest,
    check: Check,
) -> Result<Ready, Refusal> {
    let packed = in_force.read_back(bundle)?;
    let candidate = ladder.stored(bundle, &packed, in_force.trust_sets())?;
    in_force.vouch(bundle, &packed);
    let active = in_force.active();
    let program = ladder.well_formed(&candidate.bundle, Standing::Accepted, active.as_deref())?;
    let current = in_force.current(active.as_deref());
    let ready = ladder.build(&candidate, program, &in_force.journal().state, current, check);
    ready.map_err(|refusal| candidate.bundle.locate(refusal))
}

/// Tries one; whether it is in force.
fn boot(ladder: &Ladder, in_force: &mut InForce<impl Disk>, bundle: Digest) -> bool {
    // Written before the attempt, so that a death on the way counts.
    in_force.note(|journal| journal.boots_again(bundle));
    let mut ready = match restore(ladder, in_force, bundle, Check::InChildFirst) {
        Ok(ready) => ready,
        Err(refusal) => {
            in_force.boot_refused(bundle, &refusal);
            return false;
        }
    };
    let good = in_force.journal().good;
    let mut compared = None;
    if good != Some(bundle) {
        // One that kills the process must not decide beside another either.
        let journal = in_force.journal();
        let old = good.filter(|good| journal.may_start(*good) && !journal.is_deadly(*good));
        let old = old.and_then(|good| restore(ladder, in_force, good, Check::HereOnly).ok());
        let denied = std::mem::take(&mut ready.denied);
        let fresh = Arc::clone(&ready.active);
        compared = in_force.begin_probation(ladder, &fresh, denied, old.map(|ready| ready.active));
    }
    in_force.enter(ready, compared);
    Events.say(Level::Info, &format!("{bundle} is in force, from the own disk"));
    true
}

/// A bundle under which the proxy died too often.
fn condemn(in_force: &mut InForce<impl Disk>, bundle: Digest) {
    let reason = format!("the proxy died {BOOT_ATTEMPTS} times under it before it was good");
    if in_force.journal().good == Some(bundle) {
        let message = format!("the proxy died {BOOT_ATTEMPTS} times under {bundle}; others are tried first");
        Events.say(Level::Error, &message);
        return;
    }
    Events.say(Level::Error, &format!("{bundle} is quarantined: {reason}"));
    in_force.note(|journal| journal.quarantine(bundle, &reason));
}
