//! Rules that can never match, because one earlier rule takes all that they could.

use std::collections::BTreeMap;

use mesh_bundle::PathPattern;
use mesh_bundle::path::Segment;
use mesh_decision::index::PathIndex;

use crate::diag::{Diagnostic, Severity, Span, codes};
use crate::model::Model;
use crate::spec::{self, FromItem, Match, Matches, MethodToken, PathForm, PathMatch, Rule, Sp};

/// Gateway and hosts as claimed: Routes with one claim are tried one after the other.
type Claim = (String, Vec<String>);

/// A Route of a claim: its order, rules and fences.
type Claimant<'m> = (i32, Vec<OrderedRule<'m>>, Vec<(PathPattern, Span)>);

/// A rule in the order in which rules are tried.
struct OrderedRule<'m> {
    rule: &'m Rule,
    /// Its matches, one at least.
    takers: Vec<Taker<'m>>,
    generated: bool,
}

/// A match of a rule; a rule without one has one that takes everything.
struct Taker<'m> {
    written: Option<&'m Match>,
    /// `None` for a path that cannot be read.
    path: Option<PathPattern>,
    place: Span,
}

/// What takes all that a match could.
struct Cover {
    place: Span,
    by: String,
    help: String,
    /// True if it is a match of the same rule, so that the request is taken all the same.
    own: bool,
}

/// Looks at each Route of a service, and at all Routes of one gateway host together.
pub(super) fn check(model: &Model<'_>, findings: &mut Vec<Diagnostic>) {
    let mut hosts: BTreeMap<Claim, Vec<Claimant<'_>>> = BTreeMap::new();
    for (object, route) in model.routes() {
        let generated = model.is_generated(object);
        let rules = ordered(route, generated);
        match &route.gateway {
            None => list(&rules, findings),
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
            for rule in rules.iter().filter(|_| !fences.is_empty()) {
                let covers: Vec<_> = rule.takers.iter().map(|taker| fenced(taker, &fences)).collect();
                report(rule, &covers, findings);
            }
            all.extend(rules);
            fences.extend(own);
        }
        list(&all, findings);
    }
}

/// The fence of an earlier Route that a match lies inside.
fn fenced(taker: &Taker<'_>, fences: &[(PathPattern, Span)]) -> Option<Cover> {
    let path = taker.path.as_ref()?;
    let (_, place) = fences.iter().find(|(fence, _)| fence.covers(path))?;
    let help = "move the rule into that Route, or give its own Route a lower `order`".to_owned();
    Some(Cover {
        place: *place,
        by: "... ends at this fence of an earlier Route".to_owned(),
        help,
        own: false,
    })
}

fn ordered(route: &spec::Route, generated: bool) -> Vec<OrderedRule<'_>> {
    let enabled = route.rules.iter().filter(|r| r.enabled().value);
    let rule = |rule| OrderedRule { rule, takers: takers(rule), generated };
    enabled.map(rule).collect()
}

fn takers(rule: &Rule) -> Vec<Taker<'_>> {
    let Some(written) = &rule.match_ else {
        let path = rule.complete.then(PathPattern::any);
        return vec![Taker { written: None, path, place: rule.name.span }];
    };
    // What a rule takes is not known before all of its match can be read; of a list an item may be missing.
    let all = rule.complete || matches!(written, Matches::One(_));
    let takers = written.iter().map(|one| {
        let path = if all && one.complete { path(one) } else { None };
        Taker { written: Some(one), path, place: one.span().unwrap_or(rule.name.span) }
    });
    takers.collect()
}

fn path(written: &Match) -> Option<PathPattern> {
    match &written.path {
        None => Some(PathPattern::any()),
        Some(PathMatch::Text(text)) => PathPattern::parse(text.as_str()).ok(),
        Some(PathMatch::Form(PathForm { prefix: Some(text), .. })) => PathPattern::prefix(text.as_str()).ok(),
        Some(PathMatch::Form(PathForm { regex, .. })) => {
            regex.as_ref().map(|text| PathPattern::Regex(text.as_str().to_owned()))
        }
    }
}

fn list(rules: &[OrderedRule<'_>], findings: &mut Vec<Diagnostic>) {
    let all = rules.iter().enumerate();
    let all: Vec<(usize, &Taker<'_>)> =
        all.flat_map(|(n, rule)| rule.takers.iter().map(move |taker| (n, taker))).collect();
    let index = PathIndex::new(all.iter().map(|(_, taker)| taker.path.as_ref()));
    let mut found = Vec::new();
    let mut places = all.iter().enumerate();
    for (n, rule) in rules.iter().enumerate() {
        let mut covers = Vec::with_capacity(rule.takers.len());
        for (at, (_, later)) in places.by_ref().take(rule.takers.len()) {
            let Some(path) = &later.path else {
                covers.push(None);
                continue;
            };
            index.candidates(&sample(path), &mut found);
            let earlier = found.iter().filter_map(|n| usize::try_from(*n).ok()).take_while(|n| *n < at);
            let cover = earlier.filter_map(|n| all.get(n)).find(|(_, earlier)| takes_all(earlier, later));
            covers.push(cover.and_then(|(by, taker)| Some(covered(rules.get(*by)?, taker, rule, *by == n))));
        }
        report(rule, &covers, findings);
    }
}

/// The cover of a match of `later`, which is `taker` of `earlier`; `own` if both are one rule.
fn covered(earlier: &OrderedRule<'_>, taker: &Taker<'_>, later: &OrderedRule<'_>, own: bool) -> Cover {
    let (first, second) = (earlier.rule.name.as_str(), later.rule.name.as_str());
    let (by, help) = match own {
        true => (
            "... is taken first by this match of the same rule".to_owned(),
            "take the match out: the rule takes these requests without it".to_owned(),
        ),
        false => (
            format!("... is taken first by rule `{first}`"),
            format!("move `{second}` above `{first}`, or narrow `{first}`"),
        ),
    };
    Cover { place: taker.place, by, help, own }
}

/// Reports a rule all of whose matches are covered, or else each match that is.
fn report(rule: &OrderedRule<'_>, covers: &[Option<Cover>], findings: &mut Vec<Diagnostic>) {
    let name = rule.rule.name.as_str();
    let covered = rule.takers.iter().zip(covers).enumerate();
    let mut covered = covered.filter_map(|(n, (taker, cover))| Some((n + 1, taker, cover.as_ref()?)));
    if covers.iter().any(Option::is_none) {
        findings.extend(covered.map(|(n, taker, cover)| {
            dead(rule, taker, format!("match {n} of rule `{name}` can never match"), cover)
        }));
        return;
    }
    let Some((_, taker, cover)) = covered.next() else { return };
    let mut finding = dead(rule, taker, format!("rule `{name}` can never match"), cover);
    let mut said = vec![&cover.by];
    for (_, _, cover) in covered {
        // A match that the rule itself covers is covered by what covers that.
        if !cover.own && !said.contains(&&cover.by) {
            said.push(&cover.by);
            finding = finding.label(cover.place, cover.by.clone());
        }
    }
    findings.push(finding);
}

fn dead(rule: &OrderedRule<'_>, taker: &Taker<'_>, message: String, cover: &Cover) -> Diagnostic {
    let finding = Diagnostic::new(codes::DEAD_RULE, taker.place, message)
        .at("every request that matches this ...")
        .label(cover.place, cover.by.clone())
        .help(cover.help.clone());
    // Generated files keep rules that their source format has; nobody can mend them here.
    if rule.generated || cover.own { finding.severity(Severity::Warning) } else { finding }
}

/// A path that a pattern takes and that only patterns as wide as it take too: parameters and what is below stand as
/// segments that no pattern writes.
fn sample(pattern: &PathPattern) -> String {
    let (segments, below) = match pattern {
        PathPattern::Segments { segments, below } => (segments, below),
        PathPattern::Prefix(text) => return format!("{text}\u{1}/\u{1}"),
        PathPattern::Regex(_) => return "/\u{1}".to_owned(),
    };
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

fn takes_all(earlier: &Taker<'_>, later: &Taker<'_>) -> bool {
    let (Some(wide), Some(narrow)) = (&earlier.path, &later.path) else { return false };
    if !wide.covers(narrow) {
        return false;
    }
    let Some(a) = earlier.written else { return true };
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
    let b = later.written.unwrap_or(&none);
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
