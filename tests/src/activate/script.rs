//! Steps of activation, one after the other in one process.

use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use mesh_bundle::Digest;
use mesh_bundle::trust::TrustSet;
use mesh_proxy::reload::{Look, Reloader};
use mesh_proxy::store::Disk;

use super::disks::{AnyDisk, Bad};
use super::ladder::{Setup, ladder};

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
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "start" => Ok(Self::Start),
            "look" => Ok(Self::Look),
            "resume" => Ok(Self::Resume),
            _ => {
                let to = text.strip_prefix("return=").and_then(|id| id.parse().ok());
                to.map(Self::Return).ok_or_else(|| format!("`{text}` is no step"))
            }
        }
    }
}

/// Runs `steps`, parted by commas, and says in one line each what they came to: `ack ID` where a bundle came into force
/// and the journal names it, else `held ID`, `started ID`, `unchanged` or `refused CODE`.
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
    let mut reloader = ladder(Setup { state, source, trust, now: 1_000, disk: AnyDisk(bad) })?;
    for step in steps {
        let mut said = take(&mut reloader, step);
        said.push('\n');
        out.write_all(said.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

fn take(reloader: &mut Reloader<impl Disk>, step: Step) -> String {
    let look = match step {
        Step::Start => {
            return reloader
                .start()
                .map_or_else(|| "started nothing".to_owned(), |id| format!("started {id}"));
        }
        Step::Look => Ok(reloader.look(true)),
        Step::Return(to) => reloader.rollback(Some(to)).map(|bundle| Look::Activated { bundle }),
        Step::Resume => reloader.resume(None),
    };
    match look {
        Ok(Look::Activated { bundle }) if reloader.status().journal.active == Some(bundle) => {
            format!("ack {bundle}")
        }
        Ok(Look::Activated { bundle }) => format!("in force and not written down {bundle}"),
        Ok(Look::Held { bundle }) => format!("held {bundle}"),
        Ok(Look::Unchanged) => "unchanged".to_owned(),
        Ok(Look::Refused { refusal }) | Err(refusal) => format!("refused {}", refusal.code),
    }
}
