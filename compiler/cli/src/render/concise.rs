//! One line a finding: `path:line:col: severity[MCnnnn] message (did you mean ...)`.

use mesh_compiler::diag::{Diagnostic, Sources};

use crate::text::clean;

/// The line, without its end. The form is one that scripts rely on.
pub(super) fn line(sources: &Sources, finding: &Diagnostic) -> String {
    let at = sources.position(finding.primary.span);
    let path = clean(sources.path(finding.primary.span.file));
    let message = clean(&finding.message);
    let mut questions = finding.helps.iter().filter_map(|help| help.split_once('?').map(|(words, _)| words));
    let meant = questions.find(|words| words.starts_with("did you mean"));
    let meant = meant.map(|words| format!(" ({}?)", clean(words)));
    format!(
        "{path}:{}:{}: {}[{}] {message}{}",
        at.line,
        at.column,
        finding.severity,
        finding.code,
        meant.unwrap_or_default()
    )
}
