//! A path index: from a canonical path to the rules whose pattern it fits, in their order.
//!
//! A trie over segments. Its cost grows with the path, not with the number of rules; only
//! rules with a regular expression for a path are looked at one by one.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use mesh_bundle::PathPattern;
use mesh_bundle::path::Segment;

/// Patterns by rule number.
#[derive(Debug, Default)]
pub struct PathIndex {
    nodes: Vec<Node>,
    loose: Vec<u32>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, usize, FixedState>,
    param: Option<usize>,
    exact: Vec<u32>,
    below: Vec<u32>,
}

impl PathIndex {
    /// Builds the index of rules `0..n` from their patterns; a rule without one takes all paths.
    #[must_use]
    pub fn new<'p>(patterns: impl IntoIterator<Item = Option<&'p PathPattern>>) -> Self {
        let mut index = Self { nodes: vec![Node::default()], loose: Vec::new() };
        for (rule, pattern) in (0_u32..).zip(patterns) {
            match pattern {
                None => index.put(&[], true, rule),
                Some(PathPattern::Segments { segments, below }) => index.put(segments, *below, rule),
                Some(PathPattern::Regex(_)) => index.loose.push(rule),
            }
        }
        index
    }

    fn put(&mut self, segments: &[Segment], below: bool, rule: u32) {
        let mut at = 0;
        for segment in segments {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            at = match segment {
                Segment::Literal(text) => *node.literals.entry(text.as_str().into()).or_insert(fresh),
                Segment::Param(_) => *node.param.get_or_insert(fresh),
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            if below { &mut node.below } else { &mut node.exact }.push(rule);
        }
    }

    /// Puts the rules that `path` may match into `found`, in rising order. Rules with a regular
    /// expression are always among them.
    pub fn candidates(&self, path: &str, found: &mut Vec<u32>) {
        found.clear();
        found.extend_from_slice(&self.loose);
        let rest = path.strip_prefix('/').unwrap_or(path);
        self.walk(0, (!rest.is_empty()).then_some(rest), found);
        found.sort_unstable();
    }

    /// Recursion is as deep as the deepest pattern, whatever the path.
    fn walk(&self, at: usize, rest: Option<&str>, found: &mut Vec<u32>) {
        let Some(node) = self.nodes.get(at) else { return };
        found.extend_from_slice(&node.below);
        let Some(rest) = rest else {
            found.extend_from_slice(&node.exact);
            return;
        };
        let (segment, further) = match rest.split_once('/') {
            Some((segment, further)) => (segment, Some(further)),
            None => (rest, None),
        };
        if let Some(next) = node.literals.get(segment) {
            self.walk(*next, further, found);
        }
        if let Some(next) = node.param
            && !segment.is_empty()
        {
            self.walk(next, further, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::path;

    proptest! {
        #[test]
        fn the_index_finds_what_a_scan_finds(
            patterns in prop::collection::vec("(/(a|b|\\{x\\})){0,3}(/\\*|/)?", 1..12),
            raw in "(/(a|b|c)){0,4}/?",
        ) {
            let fix = |p: &String| if p.is_empty() { "/".to_owned() } else { p.replacen("{x}/{x}", "{x}/{y}", 1) };
            let patterns: Vec<PathPattern> = patterns.iter().filter_map(|p| PathPattern::parse(&fix(p)).ok()).collect();
            let target = if raw.is_empty() { "/" } else { &raw };
            let index = PathIndex::new(patterns.iter().map(Some));
            let mut found = Vec::new();
            index.candidates(target, &mut found);
            let scan: Vec<u32> = (0..).zip(&patterns).filter(|(_, p)| path::matches(p, target)).map(|(n, _)| n).collect();
            prop_assert_eq!(found, scan);
        }
    }
}
