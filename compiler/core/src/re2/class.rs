//! Classes: `[...]`.

use super::broken::{Broken, Checked};
use super::cursor::Cursor;
use super::{escape, rules};

/// Names of `[:name:]`.
const NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Two of these in a row are an operator of sets to proxies.
const OPERATORS: [&str; 3] = ["&&", "--", "~~"];

/// What stands in a class.
enum Item {
    One(char),
    Several,
}

/// Reads a class whose `[` stood at `open`.
pub(super) fn read(cursor: &mut Cursor<'_>, open: usize) -> Checked {
    cursor.eat('^');
    let mut first = true;
    loop {
        let at = cursor.at();
        match cursor.peek() {
            None => return Err(Broken::new(&rules::OPEN_CLASS, open..open + 1)),
            Some(']') if !first => {
                cursor.next();
                return Ok(());
            }
            Some(_) => {}
        }
        let item = item(cursor, open)?;
        if first && cursor.read_from(at) == "]" && is_range(cursor) {
            return Err(Broken::new(&rules::BRACKET_RANGE, at..cursor.at() + 1));
        }
        first = false;
        if let Item::One(low) = item {
            range(cursor, open, at, low)?;
        } else if is_range(cursor) && !named(cursor, at) {
            return Err(Broken::new(&rules::RANGE_OF_CLASS, at..cursor.at() + 1));
        }
    }
}

/// True if a `-` comes next that is not the last character of the class.
fn is_range(cursor: &Cursor<'_>) -> bool {
    cursor.rest().starts_with('-') && !cursor.rest().starts_with("-]")
}

/// The rest of a range that begins with `low` at `at`, if it is one.
fn range(cursor: &mut Cursor<'_>, open: usize, at: usize, low: char) -> Checked {
    operator(cursor)?;
    if !is_range(cursor) {
        return Ok(());
    }
    cursor.next();
    let from = cursor.at();
    if cursor.peek() == Some('[') {
        return Err(Broken::new(&rules::NESTED, from..from + 1));
    }
    let high = item(cursor, open)?;
    let whole = at..cursor.at();
    match high {
        Item::One(high) if low <= high => Ok(()),
        Item::One(_) => Err(Broken::new(&rules::RANGE_BACKWARDS, whole)),
        Item::Several => Err(Broken::new(&rules::RANGE_TO_CLASS, whole)),
    }
}

fn item(cursor: &mut Cursor<'_>, open: usize) -> Checked<Item> {
    operator(cursor)?;
    let at = cursor.at();
    match cursor.next() {
        None => Err(Broken::new(&rules::OPEN_CLASS, open..open + 1)),
        Some('\\') => Ok(escape::inside(cursor, at)?.map_or(Item::Several, Item::One)),
        Some('[') => name(cursor, at).map(|()| Item::Several),
        Some(c) => Ok(Item::One(c)),
    }
}

fn operator(cursor: &Cursor<'_>) -> Checked {
    match OPERATORS.iter().any(|operator| cursor.rest().starts_with(operator)) {
        true => Err(Broken::new(&rules::SET_OPERATOR, cursor.at()..cursor.at() + 2)),
        false => Ok(()),
    }
}

/// `[:name:]`, whose `[` stood at `at`.
fn name(cursor: &mut Cursor<'_>, at: usize) -> Checked {
    let nested = Broken::new(&rules::NESTED, at..at + 1);
    if !cursor.eat(':') {
        return Err(nested);
    }
    cursor.eat('^');
    let name = cursor.while_(|c| c.is_ascii_alphabetic());
    match cursor.eat_word(":]") {
        true if NAMES.contains(&name) => Ok(()),
        true => Err(Broken::new(&rules::CLASS_NAME, at..cursor.at())),
        false => Err(nested),
    }
}

/// True where what was read last, from `at`, is `[:name:]`: a `-` after it is itself.
fn named(cursor: &Cursor<'_>, at: usize) -> bool {
    cursor.read_from(at).starts_with('[')
}
