//! Path patterns of routes and access entries, and their short text form.

mod cover;

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pattern over normalised paths.
///
/// Written `/a` (exactly that), `/a/*` (`/a`, `/a/` and all below, by whole segments), with
/// `{id}` for one non-empty segment; or as a plain text that paths begin with; or as a regular
/// expression over the whole path (RE2 dialect, ASCII classes). `*` stands only at the end.
/// Matching is case-sensitive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum PathPattern {
    /// Segments after the leading `/`, in order.
    Segments {
        /// The segments; a trailing slash is a last empty literal.
        segments: Vec<Segment>,
        /// True for a trailing `/*`.
        below: bool,
    },
    /// A regular expression that must match the whole path.
    Regex(String),
    /// The text that paths begin with, whatever follows: `/foo` takes `/foobar` too, as `prefix` does in Envoy.
    /// Requires [`crate::features::PATH_PREFIX`].
    Prefix(String),
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A literal segment, matched byte by byte.
    Literal(String),
    /// A parameter: one non-empty segment, bound to this name.
    Param(String),
}

/// The rule of the short form that a text breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// No `/` at the start.
    #[error("a path starts with `/`")]
    NoSlash,
    /// `*` elsewhere than as the whole last segment.
    #[error("`*` stands only at the end, as `/*`")]
    Star,
    /// Braces that hold no whole segment.
    #[error("`{{name}}` takes a whole segment, and its name is a word of letters, digits and `_`")]
    Param,
    /// One parameter name twice.
    #[error("parameter `{0}` stands twice in one path")]
    DuplicateParam(String),
    /// A character that no normalised path holds.
    #[error("a path holds printable ASCII without `?`, `#`, `\\` and spaces")]
    Character,
    /// Longer than 8 KiB.
    #[error("a path has at most 8192 bytes")]
    TooLong,
}

impl PathPattern {
    /// Longest pattern in bytes.
    pub const MAX: usize = 8 << 10;

    /// Reads the short form (`/a/{id}/*`).
    ///
    /// # Errors
    /// [`PatternError`] says which rule of the form is broken. Whether the literal parts are
    /// in normal form is the compiler's check, since normalising is a rule of `decision`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let rest = after_slash(text)?;
        let mut segments = Vec::new();
        let mut parts = rest.split('/').peekable();
        let mut seen: Vec<String> = Vec::new();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            if part == "*" && last {
                return Ok(Self::Segments { segments, below: true });
            }
            if part.contains('*') {
                return Err(PatternError::Star);
            }
            if part.contains(['{', '}']) {
                let name =
                    part.strip_prefix('{').and_then(|p| p.strip_suffix('}')).ok_or(PatternError::Param)?;
                if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    return Err(PatternError::Param);
                }
                if seen.iter().any(|s| s == name) {
                    return Err(PatternError::DuplicateParam(name.to_owned()));
                }
                seen.push(name.to_owned());
                segments.push(Segment::Param(name.to_owned()));
            } else {
                segments.push(Segment::Literal(part.to_owned()));
            }
        }
        if matches!(segments.as_slice(), [Segment::Literal(only)] if only.is_empty()) {
            segments.clear();
            return Ok(Self::Segments { segments, below: false });
        }
        Ok(Self::Segments { segments, below: false })
    }

    /// The pattern of all paths that begin with `text`.
    ///
    /// # Errors
    /// [`PatternError`] where no canonical path begins so, for its first or any other character, or where the text is
    /// too long.
    pub fn prefix(text: &str) -> Result<Self, PatternError> {
        after_slash(text)?;
        Ok(Self::Prefix(text.to_owned()))
    }

    /// The pattern that matches every path: `/*`.
    #[must_use]
    pub fn any() -> Self {
        Self::Segments { segments: Vec::new(), below: true }
    }

    /// The names that the pattern binds, in order.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        let segments: &[Segment] = match self {
            Self::Segments { segments, .. } => segments,
            Self::Regex(_) | Self::Prefix(_) => &[],
        };
        segments.iter().filter_map(|s| match s {
            Segment::Param(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// The text that `rewrite.prefix` replaces: what comes before `/*`, or the whole of a plain prefix. `None` for an
    /// exact path, a regular expression, and where a parameter comes before the end.
    #[must_use]
    pub fn literal_prefix(&self) -> Option<String> {
        match self {
            Self::Segments { segments, below: true } => {
                let mut text = String::new();
                for segment in segments {
                    match segment {
                        Segment::Literal(part) => {
                            text.push('/');
                            text.push_str(part);
                        }
                        Segment::Param(_) => return None,
                    }
                }
                Some(text)
            }
            Self::Prefix(text) => Some(text.clone()),
            Self::Segments { below: false, .. } | Self::Regex(_) => None,
        }
    }
}

/// What follows the first slash of a text that a canonical path may begin with.
fn after_slash(text: &str) -> Result<&str, PatternError> {
    if text.len() > PathPattern::MAX {
        return Err(PatternError::TooLong);
    }
    let rest = text.strip_prefix('/').ok_or(PatternError::NoSlash)?;
    let fits = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'\\');
    if text.bytes().all(fits) { Ok(rest) } else { Err(PatternError::Character) }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regex(text) => write!(f, "regex:{text}"),
            Self::Prefix(text) => write!(f, "prefix:{text}"),
            Self::Segments { segments, below } => {
                for segment in segments {
                    match segment {
                        Segment::Literal(text) => write!(f, "/{text}")?,
                        Segment::Param(name) => write!(f, "/{{{name}}}")?,
                    }
                }
                match (below, segments.is_empty()) {
                    (true, _) => f.write_str("/*"),
                    (false, true) => f.write_str("/"),
                    (false, false) => Ok(()),
                }
            }
        }
    }
}

/// The pattern as serialised.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Short(String),
    Regex(Regex),
    Prefix(Prefix),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Regex {
    regex: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prefix {
    prefix: String,
}

impl TryFrom<Written> for PathPattern {
    type Error = PatternError;
    fn try_from(written: Written) -> Result<Self, PatternError> {
        match written {
            Written::Short(text) => Self::parse(&text),
            Written::Regex(Regex { regex }) => Ok(Self::Regex(regex)),
            Written::Prefix(Prefix { prefix }) => Self::prefix(&prefix),
        }
    }
}

impl From<PathPattern> for Written {
    fn from(pattern: PathPattern) -> Self {
        match pattern {
            PathPattern::Regex(regex) => Self::Regex(Regex { regex }),
            PathPattern::Prefix(prefix) => Self::Prefix(Prefix { prefix }),
            short => Self::Short(short.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_what_they_write() {
        for text in
            ["/", "/*", "/a", "/a/", "/a/*", "/{id}", "/orders/{id}/refund", "/a/{x}/b/{y}/*", "/a;v=1"]
        {
            assert_eq!(PathPattern::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn long_forms_are_read_as_they_are_written() {
        for text in [r#"{"prefix":"/foo"}"#, r#"{"regex":"/v[0-9]+"}"#, r#""/a/*""#] {
            let pattern: PathPattern = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&pattern).unwrap(), text);
        }
        for text in [r#"{"prefix":"foo"}"#, r#"{"prefix":"/a?b"}"#, r#"{"prefix":"/a","regex":"/a"}"#, "{}"] {
            assert!(serde_json::from_str::<PathPattern>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn patterns_refuse_in_words() {
        for (text, error) in [
            ("a", PatternError::NoSlash),
            ("", PatternError::NoSlash),
            ("/*/a", PatternError::Star),
            ("/a*", PatternError::Star),
            ("/{}", PatternError::Param),
            ("/x{id}", PatternError::Param),
            ("/{a}/{a}", PatternError::DuplicateParam("a".into())),
            ("/a?b", PatternError::Character),
            ("/é", PatternError::Character),
        ] {
            assert_eq!(PathPattern::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_prefix_is_what_rewrites_replace() {
        assert_eq!(PathPattern::parse("/api/orders/*").unwrap().literal_prefix().unwrap(), "/api/orders");
        assert_eq!(PathPattern::parse("/*").unwrap().literal_prefix().unwrap(), "");
        assert_eq!(PathPattern::parse("/{a}/*").unwrap().literal_prefix(), None);
        assert_eq!(PathPattern::prefix("/api/o").unwrap().literal_prefix().unwrap(), "/api/o");
    }
}
