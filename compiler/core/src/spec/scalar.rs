//! Values that are written as one text: how they are read, and what is said of a text that is not one.

use schemars::JsonSchema;

use super::context::{Cx, list};
use crate::diag::{Code, Diagnostic, Span, codes, nearest, quoted};
use crate::source::{Node, Value};

/// A value that is written as one text.
pub trait Scalar: Sized + JsonSchema {
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

/// Decodes a scalar from a node.
pub(super) fn decode<T: Scalar>(node: &Node, cx: &mut Cx<'_>) -> Option<T> {
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
pub(super) fn parse_at<T: Scalar>(text: &str, span: Span, cx: &mut Cx<'_>) -> Option<T> {
    let value = T::parse(text);
    if value.is_none() {
        let finding = Diagnostic::new(T::CODE, span, format!("{} is not {}", quoted(text), T::WHAT));
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

fn not_text<T: Scalar>(node: &Node, cx: &mut Cx<'_>) {
    let raw = cx.raw(node.span).trim();
    if let Some(repaired) = T::with_unit(raw).filter(|_| !matches!(node.value, Value::Bool(_))) {
        let finding = Diagnostic::new(codes::MISSING_UNIT, node.span, format!("{} has no unit", quoted(raw)))
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
    let finding = Diagnostic::new(codes::WRONG_TYPE, node.span, message);
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
        Diagnostic::new(codes::UNKNOWN_CHOICE, node.span, format!("{} is not {what}", quoted(text)));
    let all = format!("possible: {}", list(words));
    cx.report(match nearest(text, words.iter().copied()) {
        Some(word) => finding
            .help(format!("did you mean `{word}`?"))
            .note(all)
            .fix(node.span, repaired_as_written(cx.raw(node.span), word.to_owned())),
        None => finding.help(all),
    });
}

/// Reports a `kind` that does not exist.
pub(super) fn unknown_kind(node: &Node, word: &str, words: &[&'static str], help: &str, cx: &mut Cx<'_>) {
    let finding =
        Diagnostic::new(codes::UNKNOWN_KIND, node.span, format!("there is no kind {}", quoted(word)));
    cx.report(match nearest(word, words.iter().copied()) {
        Some(near) => finding
            .help(format!("did you mean `{near}`?"))
            .note(help)
            .fix(node.span, repaired_as_written(cx.raw(node.span), near.to_owned())),
        None => finding.help(help),
    });
}
