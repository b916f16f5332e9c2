//! Findings for machines: the report of `meshc validate`, and of every command on a mesh that has errors.

use mesh_compiler::diag::{Diagnostic, Fix, Severity, Sources};
use schemars::JsonSchema;
use serde::Serialize;

use super::head::{Head, Place};
use crate::render::Findings;

/// The report.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FindingsReport<'a> {
    #[serde(flatten)]
    head: Head,
    /// Findings, sorted by place.
    findings: Vec<Finding<'a>>,
    /// Remarks on what is not evaluated, in whole sentences.
    notes: &'a [String],
    /// Size of the mesh, and numbers of findings.
    counts: Counts,
}

/// One finding.
#[derive(Debug, Serialize, JsonSchema)]
struct Finding<'a> {
    /// The stable code, such as `MC1104`.
    code: String,
    /// The severity, after levels of the repository.
    severity: Level,
    /// The fault in one line.
    message: &'a str,
    #[serde(flatten)]
    place: Place,
    /// Remark under the underlined words.
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    /// Other places that matter.
    labels: Vec<Remark<'a>>,
    /// Remedies, one a line.
    help: Option<String>,
    /// Further facts.
    notes: &'a [String],
    /// A safe repair.
    fix: Option<Repair<'a>>,
    /// The environments whose overrides are the cause; empty for a finding of the files as they are.
    environments: &'a [String],
    /// The page and section that documents the code.
    docs: String,
}

/// Severity of a finding.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warning,
    Note,
}

/// A place with a remark.
#[derive(Debug, Serialize, JsonSchema)]
struct Remark<'a> {
    #[serde(flatten)]
    place: Place,
    /// The remark; may be empty.
    message: &'a str,
}

/// A repair: of one place, or of several that belong together.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Repair<'a> {
    One(Replacement<'a>),
    Several {
        /// The edits, applied all or none.
        edits: Vec<Replacement<'a>>,
    },
}

/// An edit: the words at a place, replaced.
#[derive(Debug, Serialize, JsonSchema)]
struct Replacement<'a> {
    #[serde(flatten)]
    place: Place,
    /// The new words; empty removes.
    replacement: &'a str,
}

/// Size of the mesh, and numbers of findings.
#[derive(Debug, Serialize, JsonSchema)]
struct Counts {
    /// Number of files.
    files: usize,
    /// Number of objects.
    objects: usize,
    /// Number of environments that were compiled.
    environments: usize,
    /// Findings of severity error.
    errors: usize,
    /// Findings of severity warning.
    warnings: usize,
    /// Findings of severity note.
    notes: usize,
    /// Findings with a safe repair.
    fixable: usize,
}

impl<'a> FindingsReport<'a> {
    /// The report of these findings.
    pub(crate) fn new(findings: &'a Findings<'_>) -> Self {
        Self {
            head: Head::of(findings.command),
            findings: findings.list.iter().map(|d| Finding::new(findings.sources, d)).collect(),
            notes: findings.notes,
            counts: Counts {
                files: findings.counts.files,
                objects: findings.counts.objects,
                environments: findings.counts.environments,
                errors: findings.count(Severity::Error),
                warnings: findings.count(Severity::Warning),
                notes: findings.count(Severity::Note),
                fixable: findings.fixable(),
            },
        }
    }
}

impl<'a> Finding<'a> {
    fn new(sources: &Sources, d: &'a Diagnostic) -> Self {
        let slug = d.code.info().map(|info| format!("#{}-{}", d.code.to_string().to_lowercase(), info.slug));
        let remark = |label: &'a mesh_compiler::diag::Label| Remark {
            place: Place::of(sources, label.span),
            message: &label.text,
        };
        Self {
            code: d.code.to_string(),
            severity: match d.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
                Severity::Note => Level::Note,
            },
            message: &d.message,
            place: Place::of(sources, d.primary.span),
            label: &d.primary.text,
            labels: d.labels.iter().map(remark).collect(),
            help: (!d.helps.is_empty()).then(|| d.helps.join("\n")),
            notes: &d.notes,
            fix: d.fix.as_ref().map(|fix| Repair::new(sources, fix)),
            environments: &d.environments,
            docs: format!("docs/diagnostics.md{}", slug.unwrap_or_default()),
        }
    }
}

impl<'a> Repair<'a> {
    fn new(sources: &Sources, fix: &'a Fix) -> Self {
        let mut edits: Vec<Replacement<'a>> = fix
            .edits
            .iter()
            .map(|edit| Replacement { place: Place::of(sources, edit.span), replacement: &edit.replacement })
            .collect();
        match edits.pop() {
            Some(only) if edits.is_empty() => Self::One(only),
            last => {
                edits.extend(last);
                Self::Several { edits }
            }
        }
    }
}
