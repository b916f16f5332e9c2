//! `format`: values put into a text (the strings extension of other implementations, version 4).

use super::{Fault, Function, Value, bounds, no_overload, render};

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "format",
    signatures: &["string.format(list(A)) -> string"],
    doc: "The text with `%s` (any value), `%d` (numbers), `%f` and `%e` (numbers, `%.3f` with three decimals), `%b` (binary), `%o` (octal), `%x` and `%X` (hexadecimal, also of texts and bytes) replaced by the values of the list in turn; `%%` is a percent sign. An error for other clauses, for values that a clause does not take, and where the list is too short.",
    call: format,
}];

/// The most digits after a point; other implementations allow as many.
const PRECISION: usize = 100;

/// Digits after a point where none are said.
const DEFAULT_PRECISION: usize = 6;

/// The deepest nesting of a value that is written; expressions nest less.
const DEPTH: usize = 256;

fn format(arguments: &[Value]) -> Result<Value, Fault> {
    let [Value::String(template), Value::List(values)] = arguments else {
        return Err(no_overload("format", arguments));
    };
    let mut values = values.iter();
    let mut text = String::new();
    let mut rest: &str = template;
    while let Some((before, clause)) = rest.split_once('%') {
        push(&mut text, before)?;
        if let Some(after) = clause.strip_prefix('%') {
            push(&mut text, "%")?;
            rest = after;
            continue;
        }
        let (precision, clause) = precision(clause)?;
        let mut letters = clause.chars();
        let letter = letters.next().ok_or_else(|| Fault::Invalid("a format ends behind `%`".into()))?;
        rest = letters.as_str();
        let value =
            values.next().ok_or_else(|| Fault::Invalid("a format has more clauses than values".into()))?;
        match letter {
            's' => write(&mut text, value, DEPTH)?,
            'd' => push(&mut text, &decimal(value)?)?,
            'f' => push(&mut text, &render::fixed(number(value, 'f')?, precision))?,
            'e' => push(&mut text, &render::scientific(number(value, 'e')?, precision))?,
            'b' => push(&mut text, &binary(value)?)?,
            'o' => push(&mut text, &octal(value)?)?,
            'x' => push(&mut text, &hexadecimal(value)?)?,
            'X' => push(&mut text, &hexadecimal(value)?.to_ascii_uppercase())?,
            other => {
                return Err(Fault::Invalid(format!(
                    "`%{}` is not a clause of a format",
                    other.escape_debug()
                )));
            }
        }
    }
    push(&mut text, rest)?;
    Ok(Value::String(text.into()))
}

fn push(text: &mut String, part: &str) -> Result<(), Fault> {
    bounds::fits(text.len().saturating_add(part.len()))?;
    text.push_str(part);
    Ok(())
}

/// `.3`, and what follows.
fn precision(clause: &str) -> Result<(usize, &str), Fault> {
    let Some(after) = clause.strip_prefix('.') else { return Ok((DEFAULT_PRECISION, clause)) };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let (digits, rest) = after.split_at_checked(end).unwrap_or((after, ""));
    match digits.parse() {
        Ok(precision) if precision <= PRECISION => Ok((precision, rest)),
        _ => Err(Fault::Invalid(format!("a format has no precision of 0 to {PRECISION} behind its `%.`"))),
    }
}

/// Writes a value as `%s` does.
fn write(text: &mut String, value: &Value, depth: usize) -> Result<(), Fault> {
    let deeper = depth.checked_sub(1).ok_or(Fault::Budget)?;
    match value {
        Value::Null => push(text, "null"),
        Value::Type(name) => push(text, name),
        Value::String(value) => push(text, value),
        Value::Double(value) => push(text, &render::plain(*value)),
        Value::List(items) => {
            push(text, "[")?;
            for (i, item) in items.iter().enumerate() {
                push(text, if i == 0 { "" } else { ", " })?;
                write(text, item, deeper)?;
            }
            push(text, "]")
        }
        Value::Map(map) => {
            // In the order of the keys as they are written, whatever their types.
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                let mut name = String::new();
                write(&mut name, key, deeper)?;
                entries.push((name, value));
            }
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            push(text, "{")?;
            for (i, (name, value)) in entries.iter().enumerate() {
                push(text, if i == 0 { "" } else { ", " })?;
                push(text, name)?;
                push(text, ": ")?;
                write(text, value, deeper)?;
            }
            push(text, "}")
        }
        value => match render::scalar(value)? {
            Some(written) => push(text, &written),
            None => Err(not_for('s', value)),
        },
    }
}

fn decimal(value: &Value) -> Result<String, Fault> {
    match value {
        Value::Int(value) => Ok(value.to_string()),
        Value::Uint(value) => Ok(value.to_string()),
        Value::Double(value) => Ok(render::plain(*value)),
        _ => Err(not_for('d', value)),
    }
}

fn number(value: &Value, clause: char) -> Result<f64, Fault> {
    match value {
        Value::Int(value) => Ok(*value as f64),
        Value::Uint(value) => Ok(*value as f64),
        Value::Double(value) => Ok(*value),
        _ => Err(not_for(clause, value)),
    }
}

fn binary(value: &Value) -> Result<String, Fault> {
    match value {
        Value::Bool(value) => Ok(u8::from(*value).to_string()),
        Value::Int(value) => Ok(format!("{}{:b}", sign(*value), value.unsigned_abs())),
        Value::Uint(value) => Ok(format!("{value:b}")),
        _ => Err(not_for('b', value)),
    }
}

fn octal(value: &Value) -> Result<String, Fault> {
    match value {
        Value::Int(value) => Ok(format!("{}{:o}", sign(*value), value.unsigned_abs())),
        Value::Uint(value) => Ok(format!("{value:o}")),
        _ => Err(not_for('o', value)),
    }
}

fn hexadecimal(value: &Value) -> Result<String, Fault> {
    match value {
        Value::Int(value) => Ok(format!("{}{:x}", sign(*value), value.unsigned_abs())),
        Value::Uint(value) => Ok(format!("{value:x}")),
        Value::String(text) => digits(text.as_bytes()),
        Value::Bytes(bytes) => digits(bytes),
        _ => Err(not_for('x', value)),
    }
}

fn digits(bytes: &[u8]) -> Result<String, Fault> {
    bounds::fits(bytes.len().saturating_mul(2))?;
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    Ok(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

fn sign(value: i64) -> &'static str {
    if value < 0 { "-" } else { "" }
}

fn not_for(clause: char, value: &Value) -> Fault {
    Fault::Invalid(format!("`%{clause}` does not write a value of type {}", value.type_name()))
}
