//! Suppression comments: `# meshc: allow MC2001 until 2026-12-31 -- reason`.

use super::{CheckDay, Code, Date, Diagnostic, Diagnostics, Sources, Span, codes, quoted};

/// A comment of a file: from `#` to the end of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// Place of the comment.
    pub span: Span,
    /// Whether only spaces stand before it on its line.
    pub own_line: bool,
}

/// Result of applying suppressions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// Findings to be reported, those about the comments themselves included; sorted.
    pub remaining: Diagnostics,
    /// Findings that were suppressed, for those who count.
    pub suppressed: Diagnostics,
}

/// Applies the suppression comments among `comments`. `complete` says that all findings are known: a mesh that could not be
/// read as a whole may have more, so that no comment is without use.
///
/// A comment on a line of its own applies to the next line that is neither blank nor a comment, any other to its own
/// line. It takes all findings of its code whose primary place starts there. Findings about the comments themselves
/// cannot be suppressed.
pub fn suppress(
    found: Diagnostics,
    comments: &[Comment],
    sources: &Sources,
    day: CheckDay,
    complete: bool,
) -> Suppressed {
    let mut out = Suppressed::default();
    let mut allows = Vec::new();
    for comment in comments {
        match read(comment, sources) {
            None => {}
            Some(Err(finding)) => out.remaining.push(*finding),
            Some(Ok(allow)) => {
                if let Some(severity) = day.ended(allow.until) {
                    let message = format!("the suppression of {} ended on {}", allow.code, allow.until);
                    let finding = Diagnostic::new(codes::SUPPRESSION_EXPIRED, comment.span, message);
                    out.remaining.push(
                        finding.severity(severity).help("repair the finding, or agree on another date"),
                    );
                }
                if day.holds(allow.until) {
                    allows.push((allow, false));
                }
            }
        }
    }
    allows.sort_by_key(|(a, _)| (a.span.file, a.line, a.code));
    for finding in found {
        let span = finding.primary.span;
        let line = sources.position(span).line;
        let key = (span.file, line, finding.code);
        let mut hit = false;
        if finding.code.info().is_some_and(|info| info.suppressible) {
            let first = allows.partition_point(|(a, _)| (a.span.file, a.line, a.code) < key);
            for (_, used) in
                allows.iter_mut().skip(first).take_while(|(a, _)| (a.span.file, a.line, a.code) == key)
            {
                *used = true;
                hit = true;
            }
        }
        if hit {
            out.suppressed.push(finding);
        } else {
            out.remaining.push(finding);
        }
    }
    for (allow, _) in allows.iter().filter(|(_, used)| !used && complete) {
        out.remaining.push(
            Diagnostic::new(
                codes::SUPPRESSION_UNUSED,
                allow.span,
                format!("no finding {} on the line that this comment is about", allow.code),
            )
            .help("remove the comment"),
        );
    }
    out.remaining.sort(sources);
    out.suppressed.sort(sources);
    out
}

struct Allow {
    code: Code,
    until: Date,
    span: Span,
    /// The line it is about.
    line: u32,
}

/// `None` for a comment that is not addressed to meshc.
fn read(comment: &Comment, sources: &Sources) -> Option<Result<Allow, Box<Diagnostic>>> {
    let text = sources.slice(comment.span).trim_start_matches('#').trim();
    let body = text.strip_prefix("meshc:")?.trim();
    let wrong = |message: String| {
        Some(Err(Box::new(
            Diagnostic::new(codes::SUPPRESSION_FORM, comment.span, message)
                .help("write `# meshc: allow MC2001 until 2026-12-31 -- reason`"),
        )))
    };
    let (head, reason) = body.split_once("--").unwrap_or((body, ""));
    let words: Vec<&str> = head.split_whitespace().collect();
    let (code, until) = match words.as_slice() {
        ["allow", code, "until", until] => (*code, *until),
        ["allow", _] => {
            return wrong("the suppression has no end: `until` and a date are missing".to_owned());
        }
        _ => return wrong("a comment to meshc that it does not understand".to_owned()),
    };
    let Some(info) = Code::parse(code).and_then(Code::info) else {
        return wrong(format!("there is no code {}", quoted(code)));
    };
    if !info.suppressible {
        return wrong(format!("{} cannot be suppressed", info.code));
    }
    let Some(until) = Date::parse(until) else {
        return wrong(format!("{} is not a date like `2026-12-31`", quoted(until)));
    };
    if reason.trim().is_empty() {
        return wrong("the suppression gives no reason".to_owned());
    }
    let file = sources.file(comment.span.file)?;
    let mut line = file.line_of(comment.span.start);
    if comment.own_line {
        let blank = |line: u32| {
            let text = file.line(line).trim_start();
            text.is_empty() || text.starts_with('#')
        };
        line += 1;
        while line <= file.lines() && blank(line) {
            line += 1;
        }
    }
    Some(Ok(Allow { code: info.code, until, span: comment.span, line }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, finding_at: &str, code: Code, today: &str) -> Vec<(Code, String)> {
        let mut sources = Sources::new();
        let id = sources.add("a.yaml", text);
        let span = |words: &str| {
            let at = u32::try_from(text.find(words).unwrap()).unwrap();
            Span::new(id, at, at + u32::try_from(words.len()).unwrap())
        };
        let line = text.lines().find(|l| l.contains("# meshc")).unwrap();
        let own_line = line.starts_with('#');
        let words = line.get(line.find('#').unwrap()..).unwrap();
        let comment = Comment { span: span(words), own_line };
        let found = [Diagnostic::new(code, span(finding_at), "m")].into_iter().collect();
        let day = CheckDay { date: Date::parse(today), lenient: false };
        suppress(found, &[comment], &sources, day, true)
            .remaining
            .iter()
            .map(|d| (d.code, sources.slice(d.primary.span).to_owned()))
            .collect()
    }

    #[test]
    fn applies_to_the_next_line_that_says_something_or_its_own() {
        let above = "# meshc: allow MC1601 until 2026-12-31 -- a test key\n\n# more\nx: bad\n";
        assert_eq!(run(above, "bad", codes::SECRET, "2026-12-31"), []);
        let beside = "x: bad # meshc: allow MC1601 until 2026-12-31 -- a test key\n";
        assert_eq!(run(beside, "bad", codes::SECRET, "2026-01-01"), []);
    }

    #[test]
    fn expired_unused_and_malformed_ones_are_findings() {
        let text = "# meshc: allow MC1601 until 2026-12-31 -- why\nx: bad\n";
        let codes_of = |found: Vec<(Code, String)>| found.into_iter().map(|f| f.0).collect::<Vec<_>>();
        assert_eq!(
            codes_of(run(text, "bad", codes::SECRET, "2027-01-01")),
            [codes::SUPPRESSION_EXPIRED, codes::SECRET]
        );
        assert_eq!(
            codes_of(run(text, "bad", codes::EMPTY, "2026-01-01")),
            [codes::SUPPRESSION_UNUSED, codes::EMPTY]
        );
        for comment in [
            "# meshc: allow MC1601 until 2026-12-31",
            "# meshc: allow MC1601 until 2026-12-31 -- ",
            "# meshc: allow MC1601 -- why",
            "# meshc: allow MC1601 until soon -- why",
            "# meshc: allow MC9999 until 2026-12-31 -- why",
            "# meshc: allow MC1001 until 2026-12-31 -- why",
            "# meshc: alow MC1601 until 2026-12-31 -- why",
        ] {
            let found = run(&format!("{comment}\nx: bad\n"), "bad", codes::SECRET, "2026-01-01");
            assert_eq!(
                found.first().map(|f| (f.0, f.1.trim())),
                Some((codes::SUPPRESSION_FORM, comment.trim()))
            );
        }
    }
}
