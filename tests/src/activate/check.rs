//! What must be on a disk after a crash: whole files, a journal, and the old bundle or the new one.

use std::path::Path;

use mesh_bundle::trust::TrustSet;
use mesh_bundle::{Digest, archive, verify};
use mesh_proxy::store::{Journal, RealDisk, Store};

use super::ladder::{NoPreflight, Setup, ladder};

/// What may be in force after a crash.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// What was in force before the run; nothing on a fresh disk.
    pub before: Option<Digest>,
    /// What the run brings into force.
    pub after: Option<Digest>,
    /// The generation that was accepted before the run.
    pub generation: u64,
    /// What the run said before it ended.
    pub said: Said,
}

/// What a run of the activator said that a proxy must remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `ack ID`: in force.
    pub acknowledged: Option<Digest>,
    /// `held ID`: stored.
    pub held: Option<Digest>,
    /// `good ID`: the last known good one.
    pub good: Option<Digest>,
}

impl Said {
    /// Reads an activator's output; a line that is cut off counts as not said.
    #[must_use]
    pub fn read(output: &str) -> Self {
        let mut said = Self::default();
        for line in output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            if let Some(id) = line.strip_prefix("ack ") {
                said.acknowledged = id.parse().ok();
            } else if let Some(id) = line.strip_prefix("held ") {
                said.held = id.parse().ok();
            } else if let Some(id) = line.strip_prefix("good ") {
                said.good = id.parse().ok();
            }
        }
        said
    }
}

/// Looks at a state folder as a proxy that starts anew does.
///
/// # Errors
/// In words, what is partial, lost, or neither old nor new.
pub fn whole(state: &Path, trust: &TrustSet, allowed: &Allowed) -> Result<Option<Digest>, String> {
    let bundles = state.join("bundles");
    let archives = || -> Vec<String> {
        let entries = std::fs::read_dir(&bundles).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    for name in archives().iter().filter(|name| name.ends_with(".mcb")) {
        let id = intact(&bundles.join(name)).map_err(|why| format!("bundles/{name} is partial: {why}"))?;
        if *name != format!("{}.mcb", id.hex()) {
            return Err(format!("bundles/{name} holds {id}"));
        }
    }
    let journal = journal(state)?;
    if let Some(name) = archives().iter().find(|name| !name.ends_with(".mcb")) {
        return Err(format!("bundles/{name} stays behind"));
    }
    let named = [journal.active, journal.next, journal.good, journal.previous, journal.offered];
    for id in named.into_iter().flatten() {
        if !bundles.join(format!("{}.mcb", id.hex())).is_file() {
            return Err(format!("the journal names {id}, and it is not stored"));
        }
    }
    let accepted = journal.accepted.as_ref().map_or(0, |accepted| accepted.generation);
    if accepted < allowed.generation {
        return Err(format!("generation {accepted} after {} was accepted", allowed.generation));
    }
    let empty = state.join("no-source");
    let (trust, disk, preflight) = (trust.clone(), RealDisk, Box::new(NoPreflight));
    let setup = Setup { state, source: &empty, trust, now: 1_000, disk, preflight };
    let mut reloader = ladder(setup).map_err(|error| error.to_string())?.reloader;
    let started = reloader.start();
    reloader.stop();
    if started != reloader.status().active {
        return Err(format!("{started:?} was started, and {:?} is in force", reloader.status().active));
    }
    if started != allowed.before && started != allowed.after {
        return Err(format!("{started:?} is neither {:?} nor {:?}", allowed.before, allowed.after));
    }
    if allowed.said.acknowledged.is_some() && started != allowed.said.acknowledged {
        return Err(format!("{:?} was acknowledged, and {started:?} is in force", allowed.said.acknowledged));
    }
    if allowed.said.good.is_some() && journal.good != allowed.said.good {
        return Err(format!("{:?} was said to be good, and {:?} is", allowed.said.good, journal.good));
    }
    if allowed.said.held.is_some() && journal.offered != allowed.said.held {
        return Err(format!("{:?} was to wait, and {:?} does", allowed.said.held, journal.offered));
    }
    Ok(started)
}

fn journal(state: &Path) -> Result<Journal, String> {
    let store = Store::open(state, RealDisk).map_err(|error| error.to_string())?;
    Ok(store.journal().clone())
}

fn intact(path: &Path) -> Result<Digest, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let files = archive::read(&bytes).map_err(|refusal| refusal.to_string())?;
    verify::intact(files).map(|bundle| bundle.id).map_err(|refusal| refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_said() {
        let id = Digest::of(b"a");
        let said = Said::read(&format!("started nothing\nack {id}\n"));
        assert_eq!(said, Said { acknowledged: Some(id), ..Said::default() });
        assert_eq!(Said::read(&format!("ack {id}")), Said::default());
    }
}
