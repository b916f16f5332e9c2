//! Runs test cases in the decision core.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_bundle::state::CanaryState;
use mesh_bundle::{Name, Program, State};
use mesh_decision::BuildError;
use mesh_decision::journey::{Journey, Mesh};

use super::cases::{Stage, TestCase};
use crate::diag::Span;
use crate::spec::Sp;

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

/// The state in which the canaries named have begun.
#[must_use]
pub fn state(program: &Program, stages: &[(Name, Stage)]) -> State {
    let mut canaries = BTreeMap::new();
    for (service, stage) in stages {
        let (Some(canary), Some(unit)) = (program.canaries.get(service), program.services.get(service))
        else {
            continue;
        };
        let stage = match stage {
            Stage::Number(number) => *number,
            Stage::Done => u32::try_from(canary.stages.len()).unwrap_or(0) + 1,
        };
        if let (Some(weight), Ok(content)) = (canary.weight_at(stage), canary.content_id(unit)) {
            canaries.insert(format!("canary/{service}"), CanaryState { stage, weight, content });
        }
    }
    State { canaries }
}

/// Runs one case: what happened, and what should have.
///
/// # Errors
/// [`BuildError`] when a proxy's part of the program does not build.
pub fn run(program: &Arc<Program>, case: &TestCase) -> Result<(Journey, Vec<Mismatch>), BuildError> {
    let mesh = Mesh::new(Arc::clone(program), state(program, &case.stages));
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
