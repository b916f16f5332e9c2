//! Overrides of one environment, merged into the documents and decoded again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::denials;
use crate::diag::{Diagnostic, codes, nearest, quoted};
use crate::source::{Node, Value, merge};
use crate::spec::{Address, Environment, Loaded, Object, decode_node};

/// Fields that say what an object is, and so are the same everywhere; and the Mesh's `ignore`, which holds before there are
/// environments.
const IDENTITY: &[&str] = &["kind", "name", "service", "gateway", "ignore"];

/// Replaces the objects that `environment` overrides.
pub(super) fn apply<'l>(
    loaded: &'l Loaded,
    environment: &'l Environment,
    objects: &mut BTreeMap<Address, Cow<'l, Object>>,
    findings: &mut Vec<Diagnostic>,
) {
    for (address, over) in environment.overrides.iter() {
        let base = loaded.objects.iter().find(|(_, object)| object.address == address.value);
        let Some((id, _)) = base else {
            if !loaded.broken.contains(&address.value) && !loaded.unread.may_have(address.value.name.as_str())
            {
                findings.push(unknown(loaded, address));
            }
            continue;
        };
        let Some(document) = loaded.document(*id) else { continue };
        let name = environment.name.as_str();
        if let Value::Null = over.value {
            denials::dropped(name, address, over, (&document.root, None), findings);
            objects.remove(&address.value);
            continue;
        }
        if identity_changes(over, findings) {
            continue;
        }
        let merged = merge(&document.root, over, findings);
        denials::dropped(name, address, over, (&document.root, Some(&merged)), findings);
        if let Some(object) = decode_node(&merged, &loaded.sources, findings) {
            objects.insert(address.value.clone(), Cow::Owned(object));
        }
    }
}

fn identity_changes(over: &Node, findings: &mut Vec<Diagnostic>) -> bool {
    let entries = over.as_map().unwrap_or_default();
    let changed = entries.iter().filter(|(key, _)| IDENTITY.contains(&&*key.text));
    let before = findings.len();
    findings.extend(changed.map(|(key, _)| {
        let message = format!("`{}` is the same in every environment", key.text);
        Diagnostic::new(codes::OVERRIDE_IDENTITY, key.span, message)
    }));
    findings.len() > before
}

fn unknown(loaded: &Loaded, address: &crate::spec::Sp<Address>) -> Diagnostic {
    let written = address.value.to_string();
    let known: Vec<String> = loaded.objects.iter().map(|(_, object)| object.address.to_string()).collect();
    let message = format!("there is no {} to override", quoted(&written));
    let finding = Diagnostic::new(codes::UNKNOWN_OVERRIDE, address.span, message).at("no such object");
    match nearest(&written, known.iter().map(String::as_str)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("overrides are keyed by address: `kind/name`"),
    }
}
