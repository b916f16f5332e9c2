//! Patterns as other tools write them, which are looked for inside of a text: `~ ^/a`, `~* word`, `/word/i`, `^word$`.

/// The expression that takes the whole text where such a pattern is found in it; `None` for what is no such pattern.
///
/// In a `path`, slashes around the pattern are its own.
pub(crate) fn whole(text: &str, path: bool) -> Option<String> {
    let (flag, pattern, marked) = if let Some(pattern) = text.strip_prefix("~*") {
        ("(?i)", pattern.trim(), true)
    } else if let Some(pattern) = text.strip_prefix('~') {
        ("", pattern.trim(), true)
    } else {
        let inside = text.strip_prefix('/').filter(|_| !path);
        let sensitive = inside.and_then(|rest| rest.strip_suffix('/'));
        match (sensitive, inside.and_then(|rest| rest.strip_suffix("/i"))) {
            (Some(pattern), _) if looks_like_one(pattern) => ("", pattern, true),
            (_, Some(pattern)) if looks_like_one(pattern) => ("(?i)", pattern, true),
            _ => ("", text, false),
        }
    };
    let begins = pattern.starts_with('^');
    let ends = pattern.len() > 1 && pattern.ends_with('$') && !pattern.ends_with("\\$");
    if !(marked || begins || ends) {
        return None;
    }
    let inner = pattern.trim_start_matches('^');
    let inner = if ends { inner.strip_suffix('$').unwrap_or(inner) } else { inner };
    let inner = if inner.contains('|') && !(inner.starts_with('(') && inner.ends_with(')')) {
        format!("(?:{inner})")
    } else {
        inner.to_owned()
    };
    // A path begins with its slash.
    let open = begins || inner.starts_with(".*") || (path && inner.starts_with('/'));
    let (before, after) =
        (if open { "" } else { ".*" }, if ends || inner.ends_with(".*") { "" } else { ".*" });
    Some(format!("{flag}{before}{inner}{after}"))
}

/// Whether what stands between slashes is a pattern rather than a path.
fn looks_like_one(text: &str) -> bool {
    !text.contains('/') && !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_the_whole_text() {
        for (text, path, written) in [
            ("~ ^/v[0-9]+/", true, Some("/v[0-9]+/.*")),
            ("~* (android|iphone)", false, Some("(?i).*(android|iphone).*")),
            ("~* android|iphone", false, Some("(?i).*(?:android|iphone).*")),
            ("/.*Googlebot.*/", false, Some(".*Googlebot.*")),
            ("/bot/i", false, Some("(?i).*bot.*")),
            ("^v[12]$", false, Some("v[12]")),
            ("\\.php$", true, Some(".*\\.php")),
            ("/api/v1", false, None),
            ("/api/", true, None),
            ("v1", false, None),
        ] {
            assert_eq!(whole(text, path).as_deref(), written, "{text}");
        }
    }
}
