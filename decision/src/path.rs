//! Paths: the one canonical form that is matched, decided on, logged and sent upstream.
//!
//! RFC 3986 section 6.2.2 and 5.2.4, made strict: what servers read in different ways is
//! refused. Linear in the length of the path.

use std::borrow::Cow;

use mesh_bundle::program::{RewritePath, SlashMode};
use mesh_bundle::{PathPattern, limits};

/// The reason that a path has no canonical form; the answer is 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not start with `/`.
    #[error("the path does not start with `/`")]
    NotAbsolute,
    /// A control character, space, `\`, `#` or anything outside of ASCII.
    #[error("the path holds a character that must be escaped or is not allowed")]
    Character,
    /// `%` without two hexadecimal digits.
    #[error("the path holds a broken `%` escape")]
    Escape,
    /// An escaped control character, `%00` among them.
    #[error("the path holds an escaped control character")]
    EscapedControl,
    /// `%2F` or `%5C` where the service does not keep them.
    #[error("the path holds an escaped slash or backslash")]
    EscapedSlash,
    /// A character in more bytes than it needs (RFC 3629 section 3).
    #[error("the path holds overlong UTF-8")]
    Overlong,
    /// `.;` or `..;`, which some servers take for a dot segment.
    #[error("the path holds a dot segment with parameters")]
    DotParameter,
    /// Longer than the bound of a request head, or of a value once it is canonical.
    #[error("the path is too long")]
    TooLong,
    /// A rewrite whose seam makes a dot segment, which would lead out of what the rule wrote.
    #[error("the rewritten path has a dot segment at the seam")]
    Seam,
}

/// The canonical form of `raw`, a path without its query. Applying it twice changes nothing.
///
/// Bounds: [`limits::HEAD_BYTES`] as it came, [`limits::VALUE_BYTES`] as rules see it.
///
/// # Errors
/// [`PathError`]; the request is answered 400.
pub fn canonical(raw: &str, slashes: SlashMode) -> Result<Cow<'_, str>, PathError> {
    if raw.len() > limits::HEAD_BYTES {
        return Err(PathError::TooLong);
    }
    if !raw.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let mut previous = 0;
    let mut plain = true;
    for byte in raw.bytes() {
        if !byte.is_ascii_graphic() || matches!(byte, b'\\' | b'#' | b'?') {
            return Err(PathError::Character);
        }
        plain &= byte != b'%' && !(previous == b'/' && matches!(byte, b'/' | b'.'));
        previous = byte;
    }
    let path = if plain { Cow::Borrowed(raw) } else { Cow::Owned(remove_dots(&decode(raw, slashes)?)?) };
    if path.len() > limits::VALUE_BYTES { Err(PathError::TooLong) } else { Ok(path) }
}

/// Whether a canonical path has an escaped slash or backslash, which [`SlashMode::Keep`] leaves in.
#[must_use]
pub fn has_escaped_slash(path: &str) -> bool {
    path.as_bytes().windows(3).any(|escape| matches!(escape, b"%2F" | b"%5C"))
}

/// Decodes unreserved characters once and writes what stays escaped in upper case.
fn decode(raw: &str, slashes: SlashMode) -> Result<String, PathError> {
    let mut out = String::with_capacity(raw.len());
    let mut before = 0;
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let lead: u8 = std::mem::take(&mut before);
        if byte != b'%' {
            out.push(char::from(byte));
            continue;
        }
        let high = bytes.next().and_then(hex).ok_or(PathError::Escape)?;
        let low = bytes.next().and_then(hex).ok_or(PathError::Escape)?;
        let value = high * 16 + low;
        match value {
            0..=0x1f | 0x7f => return Err(PathError::EscapedControl),
            b'/' | b'\\' if slashes == SlashMode::Reject => return Err(PathError::EscapedSlash),
            0xc0 | 0xc1 => return Err(PathError::Overlong),
            0x80..=0x9f if lead == 0xe0 => return Err(PathError::Overlong),
            0x80..=0x8f if lead == 0xf0 => return Err(PathError::Overlong),
            _ => {}
        }
        before = value;
        if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(value));
        } else {
            out.push('%');
            for digit in [value >> 4, value & 15] {
                out.push(char::from(if digit < 10 { b'0' + digit } else { b'A' + digit - 10 }));
            }
        }
    }
    Ok(out)
}

/// Collapses slashes and removes dot segments, clamped at the root.
fn remove_dots(path: &str) -> Result<String, PathError> {
    let mut kept: Vec<&str> = Vec::new();
    let mut folder = true;
    for segment in path.split('/') {
        folder = true;
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ if segment.starts_with(".;") || segment.starts_with("..;") => {
                return Err(PathError::DotParameter);
            }
            _ => {
                kept.push(segment);
                folder = false;
            }
        }
    }
    let mut out = String::with_capacity(path.len());
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if folder {
        out.push('/');
    }
    Ok(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Rewrites a canonical `path` that matched `pattern`. `rewrite.prefix` replaces the literal
/// part before `/*`, with one `/` at the seam; or the text of a plain prefix as it stands, as Envoy's
/// `prefix_rewrite` does. The result is canonical again.
///
/// # Errors
/// [`PathError`] when the result has no canonical form.
pub fn rewrite(
    path: &str,
    pattern: Option<&PathPattern>,
    change: &RewritePath,
    slashes: SlashMode,
) -> Result<String, PathError> {
    let changed = match (change, pattern) {
        (RewritePath::Full(full), _) => full.clone(),
        (RewritePath::Prefix(prefix), Some(PathPattern::Prefix(text))) => {
            return replace_text(path, text, prefix, slashes);
        }
        (RewritePath::Prefix(prefix), _) => {
            let literal = pattern.and_then(PathPattern::literal_prefix).unwrap_or_default();
            let rest = path.strip_prefix(literal.as_str()).unwrap_or(path);
            let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
            if rest.is_empty() {
                if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() }
            } else {
                format!("{prefix}/{}", rest.strip_prefix('/').unwrap_or(rest))
            }
        }
    };
    Ok(canonical(&changed, slashes)?.into_owned())
}

/// Replaces the text that `path` begins with. Two slashes at the seam are one. What follows may be any text, so that
/// `/a/` in place of `/b` makes a dot segment of `/b../c`: such a result is refused, not normalised.
fn replace_text(path: &str, text: &str, with: &str, slashes: SlashMode) -> Result<String, PathError> {
    let rest = path.strip_prefix(text).unwrap_or(path);
    let rest = if with.ends_with('/') { rest.strip_prefix('/').unwrap_or(rest) } else { rest };
    let changed = format!("{with}{rest}");
    if canonical(&changed, slashes)? == changed { Ok(changed) } else { Err(PathError::Seam) }
}

/// The segment that `pattern` binds to `name` in a canonical `path` that it matches.
#[must_use]
pub fn param<'p>(pattern: &PathPattern, path: &'p str, name: &str) -> Option<&'p str> {
    let PathPattern::Segments { segments, .. } = pattern else {
        return None;
    };
    let at = segments
        .iter()
        .position(|s| matches!(s, mesh_bundle::path::Segment::Param(known) if known == name))?;
    path.split('/').nth(at + 1)
}

/// True if the canonical `path` matches a pattern of segments or a plain prefix; a regular expression never does
/// here (it is compiled elsewhere).
#[must_use]
pub fn matches(pattern: &PathPattern, path: &str) -> bool {
    let (segments, below) = match pattern {
        PathPattern::Segments { segments, below } => (segments, below),
        PathPattern::Prefix(text) => return path.starts_with(text.as_str()),
        PathPattern::Regex(_) => return false,
    };
    if segments.is_empty() {
        return *below || path == "/";
    }
    let mut parts = path.split('/').skip(1);
    for segment in segments {
        let Some(part) = parts.next() else { return false };
        let fits = match segment {
            mesh_bundle::path::Segment::Literal(text) => text == part,
            mesh_bundle::path::Segment::Param(_) => !part.is_empty(),
        };
        if !fits {
            return false;
        }
    }
    *below || parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(raw: &str) -> Result<String, PathError> {
        canonical(raw, SlashMode::Reject).map(Cow::into_owned)
    }

    #[test]
    fn the_path_that_rules_see_is_bounded() {
        let path = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
        assert!(canonical(&path(limits::VALUE_BYTES), SlashMode::Keep).is_ok());
        assert_eq!(canonical(&path(limits::VALUE_BYTES + 1), SlashMode::Keep), Err(PathError::TooLong));
        let dots = format!("{}/admin", "/a/..".repeat(limits::VALUE_BYTES / 2));
        assert_eq!(canonical(&dots, SlashMode::Keep).unwrap(), "/admin");
    }

    #[test]
    fn canonical_forms() {
        for (raw, form) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/public/%2e%2E/admin", "/admin"),
            ("//admin//x", "/admin/x"),
            ("/admin/.", "/admin/"),
            ("/admin/..", "/"),
            ("/../..", "/"),
            ("/%252e%252e/admin", "/%252e%252e/admin"),
            ("/public;/../admin", "/admin"),
            ("/%ef%bc%8fadmin", "/%EF%BC%8Fadmin"),
            ("/public/....//admin", "/public/..../admin"),
            ("/%7eadmin", "/~admin"),
            ("/a;x=1/", "/a;x=1/"),
            ("/.well-known/x", "/.well-known/x"),
        ] {
            assert_eq!(of(raw).as_deref(), Ok(form), "{raw}");
        }
    }

    #[test]
    fn refusals() {
        for (raw, error) in [
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("/%2fa", PathError::EscapedSlash),
            ("/%5ca", PathError::EscapedSlash),
            ("/a\\b", PathError::Character),
            ("/a b", PathError::Character),
            ("/a#b", PathError::Character),
            ("/\u{2025}", PathError::Character),
            ("/%00", PathError::EscapedControl),
            ("/%0d%0a", PathError::EscapedControl),
            ("/%zz", PathError::Escape),
            ("/%2", PathError::Escape),
            ("/%u002f", PathError::Escape),
            ("/%c0%ae", PathError::Overlong),
            ("/%e0%80%ae", PathError::Overlong),
            ("/%f0%80%80%ae", PathError::Overlong),
            ("/a/..;/b", PathError::DotParameter),
            ("/.;x", PathError::DotParameter),
        ] {
            assert_eq!(of(raw), Err(error), "{raw}");
        }
        assert_eq!(canonical("/%2fa", SlashMode::Keep).unwrap(), "/%2Fa");
    }

    #[test]
    fn rewrites_keep_one_slash_at_the_seam() {
        let pattern = PathPattern::parse("/api/orders/*").unwrap();
        for (path, prefix, result) in [
            ("/api/orders/5", "/orders", "/orders/5"),
            ("/api/orders", "/orders", "/orders"),
            ("/api/orders/", "/orders", "/orders/"),
            ("/api/orders/5", "/", "/5"),
            ("/api/orders", "/", "/"),
            ("/api/orders/5", "/x/", "/x/5"),
        ] {
            let change = RewritePath::Prefix(prefix.into());
            assert_eq!(rewrite(path, Some(&pattern), &change, SlashMode::Reject).as_deref(), Ok(result));
        }
    }

    #[test]
    fn rewrites_replace_a_plain_prefix_as_it_stands() {
        for (text, with, path, result) in [
            ("/foo", "/x", "/foo", Ok("/x")),
            ("/foo", "/x", "/foobar", Ok("/xbar")),
            ("/foo", "/x", "/foo/bar", Ok("/x/bar")),
            ("/foo", "/", "/foo", Ok("/")),
            ("/foo", "/", "/foo/bar", Ok("/bar")),
            ("/foo", "/", "/foobar", Ok("/bar")),
            ("/foo", "/x/", "/foo/", Ok("/x/")),
            ("/foo/", "/x", "/foo/bar", Ok("/xbar")),
            ("/foo/", "/x/", "/foo/bar", Ok("/x/bar")),
            ("/", "/x/", "/bar", Ok("/x/bar")),
            ("/foo", "/x/", "/foo../admin", Err(PathError::Seam)),
            ("/foo", "/", "/foo./admin", Err(PathError::Seam)),
            ("/foo", "/", "/foo..;/admin", Err(PathError::DotParameter)),
            ("/foo", "/x", "/foo../admin", Ok("/x../admin")),
        ] {
            let (pattern, change) = (PathPattern::prefix(text).unwrap(), RewritePath::Prefix(with.into()));
            let got = rewrite(path, Some(&pattern), &change, SlashMode::Reject);
            assert_eq!(got.as_deref().map_err(|e| *e), result, "{text} {with} {path}");
        }
    }

    #[test]
    fn a_plain_prefix_takes_any_text_after_it() {
        let takes = |text: &str, path: &str| matches(&PathPattern::prefix(text).unwrap(), path);
        assert!(takes("/foo", "/foo") && takes("/foo", "/foobar") && takes("/foo", "/foo/bar"));
        assert!(!takes("/foo", "/fo") && !takes("/foo", "/Foo") && !takes("/foo", "/a/foo"));
        assert!(takes("/foo/", "/foo/") && !takes("/foo/", "/foo") && takes("/", "/"));
    }

    #[test]
    fn patterns_match_by_whole_segments() {
        for (pattern, path, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a/*", "/a", true),
            ("/a/*", "/a/", true),
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/ab", false),
            ("/", "/", true),
            ("/", "/a", false),
            ("/*", "/", true),
            ("/{id}", "/x", true),
            ("/{id}", "/", false),
            ("/orders/{id}/refund", "/orders/5/refund", true),
            ("/orders/{id}/refund", "/orders//refund", false),
        ] {
            assert_eq!(matches(&PathPattern::parse(pattern).unwrap(), path), expected, "{pattern} {path}");
        }
        let pattern = PathPattern::parse("/orders/{id}/refund").unwrap();
        assert_eq!(param(&pattern, "/orders/5/refund", "id"), Some("5"));
    }

    proptest! {
        #[test]
        fn twice_changes_nothing(raw in "/([a./%;]|%2[eEfF5]|%C3%a9|//|\\.\\.){0,24}") {
            if let Ok(once) = of(&raw) {
                prop_assert_eq!(of(&once), Ok(once.clone()));
                prop_assert!(once.starts_with('/') && !once.contains("//"));
                prop_assert!(!once.split('/').any(|s| s == "." || s == ".."));
            }
        }

        #[test]
        fn a_rewritten_path_is_canonical_and_stays_below_what_was_written(
            text in "/[ab]{0,2}(/[ab]?)?",
            with in "/([ab]{1,2}/?)?",
            rest in "([ab./;]|%25){0,8}",
        ) {
            let path = format!("{text}{rest}");
            if canonical(&path, SlashMode::Reject).is_ok_and(|c| c == path) {
                let (pattern, change) = (PathPattern::prefix(&text).unwrap(), RewritePath::Prefix(with.clone()));
                if let Ok(changed) = rewrite(&path, Some(&pattern), &change, SlashMode::Reject) {
                    prop_assert!(changed.starts_with(&with), "{changed} {with}");
                    prop_assert_eq!(of(&changed), Ok(changed));
                }
            }
        }

        #[test]
        fn a_pattern_that_covers_another_takes_all_its_paths(
            outer in "(/(a|ab|\\{x\\})){0,2}(/\\*|/)?|p(/[ab]{0,2}){1,2}",
            inner in "(/(a|ab|\\{x\\})){0,2}(/\\*|/)?|p(/[ab]{0,2}){1,2}",
            paths in prop::collection::vec("(/(a|b|ab|aab)){0,3}/?", 1..16),
        ) {
            let read = |text: &str| match text.strip_prefix('p') {
                Some(text) => PathPattern::prefix(text).ok(),
                None => PathPattern::parse(text).ok(),
            };
            if let (Some(outer), Some(inner)) = (read(&outer), read(&inner))
                && outer.covers(&inner)
            {
                for path in paths.iter().filter(|path| !path.is_empty() && matches(&inner, path)) {
                    prop_assert!(matches(&outer, path), "{outer} {inner} {path}");
                }
            }
        }

        #[test]
        fn the_fast_way_is_the_slow_way(raw in "/[a-c./;~-]{0,16}") {
            let slow = decode(&raw, SlashMode::Reject).and_then(|d| remove_dots(&d));
            prop_assert_eq!(of(&raw), slow);
        }
    }
}
