//! Regular expressions in the RE2 dialect with ASCII classes, in linear time.

use mesh_bundle::limits;
use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// An expression that does not compile: not of the dialect, or larger than
/// [`limits::REGEX_BYTES`] compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RegexError(pub String);

impl Pattern {
    /// Compiles an expression that must match a whole text.
    ///
    /// # Errors
    /// [`RegexError`] in words.
    pub fn whole(text: &str) -> Result<Self, RegexError> {
        // Checked alone first, so that unbalanced brackets cannot escape from the group.
        Self::search(text)?;
        Self::search(&format!("^(?:{text})$"))
    }

    /// Compiles an expression that is searched for.
    ///
    /// # Errors
    /// [`RegexError`] in words.
    pub fn search(text: &str) -> Result<Self, RegexError> {
        let config = Config::new()
            .nfa_size_limit(Some(limits::REGEX_BYTES))
            .onepass_size_limit(Some(limits::REGEX_BYTES))
            .hybrid_cache_capacity(limits::REGEX_BYTES)
            .utf8_empty(false);
        let dialect = syntax::Config::new().unicode(false).utf8(false).nest_limit(100);
        let built = Regex::builder().configure(config).syntax(dialect).build(text);
        built.map(Self).map_err(|e| {
            let text = match (e.size_limit(), e.syntax_error()) {
                (Some(_), _) => format!("the expression compiles to more than {} bytes", limits::REGEX_BYTES),
                (None, Some(syntax)) => one_line(&syntax.to_string()),
                (None, None) => one_line(&e.to_string()),
            };
            RegexError(text)
        })
    }

    /// True if the text matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(Input::new(text))
    }
}

/// The last line of a syntax error carries its reason; the ones before draw a picture.
fn one_line(text: &str) -> String {
    let last = text.lines().last().unwrap_or(text);
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_means_whole() {
        let pattern = Pattern::whole("a|bc").unwrap();
        assert!(pattern.is_match("a") && pattern.is_match("bc"));
        assert!(!pattern.is_match("abc") && !pattern.is_match("ab"));
        assert!(Pattern::whole("a)|(b").is_err());
    }

    #[test]
    fn classes_are_ascii_and_size_is_bounded() {
        assert!(!Pattern::search(r"^\d$").unwrap().is_match("٣"));
        assert!(Pattern::search("((a{1,100}){1,100}){1,100}").unwrap_err().0.contains("more than"));
        for bad in ["(?=a)", r"\1", "("] {
            assert!(Pattern::search(bad).is_err(), "{bad}");
        }
    }
}
