//! The table of all codes. Each code documents itself: `meshc explain MC1004` and the pages of `docs/codes` are made
//! from here.
//!
//! | range | about |
//! |---|---|
//! | MC10xx | YAML, encoding, limits of a file |
//! | MC11xx | names, references, shape, types, units |
//! | MC12xx | routes, paths, splits, hosts |
//! | MC13xx | canaries |
//! | MC14xx | access, quotas, resilience |
//! | MC15xx | environments and overrides |
//! | MC16xx | secrets |
//! | MC17xx | fields that no released proxy enforces |
//! | MC18xx | suppression comments |
//! | MC20xx | rules that can never match |
//! | MC30xx | CEL |
//! | MC50xx | organisation policies |
//! | MC60xx | git and the tree of files |

use std::fmt;

/// A stable code, shown as `MC1104`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl Code {
    /// The code's row in the table; `None` for a code that does not exist.
    pub fn info(self) -> Option<&'static CodeInfo> {
        all().find(|info| info.code == self)
    }

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
    /// Whether a `# meshc: allow` comment can suppress it.
    pub suppressible: bool,
}

/// All codes in rising order.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    let mut all: Vec<&CodeInfo> = TABLE.iter().flat_map(|part| part.iter()).collect();
    all.sort_by_key(|info| info.code);
    all.into_iter()
}

const TABLE: &[&[CodeInfo]] =
    &[yaml::TABLE, shape::TABLE, check::TABLE, more::TABLE, late::TABLE, cel::TABLE];

/// From one list: a constant per code, and the part of the table.
macro_rules! codes {
    ($($NAME:ident = $number:literal $slug:literal $title:literal $(, suppressible: $s:literal)? {
        checks: $checks:literal, why: $why:literal, bad: $bad:literal, good: $good:literal $(,)?
    })*) => {
        $(#[doc = $title] pub const $NAME: $crate::diag::codes::Code = $crate::diag::codes::Code($number);)*
        pub(super) const TABLE: &[$crate::diag::codes::CodeInfo] = &[$($crate::diag::codes::CodeInfo {
            code: $NAME, slug: $slug, title: $title, checks: $checks, why: $why, bad: $bad, good: $good,
            suppressible: false $(|| $s)?,
        }),*];
    };
}

mod cel;
mod check;
mod late;
mod more;
mod shape;
mod yaml;

pub use cel::*;
pub use check::*;
pub use late::*;
pub use more::*;
pub use shape::*;
pub use yaml::*;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_rise_and_slugs_are_unique() {
        let codes: Vec<_> = all().map(|i| i.code).collect();
        assert!(codes.windows(2).all(|w| w[0] < w[1]));
        let mut slugs: Vec<_> = all().map(|i| i.slug).collect();
        slugs.sort_unstable();
        assert!(slugs.windows(2).all(|w| w[0] != w[1]));
    }

    #[test]
    fn every_code_is_documented_in_full() {
        for info in all() {
            for part in [info.slug, info.title, info.checks, info.why, info.bad, info.good] {
                assert!(!part.is_empty(), "{}", info.code);
            }
            assert!(!info.title.ends_with('.'), "{}", info.code);
            assert_eq!(Code::parse(&info.code.to_string()), Some(info.code));
        }
    }
}
