//! CEL: parsed by the `cel` crate, then ours: names, types, guards, and lowering to the
//! instructions that travel in the bundle.
//!
//! The language accepted here is the part of CEL that a request's rules need: fields,
//! comparisons, `in`, tests on text, constant regular expressions, boolean structure, `?:` and
//! guards. Everything else is refused by name.

mod environment;
mod lower;
mod parse;
mod tree;

use std::ops::Range;

use mesh_bundle::expr::{Expression, Slot};

pub use environment::Phase;

use crate::diag::Code;

/// A finding inside an expression; places are byte ranges of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CelFinding {
    /// Its code.
    pub code: Code,
    /// The exact words.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What is said under the words.
    pub label: String,
    /// Other words that matter.
    pub others: Vec<(Range<usize>, String)>,
    /// What to do.
    pub help: Option<String>,
    /// A safe repair: replaces these words.
    pub fix: Option<(Range<usize>, String)>,
}

impl CelFinding {
    fn new(code: Code, range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            range,
            message: message.into(),
            label: String::new(),
            others: Vec::new(),
            help: None,
            fix: None,
        }
    }

    fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    fn other(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.others.push((range, text.into()));
        self
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    fn fix(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.fix = Some((range, text.into()));
        self
    }
}

/// Compiles a condition. `params` are the names that the rule's paths bind.
///
/// Bounds: [`mesh_bundle::limits::EXPR_TEXT`] bytes, `EXPR_NODES` nodes, depth `EXPR_DEPTH`; checked before and
/// after parsing, so hostile text costs no more than reading it.
///
/// # Errors
/// Every finding of the expression; never empty.
pub fn condition(text: &str, phase: Phase, params: &[&str]) -> Result<Expression, Vec<CelFinding>> {
    let tree = parse::parse(text)?;
    lower::condition(&tree, text, phase, params)
}

/// Compiles a quota key: an expression that names one text of the request. An absent value shares one bucket, so a
/// key needs no guard.
///
/// # Errors
/// Every finding of the expression; never empty.
pub fn key(text: &str, phase: Phase) -> Result<Slot, Vec<CelFinding>> {
    let tree = parse::parse(text)?;
    lower::key(&tree, text, phase)
}

/// Checks that `text` is CEL, without a look at its names: for expressions that are evaluated elsewhere.
///
/// # Errors
/// Syntax errors and broken bounds.
pub fn syntax(text: &str) -> Result<(), Vec<CelFinding>> {
    parse::check(text)
}

#[cfg(test)]
mod tests;
