//! Bounds on what one call may build and compare.

use super::{Fault, Value};
use crate::cel::value::{LARGEST, Map};

/// The most parts of values that one call may compare, about a tenth of a second.
const COMPARISONS: usize = 1 << 24;

/// The most parts of one value that is compared with another one.
const PARTS: usize = 4 * LARGEST;

/// The deepest nesting of a value that is compared; expressions nest less.
const DEPTH: usize = 256;

/// Checks the size of a result before it is built, in bytes or elements.
///
/// # Errors
/// [`Fault::Budget`] above [`LARGEST`].
pub(super) fn fits(size: usize) -> Result<(), Fault> {
    if size <= LARGEST { Ok(()) } else { Err(Fault::Budget) }
}

/// `==`
///
/// # Errors
/// As [`comparable`].
pub(super) fn equal(a: &Value, b: &Value) -> Result<bool, Fault> {
    comparable(a)?;
    Ok(a.equals(b))
}

/// Checks that a value can be compared with another one in little time.
///
/// # Errors
/// [`Fault::Budget`] for a value of too many parts: a small expression can make values that share parts, and so are
/// larger than what it took to make them.
pub(super) fn comparable(value: &Value) -> Result<(), Fault> {
    weigh(value, &mut { PARTS }, DEPTH)
}

/// Upper bound of the cost of comparing a value: its parts, and its texts by 64 bytes.
fn weight(value: &Value, most: usize) -> Result<usize, Fault> {
    let mut left = most;
    weigh(value, &mut left, DEPTH)?;
    Ok(most - left)
}

fn weigh(value: &Value, left: &mut usize, depth: usize) -> Result<(), Fault> {
    let own = match value {
        Value::String(text) => 1 + text.len() / 64,
        Value::Bytes(bytes) => 1 + bytes.len() / 64,
        _ => 1,
    };
    *left = left.checked_sub(own).ok_or(Fault::Budget)?;
    let deeper = depth.checked_sub(1).ok_or(Fault::Budget)?;
    match value {
        Value::List(items) => items.iter().try_for_each(|item| weigh(item, left, deeper)),
        Value::Map(map) => map.iter().try_for_each(|(key, value)| {
            weigh(key, left, deeper)?;
            weigh(value, left, deeper)
        }),
        Value::Optional(Some(value)) => weigh(value, left, deeper),
        _ => Ok(()),
    }
}

/// Values that have been seen: those that can be keys are found at once, others one by one within a bound.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    keys: Map,
    others: Vec<&'a Value>,
    left: usize,
}

impl<'a> Seen<'a> {
    /// An empty set of seen values, with the whole budget of comparisons.
    pub(super) fn new() -> Self {
        Self { keys: Map::default(), others: Vec::new(), left: COMPARISONS }
    }

    /// All items of a list.
    ///
    /// # Errors
    /// As [`Seen::insert`].
    pub(super) fn all(items: &'a [Value]) -> Result<Self, Fault> {
        let mut seen = Self::new();
        for item in items {
            seen.insert(item)?;
        }
        Ok(seen)
    }

    /// True if a value equal to this one was put in.
    ///
    /// # Errors
    /// [`Fault::Budget`] after too many comparisons.
    pub(super) fn contains(&mut self, value: &Value) -> Result<bool, Fault> {
        let cost = weight(value, self.left)?.saturating_mul(self.others.len().saturating_add(1));
        self.left = self.left.checked_sub(cost).ok_or(Fault::Budget)?;
        if self.keys.get(value).is_some() {
            return Ok(true);
        }
        Ok(self.others.iter().any(|other| other.equals(value)))
    }

    /// Puts a value in; false if it was there.
    ///
    /// # Errors
    /// [`Fault::Budget`] after too many comparisons.
    pub(super) fn insert(&mut self, value: &'a Value) -> Result<bool, Fault> {
        if self.contains(value)? {
            return Ok(false);
        }
        // What can be no key, and a double, are refused.
        if self.keys.insert(value.clone(), Value::Null).is_err() {
            self.others.push(value);
        }
        Ok(true)
    }
}
