//! Lowered expressions: the typed, flat form of a CEL rule after parsing and checking.
//!
//! An expression travels in the bundle as [`Code`]: a list of instructions in pre-order over
//! numbered places of a request ([`Slot`]). An instruction's arity is fixed by its kind, or carried by it, and its
//! operands follow it; so a jump, a loop or a shared part cannot be said at all, and whatever decodes and passes
//! [`Code::check`] can be evaluated within a known cost. A proxy evaluates it and parses nothing.
//!
//! The compiler makes a [`Tree`] and calls [`Tree::flatten`]; everybody else reads with a
//! [`View`]. Nobody counts indexes.

mod check;
mod code;
mod cost;
mod literal;
mod net;
mod op;
mod slot;
mod time;

use serde::{Deserialize, Serialize};

pub use check::{Checked, ExprError};
pub use code::{Code, Tree, VERSION, View};
pub use literal::{Literal, text_literal};
pub use net::{Net, NetError, parse_ip};
pub use op::{CompareOp, Op, Quantifier, SlotId, TextOp, TextView};
pub use slot::{Slot, Type};
pub use time::{Instant, Part, Span};

/// A rule's expression: its source text for people, its code for machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// The lowered form of the text.
    pub code: Code,
    /// The text in the spec, as written; at most [`crate::limits::EXPR_TEXT`] bytes.
    pub text: String,
}

impl Expression {
    /// Checks the code against its bounds and against the text, as rung 4 of the activation ladder asks.
    ///
    /// # Errors
    /// [`ExprError`] names the first broken rule.
    pub fn check(&self, result: Type) -> Result<Checked, ExprError> {
        self.code.check(result, &self.text)
    }
}
