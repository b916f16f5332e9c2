//! Evaluation at compile time: of constants and policies. (Rules on requests are lowered and evaluated by
//! `mesh-decision`.)
//!
//! The semantics are those of cel-spec: `&&`, `||`, `all` and `exists` absorb errors, everything else passes them on.

use std::ops::Range;
use std::sync::Arc;

use super::tree::Access;
use super::typed::{Fold, FoldKind, Kind, Typed};
use super::value::{Fault, LARGEST, Map, Value};

/// A fault, and the words of the expression that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Reason that the evaluation stopped.
    pub fault: Fault,
    /// Bytes of the expression that failed.
    pub range: Range<usize>,
}

/// Lookup of the values of variables.
pub trait Variables {
    /// The value of a variable of the environment; `None` where it has none.
    fn get(&self, name: &str) -> Option<Value>;
}

/// No variables: for constants.
#[derive(Debug, Clone, Copy)]
pub struct NoVariables;

impl Variables for NoVariables {
    fn get(&self, _name: &str) -> Option<Value> {
        None
    }
}

/// Evaluates a checked expression in at most `steps` steps: one for each node, and for each 16 bytes or element of a
/// value that a function takes or gives.
///
/// # Errors
/// The first fault that no operator absorbs; [`Fault::Budget`] after the last step.
pub fn evaluate(typed: &Typed, variables: &dyn Variables, steps: usize) -> Result<Value, Failure> {
    evaluate_within(typed, variables, &[], steps)
}

/// As [`evaluate`], for a part of an expression inside of macros, whose variables have these values.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_within(
    typed: &Typed,
    variables: &dyn Variables,
    locals: &[(u32, Value)],
    steps: usize,
) -> Result<Value, Failure> {
    let mut run = Run { variables, locals: locals.to_vec(), left: steps };
    run.value(typed)
}

/// As [`evaluate`], for one of several expressions that share their steps; takes those that it spends.
pub(super) fn evaluate_shared(
    typed: &Typed,
    variables: &dyn Variables,
    steps: &mut usize,
) -> Result<Value, Failure> {
    let mut run = Run { variables, locals: Vec::new(), left: *steps };
    let value = run.value(typed);
    *steps = run.left;
    value
}

struct Run<'v> {
    variables: &'v dyn Variables,
    locals: Vec<(u32, Value)>,
    left: usize,
}

type Outcome = Result<Value, Failure>;

impl Run<'_> {
    fn value(&mut self, typed: &Typed) -> Outcome {
        self.spend(1, typed)?;
        match &typed.kind {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Variable(name) => self
                .variables
                .get(name)
                .ok_or_else(|| failure(Fault::NoSuchKey(format!("`{name}` has no value here")), typed)),
            Kind::Local(id) => {
                let found = self.locals.iter().rev().find(|(local, _)| local == id);
                found.map(|(_, value)| value.clone()).ok_or_else(|| failure(lost(), typed))
            }
            Kind::Field(of, name, access) => {
                let of = self.value(of)?;
                self.read(&of, &Value::text(name), *access, typed)
            }
            Kind::Index(of, key, access) => {
                let of = self.value(of)?;
                let key = self.value(key)?;
                self.read(&of, &key, *access, typed)
            }
            Kind::Has(of, name) => {
                let of = self.value(of)?;
                let found = self.read(&of, &Value::text(name), Access::Optional, typed)?;
                Ok(Value::Bool(matches!(found, Value::Optional(Some(_)))))
            }
            Kind::Not(inner) => match self.value(inner)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                other => Err(failure(no_bool(&other), inner)),
            },
            Kind::And(parts) => self.absorb(parts.iter(), false),
            Kind::Or(parts) => self.absorb(parts.iter(), true),
            Kind::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                match self.value(condition)? {
                    Value::Bool(true) => self.value(then),
                    Value::Bool(false) => self.value(otherwise),
                    other => Err(failure(no_bool(&other), condition)),
                }
            }
            Kind::Call(call) => {
                let mut arguments = Vec::with_capacity(call.arguments.len());
                for argument in &call.arguments {
                    arguments.push(self.value(argument)?);
                    // What an optional value has needs no other.
                    match (call.function.name, arguments.as_slice()) {
                        ("orValue", [Value::Optional(Some(value))]) => return Ok(value.as_ref().clone()),
                        ("or", [value @ Value::Optional(Some(_))]) => return Ok(value.clone()),
                        _ => {}
                    }
                }
                let value = (call.function.call)(&arguments).map_err(|fault| failure(fault, typed))?;
                self.spend(arguments.iter().map(weight).sum::<usize>() + weight(&value), typed)?;
                Ok(value)
            }
            Kind::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (access, item) in items {
                    match (access, self.value(item)?) {
                        (Access::Plain, value) => values.push(value),
                        (Access::Optional, Value::Optional(value)) => {
                            values.extend(value.as_deref().cloned());
                        }
                        (Access::Optional, other) => return Err(failure(no_optional(&other), item)),
                    }
                }
                Ok(Value::list(values))
            }
            Kind::Map(entries) => {
                let mut map = Map::default();
                for (access, key, value) in entries {
                    let at = self.value(key)?;
                    let value = match (access, self.value(value)?) {
                        (Access::Plain, value) => value,
                        (Access::Optional, Value::Optional(Some(value))) => value.as_ref().clone(),
                        (Access::Optional, Value::Optional(None)) => continue,
                        (Access::Optional, other) => return Err(failure(no_optional(&other), value)),
                    };
                    map.insert(at, value).map_err(|fault| failure(fault, key))?;
                }
                Ok(Value::Map(Arc::new(map)))
            }
            Kind::Fold(fold) => self.fold(fold, typed),
            Kind::Bind(id, value, body) => {
                let value = self.value(value)?;
                self.within(*id, value, body)
            }
            Kind::OptMap(id, of, body, flat) => match self.value(of)? {
                Value::Optional(None) => Ok(Value::Optional(None)),
                Value::Optional(Some(value)) => {
                    let value = self.within(*id, value.as_ref().clone(), body)?;
                    Ok(if *flat { value } else { Value::some(value) })
                }
                other => Err(failure(no_optional(&other), of)),
            },
            Kind::Declared(_) | Kind::Wrong => Err(failure(lost(), typed)),
        }
    }

    /// `&&` (`decisive` is false) and `||` (true): one decisive value decides, else an error does.
    fn absorb<'t>(&mut self, parts: impl Iterator<Item = &'t Typed>, decisive: bool) -> Outcome {
        let mut fault = None;
        for part in parts {
            match self.value(part) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => fault = fault.or(Some(failure(no_bool(&other), part))),
                Err(Failure { fault: Fault::Budget, range }) => {
                    return Err(Failure { fault: Fault::Budget, range });
                }
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        fault.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn fold(&mut self, fold: &Fold, typed: &Typed) -> Outcome {
        let over = self.value(&fold.over)?;
        let elements: Vec<(Value, Value)> = match &over {
            Value::List(items) => {
                items.iter().enumerate().map(|(i, item)| (Value::length(i), item.clone())).collect()
            }
            Value::Map(map) => map.iter().cloned().collect(),
            other => {
                let message = format!("a macro over a {}", other.type_name());
                return Err(failure(Fault::NoOverload(message), &fold.over));
            }
        };
        self.spend(elements.len(), typed)?;
        let is_list = matches!(over, Value::List(_));
        let mut list = Vec::new();
        let mut map = Map::default();
        let mut fault: Option<Failure> = None;
        let mut count = 0_usize;
        let mut sorted: Vec<(Value, Value)> = Vec::new();
        for (key, value) in elements {
            // One variable is the element of a list and the key of a map.
            let one = if is_list { value.clone() } else { key.clone() };
            let depth = self.locals.len();
            match fold.second {
                Some(second) => self.locals.extend([(fold.first, key.clone()), (second, value.clone())]),
                None => self.locals.push((fold.first, one.clone())),
            }
            let outcome = self.element(fold);
            self.locals.truncate(depth);
            match (fold.kind, outcome) {
                (_, Err(Failure { fault: Fault::Budget, range })) => {
                    return Err(Failure { fault: Fault::Budget, range });
                }
                (_, Ok(None)) => {}
                (FoldKind::All, Ok(Some(Value::Bool(false)))) => return Ok(Value::Bool(false)),
                (FoldKind::Exists, Ok(Some(Value::Bool(true)))) => return Ok(Value::Bool(true)),
                (FoldKind::All | FoldKind::Exists, Ok(Some(Value::Bool(_)))) => {}
                (FoldKind::ExistsOne, Ok(Some(Value::Bool(truth)))) => count += usize::from(truth),
                (FoldKind::Filter, Ok(Some(Value::Bool(truth)))) => {
                    if truth {
                        list.push(one);
                    }
                }
                (FoldKind::All | FoldKind::Exists, Ok(Some(other))) => {
                    fault = fault.or(Some(failure(no_bool(&other), &fold.body)));
                }
                (FoldKind::ExistsOne | FoldKind::Filter, Ok(Some(other))) => {
                    return Err(failure(no_bool(&other), &fold.body));
                }
                (FoldKind::All | FoldKind::Exists, Err(error)) => fault = fault.or(Some(error)),
                (_, Err(error)) => return Err(error),
                (FoldKind::Map, Ok(Some(value))) => list.push(value),
                (FoldKind::SortBy, Ok(Some(by))) => sorted.push((by, one)),
                (FoldKind::TransformMap, Ok(Some(value))) => {
                    map.insert(key, value).map_err(|fault| failure(fault, &fold.body))?;
                }
                (FoldKind::TransformMapEntry, Ok(Some(Value::Map(entries)))) => {
                    for (key, value) in entries.iter().cloned() {
                        map.insert(key, value).map_err(|fault| failure(fault, &fold.body))?;
                    }
                }
                (FoldKind::TransformMapEntry, Ok(Some(other))) => {
                    let message = format!("expected a map as the entry, found a {}", other.type_name());
                    return Err(failure(Fault::NoOverload(message), &fold.body));
                }
            }
        }
        match fold.kind {
            FoldKind::All => fault.map_or(Ok(Value::Bool(true)), Err),
            FoldKind::Exists => fault.map_or(Ok(Value::Bool(false)), Err),
            FoldKind::ExistsOne => Ok(Value::Bool(count == 1)),
            FoldKind::Map | FoldKind::Filter => Ok(Value::list(list)),
            FoldKind::TransformMap | FoldKind::TransformMapEntry => Ok(Value::Map(Arc::new(map))),
            FoldKind::SortBy => {
                let comparable =
                    sorted.iter().zip(sorted.iter().skip(1)).all(|((a, _), (b, _))| a.order(b).is_some());
                if !comparable {
                    return Err(failure(
                        Fault::NoOverload("sortBy of values without an order".into()),
                        &fold.body,
                    ));
                }
                sorted.sort_by(|(a, _), (b, _)| a.order(b).unwrap_or(std::cmp::Ordering::Equal));
                Ok(Value::list(sorted.into_iter().map(|(_, value)| value)))
            }
        }
    }

    /// The body for one element; `None` where the filter leaves it out.
    fn element(&mut self, fold: &Fold) -> Result<Option<Value>, Failure> {
        if let Some(filter) = &fold.filter {
            match self.value(filter)? {
                Value::Bool(true) => {}
                Value::Bool(false) => return Ok(None),
                other => return Err(failure(no_bool(&other), filter)),
            }
        }
        self.value(&fold.body).map(Some)
    }

    fn within(&mut self, id: u32, value: Value, body: &Typed) -> Outcome {
        self.locals.push((id, value));
        let outcome = self.value(body);
        self.locals.pop();
        outcome
    }

    /// A field, key or index. Through an optional, and optionally, what is missing is not an error.
    fn read(&mut self, of: &Value, key: &Value, access: Access, typed: &Typed) -> Outcome {
        let (inner, optional) = match of {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => (inner.as_ref(), true),
            other => (other, access == Access::Optional),
        };
        let found = match inner {
            Value::Map(map) => map.get(key).cloned().ok_or_else(|| Fault::NoSuchKey(said(key))),
            Value::List(items) => match index(key) {
                Ok(at) => items.get(at).cloned().ok_or_else(|| Fault::Index(said(key))),
                Err(Fault::Index(text)) => Err(Fault::Index(text)),
                Err(fault) => return Err(failure(fault, typed)),
            },
            other => {
                let message = format!("a {} has no keys", other.type_name());
                return Err(failure(Fault::NoOverload(message), typed));
            }
        };
        match (found, optional) {
            (Ok(value), false) => Ok(value),
            (Ok(value), true) => Ok(Value::some(value)),
            (Err(_), true) => Ok(Value::Optional(None)),
            (Err(fault), false) => Err(failure(fault, typed)),
        }
    }

    fn spend(&mut self, steps: usize, typed: &Typed) -> Result<(), Failure> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(failure(Fault::Budget, typed)),
        }
    }
}

/// An index of a list: any whole number.
fn index(key: &Value) -> Result<usize, Fault> {
    let at = match key {
        Value::Int(at) => usize::try_from(*at).ok(),
        Value::Uint(at) => usize::try_from(*at).ok(),
        Value::Double(at) if at.fract() == 0.0 && at.abs() < 1e15 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^50")]
            usize::try_from(*at as i64).ok()
        }
        other => return Err(Fault::Invalid(format!("a {} cannot be an index of a list", other.type_name()))),
    };
    at.ok_or_else(|| Fault::Index(said(key)))
}

/// Steps for a value that was made: by its size, so that texts and lists cannot grow without bound.
fn weight(value: &Value) -> usize {
    let size = match value {
        Value::String(text) => text.len() / 16,
        Value::Bytes(bytes) => bytes.len() / 16,
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        _ => 0,
    };
    size.min(LARGEST)
}

/// A key in a message.
fn said(key: &Value) -> String {
    match key {
        Value::String(text) => format!("\"{}\"", text.chars().take(64).collect::<String>()),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        other => other.type_name().to_owned(),
    }
}

fn failure(fault: Fault, typed: &Typed) -> Failure {
    Failure { fault, range: typed.range.clone() }
}

fn no_bool(value: &Value) -> Fault {
    Fault::NoOverload(format!("a condition that is a {}", value.type_name()))
}

fn no_optional(value: &Value) -> Fault {
    Fault::NoOverload(format!("expected an optional value, found a {}", value.type_name()))
}

fn lost() -> Fault {
    Fault::Invalid("the expression was not checked".into())
}
