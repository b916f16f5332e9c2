//! `meshc validate`: reports the findings of the whole mesh.

mod fix;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mesh_compiler::diag::{Code, Diagnostic, Severity, Span};
use mesh_workspace::Mesh;

use crate::failure::Failure;
use crate::load::{self, Day, Revision, Today, Where};
use crate::output::{Outputs, note};
use crate::text::count;

/// Look for mistakes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    meshc validate                       all findings of all files and environments\n  \
    meshc validate services/web          those of some files; all are read all the same\n  \
    meshc validate --env prod            those of one environment\n  \
    meshc validate --fix                 repair what can be repaired safely\n  \
    meshc validate --rev origin/main     a revision, without touching the work tree\n  \
    meshc validate --staged              what the next commit has, for a hook\n  \
    meshc validate --output concise --output json=findings.json")]
pub(crate) struct Args {
    /// Report findings of these files and folders only
    paths: Vec<PathBuf>,
    #[command(flatten)]
    revision: Revision,
    /// Report findings of these environments only; may be repeated
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Vec<String>,
    /// Lowest severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error", env = "MESHC_FAIL_ON")]
    fail_on: Level,
    #[command(flatten)]
    today: Today,
    /// Apply the repairs that are safe to the files of the work tree
    #[arg(long, conflicts_with_all = ["rev", "staged"])]
    fix: bool,
}

/// Severity at which `--fail-on` gives exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Level {
    Error,
    Warning,
    Note,
}

impl Level {
    fn covers(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity == Severity::Error,
            Self::Warning => severity <= Severity::Warning,
            Self::Note => true,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let day = Day::Given(args.today.now);
    let mut begin = Instant::now();
    let mut mesh = load::mesh(place, &args.revision, day)?;
    let mut took = begin.elapsed();
    if args.fix {
        let fixed = fix::apply(&mesh, args.today.now)?;
        if fixed.findings > 0 {
            let (findings, files) = (count(fixed.findings, "finding"), count(fixed.files.len(), "file"));
            note(&format!("fixed {findings} in {files}"));
            begin = Instant::now();
            mesh = load::mesh_of(mesh.place, day, &[])?;
            took = begin.elapsed();
        }
    }
    let narrow = Narrow::new(&args.paths, &mesh)?;
    let mut report = load::findings(&mesh, "validate", took);
    report.list.retain(|finding| narrow.covers(mesh.compiled.sources.path(finding.primary.span.file)));
    if !args.env.is_empty() {
        // Without a usable Mesh there is no environment to name.
        if !mesh.compiled.environments.is_empty() {
            mesh.environments(&args.env)?;
        }
        let own = load::mesh_of(mesh.place.clone(), day, &args.env)?;
        let own: BTreeSet<_> = own.compiled.findings.iter().map(key).collect();
        report.list.retain(|finding| own.contains(&key(finding)));
    }
    if outputs.for_people() {
        mesh.compiled.notes.iter().for_each(|text| note(&format!("note: {text}")));
    }
    outputs.emit(&report)?;
    let bad = |finding: &&Diagnostic| args.fail_on.covers(finding.severity);
    Ok(u8::from(report.list.iter().any(bad)))
}

/// Identity of a finding: two findings with the same key are one.
fn key(finding: &Diagnostic) -> (Span, Code, String) {
    (finding.primary.span, finding.code, finding.message.clone())
}

/// The files that are reported on.
struct Narrow {
    prefixes: Vec<String>,
}

impl Narrow {
    /// Paths as they are written at the prompt, or as they are reported.
    fn new(paths: &[PathBuf], mesh: &Mesh) -> Result<Self, Failure> {
        let mut prefixes = Vec::new();
        for path in paths {
            let shown = path.to_string_lossy();
            let known = |prefix: &str| {
                let mut files = mesh.compiled.sources.iter();
                files.any(|(_, file)| covers(prefix, file.path()))
            };
            let literal = shown.trim_start_matches("./").trim_end_matches('/').to_owned();
            let prefix = match reported(path, mesh).or_else(|| reported(&mesh.place.folder.join(path), mesh))
            {
                Some(prefix) if prefix.is_empty() || known(&prefix) => prefix,
                _ if known(&literal) => literal,
                _ => {
                    let message = format!("no file of the mesh lies at `{}`", shown.escape_debug());
                    return Err(Failure::cannot(message));
                }
            };
            prefixes.push(prefix);
        }
        Ok(Self { prefixes })
    }

    fn covers(&self, path: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| covers(prefix, path))
    }
}

fn covers(prefix: &str, path: &str) -> bool {
    prefix.is_empty()
        || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path of this machine as it stands in reports.
fn reported(path: &Path, mesh: &Mesh) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let prefix = mesh.place.prefix();
    if mesh.place.folder.starts_with(&path) {
        return Some(prefix.to_owned());
    }
    let below = path.strip_prefix(&mesh.place.folder).ok()?.to_str()?.to_owned();
    Some([prefix, &below].iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join("/"))
}
