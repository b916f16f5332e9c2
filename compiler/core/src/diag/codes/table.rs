//! A row of the table of codes.

use std::fmt;

use crate::diag::severity::Severity;

/// A stable code, shown as `MC1104`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl Code {
    /// Reads `MC1104`, in any letter case; the code need not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("MC").or_else(|| text.strip_prefix("mc"))?;
        (digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| digits.parse().ok().map(Self))?
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MC{:04}", self.0)
    }
}

/// The documentation of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The code, such as `MC2001`.
    pub code: Code,
    /// Short name for URLs and SARIF, `kebab-case`, unique.
    pub slug: &'static str,
    /// The fault in one line: lowercase, no full stop.
    pub title: &'static str,
    /// The rule that is checked, in whole sentences.
    pub checks: &'static str,
    /// The harm that a finding stands for.
    pub why: &'static str,
    /// A spec with the finding.
    pub bad: &'static str,
    /// The example without the fault.
    pub good: &'static str,
    /// Severity of a finding that says nothing else.
    pub severity: Severity,
    /// Whether a `# meshc: allow` comment can suppress it.
    pub suppressible: bool,
}

/// The severity that a row says, or else [`Severity::Error`].
pub(super) const fn severity(said: &[Severity]) -> Severity {
    match said {
        [severity, ..] => *severity,
        [] => Severity::Error,
    }
}

/// From one list: a constant per code, and the part of the table.
macro_rules! codes {
    ($($NAME:ident = $number:literal $slug:literal $title:literal $(, severity: $severity:ident)? $(, suppressible: $s:literal)? {
        checks: $checks:literal, why: $why:literal, bad: $bad:literal, good: $good:literal $(,)?
    })*) => {
        $(#[doc = $title] pub const $NAME: $crate::diag::codes::table::Code = $crate::diag::codes::table::Code($number);)*
        pub(super) const TABLE: &[$crate::diag::codes::table::CodeInfo] = &[$($crate::diag::codes::table::CodeInfo {
            code: $NAME, slug: $slug, title: $title, checks: $checks, why: $why, bad: $bad, good: $good,
            severity: $crate::diag::codes::table::severity(&[$($crate::diag::Severity::$severity)?]),
            suppressible: false $(|| $s)?,
        }),*];
    };
}

pub(super) use codes;
