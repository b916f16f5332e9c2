//! What is rendered: findings, and what was looked at.

use mesh_compiler::Counts;
use mesh_compiler::diag::{Diagnostic, Severity, Sources};

use crate::look::Look;
use crate::text::count;

/// Findings and what was looked at.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    /// The command, for machines.
    pub(crate) command: &'static str,
    /// Files that the findings point into.
    pub(crate) sources: &'a Sources,
    /// Findings to show, sorted by place.
    pub(crate) list: Vec<&'a Diagnostic>,
    /// Said once for completeness.
    pub(crate) notes: &'a [String],
    /// Numbers of files, objects and environments that were checked.
    pub(crate) counts: Counts,
    /// The time it took, for people at a terminal.
    pub(crate) took: std::time::Duration,
}

impl Findings<'_> {
    /// Number of findings with this severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// Number of findings with a fix.
    pub(crate) fn fixable(&self) -> usize {
        self.list.iter().filter(|d| d.fix.is_some()).count()
    }

    /// The last line for people.
    pub(super) fn summary(&self, look: Look) -> String {
        let Counts { files, objects, environments } = self.counts;
        if self.list.is_empty() {
            let took = if look.fancy { format!(" in {} ms", self.took.as_millis()) } else { String::new() };
            return format!(
                "checked {}, {}, {}{took}: no findings",
                count(files, "file"),
                count(objects, "object"),
                count(environments, "environment")
            );
        }
        let mut line = format!(
            "{}, {}",
            count(self.count(Severity::Error), "error"),
            count(self.count(Severity::Warning), "warning")
        );
        if self.count(Severity::Note) > 0 {
            line.push_str(&format!(", {}", count(self.count(Severity::Note), "note")));
        }
        line.push_str(&format!(" in {}", count(files, "file")));
        if self.fixable() > 0 {
            line.push_str(&format!(" ({} can be fixed with --fix)", self.fixable()));
        }
        line
    }
}
