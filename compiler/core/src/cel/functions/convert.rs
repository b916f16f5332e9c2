//! Conversions between types (cel-spec, "Type conversion").

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Fault, Function, Value, bounds, no_overload, render};
use crate::diag::quoted;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "int",
        signatures: &[
            "int(int) -> int",
            "int(uint) -> int",
            "int(double) -> int",
            "int(string) -> int",
            "int(timestamp) -> int",
        ],
        doc: "A whole number; of a double without its fraction, of a time the seconds since 1970. An error where it is out of range, or for a text that is not a whole number.",
        call: int,
    },
    Function {
        name: "uint",
        signatures: &[
            "uint(uint) -> uint",
            "uint(int) -> uint",
            "uint(double) -> uint",
            "uint(string) -> uint",
        ],
        doc: "A whole number that is not negative; of a double without its fraction. An error where it is out of range, or for a text that is not such a number.",
        call: uint,
    },
    Function {
        name: "double",
        signatures: &[
            "double(double) -> double",
            "double(int) -> double",
            "double(uint) -> double",
            "double(string) -> double",
        ],
        doc: "The nearest double. An error for a text that is not a number.",
        call: double,
    },
    Function {
        name: "bool",
        signatures: &["bool(bool) -> bool", "bool(string) -> bool"],
        doc: "True for `true`, `True`, `TRUE`, `t`, `T` and `1`, false for `false`, `False`, `FALSE`, `f`, `F` and `0`. An error for other texts.",
        call: boolean,
    },
    Function {
        name: "string",
        signatures: &[
            "string(string) -> string",
            "string(bool) -> string",
            "string(int) -> string",
            "string(uint) -> string",
            "string(double) -> string",
            "string(bytes) -> string",
            "string(timestamp) -> string",
            "string(duration) -> string",
            "string(ip) -> string",
            "string(cidr) -> string",
            "string(url) -> string",
            "string(semver) -> string",
            "string(percent) -> string",
            "string(rate) -> string",
            "string(bytesize) -> string",
        ],
        doc: "The value as text; times as RFC 3339 writes them, durations in seconds. An error for bytes that are not UTF-8.",
        call: string,
    },
    Function {
        name: "bytes",
        signatures: &["bytes(bytes) -> bytes", "bytes(string) -> bytes"],
        doc: "The UTF-8 bytes of a text.",
        call: |arguments| match arguments {
            [Value::Bytes(bytes)] => Ok(Value::Bytes(bytes.clone())),
            [Value::String(text)] => Ok(Value::Bytes(text.as_bytes().into())),
            _ => Err(no_overload("bytes", arguments)),
        },
    },
    Function {
        name: "dyn",
        signatures: &["dyn(A) -> dyn"],
        doc: "The same value, whose type is checked when it is read.",
        call: |arguments| match arguments {
            [value] => Ok(value.clone()),
            _ => Err(no_overload("dyn", arguments)),
        },
    },
    Function {
        name: "type",
        signatures: &["type(A) -> type"],
        doc: "The type of a value, without parameters.",
        call: |arguments| match arguments {
            [value] => Ok(Value::Type(value.type_name().into())),
            _ => Err(no_overload("type", arguments)),
        },
    },
    Function {
        name: "base64.encode",
        signatures: &["base64.encode(bytes) -> string"],
        doc: "Bytes in Base64 (RFC 4648 section 4), padded.",
        call: |arguments| match arguments {
            [Value::Bytes(bytes)] => {
                bounds::fits(bytes.len().div_ceil(3).saturating_mul(4))?;
                Ok(Value::String(BASE64.encode(bytes).into()))
            }
            _ => Err(no_overload("base64.encode", arguments)),
        },
    },
    Function {
        name: "base64.decode",
        signatures: &["base64.decode(string) -> bytes"],
        doc: "The bytes of a text in Base64 (RFC 4648 section 4), with or without padding. An error for other texts.",
        call: |arguments| match arguments {
            [Value::String(text)] => match BASE64.decode(text.as_bytes()) {
                Ok(bytes) => Ok(Value::Bytes(bytes.into())),
                Err(_) => Err(Fault::Invalid(format!("{} is not Base64", quoted(text)))),
            },
            _ => Err(no_overload("base64.decode", arguments)),
        },
    },
];

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Two to the power of 63 and of 64: doubles from here on are out of range.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

fn int(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Int(value)] => Ok(Value::Int(*value)),
        [Value::Uint(value)] => i64::try_from(*value).map(Value::Int).map_err(|_| Fault::Overflow),
        // Both ends are out, as in other implementations: there a double no longer tells neighbours apart.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the range is checked, and the fraction is to go"
        )]
        [Value::Double(value)] if value.abs() < TWO_63 => Ok(Value::Int(*value as i64)),
        [Value::Double(_)] => Err(Fault::Overflow),
        [Value::String(text)] => match text.parse() {
            Ok(value) => Ok(Value::Int(value)),
            Err(_) => Err(no_number(text, "an int", is_whole(text))),
        },
        [Value::Timestamp(nanos)] => {
            i64::try_from(nanos.div_euclid(1_000_000_000)).map(Value::Int).map_err(|_| Fault::Overflow)
        }
        _ => Err(no_overload("int", arguments)),
    }
}

fn uint(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Uint(value)] => Ok(Value::Uint(*value)),
        [Value::Int(value)] => u64::try_from(*value).map(Value::Uint).map_err(|_| Fault::Overflow),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked, and the fraction is to go"
        )]
        [Value::Double(value)] if (0.0..TWO_64).contains(value) => Ok(Value::Uint(*value as u64)),
        [Value::Double(_)] => Err(Fault::Overflow),
        [Value::String(text)] => match text.parse() {
            Ok(value) if !text.starts_with('+') => Ok(Value::Uint(value)),
            _ => Err(no_number(text, "a uint", text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty())),
        },
        _ => Err(no_overload("uint", arguments)),
    }
}

fn double(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Double(value)] => Ok(Value::Double(*value)),
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::Uint(value)] => Ok(Value::Double(*value as f64)),
        [Value::String(text)] => match text.parse::<f64>() {
            Ok(value) if value.is_infinite() && text.bytes().any(|b| b.is_ascii_digit()) => {
                Err(Fault::Overflow)
            }
            Ok(value) => Ok(Value::Double(value)),
            Err(_) => Err(no_number(text, "a double", false)),
        },
        _ => Err(no_overload("double", arguments)),
    }
}

fn boolean(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::Bool(value)] => Ok(Value::Bool(*value)),
        [Value::String(text)] => match &**text {
            "true" | "True" | "TRUE" | "t" | "T" | "1" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "F" | "0" => Ok(Value::Bool(false)),
            _ => Err(no_number(text, "a bool", false)),
        },
        _ => Err(no_overload("bool", arguments)),
    }
}

fn string(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::String(text)] => Ok(Value::String(text.clone())),
        [Value::Double(value)] => Ok(Value::String(render::general(*value).into())),
        [value] => match render::scalar(value)? {
            Some(text) => Ok(Value::String(text.into())),
            None => Err(no_overload("string", arguments)),
        },
        _ => Err(no_overload("string", arguments)),
    }
}

/// An optional sign and digits.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn no_number(text: &str, what: &str, too_large: bool) -> Fault {
    if too_large { Fault::Overflow } else { Fault::Invalid(format!("{} is not {what}", quoted(text))) }
}
