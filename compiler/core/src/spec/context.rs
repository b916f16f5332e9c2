//! What decoding is about: values with their places, and the findings of a document.

use std::ops::Deref;

use crate::diag::{Code, Diagnostic, FileId, Severity, Sources, Span, codes};
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

/// A map around what is decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// The map in messages.
    pub(super) what: &'static str,
    /// Its fields.
    pub(super) known: &'static [&'static str],
}

/// Context of decoding a document: collects the findings.
#[derive(Debug)]
pub struct Cx<'a> {
    sources: &'a Sources,
    findings: Vec<Diagnostic>,
    errors: usize,
    /// The maps that are being decoded, the innermost last.
    open: Vec<Around>,
}

impl<'a> Cx<'a> {
    /// No findings yet.
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, findings: Vec::new(), errors: 0, open: Vec::new() }
    }

    /// Adds a finding.
    pub fn report(&mut self, finding: Diagnostic) {
        self.errors += usize::from(finding.severity == Severity::Error);
        self.findings.push(finding);
    }

    /// A context of its own, to see whether a value would fit elsewhere.
    pub(super) fn trial(&self) -> Cx<'a> {
        Cx::new(self.sources)
    }

    /// Begins to decode a map, and ends to.
    pub(super) fn enter(&mut self, around: Around) {
        self.open.push(around);
    }

    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    /// The maps around what is decoded, the innermost last.
    pub(super) fn around(&self) -> &[Around] {
        &self.open
    }

    /// Adds a remedy to what was said of the words at `span` with this code, where it has no better one.
    pub(super) fn advise(&mut self, code: Code, span: Span, help: impl FnOnce() -> Option<String>) {
        let said =
            self.findings.iter_mut().find(|finding| finding.code == code && finding.primary.span == span);
        let vague = said.filter(|finding| {
            finding.helps.len() == 1 && finding.helps.iter().all(|h| h.starts_with(FIELDS))
        });
        if let Some((finding, help)) = vague.and_then(|finding| Some((finding, help()?))) {
            finding.helps.insert(0, help);
        }
    }

    /// Puts a remedy in place of those of what was said since there were `from` findings.
    pub(super) fn advise_since(&mut self, from: usize, help: String) {
        if let Some(finding) = self.findings.get_mut(from) {
            finding.helps = vec![help];
        }
    }

    /// Number of errors so far, those of the reader included that decoding came upon.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Takes the repairs from the findings of a code that were made since there were `from`, since together they would not
    /// say what was meant; `help` says what each is told instead.
    pub(super) fn withdraw_fixes(&mut self, from: usize, code: Code, help: impl Fn(&str) -> Option<String>) {
        let sources = self.sources;
        let since = self.findings.iter_mut().skip(from);
        since.filter(|finding| finding.code == code).for_each(|finding| {
            finding.fix = None;
            if let Some(help) = help(sources.slice(finding.primary.span)) {
                finding.helps = vec![help];
            }
        });
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
        self.misfit(node, what, None, None);
    }

    /// As [`Self::wrong_type`], with what to write instead, or in place of nothing (an example).
    pub(super) fn misfit(
        &mut self,
        node: &Node,
        what: &str,
        instead: Option<String>,
        example: Option<String>,
    ) {
        match node.value {
            // The reader has said it.
            Value::Broken => self.errors += 1,
            Value::Null => {
                let finding =
                    Diagnostic::new(codes::NULL, node.span, format!("expected {what}, found no value"));
                let raw = self.raw(node.span);
                // A value that is not there has the place of its key.
                let bare = !matches!(raw, "" | "~" | "null" | "Null" | "NULL");
                self.report(match example {
                    Some(example) if bare => finding
                        .help(format!("write a value, as in `{raw}: {example}`, or remove the field"))
                        .help("a value on the lines below is indented more than its field"),
                    _ => finding.help("write a value, or remove the field"),
                });
            }
            _ => {
                let is = node.describe();
                let message = format!("expected {what}, found {is}");
                let finding = Diagnostic::new(codes::WRONG_TYPE, node.span, message);
                self.report(instead.into_iter().fold(finding, Diagnostic::help));
            }
        }
    }
}

/// How the list of all fields begins.
pub(super) const FIELDS: &str = "fields here: ";

/// `a`, `b`, `c` in backticks.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
