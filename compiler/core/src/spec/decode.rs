//! Nodes to typed values, all findings at once.

use std::ops::Deref;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::context::{Cx, Sp, list};
use super::scalar::{Scalar, parse_at};
use crate::diag::{Diagnostic, Span, codes, nearest, quoted};
use crate::source::{Key, Node, Value};

/// A type that is read from a node, and its JSON Schema, which gives the same verdict.
pub trait Decode: Sized {
    /// Whether a field of this type must be written.
    const REQUIRED: bool = true;

    /// The value; `None` if there is none that could stand for it, after the reason was reported. A value with less
    /// than what was written is only given after a report, too.
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self>;

    /// The value of a field that is not written, for types that need not be.
    fn absent() -> Option<Self> {
        None
    }

    /// The schema, or a reference to it.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

impl<T: Decode> Decode for Sp<T> {
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        T::decode(node, cx).map(|value| Self { value, span: node.span })
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        T::decode(node, cx).map(Self::new)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Decode> Decode for Option<T> {
    const REQUIRED: bool = false;
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        Some(T::decode(node, cx))
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl Decode for bool {
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        cx.wrong_type(node, "`true` or `false`");
        None
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// A list that may be empty or absent. Items that cannot be read are left out, after a report.
impl<T: Decode> Decode for Vec<T> {
    const REQUIRED: bool = false;
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(items) = node.as_seq() else {
            cx.wrong_type(node, "a list");
            return Some(Self::new());
        };
        Some(items.iter().filter_map(|item| T::decode(item, cx)).collect())
    }
    fn absent() -> Option<Self> {
        Some(Self::new())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::schema(generator) })
    }
}

/// A list of one or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List1<T>(Vec<T>);

impl<T> List1<T> {
    /// The first one, and more.
    pub fn new(first: T, more: impl IntoIterator<Item = T>) -> Self {
        Self(std::iter::once(first).chain(more).collect())
    }
}

impl<T> Deref for List1<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Decode> Decode for List1<T> {
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        if node.as_seq().is_some_and(<[Node]>::is_empty) {
            cx.report(Diagnostic::new(codes::LIST_LENGTH, node.span, "the list must not be empty"));
            return None;
        }
        let items: Vec<T> = Vec::decode(node, cx)?;
        (!items.is_empty()).then_some(Self(items))
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "minItems": 1, "items": T::schema(generator) })
    }
}

/// One value, or a list of one or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany<T>(Vec<T>);

impl<T> Deref for OneOrMany<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match node.value {
            Value::Seq(_) => List1::decode(node, cx).map(|list| Self(list.0)),
            _ => T::decode(node, cx).map(|one| Self(vec![one])),
        }
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [T::schema(generator), List1::<T>::schema(generator)] })
    }
}

/// A map whose keys the author chooses, in the order of writing. May be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dict<K, V>(Vec<(Sp<K>, V)>);

impl<K, V> Default for Dict<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Deref for Dict<K, V> {
    type Target = [(Sp<K>, V)];
    fn deref(&self) -> &[(Sp<K>, V)] {
        &self.0
    }
}

impl<K: AsRef<str>, V> Dict<K, V> {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.0.iter().find(|(k, _)| k.value.as_ref() == key).map(|(_, v)| v)
    }
}

impl<K: Scalar, V: Decode> Decode for Dict<K, V> {
    const REQUIRED: bool = false;
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            cx.wrong_type(node, "a map");
            return Some(Self::default());
        };
        let mut out = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = parse_at::<K>(&key.text, key.span, cx);
            let value = V::decode(value, cx);
            if let (Some(name), Some(value)) = (name, value) {
                out.push((Sp { value: name, span: key.span }, value));
            }
        }
        Some(Self(out))
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": generator.subschema_for::<K>(),
            "additionalProperties": V::schema(generator),
        })
    }
}

/// A number, or else text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberOr<N, T> {
    /// A bare number.
    Number(N),
    /// Any other value, written as text.
    Text(T),
}

impl<N: Decode, T: Decode> Decode for NumberOr<N, T> {
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match node.value {
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => N::decode(node, cx).map(Self::Number),
            _ => T::decode(node, cx).map(Self::Text),
        }
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [N::schema(generator), T::schema(generator)] })
    }
}

/// Any value of the author's, with no `null` in it.
#[derive(Debug, Clone, PartialEq)]
pub struct AnyValue(pub Node);

impl Decode for AnyValue {
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let before = cx.count();
        no_nulls(node, cx);
        (cx.count() == before).then(|| Self(node.clone()))
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl schemars::JsonSchema for AnyValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnyValue".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let own = generator.subschema_for::<Self>();
        json_schema!({
            "description": "Any value, with no null in it.",
            "type": ["string", "number", "boolean", "array", "object"],
            "items": own,
            "additionalProperties": own,
        })
    }
}

fn no_nulls(node: &Node, cx: &mut Cx<'_>) {
    match &node.value {
        Value::Null => cx.wrong_type(node, "a value"),
        Value::Seq(items) => items.iter().for_each(|item| no_nulls(item, cx)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| no_nulls(value, cx)),
        _ => {}
    }
}

/// A constraint between the fields of a map.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    ExactlyOne(&'static [&'static str]),
    AtLeastOne(&'static [&'static str]),
    AtMostOne(&'static [&'static str]),
    /// The first needs the second.
    Needs(&'static str, &'static str),
}

/// The fields of a map while they are decoded.
pub(super) struct Fields<'n> {
    pub(super) entries: &'n [(Key, Node)],
    span: Span,
    /// Name of the map in messages, such as `a Service`.
    what: &'static str,
    known: &'static [&'static str],
    /// Fields that were probably meant by unknown ones: not reported as missing again.
    meant: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub(super) fn open(
        node: &'n Node,
        what: &'static str,
        known: &'static [&'static str],
        cx: &mut Cx<'_>,
    ) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            cx.wrong_type(node, &format!("{what} (a map)"));
            return None;
        };
        // A block map is as long as its content; its first key says enough.
        let flow = cx.raw(node.span).starts_with('{');
        let span = if flow { node.span } else { entries.first().map_or(node.span, |(key, _)| key.span) };
        Some(Self { entries, span, what, known, meant: Vec::new() })
    }

    fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| &*key.text == name)
    }

    pub(super) fn unknown(&mut self, key: &Key, cx: &mut Cx<'_>) {
        let finding = Diagnostic::new(
            codes::UNKNOWN_FIELD,
            key.span,
            format!("{} is not a field of {}", quoted(&key.text), self.what),
        );
        let near = nearest(&key.text, self.known.iter().copied()).filter(|name| !self.has(name));
        let all = format!("fields here: {}", self.known.join(", "));
        cx.report(match near {
            Some(name) => {
                self.meant.push(name);
                finding.help(format!("did you mean `{name}`?")).note(all).fix(key.span, name)
            }
            None => finding.help(all),
        });
    }

    pub(super) fn absent<T: Decode>(&self, name: &str, cx: &mut Cx<'_>) -> Option<T> {
        if T::REQUIRED && !self.meant.contains(&name) {
            let message = format!("`{name}` is missing from {}", self.what);
            cx.report(
                Diagnostic::new(codes::MISSING_FIELD, self.span, message).help(format!("add `{name}`")),
            );
        }
        T::absent()
    }

    pub(super) fn check(&self, rules: &[Rule], cx: &mut Cx<'_>) {
        for rule in rules {
            match *rule {
                Rule::ExactlyOne(names) => {
                    self.at_most_one(names, cx);
                    self.at_least_one(names, "exactly one", cx);
                }
                Rule::AtLeastOne(names) => self.at_least_one(names, "at least one", cx),
                Rule::AtMostOne(names) => self.at_most_one(names, cx),
                Rule::Needs(name, other) => {
                    if !self.meant.contains(&other)
                        && !self.has(other)
                        && let Some((key, _)) = self.entries.iter().find(|(key, _)| &*key.text == name)
                    {
                        let message = format!("`{name}` needs `{other}` beside it");
                        cx.report(Diagnostic::new(codes::FIELD_COMBINATION, key.span, message));
                    }
                }
            }
        }
    }

    fn at_most_one(&self, names: &[&'static str], cx: &mut Cx<'_>) {
        let mut given = self.entries.iter().filter(|(key, _)| names.contains(&&*key.text));
        let Some((first, _)) = given.next() else { return };
        for (key, _) in given {
            let message = format!("`{}` and `{}` do not go together", first.text, key.text);
            cx.report(
                Diagnostic::new(codes::FIELD_COMBINATION, key.span, message)
                    .label(first.span, "already said here")
                    .help(format!("keep one of {}", list(names))),
            );
        }
    }

    fn at_least_one(&self, names: &[&'static str], how_many: &str, cx: &mut Cx<'_>) {
        if names.iter().any(|name| self.has(name) || self.meant.contains(name)) {
            return;
        }
        let message = format!("{} needs {how_many} of {}", self.what, list(names));
        cx.report(Diagnostic::new(codes::FIELD_COMBINATION, self.span, message));
    }
}
