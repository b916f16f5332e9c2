//! Findings inside of an expression, before they have a place in a file.

use std::ops::Range;

use crate::diag::{Code, Diagnostic};
use crate::source::TextMap;

/// A finding inside an expression; places are byte ranges of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CelFinding {
    /// Code of the finding.
    pub code: Code,
    /// The exact words.
    pub range: Range<usize>,
    /// The fault in one line: lowercase, no full stop.
    pub message: String,
    /// Text under the underlined words.
    pub label: String,
    /// Other words that matter.
    pub others: Vec<(Range<usize>, String)>,
    /// Remedies, as far as they are known.
    pub helps: Vec<String>,
    /// A safe repair: replaces these words.
    pub fix: Option<(Range<usize>, String)>,
}

impl CelFinding {
    pub(super) fn new(code: Code, range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            range,
            message: message.into(),
            label: String::new(),
            others: Vec::new(),
            helps: Vec::new(),
            fix: None,
        }
    }

    pub(super) fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    pub(super) fn other(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.others.push((range, text.into()));
        self
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    pub(super) fn fix(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.fix = Some((range, text.into()));
        self
    }

    /// The finding at its words in the file.
    #[must_use]
    pub fn diagnostic(self, map: &TextMap) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(self.code, map.span(self.range), self.message).at(self.label);
        for (range, label) in self.others {
            diagnostic = diagnostic.label(map.span(range), label);
        }
        for help in self.helps {
            diagnostic = diagnostic.help(help);
        }
        match self.fix.and_then(|(range, text)| map.replace(range, &text)) {
            Some((span, text)) => diagnostic.fix(span, text),
            None => diagnostic,
        }
    }
}
