//! What decoding is about: values with their places, and the findings of a document.

use std::ops::Deref;

use crate::diag::{Diagnostic, FileId, Sources, Span, codes};
use crate::source::{Node, Value};

/// A value and where it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sp<T> {
    /// The decoded value.
    pub value: T,
    /// The exact bytes.
    pub span: Span,
}

impl<T> Sp<T> {
    /// A value that nobody wrote: a default. No place is shown for it; its span is empty.
    pub fn unwritten(value: T) -> Self {
        Self { value, span: Span::new(FileId(0), 0, 0) }
    }
}

impl<T> Deref for Sp<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// Context of decoding a document: collects the findings.
#[derive(Debug)]
pub struct Cx<'a> {
    sources: &'a Sources,
    findings: Vec<Diagnostic>,
}

impl<'a> Cx<'a> {
    /// No findings yet.
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, findings: Vec::new() }
    }

    /// Adds a finding.
    pub fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Number of findings so far.
    pub(super) fn count(&self) -> usize {
        self.findings.len()
    }

    /// The bytes under a range.
    pub fn raw(&self, span: Span) -> &'a str {
        self.sources.slice(span)
    }

    /// All findings, in the order in which they were made.
    pub fn into_findings(self) -> Vec<Diagnostic> {
        self.findings
    }

    /// Reports that `node` is not `what`; says nothing about a node that was already reported.
    pub fn wrong_type(&mut self, node: &Node, what: &str) {
        match node.value {
            Value::Broken => {}
            Value::Null => self.report(
                Diagnostic::new(codes::NULL, node.span, format!("expected {what}, found no value"))
                    .help("write a value, or remove the field"),
            ),
            _ => {
                let is = node.describe();
                self.report(Diagnostic::new(
                    codes::WRONG_TYPE,
                    node.span,
                    format!("expected {what}, found {is}"),
                ));
            }
        }
    }
}

/// `a`, `b`, `c` in backticks.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
