//! Findings of a policy's expressions.

use crate::cel::CelFinding;
use crate::diag::Diagnostic;
use crate::model::Model;
use crate::spec::{CelText, Sp};

/// Findings of an expression at their words in the file.
pub(super) fn report(
    model: &Model<'_>,
    text: &Sp<CelText>,
    found: Vec<CelFinding>,
    findings: &mut Vec<Diagnostic>,
) {
    let map = text.value.map(model.sources(), text.span);
    findings.extend(found.into_iter().map(|finding| finding.diagnostic(&map)));
}
