//! Organisation policies: read and checked; evaluated from the release that knows their language.

use crate::cel;
use crate::diag::{Date, Diagnostic, codes, nearest};
use crate::model::Model;
use crate::spec::{Caller, CelText, Kind, OneOrMany, Policy, Selector, Sp};

/// Checks names, expressions and dates of all policies.
pub(super) fn check(model: &Model<'_>, today: Option<Date>, findings: &mut Vec<Diagnostic>) {
    for (_, policy) in model.policies() {
        for name in policy.environments.iter().flat_map(|e| e.iter()) {
            model.resolve(Kind::Environment, name, findings);
        }
        for text in expressions(policy) {
            if let Err(found) = cel::syntax(text.value.as_str()) {
                let map = text.value.map(model.sources(), text.span);
                findings.extend(found.into_iter().map(|f| {
                    let finding = Diagnostic::error(f.code, map.span(f.range), f.message).at(f.label);
                    f.help.into_iter().fold(finding, |finding, help| finding.help(help))
                }));
            }
        }
        if let Some(forbid) = &policy.forbid {
            selectors(model, &forbid.from, findings);
            selectors(model, &forbid.reach, findings);
        }
        if let Some(permit) = &policy.permit_only {
            selectors(model, &permit.to, findings);
            selectors(model, &permit.from, findings);
        }
        for waiver in &policy.waivers {
            if !model.exists(&waiver.object.value) {
                let written = waiver.object.value.to_string();
                let message = format!("there is no object `{written}`");
                let finding =
                    Diagnostic::error(codes::UNKNOWN_NAME, waiver.object.span, message).at("no such object");
                let names: Vec<String> =
                    model.of_kind(waiver.object.value.kind).map(|o| o.address.to_string()).collect();
                findings.push(match nearest(&written, names.iter().map(String::as_str)) {
                    Some(near) => {
                        finding.help(format!("did you mean `{near}`?")).fix(waiver.object.span, near)
                    }
                    None => finding,
                });
            }
            if let Some(today) = today
                && waiver.until.value < today
            {
                let message = format!("the waiver ended on {}", waiver.until.value);
                let finding = Diagnostic::error(codes::EXPIRED_WAIVER, waiver.until.span, message);
                findings.push(finding.help("repair the object, or agree on another date"));
            }
        }
    }
}

fn expressions(policy: &Policy) -> impl Iterator<Item = &Sp<CelText>> {
    let invariant = policy.invariant.iter().flat_map(|i| i.where_.iter().chain(Some(&i.require)));
    let change = policy.change.iter().flat_map(|c| c.when.iter().chain(Some(&c.require)));
    policy.where_.iter().chain(policy.require.iter()).chain(invariant).chain(change)
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
