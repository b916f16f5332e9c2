//! The matches of a Route's rule: each lowered for itself, inside of the Route's fences.

use mesh_bundle::PathPattern;
use mesh_bundle::program::{Match, Matches, SlashMode};

use super::context::Cx;
use super::matching;
use crate::diag::{Diagnostic, Span, codes};
use crate::spec;

/// The Route that a rule stands in, as its matches need to know it.
#[derive(Clone, Copy)]
pub(super) struct Ground<'r> {
    pub(super) slashes: SlashMode,
    /// True at a gateway.
    pub(super) edge: bool,
    pub(super) fences: &'r [PathPattern],
}

/// Lowers the matches of a rule; a list of one is that one.
pub(super) fn lower(cx: &mut Cx<'_, '_>, spec: &spec::Rule, ground: Ground<'_>) -> Matches {
    let Some(written) = &spec.match_ else {
        if !ground.fences.is_empty() {
            cx.report(outside(spec, spec.name.span));
        }
        return Matches::default();
    };
    let mut lowered: Vec<Match> = written.iter().map(|one| self::one(cx, spec, one, ground)).collect();
    match lowered.pop() {
        Some(only) if lowered.is_empty() => only.into(),
        Some(last) => {
            lowered.push(last);
            Matches::Any(lowered)
        }
        None => Matches::default(),
    }
}

fn one(cx: &mut Cx<'_, '_>, rule: &spec::Rule, spec: &spec::Match, ground: Ground<'_>) -> Match {
    let Ground { slashes, edge, fences } = ground;
    for caller in spec.callers.iter().flat_map(|callers| callers.iter()) {
        callers_in_reach(cx, caller, edge);
    }
    let lowered = matching::matches(cx, spec, slashes);
    let inside = |path: &PathPattern| fences.iter().any(|fence| fence.covers(path));
    // A path that is not there was refused for itself.
    let known = lowered.path.is_some() || spec.path.is_none();
    if !fences.is_empty() && known && !lowered.path.as_ref().is_some_and(inside) {
        let finding = outside(rule, spec.span().unwrap_or(rule.name.span));
        let segment = match &lowered.path {
            Some(PathPattern::Prefix(text)) if !text.ends_with('/') => {
                PathPattern::prefix(&format!("{text}/")).ok()
            }
            _ => None,
        };
        cx.report(match segment.filter(inside).and_then(|segment| segment.literal_prefix()) {
            Some(text) => finding.help(format!(
                "a plain prefix takes what only begins so too: write `path: {text}*`, or `{{ prefix: {text} }}`"
            )),
            None => finding,
        });
    }
    lowered
}

/// A gateway's callers are strangers, and nobody else's are.
fn callers_in_reach(cx: &mut Cx<'_, '_>, caller: &spec::FromItem, edge: bool) {
    let Some(span) = matching::from_span(caller) else { return };
    let external = matches!(caller, spec::FromItem::Caller(caller) if caller.value == spec::Caller::External);
    if edge {
        let message = "a gateway's callers have no mesh identity";
        let help = "write the rule in the Route of a service, or an AccessPolicy with `gateway:`";
        cx.report(Diagnostic::new(codes::CALLERS_AT_GATEWAY, span, message).help(help));
    } else if external {
        let message = "no stranger asks the Route of a service: it stands at the proxy of the caller";
        let help = "name services or `gateway/<name>`; strangers are let in or kept out by an AccessPolicy";
        cx.report(Diagnostic::new(codes::EXTERNAL_IN_ROUTE, span, message).help(help));
    }
}

fn outside(rule: &spec::Rule, span: Span) -> Diagnostic {
    let message = format!("rule `{}` lies outside of `paths` of its Route", rule.name.as_str());
    Diagnostic::new(codes::OUTSIDE_FENCE, span, message)
}
