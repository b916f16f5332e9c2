//! From offsets in a decoded text back to bytes of the file.

use std::ops::Range;

use super::bytes::offset;
use super::{Style, Text};
use crate::diag::{Sources, Span};

/// Maps byte ranges of a decoded text (quotes, escapes, folding and indentation removed) to the bytes of the file that
/// they were written with. Built on demand, in linear time.
#[derive(Debug, Clone)]
pub struct TextMap {
    span: Span,
    style: Style,
    text: Box<str>,
    /// In rising order of both offsets; empty if the text does not come from these bytes.
    pieces: Vec<Piece>,
}

/// `len` bytes of text were written with `raw_len` bytes of the file; equal lengths are the same bytes.
#[derive(Debug, Clone, Copy)]
struct Piece {
    at: usize,
    len: usize,
    raw: usize,
    raw_len: usize,
}

impl TextMap {
    /// The map of a text that stands at `span`.
    pub fn new(sources: &Sources, span: Span, text: &Text) -> Self {
        let raw = sources.slice(span);
        let mut walk = Walk { raw, text: &text.text, pieces: Vec::new(), at: 0 };
        let whole = match text.style {
            Style::Plain => walk.flow(0..raw.len(), text.style),
            Style::Single | Style::Double => walk.flow(1..raw.len().saturating_sub(1), text.style),
            Style::Literal | Style::Folded => {
                let column = sources.position(span.head()).column.saturating_sub(1) as usize;
                walk.block(column)
            }
        };
        let pieces = if whole.is_some() { walk.pieces } else { Vec::new() };
        Self { span, style: text.style, text: text.text.clone(), pieces }
    }

    /// The edit that gives the text `replacement` at a byte range: in the escapes of the text's own quotes; in
    /// quotes, if it had none and needs them. `None` if the text does not come from these bytes.
    pub fn replace(&self, range: Range<usize>, replacement: &str) -> Option<(Span, String)> {
        if self.pieces.is_empty() || replacement.contains('\n') {
            return None;
        }
        let written = match self.style {
            Style::Literal | Style::Folded => replacement.to_owned(),
            Style::Single => replacement.replace('\'', "''"),
            Style::Double => replacement.replace('\\', "\\\\").replace('"', "\\\""),
            Style::Plain => {
                let whole =
                    [self.text.get(..range.start)?, replacement, self.text.get(range.end..)?].concat();
                if !self.stays_plain(&whole) {
                    return Some((self.span, format!("'{}'", whole.replace('\'', "''"))));
                }
                replacement.to_owned()
            }
        };
        Some((self.span(range), written))
    }

    /// True if a plain scalar stays one with this text (YAML 1.2, 7.3.3): it begins and ends as before, and what ends a
    /// plain scalar, outside of flow collections or in them, is not new in it.
    fn stays_plain(&self, text: &str) -> bool {
        let new = |mark: &str| text.contains(mark) && !self.text.contains(mark);
        let first = |text: &str| text.chars().next();
        let begins =
            first(text) == first(&self.text) || first(text).is_some_and(|c| c.is_alphanumeric() || c == '(');
        begins && !text.ends_with(':') && ![": ", " #", ",", "[", "]", "{", "}"].into_iter().any(new)
    }

    /// The bytes of the file behind a byte range of the text; all of the text's bytes where there is no better answer.
    pub fn span(&self, range: Range<usize>) -> Span {
        let raw = |at: usize| {
            let piece = self.pieces.get(self.pieces.partition_point(|p| p.at <= at).checked_sub(1)?)?;
            let within = at.saturating_sub(piece.at);
            Some(if piece.len == piece.raw_len {
                let start = piece.raw + within.min(piece.len);
                (start, (start + 1).min(piece.raw + piece.raw_len))
            } else {
                (piece.raw, piece.raw + piece.raw_len)
            })
        };
        let Some((start, end)) = raw(range.start) else {
            return self.span;
        };
        let end = if range.end > range.start { raw(range.end - 1).map_or(end, |r| r.1) } else { start };
        Span::new(self.span.file, self.span.start + offset(start), self.span.start + offset(end))
    }
}

struct Walk<'a> {
    raw: &'a str,
    text: &'a str,
    pieces: Vec<Piece>,
    /// Bytes of the text that are mapped so far.
    at: usize,
}

impl Walk<'_> {
    /// Plain and quoted texts. `None` if text and bytes do not fit together.
    fn flow(&mut self, inner: Range<usize>, style: Style) -> Option<()> {
        let mut raw = inner.start;
        while raw < inner.end {
            let rest = self.raw.get(raw..inner.end)?;
            let c = rest.chars().next()?;
            let used = match c {
                ' ' | '\t' | '\n' | '\r' => {
                    let run = blank_run(rest);
                    match line_ends(rest.get(..run)?) {
                        0 => self.same(raw, run)?,
                        lines => self.other(raw, lines.saturating_sub(1).max(1), run)?,
                    }
                    run
                }
                '\\' if style == Style::Double => self.escape(raw, rest)?,
                '\'' if style == Style::Single => {
                    self.other(raw, 1, 2)?;
                    2
                }
                _ => {
                    self.same(raw, c.len_utf8())?;
                    c.len_utf8()
                }
            };
            raw += used;
        }
        (self.at == self.text.len()).then_some(())
    }

    fn escape(&mut self, raw: usize, rest: &str) -> Option<usize> {
        let code = |from: usize, len: usize| u32::from_str_radix(rest.get(from..from + len)?, 16).ok();
        let raw_len = match rest.chars().nth(1)? {
            '\n' | '\r' => {
                // An escaped line end and the indentation after it are nothing; empty lines in between are line ends.
                let run = 1 + blank_run(rest.get(1..)?);
                let lines = line_ends(rest.get(..run)?);
                if lines > 1 {
                    self.other(raw, lines - 1, run)?;
                }
                return Some(run);
            }
            'x' => 4,
            'u' if (0xD800..0xDC00).contains(&code(2, 4)?) => 12,
            'u' => 6,
            'U' => 10,
            c => 1 + c.len_utf8(),
        };
        let len = self.text.get(self.at..)?.chars().next()?.len_utf8();
        self.other(raw, len, raw_len)?;
        Some(raw_len)
    }

    /// Blocks: each line that is not blank stands in the text as it is, without the indentation; between two of them
    /// the text has only spaces and line ends.
    fn block(&mut self, indent: usize) -> Option<()> {
        let mut raw = 0;
        for (number, line) in self.raw.split_inclusive('\n').enumerate() {
            let content = line.trim_end_matches(['\n', '\r']);
            let spaces = content.bytes().take_while(|b| *b == b' ').count();
            let skip = if number == 0 { 0 } else { spaces.min(indent) };
            let content = content.get(skip..)?;
            if !content.trim().is_empty() {
                let rest = self.text.get(self.at..)?;
                let blank = rest.bytes().take_while(|b| matches!(b, b' ' | b'\n' | b'\t')).count();
                let own = content.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
                let gap = blank.checked_sub(own)?;
                if gap > 0 {
                    let from = self.pieces.last().map_or(0, |p| p.raw + p.raw_len);
                    self.other(from, gap, (raw + skip).saturating_sub(from))?;
                }
                // The last line was cut to its last character; so is the line here.
                let shared =
                    if self.text.get(self.at..)?.starts_with(content) { content } else { content.trim_end() };
                self.same(raw + skip, shared.len())?;
            }
            raw += line.len();
        }
        self.text.get(self.at..)?.trim().is_empty().then_some(())
    }

    /// The next bytes of the text are these bytes of the file.
    fn same(&mut self, raw: usize, len: usize) -> Option<()> {
        if self.text.get(self.at..self.at + len)? != self.raw.get(raw..raw + len)? {
            return None;
        }
        match self.pieces.last_mut() {
            Some(p) if p.len == p.raw_len && p.raw + p.raw_len == raw => {
                p.len += len;
                p.raw_len += len;
            }
            _ => self.pieces.push(Piece { at: self.at, len, raw, raw_len: len }),
        }
        self.at += len;
        Some(())
    }

    /// The next bytes of the text were written in another way.
    fn other(&mut self, raw: usize, len: usize, raw_len: usize) -> Option<()> {
        self.text.get(self.at..self.at + len)?;
        self.pieces.push(Piece { at: self.at, len, raw, raw_len });
        self.at += len;
        Some(())
    }
}

fn blank_run(text: &str) -> usize {
    text.bytes().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count()
}

fn line_ends(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}
