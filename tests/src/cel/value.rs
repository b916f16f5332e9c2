//! Generated values, and the maps of the environment that they are read from.

use super::node::{Node, Ty};
use super::words;

/// A generated value, with what it is likely compared with.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) node: Node,
    /// Tests that must stand before it, in order.
    pub(super) needs: Vec<Node>,
    pub(super) likely: Likely,
    /// It may be a line of a header that is no text.
    pub(super) raw: bool,
}

/// Values that a part often has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Likely {
    Texts(&'static [&'static str]),
    Ints(&'static [i64]),
    Other,
}

impl Value {
    pub(super) fn new(node: Node, likely: Likely) -> Self {
        Self { node, needs: Vec::new(), likely, raw: false }
    }

    /// A value made of others: it needs what they need.
    pub(super) fn of(ty: Ty, form: String, parts: Vec<Self>, likely: Likely) -> Self {
        let mut needs: Vec<Node> = Vec::new();
        let raw = parts.iter().any(|part| part.raw);
        let mut children = Vec::with_capacity(parts.len());
        for part in parts {
            for need in part.needs {
                if !needs.contains(&need) {
                    needs.push(need);
                }
            }
            children.push(part.node);
        }
        Self { node: Node::new(ty, form, children), needs, likely, raw }
    }
}

/// A map of the environment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed {
    pub(super) map: &'static str,
    pub(super) keys: &'static [&'static str],
}

pub(super) const HEADERS: Keyed = Keyed { map: "request.headers", keys: words::HEADERS };
pub(super) const QUERY: Keyed = Keyed { map: "request.query", keys: words::PARAMETERS };
pub(super) const COOKIES: Keyed = Keyed { map: "request.cookies", keys: words::COOKIES };
pub(super) const LABELS: [Keyed; 2] = [
    Keyed { map: "source.labels", keys: words::SOURCE_LABELS },
    Keyed { map: "destination.labels", keys: words::DESTINATION_LABELS },
];
/// The lists of the same, by key.
pub(super) const LISTS: [Keyed; 3] = [
    Keyed { map: "request.headerValues", keys: words::HEADERS },
    Keyed { map: "request.queryValues", keys: words::PARAMETERS },
    Keyed { map: "request.cookieValues", keys: words::COOKIES },
];

/// A constant text, quoted in one of CEL's ways.
pub(super) fn quoted(text: &str, way: usize) -> String {
    let escaped = |quote: char| {
        let mut out = String::new();
        for char in text.chars() {
            if char == quote || char == '\\' {
                out.push('\\');
            }
            out.push(char);
        }
        out
    };
    match way {
        0 if !text.contains('\'') => format!("r'{text}'"),
        1 => format!("\"{}\"", escaped('"')),
        _ => format!("'{}'", escaped('\'')),
    }
}
