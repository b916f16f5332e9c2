//! What opens a group, and flags: `(`, `(?...`.

use std::collections::BTreeSet;

use super::broken::{Broken, Checked};
use super::cursor::Cursor;
use super::rules;

/// What a `(` began.
pub(super) enum Opened {
    /// A group, to be closed.
    Group,
    /// Flags for the rest of the group around them; closed already.
    Flags,
}

/// Reads what follows a `(` that stood at `at`, up to the content of the group.
pub(super) fn open<'t>(cursor: &mut Cursor<'t>, names: &mut BTreeSet<&'t str>, at: usize) -> Checked<Opened> {
    if !cursor.eat('?') {
        return Ok(Opened::Group);
    }
    // Look-behind begins as a name does.
    let behind = cursor.rest().starts_with("<=") || cursor.rest().starts_with("<!");
    if !behind && (cursor.eat_word("P<") || cursor.eat('<')) {
        return name(cursor, names, at).map(|()| Opened::Group);
    }
    flags(cursor, at)
}

fn name<'t>(cursor: &mut Cursor<'t>, names: &mut BTreeSet<&'t str>, at: usize) -> Checked {
    let name = cursor.while_(|c| c != '>' && c != ')');
    let range = at..cursor.at();
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if !cursor.eat('>') || name.is_empty() || !name.chars().all(word) {
        return Err(Broken::new(&rules::NAME, range));
    }
    if digit || !name.is_ascii() {
        return Err(Broken::new(&rules::PLAIN_NAME, range));
    }
    if !names.insert(name) {
        return Err(Broken::new(&rules::NAME_TWICE, range));
    }
    Ok(())
}

/// `flags)`, `flags:` or `:`, each flag of RE2's and once.
fn flags(cursor: &mut Cursor<'_>, at: usize) -> Checked<Opened> {
    let mut seen = String::new();
    // The `-` was read; a flag was read since it, or since the start.
    let (mut negated, mut fresh) = (false, false);
    loop {
        let Some(c) = cursor.next() else { return Err(Broken::new(&rules::OPEN_GROUP, at..at + 1)) };
        let range = at..cursor.at();
        match c {
            'i' | 'm' | 's' | 'U' if seen.contains(c) => return Err(Broken::new(&rules::FLAG_TWICE, range)),
            'i' | 'm' | 's' | 'U' => {
                seen.push(c);
                fresh = true;
            }
            '-' if !negated => (negated, fresh) = (true, false),
            ':' | ')' if negated && !fresh => return Err(Broken::new(&rules::FLAG, range)),
            ':' => return Ok(Opened::Group),
            ')' if seen.is_empty() => return Err(Broken::new(&rules::NO_FLAGS, range)),
            ')' => return Ok(Opened::Flags),
            _ if c.is_ascii_alphabetic() && c != 'P' || c == '-' => {
                return Err(Broken::new(&rules::FLAG, range));
            }
            _ => return Err(Broken::new(&rules::GROUP, range)),
        }
    }
}
