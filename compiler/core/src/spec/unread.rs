//! What could not be read: nothing is judged by the absence of what may be in it.

use std::collections::BTreeSet;

use crate::source::Parsed;

/// Words of the files and documents that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    words: BTreeSet<Box<str>>,
    /// Something is not even text, or not given: anything may be in it.
    opaque: bool,
    any: bool,
}

impl Unread {
    /// Notes a file that was not read to its end.
    pub(super) fn note(&mut self, bytes: &[u8], parsed: &Parsed) {
        if parsed.complete {
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.note_text(text),
            Err(_) => self.note_opaque(),
        }
    }

    /// Notes a text that gave no object with an address.
    pub(super) fn note_text(&mut self, text: &str) {
        self.any = true;
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        self.words.extend(words.filter(|word| !word.is_empty()).map(Into::into));
    }

    /// Notes a file of which nothing is known.
    pub fn note_opaque(&mut self) {
        self.any = true;
        self.opaque = true;
    }

    /// Whether there is anything of this kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.any
    }

    /// Whether a thing of this name, or an object of this kind, may be in what could not be read: its word stands there.
    #[must_use]
    pub fn may_have(&self, word: &str) -> bool {
        self.opaque || self.words.contains(word)
    }
}
