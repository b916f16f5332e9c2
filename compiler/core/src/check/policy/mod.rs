//! Organisation policies: what they say, and whether it holds.
//!
//! Policies over objects (`each`) are evaluated in every environment that they name. Invariants and policies on changes are
//! checked for mistakes alone; `forbid` and `permitOnly` for names.

mod decided;
mod each;
mod report;

use crate::cel::{self, Environment};
use crate::diag::{CheckDay, Diagnostic, codes, nearest};
use crate::model::Model;
use crate::objects;
use crate::spec::{Caller, CelText, Kind, OneOrMany, Policy, Selector, Sp};

use each::Each;
use report::report;

/// State of the policy check across environments.
#[derive(Debug, Default)]
pub struct Policies {
    each: Each,
}

impl Policies {
    /// Checks names, expressions and dates of all policies, and evaluates those over objects.
    pub fn look(&mut self, model: &Model<'_>, day: CheckDay, findings: &mut Vec<Diagnostic>) {
        for (_, policy) in model.policies() {
            names(model, policy, findings);
            waivers(model, policy, day, findings);
            expressions(model, policy, findings);
        }
        self.each.look(model, day, findings);
    }

    /// Says which objects break which policies, and where; `complete` if every environment was looked at, so that a waiver
    /// without use has none.
    pub fn finish(self, complete: bool, findings: &mut Vec<Diagnostic>) {
        self.each.finish(complete, findings);
    }
}

fn names(model: &Model<'_>, policy: &Policy, findings: &mut Vec<Diagnostic>) {
    for name in policy.environments.iter().flat_map(|e| e.iter()) {
        model.resolve(Kind::Environment, name, findings);
    }
    if let Some(forbid) = &policy.forbid {
        selectors(model, &forbid.from, findings);
        selectors(model, &forbid.reach, findings);
    }
    if let Some(permit) = &policy.permit_only {
        selectors(model, &permit.to, findings);
        selectors(model, &permit.from, findings);
    }
}

fn waivers(model: &Model<'_>, policy: &Policy, day: CheckDay, findings: &mut Vec<Diagnostic>) {
    for waiver in &policy.waivers {
        if !model.exists(&waiver.object.value) {
            let written = waiver.object.value.to_string();
            let message = format!("there is no object `{written}`");
            let finding =
                Diagnostic::new(codes::UNKNOWN_NAME, waiver.object.span, message).at("no such object");
            let names: Vec<String> =
                model.of_kind(waiver.object.value.kind).map(|o| o.address.to_string()).collect();
            findings.push(match nearest(&written, names.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
        }
        if let Some(severity) = day.ended(waiver.until.value) {
            let message = format!("the waiver ended on {}", waiver.until.value);
            let finding =
                Diagnostic::new(codes::EXPIRED_WAIVER, waiver.until.span, message).severity(severity);
            findings.push(finding.help("repair the object, or agree on another date"));
        }
    }
}

/// Expressions of policies that are not evaluated.
fn expressions(model: &Model<'_>, policy: &Policy, findings: &mut Vec<Diagnostic>) {
    if let Some(invariant) = &policy.invariant {
        let environment = objects::invariants();
        for text in invariant.where_.iter().chain(Some(&invariant.require)) {
            condition(model, text, &environment, findings);
        }
    }
    if let Some(change) = &policy.change {
        let environment = Environment::new().open();
        for text in change.when.iter().chain(Some(&change.require)) {
            condition(model, text, &environment, findings);
        }
    }
}

fn condition(
    model: &Model<'_>,
    text: &Sp<CelText>,
    environment: &Environment,
    findings: &mut Vec<Diagnostic>,
) {
    if let Err(found) = cel::folded_condition(text.value.as_str(), environment) {
        report(model, text, found, findings);
    }
}

fn selectors(model: &Model<'_>, list: &OneOrMany<Selector>, findings: &mut Vec<Diagnostic>) {
    for selector in list.iter() {
        let Selector::Name(caller) = selector else { continue };
        match &caller.value {
            Caller::Service(name) => {
                let name = Sp { value: name.clone(), span: caller.span };
                model.resolve(Kind::Service, &name, findings);
            }
            Caller::Gateway(name) => {
                let name = Sp { value: name.clone(), span: caller.span };
                model.resolve_gateway(&name, findings);
            }
            Caller::External | Caller::Any => {}
        }
    }
}
