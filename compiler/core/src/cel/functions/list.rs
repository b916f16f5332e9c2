//! Lists and sets, as in the extensions of other implementations (lists version 2, sets), and what lists share with
//! texts: `size` and `reverse`.

use super::bounds::{self, Seen};
use super::{Fault, Function, Value, no_overload, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "size",
        signatures: &[
            "size(string) -> int",
            "size(bytes) -> int",
            "size(list(A)) -> int",
            "size(map(A, B)) -> int",
            "string.size() -> int",
            "bytes.size() -> int",
            "list(A).size() -> int",
            "map(A, B).size() -> int",
        ],
        doc: "The number of code points, bytes, elements or keys.",
        call: |arguments| match arguments {
            [Value::String(text)] => Ok(Value::Int(text::count(text))),
            [Value::Bytes(bytes)] => Ok(Value::length(bytes.len())),
            [Value::List(items)] => Ok(Value::length(items.len())),
            [Value::Map(map)] => Ok(Value::length(map.len())),
            _ => Err(no_overload("size", arguments)),
        },
    },
    Function {
        name: "reverse",
        signatures: &["string.reverse() -> string", "list(A).reverse() -> list(A)"],
        doc: "The code points of a text, or the elements of a list, from the last to the first.",
        call: |arguments| match arguments {
            [Value::String(text)] => Ok(Value::String(text.chars().rev().collect::<String>().into())),
            [Value::List(items)] => Ok(Value::list(items.iter().rev().cloned())),
            _ => Err(no_overload("reverse", arguments)),
        },
    },
    Function {
        name: "lists.range",
        signatures: &["lists.range(int) -> list(int)"],
        doc: "The numbers from 0 up to, without, this one; none for a number that is not positive.",
        call: |arguments| match arguments {
            [Value::Int(end)] => {
                bounds::fits(usize::try_from((*end).max(0)).unwrap_or(usize::MAX))?;
                Ok(Value::list((0..*end).map(Value::Int)))
            }
            _ => Err(no_overload("lists.range", arguments)),
        },
    },
    Function {
        name: "slice",
        signatures: &["list(A).slice(int, int) -> list(A)"],
        doc: "The elements from a position up to, without, another one. An error for positions outside of the list or in the wrong order.",
        call: slice,
    },
    Function {
        name: "flatten",
        signatures: &["list(list(A)).flatten() -> list(A)", "list(dyn).flatten(int) -> list(dyn)"],
        doc: "The elements with lists among them replaced by their elements, one level deep or as many as are said. An error for a negative number of levels.",
        call: flatten,
    },
    Function {
        name: "distinct",
        signatures: &["list(A).distinct() -> list(A)"],
        doc: "The elements, each once, in the order in which they come first.",
        call: |arguments| match arguments {
            [Value::List(items)] => {
                let (mut seen, mut kept) = (Seen::new(), Vec::new());
                for item in items.iter() {
                    if seen.insert(item)? {
                        kept.push(item.clone());
                    }
                }
                Ok(Value::list(kept))
            }
            _ => Err(no_overload("distinct", arguments)),
        },
    },
    Function {
        name: "sort",
        signatures: &["list(A).sort() -> list(A)"],
        doc: "The elements in rising order; equal ones keep their places. An error unless all are of one type that has an order.",
        call: sort,
    },
    Function {
        name: "first",
        signatures: &["list(A).first() -> optional(A)"],
        doc: "The first element, if there is one.",
        call: |arguments| match arguments {
            [Value::List(items)] => Ok(maybe(items.first())),
            _ => Err(no_overload("first", arguments)),
        },
    },
    Function {
        name: "last",
        signatures: &["list(A).last() -> optional(A)"],
        doc: "The last element, if there is one.",
        call: |arguments| match arguments {
            [Value::List(items)] => Ok(maybe(items.last())),
            _ => Err(no_overload("last", arguments)),
        },
    },
    Function {
        name: "sets.contains",
        signatures: &["sets.contains(list(A), list(A)) -> bool"],
        doc: "True if every element of the second list is in the first.",
        call: |arguments| match arguments {
            [Value::List(a), Value::List(b)] => Ok(Value::Bool(covers(a, b)?)),
            _ => Err(no_overload("sets.contains", arguments)),
        },
    },
    Function {
        name: "sets.equivalent",
        signatures: &["sets.equivalent(list(A), list(A)) -> bool"],
        doc: "True if each list has every element of the other, whatever their order and number.",
        call: |arguments| match arguments {
            [Value::List(a), Value::List(b)] => Ok(Value::Bool(covers(a, b)? && covers(b, a)?)),
            _ => Err(no_overload("sets.equivalent", arguments)),
        },
    },
    Function {
        name: "sets.intersects",
        signatures: &["sets.intersects(list(A), list(A)) -> bool"],
        doc: "True if both lists have an element in common.",
        call: |arguments| match arguments {
            [Value::List(a), Value::List(b)] => {
                let mut seen = Seen::all(a)?;
                for item in b.iter() {
                    if seen.contains(item)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            _ => Err(no_overload("sets.intersects", arguments)),
        },
    },
];

fn maybe(item: Option<&Value>) -> Value {
    item.cloned().map_or(Value::Optional(None), Value::some)
}

fn slice(arguments: &[Value]) -> Result<Value, Fault> {
    let [Value::List(items), Value::Int(start), Value::Int(end)] = arguments else {
        return Err(no_overload("slice", arguments));
    };
    let part = match (usize::try_from(*start), usize::try_from(*end)) {
        (Ok(start), Ok(end)) => items.get(start..end),
        _ => None,
    };
    match part {
        Some(part) => Ok(Value::list(part.iter().cloned())),
        None => Err(Fault::Index(format!("{start} to {end} of {} elements", items.len()))),
    }
}

fn flatten(arguments: &[Value]) -> Result<Value, Fault> {
    let (items, levels) = match arguments {
        [Value::List(items)] => (items, 1),
        [Value::List(items), Value::Int(levels)] => match usize::try_from(*levels) {
            Ok(levels) => (items, levels),
            Err(_) => return Err(Fault::Invalid(format!("{levels} is not a number of levels"))),
        },
        _ => return Err(no_overload("flatten", arguments)),
    };
    let mut flat = Vec::new();
    let mut open = vec![items.iter()];
    // Lists without elements cost steps and add nothing.
    let mut steps = 0_usize;
    while let Some(level) = open.last_mut() {
        steps = steps.saturating_add(1);
        bounds::fits(steps / 4)?;
        match level.next() {
            Some(Value::List(inner)) if open.len() <= levels => open.push(inner.iter()),
            Some(item) => {
                bounds::fits(flat.len() + 1)?;
                flat.push(item.clone());
            }
            None => {
                open.pop();
            }
        }
    }
    Ok(Value::list(flat))
}

fn sort(arguments: &[Value]) -> Result<Value, Fault> {
    let [all @ Value::List(items)] = arguments else { return Err(no_overload("sort", arguments)) };
    bounds::comparable(all)?;
    let Some(first) = items.first() else { return Ok(Value::List(items.clone())) };
    for item in items.iter() {
        if item.type_name() != first.type_name() {
            return Err(Fault::Invalid(format!(
                "a list of {} and {} cannot be sorted",
                first.type_name(),
                item.type_name()
            )));
        }
        match item {
            Value::Double(value) if value.is_nan() => {
                return Err(Fault::Invalid("a list with NaN cannot be sorted".into()));
            }
            item if item.order(item).is_none() => return Err(no_overload("sort", arguments)),
            _ => {}
        }
    }
    let mut sorted = items.to_vec();
    sorted.sort_by(|a, b| a.order(b).unwrap_or(std::cmp::Ordering::Equal));
    Ok(Value::list(sorted))
}

fn covers(all: &[Value], some: &[Value]) -> Result<bool, Fault> {
    let mut seen = Seen::all(all)?;
    for item in some {
        if !seen.contains(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
