//! Findings beside a secret must not quote it.

use mesh_compiler::diag::{Diagnostic, Diagnostics, Sources, Span};

/// Texts shorter than this are not looked for in messages: they would be found in ordinary words.
const SHORTEST: usize = 6;
/// Text that replaces a secret.
const MASK: &str = "***";

/// Takes the words of secrets out of all findings: a finding at the same words keeps only what its code says, and
/// elsewhere the words themselves are masked.
pub fn redact(findings: Diagnostics, sources: &Sources) -> Diagnostics {
    let places: Vec<Span> = findings.iter().filter(|d| d.redact).map(|d| d.primary.span).collect();
    if places.is_empty() {
        return findings;
    }
    let words: Vec<&str> = places.iter().map(|s| sources.slice(*s).trim_matches(['"', '\''])).collect();
    let words: Vec<&str> = words.into_iter().filter(|w| w.len() >= SHORTEST).collect();
    let clean = |text: &mut String| {
        for word in &words {
            if text.contains(word) {
                *text = text.replace(word, MASK);
            }
        }
    };
    let mut out = Diagnostics::new();
    for mut finding in findings {
        if !finding.redact && places.iter().any(|place| overlap(*place, finding.primary.span)) {
            bare(&mut finding);
        }
        clean(&mut finding.message);
        clean(&mut finding.primary.text);
        finding.labels.iter_mut().for_each(|label| clean(&mut label.text));
        finding.helps.iter_mut().for_each(clean);
        finding.notes.iter_mut().for_each(clean);
        let mut edits = finding.fix.iter().flat_map(|fix| &fix.edits);
        if edits.any(|edit| words.iter().any(|word| edit.replacement.contains(word))) {
            finding.fix = None;
        }
        out.push(finding);
    }
    out
}

/// The finding with nothing but its code's words.
fn bare(finding: &mut Diagnostic) {
    let title = finding.code.info().map_or("this cannot be shown", |info| info.title);
    finding.message = title.to_owned();
    finding.primary.text = String::new();
    finding.labels.iter_mut().for_each(|label| label.text = String::new());
    finding.helps = Vec::new();
    finding.notes = Vec::new();
    finding.fix = None;
    finding.redact = true;
}

fn overlap(a: Span, b: Span) -> bool {
    a.file == b.file && a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use mesh_compiler::diag::codes;

    use super::*;

    #[test]
    fn no_finding_quotes_a_secret() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "owner: hunter2-hunter2\nx: hunter2-hunter2\n");
        let at = |start, end| Span::new(file, start, end);
        let findings = [
            Diagnostic::new(codes::SECRET, at(7, 22), "a password").redacted(),
            Diagnostic::new(codes::BAD_NAME, at(7, 22), "`hunter2-hunter2` is not a name").help("hunter2"),
            Diagnostic::new(codes::BAD_NAME, at(26, 41), "`hunter2-hunter2` is not a name")
                .at("hunter2-hunter2"),
        ];
        let redacted = redact(findings.into_iter().collect(), &sources);
        assert_eq!(redacted.len(), 3);
        for finding in &redacted {
            assert!(!format!("{finding:?}").contains("hunter2"), "{finding:?}");
        }
    }
}
