//! The report of `meshc init`.

use schemars::JsonSchema;
use serde::Serialize;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;

/// The files that were written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InitReport {
    #[serde(flatten)]
    head: Head,
    /// The mesh's folder.
    folder: String,
    /// Files that were written, below the folder.
    created: Vec<String>,
}

impl InitReport {
    /// The report of a mesh in `folder`.
    pub(crate) fn new(folder: String, created: Vec<String>) -> Self {
        Self { head: Head::of("init"), folder, created }
    }
}

impl Report for InitReport {
    fn human(&self, _: Look) -> String {
        format!(
            "created  {}  in {}\n\
             next     meshc validate                              look for mistakes\n         \
             meshc route GET https://hello.example/hi    say what happens to a request\n         \
             meshc build -o dev.mcb --env dev            build a bundle\n",
            self.created.join("  "),
            self.folder
        )
    }

    fn concise(&self) -> String {
        self.created.iter().map(|path| format!("{}/{path}\n", self.folder)).collect()
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
