//! Deterministic finite automata over bytes.

use std::collections::{BTreeMap, VecDeque};

/// Most states of an automaton, before those that lead nowhere are left out. A list of rules that people write has some
/// dozens a rule; past the bound there is no automaton.
pub const STATES: usize = 20_000;

/// The number of a state.
type State = u32;

/// A set of texts, as the automaton that takes them. It is trimmed: each state is on the way to some text of the set, so
/// a way through the automaton that has not ended leads to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automaton {
    alphabet: Alphabet,
    /// The state after a state and a class of bytes, in rows of a state each.
    next: Vec<Option<State>>,
    /// The states at whose end a text of the set ends.
    accepting: Vec<bool>,
    /// The first state; `None` for the empty set.
    start: Option<State>,
}

/// Bytes that an automaton need not tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alphabet {
    /// The class of each byte.
    class_of: Vec<u8>,
    /// The least byte of each class.
    examples: Vec<u8>,
}

impl Alphabet {
    /// The classes in which bytes lie together whose `mark` is the same.
    pub(super) fn by<M: Ord>(mark: impl Fn(u8) -> M) -> Self {
        let mut known: BTreeMap<M, u8> = BTreeMap::new();
        let (mut class_of, mut examples) = (Vec::with_capacity(256), Vec::new());
        // As many classes as bytes at most.
        let mut free = 0..=u8::MAX;
        for byte in 0..=u8::MAX {
            let mark = mark(byte);
            let class = known.get(&mark).copied().or_else(|| {
                examples.push(byte);
                free.next()
            });
            known.extend(class.map(|class| (mark, class)));
            class_of.extend(class);
        }
        Self { class_of, examples }
    }

    fn class(&self, byte: u8) -> Option<u8> {
        self.class_of.get(usize::from(byte)).copied()
    }
}

impl Automaton {
    /// The automaton that `step` and `accepts` describe, from `start` on; `None` past [`STATES`] states. `step` gives one
    /// answer for all bytes of a class of the alphabet, and `None` where no text goes on.
    pub(super) fn explore<S: Ord + Clone>(
        alphabet: Alphabet,
        start: S,
        step: impl Fn(&S, u8) -> Option<S>,
        accepts: impl Fn(&S) -> bool,
    ) -> Option<Self> {
        let mut numbers: BTreeMap<S, State> = BTreeMap::from([(start.clone(), 0)]);
        let mut open = VecDeque::from([start]);
        let (mut next, mut accepting) = (Vec::new(), Vec::new());
        while let Some(state) = open.pop_front() {
            accepting.push(accepts(&state));
            for byte in &alphabet.examples {
                let target = step(&state, *byte);
                next.push(match target {
                    None => None,
                    Some(target) => Some(match numbers.get(&target) {
                        Some(number) => *number,
                        None => {
                            let number = State::try_from(numbers.len()).ok()?;
                            numbers.insert(target.clone(), number);
                            open.push_back(target);
                            number
                        }
                    }),
                });
            }
            if numbers.len() > STATES {
                return None;
            }
        }
        Some(Self { alphabet, next, accepting, start: Some(0) }.trimmed())
    }

    /// True if the set has no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start.is_none()
    }

    /// True if the text is in the set.
    #[must_use]
    pub fn accepts(&self, text: &str) -> bool {
        self.run(self.start, text).is_some_and(|state| self.ends_at(state))
    }

    /// True if a text of the set begins so.
    #[must_use]
    pub fn may_begin(&self, prefix: &str) -> bool {
        self.run(self.start, prefix).is_some()
    }

    /// True if a text of the set ends so.
    #[must_use]
    pub fn may_end(&self, suffix: &str) -> bool {
        self.states().any(|state| self.run(Some(state), suffix).is_some_and(|end| self.ends_at(end)))
    }

    /// True if a text of the set has this inside.
    #[must_use]
    pub fn may_contain(&self, part: &str) -> bool {
        self.states().any(|state| self.run(Some(state), part).is_some())
    }

    /// The texts of both sets; `None` past [`STATES`] states.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        self.combined(other, |mine, its| its.map(|its| (mine, Some(its))), |mine, its| mine && its)
    }

    /// The texts of this set that are not of the other; `None` past [`STATES`] states.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Option<Self> {
        self.combined(other, |mine, its| Some((mine, its)), |mine, its| mine && !its)
    }

    /// One of the shortest texts of the set, the first of them by bytes; `None` of the empty set.
    #[must_use]
    pub fn shortest(&self) -> Option<Vec<u8>> {
        let start = self.start?;
        let mut from: BTreeMap<State, (State, u8)> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(state) = open.pop_front() {
            if self.ends_at(state) {
                let mut text = Vec::new();
                let mut at = state;
                while let Some((before, byte)) = from.get(&at).filter(|_| at != start) {
                    text.push(*byte);
                    at = *before;
                }
                text.reverse();
                return Some(text);
            }
            for byte in &self.alphabet.examples {
                if let Some(target) = self.step(state, *byte)
                    && target != start
                    && !from.contains_key(&target)
                {
                    from.insert(target, (state, *byte));
                    open.push_back(target);
                }
            }
        }
        None
    }

    fn combined(
        &self,
        other: &Self,
        pair: impl Fn(State, Option<State>) -> Option<(State, Option<State>)>,
        takes: impl Fn(bool, bool) -> bool,
    ) -> Option<Self> {
        let alphabet = Alphabet::by(|byte| (self.alphabet.class(byte), other.alphabet.class(byte)));
        let Some(start) = self.start.and_then(|mine| pair(mine, other.start)) else {
            return Some(Self { alphabet, next: Vec::new(), accepting: Vec::new(), start: None });
        };
        Self::explore(
            alphabet,
            start,
            |(mine, its), byte| pair(self.step(*mine, byte)?, its.and_then(|its| other.step(its, byte))),
            |(mine, its)| takes(self.ends_at(*mine), its.is_some_and(|its| other.ends_at(its))),
        )
    }

    fn states(&self) -> impl Iterator<Item = State> {
        (0..).zip(&self.accepting).map(|(state, _)| state)
    }

    fn run(&self, start: Option<State>, text: &str) -> Option<State> {
        text.bytes().try_fold(start?, |state, byte| self.step(state, byte))
    }

    fn step(&self, state: State, byte: u8) -> Option<State> {
        let row = usize::try_from(state).ok()?.checked_mul(self.alphabet.examples.len())?;
        let class = usize::from(self.alphabet.class(byte)?);
        self.next.get(row.checked_add(class)?).copied().flatten()
    }

    fn ends_at(&self, state: State) -> bool {
        usize::try_from(state).is_ok_and(|state| self.accepting.get(state) == Some(&true))
    }

    /// Without the states from which no text of the set is reached; the others keep their order.
    fn trimmed(self) -> Self {
        let width = self.alphabet.examples.len();
        let mut before: Vec<Vec<State>> = vec![Vec::new(); self.accepting.len()];
        for (state, row) in (0..).zip(self.next.chunks(width)) {
            for target in row.iter().flatten() {
                if let Some(list) = usize::try_from(*target).ok().and_then(|target| before.get_mut(target)) {
                    list.push(state);
                }
            }
        }
        let mut alive = self.accepting.clone();
        let mut open: Vec<State> = self.states().filter(|state| self.ends_at(*state)).collect();
        while let Some(state) = open.pop() {
            let sources = usize::try_from(state).ok().and_then(|state| before.get(state));
            for source in sources.into_iter().flatten() {
                if let Some(mark) = usize::try_from(*source).ok().and_then(|source| alive.get_mut(source))
                    && !std::mem::replace(mark, true)
                {
                    open.push(*source);
                }
            }
        }
        let kept: BTreeMap<State, State> =
            (0..).zip(&alive).filter(|(_, alive)| **alive).map(|(state, _)| state).zip(0..).collect();
        let renamed = |state: &Option<State>| state.as_ref().and_then(|state| kept.get(state).copied());
        let rows = self.next.chunks(width).zip(&alive).filter(|(_, alive)| **alive);
        Self {
            next: rows.flat_map(|(row, _)| row.iter().map(renamed)).collect(),
            accepting: self
                .accepting
                .iter()
                .zip(&alive)
                .filter(|(_, alive)| **alive)
                .map(|(a, _)| *a)
                .collect(),
            start: renamed(&self.start),
            alphabet: self.alphabet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::regex::whole;
    use super::*;

    fn set(pattern: &str) -> Automaton {
        whole(pattern).unwrap()
    }

    #[test]
    fn a_set_knows_its_texts_and_their_parts() {
        let set = set("ab*c|ad");
        for text in ["ac", "abbc", "ad"] {
            assert!(set.accepts(text), "{text}");
        }
        assert!(!set.accepts("a") && !set.accepts("abd") && !set.accepts(""));
        assert!(set.may_begin("ab") && set.may_begin("") && !set.may_begin("b"));
        assert!(set.may_end("bc") && set.may_end("ad") && !set.may_end("bd"));
        assert!(set.may_contain("bb") && !set.may_contain("ca"));
    }

    #[test]
    fn sets_meet_and_differ() {
        let (small, odd) = (set("[ab]{0,3}"), set("(?:[abc]{2})*[abc]"));
        let both = small.and(&odd).unwrap();
        assert!(both.accepts("a") && both.accepts("bab") && !both.accepts("ab") && !both.accepts("c"));
        let even = small.minus(&odd).unwrap();
        assert!(even.accepts("") && even.accepts("ba") && !even.accepts("a"));
        assert!(set("a+").and(&set("b+")).unwrap().is_empty());
        assert!(set("a+").minus(&set("a*")).unwrap().is_empty());
        assert!(set("a+").minus(&set("b+").and(&set("c")).unwrap()).unwrap().accepts("aa"));
    }

    #[test]
    fn the_shortest_text_is_one_of_the_set() {
        let shortest = |pattern: &str| set(pattern).shortest().map(|text| String::from_utf8(text).unwrap());
        assert_eq!(shortest("(?:aaa|ab)c*"), Some("ab".to_owned()));
        assert_eq!(shortest("a*"), Some(String::new()));
        assert_eq!(set("a").and(&set("b")).unwrap().shortest(), None);
    }

    #[test]
    fn a_set_that_is_too_large_is_none() {
        let counted =
            |at: u8| Automaton::explore(Alphabet::by(|b| b == at), 0_u64, |n, _| Some(n + 1), |_| true);
        assert_eq!(counted(b'a'), None);
    }
}
