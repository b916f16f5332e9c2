//! The files of a finding as one text for miette, each behind the other, with nothing in it that must not be shown.

use std::collections::BTreeMap;

use super::narrow::{Narrowed, narrowed};
use mesh_compiler::diag::{Diagnostic, FileId, SourceFile, Sources, Span, is_hidden};
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Files that can be shown: hidden characters and secrets are replaced by as many bytes, so that places stay.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    sources: &'a Sources,
    /// Places of secrets, by file.
    masked: BTreeMap<FileId, Vec<Span>>,
    texts: BTreeMap<FileId, String>,
}

impl<'a> Shown<'a> {
    /// Prepares the files of `findings`.
    pub(super) fn new(sources: &'a Sources, findings: &[&Diagnostic]) -> Self {
        let mut shown = Self { sources, masked: BTreeMap::new(), texts: BTreeMap::new() };
        for finding in findings.iter().filter(|d| d.redact) {
            shown.masked.entry(finding.primary.span.file).or_default().push(finding.primary.span);
        }
        for finding in findings {
            let labels = finding.labels.iter().map(|l| l.span.file);
            for file in std::iter::once(finding.primary.span.file).chain(labels) {
                if !shown.texts.contains_key(&file) {
                    let text = shown.text(file);
                    shown.texts.insert(file, text);
                }
            }
        }
        shown
    }

    fn text(&self, file: FileId) -> String {
        let Some(source) = self.sources.file(file) else { return String::new() };
        let masked = self.masked.get(&file).map(Vec::as_slice).unwrap_or_default();
        let mut out = String::with_capacity(source.text().len());
        let mut chars = source.text().char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let ends = c == '\n' || (c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n'));
            let secret = masked.iter().any(|s| (s.start as usize..s.end as usize).contains(&at));
            if ends || (c == '\t' && !secret) || !(secret || is_hidden(c)) {
                out.push(c);
            } else {
                let filler = if secret { '*' } else { '?' };
                out.extend(std::iter::repeat_n(filler, c.len_utf8()));
            }
        }
        out
    }

    /// The files that `finding` has places in, the primary one first.
    fn files(&self, finding: &Diagnostic) -> Vec<FileId> {
        let mut files = vec![finding.primary.span.file];
        for label in &finding.labels {
            if !files.contains(&label.span.file) {
                files.push(label.span.file);
            }
        }
        files
    }

    /// These files as one text. Lines around the places of `finding` that are longer than `width` are cut.
    pub(super) fn joined(&self, finding: &Diagnostic, width: Option<usize>) -> Joined<'_> {
        let mut parts = Vec::new();
        let mut base = 0;
        for file in self.files(finding) {
            let text = self.texts.get(&file).map(String::as_str).unwrap_or_default();
            let narrow = width.map(|width| {
                let spans = std::iter::once(finding.primary.span)
                    .chain(finding.labels.iter().map(|label| label.span));
                let places = spans.filter(|span| span.file == file);
                let places: Vec<_> = places.map(|span| (span.start as usize, span.end as usize)).collect();
                let narrow = narrowed(text, &places, width);
                let mut own = Sources::new();
                own.add(self.sources.path(file), narrow.text.clone());
                (own, narrow)
            });
            let part = Part { file, base, text, narrow };
            let length = part.text().len();
            parts.push(part);
            // One byte between files, so that their ends and beginnings differ.
            base += length + 1;
        }
        Joined { sources: self.sources, parts }
    }
}

/// Some files, one behind the other.
#[derive(Debug)]
pub(super) struct Joined<'a> {
    sources: &'a Sources,
    parts: Vec<Part<'a>>,
}

#[derive(Debug)]
struct Part<'a> {
    file: FileId,
    base: usize,
    text: &'a str,
    /// Its text with long lines cut, also as a file alone.
    narrow: Option<(Sources, Narrowed)>,
}

impl Part<'_> {
    /// The text as it is shown.
    fn text(&self) -> &str {
        self.narrow.as_ref().map_or(self.text, |(_, narrow)| &narrow.text)
    }

    /// The file as it is shown.
    fn file<'f>(&'f self, sources: &'f Sources) -> Option<&'f SourceFile> {
        match &self.narrow {
            Some((own, _)) => own.file(FileId(0)),
            None => sources.file(self.file),
        }
    }

    /// Where a byte of the file stands in what is shown, and the other way round.
    fn offset(&self, at: usize) -> usize {
        self.narrow.as_ref().map_or(at, |(_, narrow)| narrow.offset(at))
    }

    fn original(&self, at: usize) -> usize {
        self.narrow.as_ref().map_or(at, |(_, narrow)| narrow.original(at))
    }
}

impl Joined<'_> {
    /// A place of one file as offset and length in the whole, cut at the end of its first line and at least one
    /// character long where there is one.
    pub(super) fn range(&self, span: Span) -> Option<(usize, usize)> {
        let part = self.parts.iter().find(|p| p.file == span.file)?;
        let text = part.text();
        let place = |at: u32| part.offset(at as usize).min(text.len());
        let (start, end) = (place(span.start), place(span.end));
        let words = text.get(start..end)?;
        let line = words.lines().next().unwrap_or_default().trim_end();
        Some((part.base + start, line.len()))
    }
}

impl SourceCode for Joined<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let outside = || MietteError::OutOfBounds;
        let part = self.parts.iter().rev().find(|p| p.base <= span.offset()).ok_or_else(outside)?;
        let start = span.offset() - part.base;
        let end = start + span.len();
        let text = part.text();
        if end > text.len() {
            return Err(outside());
        }
        let file = part.file(self.sources).ok_or_else(outside)?;
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let at = file.position(offset(start));
        let first = at.line.saturating_sub(offset(before)).max(1);
        let last = file.line_of(offset(end)).saturating_add(offset(after)).min(file.lines());
        // Without context the contents start at the words themselves: so miette learns their column.
        let (from, line, column) = if before == 0 {
            let written = self.sources.file(part.file).ok_or_else(outside)?;
            (start, at.line, written.position(offset(part.original(start))).column)
        } else {
            (file.line_start(first).unwrap_or(0) as usize, first, 1)
        };
        let to = file.line_start(last.saturating_add(1)).map_or(text.len(), |next| next as usize);
        let text = text.get(from..to.max(end)).ok_or_else(outside)?;
        let name = crate::text::clean(file.path());
        Ok(Box::new(MietteSpanContents::new_named(
            name,
            text.as_bytes(),
            (part.base + from, text.len()).into(),
            line.saturating_sub(1) as usize,
            column.saturating_sub(1) as usize,
            last.saturating_sub(first) as usize + 1,
        )))
    }
}
