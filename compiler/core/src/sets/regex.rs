//! Automata of regular expressions.

use mesh_bundle::limits;
use mesh_decision::regex::written_out;
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::automaton::{Alphabet, Automaton};

/// The largest table in bytes that is made of an expression; past it there is no automaton.
const TABLE_BYTES: usize = 16 * limits::REGEX_BYTES;

/// The texts that an expression of the dialect matches as a whole; `None` for one that does not compile or is too large.
#[must_use]
pub fn matching(pattern: &str) -> Option<Automaton> {
    whole(&written_out(pattern).ok()?)
}

/// The texts in which an expression of the dialect is found; `None` for one that does not compile or is too large.
#[must_use]
pub fn holding(pattern: &str) -> Option<Automaton> {
    automaton(&written_out(pattern).ok()?)
}

/// The texts that an expression matches as a whole. It is one of the library, where `(?-u:...)` is about bytes.
pub(super) fn whole(pattern: &str) -> Option<Automaton> {
    automaton(&format!("^(?:{pattern})$"))
}

/// A way through a table of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    /// In this state, nothing found so far.
    State(StateID),
    /// Behind a match: whatever follows.
    Found,
}

fn automaton(pattern: &str) -> Option<Automaton> {
    let config = dense::Config::new()
        .accelerate(false)
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Unanchored)
        .dfa_size_limit(Some(TABLE_BYTES))
        .determinize_size_limit(Some(TABLE_BYTES));
    let nfa = thompson::Config::new().utf8(false).nfa_size_limit(Some(TABLE_BYTES));
    // One group deeper than what the dialect takes, which is 100, written out.
    let syntax = syntax::Config::new().utf8(false).nest_limit(110);
    let table = dense::Builder::new().configure(config).thompson(nfa).syntax(syntax).build(pattern).ok()?;
    let start = table.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
    let classes = table.byte_classes();
    // A state of the table says that a match ended before the byte that led to it; the end of the text counts as a byte.
    Automaton::explore(
        Alphabet::by(|byte| classes.get(byte)),
        At::State(start),
        |at, byte| match at {
            At::Found => Some(At::Found),
            At::State(state) => {
                let next = table.next_state(*state, byte);
                match (table.is_match_state(next), table.is_dead_state(next)) {
                    (true, _) => Some(At::Found),
                    (false, true) => None,
                    (false, false) => Some(At::State(next)),
                }
            }
        },
        |at| match at {
            At::Found => true,
            At::State(state) => table.is_match_state(table.next_eoi_state(*state)),
        },
    )
}

#[cfg(test)]
mod tests {
    use mesh_decision::regex::Pattern;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_expression_is_its_texts() {
        let texts = ["", "a", "ab", "xay", "a b", "b", "é", "aé", "A", "\n", "a\n"];
        for pattern in
            ["a", "^a", "a$", "^a$", "a|b", r"\ba\b", "", "^$", ".", "(?i)a", "[^a]", r"\W", "(?m)^b?$"]
        {
            let (all, some) = (matching(pattern).unwrap(), holding(pattern).unwrap());
            let (is_all, is_some) = (Pattern::whole(pattern).unwrap(), Pattern::search(pattern).unwrap());
            for text in texts {
                assert_eq!(all.accepts(text), is_all.is_match(text), "whole {pattern} on {text:?}");
                assert_eq!(some.accepts(text), is_some.is_match(text), "part {pattern} on {text:?}");
            }
        }
        assert_eq!(matching("("), None);
        assert_eq!(holding("[ab]*a[ab]{30}"), None);
    }

    proptest! {
        #[test]
        fn generated_expressions_too(
            pattern in "([ab]|a\\*|\\(b\\|a\\)|\\[\\^a\\]|\\^|\\$|\\.|\\\\b){0,6}",
            text in "[abc\n]{0,6}",
        ) {
            if let (Ok(is_all), Ok(is_some)) = (Pattern::whole(&pattern), Pattern::search(&pattern)) {
                prop_assert_eq!(matching(&pattern).unwrap().accepts(&text), is_all.is_match(&text));
                prop_assert_eq!(holding(&pattern).unwrap().accepts(&text), is_some.is_match(&text));
            }
        }
    }
}
