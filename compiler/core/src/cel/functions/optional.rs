//! Functions of optional values.

use super::{Fault, Function, Value, no_overload};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "optional.of",
        signatures: &["optional.of(A) -> optional(A)"],
        doc: "An optional that has this value.",
        call: |arguments| match arguments {
            [value] => Ok(Value::some(value.clone())),
            _ => Err(no_overload("optional.of", arguments)),
        },
    },
    Function {
        name: "optional.ofNonZeroValue",
        signatures: &["optional.ofNonZeroValue(A) -> optional(A)"],
        doc: "An optional that has this value, unless it is null, false, 0, empty or 1970-01-01T00:00:00Z.",
        call: |arguments| match arguments {
            [value] if is_zero(value) => Ok(Value::Optional(None)),
            [value] => Ok(Value::some(value.clone())),
            _ => Err(no_overload("optional.ofNonZeroValue", arguments)),
        },
    },
    Function {
        name: "optional.none",
        signatures: &["optional.none() -> optional(A)"],
        doc: "An optional without a value.",
        call: |arguments| match arguments {
            [] => Ok(Value::Optional(None)),
            _ => Err(no_overload("optional.none", arguments)),
        },
    },
    Function {
        name: "hasValue",
        signatures: &["optional(A).hasValue() -> bool"],
        doc: "True if the optional has a value.",
        call: |arguments| match arguments {
            [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
            _ => Err(no_overload("hasValue", arguments)),
        },
    },
    Function {
        name: "value",
        signatures: &["optional(A).value() -> A"],
        doc: "The value of an optional. An error where it has none.",
        call: |arguments| match arguments {
            [Value::Optional(Some(value))] => Ok((**value).clone()),
            [Value::Optional(None)] => Err(Fault::Invalid("an optional without a value is read".into())),
            _ => Err(no_overload("value", arguments)),
        },
    },
    Function {
        name: "or",
        signatures: &["optional(A).or(optional(A)) -> optional(A)"],
        doc: "This optional if it has a value, else the other one.",
        call: |arguments| match arguments {
            [own @ Value::Optional(Some(_)), Value::Optional(_)] => Ok(own.clone()),
            [Value::Optional(None), other @ Value::Optional(_)] => Ok(other.clone()),
            _ => Err(no_overload("or", arguments)),
        },
    },
    Function {
        name: "orValue",
        signatures: &["optional(A).orValue(A) -> A"],
        doc: "The value of an optional, or the other value where it has none.",
        call: |arguments| match arguments {
            [Value::Optional(Some(value)), _] => Ok((**value).clone()),
            [Value::Optional(None), other] => Ok(other.clone()),
            _ => Err(no_overload("orValue", arguments)),
        },
    },
    Function {
        name: "optional.unwrap",
        signatures: &["optional.unwrap(list(optional(A))) -> list(A)"],
        doc: "The values of those optionals of a list that have one.",
        call: |arguments| unwrap("optional.unwrap", arguments),
    },
    Function {
        name: "unwrapOpt",
        signatures: &["list(optional(A)).unwrapOpt() -> list(A)"],
        doc: "The values of those optionals of a list that have one.",
        call: |arguments| unwrap("unwrapOpt", arguments),
    },
];

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Timestamp(nanos) | Value::Duration(nanos) | Value::Quantity(_, nanos) => *nanos == 0,
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Optional(_)
        | Value::Type(_)
        | Value::Ip(_)
        | Value::Cidr(..)
        | Value::Url(_)
        | Value::Semver(_) => false,
    }
}

fn unwrap(name: &str, arguments: &[Value]) -> Result<Value, Fault> {
    let [Value::List(items)] = arguments else { return Err(no_overload(name, arguments)) };
    let mut values = Vec::new();
    for item in items.iter() {
        match item {
            Value::Optional(Some(value)) => values.push((**value).clone()),
            Value::Optional(None) => {}
            _ => return Err(no_overload(name, arguments)),
        }
    }
    Ok(Value::list(values))
}
