//! Regular expressions in the RE2 dialect with ASCII classes ([`crate::dialect`]), in linear time.

use mesh_bundle::limits;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::meta::{Config, Regex};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, Input, MatchKind};

use crate::dialect;
use crate::text::Text;

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub struct Pattern(Engine);

#[derive(Debug, Clone)]
enum Engine {
    /// A dense table: one look-up a byte, and no memory while searching.
    Dense(Box<Table>),
    /// An engine for expressions whose table is too large: it borrows a cache from a pool at each search.
    Meta(Regex),
}

#[derive(Debug, Clone)]
struct Table {
    dfa: dense::DFA<Vec<u32>>,
    /// The state at the start of a text.
    start: StateID,
}

/// The largest size in bytes of the memory that building a table may take; past it the other engine is taken.
const DETERMINIZE_BYTES: usize = 4 * limits::REGEX_BYTES;

/// An expression that does not compile: not of the dialect, or larger than
/// [`limits::REGEX_BYTES`] compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RegexError(pub String);

impl Pattern {
    /// Compiles an expression that must match a whole text.
    ///
    /// # Errors
    /// [`RegexError`] with the reason in words.
    pub fn whole(text: &str) -> Result<Self, RegexError> {
        // Checked alone first, so that unbalanced brackets cannot escape from the group.
        let text = written_out(text)?;
        meta(&text)?;
        meta(&format!("^(?:{text})$")).map(|regex| Self(Engine::Meta(regex)))
    }

    /// Compiles an expression that is searched for anywhere in a text.
    ///
    /// # Errors
    /// [`RegexError`] with the reason in words.
    pub fn search(text: &str) -> Result<Self, RegexError> {
        let text = written_out(text)?;
        match Table::new(&text) {
            Some(table) => Ok(Self(Engine::Dense(Box::new(table)))),
            None => meta(&text).map(|regex| Self(Engine::Meta(regex))),
        }
    }

    /// Checks an expression as [`Pattern::search`] and [`Pattern::whole`] do, in less time: for compilers.
    ///
    /// # Errors
    /// [`RegexError`] with the reason in words.
    pub fn check(text: &str) -> Result<(), RegexError> {
        meta(&written_out(text)?).map(drop)
    }

    /// True if the pattern matches the text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        match &self.0 {
            Engine::Dense(table) => table.is_match(text.bytes()),
            Engine::Meta(regex) => regex.is_match(Input::new(text)),
        }
    }

    /// True if the pattern matches a text in another form.
    pub(crate) fn is_match_of(&self, text: Text<'_>) -> bool {
        match (&self.0, text.as_plain()) {
            (Engine::Dense(table), None) => table.is_match(text.bytes()),
            _ => text.with(|text| self.is_match(text)),
        }
    }
}

/// An expression of the dialect as one of the library that compiles it here, `regex-automata` with UTF-8 off: for
/// automata of others. It is at most one level deeper.
///
/// # Errors
/// [`RegexError`] with the reason in words. What is too large is not found here.
pub fn written_out(text: &str) -> Result<String, RegexError> {
    dialect::written_out(text).map_err(|e| RegexError(one_line(&e)))
}

/// The syntax options for written-out expressions, which may be a level deeper than the original, and have the group
/// of [`Pattern::whole`].
fn dialect() -> syntax::Config {
    syntax::Config::new().utf8(false).nest_limit(110)
}

fn meta(text: &str) -> Result<Regex, RegexError> {
    let config = Config::new()
        .nfa_size_limit(Some(limits::REGEX_BYTES))
        .onepass_size_limit(Some(limits::REGEX_BYTES))
        .hybrid_cache_capacity(limits::REGEX_BYTES)
        .utf8_empty(false);
    Regex::builder().configure(config).syntax(dialect()).build(text).map_err(|e| {
        let text = match (e.size_limit(), e.syntax_error()) {
            (Some(_), _) => format!("the expression compiles to more than {} bytes", limits::REGEX_BYTES),
            (None, Some(syntax)) => one_line(&syntax.to_string()),
            (None, None) => one_line(&e.to_string()),
        };
        RegexError(text)
    })
}

impl Table {
    /// A table for `text`, if it compiles and stays within [`limits::REGEX_BYTES`]. Only whether it matches is
    /// asked, so all ways to match are one.
    fn new(text: &str) -> Option<Self> {
        let config = dense::Config::new()
            .accelerate(false)
            .match_kind(MatchKind::All)
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(limits::REGEX_BYTES))
            .determinize_size_limit(Some(DETERMINIZE_BYTES));
        let nfa = thompson::Config::new().utf8(false).nfa_size_limit(Some(limits::REGEX_BYTES));
        let dfa = dense::Builder::new().configure(config).thompson(nfa).syntax(dialect()).build(text).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
        Some(Self { dfa, start })
    }

    /// A state says that there is a match one byte after it, and the end of the text counts as a byte. No state
    /// gives up, since the table was told of no byte to do so at.
    fn is_match(&self, bytes: impl Iterator<Item = u8>) -> bool {
        let mut state = self.start;
        for byte in bytes {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_special_state(state) {
                if self.dfa.is_match_state(state) {
                    return true;
                }
                if self.dfa.is_dead_state(state) {
                    return false;
                }
            }
        }
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
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
    fn a_table_and_the_other_engine_agree() {
        let patterns =
            ["a|bc", "^a+$", r"\b[a-c]{2}\b", "", "$", "^$", "(?i)ABC", r"x\.y", "[^a]b", "(?s).$", "a*?b"];
        let texts = ["", "a", "bc", "abc", "ab cd", "x.y", "xéb", "ABC\n", "aab", "\n"];
        for pattern in patterns {
            let (search, other) =
                (Pattern::search(pattern).unwrap(), meta(&written_out(pattern).unwrap()).unwrap());
            assert!(matches!(search.0, Engine::Dense(_)), "{pattern}");
            for text in texts {
                assert_eq!(search.is_match(text), other.is_match(text), "{pattern} on {text:?}");
            }
        }
        // Which of the last 20 letters were an `a` takes 2^20 states to remember; the other engine takes it.
        let large = Pattern::search("[ab]*a[ab]{20}").unwrap();
        assert!(matches!(large.0, Engine::Meta(_)));
        assert!(large.is_match(&"ab".repeat(20)) && !large.is_match("ab"));
    }

    #[test]
    fn a_dot_is_a_code_point() {
        let is = |pattern: &str, text: &str| Pattern::search(pattern).unwrap().is_match(text);
        assert!(is("^.$", "é") && !is("^.{2}$", "é") && is("^a.b$", "aéb"));
        assert!(is("^[^a]$", "日") && is("^[é-ü]$", "ê") && !is("^[éx]$", "\u{c3}"));
        assert!(is("(?i)^É$", "é") && is(r"^\W$", "é") && !is(r"\b", "é"));
    }

    #[test]
    fn classes_are_ascii_and_size_is_bounded() {
        assert!(!Pattern::search(r"^\d$").unwrap().is_match("٣"));
        assert!(Pattern::search("((a{1,100}){1,100}){1,100}").unwrap_err().0.contains("more than"));
        for bad in ["(?=a)", r"\1", "(", "(?u:a)"] {
            assert!(Pattern::search(bad).is_err(), "{bad}");
        }
    }
}
