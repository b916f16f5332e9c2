//! Lowering of conditions of rules and entries: paths, values, callers, expressions.

use std::collections::BTreeMap;

use mesh_bundle::PathPattern;
use mesh_bundle::expr::Expression;
use mesh_bundle::path::Segment;
use mesh_bundle::program::{From, Match, SlashMode, Sticky, ValueMatch, ValueTest};
use mesh_decision::path;

use super::context::{Cx, key};
use crate::cel::{self, Phase};
use crate::diag::{Diagnostic, Span, codes};
use crate::re2;
use crate::spec::{
    self, Caller, CelText, FromItem, PathForm, PathMatch, PathPrefix, RegexText, Sp, StickySource, ValueForm,
};

/// Path prefix that belongs to the mesh on every listener.
const RESERVED: &str = "/.well-known/mesh";

/// Lowers a path.
pub(super) fn path(cx: &mut Cx<'_, '_>, spec: &PathMatch, slashes: SlashMode) -> Option<PathPattern> {
    match spec {
        PathMatch::Form(PathForm { prefix: Some(text), .. }) => plain_prefix(cx, text, slashes),
        PathMatch::Form(PathForm { regex, .. }) => {
            let text = regex.as_ref()?;
            self::regex(cx, text).then(|| PathPattern::Regex(text.as_str().to_owned()))
        }
        PathMatch::Text(text) => pattern(cx, text.as_str(), text.span, slashes),
    }
}

/// Lowers a plain prefix, with which some path in normal form must begin.
fn plain_prefix(cx: &mut Cx<'_, '_>, text: &Sp<PathPrefix>, slashes: SlashMode) -> Option<PathPattern> {
    let refused = |message: String| Diagnostic::new(codes::PATH_FORM, text.span, message);
    // The shortest path that begins so and ends in a segment.
    let sample = format!("{}x", text.as_str());
    let pattern = match (path::canonical(&sample, slashes), PathPattern::prefix(text.as_str())) {
        (Ok(normal), Ok(pattern)) if normal == sample => pattern,
        (Ok(normal), Ok(_)) => {
            let finding =
                refused(format!("`{}` is not in normal form", text.as_str())).at("begins no request");
            let normal = normal.strip_suffix('x').unwrap_or(&normal);
            cx.report(finding.help(format!("requests for it arrive as `{normal}`")));
            return None;
        }
        (Err(error), _) => {
            cx.report(refused(format!("no request's path begins so: {error}")));
            return None;
        }
        (_, Err(error)) => {
            cx.report(refused(error.to_string()));
            return None;
        }
    };
    let reserved = text.as_str().starts_with("/.well-known/mesh/");
    reserved.then(|| cx.report(self::reserved(text.span)));
    (!reserved).then_some(pattern)
}

fn reserved(span: Span) -> Diagnostic {
    Diagnostic::new(codes::RESERVED_PATH, span, format!("`{RESERVED}/` belongs to the mesh")).at("reserved")
}

/// Lowers the short form of a path, which must be in normal form.
pub(super) fn pattern(
    cx: &mut Cx<'_, '_>,
    text: &str,
    span: Span,
    slashes: SlashMode,
) -> Option<PathPattern> {
    let pattern = match PathPattern::parse(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            cx.report(Diagnostic::new(codes::PATH_FORM, span, error.to_string()));
            return None;
        }
    };
    // Parameters and the tail stand for text that no normalising touches.
    let plain = match &pattern {
        PathPattern::Segments { segments, below } => {
            let mut plain = String::new();
            for segment in segments {
                plain.push('/');
                plain.push_str(match segment {
                    Segment::Literal(text) => text,
                    Segment::Param(_) => "x",
                });
            }
            if plain.is_empty() || *below { format!("{plain}/") } else { plain }
        }
        PathPattern::Regex(_) | PathPattern::Prefix(_) => return Some(pattern),
    };
    match path::canonical(&plain, slashes) {
        Ok(normal) if normal == plain => {}
        Ok(normal) => {
            let finding = Diagnostic::new(codes::PATH_FORM, span, format!("`{text}` is not in normal form"));
            cx.report(finding.at("matches no request").help(format!("requests for it arrive as `{normal}`")));
            return None;
        }
        Err(error) => {
            let finding =
                Diagnostic::new(codes::PATH_FORM, span, format!("no request has this path: {error}"));
            cx.report(finding);
            return None;
        }
    }
    if plain == RESERVED || plain.starts_with("/.well-known/mesh/") {
        cx.report(reserved(span));
        return None;
    }
    Some(pattern)
}

fn regex(cx: &mut Cx<'_, '_>, text: &Sp<RegexText>) -> bool {
    let Err(fault) = re2::check_whole(text.as_str()) else { return true };
    let code = if fault.unreadable { codes::BAD_REGEX } else { codes::NOT_RE2 };
    let place = text.value.map(cx.model.sources(), text.span).span(fault.range);
    let finding = Diagnostic::new(code, place, fault.message);
    cx.report(match fault.help {
        Some(help) => finding.help(help),
        None => finding,
    });
    false
}

/// Lowers a whole match.
pub(super) fn matches(cx: &mut Cx<'_, '_>, spec: &spec::Match, slashes: SlashMode) -> Match {
    let path = spec.path.as_ref().and_then(|p| path(cx, p, slashes));
    let mut out = Match {
        methods: methods(spec.methods.as_deref()),
        headers: values(cx, spec.headers.iter().map(|(k, v)| (k.as_str(), v))),
        query: values(cx, spec.query.iter().map(|(k, v)| (k.as_str(), v))),
        cookies: values(cx, spec.cookies.iter().map(|(k, v)| (k.as_str(), v))),
        callers: spec.callers.iter().flat_map(|c| c.iter()).filter_map(|c| from(cx, c)).collect(),
        path,
        when: None,
    };
    if let Some(when) = &spec.when {
        let params: Vec<&str> = out.path.iter().flat_map(|p| p.params()).collect();
        out.when = self::when(cx, when, Phase::Outbound, &params, false).map(Box::new);
    }
    out
}

/// Methods of a rule, sorted; empty for all.
pub(super) fn methods(spec: Option<&[Sp<spec::MethodToken>]>) -> Vec<String> {
    let mut methods: Vec<String> = spec.unwrap_or_default().iter().map(|m| m.as_str().to_owned()).collect();
    methods.sort();
    methods.dedup();
    methods
}

/// Lowers an expression; `deny` says that its rule takes a request where it fails.
pub(super) fn when(
    cx: &mut Cx<'_, '_>,
    text: &Sp<CelText>,
    phase: Phase,
    params: &[&str],
    deny: bool,
) -> Option<Expression> {
    match cel::condition(text.value.as_str(), phase, params, deny) {
        Ok(expression) => Some(expression),
        Err(found) => {
            cx.cel(text, found);
            None
        }
    }
}

fn values<'v>(
    cx: &mut Cx<'_, '_>,
    spec: impl Iterator<Item = (&'v str, &'v spec::ValueMatch)>,
) -> Vec<ValueMatch> {
    let mut out: BTreeMap<String, ValueTest> = BTreeMap::new();
    for (name, value) in spec {
        let test = match value {
            spec::ValueMatch::Exact(text) => Some(ValueTest::Exact(text.as_str().to_owned())),
            spec::ValueMatch::Form(form) => value_test(cx, form),
        };
        if let Some(test) = test {
            out.insert(name.to_owned(), test);
        }
    }
    out.into_iter().map(|(name, is)| ValueMatch { name, is }).collect()
}

fn value_test(cx: &mut Cx<'_, '_>, form: &ValueForm) -> Option<ValueTest> {
    if let Some(text) = &form.exact {
        return Some(ValueTest::Exact(text.as_str().to_owned()));
    }
    if let Some(text) = &form.prefix {
        return Some(ValueTest::Prefix(text.as_str().to_owned()));
    }
    if let Some(text) = &form.suffix {
        return Some(ValueTest::Suffix(text.as_str().to_owned()));
    }
    if let Some(text) = &form.contains {
        return Some(ValueTest::Contains(text.as_str().to_owned()));
    }
    if let Some(text) = &form.regex {
        return regex(cx, text).then(|| ValueTest::Regex(text.as_str().to_owned()));
    }
    form.present.as_ref().map(|present| ValueTest::Present(present.value))
}

/// Lowers a caller, its name resolved.
pub(super) fn from(cx: &mut Cx<'_, '_>, spec: &FromItem) -> Option<From> {
    match spec {
        FromItem::Caller(caller) => match &caller.value {
            Caller::Service(name) => {
                let name = Sp { value: name.clone(), span: caller.span };
                let found = cx.model.resolve(spec::Kind::Service, &name, &mut cx.findings);
                found.then(|| key(&name).map(From::Service)).flatten()
            }
            Caller::Gateway(name) => {
                let name = Sp { value: name.clone(), span: caller.span };
                let found = cx.model.resolve_gateway(&name, &mut cx.findings);
                found.then(|| key(&name).map(From::Gateway)).flatten()
            }
            Caller::External => Some(From::External),
            Caller::Any => Some(From::Any),
        },
        FromItem::Form(form) => {
            if let Some(labels) = &form.labels {
                if labels.is_empty() && !form.complete {
                    return None;
                }
                if labels.is_empty() {
                    let message = "a caller by labels names no label, so it would mean every service";
                    cx.report(
                        Diagnostic::new(codes::LIST_LENGTH, labels.span, message)
                            .help("write `any`, or name a label"),
                    );
                    return None;
                }
                let labels = labels.iter().map(|(k, v)| (k.as_str().to_owned(), v.as_str().to_owned()));
                return Some(From::Labels(labels.collect()));
            }
            form.principal.as_ref().map(|id| From::Principal(id.as_str().to_owned()))
        }
    }
}

/// The place of a caller.
pub(super) fn from_span(spec: &FromItem) -> Option<Span> {
    match spec {
        FromItem::Caller(caller) => Some(caller.span),
        FromItem::Form(form) => {
            let labels = form.labels.as_ref().map(|l| l.first().map_or(l.span, |(k, _)| k.span));
            form.principal.as_ref().map(|p| p.span).or(labels)
        }
    }
}

/// Lowers what a split sticks to.
pub(super) fn sticky(spec: &spec::Sticky) -> Option<Sticky> {
    if let Some(header) = &spec.header {
        return Some(Sticky::Header(header.as_str().to_owned()));
    }
    if let Some(cookie) = &spec.cookie {
        return Some(Sticky::Cookie(cookie.as_str().to_owned()));
    }
    spec.source.as_ref().map(|source| match source.value {
        StickySource::Principal => Sticky::Source,
        StickySource::Ip => Sticky::Ip,
    })
}
