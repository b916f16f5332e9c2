//! The tree of nodes.

use crate::diag::Span;

/// A value and where it stands. What an alias stands for has the place of its anchor's value; an empty value has the
/// place of its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The exact bytes: quotes and brackets included, comments and line ends around it not.
    pub span: Span,
    /// Resolved value of the node.
    pub value: Value,
}

/// A value by the YAML 1.2 core schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number outside of 64 bits, rounded.
    BigInt(f64),
    /// A number with a fraction or exponent; always finite.
    Float(f64),
    /// A text, quoted or not.
    Text(Text),
    /// A list of nodes.
    Seq(Vec<Node>),
    /// A map in the order of writing; keys differ.
    Map(Vec<(Key, Node)>),
    /// Something that was already reported; nothing more is to be said about it.
    Broken,
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The exact bytes, quotes included.
    pub span: Span,
    /// The text without quotes, escapes resolved.
    pub text: Box<str>,
}

/// Text and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text that is meant, at most [`super::limits::SCALAR_BYTES`].
    pub text: Box<str>,
    /// Quoting style in the file.
    pub style: Style,
}

/// Quoting style of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Plain, without quotes.
    Plain,
    /// Single quotes: `'...'`.
    Single,
    /// Double quotes: `"..."`.
    Double,
    /// A block that keeps its lines: `|`
    Literal,
    /// A block that folds its lines: `>`
    Folded,
}

impl Node {
    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a map.
    pub fn as_map(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// Key and value, if this is a map that has the key.
    pub fn entry(&self, key: &str) -> Option<&(Key, Node)> {
        self.as_map()?.iter().find(|(k, _)| &*k.text == key)
    }

    /// Kind of the value, in words for messages.
    pub fn describe(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
            Value::Broken => "something that cannot be read",
        }
    }

    /// The value as JSON, as JSON Schema sees it; what cannot be read is `null`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null | Value::Broken => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(i) => Json::from(*i),
            Value::BigInt(f) | Value::Float(f) => Json::from(*f),
            Value::Text(text) => Json::from(&*text.text),
            Value::Seq(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|(k, v)| (k.text.to_string(), v.to_json())).collect())
            }
        }
    }
}
