//! The language's types as seen by readers that do not know them: a shape for each type, and the data of each value.
//! Both come from the one definition of the type (`macros.rs`), so they agree with its schema.
//!
//! What is not written is absent, unless the language has a default for it; then the data has the default.

use std::borrow::Cow;
use std::sync::Arc;

use super::context::Sp;
use super::decode::{AnyValue, Dict, List1, NumberOr, OneOrMany};
use crate::source::{Node, Value};

/// Shape of the values of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`
    Bool,
    /// A whole number.
    Int,
    /// A floating-point number.
    Double,
    /// A Unicode text.
    Text,
    /// A share, such as `5%`.
    Percent,
    /// A number of events in a time.
    Rate,
    /// A size in bytes.
    ByteSize,
    /// A length of time.
    Duration,
    /// A point in time.
    Time,
    /// Anything that the author chose.
    Any,
    /// A field that readers do not see; says why.
    Hidden(&'static str),
    /// A list of values of one shape.
    List(Box<Self>),
    /// A map by texts that the author chose.
    Map(Box<Self>),
    /// A map with named fields.
    Record(RecordShape),
}

/// A type with named fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordShape {
    /// The name of the type.
    pub name: Cow<'static, str>,
    /// Its fields, in the order of the documentation.
    pub fields: Vec<FieldShape>,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldShape {
    /// Key of the field in YAML.
    pub key: &'static str,
    /// Shape of its value.
    pub shape: Shape,
    /// It may be absent.
    pub optional: bool,
    /// Description: the lines of its doc comment.
    pub doc: &'static str,
}

/// The value of an object or field, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Nothing; inside of what the author chose only.
    Null,
    /// Data of shape [`Shape::Bool`].
    Bool(bool),
    /// Data of shape [`Shape::Int`].
    Int(i64),
    /// Data of shape [`Shape::Double`].
    Double(f64),
    /// Data of shape [`Shape::Text`].
    Text(Arc<str>),
    /// Millionths of a percent.
    Percent(i128),
    /// Millionths of an event an hour.
    Rate(i128),
    /// A size in bytes.
    ByteSize(i128),
    /// A duration in nanoseconds.
    Duration(i128),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Time(i128),
    /// Data of shape [`Shape::List`].
    List(Vec<Self>),
    /// Data of shape [`Shape::Map`].
    Map(Vec<(Arc<str>, Self)>),
    /// [`Shape::Record`]: the fields that are there.
    Record(Vec<(&'static str, Self)>),
}

impl Data {
    /// Data of shape [`Shape::Text`] with this text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// The fields of a record; none of anything else.
    #[must_use]
    pub fn into_fields(self) -> Vec<(&'static str, Self)> {
        match self {
            Self::Record(fields) => fields,
            _ => Vec::new(),
        }
    }
}

impl Shape {
    /// The shape of a list of these items.
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List(Box::new(item))
    }

    /// The shape of a map with these values.
    #[must_use]
    pub fn map(value: Self) -> Self {
        Self::Map(Box::new(value))
    }

    /// The shape of a record with this name and these fields.
    #[must_use]
    pub fn record(name: impl Into<Cow<'static, str>>, fields: Vec<FieldShape>) -> Self {
        Self::Record(RecordShape { name: name.into(), fields })
    }

    /// The name of the type in one word, also the name of a field for it.
    #[must_use]
    pub fn word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "text",
            Self::Percent => "percent",
            Self::Rate => "rate",
            Self::ByteSize => "bytesize",
            Self::Duration => "duration",
            Self::Time => "time",
            Self::Any | Self::Hidden(_) => "any",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Record(record) => return record.name.clone(),
        })
    }

    /// The fields that hold a value of this shape beside another form of it: a record's own, else one by the name given.
    /// One form alone is written, so each may be absent.
    #[must_use]
    pub fn form(self, name: &'static str, doc: &'static str) -> Vec<FieldShape> {
        match self {
            Self::Record(record) => {
                record.fields.into_iter().map(|field| FieldShape { optional: true, ..field }).collect()
            }
            shape => vec![FieldShape { key: name, shape, optional: true, doc }],
        }
    }
}

/// As [`Shape::form`], of the data.
#[must_use]
pub fn form(data: Data, name: &'static str) -> Data {
    match data {
        Data::Record(fields) => Data::Record(fields),
        other => Data::Record(vec![(name, other)]),
    }
}

/// Data of fields that take their value from the mesh where they are omitted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inherited {
    /// Value of `Mesh.defaults.timeout`.
    pub timeout: Option<Data>,
    /// Value of `Mesh.defaults.retry`.
    pub retry: Option<Data>,
}

/// A type whose values are read as data.
pub trait View {
    /// A field of this type may be absent.
    const OPTIONAL: bool = false;

    /// Shape of the type's values.
    fn shape() -> Shape;

    /// The value, its defaults filled in; `None` where it is absent.
    fn view(&self, mesh: &Inherited) -> Option<Data>;
}

/// The type of a field that may be omitted, and then has a default.
pub trait Fill {
    /// Type of the field's value with its default.
    type Filled;

    /// The written value, or else the default.
    fn filled(&self, default: impl FnOnce() -> Self::Filled) -> Self::Filled;
}

impl<T: Clone> Fill for Option<T> {
    type Filled = T;
    fn filled(&self, default: impl FnOnce() -> T) -> T {
        self.clone().unwrap_or_else(default)
    }
}

impl<T: Clone> Fill for Vec<T> {
    type Filled = Self;
    fn filled(&self, default: impl FnOnce() -> Self) -> Self {
        if self.is_empty() { default() } else { self.clone() }
    }
}

impl<T: View> View for Sp<T> {
    const OPTIONAL: bool = T::OPTIONAL;
    fn shape() -> Shape {
        T::shape()
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        self.value.view(mesh)
    }
}

impl<T: View> View for Box<T> {
    const OPTIONAL: bool = T::OPTIONAL;
    fn shape() -> Shape {
        T::shape()
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        T::view(self, mesh)
    }
}

impl<T: View> View for Option<T> {
    const OPTIONAL: bool = true;
    fn shape() -> Shape {
        T::shape()
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        self.as_ref()?.view(mesh)
    }
}

impl View for bool {
    fn shape() -> Shape {
        Shape::Bool
    }
    fn view(&self, _: &Inherited) -> Option<Data> {
        Some(Data::Bool(*self))
    }
}

impl<T: View> View for [T] {
    fn shape() -> Shape {
        Shape::list(T::shape())
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        Some(Data::List(self.iter().filter_map(|item| item.view(mesh)).collect()))
    }
}

/// Lists, whatever their type says of their length.
macro_rules! lists {
    ($($List:ident)*) => {
        $(impl<T: View> View for $List<T> {
            fn shape() -> Shape {
                <[T]>::shape()
            }
            fn view(&self, mesh: &Inherited) -> Option<Data> {
                <[T]>::view(self, mesh)
            }
        })*
    };
}
lists! { Vec List1 OneOrMany }

impl<K: View, V: View> View for Dict<K, V> {
    fn shape() -> Shape {
        Shape::map(V::shape())
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        let entry = |(key, value): &(Sp<K>, V)| match key.view(mesh) {
            Some(Data::Text(key)) => Some((key, value.view(mesh)?)),
            _ => None,
        };
        Some(Data::Map(self.iter().filter_map(entry).collect()))
    }
}

/// The field for a number beside another form.
const NUMBER: &str = "number";

/// A record with one field for each form.
impl<N: View, T: View> View for NumberOr<N, T> {
    fn shape() -> Shape {
        let (number, other) = (N::shape(), T::shape());
        let name = format!("{} or {}", number.word(), other.word());
        let field = beside(&other);
        let mut fields = number.form(NUMBER, "The number.");
        fields.extend(other.form(field, "The other form."));
        Shape::record(name, fields)
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        Some(match self {
            Self::Number(number) => form(number.view(mesh)?, NUMBER),
            Self::Text(other) => form(other.view(mesh)?, beside(&T::shape())),
        })
    }
}

/// The field for what stands beside a number.
fn beside(shape: &Shape) -> &'static str {
    match shape {
        Shape::Percent => "percent",
        _ => "text",
    }
}

impl View for AnyValue {
    fn shape() -> Shape {
        Shape::Any
    }
    fn view(&self, _: &Inherited) -> Option<Data> {
        Some(any(&self.0))
    }
}

fn any(node: &Node) -> Data {
    match &node.value {
        Value::Null | Value::Broken => Data::Null,
        Value::Bool(value) => Data::Bool(*value),
        Value::Int(number) => Data::Int(*number),
        Value::BigInt(number) | Value::Float(number) => Data::Double(*number),
        Value::Text(text) => Data::text(&text.text),
        Value::Seq(items) => Data::List(items.iter().map(any).collect()),
        Value::Map(entries) => {
            Data::Map(entries.iter().map(|(key, value)| ((*key.text).into(), any(value))).collect())
        }
    }
}
