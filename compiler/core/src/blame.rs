//! Findings that an override caused: they stand at the override, and name their environment.

use std::collections::{BTreeMap, BTreeSet};

use crate::check;
use crate::diag::{Code, Diagnostic, Label, Severity, Span};
use crate::lower;
use crate::model::Model;
use crate::scenario;
use crate::source::{Node, Value};
use crate::spec::{Environment, Loaded, Object, Spec};

/// Findings that do not hold everywhere, with the environments that have them.
#[derive(Debug, Default)]
pub(crate) struct Blamed {
    found: BTreeMap<Key, (Diagnostic, Vec<String>)>,
}

/// What makes two findings one.
type Key = (Span, Code, String);

impl Blamed {
    /// Takes from the findings of one environment those that the objects have without its overrides, too, and gives them
    /// back; the others are noted with the environment.
    pub(crate) fn sort_out(
        &mut self,
        loaded: &Loaded,
        place: Option<&Object>,
        own: Vec<Diagnostic>,
    ) -> Vec<Diagnostic> {
        let Some((object, environment)) = place.and_then(settings).filter(|(_, e)| !e.overrides.is_empty())
        else {
            return own;
        };
        let read: BTreeSet<Key> = loaded.findings.iter().map(key).collect();
        let is_new = |finding: &Diagnostic| finding.environments.is_empty() && !read.contains(&key(finding));
        if !own.iter().any(|finding| finding.severity != Severity::Note && is_new(finding)) {
            return own;
        }
        let mut known = Vec::new();
        if let Some(model) = Model::without_overrides(loaded, place) {
            let lowered = lower::lower(&model, &mut known);
            check::check(loaded, &model, lowered.as_ref(), &mut known);
            scenario::cases(&model, &mut known);
        }
        let known: BTreeSet<Key> = known.iter().map(key).collect();
        let (caused, shared): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|finding| is_new(finding) && !known.contains(&key(finding)));
        for finding in caused {
            let finding = moved(loaded, object, environment, finding);
            let (_, environments) = self.found.entry(key(&finding)).or_insert_with(|| (finding, Vec::new()));
            environments.push(environment.name.as_str().to_owned());
        }
        shared
    }

    /// The findings that were noted, each with its environments.
    pub(crate) fn findings(self) -> impl Iterator<Item = Diagnostic> {
        self.found.into_values().map(|(finding, environments)| {
            let names: Vec<String> = environments.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("in {}: {}", names.join(", "), finding.message);
            Diagnostic { message, environments, ..finding }
        })
    }
}

fn settings(object: &Object) -> Option<(&Object, &Environment)> {
    match &object.spec {
        Spec::Environment(environment) => Some((object, environment)),
        _ => None,
    }
}

fn key(finding: &Diagnostic) -> Key {
    (finding.primary.span, finding.code, finding.message.clone())
}

/// The finding at the override of the object that it is about; the place that it had becomes another one.
fn moved(loaded: &Loaded, object: &Object, environment: &Environment, finding: Diagnostic) -> Diagnostic {
    let span = finding.primary.span;
    if inside(object.span, span) {
        return finding;
    }
    let about = loaded.objects.iter().map(|(_, object)| object).find(|object| inside(object.span, span));
    let mut overrides = environment.overrides.iter();
    let over = about.and_then(|about| overrides.find(|(address, _)| address.value == about.address));
    let Some((address, over)) = over else { return finding };
    let place = Label { span: last_key(over).unwrap_or(address.span), text: "set here".to_owned() };
    let before = Label { span, text: finding.primary.text };
    let labels = std::iter::once(before).chain(finding.labels).collect();
    // Words that do not stand at the place cannot be repaired there.
    Diagnostic { primary: place, labels, fix: None, ..finding }
}

fn inside(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}

/// The key below which an override says something, where it says one thing.
fn last_key(over: &Node) -> Option<Span> {
    let Value::Map(entries) = &over.value else { return None };
    match entries.as_slice() {
        [(key, below)] => Some(last_key(below).unwrap_or(key.span)),
        _ => None,
    }
}
