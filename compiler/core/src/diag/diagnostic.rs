//! One finding, and an ordered collection of findings.

use super::{Code, Severity, Sources, Span};

/// A place with what is to be said about it; the text may be empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// The exact words.
    pub span: Span,
    /// Remark under the underlined words.
    pub text: String,
}

/// A replacement of some bytes of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// Bytes that are replaced.
    pub span: Span,
    /// The new bytes; empty removes.
    pub replacement: String,
}

/// A repair of the finding that changes nothing of what the author meant: edits in one or several places, possibly of
/// several files, that are applied all or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fix {
    /// The edits; at least one.
    pub edits: Vec<Edit>,
}

/// One finding.
///
/// Messages are lowercase, have no full stop, and show user input in backticks with control characters escaped
/// ([`super::visible`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Severity of the finding.
    pub severity: Severity,
    /// The fault in one line: lowercase, no full stop.
    pub message: String,
    /// The exact words that are wrong.
    pub primary: Label,
    /// Other places that matter, possibly in other files.
    pub labels: Vec<Label>,
    /// Remedies, as far as they are known.
    pub helps: Vec<String>,
    /// Further facts, one a line.
    pub notes: Vec<String>,
    /// A safe repair.
    pub fix: Option<Fix>,
    /// The environments that have it, where its cause is theirs; empty for a finding of the files as they are.
    pub environments: Vec<String>,
    /// The words at the primary place must not be shown, not even as the quoted source line: they may be a secret.
    pub redact: bool,
}

impl Diagnostic {
    /// A finding with the severity of its code.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: Label { span, text: String::new() },
            labels: Vec::new(),
            helps: Vec::new(),
            notes: Vec::new(),
            fix: None,
            environments: Vec::new(),
            redact: false,
        }
    }

    /// Sets another severity than that of its code: for codes whose findings differ in gravity.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says `text` under the primary place.
    pub fn at(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds another place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a remedy.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Adds a fact.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Offers a safe repair, or adds an edit to the one that is offered.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        let edit = Edit { span, replacement: replacement.into() };
        self.fix.get_or_insert_default().edits.push(edit);
        self
    }

    /// Forbids showing the words at the primary place.
    pub fn redacted(mut self) -> Self {
        self.redact = true;
        self
    }
}

/// Findings in the order in which they were made; [`Diagnostics::sort`] gives the order for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// An empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Sorts by path, offset, code, severity and message, and drops repetitions: the same mesh is checked once per
    /// environment, and one mistake is one finding.
    pub fn sort(&mut self, sources: &Sources) {
        fn key<'a>(sources: &'a Sources, d: &'a Diagnostic) -> (&'a str, u32, u32, Code, Severity, &'a str) {
            let span = d.primary.span;
            (sources.path(span.file), span.start, span.end, d.code, d.severity, &d.message)
        }
        self.list.sort_by(|a, b| key(sources, a).cmp(&key(sources, b)));
        self.list.dedup();
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Number of findings with this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// All, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Number of findings.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, iter: I) {
        self.list.extend(iter);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Self { list: iter.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{FileId, codes};

    #[test]
    fn remedies_and_edits_add_up_and_the_severity_is_the_code_s() {
        let at = |start| Span::new(FileId(0), start, start + 1);
        let finding = Diagnostic::new(codes::UNUSED_WAIVER, at(0), "m")
            .help("a")
            .help("b")
            .fix(at(0), "x")
            .fix(at(4), "y");
        assert_eq!(finding.helps, ["a", "b"]);
        let edits = finding.fix.unwrap_or_default().edits;
        assert_eq!(
            edits.iter().map(|e| (e.span, e.replacement.as_str())).collect::<Vec<_>>(),
            [(at(0), "x"), (at(4), "y")]
        );
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(Diagnostic::new(codes::SYNTAX, at(0), "m").severity, Severity::Error);
        assert_eq!(
            Diagnostic::new(codes::SYNTAX, at(0), "m").severity(Severity::Note).severity,
            Severity::Note
        );
    }

    #[test]
    fn sorted_by_path_then_offset_then_code_and_equal_ones_once() {
        let mut sources = Sources::new();
        let b = sources.add("b.yaml", "xx");
        let a = sources.add("a.yaml", "xx");
        let at = |file, start, code| Diagnostic::new(code, Span::new(file, start, start + 1), "m");
        let mut all: Diagnostics = [
            at(b, 0, codes::SYNTAX),
            at(a, 1, codes::SYNTAX),
            at(a, 0, codes::UNKNOWN_FIELD),
            at(a, 0, codes::SYNTAX),
            at(b, 0, codes::SYNTAX),
        ]
        .into_iter()
        .collect();
        all.sort(&sources);
        let order: Vec<_> = all.iter().map(|d| (d.primary.span.file, d.primary.span.start, d.code)).collect();
        assert_eq!(
            order,
            [
                (a, 0, codes::SYNTAX),
                (a, 0, codes::UNKNOWN_FIELD),
                (a, 1, codes::SYNTAX),
                (b, 0, codes::SYNTAX)
            ]
        );
    }
}
