//! Findings for machines: one object, stable.

use mesh_compiler::diag::{Diagnostic, Label, Severity, Sources, Span};
use serde_json::{Map, Value, json};

use super::findings::Findings;

/// Raised when a field changes its meaning or goes away; new fields do not count.
pub(crate) const SCHEMA: u32 = 1;

/// The whole answer.
pub(super) fn render(findings: &Findings<'_>) -> Value {
    let counts = &findings.counts;
    json!({
        "schema": SCHEMA,
        "command": findings.command,
        "findings": findings.list.iter().map(|d| finding(findings.sources, d)).collect::<Vec<_>>(),
        "notes": findings.notes,
        "counts": {
            "files": counts.files,
            "objects": counts.objects,
            "environments": counts.environments,
            "errors": findings.count(Severity::Error),
            "warnings": findings.count(Severity::Warning),
            "notes": findings.count(Severity::Note),
            "fixable": findings.fixable(),
        },
    })
}

fn finding(sources: &Sources, d: &Diagnostic) -> Value {
    let mut out = Map::new();
    out.insert("code".into(), d.code.to_string().into());
    out.insert("severity".into(), d.severity.to_string().into());
    out.insert("message".into(), d.message.clone().into());
    out.extend(place(sources, d.primary.span));
    if !d.primary.text.is_empty() {
        out.insert("label".into(), d.primary.text.clone().into());
    }
    out.insert("labels".into(), d.labels.iter().map(|l| label(sources, l)).collect());
    out.insert("help".into(), d.help.clone().into());
    out.insert("notes".into(), d.notes.clone().into());
    let fix = d.fix.as_ref().map(|fix| {
        let mut out = place(sources, fix.span);
        out.insert("replacement".into(), fix.replacement.clone().into());
        Value::Object(out)
    });
    out.insert("fix".into(), fix.into());
    let slug = d.code.info().map(|info| format!("#{}-{}", d.code.to_string().to_lowercase(), info.slug));
    out.insert("docs".into(), format!("docs/diagnostics.md{}", slug.unwrap_or_default()).into());
    Value::Object(out)
}

fn label(sources: &Sources, label: &Label) -> Value {
    let mut out = place(sources, label.span);
    out.insert("message".into(), label.text.clone().into());
    Value::Object(out)
}

/// `path`, `line`, `column`, `endLine`, `endColumn`: from 1, columns in characters, the end exclusive.
pub(crate) fn place(sources: &Sources, span: Span) -> Map<String, Value> {
    let start = sources.position(span);
    let end = sources.file(span.file).map_or(start, |file| file.position(span.end));
    let mut out = Map::new();
    out.insert("path".into(), sources.path(span.file).into());
    out.insert("line".into(), start.line.into());
    out.insert("column".into(), start.column.into());
    out.insert("endLine".into(), end.line.into());
    out.insert("endColumn".into(), end.column.into());
    out
}
