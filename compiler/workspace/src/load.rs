//! From the files of a mesh to its compilation.

use mesh_compiler::diag::{Date, Diagnostic, Sources, Span, codes};
use mesh_compiler::{Compiled, CompiledEnvironment, Options, compile};

use crate::redact::redact;
use crate::tree::{Origin, Place, Remark, Snapshot, TreeError, listed};

/// A mesh that was read and compiled.
#[derive(Debug)]
pub struct Mesh {
    /// Place that it was read from.
    pub place: Place,
    /// Commit and generation by git; empty unless the day of the check is the commit's.
    pub origin: Origin,
    /// Program, findings and tests by the compiler.
    pub compiled: Compiled,
    /// What a person should know about the repository, each once.
    pub remarks: Vec<Remark>,
}

/// The day of a check: suppressions and waivers end by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// This one; nothing has ended without one.
    Given(Option<Date>),
    /// This one; what has ended by it holds on, and a note says so.
    Lenient(Option<Date>),
    /// A given one, else the committer's; for what is in no commit, the other.
    OfCommit {
        /// In place of the committer's.
        given: Option<Date>,
        /// For what is in no commit.
        otherwise: Option<Date>,
    },
}

/// A mesh cannot be read. What is wrong inside of its files is a finding and no error.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The files cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The folder has no spec file.
    #[error("there are no YAML files")]
    NoFiles,
}

/// An environment that cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// There are several, and none was named.
    #[error("which environment? {}", there_are(.known))]
    NotNamed {
        /// The environments of the mesh.
        known: Vec<String>,
    },
    /// None has this name.
    #[error("there is no environment `{}`", .name.escape_debug())]
    Unknown {
        /// The name.
        name: String,
        /// The environments of the mesh.
        known: Vec<String>,
    },
}

impl Mesh {
    /// Reads and compiles a mesh, with the findings of `environments` only; of all if the list is empty. No finding
    /// quotes a secret.
    ///
    /// # Errors
    /// When files or the repository cannot be read.
    pub fn load(place: Place, day: Day, environments: &[String]) -> Result<Self, LoadError> {
        let mut snapshot = place.read()?;
        if snapshot.files.is_empty() && snapshot.refused.is_empty() {
            return Err(LoadError::NoFiles);
        }
        let mut origin = Origin::default();
        let today = match day {
            Day::Given(date) | Day::Lenient(date) => date,
            Day::OfCommit { given, otherwise } => {
                origin = place.origin(&snapshot)?;
                let commit = origin.commit.as_ref();
                given.or_else(|| commit.map_or(otherwise, |commit| Date::of_unix(commit.seconds)))
            }
        };
        let options = Options {
            today,
            lenient: matches!(day, Day::Lenient(_)),
            unread: !snapshot.refused.is_empty(),
            environments: environments.to_vec(),
        };
        let mut compiled = compile(std::mem::take(&mut snapshot.files), &options);
        for finding in of_the_tree(&snapshot, &place, &mut compiled) {
            compiled.findings.push(finding);
        }
        compiled.findings = redact(std::mem::take(&mut compiled.findings), &compiled.sources);
        compiled.findings.sort(&compiled.sources);
        let mut remarks = snapshot.remarks;
        for remark in &origin.remarks {
            if !remarks.contains(remark) {
                remarks.push(remark.clone());
            }
        }
        Ok(Self { place, origin, compiled, remarks })
    }

    /// The environments with these names, or all.
    ///
    /// # Errors
    /// For a name that is none.
    pub fn environments(&self, names: &[String]) -> Result<Vec<&CompiledEnvironment>, EnvironmentError> {
        if names.is_empty() {
            return Ok(self.compiled.environments.iter().collect());
        }
        names.iter().map(|name| self.environment_named(name)).collect()
    }

    /// The environment with this name; without one, the only one.
    ///
    /// # Errors
    /// For a name that is none, and where there are several and none is named.
    pub fn environment(&self, name: Option<&str>) -> Result<&CompiledEnvironment, EnvironmentError> {
        match (name, self.compiled.environments.as_slice()) {
            (Some(name), _) => self.environment_named(name),
            (None, [only]) => Ok(only),
            (None, _) => Err(EnvironmentError::NotNamed { known: self.names() }),
        }
    }

    fn environment_named(&self, name: &str) -> Result<&CompiledEnvironment, EnvironmentError> {
        let found = self.compiled.environments.iter().find(|e| e.name.as_str() == name);
        found.ok_or_else(|| EnvironmentError::Unknown { name: name.to_owned(), known: self.names() })
    }

    fn names(&self) -> Vec<String> {
        self.compiled.environments.iter().map(|e| e.name.to_string()).collect()
    }
}

/// Findings about files that are no part of the mesh, or were not there to be read.
fn of_the_tree(snapshot: &Snapshot, place: &Place, compiled: &mut Compiled) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for refused in &snapshot.refused {
        let file = compiled.sources.add(refused.path.clone(), String::new());
        let message = format!("the file cannot be part of a mesh: {}", refused.why);
        findings.push(Diagnostic::new(codes::TREE, Span::new(file, 0, 0), message));
    }
    let mesh =
        [place.prefix(), "mesh.yaml"].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
    let mesh = mesh.join("/");
    if !snapshot.hidden.is_empty() {
        let span = head_of(&mesh, &mut compiled.sources);
        let message = format!("a sparse checkout leaves out files of the mesh: {}", listed(&snapshot.hidden));
        let finding = Diagnostic::new(codes::SPARSE, span, message);
        findings.push(
            finding.help(
                "check all out with `git sparse-checkout disable`, or read what is committed: --rev HEAD",
            ),
        );
    }
    // Ignored is what the file says that is read before all others.
    let elsewhere = compiled.ignore.filter(|span| compiled.sources.path(span.file) != mesh);
    if let Some(span) = elsewhere.filter(|_| snapshot.ignored.is_empty()) {
        let message = "`ignore` has no effect here";
        let finding = Diagnostic::new(codes::IGNORE_ELSEWHERE, span, message);
        findings.push(finding.help(format!("write the Mesh in `{mesh}`")));
    }
    findings
}

/// The start of a file, which is added where it is not there.
fn head_of(path: &str, sources: &mut Sources) -> Span {
    let there = sources.iter().find(|(_, file)| file.path() == path).map(|(id, _)| id);
    let file = there.unwrap_or_else(|| sources.add(path.to_owned(), String::new()));
    Span::new(file, 0, 0)
}

/// `there are dev, prod`.
pub fn there_are(environments: &[String]) -> String {
    format!("there are {}", environments.join(", "))
}
