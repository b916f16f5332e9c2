//! `meshc version`: prints the versions of the compiler and of the bundle format.

use crate::failure::Failure;
use crate::output::Outputs;
use crate::reports::VersionReport;

/// Runs the command.
pub(crate) fn run(outputs: &Outputs) -> Result<u8, Failure> {
    outputs.emit(&VersionReport::new())?;
    Ok(0)
}
