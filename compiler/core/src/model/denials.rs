//! Deny entries that an override takes out of force: said, since a list that replaces is easily taken for one that adds.

use crate::diag::{Diagnostic, Span, codes};
use crate::source::{Node, Value};
use crate::spec::{Address, Kind, Sp};

/// Says which entries of `deny` hold in `base` and do not in `merged`, which is `None` where the object is removed.
pub(super) fn dropped(
    environment: &str,
    address: &Sp<Address>,
    over: &Node,
    (base, merged): (&Node, Option<&Node>),
    findings: &mut Vec<Diagnostic>,
) {
    if address.value.kind != Kind::AccessPolicy || is_audit(base) {
        return;
    }
    let kept: Vec<&Node> = merged.filter(|merged| !is_audit(merged)).map(in_force).unwrap_or_default();
    for (index, entry) in entries(base).iter().enumerate().filter(|(_, entry)| is_enabled(entry)) {
        if kept.iter().any(|other| same(entry, other)) {
            continue;
        }
        let name = name(entry).map_or(format!("deny[{index}]"), str::to_owned);
        let message = format!("in `{environment}`, `{}/{name}` denies nothing", address.value);
        let mut finding = Diagnostic::new(codes::DROPS_DENY, place(address, over, entry), message);
        finding.environments.push(environment.to_owned());
        findings.push(
            finding
                .label(entry.span, "this entry")
                .help("if it is to hold here too, write it here again, or name the entries in both lists: then they merge"),
        );
    }
}

/// The words of the override that take the entry out.
fn place(address: &Sp<Address>, over: &Node, entry: &Node) -> Span {
    if let Some((key, list)) = over.entry("deny") {
        let own = list
            .as_seq()
            .unwrap_or_default()
            .iter()
            .find(|other| name(entry).is_some() && name(other) == name(entry));
        return own.map_or(key.span, |own| own.span);
    }
    over.entry("mode").map_or(address.span, |(key, _)| key.span)
}

fn is_audit(policy: &Node) -> bool {
    policy.get("mode").and_then(Node::as_str) == Some("audit")
}

fn entries(policy: &Node) -> &[Node] {
    policy.get("deny").and_then(Node::as_seq).unwrap_or_default()
}

fn in_force(policy: &Node) -> Vec<&Node> {
    entries(policy).iter().filter(|entry| is_enabled(entry)).collect()
}

fn is_enabled(entry: &Node) -> bool {
    !matches!(entry.get("enabled").map(|enabled| &enabled.value), Some(Value::Bool(false)))
}

fn name(entry: &Node) -> Option<&str> {
    entry.get("name")?.as_str()
}

/// The entry of the same name, or without names of the same content.
fn same(a: &Node, b: &Node) -> bool {
    match (name(a), name(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.to_json() == b.to_json(),
    }
}
