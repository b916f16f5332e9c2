//! Steps of activation, one after the other in one process.

use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use mesh_bundle::Digest;
use mesh_bundle::trust::TrustSet;
use mesh_proxy::activation::ReloadOutcome;
use mesh_proxy::store::{Disk, Journal};

use super::broken_disks::{AnyDisk, Bad};
use super::ladder::{Ladder, NoPreflight, Setup, ladder};

/// Longer than any probation of the bundles that harnesses make.
const LONG: Duration = Duration::from_secs(24 * 3_600);
/// More requests than a verdict takes.
const MANY: usize = 1_000;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What a proxy does when it starts: the best bundle on its own disk.
    Start,
    /// A look at the source.
    Look,
    /// A return by hand to a bundle.
    Return(Digest),
    /// The end of a hold.
    Resume,
    /// Time passes until the bundle in force is good.
    Good,
    /// The bundle in force denies what the one before did not, and the proxy goes back by itself.
    Bad,
    /// The process ends as if it had died: nothing is said to the state folder any more.
    Die,
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "start" => Ok(Self::Start),
            "look" => Ok(Self::Look),
            "resume" => Ok(Self::Resume),
            "good" => Ok(Self::Good),
            "bad" => Ok(Self::Bad),
            "die" => Ok(Self::Die),
            _ => {
                let to = text.strip_prefix("return=").and_then(|id| id.parse().ok());
                to.map(Self::Return).ok_or_else(|| format!("`{text}` is not a step"))
            }
        }
    }
}

/// Runs `steps`, parted by commas, and says in one line each what they came to: `ack ID` where a bundle came into force
/// and the journal on the disk names it, `good ID` where that says that it is good, else `held ID`, `started ID`,
/// `unchanged` or `refused CODE`. At the end the proxy stops as one that was told to.
///
/// # Errors
/// The state folder cannot be used, the trust set cannot be read, or `steps` holds something else.
pub fn run(
    state: &Path,
    source: &Path,
    trust: &Path,
    steps: &str,
    bad: Option<Bad>,
    out: &mut impl Write,
) -> io::Result<()> {
    let trust: TrustSet = serde_json::from_slice(&std::fs::read(trust)?)?;
    let steps =
        steps.split(',').map(str::parse).collect::<Result<Vec<Step>, _>>().map_err(io::Error::other)?;
    let (disk, preflight) = (AnyDisk(bad), Box::new(NoPreflight));
    let mut ladder = ladder(Setup { state, source, trust, now: 1_000, disk, preflight })?;
    for step in steps {
        if step == Step::Die {
            return Ok(());
        }
        let mut said = take(&mut ladder, step, state);
        said.push('\n');
        out.write_all(said.as_bytes())?;
        out.flush()?;
    }
    ladder.reloader.stop();
    Ok(())
}

fn take(ladder: &mut Ladder<impl Disk>, step: Step, state: &Path) -> String {
    let reloader = &mut ladder.reloader;
    let look = match step {
        Step::Start => {
            return reloader
                .start()
                .map_or_else(|| "started nothing".to_owned(), |id| format!("started {id}"));
        }
        Step::Look => Ok(reloader.poll_source(true)),
        Step::Return(to) => reloader.rollback(Some(to)).map(|bundle| ReloadOutcome::Activated { bundle }),
        Step::Resume => reloader.resume(None),
        Step::Good => {
            ladder.pass(LONG);
            ladder.reloader.tick();
            let good = written(state).and_then(|journal| journal.good);
            return good.map_or_else(|| "none is good".to_owned(), |id| format!("good {id}"));
        }
        Step::Bad => {
            ladder.deny(MANY);
            let back = ladder.reloader.tick();
            Ok(back.map_or(ReloadOutcome::Unchanged, |bundle| ReloadOutcome::Activated { bundle }))
        }
        Step::Die => Ok(ReloadOutcome::Unchanged),
    };
    match look {
        Ok(ReloadOutcome::Activated { bundle })
            if written(state).is_some_and(|j| j.active == Some(bundle)) =>
        {
            format!("ack {bundle}")
        }
        Ok(ReloadOutcome::Activated { bundle }) => format!("in force and not written down {bundle}"),
        Ok(ReloadOutcome::Held { bundle }) => format!("held {bundle}"),
        Ok(ReloadOutcome::Unchanged) => "unchanged".to_owned(),
        Ok(ReloadOutcome::Refused { refusal }) | Err(refusal) => format!("refused {}", refusal.code),
    }
}

/// The journal on the disk; the one in memory may be ahead of it where the disk failed.
fn written(state: &Path) -> Option<Journal> {
    serde_json::from_slice(&std::fs::read(state.join("journal.json")).ok()?).ok()
}
