//! Values that are written as one word: each a newtype whose constructor and JSON Schema pattern agree.

mod names;
mod numbers;
mod path_habits;
mod texts;
mod units;

pub use names::*;
pub use numbers::*;
pub use texts::*;
pub use units::*;

/// The decoder and the schema of a scalar. `pattern` is an ECMA-262 regular expression for the whole text; lengths are
/// counted in characters.
macro_rules! scalar {
    ($Name:ident, $doc:expr, pattern: $pattern:expr, length: $min:literal ..= $max:literal) => {
        impl $crate::spec::decode::Decode for $Name {
            fn example() -> String {
                $crate::spec::forms::example_of(<Self as $crate::spec::scalar::Scalar>::WHAT)
            }
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::context::Cx<'_>,
            ) -> Option<Self> {
                $crate::spec::scalar::decode(node, cx)
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
                let mut schema = schemars::json_schema!({
                    "description": $crate::spec::macros::prose($doc),
                    "type": "string",
                    "minLength": $min,
                    "maxLength": $max,
                });
                let pattern: &str = $pattern;
                if !pattern.is_empty() {
                    schema.insert("pattern".to_owned(), pattern.into());
                }
                schema
            }
        }
    };
}

/// A checked text: `check` decides, `pattern` says the same to others.
macro_rules! text {
    (
        $(#[doc = $doc:literal])*
        pub struct $Name:ident, $what:literal;
        pattern $pattern:expr, length $min:literal ..= $max:literal,
        check $check:expr
        $(, repair $repair:expr)?
        $(, suggest $suggest:expr)?
        $(, code $code:expr)?
        $(,)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name(Box<str>);

        impl $Name {
            /// The text as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $Name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::spec::scalar::Scalar for $Name {
            const WHAT: &'static str = $what;
            $(const CODE: $crate::diag::Code = $code;)?
            const LONGEST: usize = $max;
            fn parse(text: &str) -> Option<Self> {
                let check: fn(&str) -> bool = $check;
                // Lengths are of characters; bytes first, since they are cheap.
                let length: std::ops::RangeInclusive<usize> = $min..=$max;
                let fits = length.contains(&text.len()) || length.contains(&text.chars().count());
                (fits && check(text)).then(|| Self(text.into()))
            }
            $(fn repair(text: &str) -> Option<String> {
                let repair: fn(&str) -> Option<String> = $repair;
                repair(text)
            })?
            $(fn suggest(text: &str) -> Option<String> {
                let suggest: fn(&str) -> Option<String> = $suggest;
                suggest(text)
            })?
        }

        $crate::spec::scalars::scalar!($Name, concat!($($doc, "\n"),*), pattern: $pattern, length: $min ..= $max);
        $crate::spec::scalars::viewed!($Name: Text, |text| $crate::spec::view::Data::text(text.as_str()));
    };
}

/// Implements `View` for the type of a value that is written as one word.
macro_rules! viewed {
    ($Name:ty: $Shape:ident, $data:expr) => {
        impl $crate::spec::view::View for $Name {
            fn shape() -> $crate::spec::view::Shape {
                $crate::spec::view::Shape::$Shape
            }
            fn view(&self, _: &$crate::spec::view::Inherited) -> Option<$crate::spec::view::Data> {
                let data: fn(&Self) -> $crate::spec::view::Data = $data;
                Some(data(self))
            }
        }
    };
}

pub(super) use {scalar, text, viewed};
