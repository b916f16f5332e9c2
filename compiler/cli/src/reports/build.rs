//! The report of `meshc build`.

use std::collections::BTreeMap;

use mesh_bundle::Digest;
use schemars::JsonSchema;
use serde::Serialize;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;

/// The bundles that were built.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BuildReport {
    #[serde(flatten)]
    head: Head,
    /// Number of the release.
    generation: u64,
    /// One an environment.
    bundles: Vec<Built>,
}

/// A bundle that was built.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Built {
    /// Environment that it is for.
    pub(crate) environment: String,
    /// Its id: `sha256:` and the digest of its manifest.
    #[schemars(with = "String")]
    pub(crate) bundle: Digest,
    /// The folder or archive.
    pub(crate) path: String,
    /// Number of its units.
    pub(crate) units: usize,
    /// Bytes of all its files.
    pub(crate) bytes: usize,
    /// Stage of each canary that has begun, by address.
    pub(crate) stages: BTreeMap<String, u32>,
}

impl BuildReport {
    /// The report of one build.
    pub(crate) fn new(generation: u64, bundles: Vec<Built>) -> Self {
        Self { head: Head::of("build"), generation, bundles }
    }
}

impl Report for BuildReport {
    fn human(&self, _: Look) -> String {
        let mut out = String::new();
        for one in &self.bundles {
            out.push_str(&format!(
                "{}  {} units, {} bytes, generation {}  {}\n",
                one.environment, one.units, one.bytes, self.generation, one.path
            ));
            out.push_str(&format!("{}\n", one.bundle));
        }
        out
    }

    fn concise(&self) -> String {
        self.bundles.iter().map(|one| format!("{}\n", one.bundle)).collect()
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
