//! Text as expressions read it: borrowed from the request, with what is to be done to it on the way.
//!
//! Percent-decoding and the case of letters are applied byte by byte wherever a text is
//! compared, so nothing is copied. Only searches inside of such a text copy it, to the stack.

use std::borrow::Cow;
use std::cmp::Ordering;

use mesh_bundle::expr::TextView;
use mesh_bundle::limits;

/// A borrowed text, with transformations that are applied as it is read.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    raw: &'a str,
    case: Case,
    /// True for the form encoding of the URL standard, whose escapes are whole and make text.
    escaped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

/// True if `raw`, percent-decoded, is `text`.
pub(crate) fn decodes_to(raw: &str, text: &str) -> bool {
    if !is_escaped(raw) {
        return raw == text;
    }
    let mut wanted = text.bytes();
    let mut rest = raw.as_bytes().iter();
    while let Some(byte) = decode(&mut rest) {
        if byte.is_none() || byte != wanted.next() {
            return false;
        }
    }
    wanted.next().is_none()
}

impl<'a> Text<'a> {
    /// A text as it is, without transformation.
    #[must_use]
    #[inline]
    pub fn plain(raw: &'a str) -> Self {
        Self { raw, case: Case::Kept, escaped: false }
    }

    /// The percent-decoded form of `raw`, `+` a space; `None` for a broken escape, or a result that is not UTF-8.
    #[must_use]
    pub fn decoding(raw: &'a str) -> Option<Self> {
        if !is_escaped(raw) {
            return Some(Self::plain(raw));
        }
        let mut rest = raw.as_bytes().iter();
        let mut sound = true;
        let mut bytes = std::iter::from_fn(|| {
            let byte = decode(&mut rest)?;
            sound &= byte.is_some();
            byte
        });
        while let Some(char) = next_char(&mut bytes) {
            char?;
        }
        sound.then_some(Self { raw, case: Case::Kept, escaped: true })
    }

    /// Applies another transformation. Of two cases the later holds.
    #[must_use]
    pub fn viewed(self, view: TextView) -> Self {
        match view {
            TextView::Lower => Self { case: Case::Lower, ..self },
            TextView::Upper => Self { case: Case::Upper, ..self },
            TextView::Trim if !self.escaped => Self { raw: self.raw.trim(), ..self },
            TextView::Trim => {
                let mut bytes = self.bytes();
                let (mut start, mut end, mut at) = (None, 0, 0);
                while let Some(char) = next_char(&mut bytes) {
                    let after = self.raw.len() - bytes.rest.len();
                    if !char.is_some_and(char::is_whitespace) {
                        start.get_or_insert(at);
                        end = after;
                    }
                    at = after;
                }
                Self { raw: self.raw.get(start.unwrap_or(0)..end).unwrap_or_default(), ..self }
            }
        }
    }

    /// The text itself where it has no transformation.
    #[must_use]
    #[inline]
    pub fn as_plain(self) -> Option<&'a str> {
        (self.case == Case::Kept && !self.escaped).then_some(self.raw)
    }

    /// Equality with a plain text.
    #[must_use]
    pub fn is(self, other: &str) -> bool {
        match self.as_plain() {
            Some(plain) => plain == other,
            None => self.bytes().eq(other.bytes()),
        }
    }

    /// Compares by code points, which for UTF-8 is by bytes.
    #[must_use]
    pub fn order(self, other: Text<'_>) -> Ordering {
        match (self.as_plain(), other.as_plain()) {
            (Some(a), Some(b)) => a.cmp(b),
            _ => self.bytes().cmp(other.bytes()),
        }
    }

    /// True if the text begins with `other` (CEL `startsWith`).
    #[must_use]
    pub fn starts_with(self, other: Text<'_>) -> bool {
        if let (Some(a), Some(b)) = (self.as_plain(), other.as_plain()) {
            return a.starts_with(b);
        }
        let mut bytes = self.bytes();
        other.bytes().all(|byte| bytes.next() == Some(byte))
    }

    /// True if the text ends with `other` (CEL `endsWith`).
    #[must_use]
    pub fn ends_with(self, other: Text<'_>) -> bool {
        if let (Some(a), Some(b)) = (self.as_plain(), other.as_plain()) {
            return a.ends_with(b);
        }
        let before = self.bytes().count().checked_sub(other.bytes().count());
        before.is_some_and(|before| self.bytes().skip(before).eq(other.bytes()))
    }

    /// True if the text contains `other` (CEL `contains`).
    #[must_use]
    pub fn contains(self, other: Text<'_>) -> bool {
        self.with(|a| other.with(|b| a.contains(b)))
    }

    /// The number of code points (CEL `size`).
    #[must_use]
    pub fn size(self) -> usize {
        if !self.escaped {
            return self.raw.chars().count();
        }
        // Every byte but those that continue a character (RFC 3629 section 3).
        self.bytes().filter(|byte| byte & 0xc0 != 0x80).count()
    }

    /// Calls `read` with the whole text. Up to [`limits::VALUE_BYTES`] no memory is taken for it.
    pub fn with<R>(self, read: impl FnOnce(&str) -> R) -> R {
        match self.as_plain() {
            Some(plain) => read(plain),
            None => self.with_copy(read),
        }
    }

    /// The whole text, copied where it has another form than it came in.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        match self.as_plain() {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(String::from_utf8_lossy(&self.bytes().collect::<Vec<u8>>()).into_owned()),
        }
    }

    #[cold]
    #[inline(never)]
    fn with_copy<R>(self, read: impl FnOnce(&str) -> R) -> R {
        let mut room = [0; limits::VALUE_BYTES];
        if self.raw.len() > room.len() {
            return read(&self.into_text());
        }
        // Decoding only shortens.
        let length = room.iter_mut().zip(self.bytes()).map(|(to, byte)| *to = byte).count();
        // Text, as `decoding` has made sure; ASCII letters stay such in any case.
        read(room.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default())
    }

    pub(crate) fn bytes(self) -> Bytes<'a> {
        Bytes { rest: self.raw.as_bytes().iter(), case: self.case, escaped: self.escaped }
    }
}

/// The bytes of a text with its transformations applied.
pub(crate) struct Bytes<'a> {
    rest: std::slice::Iter<'a, u8>,
    case: Case,
    escaped: bool,
}

impl Iterator for Bytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = if self.escaped { decode(&mut self.rest)?? } else { *self.rest.next()? };
        Some(match self.case {
            Case::Kept => byte,
            Case::Lower => byte.to_ascii_lowercase(),
            Case::Upper => byte.to_ascii_uppercase(),
        })
    }
}

fn is_escaped(raw: &str) -> bool {
    raw.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}

/// The next byte of form-encoded text; `Some(None)` for a broken escape.
fn decode(rest: &mut std::slice::Iter<'_, u8>) -> Option<Option<u8>> {
    Some(match rest.next()? {
        b'+' => Some(b' '),
        b'%' => {
            let mut digit = || rest.next().and_then(|digit| char::from(*digit).to_digit(16));
            digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
        }
        other => Some(*other),
    })
}

/// The next character of UTF-8; `Some(None)` where the bytes are none.
fn next_char(bytes: &mut impl Iterator<Item = u8>) -> Option<Option<char>> {
    let mut room = [0; 4];
    let first = bytes.next()?;
    let width = match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    for (n, place) in room.iter_mut().take(width).enumerate() {
        match if n == 0 { Some(first) } else { bytes.next() } {
            Some(byte) => *place = byte,
            None => return Some(None),
        }
    }
    let char = room.get(..width).and_then(|bytes| std::str::from_utf8(bytes).ok());
    Some(char.and_then(|text| text.chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str) -> Text<'_> {
        Text::decoding(raw).unwrap()
    }

    #[test]
    fn broken_escapes_and_no_utf8_are_no_text() {
        for bad in
            ["%", "%a", "%zz", "a%2", "%ff", "%c3", "%c3a", "%ed%a0%80", "%c0%80", "é%e9", "%F5%80%80%80"]
        {
            assert!(Text::decoding(bad).is_none(), "{bad}");
        }
        for (raw, text) in
            [("%C3%A9+é", "é é"), ("%00", "\0"), ("%f0%9f%98%80", "😀"), ("+", " "), ("a", "a")]
        {
            assert!(decoded(raw).is(text), "{raw}");
            assert_eq!(decoded(raw).into_text(), text);
            assert!(decodes_to(raw, text) && !decodes_to(raw, "other"));
        }
        assert!(!decodes_to("a%zz", "a") && !decodes_to("a+", "a") && !decodes_to("%61", "aa"));
    }

    /// Each operation on a text in another form is that of the text that it stands for.
    #[test]
    fn forms_behave_as_the_text_that_they_stand_for() {
        let texts = ["", " a ", "Ab%2Bc", "+%C3%89x%20", "%E3%80%80Ab\u{a0}", "ABC", "aB+", "é"];
        let views: [&[TextView]; 5] = [
            &[],
            &[TextView::Lower],
            &[TextView::Upper, TextView::Trim],
            &[TextView::Trim],
            &[TextView::Lower, TextView::Upper],
        ];
        let plain = |raw: &str, views: &[TextView]| {
            views.iter().fold(decoded(raw).into_text().into_owned(), |text, view| match view {
                TextView::Lower => text.to_ascii_lowercase(),
                TextView::Upper => text.to_ascii_uppercase(),
                TextView::Trim => text.trim().to_owned(),
            })
        };
        let form = |raw, views: &[TextView]| views.iter().fold(decoded(raw), |text, view| text.viewed(*view));
        for (raw, with) in texts.iter().flat_map(|raw| views.map(|with| (*raw, with))) {
            let (a, stands) = (form(raw, with), plain(raw, with));
            assert_eq!(a.into_text(), stands, "{raw:?} {with:?}");
            assert_eq!(a.size(), stands.chars().count());
            assert_eq!(a.with(str::to_owned), stands);
            for (other, how) in texts.iter().flat_map(|raw| views.map(|with| (*raw, with))) {
                let (b, text) = (form(other, how), plain(other, how));
                assert_eq!(a.is(&text), stands == text);
                assert_eq!(a.order(b), stands.cmp(&text), "{stands:?} {text:?}");
                assert_eq!(a.starts_with(b), stands.starts_with(&text));
                assert_eq!(a.ends_with(b), stands.ends_with(&text));
                assert_eq!(a.contains(b), stands.contains(&text));
            }
        }
    }

    #[test]
    fn long_texts_are_read_whole() {
        let long = "A".repeat(limits::VALUE_BYTES + 1);
        assert!(
            Text::plain(&long)
                .viewed(TextView::Lower)
                .with(|text| text.len() == long.len() && text.starts_with('a'))
        );
    }
}
