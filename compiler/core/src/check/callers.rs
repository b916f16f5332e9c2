//! Callers that nobody is: labels that no service has, identities of the own trust domain that nobody gets.

use std::collections::BTreeMap;

use super::known::Known;
use super::sites::{Site, Sites};
use crate::diag::{Diagnostic, Severity, codes, nearest, quoted};
use crate::model::Model;
use crate::spec::{FromItem, Labels};

/// Looks at the callers of services, entries and rules.
pub(super) fn check(model: &Model<'_>, sites: &Sites<'_>, known: &Known<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, service) in model.services() {
        for item in service.callers.iter().flat_map(|callers| &callers.value) {
            findings.extend(nobody(item, known).map(|finding| finding.severity(Severity::Warning)));
        }
    }
    for entry in &sites.entries {
        judge(entry.written.from.iter(), &entry.site, known, findings);
    }
    for rule in &sites.rules {
        for wanted in rule.written.matches() {
            let callers = wanted.callers.iter().flat_map(|callers| callers.iter());
            judge(callers, &rule.site, known, findings);
        }
    }
}

fn judge<'i>(
    items: impl Iterator<Item = &'i FromItem>,
    site: &Site,
    known: &Known<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    for item in items {
        if let Some(finding) = nobody(item, known) {
            findings.push(site.warned(finding.severity(site.opening(false))));
        }
    }
}

/// The finding of a caller that nobody is.
fn nobody(item: &FromItem, known: &Known<'_>) -> Option<Diagnostic> {
    let FromItem::Form(form) = item else { return None };
    if let Some(principal) = form.principal.as_ref().filter(|id| known.names_nobody(id.as_str())) {
        let message = format!("no service or gateway has the identity {}", quoted(principal.as_str()));
        let finding = Diagnostic::new(codes::NOBODY, principal.span, message).at("nobody");
        return Some(finding.help(known.identity_help(principal.as_str())));
    }
    labelled(form.labels.as_ref()?, known)
}

fn labelled(labels: &Labels, known: &Known<'_>) -> Option<Diagnostic> {
    let wanted: BTreeMap<&str, &str> =
        labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let (first, _) = labels.first()?;
    if known.has_labels(&wanted) {
        return None;
    }
    for (key, value) in labels.iter() {
        if !known.has_labels(&BTreeMap::from([(key.as_str(), value.as_str())])) {
            return Some(unlabelled(key.as_str(), value.as_str(), known, |message, on_key| {
                Diagnostic::new(codes::NOBODY, if on_key { key.span } else { value.span }, message)
            }));
        }
    }
    let message = "no service has all of these labels";
    Some(Diagnostic::new(codes::NOBODY, first.span, message).at("nobody").help("write one entry for each"))
}

/// The finding of a label that no service has; `make` is told whether it is about the key.
pub(super) fn unlabelled(
    key: &str,
    value: &str,
    known: &Known<'_>,
    make: impl FnOnce(String, bool) -> Diagnostic,
) -> Diagnostic {
    let values: Vec<&str> = known.label_values(key).collect();
    if values.is_empty() {
        let finding = make(format!("no service has a label {}", quoted(key)), true).at("nobody");
        return match nearest(key, known.label_keys()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("labels stand in `labels` of services"),
        };
    }
    let finding =
        make(format!("no service has the label {}", quoted(&format!("{key}: {value}"))), false).at("nobody");
    match nearest(value, values.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => {
            // A few are a help, many are none.
            let shown: Vec<String> = values.iter().take(5).map(|value| format!("`{value}`")).collect();
            let more = if values.len() > shown.len() { ", ..." } else { "" };
            finding.help(format!("services have `{key}` with {}{more}", shown.join(", ")))
        }
    }
}
