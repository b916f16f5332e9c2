//! Processes that end with their handle.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::FleetError;

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
    pub fn start(program: &Path, args: &[&str], log: &Path) -> Result<Self, FleetError> {
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
    ) -> Result<Self, FleetError> {
        let io = |e| FleetError::Io(program.display().to_string(), e);
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
    pub fn signal(&self, name: &str) -> Result<(), FleetError> {
        let mut kill = Command::new("kill");
        super::run(kill.arg(format!("-{name}")).arg(self.id().to_string())).map(drop)
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
