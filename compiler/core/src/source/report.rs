//! Findings of the reader, and where they are.

use super::bytes::offset;
use super::read::Reader;
use super::{habits, limits};
use crate::diag::{Comment, Diagnostic, Severity, Span, codes};

impl<'a> Reader<'a> {
    pub(super) fn finish(&mut self) {
        self.report_tabs();
        if !self.text.contains("meshc:") {
            self.parsed.comments.clear();
        }
        if self.count == 0 && self.parsed.findings.is_empty() {
            let at = Span::new(self.file, 0, 0);
            self.parsed.findings.push(if self.text.trim().is_empty() {
                Diagnostic::new(codes::EMPTY, at, "the file is empty").help("remove it, or write a document")
            } else {
                Diagnostic::new(codes::EMPTY, at, "the file has only comments")
                    .severity(Severity::Warning)
                    .help("remove it, or write a document")
            });
        }
    }

    pub(super) fn report_tabs(&mut self) {
        self.free.sort_by_key(|s| s.start);
        let mut free = self.free.iter().peekable();
        // Where the parser gave up it has already said why; what follows is unread.
        let unread = self.parsed.findings.iter().map(|f| f.primary.span.start);
        let unread = if self.parsed.documents.iter().all(|d| d.complete) { None } else { unread.min() };
        let mut found = 0;
        for at in &self.tabs {
            while free.next_if(|s| s.end <= *at).is_some() {}
            if free.peek().is_some_and(|s| s.start <= *at) || unread.is_some_and(|u| *at >= u) {
                continue;
            }
            let span = Span::new(self.file, *at, at + 1);
            let finding = Diagnostic::new(codes::TAB, span, "a tab stands where only spaces may");
            self.parsed.findings.push(finding.help("use spaces"));
            found += 1;
            if found == limits::CHARACTER_FINDINGS {
                break;
            }
        }
    }

    pub(super) fn comment(&mut self, span: Span) {
        self.tabs_are_free_in(span);
        let before = self.text.get(..span.start as usize).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        let own_line = line.bytes().all(|b| b == b' ');
        self.parsed.comments.push(Comment { span, own_line });
    }

    pub(super) fn tabs_are_free_in(&mut self, span: Span) {
        if !self.tabs.is_empty() {
            self.free.push(span);
        }
    }

    pub(super) fn syntax(&mut self, error: &granit_parser::ScanError) {
        use granit_parser::ErrorKind as K;
        let at = self.base + error.marker().byte_offset().unwrap_or(0);
        let at = at.min(self.text.len());
        let rest = self.text.get(at..).unwrap_or("");
        let width = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let span = Span::new(self.file, offset(at), offset(at + width));
        // The parser notices a tab when it has passed it.
        let before =
            self.tabs.partition_point(|t| *t <= span.start).checked_sub(1).and_then(|i| self.tabs.get(i));
        let tab = before.map_or(span, |t| Span::new(self.file, *t, *t + 1));
        let (code, message, help) = match error.kind() {
            K::RecursionLimitExceeded => return self.too_deep(span),
            K::TabNotAllowed
            | K::TabInBlockIndentation
            | K::TabAtBlockScalarStart
            | K::TabInIndentation
            | K::TabInPlainScalar => {
                (codes::TAB, "a tab stands where only spaces may".to_owned(), "use spaces")
            }
            K::DirectiveDisallowed => {
                (codes::DIRECTIVE, "directives are not part of the language".to_owned(), "remove the line")
            }
            K::UndeclaredTagHandle => {
                (codes::TAG, "tags are not part of the language".to_owned(), "remove it")
            }
            K::MissingLowSurrogate
            | K::InvalidLowSurrogate
            | K::InvalidLowSurrogateHexEscape
            | K::UnpairedLowSurrogate
            | K::InvalidUnicodeEscape => (
                codes::ENCODING,
                "an escape that stands for no character".to_owned(),
                "write both halves of the surrogate pair, or the character itself",
            ),
            // `*` and `*.x` are hosts.
            K::MissingAnchorOrAliasName if rest.starts_with('*') => (
                codes::SYNTAX,
                "a `*` without quotes begins an alias, and no name follows".to_owned(),
                "write text that begins with `*` in quotes: `\"*\"`, `\"*.shop.example\"`",
            ),
            kind => (codes::SYNTAX, kind.to_string(), "see the line above too: the mistake may begin there"),
        };
        let span = if code == codes::TAB { tab } else { span };
        let message = crate::diag::visible(&message);
        let finding = Diagnostic::new(code, span, message);
        let hint = habits::hint(self.text, at).filter(|_| code == codes::SYNTAX);
        self.parsed.findings.push(finding.help(match hint {
            Some(hint) => hint,
            None => help.to_owned(),
        }));
    }

    pub(super) fn count_nodes(&mut self, nodes: usize, span: Span) -> bool {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= limits::FILE_NODES {
            return true;
        }
        if !self.stopped {
            let message = format!("the file has more than {} nodes", limits::FILE_NODES);
            self.parsed.findings.push(
                Diagnostic::new(codes::LIMIT_NODES, span, message)
                    .help("split it: a mesh may have any number of files")
                    .note("what an alias stands for counts each time"),
            );
        }
        self.stopped = true;
        false
    }

    pub(super) fn too_deep(&mut self, span: Span) {
        let message = format!("nested deeper than {}", limits::FILE_DEPTH);
        self.parsed.findings.push(Diagnostic::new(codes::LIMIT_DEPTH, span, message));
    }

    pub(super) fn too_long(&mut self, span: Span, what: &str) {
        let message = format!("{what} is longer than 64 KiB");
        self.parsed.findings.push(Diagnostic::new(codes::LIMIT_TEXT, span, message));
    }

    pub(super) fn span(&self, place: &granit_parser::Span) -> Span {
        let range = place.byte_range().unwrap_or(0..0);
        Span::new(self.file, offset(self.base + range.start), offset(self.base + range.end))
    }

    /// Without the line ends and the indentation of the next line.
    pub(super) fn trimmed(&self, span: Span) -> Span {
        Span::new(span.file, span.start, span.start + offset(self.slice(span).trim_end().len()))
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}
