//! The words of an expression.

use std::ops::Range;

/// The words at a range of a text. Ranges of tokens, trees and findings are of the text that they were read from, so a range
/// of another text is a mistake of this crate; then there are no words, and nothing is quoted.
pub(crate) fn words(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}
