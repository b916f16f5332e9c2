//! A path index: from a canonical path to the rules whose pattern it fits, in their order.
//!
//! A trie over segments, and plain prefixes sorted beside it. Its cost grows with the path, not with the number of
//! rules; only rules with a regular expression for a path are looked at one by one.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use mesh_bundle::PathPattern;
use mesh_bundle::path::Segment;

use crate::prefixes::Prefixes;

/// An index over patterns, by rule number.
#[derive(Debug, Default)]
pub struct PathIndex {
    nodes: Vec<Node>,
    loose: Vec<u32>,
    /// Few tables have any.
    prefixes: Option<Prefixes>,
    /// True if a rule stands in the index more than once.
    repeats: bool,
}

/// A node of the trie. Small, since ten thousand rules make twice as many.
#[derive(Debug, Default)]
struct Node {
    literals: Literals,
    param: Option<u32>,
    ends: Vec<End>,
}

/// Children by segment; most nodes have one or none.
#[derive(Debug, Default)]
#[expect(clippy::box_collection, reason = "few nodes have many children, and all would be as large")]
enum Literals {
    #[default]
    None,
    One(Box<str>, u32),
    Many(Box<HashMap<Box<str>, u32, FixedState>>),
}

/// A pattern that ends at a node.
#[derive(Debug, Clone, Copy)]
struct End {
    rule: u32,
    /// True if the pattern takes all paths below too.
    below: bool,
}

impl Literals {
    fn get(&self, segment: &str) -> Option<u32> {
        match self {
            Self::None => None,
            Self::One(text, child) => (**text == *segment).then_some(*child),
            Self::Many(children) => children.get(segment).copied(),
        }
    }

    /// The child of `segment`, which is `fresh` if there is none yet.
    fn put(&mut self, segment: &str, fresh: u32) -> u32 {
        match self {
            Self::None => {
                *self = Self::One(segment.into(), fresh);
                fresh
            }
            Self::One(text, child) if **text == *segment => *child,
            Self::One(text, child) => {
                let one = (std::mem::take(text), *child);
                *self = Self::Many(Box::new([one, (segment.into(), fresh)].into_iter().collect()));
                fresh
            }
            Self::Many(children) => match children.get(segment) {
                Some(child) => *child,
                None => {
                    children.insert(segment.into(), fresh);
                    fresh
                }
            },
        }
    }
}

impl PathIndex {
    /// Builds the index of rules `0..n` from their patterns; a rule without one takes all paths.
    #[must_use]
    pub fn new<'p>(patterns: impl IntoIterator<Item = Option<&'p PathPattern>>) -> Self {
        Self::of((0_u32..).zip(patterns))
    }

    /// Builds the index from patterns with the rule of each; those of one rule stand together. No pattern takes all
    /// paths.
    #[must_use]
    pub fn of<'p>(patterns: impl IntoIterator<Item = (u32, Option<&'p PathPattern>)>) -> Self {
        let mut index = Self { nodes: vec![Node::default()], ..Self::default() };
        let mut plain = Vec::new();
        let mut last = None;
        for (rule, pattern) in patterns {
            index.repeats |= last.replace(rule) == Some(rule);
            match pattern {
                None => index.put(&[], true, rule),
                Some(PathPattern::Segments { segments, below }) => index.put(segments, *below, rule),
                Some(PathPattern::Regex(_)) => index.loose.push(rule),
                Some(pattern @ PathPattern::Prefix(_)) => plain.push((rule, pattern)),
            }
        }
        index.prefixes = (!plain.is_empty()).then(|| Prefixes::new(plain.into_iter()));
        index
    }

    fn put(&mut self, segments: &[Segment], below: bool, rule: u32) {
        let mut at = 0;
        for segment in segments {
            // Rules are numbered by u32, and limits leave a path few segments: nodes do not run out.
            let (fresh, node) = (u32::try_from(self.nodes.len()), self.nodes.get_mut(place(at)));
            let (Ok(fresh), Some(node)) = (fresh, node) else {
                return;
            };
            at = match segment {
                Segment::Literal(text) => node.literals.put(text, fresh),
                Segment::Param(_) => *node.param.get_or_insert(fresh),
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(place(at)) {
            node.ends.push(End { rule, below });
        }
    }

    /// Puts the rules that `path` may match into `found`, in rising order and each once. Rules with a regular
    /// expression are always among them.
    pub fn candidates(&self, path: &str, found: &mut Vec<u32>) {
        found.clear();
        found.extend_from_slice(&self.loose);
        let rest = path.strip_prefix('/').unwrap_or(path);
        self.walk(0, (!rest.is_empty()).then_some(rest), found);
        if let Some(prefixes) = &self.prefixes {
            prefixes.find(path, found);
        }
        found.sort_unstable();
        if self.repeats {
            found.dedup();
        }
    }

    /// Recursion is as deep as the deepest pattern, whatever the path.
    fn walk(&self, at: u32, rest: Option<&str>, found: &mut Vec<u32>) {
        let Some(node) = self.nodes.get(place(at)) else { return };
        let here = node.ends.iter().filter(|end| end.below || rest.is_none());
        found.extend(here.map(|end| end.rule));
        let Some(rest) = rest else { return };
        let (segment, further) = match rest.split_once('/') {
            Some((segment, further)) => (segment, Some(further)),
            None => (rest, None),
        };
        if let Some(next) = node.literals.get(segment) {
            self.walk(next, further, found);
        }
        if let Some(next) = node.param
            && !segment.is_empty()
        {
            self.walk(next, further, found);
        }
    }
}

fn place(node: u32) -> usize {
    usize::try_from(node).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::path;

    proptest! {
        #[test]
        fn the_index_finds_what_a_scan_finds(
            patterns in prop::collection::vec("(/(a|b|\\{x\\})){0,3}(/\\*|/)?|p(/[ab]{0,2}){1,3}", 1..12),
            raw in "(/(a|b|c|aa|ab|ba)){0,4}/?",
        ) {
            let fix = |p: &String| if p.is_empty() { "/".to_owned() } else { p.replacen("{x}/{x}", "{x}/{y}", 1) };
            let read = |p: &String| match p.strip_prefix('p') {
                Some(text) => PathPattern::prefix(text).ok(),
                None => PathPattern::parse(&fix(p)).ok(),
            };
            let patterns: Vec<PathPattern> = patterns.iter().filter_map(read).collect();
            let target = if raw.is_empty() { "/" } else { &raw };
            let index = PathIndex::new(patterns.iter().map(Some));
            let mut found = Vec::new();
            index.candidates(target, &mut found);
            let scan: Vec<u32> = (0..).zip(&patterns).filter(|(_, p)| path::matches(p, target)).map(|(n, _)| n).collect();
            prop_assert_eq!(&found, &scan);
            // Rules of several patterns: each two in a row are one rule.
            let index = PathIndex::of((0..).map(|n| n / 2).zip(patterns.iter().map(Some)));
            index.candidates(target, &mut found);
            let mut scan: Vec<u32> = scan.into_iter().map(|n| n / 2).collect();
            scan.dedup();
            prop_assert_eq!(found, scan);
        }
    }
}
