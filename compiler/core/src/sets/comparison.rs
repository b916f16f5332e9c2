//! Comparisons of a text with a constant, and whether one can hold.

use mesh_decision::regex::Pattern;

use super::automaton::Automaton;
use super::{regex, sample};

/// A comparison of a text with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison<'c> {
    /// The text is this.
    Is(&'c str),
    /// The text begins so.
    Begins(&'c str),
    /// The text ends so.
    Ends(&'c str),
    /// The text has this inside.
    Contains(&'c str),
    /// The whole text matches this expression of the dialect.
    Matches(&'c str),
    /// This expression of the dialect is found in the text.
    Finds(&'c str),
}

/// Whether a comparison can hold for a text of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is a text for which it holds.
    Possible,
    /// It holds for none.
    Never,
    /// The expression does not compile, or is over a bound: nobody knows.
    Undecided,
}

impl<'c> Comparison<'c> {
    /// The constant.
    #[must_use]
    pub fn constant(self) -> &'c str {
        match self {
            Self::Is(text)
            | Self::Begins(text)
            | Self::Ends(text)
            | Self::Contains(text)
            | Self::Matches(text)
            | Self::Finds(text) => text,
        }
    }

    /// What the comparison says, as part of a sentence: "begins with".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Is(_) => "is",
            Self::Begins(_) => "begins with",
            Self::Ends(_) => "ends with",
            Self::Contains(_) => "contains",
            Self::Matches(_) | Self::Finds(_) => "matches",
        }
    }

    /// Whether the comparison can hold for a text of the set.
    #[must_use]
    pub fn over(self, values: &Automaton) -> Verdict {
        let accepted = |pattern| sample::certain(pattern).is_some_and(|text| values.accepts(&text));
        let possible = match self {
            Self::Is(text) => Some(values.accepts(text)),
            Self::Begins(text) => Some(values.may_begin(text)),
            Self::Ends(text) => Some(values.may_end(text)),
            Self::Contains(text) => Some(values.may_contain(text)),
            Self::Matches(pattern) | Self::Finds(pattern) if accepted(pattern) => Some(true),
            Self::Matches(pattern) => regex::matching(pattern).and_then(|all| meet(&all, values)),
            Self::Finds(pattern) => regex::holding(pattern).and_then(|all| meet(&all, values)),
        };
        match possible {
            Some(true) => Verdict::Possible,
            Some(false) => Verdict::Never,
            None => Verdict::Undecided,
        }
    }

    /// Whether the comparison holds for one of these texts.
    pub fn among<'t>(self, values: impl IntoIterator<Item = &'t str>) -> Verdict {
        let mut values = values.into_iter();
        let possible = match self {
            Self::Is(text) => values.any(|value| value == text),
            Self::Begins(text) => values.any(|value| value.starts_with(text)),
            Self::Ends(text) => values.any(|value| value.ends_with(text)),
            Self::Contains(text) => values.any(|value| value.contains(text)),
            Self::Matches(pattern) | Self::Finds(pattern) => {
                let built = match self {
                    Self::Matches(_) => Pattern::whole(pattern),
                    _ => Pattern::search(pattern),
                };
                match built {
                    Ok(pattern) => values.any(|value| pattern.is_match(value)),
                    Err(_) => return Verdict::Undecided,
                }
            }
        };
        if possible { Verdict::Possible } else { Verdict::Never }
    }
}

fn meet(one: &Automaton, other: &Automaton) -> Option<bool> {
    one.and(other).map(|both| !both.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_decided_over_a_set_and_over_a_list() {
        let set = regex::matching("/[a-z]*(?:/[a-z]+)*").unwrap();
        let list = ["/", "/a", "/a/b"];
        for (comparison, verdict) in [
            (Comparison::Is("/a"), Verdict::Possible),
            (Comparison::Is("a"), Verdict::Never),
            (Comparison::Begins("/a"), Verdict::Possible),
            (Comparison::Begins("a"), Verdict::Never),
            (Comparison::Ends("/b"), Verdict::Possible),
            (Comparison::Ends("?"), Verdict::Never),
            (Comparison::Contains("a/"), Verdict::Possible),
            (Comparison::Contains("A"), Verdict::Never),
            (Comparison::Matches("/.*"), Verdict::Possible),
            (Comparison::Matches(".*a/"), Verdict::Never),
            (Comparison::Finds("b$"), Verdict::Possible),
            (Comparison::Finds("^[^/]"), Verdict::Never),
            (Comparison::Finds("("), Verdict::Undecided),
        ] {
            assert_eq!(comparison.over(&set), verdict, "{comparison:?}");
            assert_eq!(comparison.among(list), verdict, "{comparison:?}");
        }
    }
}
