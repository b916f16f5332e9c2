//! Deep merge of overrides (rule 8 of the language).

use super::{Key, Node, Value};
use crate::diag::{Diagnostic, codes, quoted};

/// `base` with `over` merged into it: maps merge, lists of named things merge by name, other lists and all other values
/// are replaced, `null` as a value of a map removes the key. Every node keeps its own place. A `null` that removes
/// nothing is reported.
///
/// A list of named things is a non-empty list whose items are all maps with a text `name`; both lists must be such.
/// Items with a new name come last, in their order. A list in which some items have a name and others have none is reported:
/// whether it merges or replaces would hang on one entry.
pub fn merge(base: &Node, over: &Node, findings: &mut Vec<Diagnostic>) -> Node {
    match (&base.value, &over.value) {
        (Value::Map(old), Value::Map(new)) => {
            Node { span: base.span, value: Value::Map(merge_maps(old, new, findings)) }
        }
        (Value::Seq(old), Value::Seq(new)) if named(old) && named(new) => {
            let mut items = old.clone();
            for item in new {
                match items.iter_mut().find(|i| name(i) == name(item)) {
                    Some(slot) => *slot = merge(slot, item, findings),
                    None => items.push(fresh(item, findings)),
                }
            }
            Node { span: over.span, value: Value::Seq(items) }
        }
        (Value::Seq(old), Value::Seq(new)) if is_mixed(old) || is_mixed(new) => {
            findings.push(mixed(old, new, over));
            base.clone()
        }
        _ => fresh(over, findings),
    }
}

fn merge_maps(old: &[(Key, Node)], new: &[(Key, Node)], findings: &mut Vec<Diagnostic>) -> Vec<(Key, Node)> {
    let mut entries = old.to_vec();
    for (key, value) in new {
        let at = entries.iter().position(|(k, _)| k.text == key.text);
        match (at, &value.value) {
            (Some(at), Value::Null) => {
                entries.remove(at);
            }
            (None, Value::Null) => findings.push(removes_nothing(key)),
            (Some(at), _) => {
                if let Some((k, slot)) = entries.get_mut(at) {
                    *k = key.clone();
                    *slot = merge(slot, value, findings);
                }
            }
            (None, _) => entries.push((key.clone(), fresh(value, findings))),
        }
    }
    entries
}

/// A value that has nothing below it to merge with: what it removes is not there.
fn fresh(node: &Node, findings: &mut Vec<Diagnostic>) -> Node {
    match &node.value {
        Value::Map(entries) => {
            Node { span: node.span, value: Value::Map(merge_maps(&[], entries, findings)) }
        }
        Value::Seq(items) => {
            Node { span: node.span, value: Value::Seq(items.iter().map(|i| fresh(i, findings)).collect()) }
        }
        _ => node.clone(),
    }
}

fn removes_nothing(key: &Key) -> Diagnostic {
    Diagnostic::new(
        codes::REMOVES_NOTHING,
        key.span,
        format!("`null` removes {}, which is not there", quoted(&key.text)),
    )
    .help("remove this line, or correct the name of the field")
}

fn mixed(old: &[Node], new: &[Node], over: &Node) -> Diagnostic {
    let unnamed = |items: &[Node]| items.iter().find(|item| name(item).is_none()).map(|item| item.span);
    let help = "name every entry: then they merge by name; or none: then the list is replaced";
    let message = |whose: &str| format!("some entries of {whose} have a name and others have none");
    if is_mixed(new) {
        let span = unnamed(new).unwrap_or(over.span);
        return Diagnostic::new(codes::MIXED_LIST, span, message("this list"))
            .at("this one has none")
            .help(help);
    }
    let finding = Diagnostic::new(codes::MIXED_LIST, over.span, message("the list that this one overrides"));
    unnamed(old)
        .into_iter()
        .fold(finding, |finding, span| finding.label(span, "this one has none"))
        .help(help)
}

fn is_mixed(items: &[Node]) -> bool {
    let named = items.iter().filter(|item| name(item).is_some()).count();
    named > 0 && named < items.len()
}

fn named(items: &[Node]) -> bool {
    !items.is_empty() && items.iter().all(|i| name(i).is_some())
}

fn name(item: &Node) -> Option<&str> {
    item.get("name")?.as_str()
}
