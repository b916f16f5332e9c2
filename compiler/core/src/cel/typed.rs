//! The checked tree: every node with its type and its words.

use std::ops::Range;

use super::functions::Function;
pub use super::tree::Access;
use super::types::Type;
use super::value::Value;

/// A checked expression.
#[derive(Debug, Clone)]
pub struct Typed {
    /// Type of its value.
    pub ty: Type,
    /// Its words: bytes of the text, without brackets that only group.
    pub range: Range<usize>,
    /// Kind of node, with its operands.
    pub kind: Kind,
}

/// The kinds of nodes.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A constant of the text, or one that was worked out.
    Constant(Value),
    /// A variable of the environment, by its full name.
    Variable(String),
    /// A variable of a macro around it.
    Local(u32),
    /// `of.name`, of a record, a map or an optional of one.
    Field(Box<Typed>, String, Access),
    /// An index: `of[key]`.
    Index(Box<Typed>, Box<Typed>, Access),
    /// A presence test: `has(of.name)`.
    Has(Box<Typed>, String),
    /// Logical negation: `!`.
    Not(Box<Typed>),
    /// `&&`, of two or more.
    And(Vec<Typed>),
    /// `||`, of two or more.
    Or(Vec<Typed>),
    /// `condition ? then : otherwise`
    If(Box<[Typed; 3]>),
    /// A function or operator of the library.
    Call(Box<Call>),
    /// A function that the environment declares.
    Declared(Vec<Typed>),
    /// A list: `[a, ?b]`.
    List(Vec<(Access, Typed)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Access, Typed, Typed)>),
    /// A macro over the elements of a list or the keys of a map.
    Fold(Box<Fold>),
    /// `cel.bind(name, value, body)`
    Bind(u32, Box<Typed>, Box<Typed>),
    /// `of.optMap(name, body)`, and `optFlatMap` where the flag is set.
    OptMap(u32, Box<Typed>, Box<Typed>, bool),
    /// An expression that already has a finding.
    Wrong,
}

/// A call of a function or operator.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function that is called.
    pub function: &'static Function,
    /// With what; the receiver of a method first.
    pub arguments: Vec<Typed>,
    /// A test in front of it proves that it cannot fail: `isIP(x) && ip(x) == ...`.
    pub proven: bool,
}

/// A macro over a list or map.
#[derive(Debug, Clone)]
pub struct Fold {
    /// The macro that it is.
    pub kind: FoldKind,
    /// The list or map that it goes over.
    pub over: Typed,
    /// The variable: the element or key; the index or key where there are two.
    pub first: u32,
    /// The second variable: the element or value.
    pub second: Option<u32>,
    /// Leaves elements out.
    pub filter: Option<Typed>,
    /// The condition or the new element; in `transformMap` the new value.
    pub body: Typed,
}

/// The macros over lists and maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldKind {
    /// The macro `all`: true if the condition holds for every element.
    All,
    /// The macro `exists`: true if the condition holds for some element.
    Exists,
    /// The macros `exists_one` and `existsOne`: true if the condition holds for exactly one element.
    ExistsOne,
    /// The macros `map` and `transformList`: a list of new elements.
    Map,
    /// The macro `filter`: the elements for which the condition holds.
    Filter,
    /// The macro `transformMap`: a map with new values.
    TransformMap,
    /// `transformMapEntry`: the body is a map of one entry
    TransformMapEntry,
    /// The macro `sortBy`: the elements in the order of a key.
    SortBy,
}

impl Typed {
    /// Visits the node, then its parts in the order of the text.
    pub fn walk<'t>(&'t self, visit: &mut dyn FnMut(&'t Self)) {
        visit(self);
        self.parts(&mut |part| part.walk(visit));
    }

    /// The parts of the node, in the order of the text.
    pub fn parts<'t>(&'t self, visit: &mut dyn FnMut(&'t Self)) {
        match &self.kind {
            Kind::Constant(_) | Kind::Variable(_) | Kind::Local(_) | Kind::Wrong => {}
            Kind::Field(of, ..) | Kind::Has(of, _) | Kind::Not(of) => visit(of),
            Kind::Index(of, key, _) => [of, key].into_iter().for_each(|part| visit(part)),
            Kind::And(parts) | Kind::Or(parts) | Kind::Declared(parts) => parts.iter().for_each(visit),
            Kind::If(parts) => parts.iter().for_each(visit),
            Kind::Call(call) => call.arguments.iter().for_each(visit),
            Kind::List(items) => items.iter().for_each(|(_, item)| visit(item)),
            Kind::Map(entries) => entries.iter().flat_map(|(_, k, v)| [k, v]).for_each(visit),
            Kind::Fold(fold) => {
                visit(&fold.over);
                fold.filter.iter().for_each(&mut *visit);
                visit(&fold.body);
            }
            Kind::Bind(_, value, body) | Kind::OptMap(_, value, body, _) => {
                [value, body].into_iter().for_each(|part| visit(part));
            }
        }
    }

    /// As [`Typed::parts`], to change them.
    pub(super) fn parts_mut(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        match &mut self.kind {
            Kind::Constant(_) | Kind::Variable(_) | Kind::Local(_) | Kind::Wrong => {}
            Kind::Field(of, ..) | Kind::Has(of, _) | Kind::Not(of) => visit(of),
            Kind::Index(of, key, _) => [of, key].into_iter().for_each(|part| visit(part)),
            Kind::And(parts) | Kind::Or(parts) | Kind::Declared(parts) => parts.iter_mut().for_each(visit),
            Kind::If(parts) => parts.iter_mut().for_each(visit),
            Kind::Call(call) => call.arguments.iter_mut().for_each(visit),
            Kind::List(items) => items.iter_mut().for_each(|(_, item)| visit(item)),
            Kind::Map(entries) => entries.iter_mut().for_each(|(_, k, v)| {
                visit(k);
                visit(v);
            }),
            Kind::Fold(fold) => {
                visit(&mut fold.over);
                fold.filter.iter_mut().for_each(&mut *visit);
                visit(&mut fold.body);
            }
            Kind::Bind(_, value, body) | Kind::OptMap(_, value, body, _) => {
                [value, body].into_iter().for_each(|part| visit(part));
            }
        }
    }

    /// The constant that it is.
    #[must_use]
    pub fn constant(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// One text for each place that is read: two expressions with one path give the same value. `None` for what is no
    /// chain of fields, keys and functions.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match &self.kind {
            Kind::Variable(name) => Some(name.clone()),
            Kind::Local(id) => Some(format!("#{id}")),
            Kind::Field(of, name, _) => Some(format!("{}[{name:?}]", of.path()?)),
            Kind::Index(of, key, _) => match &key.kind {
                Kind::Constant(Value::String(key)) => Some(format!("{}[{key:?}]", of.path()?)),
                Kind::Constant(Value::Int(key)) => Some(format!("{}[{key}]", of.path()?)),
                _ => Some(format!("{}[{}]", of.path()?, key.path()?)),
            },
            // Functions have no memory: the same arguments give the same value.
            Kind::Call(call) => {
                let arguments: Option<Vec<String>> = call.arguments.iter().map(Self::path).collect();
                Some(format!("{}({})", call.function.name, arguments?.join(",")))
            }
            Kind::Constant(Value::String(text)) => Some(format!("{text:?}")),
            Kind::Constant(Value::Int(number)) => Some(number.to_string()),
            _ => None,
        }
    }

    /// True if it reads a variable of the environment, or one of a macro outside of itself.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let mut bound: Vec<u32> = Vec::new();
        let mut open = false;
        self.walk(&mut |node| match &node.kind {
            Kind::Variable(_) | Kind::Declared(_) | Kind::Wrong => open = true,
            Kind::Local(id) => open |= !bound.contains(id),
            Kind::Fold(fold) => bound.extend(std::iter::once(fold.first).chain(fold.second)),
            Kind::Bind(id, ..) | Kind::OptMap(id, ..) => bound.push(*id),
            _ => {}
        });
        open
    }
}
