//! Findings for people: the lines, and carets under the exact words.

use std::fmt;

use mesh_compiler::diag::{Diagnostic, Severity, Span};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles};

use super::findings::Findings;
use super::plain;
use super::source::{Joined, Shown};
use crate::look::Look;
use crate::text::{clean, clean_lines};

/// Bytes of a line past which it is not drawn: carets under what nobody can see help nobody.
const LINE: usize = 400;

/// Columns from which on lines are shown whole, however long.
const NARROW: usize = 80;

/// Columns before a source line.
const MARGIN: usize = 8;

/// A drawing a finding, then the summary.
pub(super) fn render(findings: &Findings<'_>, look: Look) -> String {
    let shown = Shown::new(findings.sources, &findings.list);
    let handler = handler(look);
    let mut out = String::new();
    for finding in &findings.list {
        let drawn = Drawn::new(findings, finding, &shown, look);
        let mut text = String::new();
        if handler.render_report(&mut text, &drawn).is_err() {
            // A drawing that fails must not hide the finding.
            let alone = Findings { list: vec![finding], notes: &[], ..*findings };
            text = plain::render(&alone);
        }
        out.push_str(&text);
        for note in &finding.notes {
            let note = clean_lines(note).replace('\n', "\n        ");
            out.push_str(&format!("  {} {note}\n", look.paint("note:", owo_colors::Style::new().cyan())));
        }
        out.push('\n');
    }
    let summary = findings.summary(look);
    let summary = match findings.count(Severity::Error) {
        0 if findings.list.is_empty() => look.good(&summary),
        0 => look.changed(&summary),
        _ => look.bad(&summary),
    };
    out.push_str(&summary);
    out.push('\n');
    out
}

fn handler(look: Look) -> GraphicalReportHandler {
    let theme = if look.fancy {
        GraphicalTheme { characters: ThemeCharacters::unicode(), styles: ThemeStyles::ansi() }
    } else {
        GraphicalTheme { characters: ThemeCharacters::ascii(), styles: ThemeStyles::none() }
    };
    GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_urls(true)
        .with_width(look.width)
        .with_break_words(false)
        .with_context_lines(1)
        .without_syntax_highlighting()
}

/// One finding as miette draws it.
struct Drawn<'a> {
    finding: &'a Diagnostic,
    source: Option<Joined<'a>>,
    /// `path:line:col` of a finding that has no drawing.
    place: Option<String>,
}

impl<'a> Drawn<'a> {
    fn new(findings: &Findings<'a>, finding: &'a Diagnostic, shown: &'a Shown<'a>, look: Look) -> Self {
        let drawable = |span: Span| {
            let file = findings.sources.file(span.file)?;
            let text = file.line(file.line_of(span.start));
            (!file.text().is_empty() && text.len() <= LINE).then_some(())
        };
        let spans = std::iter::once(finding.primary.span).chain(finding.labels.iter().map(|l| l.span));
        if !finding.redact && spans.into_iter().all(|span| drawable(span).is_some()) {
            // Beside the line there are its number, and room for what is said of it.
            let width = (look.width < NARROW).then(|| look.width.saturating_sub(MARGIN));
            let source = shown.joined(finding, width);
            return Self { finding, source: Some(source), place: None };
        }
        let at = findings.sources.position(finding.primary.span);
        let path = clean(findings.sources.path(finding.primary.span.file));
        let place = format!("{path}:{}:{}", at.line, at.column);
        Self { finding, source: None, place: Some(place) }
    }
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.finding.code)
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clean(&self.finding.message))?;
        match &self.place {
            Some(place) => write!(f, "\nat {place}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Drawn<'_> {}

impl miette::Diagnostic for Drawn<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.finding.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let helps = &self.finding.helps;
        (!helps.is_empty()).then(|| Box::new(clean_lines(&helps.join("\n"))) as Box<dyn fmt::Display>)
    }

    fn url<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(format!("meshc explain {}", self.finding.code)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|joined| joined as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let source = self.source.as_ref()?;
        let text = |text: &str| Some(clean(text)).filter(|t| !t.is_empty());
        let mut labels = Vec::new();
        let (start, length) = source.range(self.finding.primary.span)?;
        let said = text(&self.finding.primary.text).or_else(|| Some("here".to_owned()));
        labels.push(LabeledSpan::new_primary_with_span(said, (start, length)));
        for label in &self.finding.labels {
            let (start, length) = source.range(label.span)?;
            labels.push(LabeledSpan::new(text(&label.text), start, length));
        }
        Some(Box::new(labels.into_iter()))
    }
}
