//! Rewrites of paths and hosts, and the part of a path that `prefix` replaces.

use mesh_bundle::PathPattern;
use mesh_bundle::program::{Matches, Rewrite, RewritePath, SlashMode};
use mesh_decision::path;

use super::context::Cx;
use crate::diag::{Diagnostic, Span, codes};
use crate::spec::{self, PathLiteral, PathPrefix, Sp};

/// Lowers the rewrite of a rule with these matches.
pub(super) fn rewrite(
    cx: &mut Cx<'_, '_>,
    spec: &spec::Rule,
    matches: &Matches,
    slashes: SlashMode,
) -> Rewrite {
    let Some(written) = &spec.rewrite else { return Rewrite::default() };
    if spec.to.is_none() && spec.complete {
        let span = [&written.prefix, &written.path].into_iter().flatten().map(|p| p.span).next();
        let span = span.or(written.host.as_ref().map(|h| h.span)).unwrap_or(spec.name.span);
        let message = "a rewrite stands with `to`: nothing is sent on here";
        cx.report(Diagnostic::new(codes::BAD_REWRITE, span, message));
    }
    let change = match (&written.prefix, &written.path) {
        (Some(prefix), _) => Some((prefix, self::prefix(cx, spec, prefix))),
        (None, Some(full)) => Some((full, RewritePath::Full(full.as_str().to_owned()))),
        (None, None) => None,
    };
    if let Some((literal, change)) = &change {
        let same = path::canonical(literal.as_str(), slashes).is_ok_and(|c| c == literal.as_str());
        let applies = |pattern: Option<&PathPattern>| path::rewrite("/x", pattern, change, slashes).is_ok();
        if !same || !matches.iter().all(|one| applies(one.path.as_ref())) {
            let message = format!("`{}` is not in normal form", literal.as_str());
            cx.report(Diagnostic::new(codes::BAD_REWRITE, literal.span, message));
        }
    }
    let host = written.host.as_ref().map(|h| h.as_str().to_owned());
    Rewrite { path: change.map(|(_, change)| change), host }
}

/// Lowers `prefix` of a rewrite or redirect: every match of the rule must have something that it replaces.
pub(super) fn prefix(cx: &mut Cx<'_, '_>, spec: &spec::Rule, new: &Sp<PathLiteral>) -> RewritePath {
    for one in spec.matches() {
        // Without a path a match takes `/*`.
        let Some(path) = &one.path else { continue };
        let replaceable = match path {
            spec::PathMatch::Text(text) => {
                PathPattern::parse(text.as_str()).is_ok_and(|p| p.literal_prefix().is_some())
            }
            spec::PathMatch::Form(form) => {
                form.prefix.iter().for_each(|text| joined(cx, text, new));
                form.prefix.is_some()
            }
        };
        if !replaceable {
            nothing_to_replace(cx, new, path.span().unwrap_or(new.span));
        }
    }
    RewritePath::Prefix(new.as_str().to_owned())
}

fn nothing_to_replace(cx: &mut Cx<'_, '_>, new: &Sp<PathLiteral>, path: Span) {
    let finding = Diagnostic::new(codes::BAD_REWRITE, new.span, "there is no prefix to replace");
    let finding = finding.label(path, "no literal part before `/*`");
    cx.report(finding.help("end the path in `/*`, or rewrite the whole path with `path:`"));
}

/// A plain prefix is replaced as it stands: where it ends in `/` and the new one does not, what follows is joined to
/// the new one's last segment.
fn joined(cx: &mut Cx<'_, '_>, text: &Sp<PathPrefix>, new: &Sp<PathLiteral>) {
    let (old, with) = (text.as_str(), new.as_str());
    if old.ends_with('/') && !with.ends_with('/') {
        let message = format!("`{old}orders` would become `{with}orders`");
        let finding = Diagnostic::new(codes::JOINED_REWRITE, new.span, message);
        let finding = finding.label(text.span, "this text is replaced as it stands, with its `/`");
        cx.report(finding.help(format!("write `{with}/`, or match whole segments with `path: {old}*`")));
    }
}
