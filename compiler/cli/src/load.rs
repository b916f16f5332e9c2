//! Where a command finds its mesh, and its compilation with the clock of this machine.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use mesh_compiler::diag::{Date, Severity, codes};
use mesh_workspace::{GitEnvironment, Mesh, Place, Which, load};

use crate::failure::Failure;
use crate::output::{Outputs, note};
use crate::progress::Progress;
use crate::render::Findings;
use crate::text::{clean, count};

/// Folder from which the mesh is searched upwards.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Where {
    /// Look for the mesh in this folder and those above it
    #[arg(short = 'C', value_name = "DIR", default_value = ".", env = "MESHC_DIR", global = true)]
    pub(crate) directory: PathBuf,
}

/// Which files of the mesh are read: those of the folder, or others that git has.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Revision {
    /// Read this git revision and not the files of the folder: a commit, branch, tag or tree in a form of `git
    /// rev-parse` (main, origin/main, v1.2, HEAD~2, main@{yesterday}, 1a2b3c4, HEAD^{tree}, :/text); REV:FOLDER where
    /// the mesh lies in another folder there, or the repository is bare
    #[arg(long, value_name = "REV", env = "MESHC_REV")]
    pub(crate) rev: Option<String>,
    /// Read what is staged (`git add`) and not the files of the folder, as a hook before a commit does
    #[arg(long, conflicts_with = "rev")]
    pub(crate) staged: bool,
}

impl Revision {
    fn which(&self) -> Which {
        match &self.rev {
            Some(rev) => Which::Revision(rev.clone()),
            None if self.staged => Which::Staged,
            None => Which::Files,
        }
    }
}

/// The day that a command takes for today.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Today {
    /// Take this day (YYYY-MM-DD) for today: suppressions and waivers end by it
    #[arg(long, value_name = "DATE", value_parser = date, env = "MESHC_NOW")]
    pub(crate) now: Option<Date>,
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "a day is written YYYY-MM-DD".to_owned())
}

/// The date of the check.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Day {
    /// This one, or today.
    Given(Option<Date>),
    /// As the one before, but what has ended by it holds on: for commands that ask what runs.
    Running(Today),
    /// This one, or the committer's, or today for what is in no commit.
    Commit(Today),
}

/// Finds the mesh of `at` or of a revision, reads and compiles it.
///
/// # Errors
/// When there is none, or it cannot be read.
pub(crate) fn mesh(at: &Where, revision: &Revision, day: Day) -> Result<Mesh, Failure> {
    let environment = GitEnvironment::new(std::env::vars_os());
    let mesh = mesh_of(Place::find(&at.directory, revision.which(), environment)?, day, &[])?;
    mesh.remarks.iter().for_each(|remark| note(&format!("note: {remark}")));
    Ok(mesh)
}

/// Reads and compiles the mesh of a place that is known, with the findings of some environments only; of all if the list
/// is empty.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn mesh_of(place: Place, day: Day, environments: &[String]) -> Result<Mesh, Failure> {
    let _progress = Progress::start("compiling");
    let today = Date::of_unix(now());
    let day = match day {
        Day::Given(date) => load::Day::Given(date.or(today)),
        Day::Running(given) => load::Day::Lenient(given.now.or(today)),
        Day::Commit(given) => load::Day::OfCommit { given: given.now, otherwise: today },
    };
    Ok(Mesh::load(place, day, environments)?)
}

/// The findings of a mesh as a report of `command`, which took this long.
pub(crate) fn findings<'m>(mesh: &'m Mesh, command: &'static str, took: Duration) -> Findings<'m> {
    Findings {
        command,
        sources: &mesh.compiled.sources,
        list: mesh.compiled.findings.iter().collect(),
        notes: &mesh.compiled.notes,
        counts: mesh.compiled.counts,
        took,
    }
}

/// True if there is no error; else the findings have been reported. Of mere warnings only their number is told, and what has
/// ended.
///
/// # Errors
/// When the report cannot be written.
pub(crate) fn is_sound(mesh: &Mesh, command: &'static str, outputs: &Outputs) -> Result<bool, Failure> {
    if mesh.compiled.findings.has_errors() {
        // The time is told where there are no findings.
        outputs.emit(&findings(mesh, command, Duration::ZERO))?;
        return Ok(false);
    }
    let ended = [codes::EXPIRED_WAIVER, codes::SUPPRESSION_EXPIRED];
    for finding in mesh.compiled.findings.iter().filter(|finding| ended.contains(&finding.code)) {
        let at = mesh.compiled.sources.position(finding.primary.span);
        let path = mesh.compiled.sources.path(finding.primary.span.file);
        note(&clean(&format!("note: {path}:{}: {}; `meshc validate` refuses it", at.line, finding.message)));
    }
    match mesh.compiled.findings.count(Severity::Warning) {
        0 => {}
        warnings => note(&format!("{}; see `meshc validate`", count(warnings, "warning"))),
    }
    Ok(true)
}

/// Current time in Unix seconds. A clock that stands before 1970 counts as 1970, and one past the end of 64 bits as that.
pub(crate) fn now() -> i64 {
    i64::try_from(since_1970().as_secs()).unwrap_or(i64::MAX)
}

/// Time since 1970; none by a clock that stands before it.
pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO)
}
