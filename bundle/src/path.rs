//! Path patterns of routes and access entries, and their short text form.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pattern over normalised paths.
///
/// Written `/a` (exactly that), `/a/*` (`/a`, `/a/` and all below, by whole segments), with
/// `{id}` for one non-empty segment, or as a regular expression over the whole path (RE2
/// dialect, ASCII classes). `*` stands only at the end. Matching is case-sensitive.
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
        if text.len() > Self::MAX {
            return Err(PatternError::TooLong);
        }
        let rest = text.strip_prefix('/').ok_or(PatternError::NoSlash)?;
        if !text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'\\')) {
            return Err(PatternError::Character);
        }
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

    /// The pattern that matches every path: `/*`.
    #[must_use]
    pub fn any() -> Self {
        Self::Segments { segments: Vec::new(), below: true }
    }

    /// True for `/*`.
    #[must_use]
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Segments { segments, below: true } if segments.is_empty())
    }

    /// Whether every path that `inner` takes is one that this pattern takes. False where that is not known: between two
    /// different regular expressions.
    #[must_use]
    pub fn covers(&self, inner: &Self) -> bool {
        if self == inner || self.is_any() {
            return true;
        }
        let (Self::Segments { segments: a, below: wide }, Self::Segments { segments: b, below: tail }) =
            (self, inner)
        else {
            return false;
        };
        let fits = a.iter().zip(b).all(|(a, b)| match (a, b) {
            (Segment::Param(_), Segment::Param(_)) => true,
            (Segment::Param(_), Segment::Literal(text)) => !text.is_empty(),
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            (Segment::Literal(_), Segment::Param(_)) => false,
        });
        fits && if *wide { b.len() >= a.len() } else { a.len() == b.len() && !tail }
    }

    /// The names that the pattern binds, in order.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        let segments: &[Segment] = match self {
            Self::Segments { segments, .. } => segments,
            Self::Regex(_) => &[],
        };
        segments.iter().filter_map(|s| match s {
            Segment::Param(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// The literal text before the first parameter or `/*`, without a trailing slash, which `rewrite.prefix`
    /// replaces. `None` for a regular expression or where a parameter comes before the end.
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
            _ => None,
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regex(text) => write!(f, "regex:{text}"),
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
    Long(Long),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    regex: String,
}

impl TryFrom<Written> for PathPattern {
    type Error = PatternError;
    fn try_from(written: Written) -> Result<Self, PatternError> {
        match written {
            Written::Short(text) => Self::parse(&text),
            Written::Long(Long { regex }) => Ok(Self::Regex(regex)),
        }
    }
}

impl From<PathPattern> for Written {
    fn from(pattern: PathPattern) -> Self {
        match pattern {
            PathPattern::Regex(regex) => Self::Long(Long { regex }),
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
    fn a_pattern_covers_what_it_takes_whole() {
        let covers = |outer: &str, inner: &str| {
            PathPattern::parse(outer).unwrap().covers(&PathPattern::parse(inner).unwrap())
        };
        for (outer, inner) in
            [("/*", "/a/{x}"), ("/a/*", "/a"), ("/a/*", "/a/{x}/*"), ("/{x}", "/{y}"), ("/{x}", "/a")]
        {
            assert!(covers(outer, inner), "{outer} {inner}");
        }
        for (outer, inner) in
            [("/a", "/{x}"), ("/a", "/a/*"), ("/a/b/*", "/a/*"), ("/a", "/b"), ("/{x}", "/")]
        {
            assert!(!covers(outer, inner), "{outer} {inner}");
        }
        let regex = |text: &str| PathPattern::Regex(text.to_owned());
        assert!(PathPattern::any().covers(&regex("/a.*")) && regex("/a").covers(&regex("/a")));
        assert!(!regex("/a.*").covers(&regex("/ab")));
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
    }
}
