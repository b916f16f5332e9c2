//! Reach: whether access rules can let a caller in at all, whatever it asks.

use std::collections::BTreeMap;

use mesh_bundle::expr::{Expression, Op};
use mesh_bundle::program::{Access, AccessMode, Entry, Service};
use mesh_bundle::{Name, PathPattern};

use crate::caller;
use crate::request::Source;

/// True if some request of a caller may pass these access rules: an entry allows it something, and no entries without a
/// condition deny all of that again. A condition (`when`) counts as one that may hold, and may not. `services` are those
/// with the labels of callers.
#[must_use]
pub fn may_pass(access: &Access, source: &Source<'_>, services: &BTreeMap<Name, Service>) -> bool {
    access.mode == AccessMode::Audit || is_allowed(access, source, services)
}

/// True if the entries allow a caller something, as in [`may_pass`], whether they are enforced or only audited.
#[must_use]
pub fn is_allowed(access: &Access, source: &Source<'_>, services: &BTreeMap<Name, Service>) -> bool {
    let means = |entry: &&Entry| entry.from.iter().any(|from| caller::selects(from, source, services));
    let denies = access.deny.iter().filter(means);
    let denies: Vec<&Entry> = denies.filter(|entry| constant(entry.when.as_ref()) == Some(true)).collect();
    let mut allows = access.allow.iter().filter(means);
    allows.any(|allow| constant(allow.when.as_ref()) != Some(false) && !is_taken_back(allow, &denies))
}

/// True if every path and method of an entry lies in one of these.
fn is_taken_back(allow: &Entry, denies: &[&Entry]) -> bool {
    let (any_path, any_method) = ([PathPattern::any()], [String::new()]);
    let paths = if allow.paths.is_empty() { &any_path[..] } else { &allow.paths };
    let methods = if allow.methods.is_empty() { &any_method[..] } else { &allow.methods };
    paths.iter().all(|path| {
        methods.iter().all(|method| {
            denies.iter().any(|deny| {
                let path = deny.paths.is_empty() || deny.paths.iter().any(|wide| wide.covers(path));
                // An empty method stands for all, which no list has.
                path && (deny.methods.is_empty() || deny.methods.contains(method))
            })
        })
    })
}

/// The value of a condition that no request changes; no condition is true.
fn constant(when: Option<&Expression>) -> Option<bool> {
    match when {
        None => Some(true),
        Some(when) => match when.code.root()?.op() {
            Op::Bool(value) => Some(*value),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(json: serde_json::Value) -> Access {
        serde_json::from_value(json).unwrap()
    }

    fn stranger(rules: serde_json::Value) -> bool {
        may_pass(&access(rules), &Source::default(), &BTreeMap::new())
    }

    #[test]
    fn a_total_deny_leaves_nothing() {
        let allow = serde_json::json!([{ "from": ["any"], "methods": ["GET", "PUT"], "name": "a", "paths": ["/a/*"] }]);
        let with = |deny: serde_json::Value| stranger(serde_json::json!({ "allow": allow, "deny": deny }));
        assert!(with(serde_json::json!([])));
        assert!(!with(serde_json::json!([{ "from": ["any"], "name": "d" }])));
        assert!(!with(serde_json::json!([{ "from": ["external"], "name": "d", "paths": ["/*"] }])));
        // Two entries deny one method each.
        let one = |method: &str, name: &str| serde_json::json!({ "from": ["any"], "methods": [method], "name": name });
        assert!(with(serde_json::json!([one("GET", "d")])));
        assert!(!with(serde_json::json!([one("GET", "d"), one("PUT", "e")])));
        // Something is left outside of the denied path, and for another caller.
        assert!(with(serde_json::json!([{ "from": ["any"], "name": "d", "paths": ["/a/b/*"] }])));
        assert!(with(serde_json::json!([{ "from": [{ "service": "web" }], "name": "d" }])));
    }

    #[test]
    fn conditions_leave_it_open_and_audit_lets_pass() {
        let text = |value: bool| serde_json::json!({ "code": { "ops": [{ "bool": value }], "slots": [], "v": 1 }, "text": "x" });
        let deny = |value| serde_json::json!([{ "from": ["any"], "name": "d", "when": text(value) }]);
        let allow = serde_json::json!([{ "from": ["any"], "name": "a" }]);
        assert!(stranger(serde_json::json!({ "allow": allow, "deny": deny(false) })));
        assert!(!stranger(serde_json::json!({ "allow": allow, "deny": deny(true) })));
        assert!(stranger(serde_json::json!({ "allow": allow, "deny": deny(true), "mode": "audit" })));
        assert!(!stranger(
            serde_json::json!({ "allow": [{ "from": ["any"], "name": "a", "when": text(false) }] })
        ));
        assert!(!stranger(serde_json::json!({ "deny": [] })));
    }
}
