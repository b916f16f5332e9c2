//! Plain prefixes, as an index: from a path to the rules whose text it begins with.

use mesh_bundle::PathPattern;

/// Texts with the rule of each, sorted, so that what a path begins with is found by its place among them.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    sorted: Box<[Entry]>,
}

#[derive(Debug)]
struct Entry {
    text: Box<str>,
    rule: u32,
    /// The place of the nearest entry before this one whose text this one begins with.
    shorter: Option<usize>,
}

impl Prefixes {
    /// The index of the plain prefixes among `patterns`; others are passed over.
    pub(crate) fn new<'p>(patterns: impl Iterator<Item = (u32, &'p PathPattern)>) -> Self {
        let texts = patterns.filter_map(|(rule, pattern)| match pattern {
            PathPattern::Prefix(text) => Some((text.as_str(), rule)),
            PathPattern::Segments { .. } | PathPattern::Regex(_) => None,
        });
        let mut texts: Vec<(&str, u32)> = texts.collect();
        texts.sort_unstable();
        let mut sorted: Vec<Entry> = Vec::with_capacity(texts.len());
        for (text, rule) in texts {
            // What this text begins with is the last entry, or among those that the last one begins with.
            let mut shorter = sorted.len().checked_sub(1);
            while let Some(entry) = shorter.and_then(|at| sorted.get(at))
                && !text.starts_with(&*entry.text)
            {
                shorter = entry.shorter;
            }
            sorted.push(Entry { text: text.into(), rule, shorter });
        }
        Self { sorted: sorted.into() }
    }

    /// Adds the rules whose text `path` begins with, in any order.
    pub(crate) fn find(&self, path: &str, found: &mut Vec<u32>) {
        // Whatever `path` begins with sorts before it, and what sorts between begins with that too.
        let before = self.sorted.partition_point(|entry| *entry.text <= *path);
        let mut at = before.checked_sub(1);
        while let Some(entry) = at.and_then(|at| self.sorted.get(at)) {
            if path.starts_with(&*entry.text) {
                found.push(entry.rule);
            }
            at = entry.shorter;
        }
    }
}
