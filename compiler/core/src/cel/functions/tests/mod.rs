//! Calls with what they give, edges first.

use super::*;
use crate::cel::value::{DURATIONS, LARGEST, Map, TIMESTAMPS};

macro_rules! list {
    ($($item:expr),*) => { Value::list([$(Value::from($item)),*]) };
}

macro_rules! map {
    ($($key:expr => $value:expr),*) => { made_of(vec![$(($key.into(), $value.into())),*]) };
}

fn made_of(entries: Vec<(Value, Value)>) -> Value {
    let mut map = Map::default();
    for (key, value) in entries {
        map.insert(key, value).unwrap();
    }
    Value::Map(map.into())
}

/// `"name"(arguments) = result;` lines.
macro_rules! calls {
    ($($name:literal ($($argument:expr),*) = $due:expr;)*) => {
        $(check($name, &[$(Value::from($argument)),*], $due.into());)*
    };
}

// Behind the macros that they use.
mod library;
mod plain;
mod texts;

/// Expected result of a call: a value, or the kind of its fault.
#[derive(Debug)]
enum Due {
    Gives(Value),
    Fails(&'static str),
}
use Due::Fails;

impl<T: Into<Value>> From<T> for Due {
    fn from(value: T) -> Self {
        Self::Gives(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Bytes(value.as_slice().into())
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::list(items.map(Into::into))
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::list(items)
    }
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, Fault> {
    (find(name).unwrap_or_else(|| panic!("{name}")).function.call)(arguments)
}

/// The value of a call that is right.
fn made(name: &str, argument: impl Into<Value>) -> Value {
    call(name, &[argument.into()]).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn ip(text: &str) -> Value {
    made("ip", text)
}

fn cidr(text: &str) -> Value {
    made("cidr", text)
}

fn time(text: &str) -> Value {
    made("timestamp", text)
}

fn span(text: &str) -> Value {
    made("duration", text)
}

#[track_caller]
fn check(name: &str, arguments: &[Value], due: Due) {
    let got = call(name, arguments);
    let kind = match &got {
        Ok(_) => "",
        Err(Fault::NoOverload(_)) => "overload",
        Err(Fault::NoSuchKey(_)) => "key",
        Err(Fault::DivideByZero) => "zero",
        Err(Fault::Overflow) => "range",
        Err(Fault::Index(_)) => "index",
        Err(Fault::Invalid(_)) => "invalid",
        Err(Fault::Budget) => "budget",
    };
    let right = match (&got, &due) {
        // Written, so that types, NaN and the sign of 0 count.
        (Ok(value), Due::Gives(due)) => format!("{value:?}") == format!("{due:?}"),
        (Err(_), Fails(due)) => kind == *due,
        _ => false,
    };
    assert!(right, "{name}({arguments:?}) gives {got:?}, due {due:?}");
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
const MIN: i64 = i64::MIN;
const MAX: i64 = i64::MAX;
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const UMAX: u64 = u64::MAX;
