//! Runs test cases in the decision core.

use std::sync::Arc;

use mesh_bundle::Program;
use mesh_decision::BuildError;
use mesh_decision::journey::{Journey, Mesh};

use super::cases::TestCase;
use crate::diag::Span;
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

/// Runs one case: what happened, and what should have.
///
/// # Errors
/// When a proxy's part of the program does not build, or a canary cannot stand at the case's stage.
pub fn run(program: &Arc<Program>, case: &TestCase) -> Result<(Journey, Vec<Mismatch>), RunError> {
    let mesh = Mesh::new(Arc::clone(program), stage::state(program, &case.stages)?);
    let journey = mesh.follow(&case.ask, &0)?;
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
    Ok((journey, wrong))
}
