//! Values that are written as one text: how they are read, and what is said of a text that is not one.

use schemars::JsonSchema;

use super::context::{Cx, list};
use super::forms;
use super::peers;
use crate::diag::{Code, Diagnostic, Span, codes, nearest, quoted, slip};
use crate::source::{Node, Value};

/// A value that is written as one text.
pub trait Scalar: Sized + JsonSchema {
    /// The expected form, for messages: "a duration like `250ms`".
    const WHAT: &'static str;
    /// The code of a text that is not one.
    const CODE: Code = codes::BAD_VALUE;
    /// Most characters of a text that is one, where that is bounded by a number.
    const LONGEST: usize = usize::MAX;

    /// The value of a text; `None` if the text is not one.
    fn parse(text: &str) -> Option<Self>;

    /// A text that says the same and is one. It is written by `--fix`, and read in the text's place meanwhile.
    fn repair(_text: &str) -> Option<String> {
        None
    }

    /// What the author may have meant, in words for a help: "write `5%`". Said, never applied.
    fn suggest(_text: &str) -> Option<String> {
        None
    }

    /// What to write in place of a list or map, where that is certain.
    fn suggest_for(_node: &Node) -> Option<String> {
        None
    }

    /// The text that a number without a unit can only mean; `None` for values without units.
    fn with_unit(_number: &str) -> Option<String> {
        None
    }

    /// The texts that a number without a unit may mean, where no one is certain.
    fn with_units(_number: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Decodes a scalar from a node.
pub(super) fn decode<T: Scalar>(node: &Node, cx: &mut Cx<'_>) -> Option<T> {
    match &node.value {
        Value::Text(text) => parse_at(&text.text, node.span, cx),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_) => not_text::<T>(node, cx),
        _ => {
            let fits = |text: &str| T::parse(text).is_some();
            let instead = T::suggest_for(node);
            let instead = instead.unwrap_or_else(|| forms::instead_of_text(T::WHAT, fits, node, cx));
            cx.misfit(node, T::WHAT, Some(instead), Some(forms::example_of(T::WHAT)));
            None
        }
    }
}

/// Parses a text that stands at `span`, and reports a text that is not one. A text that has a repair is read as repaired, so
/// that nothing else is said about what it is part of.
pub(super) fn parse_at<T: Scalar>(text: &str, span: Span, cx: &mut Cx<'_>) -> Option<T> {
    if let Some(value) = T::parse(text) {
        return Some(value);
    }
    let length = text.chars().count();
    let message = match length {
        0 => format!("expected {}, found an empty text", T::WHAT),
        _ if length > T::LONGEST => {
            format!("expected {} of at most {} characters, found one of {length}", T::WHAT, T::LONGEST)
        }
        _ => format!("{} is not {}", quoted(text), T::WHAT),
    };
    let finding = Diagnostic::new(T::CODE, span, message);
    if let Some(repaired) = T::repair(text).filter(|_| !text.trim().is_empty())
        && let Some(value) = T::parse(&repaired)
    {
        let written = as_written(cx.raw(span), &repaired);
        cx.report(finding.help(format!("write `{repaired}`")).fix(span, written));
        return Some(value);
    }
    cx.report(match T::suggest(text).filter(|_| !text.is_empty()) {
        Some(help) => finding.help(help),
        None if text.is_empty() => finding.help("write a value, or remove the field"),
        None => finding,
    });
    None
}

/// A text in the quotes that stand there, if any do.
fn as_written(raw: &str, text: &str) -> String {
    match raw.chars().next() {
        Some('\'') => format!("'{}'", text.replace('\'', "''")),
        Some('"') => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => text.to_owned(),
    }
}

fn not_text<T: Scalar>(node: &Node, cx: &mut Cx<'_>) -> Option<T> {
    let raw = cx.raw(node.span).trim();
    let number = !matches!(node.value, Value::Bool(_));
    let sure = T::with_unit(raw).filter(|_| number);
    let guesses = if number { T::with_units(raw) } else { Vec::new() };
    if sure.is_some() || !guesses.is_empty() {
        let finding = Diagnostic::new(codes::MISSING_UNIT, node.span, format!("{} has no unit", quoted(raw)))
            .at(format!("expected {}", T::WHAT));
        if let Some(text) = sure
            && let Some(value) = T::parse(&text)
        {
            cx.report(finding.help(format!("write `{text}`")).fix(node.span, text));
            return Some(value);
        }
        let guesses: Vec<String> = guesses.iter().map(|text| format!("`{text}`")).collect();
        cx.report(if guesses.is_empty() {
            finding
        } else {
            finding.help(format!("write {}", guesses.join(" or ")))
        });
        return None;
    }
    let is = if number { "the number" } else { "the boolean" };
    let message = format!("expected {}, found {is} {}", T::WHAT, quoted(raw));
    let finding = Diagnostic::new(codes::WRONG_TYPE, node.span, message);
    let value = T::parse(raw);
    cx.report(if value.is_some() {
        finding.help(format!("write it in quotes: `\"{raw}\"`")).fix(node.span, format!("\"{raw}\""))
    } else {
        finding
    });
    value
}

/// Reports a node that is none of the words of a closed list; the word that it surely is a slip of.
pub(super) fn unknown_choice(
    node: &Node,
    what: &str,
    words: &[&'static str],
    cx: &mut Cx<'_>,
) -> Option<&'static str> {
    let Some(text) = node.as_str() else {
        let first = words.first().copied().unwrap_or_default();
        let instead = format!("write one of the words: `{first}`");
        cx.misfit(node, &format!("{what} ({})", list(words)), Some(instead), Some(first.to_owned()));
        return None;
    };
    let finding =
        Diagnostic::new(codes::UNKNOWN_CHOICE, node.span, format!("{} is not {what}", quoted(text)));
    let all = format!("possible: {}", list(words));
    word_for(node, text, words, finding, all, cx)
}

/// Reports a `kind` that does not exist; the one that it surely is a slip of.
pub(super) fn unknown_kind(
    node: &Node,
    word: &str,
    words: &[&'static str],
    help: String,
    cx: &mut Cx<'_>,
) -> Option<&'static str> {
    let finding =
        Diagnostic::new(codes::UNKNOWN_KIND, node.span, format!("there is no kind {}", quoted(word)));
    let finding = peers::kind(word).into_iter().fold(finding, Diagnostic::help);
    word_for(node, word, words, finding, help, cx)
}

/// Reports a word that is none of `words`, with the one that may be meant; gives it where that is certain.
fn word_for(
    node: &Node,
    word: &str,
    words: &[&'static str],
    finding: Diagnostic,
    all: String,
    cx: &mut Cx<'_>,
) -> Option<&'static str> {
    let sure = slip(word, words.iter().copied());
    let sure = sure.and_then(|sure| words.iter().copied().find(|known| *known == sure));
    // What is known of another tool's word is better than what it looks like.
    let near = sure.or_else(|| nearest(word, words.iter().copied()).filter(|_| finding.helps.is_empty()));
    cx.report(match (near, sure) {
        (Some(near), None) => finding.help(format!("did you mean `{near}`?")).note(all),
        (_, Some(sure)) => finding
            .help(format!("did you mean `{sure}`?"))
            .note(all)
            .fix(node.span, as_written(cx.raw(node.span), sure)),
        (None, None) => finding.help(all),
    });
    sure
}
