//! The state of a generation: random numbers, names, and what is in reach.

use super::node::Ty;
use super::value::Likely;
use crate::random::Random;

/// Draws the parts of a program, each with a name of its own.
pub(super) struct Generator<'r> {
    pub(super) random: &'r mut Random,
    names: usize,
}

/// What is in reach.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) locals: Vec<Local>,
    /// Inside a macro over the values of a key, where no other may stand.
    pub(super) each: bool,
    pub(super) bound: bool,
}

/// The variable of a macro.
#[derive(Debug, Clone)]
pub(super) struct Local {
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) likely: Likely,
    pub(super) raw: bool,
}

impl Scope {
    pub(super) fn with(&self, local: Local) -> Self {
        let mut scope = self.clone();
        scope.locals.push(local);
        scope
    }
}

impl<'r> Generator<'r> {
    pub(super) fn new(random: &'r mut Random) -> Self {
        Self { random, names: 0 }
    }

    pub(super) fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.random.one(words).copied().unwrap_or_default()
    }

    pub(super) fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }
}
