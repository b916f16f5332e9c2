//! Values that are written as one word: each a newtype whose constructor and JSON Schema pattern agree.

use schemars::JsonSchema;

use super::decode::{Cx, list};
use crate::diag::{Code, Diagnostic, Span, codes, nearest, quoted};
use crate::source::{Node, Value};

mod names;
mod numbers;
mod texts;
mod units;

pub use names::*;
pub use numbers::*;
pub use texts::*;
pub use units::*;

/// A value that is written as one text.
pub trait Leaf: Sized + JsonSchema {
    /// The expected form, for messages: "a duration like `250ms`".
    const WHAT: &'static str;
    /// The code of a text that is not one.
    const CODE: Code = codes::BAD_VALUE;

    /// The value of a text; `None` if the text is not one.
    fn parse(text: &str) -> Option<Self>;

    /// A text nearby that is one, if the author most likely meant it.
    fn repair(_text: &str) -> Option<String> {
        None
    }

    /// The text that a number without a unit most likely means; `None` for values without units.
    fn with_unit(_number: &str) -> Option<String> {
        None
    }
}

/// Decodes a leaf from a node.
pub(super) fn decode<T: Leaf>(node: &Node, cx: &mut Cx<'_>) -> Option<T> {
    match &node.value {
        Value::Text(text) => parse_at(&text.text, node.span, cx),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_) => {
            not_text::<T>(node, cx);
            None
        }
        _ => {
            cx.wrong_type(node, T::WHAT);
            None
        }
    }
}

/// Parses a text that stands at `span`, and reports a text that is not one.
pub(super) fn parse_at<T: Leaf>(text: &str, span: Span, cx: &mut Cx<'_>) -> Option<T> {
    let value = T::parse(text);
    if value.is_none() {
        let finding = Diagnostic::error(T::CODE, span, format!("{} is not {}", quoted(text), T::WHAT));
        cx.report(match T::repair(text).filter(|repaired| T::parse(repaired).is_some()) {
            Some(repaired) => finding
                .help(format!("write `{repaired}`"))
                .fix(span, repaired_as_written(cx.raw(span), repaired)),
            None => finding,
        });
    }
    value
}

/// Quotes stay if there were any.
fn repaired_as_written(raw: &str, repaired: String) -> String {
    match raw.chars().next() {
        Some(quote @ ('"' | '\'')) => format!("{quote}{repaired}{quote}"),
        _ => repaired,
    }
}

fn not_text<T: Leaf>(node: &Node, cx: &mut Cx<'_>) {
    let raw = cx.raw(node.span).trim();
    if let Some(repaired) = T::with_unit(raw).filter(|_| !matches!(node.value, Value::Bool(_))) {
        let finding =
            Diagnostic::error(codes::MISSING_UNIT, node.span, format!("{} has no unit", quoted(raw)))
                .at(format!("expected {}", T::WHAT));
        cx.report(if T::parse(&repaired).is_some() {
            finding.help(format!("write `{repaired}`")).fix(node.span, repaired)
        } else {
            finding
        });
        return;
    }
    let is = if matches!(node.value, Value::Bool(_)) { "the boolean" } else { "the number" };
    let message = format!("expected {}, found {is} {}", T::WHAT, quoted(raw));
    let finding = Diagnostic::error(codes::WRONG_TYPE, node.span, message);
    cx.report(if T::parse(raw).is_some() {
        finding.help(format!("write it in quotes: `\"{raw}\"`")).fix(node.span, format!("\"{raw}\""))
    } else {
        finding
    });
}

/// Reports a node that is none of the words of a closed list.
pub(super) fn unknown_choice(node: &Node, what: &str, words: &[&'static str], cx: &mut Cx<'_>) {
    let Some(text) = node.as_str() else {
        cx.wrong_type(node, &format!("{what} ({})", list(words)));
        return;
    };
    let finding =
        Diagnostic::error(codes::UNKNOWN_CHOICE, node.span, format!("{} is not {what}", quoted(text)));
    let all = format!("possible: {}", list(words));
    cx.report(match nearest(text, words.iter().copied()) {
        Some(word) => finding
            .help(format!("did you mean `{word}`?"))
            .note(all)
            .fix(node.span, repaired_as_written(cx.raw(node.span), word.to_owned())),
        None => finding.help(all),
    });
}

/// The decoder and the schema of a leaf. `pattern` is an ECMA-262 regular expression for the whole text; lengths are
/// counted in characters.
macro_rules! leaf {
    ($Name:ident, $doc:expr, pattern: $pattern:expr, length: $min:literal ..= $max:literal) => {
        impl $crate::spec::decode::Decode for $Name {
            fn decode(
                node: &$crate::source::Node,
                cx: &mut $crate::spec::decode::Cx<'_>,
            ) -> Option<Self> {
                $crate::spec::leaf::decode(node, cx)
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

        impl $crate::spec::leaf::Leaf for $Name {
            const WHAT: &'static str = $what;
            $(const CODE: $crate::diag::Code = $code;)?
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
        }

        $crate::spec::leaf::leaf!($Name, concat!($($doc, "\n"),*), pattern: $pattern, length: $min ..= $max);
        $crate::spec::leaf::viewed!($Name: Text, |text| $crate::spec::view::Data::text(text.as_str()));
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

pub(super) use {leaf, text, viewed};

/// Reports a `kind` that does not exist.
pub(super) fn unknown_kind(node: &Node, word: &str, words: &[&'static str], help: &str, cx: &mut Cx<'_>) {
    let finding =
        Diagnostic::error(codes::UNKNOWN_KIND, node.span, format!("there is no kind {}", quoted(word)));
    cx.report(match nearest(word, words.iter().copied()) {
        Some(near) => finding
            .help(format!("did you mean `{near}`?"))
            .note(help)
            .fix(node.span, repaired_as_written(cx.raw(node.span), near.to_owned())),
        None => finding.help(help),
    });
}
