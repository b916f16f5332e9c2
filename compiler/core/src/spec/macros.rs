//! One definition a type: the Rust type, its decoder and its JSON Schema.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

use super::decode::Rule;

/// A map with fixed fields.
///
/// ```text
/// object! {
///     /// What it is.
///     pub struct Backoff, "a backoff" {
///         /// What it says.
///         base "base": Sp<Duration>,
///     }
///     rules [Rule::Needs("max", "base")]
/// }
/// ```
/// The type of a field says whether it is required ([`super::decode::Decode::REQUIRED`]). With `kind "Service"` after
/// the words that name it, the map is a whole document.
///
/// A field that need not be written may have a default: `= |backoff| ...` from the map itself, which also gives the
/// map a method of the field's name for what holds; `=> |mesh| ...` from what the mesh says ([`super::view::Inherited`]);
/// `as []` for a list that readers see as empty where it is not written.
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        pub struct $Name:ident, $what:literal $(, kind $tag:literal)? {
            $($(#[doc = $fdoc:literal])* $field:ident $key:literal: $ty:ty $(as $empty:tt)? $(= $own:expr)? $(=> $mesh:expr)?,)*
        }
        $(rules [$($rule:expr),* $(,)?])?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Name {
            $($(#[doc = $fdoc])* pub $field: $ty,)*
            /// Whether it was read without an error. If not, what could not be read is absent, and nothing is to be judged
            /// by its absence.
            pub complete: bool,
        }

        impl $crate::spec::decode::Decode for $Name {
            fn example() -> String {
                <Self as $crate::spec::decode::Decode>::record().map_or_else(String::new, |record| record.example(None))
            }
            fn record() -> Option<$crate::spec::forms::RecordForm> {
                let fields = vec![$($crate::spec::decode::form_of::<$ty>($key)),*];
                Some($crate::spec::decode::record_of(fields, &[$($($rule),*)?]))
            }
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::context::Cx<'_>,
            ) -> Option<Self> {
                let before = cx.errors();
                let mut fields = $crate::spec::decode::Fields::open(node, $what, &[$($key),*], <Self as $crate::spec::decode::Decode>::record, cx)?;
                $(let mut $field: Option<Option<$ty>> = None;)*
                for (key, value) in fields.entries {
                    // The caller chose this type by it.
                    $(if &*key.text == "kind" && !$tag.is_empty() {
                        continue;
                    })?
                    match fields.name(key, value, cx) {
                        $($key => $field = Some(<$ty as $crate::spec::decode::Decode>::decode(value, cx)),)*
                        _ => {}
                    }
                }
                $(let $field = $field.unwrap_or_else(|| fields.absent::<$ty>($key, cx));)*
                fields.check(&[$($($rule),*)?], cx);
                Some(Self { $($field: $field?,)* complete: cx.errors() == before })
            }
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        $crate::spec::macros::filled! { $Name $($($field: $ty = $own;)?)* }

        impl $crate::spec::view::View for $Name {
            fn shape() -> $crate::spec::view::Shape {
                let fields = vec![$({
                    let doc = concat!($($fdoc, "\n"),*);
                    $crate::spec::macros::viewed!(shape $key, doc, $ty $(, own $own)? $(, mesh $mesh)? $(, empty $empty)?)
                }),*];
                $crate::spec::view::Shape::record(stringify!($Name), fields)
            }
            fn view(&self, mesh: &$crate::spec::view::Inherited) -> Option<$crate::spec::view::Data> {
                let mut fields = Vec::new();
                $(
                    let data = $crate::spec::macros::viewed!(data self, $field, mesh, $ty $(, own $own)? $(, mesh $mesh)? $(, empty $empty)?);
                    fields.extend(data.map(|data| ($key, data)));
                )*
                Some($crate::spec::view::Data::Record(fields))
            }
        }

        impl schemars::JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = $crate::spec::macros::ObjectSchema::new(concat!($($doc, "\n"),*));
                $(schema.kind($tag);)?
                $(
                    let field = <$ty as $crate::spec::decode::Decode>::schema(generator);
                    let required = <$ty as $crate::spec::decode::Decode>::REQUIRED;
                    schema.field($key, field, required, concat!($($fdoc, "\n"),*));
                )*
                schema.finish(&[$($($rule),*)?])
            }
        }
    };
}

/// A closed list of words.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $Name:ident, $what:literal {
            $($(#[doc = $vdoc:literal])* $Variant:ident = $word:literal,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name {
            $($(#[doc = $vdoc])* $Variant,)*
        }

        impl $Name {
            /// The word as it is written.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $word,)*
                }
            }
        }

        impl $crate::spec::view::View for $Name {
            fn shape() -> $crate::spec::view::Shape {
                $crate::spec::view::Shape::Text
            }
            fn view(&self, _: &$crate::spec::view::Inherited) -> Option<$crate::spec::view::Data> {
                Some($crate::spec::view::Data::text(self.as_str()))
            }
        }

        impl $crate::spec::decode::Decode for $Name {
            fn example() -> String {
                [$($word),*].first().copied().unwrap_or_default().to_owned()
            }
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::context::Cx<'_>,
            ) -> Option<Self> {
                let of_word = |word: &str| match word {
                    $($word => Some(Self::$Variant),)*
                    _ => None,
                };
                if let Some(value) = node.as_str().and_then(of_word) {
                    return Some(value);
                }
                $crate::spec::scalar::unknown_choice(node, $what, &[$($word),*], cx).and_then(of_word)
            }
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $crate::spec::macros::prose(concat!($($doc, "\n"),*)),
                    "type": "string",
                    "enum": [$($word),*],
                })
            }
        }
    };
}

/// A short form, and a long one that is a map or a list (`Value::Map`, `Value::Seq`).
///
/// Readers see one record ([`super::view::View`]). `Short(..) => |short| long` says what the short form is short for: they see
/// the long one. `Short(..) as "name"` cannot be said in the long form: they see the fields of the long form and one more,
/// none of which need be there. A long form that is not a map has a name too.
macro_rules! either {
    (
        $(#[doc = $doc:literal])*
        pub enum $Name:ident {
            $(#[doc = $sdoc:literal])* $Short:ident($short:ty) $(as $sname:literal)? $(=> $lengthened:expr)?,
            $(#[doc = $ldoc:literal])* $Long:ident($long:ty) if $node:ident $(as $lname:literal)?,
        }
    ) => {
        impl $crate::spec::view::View for $Name {
            $crate::spec::macros::forms! {
                $Name, $Short($short) $(as $sname)? $(=> $lengthened)?,
                $Long($long), concat!("" $(, $lname)?), concat!($($sdoc, "\n"),*), concat!($($ldoc, "\n"),*)
            }
        }

        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $Name {
            $(#[doc = $sdoc])* $Short($short),
            $(#[doc = $ldoc])* $Long($long),
        }

        impl $crate::spec::decode::Decode for $Name {
            fn example() -> String {
                <$short as $crate::spec::decode::Decode>::example()
            }
            fn record() -> Option<$crate::spec::forms::RecordForm> {
                <$long as $crate::spec::decode::Decode>::record()
            }
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::context::Cx<'_>,
            ) -> Option<Self> {
                if matches!(node.value, $crate::source::Value::$node(_)) {
                    <$long as $crate::spec::decode::Decode>::decode(node, cx).map(Self::$Long)
                } else {
                    let before = cx.count();
                    let short = <$short as $crate::spec::decode::Decode>::decode(node, cx);
                    let longer = <$long as $crate::spec::decode::Decode>::record()
                        .filter(|_| short.is_none())
                        .and_then(|long| $crate::spec::forms::longer(&long, node, cx));
                    if let Some(help) = longer {
                        cx.advise_since(before, help);
                    }
                    short.map(Self::$Short)
                }
            }
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let short = <$short as $crate::spec::decode::Decode>::schema(generator);
                let long = <$long as $crate::spec::decode::Decode>::schema(generator);
                schemars::json_schema!({
                    "description": $crate::spec::macros::prose(concat!($($doc, "\n"),*)),
                    "anyOf": [short, long],
                })
            }
        }
    };
}

/// The methods of a map for fields with defaults.
macro_rules! filled {
    ($Name:ident) => {};
    ($Name:ident $($field:ident: $ty:ty = $own:expr;)+) => {
        impl $Name {
            $(
                /// The field of this name, or its default.
                #[must_use]
                pub fn $field(&self) -> <$ty as $crate::spec::view::Fill>::Filled {
                    let default: fn(&Self) -> <$ty as $crate::spec::view::Fill>::Filled = $own;
                    <$ty as $crate::spec::view::Fill>::filled(&self.$field, || default(self))
                }
            )+
        }
    };
}

/// The shape and the data of a field, by where its default comes from.
macro_rules! viewed {
    (shape $key:literal, $doc:expr, $ty:ty) => {
        $crate::spec::view::FieldShape {
            key: $key,
            shape: <$ty as $crate::spec::view::View>::shape(),
            optional: <$ty as $crate::spec::view::View>::OPTIONAL,
            doc: $doc,
        }
    };
    (shape $key:literal, $doc:expr, $ty:ty, $from:ident $default:expr) => {
        $crate::spec::view::FieldShape {
            key: $key,
            shape: <$ty as $crate::spec::view::View>::shape(),
            optional: false,
            doc: $doc,
        }
    };
    (data $self:ident, $field:ident, $inherited:ident, $ty:ty) => {
        <$ty as $crate::spec::view::View>::view(&$self.$field, $inherited)
    };
    (data $self:ident, $field:ident, $inherited:ident, $ty:ty, empty []) => {
        $crate::spec::view::View::view(&$self.$field, $inherited)
            .or(Some($crate::spec::view::Data::List(Vec::new())))
    };
    (data $self:ident, $field:ident, $inherited:ident, $ty:ty, own $own:expr) => {
        $crate::spec::view::View::view(&$self.$field(), $inherited)
    };
    (data $self:ident, $field:ident, $inherited:ident, $ty:ty, mesh $default:expr) => {{
        let default: fn(&$crate::spec::view::Inherited) -> Option<$crate::spec::view::Data> = $default;
        <$ty as $crate::spec::view::View>::view(&$self.$field, $inherited).or_else(|| default($inherited))
    }};
}

/// The view of two forms.
macro_rules! forms {
    ($Name:ident, $Short:ident($short:ty) => $lengthened:expr, $Long:ident($long:ty), $lname:expr, $sdoc:expr, $ldoc:expr) => {
        fn shape() -> $crate::spec::view::Shape {
            <$long as $crate::spec::view::View>::shape()
        }
        fn view(&self, mesh: &$crate::spec::view::Inherited) -> Option<$crate::spec::view::Data> {
            match self {
                Self::$Short(short) => {
                    let lengthened: fn(&$short) -> $long = $lengthened;
                    $crate::spec::view::View::view(&lengthened(short), mesh)
                }
                Self::$Long(long) => $crate::spec::view::View::view(long, mesh),
            }
        }
    };
    ($Name:ident, $Short:ident($short:ty) as $sname:literal, $Long:ident($long:ty), $lname:expr, $sdoc:expr, $ldoc:expr) => {
        fn shape() -> $crate::spec::view::Shape {
            let mut fields = <$short as $crate::spec::view::View>::shape().form($sname, $sdoc);
            fields.extend(<$long as $crate::spec::view::View>::shape().form($lname, $ldoc));
            $crate::spec::view::Shape::record(stringify!($Name), fields)
        }
        fn view(&self, mesh: &$crate::spec::view::Inherited) -> Option<$crate::spec::view::Data> {
            Some(match self {
                Self::$Short(short) => {
                    $crate::spec::view::form($crate::spec::view::View::view(short, mesh)?, $sname)
                }
                Self::$Long(long) => {
                    $crate::spec::view::form($crate::spec::view::View::view(long, mesh)?, $lname)
                }
            })
        }
    };
}

pub(super) use {choice, either, filled, forms, object, viewed};

/// A doc comment as one text: lines joined, paragraphs kept.
pub(super) fn prose(doc: &str) -> String {
    let paragraphs: Vec<String> = doc
        .split("\n\n")
        .map(|paragraph| paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned())
        .collect();
    paragraphs.join("\n").trim().to_owned()
}

/// Builds the schema of a map with fixed fields.
pub(super) struct ObjectSchema {
    description: String,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl ObjectSchema {
    pub(super) fn new(doc: &str) -> Self {
        Self { description: prose(doc), properties: Map::new(), required: Vec::new() }
    }

    pub(super) fn kind(&mut self, tag: &'static str) {
        self.properties
            .insert("kind".to_owned(), json!({ "const": tag, "description": "Kind of the object." }));
        self.required.push("kind");
    }

    pub(super) fn field(&mut self, key: &'static str, mut schema: Schema, required: bool, doc: &str) {
        schema.insert("description".to_owned(), Value::from(prose(doc)));
        self.properties.insert(key.to_owned(), schema.to_value());
        if required {
            self.required.push(key);
        }
    }

    pub(super) fn finish(self, rules: &[Rule]) -> Schema {
        let Self { description, properties, required } = self;
        let mut schema = json_schema!({
            "description": description,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        let all: Vec<Value> = rules.iter().map(rule).collect();
        if !all.is_empty() {
            schema.insert("allOf".to_owned(), Value::Array(all));
        }
        schema
    }
}

fn rule(rule: &Rule) -> Value {
    let each = |names: &[&str]| names.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>();
    match rule {
        Rule::ExactlyOne(names) => json!({ "oneOf": each(names) }),
        Rule::AtLeastOne(names) => json!({ "anyOf": each(names) }),
        Rule::AtMostOne(names) => {
            let pairs = names.iter().enumerate().flat_map(|(i, a)| {
                names.iter().skip(i + 1).map(move |b| json!({ "not": { "required": [a, b] } }))
            });
            json!({ "allOf": pairs.collect::<Vec<_>>() })
        }
        Rule::Needs(name, other) => json!({ "dependentRequired": { *name: [other] } }),
    }
}
