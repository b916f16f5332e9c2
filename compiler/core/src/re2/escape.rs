//! Escapes: what follows a `\`.

use super::broken::{Broken, Checked};
use super::cursor::Cursor;
use super::rules::{self, Rule};

/// Reads an escape outside of classes, whose `\` stood at `at`.
pub(super) fn outside(cursor: &mut Cursor<'_>, at: usize) -> Checked {
    match cursor.peek() {
        Some('A' | 'z' | 'b' | 'B') => {
            cursor.next();
            Ok(())
        }
        Some('C') => broken(cursor, &rules::BYTE, at),
        Some('Q') => broken(cursor, &rules::QUOTE, at),
        _ => inside(cursor, at).map(drop),
    }
}

/// Reads an escape of classes: the character that it stands for, or `None` for a class.
pub(super) fn inside(cursor: &mut Cursor<'_>, at: usize) -> Checked<Option<char>> {
    let Some(c) = cursor.peek() else { return broken(cursor, &rules::TRAILING, at) };
    let one = match c {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => None,
        'a' => Some('\u{7}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        'x' => {
            cursor.next();
            return hex(cursor, at).map(Some);
        }
        'p' | 'P' => return broken(cursor, &rules::UNICODE, at),
        '<' | '>' => return broken(cursor, &rules::EDGE, at),
        '0' => return broken(cursor, &rules::OCTAL, at),
        '1'..='7' if cursor.rest().chars().nth(1).is_some_and(|c| c.is_digit(8)) => {
            return broken(cursor, &rules::OCTAL, at);
        }
        '1'..='9' => return broken(cursor, &rules::REFERENCE, at),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
        _ => return broken(cursor, &rules::ESCAPE, at),
    };
    cursor.next();
    Ok(one)
}

/// `\xHH` or `\x{H...}`, after its `x`.
fn hex(cursor: &mut Cursor<'_>, at: usize) -> Checked<char> {
    let braced = cursor.eat('{');
    let most = if braced { usize::MAX } else { 2 };
    let mut value: u32 = 0;
    let mut digits = 0;
    while digits < most
        && let Some(digit) = cursor.peek().and_then(|c| c.to_digit(16))
    {
        cursor.next();
        value = value.saturating_mul(16).saturating_add(digit);
        digits += 1;
    }
    let ended = if braced { digits > 0 && cursor.eat('}') } else { digits == most };
    let rule = if (0xd800..0xe000).contains(&value) { &rules::SURROGATE } else { &rules::HEX };
    match char::from_u32(value) {
        Some(c) if ended => Ok(c),
        _ if ended => Err(Broken::new(rule, at..cursor.at())),
        _ => Err(Broken::new(&rules::HEX, at..cursor.at())),
    }
}

/// The escape and the character after its `\` break a rule.
fn broken<T>(cursor: &mut Cursor<'_>, rule: &'static Rule, at: usize) -> Checked<T> {
    cursor.next();
    Err(Broken::new(rule, at..cursor.at()))
}
