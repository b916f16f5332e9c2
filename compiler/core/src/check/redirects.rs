//! Redirects to themselves: the client that follows one meets the same rule again, and again.
//!
//! Only what is certain is said: the new URL comes to this rule for every client, whatever else varies.

use mesh_bundle::path::Segment;
use mesh_bundle::program::{Action, Match, Program, Redirect, RewritePath, Routes, Rule, SlashMode};
use mesh_bundle::{Name as Key, Owner, PathPattern};
use mesh_decision::{host, path, regex};

use super::sites::{RuleSite, Sites};
use crate::diag::{Diagnostic, Severity, Span, codes};
use crate::spec;

/// Looks at every redirect.
pub(super) fn check(program: &Program, sites: &Sites<'_>, findings: &mut Vec<Diagnostic>) {
    for rule in &sites.rules {
        let Action::Redirect(redirect) = &rule.lowered.action else { continue };
        if comes_back(program, rule, redirect) {
            let message = format!("rule `{}` redirects to itself", rule.written.name.as_str());
            let finding = Diagnostic::new(codes::REDIRECT_LOOP, place(rule.written), message);
            let severity = if rule.site.generated { Severity::Warning } else { Severity::Error };
            findings.push(
                finding
                    .severity(severity)
                    .at("the new URL matches this rule again")
                    .help("change what the rule matches, or where it sends"),
            );
        }
    }
}

fn comes_back(program: &Program, rule: &RuleSite<'_>, redirect: &Redirect) -> bool {
    let Some(one) = rule.lowered.matches.iter().next().filter(|_| rule.lowered.matches.iter().count() == 1)
    else {
        return false;
    };
    // A cookie that the answer sets may be what the rule matches.
    rule.lowered.response_headers.get().is_none_or(|edits| edits.set.is_empty() && edits.add.is_empty())
        && same_method(&one.methods, redirect.status)
        && same_door(program, rule, redirect)
        && same_host(program, rule, redirect, one)
        && same_rule(program, rule, redirect, one)
}

/// True if a method that the rule takes stays one that it takes: 303 makes `GET` of all but `HEAD`, and clients make `GET` of
/// a `POST` that is answered with 301 or 302 (RFC 9110 section 15.4).
fn same_method(methods: &[String], status: u16) -> bool {
    let takes = |method: &str| methods.is_empty() || methods.iter().any(|own| own == method);
    match status {
        303 => takes("GET") || takes("HEAD"),
        301 | 302 => methods.is_empty() || methods.iter().any(|own| own != "POST"),
        _ => true,
    }
}

/// True if scheme and port lead to the same listener.
fn same_door(program: &Program, rule: &RuleSite<'_>, redirect: &Redirect) -> bool {
    let Owner::Gateway(name) = &rule.site.owner else {
        return redirect.scheme.is_none() && redirect.port.is_none();
    };
    let Some(gateway) = program.gateways.get(name) else { return false };
    let own = if gateway.certificate.is_some() { "https" } else { "http" };
    let usual = if own == "https" { 443 } else { 80 };
    let port = redirect.port.or(redirect.scheme.as_ref().map(|_| usual));
    redirect.scheme.as_ref().is_none_or(|scheme| scheme == own)
        && port.is_none_or(|port| port == gateway.listen)
}

/// True if requests for the new host come to this Route, and no other condition of the rule is about the host.
fn same_host(program: &Program, rule: &RuleSite<'_>, redirect: &Redirect, one: &Match) -> bool {
    let Some(new) = &redirect.host else { return true };
    if one.when.is_some() {
        return false;
    }
    match &rule.site.owner {
        Owner::Service(name) => name.as_str() == new,
        Owner::Gateway(name) => {
            let own = program.gateways.get(name).map(|gateway| gateway.hosts.as_slice());
            let hosts = if rule.routes.hosts.is_empty() { own } else { Some(rule.routes.hosts.as_slice()) };
            hosts.is_some_and(|hosts| hosts.iter().any(|claimed| host::covers(claimed, new)))
                && others(program, name, rule.routes)
                    .all(|other| !other.hosts.iter().any(|claimed| host::covers(claimed, new)))
        }
    }
}

/// Other Routes of a gateway that may take a request before this one: they share its hosts, or claim a narrower one.
fn others<'p>(program: &'p Program, gateway: &Key, routes: &'p Routes) -> impl Iterator<Item = &'p Routes> {
    let all = program.gateway_routes.get(gateway).into_iter().flat_map(|routes| routes.values());
    all.filter(move |other| !std::ptr::eq(*other, routes))
}

/// True if the new path matches this rule, and no earlier one may take it.
fn same_rule(program: &Program, rule: &RuleSite<'_>, redirect: &Redirect, one: &Match) -> bool {
    let Some(change) = &redirect.path else {
        // The same path comes the same way, unless the new host has another table.
        return redirect.host.is_none() || alone(program, rule);
    };
    let pattern = one.path.as_ref();
    let (exact, below) = match change {
        RewritePath::Full(full) => (full.clone(), false),
        RewritePath::Prefix(prefix) => {
            let Some(literal) = pattern.map_or(Some(String::new()), PathPattern::literal_prefix) else {
                return false;
            };
            if prefix.trim_end_matches('/') == literal {
                return redirect.host.is_none() || alone(program, rule);
            }
            // What follows a plain prefix need not begin a segment.
            if matches!(pattern, Some(PathPattern::Prefix(_))) {
                return false;
            }
            (prefix.trim_end_matches('/').to_owned(), true)
        }
    };
    if path::canonical(&exact, SlashMode::Keep).is_ok_and(|canonical| canonical != exact) && !exact.is_empty()
    {
        return false;
    }
    let stays = match pattern {
        None => true,
        Some(PathPattern::Regex(text)) => {
            !below && regex::Pattern::whole(text).is_ok_and(|pattern| pattern.is_match(&exact))
        }
        Some(pattern) if below => {
            let whole = PathPattern::parse(&format!("{exact}/*"));
            whole.is_ok_and(|whole| pattern.covers(&whole))
        }
        Some(pattern) => path::matches(pattern, &exact),
    };
    // Where the rule takes but one path, the new request is the old one, and comes the same way.
    let only_path = pattern.is_some_and(|pattern| pattern.to_string() == exact);
    let earlier = rule.routes.rules.iter().take_while(|other| !std::ptr::eq(*other, rule.lowered));
    let taken = |other: &Rule| {
        other.matches.iter().any(|one| match &one.path {
            None => true,
            Some(other) => may_take(other, &exact, below),
        })
    };
    // A condition may read the path, which is another one now.
    stays && (only_path || (one.when.is_none() && alone(program, rule) && !earlier.into_iter().any(taken)))
}

/// True if no other Route of the same owner may take a request first.
fn alone(program: &Program, rule: &RuleSite<'_>) -> bool {
    match &rule.site.owner {
        Owner::Service(_) => true,
        Owner::Gateway(name) => others(program, name, rule.routes).next().is_none(),
    }
}

/// False if a pattern surely does not match the path, or anything below it.
fn may_take(pattern: &PathPattern, exact: &str, below: bool) -> bool {
    let PathPattern::Segments { segments, below: tail } = pattern else { return true };
    if !below {
        return path::matches(pattern, exact);
    }
    let prefix: Vec<&str> = exact.split('/').skip(1).collect();
    let apart =
        segments.iter().zip(&prefix).any(|(own, text)| matches!(own, Segment::Literal(own) if own != text));
    !apart && (*tail || segments.len() >= prefix.len())
}

fn place(rule: &spec::Rule) -> Span {
    let redirect = rule.redirect.as_ref();
    let path = redirect.and_then(|r| r.path.as_ref().or(r.prefix.as_ref()).map(|path| path.span));
    let host = redirect.and_then(|r| r.host.as_ref().map(|host| host.span));
    let scheme = redirect.and_then(|r| r.scheme.as_ref().map(|scheme| scheme.span));
    let port = redirect.and_then(|r| r.port.as_ref().map(|port| port.span));
    path.or(host).or(scheme).or(port).unwrap_or(rule.name.span)
}
