//! Repairs of findings, applied to the texts of a mesh.
//!
//! A repair keeps what the author meant, or it is none. What a finding offers is therefore not applied blindly: the mesh is
//! compiled again, and an offer whose words a finding is about afterwards is withdrawn, as if it had never been made. So no
//! repair feeds on what an earlier one caused, and a second run finds nothing to do.

mod choose;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::compile::{Compiled, Options, compile};
use crate::diag::{Diagnostic, Edit, Fix, Span};

use choose::Chosen;

/// Rounds of repairs: what lay hidden behind a finding shows once that is repaired.
const ROUNDS: usize = 8;

/// Attempts, each without the offers that the ones before withdrew; then nothing is repaired.
const ATTEMPTS: usize = 8;

/// Texts after their repair.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// The files that differ from what was given, by path.
    pub files: BTreeMap<String, String>,
    /// Number of findings that were repaired.
    pub findings: usize,
}

/// Repairs the files of a mesh, given as to [`compile`]. The edits of a repair are applied all or none; of repairs that
/// overlap the first is applied, and the other waits for the next round. What is repaired is not repaired again.
///
/// Compiles at most [`ROUNDS`] × [`ATTEMPTS`] times; twice in the common case.
#[must_use]
pub fn repair(files: &[(String, Vec<u8>)], options: &Options) -> Repaired {
    let mut withdrawn = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        match attempt(files, options, &withdrawn) {
            Ok(repaired) => return repaired,
            Err(bad) => withdrawn.extend(bad),
        }
    }
    Repaired::default()
}

/// An edit by the path of its file, so that it is the same in every compilation.
type PlacedEdit = (String, Range<u32>, String);

/// A repair as it was offered: the round, and its edits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Offer {
    round: usize,
    edits: Vec<(String, u32, u32, String)>,
}

/// A repair that was applied: the offer, and where its words stand now.
struct Done {
    offer: Offer,
    words: Vec<(String, Range<u32>)>,
}

/// Applies what is offered and was not withdrawn, round by round.
///
/// # Errors
/// The offers that turned out to be no repairs.
fn attempt(
    files: &[(String, Vec<u8>)],
    options: &Options,
    withdrawn: &BTreeSet<Offer>,
) -> Result<Repaired, Vec<Offer>> {
    let mut files = files.to_vec();
    let mut changed = BTreeMap::new();
    let mut done: Vec<Done> = Vec::new();
    for round in 0..ROUNDS {
        let compiled = compile(files.clone(), options);
        let mut fixes: Vec<&Fix> = compiled.findings.iter().filter_map(|d| d.fix.as_ref()).collect();
        fixes.sort();
        fixes.dedup();
        fixes.retain(|fix| !withdrawn.contains(&offer(round, fix, &compiled)));
        let edited_again = |repair: &Done| {
            let mut edits = fixes.iter().flat_map(|fix| &fix.edits);
            edits.any(|edit| lies_in(edit.span, &compiled, &repair.words))
        };
        let faulty = |repair: &&Done| {
            compiled.findings.iter().any(|found| is_about(found, &compiled, &repair.words))
                || edited_again(repair)
        };
        let bad: Vec<Offer> = done.iter().filter(faulty).map(|repair| repair.offer.clone()).collect();
        if !bad.is_empty() {
            return Err(bad);
        }
        let chosen = Chosen::of(&fixes, |file| compiled.sources.file(file).map(|f| f.text()));
        if chosen.fixes.is_empty() {
            return Ok(Repaired { files: changed, findings: done.len() });
        }
        let edits: Vec<PlacedEdit> = chosen.edits().map(|edit| placed(edit, &compiled)).collect();
        for repair in &mut done {
            for (path, words) in &mut repair.words {
                *words = moved(words, path, &edits);
            }
        }
        for fix in &chosen.fixes {
            let words = fix.edits.iter().map(|edit| placed(edit, &compiled)).map(|(path, old, text)| {
                let start = moved(&(old.start..old.start), &path, &edits).start;
                (path, start..start.saturating_add(length(&text)))
            });
            done.push(Done { offer: offer(round, fix, &compiled), words: words.collect() });
        }
        for (file, text) in chosen.texts(&compiled.sources) {
            let path = compiled.sources.path(file).to_owned();
            if let Some((_, bytes)) = files.iter_mut().find(|(own, _)| *own == path) {
                *bytes = text.clone().into_bytes();
                changed.insert(path, text);
            }
        }
    }
    let last = done.into_iter().map(|repair| repair.offer);
    Err(last.filter(|offer| offer.round + 1 == ROUNDS).collect())
}

fn offer(round: usize, fix: &Fix, compiled: &Compiled) -> Offer {
    let edits = fix.edits.iter().map(|edit| placed(edit, compiled));
    Offer { round, edits: edits.map(|(path, old, text)| (path, old.start, old.end, text)).collect() }
}

fn placed(edit: &Edit, compiled: &Compiled) -> PlacedEdit {
    let path = compiled.sources.path(edit.span.file).to_owned();
    (path, edit.span.start..edit.span.end, edit.replacement.clone())
}

/// Whether a finding has one of its places inside of these words.
fn is_about(finding: &Diagnostic, compiled: &Compiled, words: &[(String, Range<u32>)]) -> bool {
    let mut places =
        std::iter::once(finding.primary.span).chain(finding.labels.iter().map(|label| label.span));
    places.any(|span| lies_in(span, compiled, words))
}

/// Whether a place lies in one of these words. The empty place before or behind them does not.
fn lies_in(span: Span, compiled: &Compiled, words: &[(String, Range<u32>)]) -> bool {
    let path = compiled.sources.path(span.file);
    let inside = |own: &Range<u32>| {
        own.start <= span.start
            && span.end <= own.end
            && !(span.is_empty() && (span.start == own.start || span.end == own.end))
    };
    words.iter().any(|(own, range)| own == path && inside(range))
}

/// Where words stand after edits. An edit that ends where they begin moves them; one that takes them in has them now.
fn moved(words: &Range<u32>, path: &str, edits: &[PlacedEdit]) -> Range<u32> {
    let own = || edits.iter().filter(|(own, ..)| own == path);
    let shift = |to: u32| -> i64 {
        let before = own().filter(|(_, old, _)| old.end <= to && old.start < to);
        before.map(|(_, old, text)| i64::from(length(text)) - i64::from(old.end - old.start)).sum()
    };
    let at = |offset: u32, shift: i64| u32::try_from(i64::from(offset) + shift).unwrap_or(offset);
    let around =
        own().find(|(_, old, _)| old.start <= words.start && words.end <= old.end && !old.is_empty());
    match around {
        Some((_, old, text)) if !words.is_empty() => {
            let start = at(old.start, shift(old.start));
            start..start.saturating_add(length(text))
        }
        _ => {
            let shift = shift(words.start);
            at(words.start, shift)..at(words.end, shift)
        }
    }
}

/// Bytes of a text; files are far below 4 GiB.
fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mesh(more: &str) -> Vec<(String, Vec<u8>)> {
        let base = "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\n---\n";
        vec![("mesh.yaml".to_owned(), format!("{base}{more}").into_bytes())]
    }

    fn repaired(more: &str) -> Option<String> {
        let repaired = repair(&mesh(more), &Options::default());
        let text = repaired.files.get("mesh.yaml")?;
        let again = repair(&[("mesh.yaml".to_owned(), text.clone().into_bytes())], &Options::default());
        assert_eq!(again, Repaired::default(), "a second run changed\n{text}");
        text.split_once("---\n").map(|(_, more)| more.to_owned())
    }

    #[test]
    fn what_lay_behind_a_finding_is_repaired_in_the_next_round() {
        let text = "kind: Service\nname: web\nport: 80\ncallers: []\n---\nkind: Route\nservice: web\nrules:\n  \
            - name: all\n    match: { when: request.hots == 'Web.Example' }\n    to: web\n";
        let after = repaired(text);
        assert_eq!(after, Some(text.replace("hots", "host").replace("Web.Example", "web.example")));
    }

    #[test]
    fn an_offer_whose_words_are_wrong_afterwards_is_withdrawn() {
        // `Wbe` would be a name if it were `wbe`, but nobody is called so.
        let text = "kind: Service\nname: web\nport: 80\ncallers: [Wbe]\n";
        assert_eq!(repaired(text), None);
        let text = "kind: Service\nname: web\nport: \"80\"\ncallers: [Wbe]\n";
        assert_eq!(repaired(text), Some(text.replace("\"80\"", "80")));
    }

    #[test]
    fn words_move_with_the_edits_before_them() {
        let edits = [("a".to_owned(), 2..4, "xyz".to_owned()), ("b".to_owned(), 0..1, String::new())];
        assert_eq!(moved(&(4..6), "a", &edits), 5..7);
        assert_eq!(moved(&(0..2), "a", &edits), 0..2);
        assert_eq!(moved(&(4..6), "b", &edits), 3..5);
    }
}
