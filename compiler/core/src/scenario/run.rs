//! Runs test cases in the decision core.

use std::sync::Arc;

use mesh_bundle::Program;
use mesh_decision::BuildError;
use mesh_decision::journey::{self, Fact, Journey, Mesh, Note};

use super::cases::TestCase;
use crate::diag::Span;
use crate::numbers::decimal;
use crate::spec::Sp;
use crate::stage::{self, StageError};

/// An expectation that did not come true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The field of `expect`.
    pub what: String,
    /// Expected value, as text.
    pub expected: String,
    /// Actual value, as text.
    pub got: String,
    /// Place of the expectation in the file.
    pub span: Span,
}

/// A case cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A proxy's part of the program does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A canary of the case does not stand at its stage.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// What became of a case.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What happened to its request.
    pub journey: Journey,
    /// What should have happened and did not.
    pub wrong: Vec<Mismatch>,
    /// Remarks, such as facts that rules read and the case does not give.
    pub notes: Vec<String>,
}

/// Runs one case.
///
/// # Errors
/// When a proxy's part of the program does not build, or a canary cannot stand at the case's stage.
pub fn run(program: &Arc<Program>, case: &TestCase) -> Result<Ran, RunError> {
    let mesh = Mesh::new(Arc::clone(program), stage::state(program, &case.stages)?);
    // Without a pick the first share is taken: requests are the same at every run.
    let journey = mesh.follow(&case.ask, &case.pick.unwrap_or(0))?;
    let wrong = mismatches(&journey, case);
    let mut notes: Vec<String> = journey.notes.iter().map(|note| format!("{note}{}", hint(note))).collect();
    notes.extend(clock(&journey).map(|note| note.to_string()));
    if case.pick.is_none() {
        notes.extend(other_shares(&mesh, case, &journey)?);
    }
    Ok(Ran { journey, wrong, notes })
}

/// How a case gives what was assumed, as the end of a sentence.
fn hint(note: &Note) -> &'static str {
    match note {
        Note::Assumed { fact: Fact::Size, .. } => "; say it with `size`",
        Note::Assumed { fact: Fact::ClientAddress, .. } | Note::SticksToAddress { .. } => {
            "; say it with `ip`"
        }
        Note::SeveralGateways { .. } => "; say which with `as: gateway/NAME`, or with the port",
        Note::Assumed { .. }
        | Note::OtherPort { .. }
        | Note::TlsEndsBefore { .. }
        | Note::ClearToOwnProxy
        | Note::NoHandshake => "",
    }
}

/// Rules that read the time, which is the same in every test.
fn clock(journey: &Journey) -> impl Iterator<Item = Note> {
    let steps = [&journey.steps, &journey.access_steps];
    steps.into_iter().flat_map(|steps| journey::assumptions(steps, &[Fact::Now]))
}

/// The part of such requests that is answered in another way than the one that was drawn.
fn other_shares(mesh: &Mesh, case: &TestCase, drawn: &Journey) -> Result<Option<String>, RunError> {
    let mut other: u64 = 0;
    let mut words = None;
    for part in mesh.shares(&case.ask)? {
        if (part.journey.status, &part.journey.access) != (drawn.status, &drawn.access) {
            other += part.weight;
            words = words.or_else(|| {
                let status = part.journey.status?;
                let reason = part.journey.reason.as_ref();
                Some(reason.map_or(status.to_string(), |reason| format!("{status} {reason}")))
            });
        }
    }
    // The whole is 10^12, so a hundredth of it is 10^10.
    let percent = decimal(other.into(), 10);
    Ok((other > 0).then(|| {
        let words = words.unwrap_or_else(|| "another answer".to_owned());
        format!("{percent}% of such requests get {words}; test them with `pick`")
    }))
}

/// The expectations that did not come true.
fn mismatches(journey: &Journey, case: &TestCase) -> Vec<Mismatch> {
    let mut wrong = Vec::new();
    let mut text = |what: &str, expected: &Option<Sp<String>>, got: &[Option<String>]| {
        if let Some(expected) = expected
            && !got.iter().flatten().any(|got| *got == expected.value)
        {
            let shown = got.iter().flatten().next().cloned().unwrap_or_else(|| "nothing".to_owned());
            wrong.push(Mismatch {
                what: what.to_owned(),
                expected: expected.value.clone(),
                got: shown,
                span: expected.span,
            });
        }
    };
    let expect = &case.expect;
    let rule = |rule: &Option<String>| rule.as_ref().map(|r| r.trim_start_matches("route/").to_owned());
    text("rule", &expect.rule, &[rule(&journey.edge_rule), rule(&journey.rule)]);
    text("service", &expect.service, std::slice::from_ref(&journey.service));
    text("version", &expect.version, std::slice::from_ref(&journey.version));
    let access = journey.access.as_deref().map(|a| if a == "deny" { "deny" } else { "allow" }.to_owned());
    text("access", &expect.access, &[access]);
    text("path", &expect.path, std::slice::from_ref(&journey.path));
    text("reason", &expect.reason, std::slice::from_ref(&journey.reason));
    let quotas: Vec<Option<String>> = journey
        .quotas
        .iter()
        .flat_map(|q| {
            let short = q.trim_start_matches("quota/").to_owned();
            let name = short.rsplit('/').next().unwrap_or_default().to_owned();
            [Some(short), Some(name)]
        })
        .collect();
    text("quota", &expect.quota, &quotas);
    for (name, value) in &expect.headers {
        let lines = journey.headers.iter().filter(|(known, _)| known == name);
        let got: Vec<Option<String>> =
            lines.map(|(_, v)| Some(String::from_utf8_lossy(v).into_owned())).collect();
        text(&format!("header {name}"), &Some(value.clone()), &got);
    }
    let mut number = |what: &str, expected: Option<(String, Span)>, got: Option<String>| {
        if let Some((expected, span)) = expected
            && got.as_ref() != Some(&expected)
        {
            let got = got.unwrap_or_else(|| "nothing".to_owned());
            wrong.push(Mismatch { what: what.to_owned(), expected, got, span });
        }
    };
    let status = expect.status.as_ref().map(|s| (s.value.to_string(), s.span));
    number("status", status, journey.status.map(|s| s.to_string()));
    let timeout = expect.timeout_ms.as_ref().map(|t| (format!("{} ms", t.value), t.span));
    number("timeout", timeout, journey.timeout_ms.map(|t| format!("{t} ms")));
    wrong
}
