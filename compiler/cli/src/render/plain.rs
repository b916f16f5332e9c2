//! Findings for people without drawings: for screen readers, logs and mail.

use mesh_compiler::diag::{Label, Sources};

use super::findings::Findings;
use crate::look::Look;
use crate::text::{clean, clean_lines};

/// A paragraph a finding, then the summary.
pub(super) fn render(findings: &Findings<'_>) -> String {
    let mut out = String::new();
    for finding in &findings.list {
        out.push_str(&format!("{} {}: {}\n", finding.severity, finding.code, clean(&finding.message)));
        out.push_str(&format!("  at {}\n", label(findings.sources, &finding.primary)));
        for other in &finding.labels {
            out.push_str(&format!("  see {}\n", label(findings.sources, other)));
        }
        for help in &finding.helps {
            out.push_str(&format!("  help: {}\n", indented(help)));
        }
        for note in &finding.notes {
            out.push_str(&format!("  note: {}\n", indented(note)));
        }
        out.push('\n');
    }
    out.push_str(&findings.summary(Look::PLAIN));
    out.push('\n');
    out
}

/// A secondary label as `path:line:col: text`.
fn label(sources: &Sources, label: &Label) -> String {
    let at = sources.position(label.span);
    let path = clean(sources.path(label.span.file));
    let text = if label.text.is_empty() { String::new() } else { format!(": {}", clean(&label.text)) };
    format!("{path}:{}:{}{text}", at.line, at.column)
}

fn indented(text: &str) -> String {
    clean_lines(text).replace('\n', "\n        ")
}
