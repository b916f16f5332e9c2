//! Keys of maps.

use super::{Key, Node, Style, Value};
use crate::diag::{Diagnostic, codes, quoted};

/// A key, or `None` after it was reported that the node cannot be one.
pub(super) fn as_key(node: Node, text: &str, findings: &mut Vec<Diagnostic>) -> Option<Key> {
    let raw = text.get(node.span.start as usize..node.span.end as usize).unwrap_or("");
    match node.value {
        Value::Text(t) if &*t.text == "<<" && t.style == Style::Plain => {
            findings.push(
                Diagnostic::new(codes::MERGE_KEY, node.span, "merge keys are not part of the language")
                    .help("write the fields out"),
            );
            None
        }
        Value::Text(t) => Some(Key { span: node.span, text: t.text }),
        Value::Broken => None,
        Value::Seq(_) | Value::Map(_) => {
            findings.push(Diagnostic::new(codes::KEY_NOT_TEXT, node.span, "a list or map cannot be a key"));
            None
        }
        _ if raw.is_empty() => {
            findings.push(Diagnostic::new(
                codes::KEY_NOT_TEXT,
                node.span,
                "a key is missing before the colon",
            ));
            None
        }
        _ => {
            let fix = format!("\"{raw}\"");
            findings.push(
                Diagnostic::new(
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

/// What to do about a key that is written twice: where the first key of a map comes again, another map was to begin.
fn missing_dash(entries: &[(Key, Node)], again: &str) -> String {
    let Some((first, _)) = entries.first() else { return String::new() };
    let begins = entries.iter().filter(|(key, _)| key.text == first.text).count() > 1;
    match (&*first.text, begins) {
        ("kind", true) => {
            "if another object begins here, write `---` before it; otherwise remove one of them".to_owned()
        }
        (text, true) if text == again => format!(
            "if another entry of a list begins here, write a dash before it: `- {text}: ...`; otherwise remove one of them"
        ),
        (text, true) => format!(
            "this goes with the second `{text}`: a dash before that one is missing, or one of them is too many"
        ),
        _ => "remove one of them".to_owned(),
    }
}

/// Reports keys that occur more than once and keeps the first of each.
pub(super) fn unique(mut entries: Vec<(Key, Node)>, findings: &mut Vec<Diagnostic>) -> Vec<(Key, Node)> {
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
        findings.push(
            Diagnostic::new(
                codes::DUPLICATE_KEY,
                b.span,
                format!("the key {} is written twice", quoted(&b.text)),
            )
            .at("here again")
            .label(a.span, "first here")
            .help(missing_dash(&entries, &b.text)),
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
