//! Numbers: the math extension of other implementations, version 2.

use std::cmp::Ordering;

use super::{Fault, Function, Value, no_overload};

/// A row for the greatest or least of numbers.
macro_rules! extreme {
    ($name:literal, $doc:literal, $wanted:expr) => {
        Function {
            name: $name,
            signatures: &[
                concat!($name, "(int...) -> int"),
                concat!($name, "(uint...) -> uint"),
                concat!($name, "(double...) -> double"),
                concat!($name, "(dyn...) -> dyn"),
                concat!($name, "(list(int)) -> int"),
                concat!($name, "(list(uint)) -> uint"),
                concat!($name, "(list(double)) -> double"),
                concat!($name, "(list(dyn)) -> dyn"),
            ],
            doc: concat!($doc, " An error for an empty list and where one is NaN beside others."),
            call: |arguments| extreme($name, arguments, $wanted),
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    extreme!(
        "math.greatest",
        "The greatest of some numbers, or of a list of them; the first of equal ones.",
        Ordering::Greater
    ),
    extreme!(
        "math.least",
        "The least of some numbers, or of a list of them; the first of equal ones.",
        Ordering::Less
    ),
    Function {
        name: "math.ceil",
        signatures: &["math.ceil(double) -> double"],
        doc: "The least whole number that is not less.",
        call: |arguments| round("math.ceil", arguments, f64::ceil),
    },
    Function {
        name: "math.floor",
        signatures: &["math.floor(double) -> double"],
        doc: "The greatest whole number that is not greater.",
        call: |arguments| round("math.floor", arguments, f64::floor),
    },
    Function {
        name: "math.round",
        signatures: &["math.round(double) -> double"],
        doc: "The nearest whole number; of two, the one farther from 0.",
        call: |arguments| round("math.round", arguments, f64::round),
    },
    Function {
        name: "math.trunc",
        signatures: &["math.trunc(double) -> double"],
        doc: "The number without its fraction.",
        call: |arguments| round("math.trunc", arguments, f64::trunc),
    },
    Function {
        name: "math.abs",
        signatures: &["math.abs(int) -> int", "math.abs(uint) -> uint", "math.abs(double) -> double"],
        doc: "The number without its sign. An error for the least int.",
        call: |arguments| match arguments {
            [Value::Int(value)] => value.checked_abs().map(Value::Int).ok_or(Fault::Overflow),
            [Value::Uint(value)] => Ok(Value::Uint(*value)),
            [Value::Double(value)] => Ok(Value::Double(value.abs())),
            _ => Err(no_overload("math.abs", arguments)),
        },
    },
    Function {
        name: "math.sign",
        signatures: &["math.sign(int) -> int", "math.sign(uint) -> uint", "math.sign(double) -> double"],
        doc: "-1, 0 or 1, of the type of the number; NaN for NaN.",
        call: |arguments| match arguments {
            [Value::Int(value)] => Ok(Value::Int(value.signum())),
            [Value::Uint(value)] => Ok(Value::Uint((*value).min(1))),
            [Value::Double(value)] if *value == 0.0 => Ok(Value::Double(0.0)),
            [Value::Double(value)] => Ok(Value::Double(value.signum())),
            _ => Err(no_overload("math.sign", arguments)),
        },
    },
    Function {
        name: "math.sqrt",
        signatures: &["math.sqrt(double) -> double", "math.sqrt(int) -> double", "math.sqrt(uint) -> double"],
        doc: "The square root; NaN for a negative number.",
        call: |arguments| match arguments {
            [Value::Double(value)] => Ok(Value::Double(value.sqrt())),
            [Value::Int(value)] => Ok(Value::Double((*value as f64).sqrt())),
            [Value::Uint(value)] => Ok(Value::Double((*value as f64).sqrt())),
            _ => Err(no_overload("math.sqrt", arguments)),
        },
    },
    Function {
        name: "math.isNaN",
        signatures: &["math.isNaN(double) -> bool"],
        doc: "True for NaN.",
        call: |arguments| test("math.isNaN", arguments, f64::is_nan),
    },
    Function {
        name: "math.isInf",
        signatures: &["math.isInf(double) -> bool"],
        doc: "True for positive and negative infinity.",
        call: |arguments| test("math.isInf", arguments, f64::is_infinite),
    },
    Function {
        name: "math.isFinite",
        signatures: &["math.isFinite(double) -> bool"],
        doc: "True unless the number is NaN or infinite.",
        call: |arguments| test("math.isFinite", arguments, f64::is_finite),
    },
    Function {
        name: "math.bitAnd",
        signatures: &["math.bitAnd(int, int) -> int", "math.bitAnd(uint, uint) -> uint"],
        doc: "The bits that both numbers have.",
        call: |arguments| bits("math.bitAnd", arguments, |a, b| a & b),
    },
    Function {
        name: "math.bitOr",
        signatures: &["math.bitOr(int, int) -> int", "math.bitOr(uint, uint) -> uint"],
        doc: "The bits that one of the numbers has.",
        call: |arguments| bits("math.bitOr", arguments, |a, b| a | b),
    },
    Function {
        name: "math.bitXor",
        signatures: &["math.bitXor(int, int) -> int", "math.bitXor(uint, uint) -> uint"],
        doc: "The bits that exactly one of the numbers has.",
        call: |arguments| bits("math.bitXor", arguments, |a, b| a ^ b),
    },
    Function {
        name: "math.bitNot",
        signatures: &["math.bitNot(int) -> int", "math.bitNot(uint) -> uint"],
        doc: "The bits that the number has not.",
        call: |arguments| match arguments {
            [Value::Int(value)] => Ok(Value::Int(!value)),
            [Value::Uint(value)] => Ok(Value::Uint(!value)),
            _ => Err(no_overload("math.bitNot", arguments)),
        },
    },
    Function {
        name: "math.bitShiftLeft",
        signatures: &["math.bitShiftLeft(int, int) -> int", "math.bitShiftLeft(uint, int) -> uint"],
        doc: "The bits moved to the left, with zeros behind them; 0 from 64 on. An error for a negative number of places.",
        call: |arguments| shift("math.bitShiftLeft", arguments, u64::checked_shl),
    },
    Function {
        name: "math.bitShiftRight",
        signatures: &["math.bitShiftRight(int, int) -> int", "math.bitShiftRight(uint, int) -> uint"],
        doc: "The bits moved to the right, with zeros before them, also for a negative number; 0 from 64 on. An error for a negative number of places.",
        call: |arguments| shift("math.bitShiftRight", arguments, u64::checked_shr),
    },
];

fn extreme(name: &str, arguments: &[Value], wanted: Ordering) -> Result<Value, Fault> {
    let numbers = match arguments {
        [Value::List(items)] if items.is_empty() => {
            return Err(Fault::Invalid(format!("{name} of an empty list")));
        }
        [Value::List(items)] => items,
        numbers => numbers,
    };
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_));
    if !numbers.iter().all(is_number) {
        return Err(no_overload(name, arguments));
    }
    let (first, rest) = numbers.split_first().ok_or_else(|| no_overload(name, arguments))?;
    let mut best = first;
    for number in rest {
        match number.order(best) {
            Some(order) if order == wanted => best = number,
            Some(_) => {}
            None => return Err(Fault::Invalid("NaN has no place in an order".into())),
        }
    }
    Ok(best.clone())
}

fn round(name: &str, arguments: &[Value], rounded: fn(f64) -> f64) -> Result<Value, Fault> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(rounded(*value))),
        _ => Err(no_overload(name, arguments)),
    }
}

fn test(name: &str, arguments: &[Value], holds: fn(f64) -> bool) -> Result<Value, Fault> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Bool(holds(*value))),
        _ => Err(no_overload(name, arguments)),
    }
}

fn bits(name: &str, arguments: &[Value], joined: fn(u64, u64) -> u64) -> Result<Value, Fault> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => {
            Ok(Value::Int(joined(a.cast_unsigned(), b.cast_unsigned()).cast_signed()))
        }
        [Value::Uint(a), Value::Uint(b)] => Ok(Value::Uint(joined(*a, *b))),
        _ => Err(no_overload(name, arguments)),
    }
}

fn shift(name: &str, arguments: &[Value], moved: fn(u64, u32) -> Option<u64>) -> Result<Value, Fault> {
    let places = |places: i64| match places {
        ..0 => Err(Fault::Invalid(format!("{name} by {places} places"))),
        _ => Ok(u32::try_from(places).unwrap_or(u32::MAX)),
    };
    match arguments {
        [Value::Int(value), Value::Int(by)] => {
            Ok(Value::Int(moved(value.cast_unsigned(), places(*by)?).unwrap_or(0).cast_signed()))
        }
        [Value::Uint(value), Value::Int(by)] => Ok(Value::Uint(moved(*value, places(*by)?).unwrap_or(0))),
        _ => Err(no_overload(name, arguments)),
    }
}
