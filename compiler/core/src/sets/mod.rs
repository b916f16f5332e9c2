//! Sets of requests, as automata: what a rule can see at all, and what it asks for.
//!
//! - [`automaton`]: deterministic automata over bytes, with intersection and difference
//! - [`regex`]: automata of regular expressions of the dialect
//! - [`canonical`]: the values that each fact of a request can have, once it is canonical
//! - [`sample`]: one text of a regular expression, which often answers without an automaton
//! - [`comparison`]: whether a comparison with a constant can hold for any of them
//!
//! Everything is bounded ([`automaton::STATES`]). What is over a bound is *not decided*: a check then says nothing.

pub mod automaton;
pub mod canonical;
pub mod comparison;
pub mod regex;
pub mod sample;

pub use automaton::Automaton;
pub use canonical::Fact;
pub use comparison::{Comparison, Verdict};
