//! One text that a regular expression matches, made up from its parts: most questions need no more.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Longest text that is made up for an example, in bytes.
pub const LONGEST: usize = 1 << 10;

/// A text that a regular expression should match as a whole: the first alternative, repetitions as few as may be. What
/// it asks around its parts (`^`, `\b`) is not looked at.
#[must_use]
pub fn likely(regex: &str) -> Option<String> {
    text(&parsed(regex)?)
}

/// A text that a regular expression matches as a whole; `None` where that takes more than a look at its parts.
#[must_use]
pub fn certain(regex: &str) -> Option<String> {
    let parsed = parsed(regex)?;
    // Outside of ASCII a class of the dialect is about code points, and here about bytes.
    parsed.properties().look_set().is_empty().then(|| text(&parsed)).flatten().filter(|text| text.is_ascii())
}

fn parsed(regex: &str) -> Option<Hir> {
    ParserBuilder::new().unicode(false).utf8(false).nest_limit(100).build().parse(regex).ok()
}

fn text(hir: &Hir) -> Option<String> {
    let mut out = Vec::new();
    write(hir, &mut out)?;
    String::from_utf8(out).ok()
}

fn write(hir: &Hir, out: &mut Vec<u8>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(class) => {
            let ranges: Vec<(u8, u8)> = match class {
                Class::Bytes(class) => class.iter().map(|r| (r.start(), r.end())).collect(),
                Class::Unicode(class) => class
                    .iter()
                    .map(|r| (u8::try_from(r.start()).unwrap_or(0), u8::try_from(r.end()).unwrap_or(0x7e)))
                    .collect(),
            };
            // A letter or digit reads best, and is good in every place.
            let mut all = (b'a'..=b'z').chain(b'0'..=b'9').chain(b'!'..=b'~');
            out.push(all.find(|c| ranges.iter().any(|(start, end)| (start..=end).contains(&c)))?);
        }
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                write(&repetition.sub, out)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, out))?,
        HirKind::Alternation(parts) => write(parts.first()?, out)?,
    }
    (out.len() <= LONGEST).then_some(())
}

#[cfg(test)]
mod tests {
    use mesh_decision::regex::Pattern;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_certain_text_is_matched() {
        for (regex, text) in [
            ("/v[0-9]+/(a|b)/[^/]+", Some("/v0/a/a")),
            ("(?i)ABC", Some("abc")),
            (r"[^a-z]\d?\W", Some("0!")),
            ("^/a$", None),
            (r"a\b", None),
            ("é", None),
            ("(", None),
        ] {
            assert_eq!(certain(regex).as_deref(), text, "{regex}");
            assert!(
                certain(regex).is_none_or(|text| Pattern::whole(regex).unwrap().is_match(&text)),
                "{regex}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_the_expression(regex in "([ab.]|a\\*|\\(b\\|a\\)|\\[\\^a-z\\]|\\\\[wWdDsS]|\\(\\?i\\)|[a-z]\\{2,3\\}|é){0,6}") {
            if let (Some(text), Ok(pattern)) = (certain(&regex), Pattern::whole(&regex)) {
                prop_assert!(pattern.is_match(&text), "{regex} on {text:?}");
            }
        }
    }
}
