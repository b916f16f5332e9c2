//! User text in messages: nothing that moves a cursor, hides or reorders words.

use std::borrow::Cow;
use std::fmt::Write as _;

/// At most this many characters of user text are shown in one message; the place shows the rest.
const SHOWN: usize = 80;

/// Whether a character is invisible, moves the cursor, or reorders text ("Trojan source", CVE-2021-42574).
///
/// Tab and line ends count: in a message they break its one line.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The text with hidden characters written as `\u{..}`, and cut after 80 characters.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.len() <= SHOWN && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == SHOWN {
            out.push('…');
            break;
        }
        if is_hidden(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// The text as it is shown in messages: visible, in backticks.
pub fn quoted(text: &str) -> String {
    format!("`{}`", visible(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_reaches_a_message() {
        assert_eq!(quoted("a\u{202e}b\x1b[2J"), "`a\\u{202e}b\\u{1b}[2J`");
        assert_eq!(quoted("plain ü"), "`plain ü`");
        let long = "x".repeat(300);
        assert_eq!(visible(&long).chars().count(), 81);
    }
}
