//! Words of other proxies' configuration that are taken literally here: variables, back references, patterns.

use crate::diag::{Diagnostic, Span, codes};
use crate::model::Model;
use crate::re2::elsewhere;
use crate::spec::{HeaderEdit, Match, PathMatch, Rule, ValueMatch};

/// Looks at the texts of all rules that were written by people: what an importer wrote says what its source said.
pub(super) fn check(model: &Model<'_>, findings: &mut Vec<Diagnostic>) {
    for (_, route) in model.routes().filter(|(object, _)| !model.is_generated(object)) {
        route.rules.iter().for_each(|rule| self::rule(rule, findings));
    }
}

fn rule(rule: &Rule, findings: &mut Vec<Diagnostic>) {
    rule.matches().iter().for_each(|one| matches(one, findings));
    let mut texts: Vec<(&str, Span)> = Vec::new();
    if let Some(rewrite) = &rule.rewrite {
        let paths = [&rewrite.prefix, &rewrite.path].into_iter().flatten();
        texts.extend(paths.map(|path| (path.as_str(), path.span)));
    }
    if let Some(redirect) = &rule.redirect {
        let paths = [&redirect.prefix, &redirect.path].into_iter().flatten();
        texts.extend(paths.map(|path| (path.as_str(), path.span)));
    }
    if let Some(respond) = &rule.respond {
        texts.extend(respond.headers.iter().map(|(_, value)| (value.as_str(), value.span)));
    }
    let edits = rule.headers.iter().flat_map(|headers| [&headers.request, &headers.response]).flatten();
    texts.extend(edits.flat_map(values));
    for (text, span) in texts {
        if let Some(variable) = variable(text) {
            let message = format!("`{variable}` is taken as it stands: texts have no variables");
            findings.push(Diagnostic::new(codes::TAKEN_LITERALLY, span, message).help(instead_of(variable)));
        }
    }
}

fn values(edit: &HeaderEdit) -> impl Iterator<Item = (&str, Span)> {
    edit.set.iter().chain(edit.add.iter()).map(|(_, value)| (value.as_str(), value.span))
}

fn matches(spec: &Match, findings: &mut Vec<Diagnostic>) {
    if let Some(PathMatch::Text(path)) = &spec.path {
        let colon = |segment: &&str| segment.len() > 1 && segment.starts_with(':');
        if let Some(segment) = path.as_str().split('/').find(colon) {
            let message = format!("the segment `{segment}` is taken as it stands");
            let name = segment.trim_start_matches(':').replace('-', "_");
            let written = path.as_str().replacen(segment, &format!("{{{name}}}"), 1);
            let help = format!("a segment that may be anything is a name in braces: `{written}`");
            findings.push(Diagnostic::new(codes::TAKEN_LITERALLY, path.span, message).help(help));
        }
    }
    let headers = spec.headers.iter().map(|(_, value)| value);
    let others = spec.query.iter().map(|(_, value)| value).chain(spec.cookies.iter().map(|(_, value)| value));
    for value in headers.chain(others) {
        let ValueMatch::Exact(text) = value else { continue };
        if let Some(written) = pattern(text.as_str()) {
            let message = format!("`{}` is compared as it stands", text.as_str());
            let help = format!("write `{written}`, or `{{ exact: '{}' }}` if it is meant so", text.as_str());
            findings.push(Diagnostic::new(codes::TAKEN_LITERALLY, text.span, message).help(help));
        }
    }
}

/// The first variable of a text: `$name` and `${name}` of nginx, `$1` of its patterns, `%NAME%` of Envoy, `{{ name }}` of
/// templates.
fn variable(text: &str) -> Option<&str> {
    for (at, c) in text.char_indices() {
        let rest = text.get(at..)?;
        let length = match c {
            '$' => dollar(rest.get(1..)?),
            '%' => percent(rest.get(1..)?),
            '{' if rest.starts_with("{{") => rest.find("}}").map(|end| end + 2),
            _ => None,
        };
        if let Some(found) = length.and_then(|length| rest.get(..length)) {
            return Some(found);
        }
    }
    None
}

/// Bytes of `$name` or `${name}`, from what follows the `$`.
fn dollar(name: &str) -> Option<usize> {
    if let Some(end) = name.strip_prefix('{').and_then(|inner| inner.find('}')) {
        return Some(end + 3);
    }
    let word = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
    (word > 0).then_some(word + 1)
}

/// Bytes of `%NAME%` or `%NAME(x)%`, from what follows the first `%`.
fn percent(name: &str) -> Option<usize> {
    let end = name.find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap_or(name.len());
    let rest = name.get(end..)?;
    let close = rest.find('%')?;
    (end >= 3 && rest.starts_with(['(', '%', ':'])).then_some(end + close + 2)
}

fn instead_of(variable: &str) -> String {
    let name = variable.trim_start_matches(['$', '{']).trim_end_matches('}');
    let number = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    if number {
        "there are no back references: `rewrite: { prefix: /new }` keeps what follows `/*` of the rule's path"
            .to_owned()
    } else {
        "write a text that is the same for every request, or leave the field out: a part that is not written stays as the request has it"
            .to_owned()
    }
}

/// A comparison by pattern that was written as a plain value.
fn pattern(text: &str) -> Option<String> {
    let quoted = |text: &str| text.replace('\'', "''");
    let pattern = elsewhere::whole(text, false);
    let like = text.contains(".*") || text.contains(".+") || text.contains("\\d");
    if let Some(pattern) = pattern.or_else(|| like.then(|| text.to_owned())) {
        return Some(format!("{{ regex: '{}' }}", quoted(&pattern)));
    }
    // Media ranges such as `text/*` are plain values.
    let plain = |text: &&str| !text.contains('/') && !text.is_empty();
    if text.matches('*').count() != 1 {
        return None;
    }
    let prefix =
        text.strip_suffix('*').filter(plain).map(|prefix| format!("{{ prefix: '{}' }}", quoted(prefix)));
    prefix.or_else(|| {
        text.strip_prefix('*').filter(plain).map(|suffix| format!("{{ suffix: '{}' }}", quoted(suffix)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_other_proxies() {
        for (text, found) in [
            ("/new/$1", "$1"),
            ("t=$msec", "$msec"),
            ("${host}/x", "${host}"),
            ("%REQ(X-ID)%", "%REQ(X-ID)%"),
            ("a %DOWNSTREAM_REMOTE_ADDRESS% b", "%DOWNSTREAM_REMOTE_ADDRESS%"),
            ("{{ .Values.x }}", "{{ .Values.x }}"),
        ] {
            assert_eq!(variable(text), Some(found), "{text}");
        }
        for text in ["5 $", "100%", "/a%20b", "50% off, 20% more", "{id}", "a%ABC"] {
            assert_eq!(variable(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_that_were_written_as_values() {
        assert_eq!(pattern("^v[12]$").as_deref(), Some("{ regex: 'v[12]' }"));
        assert_eq!(pattern("~* mobile").as_deref(), Some("{ regex: '(?i).*mobile.*' }"));
        assert_eq!(pattern("beta*").as_deref(), Some("{ prefix: 'beta' }"));
        for text in ["text/*", "*/*", "a.b", "*", "1.0", "gzip, deflate"] {
            assert_eq!(pattern(text), None, "{text}");
        }
    }
}
