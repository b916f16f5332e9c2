//! Failures of commands that could not run: exit code 2. (3, refused, is for commands that ask a server or move an
//! environment.)

use std::fmt;

use mesh_compiler::diag::nearest;
use mesh_workspace::bundles::BundleError;
use mesh_workspace::load::{EnvironmentError, LoadError, there_are};
use mesh_workspace::pack::{KeyFileError, SealError};
use mesh_workspace::tree::{GenerationError, TreeError};
use mesh_workspace::verify::TrustError;

use crate::exit;

/// A command that did not do its work. Findings in a spec are not failures (exit code 1).
#[derive(Debug)]
pub(crate) struct Failure {
    /// 2: could not run.
    pub(crate) exit: u8,
    message: String,
    help: Option<String>,
}

impl Failure {
    /// Usage, I/O, an unreadable repository: exit code 2.
    pub(crate) fn cannot(message: impl Into<String>) -> Self {
        Self { exit: exit::COULD_NOT_RUN, message: message.into(), help: None }
    }

    /// Says what to do, where nothing better is known.
    pub(crate) fn help_unless_known(self, text: &str) -> Self {
        if self.help.is_some() { self } else { self.help(text) }
    }

    /// Says what to do.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n help: {help}"),
            None => Ok(()),
        }
    }
}

impl From<TreeError> for Failure {
    fn from(error: TreeError) -> Self {
        let failure = Self::cannot(error.to_string());
        match error.remedy() {
            Some(remedy) => failure.help(remedy),
            None => failure,
        }
    }
}

impl From<GenerationError> for Failure {
    fn from(error: GenerationError) -> Self {
        let or_given = Self::cannot(format!("{error}, or give --generation"));
        match error {
            GenerationError::Shallow => or_given.help("run `git fetch --unshallow`"),
            GenerationError::Tree => Self::cannot(error.to_string()).help("give --generation N"),
            GenerationError::TooMany | GenerationError::Repository { .. } => Self::cannot(error.to_string()),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Tree(error) => error.into(),
            LoadError::NoFiles => Self::cannot(error.to_string()).help("start a mesh with `meshc init NAME`"),
        }
    }
}

impl From<EnvironmentError> for Failure {
    fn from(error: EnvironmentError) -> Self {
        let failure = Self::cannot(error.to_string());
        match error {
            EnvironmentError::NotNamed { .. } => failure.help("name one with --env, or in MESHC_ENV"),
            EnvironmentError::Unknown { name, known } => {
                match nearest(&name, known.iter().map(String::as_str)) {
                    Some(near) => failure.help(format!("did you mean `{near}`?")),
                    None => failure.help(there_are(&known)),
                }
            }
        }
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let failure = Self::cannot(error.to_string());
        match error {
            BundleError::Foreign { .. } => {
                failure.help("name a folder that does not exist, is empty, or holds a bundle")
            }
            _ => failure,
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        Self::cannot(error.to_string())
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        Self::cannot(error.to_string())
    }
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        Self::cannot(error.to_string())
    }
}
