//! A text that a regular expression takes.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Longest text that is made up for an example, in bytes.
pub(super) const LONGEST: usize = 1 << 10;

/// A text that a regular expression takes as a whole: the first alternative, repetitions as few as may be.
pub(super) fn matching(regex: &str) -> Option<String> {
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).nest_limit(100).build();
    let mut out = Vec::new();
    write(&parser.parse(regex).ok()?, &mut out)?;
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
