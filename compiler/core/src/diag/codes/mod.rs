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
//! | MC20xx | parts that never match, name nobody, admit nobody, or do nothing |
//! | MC30xx | CEL |
//! | MC50xx | organisation policies |
//! | MC60xx | git and the tree of files |

mod cel;
mod check;
mod effect;
mod overrides;
mod policies;
mod requests;
mod shape;
mod table;
mod tree;
mod yaml;

pub use cel::*;
pub use check::*;
pub use effect::*;
pub use overrides::*;
pub use policies::*;
pub use requests::*;
pub use shape::*;
pub use table::{Code, CodeInfo};
pub use tree::*;
pub use yaml::*;

use super::Severity;

impl Code {
    /// The code's row in the table; `None` for a code that does not exist.
    pub fn info(self) -> Option<&'static CodeInfo> {
        TABLE.iter().flat_map(|part| part.iter()).find(|info| info.code == self)
    }

    /// The severity of its findings, where they say nothing else; of a code that does not exist, error.
    pub fn severity(self) -> Severity {
        self.info().map_or(Severity::Error, |info| info.severity)
    }
}

/// All codes in rising order.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    let mut all: Vec<&CodeInfo> = TABLE.iter().flat_map(|part| part.iter()).collect();
    all.sort_by_key(|info| info.code);
    all.into_iter()
}

const TABLE: &[&[CodeInfo]] = &[
    yaml::TABLE,
    shape::TABLE,
    check::TABLE,
    requests::TABLE,
    overrides::TABLE,
    policies::TABLE,
    effect::TABLE,
    cel::TABLE,
    tree::TABLE,
];

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
