//! Retries that cannot act, or not as they are written.

use super::methods::Fault;
use super::sites::Sites;
use crate::diag::{Diagnostic, Severity, codes};
use crate::model::Model;
use crate::spec::{Condition, Duration, Match, MethodToken, Retry, RetryForm, Sp};

/// What to write where every method is meant.
const EVERY_METHOD: &str =
    "list the methods that may be done twice; without `methods` those of RFC 9110 that may";

/// Looks at the retries of rules, and at those of the mesh.
pub(super) fn check(model: &Model<'_>, sites: &Sites<'_>, findings: &mut Vec<Diagnostic>) {
    let defaults = model.mesh_spec().map(crate::spec::Mesh::defaults);
    let usual = defaults.as_ref().map(|defaults| defaults.timeout());
    if let (Some(usual), Some(Retry::On(form))) = (&usual, defaults.as_ref().and_then(|d| d.retry.as_ref())) {
        look(form, &[], usual, findings);
    }
    for rule in &sites.rules {
        // Beside `redirect` and `respond` it has another finding.
        let (Some(Retry::On(form)), Some(_)) = (&rule.written.retry, &rule.written.to) else { continue };
        if let Some(timeout) = rule.written.timeout.as_ref().or(usual.as_ref()) {
            look(form, rule.written.matches(), timeout, findings);
        }
    }
}

fn look(form: &RetryForm, matches: &[Match], timeout: &Sp<Duration>, findings: &mut Vec<Diagnostic>) {
    for method in form.methods.iter().flat_map(|methods| methods.iter()) {
        if let Some(fault) = Fault::of(method.as_str()) {
            findings.push(fault.listed(method.as_str(), method.span, Severity::Warning, EVERY_METHOD));
        }
    }
    let conditions = form.conditions();
    let whatever =
        |c: &Sp<Condition>| matches!(c.value, Condition::ConnectFailure | Condition::RefusedStream);
    if let Some(first) =
        form.methods.as_ref().and_then(|methods| methods.first()).filter(|_| conditions.iter().all(whatever))
    {
        let message =
            "`methods` has no effect: a connect failure or a refused stream is repeated whatever the method";
        let finding = Diagnostic::new(codes::IDLE_RETRY, first.span, message);
        findings.push(finding.help("add a condition such as \"503\", or take `methods` out"));
    }
    // A class of statuses takes connect failures too.
    let acts = |c: &Sp<Condition>| {
        whatever(c) || matches!(c.value, Condition::ServerError | Condition::GatewayError)
    };
    if let Some(finding) = never_repeated(form, matches).filter(|_| !conditions.iter().any(acts)) {
        findings.push(finding);
    }
    if let Some(budget) = form.budget.as_ref().filter(|budget| budget.basis_points() == 0) {
        let message = "`budget: 0%` does not switch retries off: three at once are within every budget";
        findings.push(Diagnostic::new(codes::IDLE_RETRY, budget.span, message).help("write `retry: none`"));
    }
    backoff(form, timeout, findings);
}

/// The finding of a retry whose conditions are for methods that the rule does not take.
fn never_repeated(form: &RetryForm, matches: &[Match]) -> Option<Diagnostic> {
    let repeated = form.methods();
    let lists: Option<Vec<&[Sp<MethodToken>]>> = matches.iter().map(|one| one.methods.as_deref()).collect();
    let taken: Vec<&Sp<MethodToken>> =
        lists.filter(|lists| !lists.is_empty())?.into_iter().flatten().collect();
    if taken.iter().any(|method| repeated.iter().any(|other| other.value == method.value)) {
        return None;
    }
    let first = taken.first()?;
    let message =
        format!("no request of this rule is ever repeated: `{}` is not a method that is", first.as_str());
    let finding = Diagnostic::new(codes::IDLE_RETRY, form.attempts.span, message)
        .label(first.span, "the rule's methods");
    let help = "list the methods that may be done twice in `retry.methods`, or retry on `connect-failure`";
    Some(finding.help(help))
}

fn backoff(form: &RetryForm, timeout: &Sp<Duration>, findings: &mut Vec<Diagnostic>) {
    let Some(backoff) = &form.backoff else { return };
    let (base, whole) = (backoff.base.as_nanos(), timeout.as_nanos());
    if let Some(max) = backoff.max.as_ref().filter(|max| base > max.as_nanos()) {
        let message =
            format!("the first wait, `{}`, is longer than the longest, `{}`", backoff.base.value, max.value);
        let finding =
            Diagnostic::new(codes::IDLE_RETRY, backoff.base.span, message).label(max.span, "the longest");
        findings.push(finding.help("waits double from `base` up to `max`: swap them, or leave `max` out"));
    }
    if whole > 0 && base >= whole {
        let message = format!(
            "the wait before the second try, up to `{}`, is no shorter than the time-out, `{}`",
            backoff.base.value, timeout.value
        );
        let finding = Diagnostic::new(codes::IDLE_RETRY, backoff.base.span, message);
        findings
            .push(finding.help("`timeout` bounds all tries and waits together: make `base` much shorter"));
    }
}
