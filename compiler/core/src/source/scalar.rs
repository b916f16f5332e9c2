//! Values, tags and keys.

use granit_parser::{ScalarStyle, Tag};

use super::read::Reader;
use super::resolve::{self, Resolved};
use super::{Style, Text, Value, bytes, limits};
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
        if text.len().max(span.len() as usize) > limits::SCALAR_BYTES {
            self.too_long(span, "a text");
            return Value::Broken;
        }
        if style != ScalarStyle::Plain && text.chars().any(bytes::is_refused) {
            let message = format!("{} has an invisible character", quoted(&text));
            self.parsed
                .findings
                .push(Diagnostic::new(codes::HIDDEN_CHARACTER, span, message).help("remove it"));
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
                    self.parsed.findings.push(Diagnostic::new(codes::NOT_FINITE, span, message));
                    Value::Broken
                }
                Resolved::LeadingZero => {
                    self.parsed.findings.push(
                        Diagnostic::new(
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
            Diagnostic::new(codes::TAG, span, format!("the tag {name} is not part of the language")).help(
                if self.slice(span).contains(['(', '[', '.']) {
                    "a text that begins with `!` stands in quotes: `'!(...)'`"
                } else {
                    "remove it"
                },
            ),
        );
    }
}
