//! Failures of commands that could not run: exit code 2. (3, refused, is for commands that ask a server or move an
//! environment.)

use std::fmt;

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
        Self { exit: 2, message: message.into(), help: None }
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
