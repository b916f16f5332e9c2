//! Guards: a value that may be missing is read only where a test in front of it says that it is there.
//!
//! A test *dominates* a read if the read happens only where the test was true: through `&&`, the branches of `?:` and
//! negated `||`. Facts are texts: the path of a place that is there ([`Typed::path`]), or a test with the path of what
//! it tested.

use std::ops::Range;

use mesh_bundle::expr::text_literal;

use super::Checker;
use crate::cel::CelFinding;
use crate::cel::tree::Access;
use crate::cel::typed::{Kind, Typed};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::cel::words::words;
use crate::diag::{codes, quoted};

/// Facts that are known at the place of an expression.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    facts: Vec<String>,
    /// The condition that the expression is part of: without `&&`, `||`, `!` and `?:` of its own.
    atom: Option<Range<usize>>,
    /// That condition is under an even number of `!`.
    positive: bool,
}

impl Default for Scope {
    fn default() -> Self {
        Self { facts: Vec::new(), atom: None, positive: true }
    }
}

/// Facts that hold if a condition was true, and if it was false.
#[derive(Debug, Clone, Default)]
pub(super) struct Proves {
    pub(super) when_true: Vec<String>,
    pub(super) when_false: Vec<String>,
}

impl Scope {
    pub(super) fn with(&self, more: &[String]) -> Self {
        let mut scope = self.clone();
        scope.facts.extend_from_slice(more);
        scope
    }

    pub(super) fn negated(&self) -> Self {
        Self { positive: !self.positive, ..self.clone() }
    }

    /// Inside the condition at `range`, if no condition is around it.
    pub(super) fn atom(&self, range: &Range<usize>) -> Self {
        Self { atom: self.atom.clone().or_else(|| Some(range.clone())), ..self.clone() }
    }

    /// Inside the body of a macro, whose conditions stand for themselves.
    pub(super) fn body(&self) -> Self {
        Self { atom: None, ..self.clone() }
    }

    pub(super) fn holds(&self, fact: &str) -> bool {
        self.facts.iter().any(|f| f == fact)
    }
}

/// Tests that prove that a function does not fail.
pub(super) const TESTED: &[(&str, &str)] =
    &[("ip", "isIP"), ("cidr", "isCIDR"), ("url", "isURL"), ("semver", "isSemver")];

/// Facts that a test proves.
pub(super) fn proves(typed: &Typed) -> Proves {
    let fact = match &typed.kind {
        Kind::Has(of, name) => of.path().map(|path| format!("{path}[{name:?}]")),
        Kind::Call(call) => match (call.function.name, call.arguments.as_slice()) {
            ("in", [key, map]) if matches!(map.ty, Type::Map(..)) => {
                map.path().and_then(|map| match &key.kind {
                    Kind::Constant(Value::String(key)) => Some(format!("{map}[{key:?}]")),
                    _ => Some(format!("{map}[{}]", key.path()?)),
                })
            }
            ("hasValue", [optional]) => optional.path(),
            (test, [of]) if TESTED.iter().any(|(_, t)| *t == test) => {
                of.path().map(|path| format!("{test} {path}"))
            }
            _ => None,
        },
        _ => None,
    };
    Proves { when_true: fact.into_iter().collect(), when_false: Vec::new() }
}

impl Checker<'_> {
    /// Asks for the guard of a read.
    pub(super) fn guarded(&mut self, read: &Typed, key: &str, key_range: &Range<usize>, scope: &Scope) {
        let Some(path) = read.path() else { return };
        // What a macro's variable has is known when it is evaluated.
        if self.environment.is_standard() || path.starts_with(['#', '"']) || scope.holds(&path) {
            return;
        }
        let atom = scope.atom.clone().unwrap_or_else(|| read.range.clone());
        if self.reported.contains(&(path.clone(), atom.clone())) {
            return;
        }
        self.reported.push((path, atom.clone()));
        let written = words(self.text, read.range.clone());
        let mut finding = CelFinding::new(
            codes::CEL_UNGUARDED,
            read.range.clone(),
            format!("{} may be absent", quoted(written)),
        )
        .label("read without a test that it is there");
        let Some(guard) = self.guard(read, key, key_range) else {
            self.findings.push(finding);
            return;
        };
        finding = finding.help(format!("write `{guard} && ...` before it"));
        if scope.atom.is_some() {
            // The repair says of a missing value what the failure of the rule would have said.
            finding = if scope.positive == self.environment.absent() {
                let condition = words(self.text, atom.clone());
                finding.fix(atom, format!("(!({guard}) || {condition})"))
            } else {
                finding.fix(atom.start..atom.start, format!("{guard} && "))
            };
        }
        self.findings.push(finding);
    }

    /// The test of a read, in the words of the text.
    fn guard(&self, read: &Typed, key: &str, key_range: &Range<usize>) -> Option<String> {
        let words = |range: &Range<usize>| self.text.get(range.clone());
        match &read.kind {
            Kind::Field(of, name, _) => {
                let map = words(&of.range)?;
                Some(match of.ty {
                    Type::Record(_) => format!("has({map}.{name})"),
                    _ => format!("{} in {map}", self.quoted_like(key)),
                })
            }
            Kind::Index(of, ..) => Some(format!("{} in {}", words(key_range)?, words(&of.range)?)),
            _ => None,
        }
    }

    /// A text literal in the quotes that the expression uses.
    fn quoted_like(&self, text: &str) -> String {
        if self.text.contains('\'') && !self.text.contains('"') {
            format!("'{text}'")
        } else {
            text_literal(text)
        }
    }

    /// True if a test in front proves that the call cannot fail.
    pub(super) fn proven(&self, name: &str, arguments: &[Typed], scope: &Scope) -> bool {
        let [of] = arguments else { return false };
        let Some(path) = of.path() else { return false };
        match TESTED.iter().find(|(function, _)| *function == name) {
            Some((_, test)) => scope.holds(&format!("{test} {path}")),
            None => name == "value" && scope.holds(&path) && reads_optionally(of),
        }
    }
}

fn reads_optionally(typed: &Typed) -> bool {
    matches!(&typed.kind, Kind::Field(_, _, Access::Optional) | Kind::Index(_, _, Access::Optional))
}
