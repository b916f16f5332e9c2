//! Words that break a rule.

use std::ops::Range;

use super::rules::Rule;

/// Words of a text that break a rule.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) rule: &'static Rule,
    /// Bytes of the text.
    pub(super) range: Range<usize>,
}

/// What was read, or the first words that break a rule.
pub(super) type Checked<T = ()> = Result<T, Broken>;

impl Broken {
    pub(super) fn new(rule: &'static Rule, range: Range<usize>) -> Self {
        Self { rule, range }
    }
}
