//! Fields that the language has and no released proxy enforces (MC1701).

use super::context::Cx;
use crate::diag::{Diagnostic, Span, codes};

impl Cx<'_, '_> {
    /// A field that no released proxy enforces.
    pub(super) fn not_enforced(&mut self, what: &str, span: Span, help: &str) {
        let message = format!("no proxy of this release enforces {what}");
        let finding = Diagnostic::new(codes::NOT_ENFORCED, span, message).at("would not be in force");
        self.report(if help.is_empty() { finding } else { finding.help(help) });
    }
}
