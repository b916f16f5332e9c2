//! One definition a type: the Rust type, its decoder and its JSON Schema.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

use super::decode::Rule;

/// A map with fixed fields.
///
/// ```text
/// object! {
///     /// What it is.
///     pub struct Backoff, "a back-off" {
///         /// What it says.
///         base "base": Sp<Duration>,
///     }
///     rules [Rule::Needs("max", "base")]
/// }
/// ```
/// The type of a field says whether it is required ([`super::decode::Decode::REQUIRED`]). With `kind "Service"` after
/// the words that name it, the map is a whole document.
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        pub struct $Name:ident, $what:literal $(, kind $tag:literal)? {
            $($(#[doc = $fdoc:literal])* $field:ident $key:literal: $ty:ty,)*
        }
        $(rules [$($rule:expr),* $(,)?])?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Name {
            $($(#[doc = $fdoc])* pub $field: $ty,)*
        }

        impl $crate::spec::decode::Decode for $Name {
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::decode::Cx<'_>,
            ) -> Option<Self> {
                let mut fields = $crate::spec::decode::Fields::open(node, $what, &[$($key),*], cx)?;
                $(let mut $field: Option<Option<$ty>> = None;)*
                for (key, value) in fields.entries {
                    match &*key.text {
                        $($key => $field = Some(<$ty as $crate::spec::decode::Decode>::decode(value, cx)),)*
                        // The caller chose this type by it.
                        $("kind" if !$tag.is_empty() => {})?
                        _ => fields.unknown(key, cx),
                    }
                }
                $(let $field = $field.unwrap_or_else(|| fields.absent::<$ty>($key, cx));)*
                fields.check(&[$($($rule),*)?], cx);
                Some(Self { $($field: $field?,)* })
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

        impl $crate::spec::decode::Decode for $Name {
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::decode::Cx<'_>,
            ) -> Option<Self> {
                match node.as_str() {
                    $(Some($word) => Some(Self::$Variant),)*
                    _ => {
                        $crate::spec::leaf::unknown_choice(node, $what, &[$($word),*], cx);
                        None
                    }
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
macro_rules! either {
    (
        $(#[doc = $doc:literal])*
        pub enum $Name:ident {
            $(#[doc = $sdoc:literal])* $Short:ident($short:ty),
            $(#[doc = $ldoc:literal])* $Long:ident($long:ty) if $node:ident,
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $Name {
            $(#[doc = $sdoc])* $Short($short),
            $(#[doc = $ldoc])* $Long($long),
        }

        impl $crate::spec::decode::Decode for $Name {
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::decode::Cx<'_>,
            ) -> Option<Self> {
                if matches!(node.value, $crate::source::Value::$node(_)) {
                    <$long as $crate::spec::decode::Decode>::decode(node, cx).map(Self::$Long)
                } else {
                    <$short as $crate::spec::decode::Decode>::decode(node, cx).map(Self::$Short)
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

pub(super) use {choice, either, object};

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
            .insert("kind".to_owned(), json!({ "const": tag, "description": "What the document is about." }));
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
