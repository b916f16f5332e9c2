//! Which patterns take all that another one takes.

use super::{PathPattern, Segment};

impl PathPattern {
    /// Whether every canonical path that `inner` takes is one that this pattern takes. False where that is not known:
    /// between a regular expression and anything but itself or all paths.
    #[must_use]
    pub fn covers(&self, inner: &Self) -> bool {
        if self == inner || self.is_any() {
            return true;
        }
        match (self, inner) {
            (Self::Segments { segments: a, below: wide }, Self::Segments { segments: b, below: tail }) => {
                let fits = a.iter().zip(b).all(|(a, b)| match (a, b) {
                    (Segment::Param(_), Segment::Param(_)) => true,
                    (Segment::Param(_), Segment::Literal(text)) => !text.is_empty(),
                    (Segment::Literal(a), Segment::Literal(b)) => a == b,
                    (Segment::Literal(_), Segment::Param(_)) => false,
                });
                fits && if *wide { b.len() >= a.len() } else { a.len() == b.len() && !tail }
            }
            (Self::Segments { segments, below: true }, Self::Prefix(text)) => takes_all_after(segments, text),
            (Self::Prefix(text), Self::Prefix(inner)) => inner.starts_with(text.as_str()),
            (Self::Prefix(text), Self::Segments { segments, .. }) => {
                common_text(segments).starts_with(text.as_str())
            }
            (Self::Segments { below: false, .. }, Self::Prefix(_))
            | (Self::Regex(_), _)
            | (_, Self::Regex(_)) => false,
        }
    }

    /// True for a pattern of all paths: `/*`, or the plain prefix `/`.
    fn is_any(&self) -> bool {
        match self {
            Self::Segments { segments, below } => *below && segments.is_empty(),
            Self::Prefix(text) => text == "/",
            Self::Regex(_) => false,
        }
    }
}

/// Whether `segments`, and all below them, take every path that begins with `text`. Its last segment may go on, so that
/// a literal must end before it; a parameter takes it whatever it becomes.
fn takes_all_after(segments: &[Segment], text: &str) -> bool {
    let mut parts = text.split('/').skip(1).peekable();
    segments.iter().all(|segment| {
        let Some(part) = parts.next() else { return false };
        match segment {
            Segment::Literal(literal) => literal == part && parts.peek().is_some(),
            Segment::Param(_) => !part.is_empty(),
        }
    })
}

/// The longest text that all paths of a pattern begin with.
fn common_text(segments: &[Segment]) -> String {
    if segments.is_empty() {
        return "/".to_owned();
    }
    let mut text = String::new();
    for segment in segments {
        text.push('/');
        match segment {
            Segment::Literal(literal) => text.push_str(literal),
            Segment::Param(_) => return text,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Short forms, `prefix:TEXT` and `regex:TEXT`.
    fn pattern(text: &str) -> PathPattern {
        if let Some(text) = text.strip_prefix("prefix:") {
            return PathPattern::prefix(text).unwrap();
        }
        match text.strip_prefix("regex:") {
            Some(regex) => PathPattern::Regex(regex.to_owned()),
            None => PathPattern::parse(text).unwrap(),
        }
    }

    #[test]
    fn a_pattern_covers_what_it_takes_whole() {
        for (outer, inner) in [
            ("/*", "/a/{x}"),
            ("/a/*", "/a"),
            ("/a/*", "/a/{x}/*"),
            ("/{x}", "/{y}"),
            ("/{x}", "/a"),
            ("/*", "regex:/a.*"),
            ("regex:/a", "regex:/a"),
            ("/*", "prefix:/a"),
            ("prefix:/", "/*"),
            ("prefix:/", "regex:/a.*"),
            ("prefix:/a", "/a/*"),
            ("prefix:/a", "/ab/{x}"),
            ("prefix:/a/", "/a/{x}"),
            ("prefix:/a", "prefix:/ab"),
            ("/a/*", "prefix:/a/"),
            ("/a/*", "prefix:/a/b"),
            ("/a/{x}/*", "prefix:/a/b"),
        ] {
            assert!(pattern(outer).covers(&pattern(inner)), "{outer} {inner}");
        }
        for (outer, inner) in [
            ("/a", "/{x}"),
            ("/a", "/a/*"),
            ("/a/b/*", "/a/*"),
            ("/a", "/b"),
            ("/{x}", "/"),
            ("regex:/a.*", "regex:/ab"),
            ("prefix:/a", "regex:/ab"),
            ("/a/*", "prefix:/a"),
            ("/a/{x}/*", "prefix:/a/"),
            ("/a", "prefix:/a"),
            ("prefix:/a/", "/a/*"),
            ("prefix:/a/b", "/a/{x}"),
            ("prefix:/ab", "prefix:/a"),
            ("regex:/a.*", "prefix:/a"),
        ] {
            assert!(!pattern(outer).covers(&pattern(inner)), "{outer} {inner}");
        }
    }
}
