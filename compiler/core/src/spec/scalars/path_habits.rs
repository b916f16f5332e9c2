//! Paths in the style of other tools: what to write instead.

use crate::re2::elsewhere;

/// What was meant by a path in the style of another tool, in words for a help.
///
/// `is_path` says what is a path here.
pub(super) fn suggest(text: &str, is_path: fn(&str) -> bool) -> Option<String> {
    let text = text
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
        .unwrap_or(text);
    if let Some((path, query)) =
        text.split_once('?').filter(|(path, query)| is_path(path) && !query.contains(['(', '*', '?']))
    {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}: {value:?}")).collect();
        return Some(format!(
            "a path has no query: write `path: {path}` and `query: {{ {} }}`",
            pairs.join(", ")
        ));
    }
    // `:id` of web frameworks and `**` of globs.
    let segments = text.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    let plain = segments.collect::<Vec<_>>().join("/").replace("/**", "/*");
    if plain != text && is_path(&plain) {
        return Some(format!("write `{plain}`"));
    }
    if let Some(name) = named_tail(text, is_path) {
        return Some(name);
    }
    // `/a*` of nginx and of Istio's prefixes; `/a/*/b`, where a segment is meant.
    if let Some(prefix) = text.strip_suffix('*').filter(|prefix| is_path(prefix) && !prefix.ends_with('/')) {
        return Some(format!(
            "`*` stands for whole segments: write `{prefix}/*`, or `{{ prefix: {prefix} }}` for all that begins so"
        ));
    }
    let stars = text.split('/').filter(|segment| *segment == "*").count();
    if stars > 0 && !text.contains(".*") {
        let mut number = 0;
        let last = text.split('/').count().saturating_sub(1);
        let named = text.split('/').enumerate().map(|(at, segment)| match segment {
            "*" if at < last => {
                number += 1;
                if stars == 1 || number == 1 { "{id}".to_owned() } else { format!("{{id{number}}}") }
            }
            other => other.to_owned(),
        });
        let named = named.collect::<Vec<_>>().join("/");
        if named != text && is_path(&named) {
            return Some(format!(
                "`*` stands at the end alone; one segment is a name in braces: write `{named}`"
            ));
        }
    }
    // A regular expression.
    if text.contains(['^', '$', '(', '[', '\\', '|', '+', '?']) || text.contains(".*") {
        let pattern = elsewhere::whole(text, true).unwrap_or_else(|| text.to_owned());
        return Some(format!(
            "a regular expression is written `path: {{ regex: '{}' }}`, and matches the whole path",
            pattern.replace('\'', "''")
        ));
    }
    None
}

/// `{id=*}`, `{id:[0-9]+}` and `<id>` as they are written here.
fn named_tail(text: &str, is_path: fn(&str) -> bool) -> Option<String> {
    let segments = text.split('/').map(|segment| {
        let inner = segment.strip_prefix(['{', '<']).and_then(|s| s.strip_suffix(['}', '>']));
        match inner.map(|inner| inner.split([':', '=']).next().unwrap_or(inner)) {
            Some(name) if !name.is_empty() => format!("{{{}}}", name.replace('-', "_")),
            _ => segment.to_owned(),
        }
    });
    let plain = segments.collect::<Vec<_>>().join("/");
    (plain != text && is_path(&plain)).then(|| format!("a segment with a name is written `{plain}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_path(text: &str) -> bool {
        <crate::spec::PathText as crate::spec::Scalar>::parse(text).is_some()
    }

    #[test]
    fn paths_of_other_tools() {
        for (text, help) in [
            ("/a/**", "write `/a/*`"),
            ("/orders/:id", "write `/orders/{id}`"),
            ("/a?b=1&c", "a path has no query: write `path: /a` and `query: { b: \"1\", c: \"\" }`"),
            (
                "/api*",
                "`*` stands for whole segments: write `/api/*`, or `{ prefix: /api }` for all that begins so",
            ),
            ("/a/*/b", "`*` stands at the end alone; one segment is a name in braces: write `/a/{id}/b`"),
            ("/u/{id:[0-9]+}", "a segment with a name is written `/u/{id}`"),
            (
                "^/v[12]/.*$",
                "a regular expression is written `path: { regex: '/v[12]/.*' }`, and matches the whole path",
            ),
            (
                "~ ^/old",
                "a regular expression is written `path: { regex: '/old.*' }`, and matches the whole path",
            ),
        ] {
            assert_eq!(suggest(text, is_path).as_deref(), Some(help), "{text}");
        }
        assert_eq!(suggest("/a b", is_path), None);
    }
}
