//! `meshc version`: prints the versions of the compiler and of the bundle format.

use mesh_workspace::pack::COMPILER;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::look::Look;
use crate::output::{Outputs, Report};

/// Runs the command.
pub(crate) fn run(outputs: &Outputs) -> Result<u8, Failure> {
    outputs.emit(&Version)?;
    Ok(0)
}

struct Version;

impl Report for Version {
    fn human(&self, _: Look) -> String {
        format!("{COMPILER}\nbundle format {}\n", mesh_bundle::manifest::FORMAT)
    }

    fn concise(&self) -> String {
        format!("{COMPILER}\n")
    }

    fn json(&self) -> Value {
        json!({
            "schema": 1,
            "command": "version",
            "version": env!("CARGO_PKG_VERSION"),
            "bundleFormat": mesh_bundle::manifest::FORMAT,
        })
    }
}
