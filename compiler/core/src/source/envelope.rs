//! The Kubernetes envelope, flattened: `apiVersion`, `kind`, `metadata.name` and `spec` become `kind`, `name` and the
//! fields of `spec`. Places stay as written.

use super::{Key, Node, Value};
use crate::diag::{Diagnostic, Span, codes, quoted};

const VERSION: &str = "meshc/v1";

/// The flat form of a document in an envelope; any other document unchanged. What does not belong is reported and
/// left out.
pub(super) fn flatten(root: Node, findings: &mut Vec<Diagnostic>) -> Node {
    if root.get("apiVersion").is_none() {
        return root;
    }
    let Node { span, value: Value::Map(entries) } = root else {
        return root;
    };
    let mut flat = Flat { entries: Vec::with_capacity(entries.len() + 8), findings, spec: false };
    let head = entries.first().map_or(span, |(k, _)| k.span);
    for (key, value) in entries {
        flat.top(key, value);
    }
    if !flat.spec {
        flat.report(head, "the envelope has no `spec`".to_owned());
    }
    Node { span, value: Value::Map(flat.entries) }
}

struct Flat<'a> {
    entries: Vec<(Key, Node)>,
    findings: &'a mut Vec<Diagnostic>,
    spec: bool,
}

impl Flat<'_> {
    fn top(&mut self, key: Key, value: Node) {
        match &*key.text {
            "apiVersion" if value.as_str() == Some(VERSION) => {}
            "apiVersion" => self.report(value.span, format!("`apiVersion` must be `{VERSION}`")),
            "kind" => self.entries.insert(0, (key, value)),
            "metadata" => match value.value {
                Value::Map(entries) => {
                    for (key, value) in entries {
                        if &*key.text == "name" {
                            self.add(key, value);
                        } else {
                            self.report(
                                key.span,
                                format!("`metadata` has no field {} here", quoted(&key.text)),
                            );
                        }
                    }
                }
                _ => self.report(value.span, "`metadata` must be a map with `name`".to_owned()),
            },
            "spec" => {
                self.spec = true;
                match value.value {
                    Value::Map(entries) => {
                        for (key, value) in entries {
                            self.add(key, value);
                        }
                    }
                    _ => self.report(value.span, "`spec` must be a map".to_owned()),
                }
            }
            _ => self.report(key.span, format!("{} does not belong beside `spec`", quoted(&key.text))),
        }
    }

    fn add(&mut self, key: Key, value: Node) {
        if matches!(&*key.text, "kind" | "apiVersion") || self.entries.iter().any(|(k, _)| k.text == key.text)
        {
            self.report(key.span, format!("{} is already said by the envelope", quoted(&key.text)));
        } else {
            self.entries.push((key, value));
        }
    }

    fn report(&mut self, span: Span, message: String) {
        self.findings.push(
            Diagnostic::new(codes::ENVELOPE, span, message)
                .help("the envelope is `apiVersion: meshc/v1`, `kind`, `metadata: {name}`, `spec: {...}`"),
        );
    }
}
