//! Nodes to typed values, all findings at once.

use std::ops::Deref;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::context::{Around, Cx, FIELDS, Sp, list};
use super::forms::{self, FieldForm, RecordForm};
use super::peers;
use super::scalar::{Scalar, parse_at};
use crate::diag::{Diagnostic, Span, codes, nearest, quoted, slip};
use crate::source::{Key, Node, Value};

/// A type that is read from a node, and its JSON Schema, which gives the same verdict.
pub trait Decode: Sized {
    /// Whether a field of this type must be written.
    const REQUIRED: bool = true;
    /// Whether a list is due.
    const IS_LIST: bool = false;

    /// A value of the type in flow form, for messages about what is none.
    fn example() -> String;

    /// The map that is due, or that the items of the list are.
    fn record() -> Option<RecordForm> {
        None
    }

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
    const IS_LIST: bool = T::IS_LIST;
    fn example() -> String {
        T::example()
    }
    fn record() -> Option<RecordForm> {
        T::record()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        T::decode(node, cx).map(|value| Self { value, span: node.span })
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Decode> Decode for Box<T> {
    const IS_LIST: bool = T::IS_LIST;
    fn example() -> String {
        T::example()
    }
    fn record() -> Option<RecordForm> {
        T::record()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        T::decode(node, cx).map(Self::new)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Decode> Decode for Option<T> {
    const REQUIRED: bool = false;
    const IS_LIST: bool = T::IS_LIST;
    fn example() -> String {
        T::example()
    }
    fn record() -> Option<RecordForm> {
        T::record()
    }
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
    fn example() -> String {
        "true".to_owned()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        let Some(value) = node.as_str().and_then(forms::truth) else {
            cx.misfit(
                node,
                "`true` or `false`",
                Some("write `true` or `false`".to_owned()),
                Some(Self::example()),
            );
            return None;
        };
        let message = format!("expected `true` or `false`, found the text {}", quoted(cx.raw(node.span)));
        let finding = Diagnostic::new(codes::WRONG_TYPE, node.span, message);
        cx.report(finding.help(format!("write `{value}`, without quotes")).fix(node.span, value.to_string()));
        Some(value)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

/// A list that may be empty or absent. Items that cannot be read are left out, after a report.
impl<T: Decode> Decode for Vec<T> {
    const REQUIRED: bool = false;
    const IS_LIST: bool = true;
    fn example() -> String {
        format!("[{}]", T::example())
    }
    fn record() -> Option<RecordForm> {
        T::record()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(items) = node.as_seq() else {
            let instead = forms::instead_of_list(&form_of::<T>(""), node, cx);
            cx.misfit(node, "a list", instead, Some(Self::example()));
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
    const IS_LIST: bool = true;
    fn example() -> String {
        Vec::<T>::example()
    }
    fn record() -> Option<RecordForm> {
        T::record()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        if node.as_seq().is_some_and(<[Node]>::is_empty) {
            let finding = Diagnostic::new(codes::LIST_LENGTH, node.span, "the list must not be empty");
            cx.report(
                finding.help(format!(
                    "write at least one entry, as in `{}`, or remove the field",
                    Self::example()
                )),
            );
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
    const IS_LIST: bool = T::IS_LIST;
    fn example() -> String {
        T::example()
    }
    fn record() -> Option<RecordForm> {
        T::record()
    }
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
    fn example() -> String {
        format!("{{ {}: {} }}", forms::example_of(K::WHAT), V::example())
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            let instead = forms::instead_of_dict(K::WHAT, &form_of::<V>(""), node, cx);
            cx.misfit(node, "a map", instead, Some(Self::example()));
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
    fn example() -> String {
        T::example()
    }
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
    fn example() -> String {
        "...".to_owned()
    }
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

/// A field or item of this type, for messages.
pub(super) fn form_of<T: Decode>(key: &'static str) -> FieldForm {
    fn takes<T: Decode>(node: &Node, cx: &Cx<'_>) -> bool {
        let mut trial = cx.trial();
        T::decode(node, &mut trial).is_some() && trial.errors() == 0
    }
    FieldForm {
        key,
        required: T::REQUIRED,
        is_list: T::IS_LIST,
        example: T::example,
        takes: takes::<T>,
        below: T::record,
    }
}

/// The map of these fields, for messages.
pub(super) fn record_of(fields: Vec<FieldForm>, rules: &[Rule]) -> RecordForm {
    let choices = rules.iter().filter_map(|rule| match rule {
        Rule::ExactlyOne(names) | Rule::AtLeastOne(names) => Some(*names),
        Rule::AtMostOne(_) | Rule::Needs(..) => None,
    });
    RecordForm { fields, choices: choices.collect() }
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
    record: fn() -> Option<RecordForm>,
    /// Fields that were probably meant by unknown ones: not reported as missing again.
    meant: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub(super) fn open(
        node: &'n Node,
        what: &'static str,
        known: &'static [&'static str],
        record: fn() -> Option<RecordForm>,
        cx: &mut Cx<'_>,
    ) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            let form = record();
            let instead = form.as_ref().and_then(|form| forms::instead_of_record(form, node, cx));
            let example = form.map(|form| form.example(None));
            cx.misfit(node, &format!("{what} (a map)"), instead, example);
            return None;
        };
        cx.enter(Around { what, known });
        // A block map is as long as its content; its first key says enough.
        let flow = cx.raw(node.span).starts_with('{');
        let span = if flow { node.span } else { entries.first().map_or(node.span, |(key, _)| key.span) };
        Some(Self { entries, span, what, known, record, meant: Vec::new() })
    }

    fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| &*key.text == name)
    }

    /// The field that a key names: its own, or the one that it surely is a slip of, which is reported and read as that.
    /// None (the empty name) for a key that names no field, after the report.
    pub(super) fn name(&mut self, key: &'n Key, value: &Node, cx: &mut Cx<'_>) -> &'n str {
        if self.known.contains(&&*key.text) {
            return &key.text;
        }
        let finding = Diagnostic::new(
            codes::UNKNOWN_FIELD,
            key.span,
            format!("{} is not a field of {}", quoted(&key.text), self.what),
        );
        let all = format!("{FIELDS}{}", self.known.join(", "));
        let free = |name: &&'static str| !self.has(name) && !self.meant.contains(name);
        if let Some(bare) = key.text.strip_prefix('-').filter(|bare| self.known.contains(bare)) {
            cx.report(finding.help(format!("a blank follows the dash: `- {bare}: ...`")).note(all));
            return "";
        }
        // A slip of a field that does not take the value may be another word.
        let takes = |name: &&'static str| {
            let form = (self.record)();
            form.is_none_or(|form| {
                form.fields.iter().any(|field| field.key == *name && (field.takes)(value, cx))
            })
        };
        let sure = slip(&key.text, self.known.iter().copied()).filter(|name| free(name) && takes(name));
        if let Some(sure) = sure {
            self.meant.push(sure);
            let finding = finding.help(format!("did you mean `{sure}`?")).note(all);
            cx.report(finding.fix(key.span, sure));
            return sure;
        }
        // What other tools call it, then where it belongs, then what it looks like.
        if let Some(peer) = peers::field(self.what, &key.text, value, cx) {
            self.meant.extend(self.known.iter().copied().filter(|name| peer.meant.contains(name)));
            cx.report(finding.help(peer.help).note(all));
            return "";
        }
        let around = cx.around();
        let around = around.get(..around.len().saturating_sub(1)).unwrap_or_default();
        let level = (self.record)().and_then(|own| forms::level(&own, &key.text, self.entries, around));
        if let Some(level) = level {
            cx.report(finding.help(level).note(all));
            return "";
        }
        let near = nearest(&key.text, self.known.iter().copied()).filter(|name| free(name));
        self.meant.extend(near);
        cx.report(match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")).note(all),
            None => finding.help(all),
        });
        ""
    }

    pub(super) fn absent<T: Decode>(&self, name: &str, cx: &mut Cx<'_>) -> Option<T> {
        if T::REQUIRED && !self.meant.contains(&name) {
            let message = format!("`{name}` is missing from {}", self.what);
            cx.report(
                Diagnostic::new(codes::MISSING_FIELD, self.span, message)
                    .help(self.example(name).unwrap_or_else(|| format!("add `{name}: {}`", T::example()))),
            );
        }
        T::absent()
    }

    /// Holds the rules between the fields, and ends the map.
    pub(super) fn check(&self, rules: &[Rule], cx: &mut Cx<'_>) {
        cx.leave();
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
                        let finding = Diagnostic::new(codes::FIELD_COMBINATION, key.span, message);
                        cx.report(self.example(other).into_iter().fold(finding, Diagnostic::help));
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
        let finding = Diagnostic::new(codes::FIELD_COMBINATION, self.span, message);
        let example = names.first().and_then(|name| self.example(name));
        cx.report(example.into_iter().fold(finding, Diagnostic::help));
    }

    /// How a field is written that is missing.
    fn example(&self, name: &str) -> Option<String> {
        let form = (self.record)()?;
        let field = form.fields.iter().find(|field| field.key == name)?;
        Some(format!("add `{name}: {}`", field.example()))
    }
}
