//! Policies over objects: `each`, `where`, `require`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decided::{self, Decided};
use super::report::report;
use crate::cel::evaluate::{Failure, evaluate};
use crate::cel::value::Value;
use crate::cel::{self, CelFinding, Typed};
use crate::diag::{CheckDay, Diagnostic, Severity, Span, codes};
use crate::model::Model;
use crate::objects::{self, Objects, Variables};
use crate::spec::{CelText, Kind, Object, Policy, PolicySeverity, Sp, Waiver};

/// Steps of `where` and of `require`, each, for one object: far more than reading all of it takes.
const STEPS: usize = 1 << 20;

/// Findings so far. One object that breaks one policy for one reason is one finding, with the environments in which
/// it does.
#[derive(Debug, Default)]
pub(super) struct Each {
    /// Expressions by kind and text: each is checked once, whatever the number of environments.
    checked: BTreeMap<(Kind, String), Result<Arc<Typed>, Vec<CelFinding>>>,
    found: BTreeMap<Key, (Diagnostic, Vec<String>)>,
    /// Waivers in force, by their place, and whether they were needed.
    waivers: BTreeMap<Span, Use>,
}

/// The place of the finding, the other place, and the reason.
type Key = (Span, Span, String);

#[derive(Debug)]
struct Use {
    policy: String,
    object: String,
    used: bool,
}

/// Whether an object does what a policy asks for.
enum Verdict<'t> {
    Holds,
    Broken(Decided),
    Unknown(&'t Sp<CelText>, Failure),
}

impl Each {
    /// Evaluates the policies of one environment.
    pub(super) fn look(&mut self, model: &Model<'_>, day: CheckDay, findings: &mut Vec<Diagnostic>) {
        // Objects are read where a policy asks about them.
        let mut objects: Option<Objects<'_, '_>> = None;
        for (object, policy) in model.policies() {
            let here = model.environment.as_str();
            let applies =
                policy.environments.as_ref().is_none_or(|names| names.iter().any(|n| n.as_str() == here));
            if let (Some(kind), Some(require)) = (&policy.each, &policy.require) {
                // A policy that was not read completely might say less than it means.
                let conditions = self.conditions(model, kind.value, policy, require, findings);
                if let Some((where_, require)) = conditions.filter(|_| applies && object.complete) {
                    let objects = objects.get_or_insert_with(|| Objects::new(model));
                    self.policy(objects, model, day, policy, kind.value, (where_.as_ref(), &require));
                }
            }
        }
    }

    /// `where` and `require`, checked; `None` after a report.
    fn conditions<'p>(
        &mut self,
        model: &Model<'_>,
        kind: Kind,
        policy: &'p Policy,
        require: &'p Sp<CelText>,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<(Option<Condition<'p>>, Condition<'p>)> {
        let where_ = policy.where_.as_ref().map(|text| self.condition(model, kind, text, findings));
        let require = self.condition(model, kind, require, findings);
        match where_ {
            Some(where_) => Some((Some(where_?), require?)),
            None => Some((None, require?)),
        }
    }

    fn condition<'p>(
        &mut self,
        model: &Model<'_>,
        kind: Kind,
        text: &'p Sp<CelText>,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Condition<'p>> {
        let key = (kind, text.value.as_str().to_owned());
        let checked = self.checked.entry(key).or_insert_with_key(|(kind, text)| {
            cel::folded_condition(text, &objects::environment(*kind)).map(Arc::new)
        });
        match checked {
            Ok(typed) => Some(Condition { text, typed: typed.clone() }),
            Err(found) => {
                let found = found.clone();
                report(model, text, found, findings);
                None
            }
        }
    }

    fn policy<'m>(
        &mut self,
        objects: &mut Objects<'m, '_>,
        model: &'m Model<'_>,
        day: CheckDay,
        policy: &Policy,
        kind: Kind,
        conditions: (Option<&Condition<'_>>, &Condition<'_>),
    ) {
        let in_force = |waiver: &&Waiver| day.holds(waiver.until.value) && model.exists(&waiver.object.value);
        for waiver in policy.waivers.iter().filter(in_force) {
            self.waivers.entry(waiver.object.span).or_insert_with(|| Use {
                policy: policy.name.as_str().to_owned(),
                object: waiver.object.value.to_string(),
                used: false,
            });
        }
        let waived = |object: &Object| {
            policy.waivers.iter().filter(in_force).find(|waiver| waiver.object.value == object.address)
        };
        let broken = policy.waivers.iter().filter(|waiver| model.is_broken(&waiver.object.value));
        broken.for_each(|waiver| self.used(waiver));
        for object in objects.each(kind) {
            let Some(variables) = objects.variables(object) else {
                // Nobody knows whether the waiver is needed.
                waived(object).into_iter().for_each(|waiver| self.used(waiver));
                continue;
            };
            let verdict = verdict(conditions, &variables);
            if matches!(verdict, Verdict::Holds) {
                continue;
            }
            if let Some(waiver) = waived(object) {
                self.used(waiver);
                continue;
            }
            let finding = match verdict {
                Verdict::Holds => continue,
                Verdict::Broken(decided) => broken_by(model, policy, object, conditions.1.text, &decided),
                Verdict::Unknown(text, failure) => unknown(model, policy, object, text, &failure),
            };
            let other = finding.labels.first().map_or(finding.primary.span, |label| label.span);
            let key =
                (finding.primary.span, other, format!("{} {:?}", finding.message, finding.helps.join("\n")));
            let (_, environments) = self.found.entry(key).or_insert_with(|| (finding, Vec::new()));
            environments.push(model.environment.as_str().to_owned());
        }
    }

    fn used(&mut self, waiver: &Waiver) {
        if let Some(known) = self.waivers.get_mut(&waiver.object.span) {
            known.used = true;
        }
    }

    /// All findings, each with its environments; with `complete`, also waivers that nothing needs.
    pub(super) fn finish(self, complete: bool, findings: &mut Vec<Diagnostic>) {
        for (mut finding, environments) in self.found.into_values() {
            let place = format!("in {}", listed(&environments));
            // The object's words are the first place of one, and the second of the other.
            match finding.labels.first_mut().filter(|_| finding.code == codes::POLICY_UNKNOWN) {
                Some(label) => label.text = place,
                None => finding.primary.text = place,
            }
            findings.push(finding);
        }
        for (span, waiver) in self.waivers.into_iter().filter(|(_, waiver)| complete && !waiver.used) {
            let message = format!("`{}` needs no waiver of policy `{}`", waiver.object, waiver.policy);
            findings.push(
                Diagnostic::new(codes::UNUSED_WAIVER, span, message)
                    .at("the policy holds for it in every environment, or is not about it")
                    .help("remove the waiver"),
            );
        }
    }
}

/// A checked expression, and where it stands.
struct Condition<'p> {
    text: &'p Sp<CelText>,
    typed: Arc<Typed>,
}

fn verdict<'t>(
    (where_, require): (Option<&Condition<'t>>, &Condition<'t>),
    variables: &Variables,
) -> Verdict<'t> {
    if let Some(where_) = where_ {
        match evaluate(&where_.typed, variables, STEPS) {
            Ok(Value::Bool(true)) => {}
            Ok(_) => return Verdict::Holds,
            Err(failure) => return Verdict::Unknown(where_.text, failure),
        }
    }
    match evaluate(&require.typed, variables, STEPS) {
        Ok(Value::Bool(true)) => Verdict::Holds,
        Ok(_) => Verdict::Broken(decided::why_false(&require.typed, require.text.value.as_str(), variables)),
        Err(failure) => Verdict::Unknown(require.text, failure),
    }
}

fn broken_by(
    model: &Model<'_>,
    policy: &Policy,
    object: &Object,
    require: &Sp<CelText>,
    decided: &Decided,
) -> Diagnostic {
    let severity = match policy.severity().value {
        PolicySeverity::Error => Severity::Error,
        PolicySeverity::Warning => Severity::Warning,
        PolicySeverity::Note => Severity::Note,
    };
    let map = require.value.map(model.sources(), require.span);
    let message = format!("`{}` breaks policy `{}`", object.address, policy.name.as_str());
    let mut finding = Diagnostic::new(codes::POLICY_BROKEN, object.name_span, message)
        .severity(severity)
        .label(map.span(decided.range.clone()), "is false");
    if !decided.facts.is_empty() {
        finding = finding.help(listed(&decided.facts));
    }
    said_by(finding, policy)
}

fn unknown(
    model: &Model<'_>,
    policy: &Policy,
    object: &Object,
    text: &Sp<CelText>,
    failure: &Failure,
) -> Diagnostic {
    let map = text.value.map(model.sources(), text.span);
    let name = policy.name.as_str();
    let message = format!("policy `{name}` cannot be decided for `{}`: {}", object.address, failure.fault);
    let finding = Diagnostic::new(codes::POLICY_UNKNOWN, map.span(failure.range.clone()), message)
        .at("this has no value")
        .label(object.name_span, "")
        .help("what cannot be decided does not hold: test in front of it, as in `size(list) > 0 && ...`");
    said_by(finding, policy)
}

/// Adds what the policy says to those who break it, and whom to ask.
fn said_by(finding: Diagnostic, policy: &Policy) -> Diagnostic {
    let message = policy.message.iter().map(|message| message.as_str().to_owned());
    let owner = policy.owner.iter().map(|owner| format!("the policy is owned by `{}`", owner.as_str()));
    message.chain(owner).fold(finding, Diagnostic::note)
}

/// `a, b and c`
fn listed(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
