//! Files that a checkout wrote otherwise than the commit has them: line ends and `$Id$` (gitattributes(5)).
//!
//! A file that git calls unchanged has the commit's bytes once it is converted back; then the commit's bytes are what is
//! compiled. Only conversions that are part of git are done: a filter would be a program to run.

use git2::AttrValue;

use super::settings::Settings;

/// Bytes of a text that are looked at for each one that is not printable: git's guess what is binary.
const PRINTABLE: usize = 128;

/// How a checkout wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conversion {
    line_ends: LineEnds,
    ident: bool,
}

/// What is done to CRLF on the way into a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    /// They stay.
    Keep,
    /// They become LF.
    Text,
    /// They become LF in what looks like text, unless the commit has CRLF itself.
    Auto,
}

/// Whether a file may have been converted: nearly all files are told apart by their bytes alone.
pub(super) fn may_be_converted(file: &[u8]) -> bool {
    let id = |after: &[u8]| after.starts_with(b"Id:");
    file.contains(&b'\r') || file.split(|byte| *byte == b'$').skip(1).any(id)
}

impl Conversion {
    /// By the attributes `text`, `crlf`, `eol`, `ident` of a path and the setting `core.autocrlf`.
    pub(super) fn of(repository: &git2::Repository, path: &str, settings: &Settings) -> Self {
        // The library tells `set` and `unset` by where the bytes lie, so that a copy of them would be a text.
        let attribute = |name: &str| {
            let value = repository.get_attr_bytes(path.as_ref(), name, git2::AttrCheckFlags::default());
            AttrValue::from_bytes(value.ok().flatten())
        };
        let line_ends = |name: &str| match attribute(name) {
            AttrValue::True | AttrValue::String("input") => Some(LineEnds::Text),
            AttrValue::False => Some(LineEnds::Keep),
            AttrValue::String("auto") => Some(LineEnds::Auto),
            _ => None,
        };
        let eol = matches!(attribute("eol"), AttrValue::String("lf" | "crlf"));
        let said = match line_ends("text").or_else(|| line_ends("crlf")) {
            None if eol => Some(LineEnds::Text),
            said => said,
        };
        let autocrlf = || match settings.word("core.autocrlf").as_deref() {
            Some("input") => true,
            _ => settings.bool("core.autocrlf") == Some(true),
        };
        let line_ends = said.unwrap_or_else(|| if autocrlf() { LineEnds::Auto } else { LineEnds::Keep });
        let ident = attribute("ident") == AttrValue::True;
        Self { line_ends, ident }
    }

    /// Whether `file` becomes `blob`, which the commit has at its path, when git takes it in.
    pub(super) fn gives(self, file: &[u8], blob: &[u8]) -> bool {
        let lines = match self.line_ends {
            LineEnds::Keep => file.to_vec(),
            LineEnds::Auto if is_binary(file) || has_crlf(blob) => file.to_vec(),
            LineEnds::Text | LineEnds::Auto => without_crlf(file),
        };
        if self.ident { without_id(&lines) == blob } else { lines == blob }
    }
}

fn has_crlf(text: &[u8]) -> bool {
    text.windows(2).any(|pair| pair == b"\r\n")
}

fn without_crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        if !(*byte == b'\r' && bytes.peek() == Some(&&b'\n')) {
            out.push(*byte);
        }
    }
    out
}

/// Git's guess: a NUL, a CR that ends no line, or one byte in 128 that is no text.
fn is_binary(text: &[u8]) -> bool {
    // An end-of-file mark of DOS is none.
    let text = text.strip_suffix(b"\x1a").unwrap_or(text);
    let (mut printable, mut other) = (0_usize, 0_usize);
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&&b'\n') => {
                bytes.next();
            }
            b'\r' | 0 => return true,
            b'\n' => {}
            0x08 | 0x09 | 0x0c | 0x1b => printable += 1,
            0x7f | 0x01..=0x1f => other += 1,
            _ => printable += 1,
        }
    }
    printable / PRINTABLE < other
}

/// The text with `$Id: ...$` of one line as `$Id$`.
fn without_id(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(4).position(|window| window == b"$Id:") {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let inner = from.get(4..).unwrap_or_default();
        let end = inner.iter().position(|byte| matches!(byte, b'$' | b'\n'));
        rest = match end.and_then(|end| Some((*inner.get(end)?, inner.get(end + 1..)?))) {
            Some((b'$', after)) => {
                out.extend_from_slice(b"$Id$");
                after
            }
            _ => {
                out.extend_from_slice(b"$Id:");
                inner
            }
        };
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_taken_back_as_git_does() {
        let gives =
            |line_ends, file: &[u8], blob: &[u8]| Conversion { line_ends, ident: false }.gives(file, blob);
        assert!(gives(LineEnds::Text, b"a\r\nb\rc\r\n", b"a\nb\rc\n"));
        assert!(gives(LineEnds::Auto, b"a\r\nb\r\n", b"a\nb\n"));
        assert!(gives(LineEnds::Auto, b"a\r\nb\n", b"a\nb\n"));
        assert!(!gives(LineEnds::Keep, b"a\r\n", b"a\n"));
        // A lone CR is no text, and a commit that has CRLF keeps them.
        assert!(!gives(LineEnds::Auto, b"a\r\nb\rc\r\n", b"a\nb\rc\n"));
        assert!(!gives(LineEnds::Auto, b"a\r\nb\r\n", b"a\r\nb\n"));
        assert!(!gives(LineEnds::Text, b"a\r\nc\r\n", b"a\nb\n"));
        assert!(!gives(LineEnds::Auto, b"\x01\r\n", b"\x01\n"));
    }

    #[test]
    fn an_id_is_taken_back_within_its_line() {
        let id = |text: &str| String::from_utf8(without_id(text.as_bytes())).unwrap();
        assert_eq!(id("# $Id: 0123 $ x $Id: y$\n"), "# $Id$ x $Id$\n");
        assert_eq!(id("# $Id: 0123\n$ $Id$ $Id: "), "# $Id: 0123\n$ $Id$ $Id: ");
        assert!(may_be_converted(b"a $Id: b") && may_be_converted(b"\r") && !may_be_converted(b"$Id$\n"));
    }
}
