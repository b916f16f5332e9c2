//! Bytes of a file to text that hides nothing.

use super::limits;
use crate::diag::{Diagnostic, FileId, Span, codes};

/// The text of a file, and why it must not be parsed. The text is always there, so that findings can be shown; where
/// bytes are not UTF-8 it has replacement characters.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) refused: Vec<Diagnostic>,
}

pub(super) fn decode(file: FileId, bytes: &[u8]) -> Decoded {
    if bytes.len() > limits::FILE_BYTES {
        let message = format!("the file has {} bytes, more than 1 MiB", bytes.len());
        let finding = Diagnostic::new(codes::LIMIT_FILE, Span::new(file, 0, 0), message)
            .help("split it: a mesh may have any number of files");
        return Decoded { text: String::new(), refused: vec![finding] };
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let finding =
            Diagnostic::new(codes::ENCODING, Span::new(file, 0, 0), "the file is UTF-16, not UTF-8")
                .help("save it as UTF-8");
        return Decoded { text: String::new(), refused: vec![finding] };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded { refused: hidden(file, text), text: text.to_owned() },
        Err(error) => {
            let at = offset(error.valid_up_to());
            // U+FFFD, which stands for the bad bytes in the lossy text, has three bytes.
            let finding = Diagnostic::new(
                codes::ENCODING,
                Span::new(file, at, at + 3),
                format!("the file is not UTF-8: bad byte at offset {at}"),
            )
            .help("save it as UTF-8");
            Decoded { text: String::from_utf8_lossy(bytes).into_owned(), refused: vec![finding] }
        }
    }
}

/// Control characters, bidirectional overrides and bare carriage returns. Refused in the whole file, comments included:
/// a comment that reorders the line hides what the line says.
pub(super) fn is_refused(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn hidden(file: FileId, text: &str) -> Vec<Diagnostic> {
    let plain = |b: &u8| (0x20..0x7F).contains(b) || *b == b'\n';
    if text.as_bytes().iter().all(plain) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let bare = c == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n');
        if !is_refused(c) && !bare {
            continue;
        }
        let span = Span::new(file, offset(at), offset(at + c.len_utf8()));
        let name = format!("U+{:04X}", u32::from(c));
        out.push(match c {
            '\0' => Diagnostic::new(codes::ENCODING, span, "the file has a NUL byte")
                .help("save it as UTF-8 text"),
            '\r' => Diagnostic::new(codes::HIDDEN_CHARACTER, span, "a carriage return without a line feed")
                .help("use LF or CRLF line ends"),
            _ => Diagnostic::new(codes::HIDDEN_CHARACTER, span, format!("the invisible character {name}"))
                .help("remove it"),
        });
        // One NUL byte makes it likely that the file is binary or UTF-16.
        if c == '\0' || out.len() == limits::CHARACTER_FINDINGS {
            break;
        }
    }
    out
}

/// Files are far below 4 GiB (see [`limits::FILE_BYTES`]).
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
