//! The environment of an expression: its variables and functions, and how strictly it is checked.

use std::collections::BTreeMap;

use super::functions::Signature;
use super::types::{Field, Type};

/// A closed environment: the variables of an expression, with their types.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, Field>,
    functions: BTreeMap<String, Vec<Signature>>,
    container: String,
    standard: bool,
    open: bool,
    absent: bool,
}

impl Environment {
    /// An environment without variables, with the rules of this project: a value that may be missing is read behind a
    /// guard only, and no literal mixes types.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This environment with CEL's own rules: what is missing is an error when it is read, a list of unlike values is
    /// a list of `dyn`. For the conformance suite of the language.
    #[must_use]
    pub fn standard(self) -> Self {
        Self { standard: true, ..self }
    }

    /// This environment with one more variable.
    #[must_use]
    pub fn with(mut self, variable: Field) -> Self {
        self.variables.insert(variable.name.clone(), variable);
        self
    }

    /// This environment with one more function, which has types but no meaning here.
    #[must_use]
    pub fn with_function(mut self, name: &str, signatures: Vec<Signature>) -> Self {
        self.functions.insert(name.to_owned(), signatures);
        self
    }

    /// This environment inside a namespace: `y` is looked up as `a.b.y`, `a.y` and `y` in the container `a.b`
    /// (cel-spec, "Name Resolution").
    #[must_use]
    pub fn within(self, container: &str) -> Self {
        Self { container: container.to_owned(), ..self }
    }

    /// This environment for an expression whose rule takes a request if the expression fails: a `deny`. It decides
    /// what the repair of a missing guard says of a missing value.
    #[must_use]
    pub fn true_if_absent(self) -> Self {
        Self { absent: true, ..self }
    }

    /// The variables, by name.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.variables.values()
    }

    /// This environment for expressions whose variables have no declared types: a name that is not declared is a
    /// `dyn`.
    #[must_use]
    pub fn open(self) -> Self {
        Self { open: true, ..self }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn is_standard(&self) -> bool {
        self.standard
    }

    pub(super) fn absent(&self) -> bool {
        self.absent
    }

    pub(super) fn declared(&self, name: &str) -> Option<&[Signature]> {
        self.functions.get(name).map(Vec::as_slice)
    }

    /// Every name that an expression may begin with.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Resolves a name of one or more parts: the longest part of it that is a variable or a type, how many parts that
    /// takes, and its full name.
    pub(super) fn resolve(&self, parts: &[&str]) -> Option<(Named<'_>, usize, String)> {
        let absolute = parts.first().is_some_and(|p| p.starts_with('.'));
        let mut scope = if absolute { "" } else { self.container.as_str() };
        loop {
            for count in (1..=parts.len()).rev() {
                let name = parts.get(..count)?.join(".");
                let name = name.trim_start_matches('.');
                let full = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
                if let Some(variable) = self.variables.get(&full) {
                    return Some((Named::Variable(variable), count, full));
                }
                if scope.is_empty()
                    && let Some(ty) = Type::by_name(name)
                {
                    return Some((Named::Type(ty), count, full));
                }
            }
            if scope.is_empty() {
                return None;
            }
            scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
    }
}

/// A resolved name: a variable or a type.
pub(super) enum Named<'e> {
    Variable(&'e Field),
    Type(Type),
}
