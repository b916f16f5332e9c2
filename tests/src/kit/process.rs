//! Processes that end with their handle, and commands that are run to their end.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::error::KitError;

/// A running process; it is ended when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program whose output goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, args: &[&str], log: &Path) -> Result<Self, KitError> {
        Self::start_with(program, args, &[], log)
    }

    /// The same with variables in its environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(
        program: &Path,
        args: &[&str],
        variables: &[(&str, PathBuf)],
        log: &Path,
    ) -> Result<Self, KitError> {
        let io = |e| KitError::Io(program.display().to_string(), e);
        let out = std::fs::File::create(log).map_err(io)?;
        let err = out.try_clone().map_err(io)?;
        let mut command = Command::new(program);
        command.args(args).envs(variables.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        Ok(Self { child: command.spawn().map_err(io)? })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name (`HUP`, `TERM`).
    ///
    /// # Errors
    /// When there is no such process any more.
    pub fn signal(&self, name: &str) -> Result<(), KitError> {
        let mut kill = Command::new("kill");
        run(kill.arg(format!("-{name}")).arg(self.id().to_string())).map(drop)
    }

    /// True while it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A binary of this workspace: beside the running one, else in `target/release`; `MESH_BIN` names another folder.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("MESH_BIN") {
        return PathBuf::from(folder).join(name);
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(name)));
    match beside {
        Some(path) if path.is_file() => path,
        _ => crate::top().join("target/release").join(name),
    }
}

/// Runs `meshc` in `folder` and gives its standard output.
///
/// # Errors
/// [`KitError::Command`] with all that it said.
pub fn meshc<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Result<String, KitError> {
    run(Command::new(binary("meshc")).args(args).current_dir(folder).env("NO_COLOR", "1"))
}

/// Runs a command to its end.
///
/// # Errors
/// [`KitError::Command`] for an exit code that is not 0.
pub fn run(command: &mut Command) -> Result<String, KitError> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|e| KitError::Io(shown.clone(), e))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    Err(KitError::Command { command: shown, code: output.status.to_string(), said })
}
