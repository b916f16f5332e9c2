//! Rules that can never match, because one earlier rule takes all that they could.

use std::collections::BTreeMap;

use mesh_bundle::PathPattern;
use mesh_bundle::path::Segment;
use mesh_decision::index::PathIndex;

use crate::diag::{Diagnostic, Severity, Span, codes};
use crate::model::Model;
use crate::spec::{self, FromItem, Match, MethodToken, PathMatch, Rule, Sp};

/// Gateway and hosts as claimed: Routes with one claim are tried one after the other.
type Claim = (String, Vec<String>);

/// A Route of a claim: its order, rules and fences.
type Claimant<'m> = (i32, Vec<OrderedRule<'m>>, Vec<(PathPattern, Span)>);

/// A rule in the order in which rules are tried.
struct OrderedRule<'m> {
    rule: &'m Rule,
    path: Option<PathPattern>,
    generated: bool,
}

/// Looks at each Route of a service, and at all Routes of one gateway host together.
pub(super) fn check(model: &Model<'_>, findings: &mut Vec<Diagnostic>) {
    let mut hosts: BTreeMap<Claim, Vec<Claimant<'_>>> = BTreeMap::new();
    for (object, route) in model.routes() {
        let generated = model.is_generated(object);
        let rules = ordered(route, generated);
        match &route.gateway {
            None => list(rules, findings),
            Some(gateway) => {
                let name = gateway.as_str();
                let own = model.mesh_spec().and_then(|mesh| mesh.gateways.get(name));
                let own = own.into_iter().flat_map(|g| g.hosts.iter()).map(|h| h.as_str().to_owned());
                let mut claimed: Vec<String> = match &route.hosts {
                    Some(hosts) => hosts.iter().map(|h| h.as_str().to_owned()).collect(),
                    None => own.collect(),
                };
                claimed.sort();
                let order = route.order().get();
                let fences = route.paths.iter().flat_map(|p| p.iter());
                let fences =
                    fences.filter_map(|p| Some((PathPattern::parse(p.as_str()).ok()?, p.span))).collect();
                hosts.entry((name.to_owned(), claimed)).or_default().push((order, rules, fences));
            }
        }
    }
    for mut routes in hosts.into_values() {
        routes.sort_by_key(|(order, ..)| *order);
        let mut fences: Vec<(PathPattern, Span)> = Vec::new();
        let mut all = Vec::new();
        for (_, rules, own) in routes {
            for rule in rules {
                let fence = rule.path.as_ref().and_then(|p| fences.iter().find(|(f, _)| f.covers(p)));
                if let Some((_, span)) = fence {
                    findings.push(behind(&rule, *span));
                }
                all.push(rule);
            }
            fences.extend(own);
        }
        list(all, findings);
    }
}

/// A rule inside the fence of an earlier Route.
fn behind(rule: &OrderedRule<'_>, fence: Span) -> Diagnostic {
    let message = format!("rule `{}` can never match", rule.rule.name.as_str());
    dead(rule, message)
        .at("every request that matches this ...")
        .label(fence, "... ends at this fence of an earlier Route")
        .help("move the rule into that Route, or give its own Route a lower `order`")
}

fn ordered(route: &spec::Route, generated: bool) -> Vec<OrderedRule<'_>> {
    let enabled = route.rules.iter().filter(|r| r.enabled().value);
    let path = |rule: &Rule| match rule.match_.as_ref().and_then(|m| m.path.as_ref()) {
        // What a rule takes is not known before all of its match can be read.
        _ if rule.match_.as_ref().is_some_and(|m| !m.complete)
            || (rule.match_.is_none() && !rule.complete) =>
        {
            None
        }
        None => Some(PathPattern::any()),
        Some(PathMatch::Text(text)) => PathPattern::parse(text.as_str()).ok(),
        Some(PathMatch::Form(form)) => Some(PathPattern::Regex(form.regex.as_str().to_owned())),
    };
    enabled.map(|rule| OrderedRule { rule, path: path(rule), generated }).collect()
}

fn list(rules: Vec<OrderedRule<'_>>, findings: &mut Vec<Diagnostic>) {
    let index = PathIndex::new(rules.iter().map(|r| r.path.as_ref()));
    let mut found = Vec::new();
    for (at, later) in rules.iter().enumerate() {
        let Some(path) = &later.path else { continue };
        index.candidates(&sample(path), &mut found);
        let earlier = found.iter().filter_map(|n| usize::try_from(*n).ok()).take_while(|n| *n < at);
        let cover = earlier.filter_map(|n| rules.get(n)).find(|earlier| takes_all(earlier, later));
        if let Some(earlier) = cover {
            findings.push(finding(earlier, later));
        }
    }
}

/// A path that a pattern takes and that only patterns as wide as it take too: parameters and what is below stand as
/// segments that no pattern writes.
fn sample(pattern: &PathPattern) -> String {
    let PathPattern::Segments { segments, below } = pattern else { return "/\u{1}".to_owned() };
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(match segment {
            Segment::Literal(text) => text,
            Segment::Param(_) => "\u{1}",
        });
    }
    if *below {
        path.push_str("/\u{1}/\u{1}");
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

fn takes_all(earlier: &OrderedRule<'_>, later: &OrderedRule<'_>) -> bool {
    let (Some(wide), Some(narrow)) = (&earlier.path, &later.path) else { return false };
    if !wide.covers(narrow) {
        return false;
    }
    let Some(a) = &earlier.rule.match_ else { return true };
    let none = Match {
        path: None,
        methods: None,
        headers: spec::Dict::default(),
        query: spec::Dict::default(),
        cookies: spec::Dict::default(),
        callers: None,
        when: None,
        complete: true,
    };
    let b = later.rule.match_.as_ref().unwrap_or(&none);
    methods(a.methods.as_deref(), b.methods.as_deref())
        && values(&a.headers, &b.headers)
        && values(&a.query, &b.query)
        && values(&a.cookies, &b.cookies)
        && callers(a.callers.as_deref(), b.callers.as_deref())
        && match (&a.when, &b.when) {
            (None, _) => true,
            // One text over two paths may read two different segments.
            (Some(a), Some(b)) => {
                a.value.as_str() == b.value.as_str()
                    && (wide == narrow || !a.value.as_str().contains("params"))
            }
            (Some(_), None) => false,
        }
}

fn methods(wide: Option<&[Sp<MethodToken>]>, narrow: Option<&[Sp<MethodToken>]>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow.iter().all(|n| wide.iter().any(|w| w.value == n.value)),
    }
}

/// Every test of the wide rule stands in the narrow one too.
fn values<K: AsRef<str>>(
    wide: &spec::Dict<K, spec::ValueMatch>,
    narrow: &spec::Dict<K, spec::ValueMatch>,
) -> bool {
    wide.iter().all(|(name, test)| narrow.get(name.value.as_ref()).is_some_and(|other| same(test, other)))
}

fn same(a: &spec::ValueMatch, b: &spec::ValueMatch) -> bool {
    use spec::ValueMatch::{Exact, Form};
    let part = |a: Option<&str>, b: Option<&str>| a == b;
    match (a, b) {
        (Exact(a), Exact(b)) => a.value == b.value,
        (Form(a), Form(b)) => {
            part(a.exact.as_ref().map(|t| t.as_str()), b.exact.as_ref().map(|t| t.as_str()))
                && part(a.prefix.as_ref().map(|t| t.as_str()), b.prefix.as_ref().map(|t| t.as_str()))
                && part(a.suffix.as_ref().map(|t| t.as_str()), b.suffix.as_ref().map(|t| t.as_str()))
                && part(a.contains.as_ref().map(|t| t.as_str()), b.contains.as_ref().map(|t| t.as_str()))
                && part(a.regex.as_ref().map(|t| t.as_str()), b.regex.as_ref().map(|t| t.as_str()))
                && a.present.as_ref().map(|p| p.value) == b.present.as_ref().map(|p| p.value)
        }
        (Exact(text), Form(form)) | (Form(form), Exact(text)) => {
            form.exact.as_ref().is_some_and(|exact| exact.value == text.value)
        }
    }
}

fn callers(wide: Option<&[FromItem]>, narrow: Option<&[FromItem]>) -> bool {
    let name = |item: &FromItem| match item {
        FromItem::Caller(caller) => Some(caller.value.clone()),
        FromItem::Form(_) => None,
    };
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => {
            narrow.iter().all(|n| name(n).is_some_and(|n| wide.iter().any(|w| name(w) == Some(n.clone()))))
        }
    }
}

fn place(ordered: &OrderedRule<'_>) -> Span {
    let path = ordered.rule.match_.as_ref().and_then(|m| m.path.as_ref());
    match path {
        Some(PathMatch::Text(text)) => text.span,
        Some(PathMatch::Form(form)) => form.regex.span,
        None => ordered.rule.name.span,
    }
}

fn finding(earlier: &OrderedRule<'_>, later: &OrderedRule<'_>) -> Diagnostic {
    let (first, second) = (earlier.rule.name.as_str(), later.rule.name.as_str());
    dead(later, format!("rule `{second}` can never match"))
        .at("every request that matches this ...")
        .label(place(earlier), format!("... is taken first by rule `{first}`"))
        .help(format!("move `{second}` above `{first}`, or narrow `{first}`"))
}

fn dead(rule: &OrderedRule<'_>, message: String) -> Diagnostic {
    let finding = Diagnostic::new(codes::DEAD_RULE, place(rule), message);
    // Generated files keep rules that their source format has; nobody can mend them here.
    if rule.generated { finding.severity(Severity::Warning) } else { finding }
}
