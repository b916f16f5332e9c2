//! What reports have in common.

use mesh_compiler::diag::{Sources, Span};
use schemars::JsonSchema;
use serde::Serialize;

/// Raised when a field changes its meaning or goes away; new fields do not count.
const SCHEMA: u32 = 1;

/// The first fields of every report.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Head {
    /// Version of the report's form: raised when a field changes its meaning or goes away.
    schema: u32,
    /// The command that made the report.
    command: &'static str,
}

impl Head {
    /// The head of a report of this command.
    pub(crate) fn of(command: &'static str) -> Self {
        Self { schema: SCHEMA, command }
    }
}

/// A range of a file: lines and columns from 1, columns in characters, the end exclusive.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Place {
    /// The file, below the git top level or the mesh's folder.
    pub(crate) path: String,
    /// Line of the start.
    pub(crate) line: u32,
    /// Column of the start.
    pub(crate) column: u32,
    /// Line of the end.
    end_line: u32,
    /// Column behind the end.
    end_column: u32,
}

impl Place {
    /// The place of some words.
    pub(crate) fn of(sources: &Sources, span: Span) -> Self {
        let start = sources.position(span);
        let end = sources.file(span.file).map_or(start, |file| file.position(span.end));
        Self {
            path: sources.path(span.file).to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}
