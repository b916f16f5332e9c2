//! The report of `meshc version`.

use mesh_workspace::pack::COMPILER;
use schemars::JsonSchema;
use serde::Serialize;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;

/// The versions of this program.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionReport {
    #[serde(flatten)]
    head: Head,
    /// Version of the compiler.
    version: &'static str,
    /// Version of the bundle format that it writes and reads.
    bundle_format: u32,
}

impl VersionReport {
    /// The report of this program.
    pub(crate) fn new() -> Self {
        Self {
            head: Head::of("version"),
            version: env!("CARGO_PKG_VERSION"),
            bundle_format: mesh_bundle::manifest::FORMAT,
        }
    }
}

impl Report for VersionReport {
    fn human(&self, _: Look) -> String {
        format!("{COMPILER}\nbundle format {}\n", self.bundle_format)
    }

    fn concise(&self) -> String {
        format!("{COMPILER}\n")
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
