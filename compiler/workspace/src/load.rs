//! From the files of a mesh to its compilation.

use mesh_compiler::diag::{Date, Diagnostic, Span, codes};
use mesh_compiler::{Compiled, CompiledEnvironment, Options, compile};

use crate::redact::redact;
use crate::tree::{Origin, Place, TreeError};

/// A mesh that was read and compiled.
#[derive(Debug)]
pub struct Mesh {
    /// Place that it was read from.
    pub place: Place,
    /// Commit and generation by git; empty unless the day of the check is the commit's.
    pub origin: Origin,
    /// Program, findings and tests by the compiler.
    pub compiled: Compiled,
}

/// The day of a check: suppressions and waivers end by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// This one; nothing has ended without one.
    Given(Option<Date>),
    /// The committer's; for what is in no commit, this one.
    OfCommit(Option<Date>),
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
            Day::Given(date) => date,
            Day::OfCommit(otherwise) => {
                origin = place.origin(&snapshot)?;
                origin.commit.as_ref().map_or(otherwise, |commit| Date::of_unix(commit.seconds))
            }
        };
        let mut compiled = compile(
            std::mem::take(&mut snapshot.files),
            &Options { today, environments: environments.to_vec() },
        );
        for refused in &snapshot.refused {
            let file = compiled.sources.add(refused.path.clone(), String::new());
            let message = format!("the file cannot be part of a mesh: {}", refused.why);
            compiled.findings.push(Diagnostic::new(codes::TREE, Span::new(file, 0, 0), message));
        }
        compiled.findings = redact(std::mem::take(&mut compiled.findings), &compiled.sources);
        compiled.findings.sort(&compiled.sources);
        Ok(Self { place, origin, compiled })
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

/// `there are dev, prod`.
pub fn there_are(environments: &[String]) -> String {
    format!("there are {}", environments.join(", "))
}
