//! Tests of a match that no request can meet: paths by expression, values of headers and cookies, methods.
//!
//! A test is compared with the set of all values that its place can have ([`crate::sets`]); what is not decided there has
//! no finding.

use std::collections::BTreeMap;

use mesh_bundle::program::SlashMode;

use super::headers::unseen;
use super::methods::Fault;
use super::sites::{Part, Site, Sites};
use crate::diag::{Diagnostic, Severity, Span, codes, quoted};
use crate::sets::canonical::reserved_paths;
use crate::sets::{Comparison, Fact, Verdict, regex, sample};
use crate::spec::{Match, MethodToken, PathMatch, Sp, ValueForm, ValueMatch};

/// What to write where every method is meant.
const EVERY_METHOD: &str = "leave `methods` out: then the method does not matter";

/// Looks at every rule and entry in force.
pub(super) fn check(sites: &Sites<'_>, findings: &mut Vec<Diagnostic>) {
    let mut paths = Paths::default();
    for rule in &sites.rules {
        for wanted in rule.written.matches() {
            matched(wanted, &rule.site, &mut paths, findings);
        }
    }
    for entry in &sites.entries {
        let Some(to) = &entry.written.to else { continue };
        listed(to.methods.as_deref(), &entry.site, findings);
        for path in to.paths.iter().flat_map(|paths| paths.iter()) {
            findings.extend(paths.finding(path, &entry.site));
        }
    }
}

fn matched(wanted: &Match, site: &Site, paths: &mut Paths, findings: &mut Vec<Diagnostic>) {
    findings.extend(wanted.path.as_ref().and_then(|path| paths.finding(path, site)));
    listed(wanted.methods.as_deref(), site, findings);
    for (name, test) in wanted.headers.iter() {
        let absent =
            matches!(test, ValueMatch::Form(form) if form.present.as_ref().is_some_and(|p| !p.value));
        match unseen(name.as_str(), site, name.span) {
            Some(finding) if absent => {
                findings.push(finding.severity(Severity::Warning).at("every request is without it"));
            }
            Some(finding) => findings.push(finding.severity(site.dead()).at("no request has it")),
            None => {
                findings.extend(value("header", name.as_str(), test, Fact::of_header(name.as_str()), site));
            }
        }
    }
    for (name, test) in wanted.cookies.iter() {
        findings.extend(value("cookie", name.as_str(), test, Fact::CookieValue, site));
    }
}

fn listed(methods: Option<&[Sp<MethodToken>]>, site: &Site, findings: &mut Vec<Diagnostic>) {
    let severity = if site.part == Part::Deny { Severity::Error } else { Severity::Warning };
    for method in methods.into_iter().flatten() {
        if let Some(fault) = Fault::of(method.as_str()) {
            findings.push(site.warned(fault.listed(method.as_str(), method.span, severity, EVERY_METHOD)));
        }
    }
}

/// The finding of a test that no value of its place meets.
fn value(place: &str, name: &str, test: &ValueMatch, fact: Fact, site: &Site) -> Option<Diagnostic> {
    let (comparison, span) = asked(test)?;
    if comparison.over(fact.values()?) != Verdict::Never {
        return None;
    }
    let constant = quoted(comparison.constant());
    let message = match comparison {
        Comparison::Is(_) => format!("{place} `{name}` is never {constant}"),
        _ => format!("{place} `{name}` never {} {constant}", comparison.words()),
    };
    let finding = Diagnostic::new(codes::NEVER_MET, span, message)
        .severity(site.dead())
        .at("no request has such a value");
    let trimmed = comparison.constant().trim();
    Some(match (fact, comparison) {
        (Fact::HeaderValue, Comparison::Is(text)) if text != trimmed => {
            finding.help(format!("blanks at its ends are no part of a field: write `{trimmed}`"))
        }
        (Fact::Length, _) => finding.help("it is a number of bytes"),
        (Fact::Trailers, _) => finding.help("proxies pass on `trailers` and nothing else"),
        (Fact::CookieValue, _) => finding.help("a cookie is visible characters and blanks, and ends at `;`"),
        _ => finding.help("a field is visible characters, with blanks inside only"),
    })
}

fn asked(test: &ValueMatch) -> Option<(Comparison<'_>, Span)> {
    match test {
        ValueMatch::Exact(text) => Some((Comparison::Is(text.as_str()), text.span)),
        ValueMatch::Form(ValueForm { exact: Some(text), .. }) => {
            Some((Comparison::Is(text.as_str()), text.span))
        }
        ValueMatch::Form(ValueForm { prefix: Some(text), .. }) => {
            Some((Comparison::Begins(text.as_str()), text.span))
        }
        ValueMatch::Form(ValueForm { suffix: Some(text), .. }) => {
            Some((Comparison::Ends(text.as_str()), text.span))
        }
        ValueMatch::Form(ValueForm { contains: Some(text), .. }) => {
            Some((Comparison::Contains(text.as_str()), text.span))
        }
        ValueMatch::Form(ValueForm { regex: Some(text), .. }) => {
            Some((Comparison::Matches(text.as_str()), text.span))
        }
        ValueMatch::Form(_) => None,
    }
}

/// What is known of expressions over paths: a mesh may have thousands of rules with few expressions.
#[derive(Default)]
struct Paths(BTreeMap<(String, bool), Judged>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// Some path matches, or nobody knows.
    Fine,
    /// No path matches.
    Never,
    /// Only paths match that the mesh keeps for itself.
    Reserved,
}

impl Paths {
    fn finding(&mut self, path: &PathMatch, site: &Site) -> Option<Diagnostic> {
        let PathMatch::Form(form) = path else { return None };
        let regex = form.regex.as_ref()?;
        let (pattern, span) = (regex.as_str(), regex.span);
        let key = (pattern.to_owned(), site.slashes == SlashMode::Keep);
        let judged = *self.0.entry(key).or_insert_with(|| judged(pattern, site.slashes));
        match judged {
            Judged::Fine => None,
            Judged::Never => Some(site.warned(never(pattern, span, site))),
            Judged::Reserved => {
                let message = "`/.well-known/mesh/` belongs to the mesh";
                Some(Diagnostic::new(codes::RESERVED_PATH, span, message).at("matches reserved paths only"))
            }
        }
    }
}

fn judged(pattern: &str, slashes: SlashMode) -> Judged {
    let judge = || {
        let (paths, reserved) = (Fact::Path(slashes).values()?, reserved_paths()?);
        // One path is enough, and mostly easy to find.
        if sample::certain(pattern).is_some_and(|text| paths.accepts(&text) && !reserved.accepts(&text)) {
            return Some(Judged::Fine);
        }
        let taken = regex::matching(pattern)?.and(paths)?;
        if taken.is_empty() {
            return Some(Judged::Never);
        }
        Some(if taken.minus(reserved)?.is_empty() { Judged::Reserved } else { Judged::Fine })
    };
    judge().unwrap_or(Judged::Fine)
}

fn never(pattern: &str, span: Span, site: &Site) -> Diagnostic {
    let message = format!("no path matches {}", quoted(pattern));
    let finding =
        Diagnostic::new(codes::NEVER_MET, span, message).severity(site.dead()).at("matches no request");
    // Mostly a slash was forgotten, or the expression was meant to be searched for.
    let mut meant =
        [format!("/{pattern}"), format!(".*{pattern}"), format!("{pattern}.*"), format!(".*{pattern}.*")];
    if !pattern.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        meant.rotate_left(1);
    }
    let meant = meant.into_iter().find(|meant| {
        let values = Fact::Path(site.slashes).values();
        values.is_some_and(|values| Comparison::Matches(meant).over(values) == Verdict::Possible)
    });
    match meant {
        Some(meant) => finding.help(format!("an expression matches the whole path: write {}", quoted(&meant))),
        None => finding.help(
            "rules see the path normalised: it begins with `/`, has no query, no empty and no dot segments, and \
             escapes in upper case where they must be",
        ),
    }
}
