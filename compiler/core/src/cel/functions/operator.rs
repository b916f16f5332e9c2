//! Operators (cel-spec, "Standard Definitions"). `&&`, `||`, `?:`, indexes and fields are the evaluator's own.

use std::cmp::Ordering;

use super::{Fault, Function, Value, bounds, no_overload};
use crate::cel::value::{DURATIONS, TIMESTAMPS};

/// A row for an operator that orders.
macro_rules! ordering {
    ($name:literal, $doc:literal, $holds:expr) => {
        Function {
            name: $name,
            signatures: &[
                concat!($name, "(bool, bool) -> bool"),
                concat!($name, "(int, int) -> bool"),
                concat!($name, "(int, uint) -> bool"),
                concat!($name, "(int, double) -> bool"),
                concat!($name, "(uint, uint) -> bool"),
                concat!($name, "(uint, int) -> bool"),
                concat!($name, "(uint, double) -> bool"),
                concat!($name, "(double, double) -> bool"),
                concat!($name, "(double, int) -> bool"),
                concat!($name, "(double, uint) -> bool"),
                concat!($name, "(string, string) -> bool"),
                concat!($name, "(bytes, bytes) -> bool"),
                concat!($name, "(timestamp, timestamp) -> bool"),
                concat!($name, "(duration, duration) -> bool"),
                concat!($name, "(percent, percent) -> bool"),
                concat!($name, "(rate, rate) -> bool"),
                concat!($name, "(bytesize, bytesize) -> bool"),
                concat!($name, "(semver, semver) -> bool"),
            ],
            doc: $doc,
            call: |arguments| ordered($name, arguments, $holds),
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "==",
        signatures: &["==(A, A) -> bool"],
        doc: "True if both values are equal; numbers of different types are compared by their value. NaN equals nothing.",
        call: |arguments| equal("==", arguments).map(Value::Bool),
    },
    Function {
        name: "!=",
        signatures: &["!=(A, A) -> bool"],
        doc: "True if the values are not equal.",
        call: |arguments| equal("!=", arguments).map(|equal| Value::Bool(!equal)),
    },
    ordering!("<", "True if the first value is less. False where a number is NaN.", Ordering::is_lt),
    ordering!(
        "<=",
        "True if the first value is less or equal. False where a number is NaN.",
        Ordering::is_le
    ),
    ordering!(">", "True if the first value is greater. False where a number is NaN.", Ordering::is_gt),
    ordering!(
        ">=",
        "True if the first value is greater or equal. False where a number is NaN.",
        Ordering::is_ge
    ),
    Function {
        name: "+",
        signatures: &[
            "+(int, int) -> int",
            "+(uint, uint) -> uint",
            "+(double, double) -> double",
            "+(string, string) -> string",
            "+(bytes, bytes) -> bytes",
            "+(list(A), list(A)) -> list(A)",
            "+(timestamp, duration) -> timestamp",
            "+(duration, timestamp) -> timestamp",
            "+(duration, duration) -> duration",
        ],
        doc: "The sum, or both one after the other. An error where the result is out of range.",
        call: add,
    },
    Function {
        name: "-",
        signatures: &[
            "-(int, int) -> int",
            "-(uint, uint) -> uint",
            "-(double, double) -> double",
            "-(timestamp, timestamp) -> duration",
            "-(timestamp, duration) -> timestamp",
            "-(duration, duration) -> duration",
            "-(int) -> int",
            "-(double) -> double",
        ],
        doc: "The difference, or the negative of one number. An error where the result is out of range.",
        call: subtract,
    },
    Function {
        name: "*",
        signatures: &["*(int, int) -> int", "*(uint, uint) -> uint", "*(double, double) -> double"],
        doc: "The product. An error where an integer is out of range.",
        call: multiply,
    },
    Function {
        name: "/",
        signatures: &["/(int, int) -> int", "/(uint, uint) -> uint", "/(double, double) -> double"],
        doc: "The quotient; of integers without its fraction. An error where an integer is divided by 0 or is out of range.",
        call: divide,
    },
    Function {
        name: "%",
        signatures: &["%(int, int) -> int", "%(uint, uint) -> uint"],
        doc: "The remainder of a division, with the sign of the first number. An error for a division by 0.",
        call: remainder,
    },
    Function {
        name: "!",
        signatures: &["!(bool) -> bool"],
        doc: "True for false, false for true.",
        call: |arguments| match arguments {
            [Value::Bool(value)] => Ok(Value::Bool(!value)),
            _ => Err(no_overload("!", arguments)),
        },
    },
    Function {
        name: "in",
        signatures: &["in(A, list(A)) -> bool", "in(A, map(A, B)) -> bool"],
        doc: "True if a list has an equal element, or a map the key.",
        call: contained,
    },
];

fn equal(name: &str, arguments: &[Value]) -> Result<bool, Fault> {
    match arguments {
        [a, b] => bounds::equal(a, b),
        _ => Err(no_overload(name, arguments)),
    }
}

fn ordered(name: &str, arguments: &[Value], holds: fn(Ordering) -> bool) -> Result<Value, Fault> {
    let number = |value: &Value| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_));
    match arguments {
        [a, b] => match a.order(b) {
            Some(order) => Ok(Value::Bool(holds(order))),
            // One of them is NaN.
            None if number(a) && number(b) => Ok(Value::Bool(false)),
            None => Err(no_overload(name, arguments)),
        },
        _ => Err(no_overload(name, arguments)),
    }
}

fn add(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => int(a.checked_add(*b)),
        [Value::Uint(a), Value::Uint(b)] => uint(a.checked_add(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a + b)),
        [Value::String(a), Value::String(b)] => {
            bounds::fits(a.len().saturating_add(b.len()))?;
            Ok(Value::String([&**a, &**b].concat().into()))
        }
        [Value::Bytes(a), Value::Bytes(b)] => {
            bounds::fits(a.len().saturating_add(b.len()))?;
            Ok(Value::Bytes([&**a, &**b].concat().into()))
        }
        [Value::List(a), Value::List(b)] => {
            bounds::fits(a.len().saturating_add(b.len()))?;
            Ok(Value::list(a.iter().chain(b.iter()).cloned()))
        }
        [Value::Timestamp(a), Value::Duration(b)] | [Value::Duration(b), Value::Timestamp(a)] => {
            timestamp(a.saturating_add(*b))
        }
        [Value::Duration(a), Value::Duration(b)] => duration(a.saturating_add(*b)),
        _ => Err(no_overload("+", arguments)),
    }
}

fn subtract(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => int(a.checked_sub(*b)),
        [Value::Uint(a), Value::Uint(b)] => uint(a.checked_sub(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a - b)),
        [Value::Timestamp(a), Value::Timestamp(b)] | [Value::Duration(a), Value::Duration(b)] => {
            duration(a.saturating_sub(*b))
        }
        [Value::Timestamp(a), Value::Duration(b)] => timestamp(a.saturating_sub(*b)),
        [Value::Int(value)] => int(value.checked_neg()),
        [Value::Double(value)] => Ok(Value::Double(-value)),
        _ => Err(no_overload("-", arguments)),
    }
}

fn multiply(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => int(a.checked_mul(*b)),
        [Value::Uint(a), Value::Uint(b)] => uint(a.checked_mul(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a * b)),
        _ => Err(no_overload("*", arguments)),
    }
}

fn divide(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => Err(Fault::DivideByZero),
        [Value::Int(a), Value::Int(b)] => int(a.checked_div(*b)),
        [Value::Uint(a), Value::Uint(b)] => uint(a.checked_div(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a / b)),
        _ => Err(no_overload("/", arguments)),
    }
}

fn remainder(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => Err(Fault::DivideByZero),
        [Value::Int(a), Value::Int(b)] => int(a.checked_rem(*b)),
        [Value::Uint(a), Value::Uint(b)] => uint(a.checked_rem(*b)),
        _ => Err(no_overload("%", arguments)),
    }
}

fn contained(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [item, all @ Value::List(list)] => {
            bounds::comparable(all)?;
            Ok(Value::Bool(list.iter().any(|other| other.equals(item))))
        }
        [key, Value::Map(map)] => Ok(Value::Bool(map.get(key).is_some())),
        _ => Err(no_overload("in", arguments)),
    }
}

fn int(result: Option<i64>) -> Result<Value, Fault> {
    result.map(Value::Int).ok_or(Fault::Overflow)
}

fn uint(result: Option<u64>) -> Result<Value, Fault> {
    result.map(Value::Uint).ok_or(Fault::Overflow)
}

/// A time within its range, in nanoseconds since 1970.
///
/// # Errors
/// [`Fault::Overflow`] outside of [`TIMESTAMPS`].
pub(super) fn timestamp(nanos: i128) -> Result<Value, Fault> {
    if TIMESTAMPS.contains(&nanos) { Ok(Value::Timestamp(nanos)) } else { Err(Fault::Overflow) }
}

/// A length of time within its range, in nanoseconds.
///
/// # Errors
/// [`Fault::Overflow`] outside of [`DURATIONS`].
pub(super) fn duration(nanos: i128) -> Result<Value, Fault> {
    if DURATIONS.contains(&nanos) { Ok(Value::Duration(nanos)) } else { Err(Fault::Overflow) }
}
