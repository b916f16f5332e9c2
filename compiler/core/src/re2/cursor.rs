//! A place in the text of an expression.

/// A place in a text, and what comes next.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text that is left.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The text from `at` to here.
    pub(super) fn read_from(&self, at: usize) -> &'t str {
        self.text.get(at..self.at).unwrap_or("")
    }

    /// The next character, which stays.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Reads a character.
    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Reads `c`, if it is the next character.
    pub(super) fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    /// Reads `word`, if it comes next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Reads up to the next character that is not wanted.
    pub(super) fn while_(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or("")
    }

    /// Reads a number without leading zeros, which RE2 takes for no number; one past all bounds is the largest.
    pub(super) fn number(&mut self) -> Option<u32> {
        let digits = self.while_(|c| c.is_ascii_digit());
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        let digit = |n: u32, digit: char| Some(n.saturating_mul(10).saturating_add(digit.to_digit(10)?));
        if digits.is_empty() { None } else { digits.chars().try_fold(0, digit) }
    }
}
