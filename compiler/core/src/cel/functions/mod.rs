//! The functions and operators of the language: one table, which the checker, the evaluator at compile time and
//! `docs/cel.md` read.
//!
//! A row says its signatures as they are documented: `string.startsWith(string) -> bool` is a method of texts,
//! `size(string) -> int` a function, `+(int, int) -> int` an operator. One capital letter is a type parameter.

mod bounds;
mod convert;
mod format;
mod function;
mod list;
mod math;
mod net;
mod operator;
mod optional;
mod render;
mod text;
mod time;
mod unit;
mod web;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use function::Function;

use function::no_overload;

use super::types::Type;
use super::value::{Fault, Value};

/// A signature, read.
#[derive(Debug, Clone)]
pub struct Signature {
    /// True for `receiver.name(..)`.
    pub method: bool,
    /// The types of the arguments, a method's receiver first.
    pub parameters: Vec<Type>,
    /// The type of the result.
    pub result: Type,
    /// True where the last parameter may be repeated: `math.least(int...)`.
    pub variadic: bool,
}

/// Functions by group, in the order of the documentation.
pub const GROUPS: &[(&str, &[Function])] = &[
    ("Operators", operator::FUNCTIONS),
    ("Conversions and types", convert::FUNCTIONS),
    ("Texts", text::FUNCTIONS),
    ("Texts from values", format::FUNCTIONS),
    ("Lists and sets", list::FUNCTIONS),
    ("Times and durations", time::FUNCTIONS),
    ("Addresses and networks", net::FUNCTIONS),
    ("Optional values", optional::FUNCTIONS),
    ("Numbers", math::FUNCTIONS),
    ("Quantities", unit::FUNCTIONS),
    ("URLs and versions", web::FUNCTIONS),
];

/// A function with its signatures read.
#[derive(Debug)]
pub struct Known {
    /// The row of the table.
    pub function: &'static Function,
    /// The parsed signatures, one an overload.
    pub signatures: Vec<Signature>,
}

static KNOWN: LazyLock<BTreeMap<&'static str, Known>> = LazyLock::new(|| {
    let rows = GROUPS.iter().flat_map(|(_, functions)| functions.iter());
    let read = |text: &&str, name: &str| Signature::parse(text, name).ok();
    rows.map(|function| {
        let signatures = function.signatures.iter().filter_map(|text| read(text, function.name)).collect();
        (function.name, Known { function, signatures })
    })
    .collect()
});

/// The function of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Known> {
    KNOWN.get(name)
}

/// Every function, by name.
pub fn all() -> impl Iterator<Item = &'static Known> {
    KNOWN.values()
}

impl Signature {
    /// Reads a signature of the function `name`.
    ///
    /// # Errors
    /// Says what is wrong with the row.
    pub fn parse(text: &str, name: &str) -> Result<Self, String> {
        let (head, result) = text.rsplit_once(" -> ").ok_or("a signature misses its result")?;
        let inner = head.strip_suffix(')').ok_or("a signature misses its `)`")?;
        // The receiver is a type, so the first `name(` that stands alone or behind a dot is the function's.
        let open = format!("{name}(");
        let (receiver, arguments) = match inner.strip_prefix(&open) {
            Some(arguments) => (None, arguments),
            None => {
                let (receiver, arguments) = inner
                    .split_once(&format!(".{open}"))
                    .ok_or_else(|| format!("`{text}` is not of `{name}`"))?;
                (Some(receiver), arguments)
            }
        };
        let (arguments, variadic) = match arguments.strip_suffix("...") {
            Some(arguments) => (arguments, true),
            None => (arguments, false),
        };
        let mut parameters: Vec<Type> = receiver.map(Type::parse).transpose()?.into_iter().collect();
        for argument in split(arguments) {
            parameters.push(Type::parse(argument)?);
        }
        Ok(Self { method: receiver.is_some(), parameters, result: Type::parse(result)?, variadic })
    }
}

/// Arguments at the commas outside of brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = text.split(|c: char| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod table {
    use super::*;

    #[test]
    fn every_row_is_readable_and_named_once() {
        let mut names = std::collections::BTreeSet::new();
        for function in GROUPS.iter().flat_map(|(_, functions)| functions.iter()) {
            assert!(names.insert(function.name), "{} is there twice", function.name);
            assert!(!function.signatures.is_empty() && function.doc.ends_with('.'), "{}", function.name);
            for text in function.signatures {
                Signature::parse(text, function.name).unwrap_or_else(|e| panic!("{text}: {e}"));
            }
        }
    }

    #[test]
    fn no_function_panics_on_any_values() {
        let values = samples();
        for Known { function, .. } in all() {
            let _ = (function.call)(&[]);
            for a in &values {
                let _ = (function.call)(std::slice::from_ref(a));
                for b in &values {
                    let _ = (function.call)(&[a.clone(), b.clone()]);
                    for c in values.iter().step_by(3) {
                        let _ = (function.call)(&[a.clone(), b.clone(), c.clone()]);
                    }
                }
            }
        }
    }

    fn samples() -> Vec<Value> {
        let mut map = crate::cel::value::Map::default();
        map.insert(Value::text("k"), Value::Int(1)).unwrap();
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(0),
            Value::Int(-1),
            Value::Int(i64::MIN),
            Value::Int(i64::MAX),
            Value::Uint(0),
            Value::Uint(u64::MAX),
            Value::Double(f64::NAN),
            Value::Double(-0.5),
            Value::Double(f64::MAX),
            Value::text(""),
            Value::text("ta©o😀%s"),
            Value::text("1"),
            Value::text("10.0.0.1"),
            Value::text("2009-02-13T23:31:30Z"),
            Value::Bytes([0xff, 0].into()),
            Value::Timestamp(*crate::cel::value::TIMESTAMPS.start()),
            Value::Timestamp(*crate::cel::value::TIMESTAMPS.end()),
            Value::Duration(*crate::cel::value::DURATIONS.start()),
            Value::list([]),
            Value::list([Value::Int(3), Value::text("x"), Value::Null]),
            Value::Map(map.into()),
            Value::Optional(None),
            Value::some(Value::text("v")),
            Value::Type("int".into()),
            Value::Ip(std::net::Ipv4Addr::LOCALHOST.into()),
            Value::Cidr(std::net::Ipv6Addr::UNSPECIFIED.into(), 0),
            Value::Quantity(crate::cel::types::Unit::Percent, i128::MAX),
        ]
    }
}
