//! From a folder or revision to a compiled mesh.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use mesh_bundle::calendar::date_of_day;
use mesh_compiler::diag::{Date, Diagnostic, Severity, Span, codes, nearest};
use mesh_compiler::{Compiled, CompiledEnvironment, Options, compile};

use crate::failure::Failure;
use crate::output::{Outputs, note};
use crate::progress::Progress;
use crate::redact::redact;
use crate::render::Findings;
use crate::tree::{Origin, Place};

/// Folder from which the mesh is searched upwards.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Where {
    /// Look for the mesh in this folder and those above it
    #[arg(short = 'C', value_name = "DIR", default_value = ".", env = "MESHC_DIR", global = true)]
    pub(crate) directory: PathBuf,
}

/// Which revision is read.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Revision {
    /// Read this git revision (whatever `git rev-parse` takes) and not the files of the folder; the work tree is not
    /// touched. In a bare repository COMMIT:FOLDER names the mesh's folder
    #[arg(long, value_name = "REV", env = "MESHC_REV")]
    pub(crate) rev: Option<String>,
}

/// A mesh that was read and compiled.
#[derive(Debug)]
pub(crate) struct Mesh {
    /// Place that it was read from.
    pub(crate) place: Place,
    /// Commit and generation by git; empty unless the check's day is the commit's.
    pub(crate) origin: Origin,
    /// Program, findings and tests by the compiler.
    pub(crate) compiled: Compiled,
    /// Time that reading and compiling took.
    pub(crate) took: Duration,
}

/// The date of the check.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Day {
    /// This one, or today.
    Given(Option<Date>),
    /// The committer's, or today for what is in no commit.
    Commit,
}

impl Mesh {
    /// Reads and compiles.
    ///
    /// # Errors
    /// When files or the repository cannot be read.
    pub(crate) fn load(start: &Path, rev: Option<&str>, day: Day) -> Result<Self, Failure> {
        Self::at(Place::find(start, rev.map(str::to_owned))?, day)
    }

    /// Like [`Self::load`], for a place that is known.
    ///
    /// # Errors
    /// When files or the repository cannot be read.
    pub(crate) fn at(place: Place, day: Day) -> Result<Self, Failure> {
        Self::only(place, day, &[])
    }

    /// Like [`Self::at`], with the findings of some environments only; of all if the list is empty.
    ///
    /// # Errors
    /// When files or the repository cannot be read.
    pub(crate) fn only(place: Place, day: Day, environments: &[String]) -> Result<Self, Failure> {
        let begin = Instant::now();
        let progress = Progress::start("compiling");
        let mut snapshot = place.read()?;
        if snapshot.files.is_empty() && snapshot.refused.is_empty() {
            return Err(
                Failure::cannot("there are no YAML files").help("start a mesh with `meshc init NAME`")
            );
        }
        let mut origin = Origin::default();
        let today = match day {
            Day::Given(Some(date)) => Some(date),
            Day::Given(None) => date_of(now()),
            Day::Commit => {
                origin = place.origin(&snapshot)?;
                date_of(origin.commit.as_ref().map_or_else(now, |commit| commit.seconds))
            }
        };
        let mut compiled = compile(
            std::mem::take(&mut snapshot.files),
            &Options { today, environments: environments.to_vec() },
        );
        for refused in &snapshot.refused {
            let file = compiled.sources.add(refused.path.clone(), String::new());
            let message = format!("the file cannot be part of a mesh: {}", refused.why);
            compiled.findings.push(Diagnostic::error(codes::TREE, Span::new(file, 0, 0), message));
        }
        compiled.findings = redact(std::mem::take(&mut compiled.findings), &compiled.sources);
        compiled.findings.sort(&compiled.sources);
        drop(progress);
        Ok(Self { place, origin, compiled, took: begin.elapsed() })
    }

    /// The findings as a report of `command`.
    pub(crate) fn findings(&self, command: &'static str) -> Findings<'_> {
        Findings {
            command,
            sources: &self.compiled.sources,
            list: self.compiled.findings.iter().collect(),
            notes: &self.compiled.notes,
            counts: self.compiled.counts,
            took: self.took,
        }
    }

    /// True if there is no error; else the findings have been reported. Of mere warnings only their number is told.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub(crate) fn is_sound(&self, command: &'static str, outputs: &Outputs) -> Result<bool, Failure> {
        if self.compiled.findings.has_errors() {
            outputs.emit(&self.findings(command))?;
            return Ok(false);
        }
        match self.compiled.findings.count(Severity::Warning) {
            0 => {}
            warnings => note(&format!("{}; see `meshc validate`", crate::text::count(warnings, "warning"))),
        }
        Ok(true)
    }

    /// The environments with these names, or all.
    ///
    /// # Errors
    /// For a name that is none.
    pub(crate) fn environments(&self, names: &[String]) -> Result<Vec<&CompiledEnvironment>, Failure> {
        if names.is_empty() {
            return Ok(self.compiled.environments.iter().collect());
        }
        names.iter().map(|name| self.environment_named(name)).collect()
    }

    /// The environment with this name; without one, the only one.
    ///
    /// # Errors
    /// For a name that is none, and where there are several and none is named.
    pub(crate) fn environment(&self, name: Option<&str>) -> Result<&CompiledEnvironment, Failure> {
        match (name, self.compiled.environments.as_slice()) {
            (Some(name), _) => self.environment_named(name),
            (None, [only]) => Ok(only),
            (None, _) => Err(Failure::cannot(format!("which environment? {}", self.names()))
                .help("name one with --env, or in MESHC_ENV")),
        }
    }

    fn environment_named(&self, name: &str) -> Result<&CompiledEnvironment, Failure> {
        self.compiled.environments.iter().find(|e| e.name.as_str() == name).ok_or_else(|| {
            let known = self.compiled.environments.iter().map(|e| e.name.as_str());
            let failure = Failure::cannot(format!("there is no environment `{}`", name.escape_debug()));
            match nearest(name, known) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help(self.names()),
            }
        })
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.compiled.environments.iter().map(|e| e.name.as_str()).collect();
        format!("there are {}", names.join(", "))
    }
}

/// Current time in Unix seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The day of a time in UTC.
pub(crate) fn date_of(seconds: i64) -> Option<Date> {
    let (year, month, day) = date_of_day(seconds.div_euclid(86_400));
    Date::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let shown = |seconds| date_of(seconds).map(|d| d.to_string());
        assert_eq!(shown(0).as_deref(), Some("1970-01-01"));
        assert_eq!(shown(-1).as_deref(), Some("1969-12-31"));
        assert_eq!(shown(951_782_400).as_deref(), Some("2000-02-29"));
        assert_eq!(shown(1_798_675_199).as_deref(), Some("2026-12-30"));
        assert_eq!(shown(i64::MAX), None);
    }
}
