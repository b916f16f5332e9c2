//! Texts: the standard functions and the strings extension of other implementations, version 4. Positions and
//! lengths count code points.

use std::sync::Arc;

use mesh_decision::regex::Pattern;

use super::{Fault, Function, Value, bounds, no_overload};
use crate::re2;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "startsWith",
        signatures: &["string.startsWith(string) -> bool"],
        doc: "True if the text begins with the other one.",
        call: |arguments| test("startsWith", arguments, |text, part| text.starts_with(part)),
    },
    Function {
        name: "endsWith",
        signatures: &["string.endsWith(string) -> bool"],
        doc: "True if the text ends with the other one.",
        call: |arguments| test("endsWith", arguments, |text, part| text.ends_with(part)),
    },
    Function {
        name: "contains",
        signatures: &["string.contains(string) -> bool"],
        doc: "True if the other text occurs in this one.",
        call: |arguments| test("contains", arguments, |text, part| text.contains(part)),
    },
    Function {
        name: "matches",
        signatures: &["string.matches(string) -> bool", "matches(string, string) -> bool"],
        doc: "True if the regular expression (RE2, ASCII classes) matches somewhere in the text. An error for what RE2 refuses or reads otherwise than proxies, and for what compiles to more than they take.",
        call: matches,
    },
    Function {
        name: "charAt",
        signatures: &["string.charAt(int) -> string"],
        doc: "The character at a position, or the empty text at the end. An error for a position outside of the text.",
        call: char_at,
    },
    Function {
        name: "indexOf",
        signatures: &["string.indexOf(string) -> int", "string.indexOf(string, int) -> int"],
        doc: "The position of the first occurrence, at or after a position where one is given, or -1. An error for a position outside of the text.",
        call: index_of,
    },
    Function {
        name: "lastIndexOf",
        signatures: &["string.lastIndexOf(string) -> int", "string.lastIndexOf(string, int) -> int"],
        doc: "The position of the last occurrence, at or before a position where one is given, or -1. An error for a position outside of the text.",
        call: last_index_of,
    },
    Function {
        name: "substring",
        signatures: &["string.substring(int) -> string", "string.substring(int, int) -> string"],
        doc: "The text from a position to its end or up to another position. An error for positions outside of the text or in the wrong order.",
        call: substring,
    },
    Function {
        name: "lowerAscii",
        signatures: &["string.lowerAscii() -> string"],
        doc: "The text with its ASCII letters in lower case.",
        call: |arguments| map("lowerAscii", arguments, |text| text.to_ascii_lowercase()),
    },
    Function {
        name: "upperAscii",
        signatures: &["string.upperAscii() -> string"],
        doc: "The text with its ASCII letters in upper case.",
        call: |arguments| map("upperAscii", arguments, |text| text.to_ascii_uppercase()),
    },
    Function {
        name: "trim",
        signatures: &["string.trim() -> string"],
        doc: "The text without white space (Unicode White_Space) at both ends.",
        call: |arguments| map("trim", arguments, |text| text.trim().to_owned()),
    },
    Function {
        name: "replace",
        signatures: &[
            "string.replace(string, string) -> string",
            "string.replace(string, string, int) -> string",
        ],
        doc: "The text with every occurrence of the first text replaced by the second, or the first few; a negative limit is none.",
        call: replace,
    },
    Function {
        name: "split",
        signatures: &["string.split(string) -> list(string)", "string.split(string, int) -> list(string)"],
        doc: "The parts between the occurrences of a separator, all or at most so many, or the characters where the separator is empty; a negative limit is none.",
        call: split,
    },
    Function {
        name: "join",
        signatures: &["list(string).join() -> string", "list(string).join(string) -> string"],
        doc: "The texts of a list one after the other, with a separator between them where one is given.",
        call: join,
    },
    Function {
        name: "strings.quote",
        signatures: &["strings.quote(string) -> string"],
        doc: "The text in double quotes, with control characters, quotes and backslashes escaped.",
        call: quote,
    },
];

fn test(name: &str, arguments: &[Value], holds: fn(&str, &str) -> bool) -> Result<Value, Fault> {
    match arguments {
        [Value::String(text), Value::String(part)] => Ok(Value::Bool(holds(text, part))),
        _ => Err(no_overload(name, arguments)),
    }
}

fn map(name: &str, arguments: &[Value], change: fn(&str) -> String) -> Result<Value, Fault> {
    match arguments {
        [Value::String(text)] => Ok(Value::String(change(text).into())),
        _ => Err(no_overload(name, arguments)),
    }
}

fn matches(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::String(text), Value::String(pattern)] => {
            let invalid = |error: String| Fault::Invalid(format!("not a regular expression: {error}"));
            re2::syntax(pattern).map_err(|fault| invalid(fault.message))?;
            let pattern = Pattern::search(pattern).map_err(|error| invalid(error.to_string()))?;
            Ok(Value::Bool(pattern.is_match(text)))
        }
        _ => Err(no_overload("matches", arguments)),
    }
}

fn char_at(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::String(text), Value::Int(at)] => {
            let rest = from(text, *at)?;
            Ok(Value::String(rest.chars().next().map_or_else(|| "".into(), |c| c.to_string().into())))
        }
        _ => Err(no_overload("charAt", arguments)),
    }
}

fn index_of(arguments: &[Value]) -> Result<Value, Fault> {
    let (text, part, at) = match arguments {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(at)] => (text, part, *at),
        _ => return Err(no_overload("indexOf", arguments)),
    };
    let rest = from(text, at)?;
    Ok(Value::Int(match rest.find(&**part).and_then(|found| rest.get(..found)) {
        Some(before) => at.saturating_add(count(before)),
        None => -1,
    }))
}

fn last_index_of(arguments: &[Value]) -> Result<Value, Fault> {
    let (text, part, at) = match arguments {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(at)] => (text, part, Some(*at)),
        _ => return Err(no_overload("lastIndexOf", arguments)),
    };
    // What begins at or before the position ends by its own length after it.
    let end = match at {
        Some(at) => {
            let first = text.len() - from(text, at)?.len();
            text.floor_char_boundary(first.saturating_add(part.len()))
        }
        None => text.len(),
    };
    let found = text.get(..end).and_then(|searched| searched.rfind(&**part));
    let before = found.and_then(|found| text.get(..found));
    Ok(Value::Int(before.map_or(-1, count)))
}

fn substring(arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [Value::String(text), Value::Int(start)] => Ok(Value::text(from(text, *start)?)),
        [Value::String(text), Value::Int(start), Value::Int(end)] => {
            let (head, tail) = (from(text, *start)?, from(text, *end)?);
            match head.len().checked_sub(tail.len()).and_then(|length| head.get(..length)) {
                Some(part) => Ok(Value::text(part)),
                None => Err(Fault::Index(format!("{start} to {end}"))),
            }
        }
        _ => Err(no_overload("substring", arguments)),
    }
}

fn replace(arguments: &[Value]) -> Result<Value, Fault> {
    let (text, old, new, limit) = match arguments {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, usize::MAX),
        [Value::String(text), Value::String(old), Value::String(new), Value::Int(limit)] => {
            (text, old, new, usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        _ => return Err(no_overload("replace", arguments)),
    };
    let times = text.matches(&**old).take(limit).count();
    bounds::fits(text.len().saturating_add(times.saturating_mul(new.len())))?;
    Ok(Value::String(text.replacen(&**old, new, limit).into()))
}

fn split(arguments: &[Value]) -> Result<Value, Fault> {
    let (text, separator, limit) = match arguments {
        [Value::String(text), Value::String(separator)] => (text, separator, usize::MAX),
        [Value::String(text), Value::String(separator), Value::Int(limit)] => {
            (text, separator, usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        _ => return Err(no_overload("split", arguments)),
    };
    if limit == 0 {
        return Ok(Value::list([]));
    }
    if !separator.is_empty() {
        return Ok(Value::list(text.splitn(limit, &**separator).map(Value::text)));
    }
    // Single characters, and the rest with the last one.
    let last = text.char_indices().nth(limit.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    let (single, rest) = text.split_at_checked(last).unwrap_or((text, ""));
    let characters = single.chars().map(|c| Value::String(c.to_string().into()));
    Ok(Value::list(characters.chain((!rest.is_empty()).then(|| Value::text(rest)))))
}

fn join(arguments: &[Value]) -> Result<Value, Fault> {
    let (items, separator) = match arguments {
        [Value::List(items)] => (items, ""),
        [Value::List(items), Value::String(separator)] => (items, &**separator),
        _ => return Err(no_overload("join", arguments)),
    };
    let mut text = String::new();
    for (i, item) in items.iter().enumerate() {
        let Value::String(item) = item else {
            return Err(Fault::NoOverload(format!(
                "join of a list with a value of type {}",
                item.type_name()
            )));
        };
        let separator = if i == 0 { "" } else { separator };
        bounds::fits(text.len().saturating_add(separator.len()).saturating_add(item.len()))?;
        text.push_str(separator);
        text.push_str(item);
    }
    Ok(Value::String(text.into()))
}

fn quote(arguments: &[Value]) -> Result<Value, Fault> {
    let [Value::String(text)] = arguments else { return Err(no_overload("strings.quote", arguments)) };
    bounds::fits(text.len().saturating_mul(2).saturating_add(2))?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(Value::String(quoted.into()))
}

/// The text from a position on, which is at most its length.
fn from(text: &Arc<str>, at: i64) -> Result<&str, Fault> {
    let mut rest = text.chars();
    let skip = usize::try_from(at).map_err(|_| Fault::Index(at.to_string()))?;
    for _ in 0..skip {
        rest.next().ok_or_else(|| Fault::Index(at.to_string()))?;
    }
    Ok(rest.as_str())
}

/// Code points, as the language counts.
pub(super) fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}
