//! Values, tags and keys.

use granit_parser::{ScalarStyle, Tag};

use super::read::Reader;
use super::resolve::{self, Resolved};
use super::{Key, Node, Style, Text, Value, bytes, limits};
use crate::diag::{Diagnostic, Span, codes, quoted};

impl Reader<'_> {
    /// The value of a scalar. Text that must not be is reported and [`Value::Broken`].
    pub(super) fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        span: Span,
        tag: Option<&Tag>,
        place: &granit_parser::Span,
    ) -> Value {
        self.tabs_are_free_in(span);
        if text.len().max(span.len() as usize) > limits::TEXT_BYTES {
            self.too_long(span, "a text");
            return Value::Broken;
        }
        if style != ScalarStyle::Plain && text.chars().any(bytes::is_refused) {
            let message = format!("{} has an invisible character", quoted(&text));
            self.parsed
                .findings
                .push(Diagnostic::error(codes::HIDDEN_CHARACTER, span, message).help("remove it"));
            return Value::Broken;
        }
        let kept = match style {
            ScalarStyle::Plain => None,
            ScalarStyle::SingleQuoted => Some(Style::Single),
            ScalarStyle::DoubleQuoted => Some(Style::Double),
            ScalarStyle::Literal => Some(Style::Literal),
            ScalarStyle::Folded => Some(Style::Folded),
        };
        let core = tag.map(|tag| tag.core_suffix().unwrap_or(""));
        let value = match kept {
            Some(style) => Value::Text(Text { text: text.into(), style }),
            None if core == Some("str") => Value::Text(Text { text: text.into(), style: Style::Plain }),
            None => match resolve::plain(&text) {
                Resolved::Value(value) => value,
                Resolved::NotFinite => {
                    let message = format!("{} is not a finite number", quoted(&text));
                    self.parsed.findings.push(Diagnostic::error(codes::NOT_FINITE, span, message));
                    Value::Broken
                }
                Resolved::LeadingZero => {
                    self.parsed.findings.push(
                        Diagnostic::error(
                            codes::WRONG_TYPE,
                            span,
                            format!("{} is octal to some and decimal to others", quoted(&text)),
                        )
                        .help("write the number without leading zeros, or the text in quotes"),
                    );
                    Value::Broken
                }
            },
        };
        let fits = match core {
            None | Some("str") => true,
            Some("null") => value == Value::Null,
            Some("bool") => matches!(value, Value::Bool(_)),
            Some("int") => matches!(value, Value::Int(_) | Value::BigInt(_)),
            Some("float") => matches!(value, Value::Float(_)),
            Some(_) => false,
        };
        if fits {
            return value;
        }
        self.bad_tag(place);
        Value::Broken
    }

    pub(super) fn collection_tag(&mut self, tag: Option<&Tag>, core: &str, place: &granit_parser::Span) {
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag(core)) {
            self.bad_tag(place);
        }
    }

    pub(super) fn bad_tag(&mut self, place: &granit_parser::Span) {
        let span = place.tag_span().map_or_else(|| self.span(place), |tag| self.span(&tag));
        let name = quoted(self.slice(span));
        self.parsed.findings.push(
            Diagnostic::error(codes::TAG, span, format!("the tag {name} is not part of the language"))
                .help("remove it"),
        );
    }

    /// Reports keys that occur more than once and keeps the first of each.
    pub(super) fn unique(&mut self, mut entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        let text = |i: &usize| entries.get(*i).map_or("", |(k, _)| &*k.text);
        order.sort_by(|a, b| text(a).cmp(text(b)).then(a.cmp(b)));
        let mut again: Vec<usize> = Vec::new();
        let mut first = 0;
        for i in order {
            let (Some((a, _)), Some((b, _))) = (entries.get(first), entries.get(i)) else {
                continue;
            };
            if first == i || a.text != b.text {
                first = i;
                continue;
            }
            again.push(i);
            self.parsed.findings.push(
                Diagnostic::error(
                    codes::DUPLICATE_KEY,
                    b.span,
                    format!("the key {} is written twice", quoted(&b.text)),
                )
                .at("here again")
                .label(a.span, "first here")
                .help("remove one of them"),
            );
        }
        if !again.is_empty() {
            again.sort_unstable();
            let mut index = 0;
            entries.retain(|_| {
                index += 1;
                again.binary_search(&(index - 1)).is_err()
            });
        }
        entries
    }
}

/// A key, or `None` after it was reported that the node cannot be one.
pub(super) fn as_key(node: Node, text: &str, findings: &mut Vec<Diagnostic>) -> Option<Key> {
    let raw = text.get(node.span.start as usize..node.span.end as usize).unwrap_or("");
    match node.value {
        Value::Text(t) if &*t.text == "<<" && t.style == Style::Plain => {
            findings.push(
                Diagnostic::error(codes::MERGE_KEY, node.span, "merge keys are not part of the language")
                    .help("write the fields out"),
            );
            None
        }
        Value::Text(t) => Some(Key { span: node.span, text: t.text }),
        Value::Broken => None,
        Value::Seq(_) | Value::Map(_) => {
            findings.push(Diagnostic::error(codes::KEY_NOT_TEXT, node.span, "a list or map cannot be a key"));
            None
        }
        _ if raw.is_empty() => {
            findings.push(Diagnostic::error(
                codes::KEY_NOT_TEXT,
                node.span,
                "a key is missing before the colon",
            ));
            None
        }
        _ => {
            let fix = format!("\"{raw}\"");
            findings.push(
                Diagnostic::error(
                    codes::KEY_NOT_TEXT,
                    node.span,
                    format!("the key {} is not text", quoted(raw)),
                )
                .help(format!("write `{fix}`"))
                .fix(node.span, fix),
            );
            Some(Key { span: node.span, text: raw.into() })
        }
    }
}
