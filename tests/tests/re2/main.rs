//! Regular expressions against RE2 itself (`google-re2`, which `ci/setup test` installs): what the compiler accepts, RE2
//! takes, and proxies match what RE2 matches; of what RE2 takes, little is refused.
//!
//! Patterns and texts are drawn from a seed. An ordinary run asks of a few thousand pairs, `ci/test --full` of 100,000.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it counted"
)]

mod oracle;
mod patterns;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use mesh_compiler::re2::{self, rules};
use mesh_decision::regex::Pattern;
use mesh_tests::activate::skip;
use mesh_tests::random::Random;
use oracle::Answer;
use patterns::Case;

/// Texts for each pattern.
const TEXTS: usize = 8;

fn python() -> Option<PathBuf> {
    let found = oracle::interpreter();
    if found.is_none() {
        skip("regular expressions against RE2", "`ci/setup test` installs it");
    }
    found
}

#[test]
fn what_people_write_is_accepted_and_equal() {
    let Some(python) = python() else { return };
    let count = if mesh_tests::full() { 12_500 } else { 500 };
    let counts = compare(&python, Random::new(1240), count, patterns::written);
    counts.say("patterns of the grammar");
    assert!(counts.accepted * 100 >= counts.taken * 95, "too much of RE2 is refused: {counts:?}");
    assert!(counts.matched * 4 > counts.pairs, "too few texts match: {counts:?}");
}

#[test]
fn what_is_accepted_of_mutants_is_equal() {
    let Some(python) = python() else { return };
    let count = if mesh_tests::full() { 25_000 } else { 1_000 };
    let counts = compare(&python, Random::new(1241), count, patterns::mutant);
    counts.say("mutants");
    assert!(counts.accepted > count / 8, "mutants are hardly patterns: {counts:?}");
}

#[test]
fn every_rule_says_truly_what_re2_does() {
    let Some(python) = python() else { return };
    let answers = oracle::ask(&python, rules::ALL.iter().map(|rule| (rule.example, &[] as &[String])));
    for (rule, answer) in rules::ALL.iter().zip(answers) {
        let refused = rule.verdict == rules::Verdict::Refused;
        assert_eq!(answer.refused.is_some(), refused, "{}: {answer:?}", rule.example);
    }
}

/// Characters whose case folds since Unicode 16, whose tables proxies have; this RE2 has those of 15.
const NEW_CASE: &[RangeInclusive<char>] = &[
    '\u{19b}'..='\u{19b}',
    '\u{264}'..='\u{264}',
    '\u{1c89}'..='\u{1c8a}',
    '\u{a7cb}'..='\u{a7cd}',
    '\u{a7da}'..='\u{a7dc}',
    '\u{10d50}'..='\u{10d85}',
];

#[test]
fn case_folds_as_in_re2_for_every_character() {
    let Some(python) = python() else { return };
    let is_new = |c: &char| NEW_CASE.iter().any(|range| range.contains(c));
    let folded = |low: char, high: char| {
        let mut class =
            regex_syntax::hir::ClassUnicode::new([regex_syntax::hir::ClassUnicodeRange::new(low, high)]);
        class.try_case_fold_simple().expect("tables of case");
        class
    };
    let folds = |c: &char| folded(*c, *c).iter().map(|r| r.len()).sum::<usize>() > 1;
    let cased: Vec<char> = ('\0'..=char::MAX).filter(|c| folds(c) && !is_new(c)).collect();
    let text: String = cased.iter().collect();
    // One by one where case folds, and by blocks for RE2 to fold no more.
    let blocks =
        (0..0x2_0000).step_by(512).filter_map(|low| Some((char::from_u32(low)?, char::from_u32(low + 511)?)));
    let ranges: Vec<(char, char)> = cased.iter().map(|c| (*c, *c)).chain(blocks).collect();
    let patterns: Vec<String> = ranges
        .iter()
        .map(|(low, high)| format!("(?i)[\\x{{{:x}}}-\\x{{{:x}}}]", u32::from(*low), u32::from(*high)))
        .collect();
    for ((low, high), answer) in ranges.iter().zip(oracle::find(&python, &patterns, &text)) {
        let class = folded(*low, *high);
        let ours: Vec<String> = cased
            .iter()
            .filter(|c| class.iter().any(|r| (r.start()..=r.end()).contains(&**c)))
            .map(char::to_string)
            .collect();
        assert_eq!(answer.found, ours, "{:x} to {:x}", u32::from(*low), u32::from(*high));
    }
    assert!(cased.len() > 2_500, "tables of case are missing");
}

/// What became of patterns and pairs.
#[derive(Debug, Default)]
struct Counts {
    /// Patterns that RE2 takes.
    taken: usize,
    /// Patterns that the compiler accepts.
    accepted: usize,
    /// Pairs of an accepted pattern and a text.
    pairs: usize,
    /// Pairs whose text has a match.
    matched: usize,
    /// Patterns that RE2 takes and the compiler refuses, by reason.
    refused: BTreeMap<&'static str, usize>,
}

impl Counts {
    fn say(&self, what: &str) {
        eprintln!(
            "{what}: {} taken by RE2, {} accepted, {} pairs equal, {} of them matches; refused: {:?}",
            self.taken, self.accepted, self.pairs, self.matched, self.refused
        );
    }
}

fn compare(python: &Path, mut random: Random, count: usize, make: fn(&mut Random) -> Case) -> Counts {
    let cases: Vec<(String, Vec<String>)> = (0..count)
        .map(|_| {
            let case = make(&mut random);
            let texts = patterns::texts(&mut random, &case, TEXTS);
            (case.pattern, texts)
        })
        .collect();
    let answers =
        oracle::ask(python, cases.iter().map(|(pattern, texts)| (pattern.as_str(), texts.as_slice())));
    let mut counts = Counts::default();
    for ((pattern, texts), answer) in cases.iter().zip(answers) {
        counts.add(pattern, texts, &answer);
    }
    counts
}

impl Counts {
    fn add(&mut self, pattern: &str, texts: &[String], answer: &Answer) {
        let taken = answer.refused.is_none();
        self.taken += usize::from(taken);
        match re2::check(pattern) {
            Err(fault) => {
                if taken {
                    *self
                        .refused
                        .entry(fault.rule.map_or("too large or deep", |rule| rule.example))
                        .or_default() += 1;
                }
                // What RE2 is said to refuse, it refuses.
                let said = fault.rule.is_some_and(|rule| rule.verdict == rules::Verdict::Refused);
                assert!(!said || !taken, "{pattern:?}: {fault:?}, but RE2 takes it");
            }
            Ok(()) => {
                assert!(taken, "{pattern:?} is accepted: {:?}", answer.refused);
                self.accepted += 1;
                let search = Pattern::search(pattern).expect("it was checked");
                let whole = Pattern::whole(pattern).ok();
                for (index, text) in texts.iter().enumerate() {
                    self.pairs += 1;
                    self.matched += usize::from(answer.search[index]);
                    assert_eq!(search.is_match(text), answer.search[index], "{pattern:?} in {text:?}");
                    if let Some(whole) = &whole {
                        assert_eq!(
                            whole.is_match(text),
                            answer.whole[index],
                            "{pattern:?} of all of {text:?}"
                        );
                    }
                }
            }
        }
    }
}
