//! Evaluation of lowered expressions: three-valued, without parsing, regexes built once, and
//! without memory of its own while it runs.
//!
//! [`Program::new`] turns the flat code of a bundle into typed nodes and joins what belongs
//! together: a guard with the read behind it, several tests of one place, a list of equalities.
//! It changes the order of conjunctions and disjunctions by cost, which never changes a result:
//! with an error as the third value both are commutative and associative.

mod build;
mod context;
mod eval;
mod explain;
mod slots;
mod tri;

use std::borrow::Cow;
use std::sync::OnceLock;

use mesh_bundle::expr::{Expression, Slot, Type};

pub use build::ExprBuildError;
pub use context::{Context, Destination};
pub use explain::{Decided, Seen, explain, name};
pub use tri::Tri;

use crate::text::Text;
use crate::values::Value;
use build::{Cond, TextOf};
use eval::Frame;
use explain::Explainer;
use slots::Read;

/// A built condition, ready for evaluation.
#[derive(Debug)]
pub struct Program {
    cond: Cond,
    /// The explainer, built when first asked for.
    explainer: OnceLock<Option<Box<Explainer>>>,
}

/// A built expression that gives a text: the key of a limit.
#[derive(Debug)]
pub struct Key(TextOf);

impl Program {
    /// Builds a condition from a lowered expression.
    ///
    /// # Errors
    /// [`ExprBuildError`] for code that does not pass its check, or a regular expression that does not compile.
    pub fn new(from: &Expression) -> Result<Self, ExprBuildError> {
        let checked = from.check(Type::Bool)?;
        let cond = build::condition(&from.code, &checked.types)?;
        Ok(Self { cond, explainer: OnceLock::new() })
    }

    /// Finds the part that decides; `from` is the expression that the program was built from. See [`explain()`].
    #[must_use]
    pub fn explain(&self, from: &Expression, context: &Context<'_>) -> Option<Decided> {
        let made = self.explainer.get_or_init(|| Explainer::new(from).map(Box::new));
        made.as_ref()?.explain(from, context)
    }

    /// Evaluates the condition. Takes no memory, but for a regular expression whose table is over
    /// [`mesh_bundle::limits::REGEX_BYTES`] (each thread's first search), and for a value over
    /// [`mesh_bundle::limits::VALUE_BYTES`] that is searched in another form than it came in.
    #[must_use]
    pub fn evaluate(&self, context: &Context<'_>) -> Tri {
        eval::condition(&self.cond, &Frame { context, local: None })
    }
}

impl Key {
    /// Builds a key from a lowered expression of type text.
    ///
    /// # Errors
    /// As for [`Program::new`].
    pub fn new(from: &Expression) -> Result<Self, ExprBuildError> {
        let checked = from.check(Type::Text)?;
        build::text(&from.code, &checked.types).map(Self)
    }

    /// The key of a request; `None` where it errs.
    #[must_use]
    pub fn of<'a>(&'a self, context: &Context<'a>) -> Option<Cow<'a, str>> {
        eval::text(&self.0, &Frame { context, local: None }).map(Text::into_text)
    }
}

/// Reads the text in a slot.
#[must_use]
pub fn text<'a>(slot: &Slot, context: &Context<'a>) -> Value<'a> {
    match slots::read(slot, context) {
        Read::Absent => Value::Absent,
        Read::One(text) => Value::One(text.into_text()),
        Read::Unreadable => Value::Repeated,
    }
}

#[cfg(test)]
mod tests;
