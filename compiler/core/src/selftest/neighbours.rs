//! Requests that a rule or entry takes, and requests just beside it.

use mesh_bundle::PathPattern;
use mesh_bundle::expr::{Expression, Op, Slot, View};
use mesh_bundle::path::Segment;
use mesh_bundle::program::{Entry, Match, ValueMatch, ValueTest};
use mesh_bundle::selftest::{Caller, Example};

use super::callers::Callers;
use super::sketch::{ANYTHING, Sketch};
use super::solve;

/// The conditions of a route rule, or of an access entry for one of its paths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'p> {
    path: Option<&'p PathPattern>,
    methods: &'p [String],
    headers: &'p [ValueMatch],
    query: &'p [ValueMatch],
    cookies: &'p [ValueMatch],
    when: Option<&'p Expression>,
}

impl<'p> Taken<'p> {
    pub(super) fn of_rule(matches: &'p Match) -> Self {
        let Match { path, methods, headers, query, cookies, callers: _, when } = matches;
        Self { path: path.as_ref(), methods, headers, query, cookies, when: when.as_deref() }
    }

    pub(super) fn of_entry(entry: &'p Entry, path: Option<&'p PathPattern>) -> Self {
        let Entry { methods, when, .. } = entry;
        Self { path, methods, headers: &[], query: &[], cookies: &[], when: when.as_ref() }
    }

    /// The request that is taken, made from `base`.
    pub(super) fn example(&self, base: &Sketch<'p>, callers: &Callers<'_>) -> Option<Sketch<'p>> {
        let mut sketch = base.clone();
        if let Some(path) = self.path
            && !sketch.take_path(path)
        {
            return None;
        }
        if let Some(method) = self.methods.first() {
            sketch.example.method.clone_from(method);
        }
        let values = self.values().all(|(slot, test)| solve::take(test, &slot, &mut sketch, callers));
        let when = |sketch: &mut Sketch<'p>| {
            self.when
                .and_then(|when| when.code.root())
                .is_none_or(|when| solve::satisfy(when, true, sketch, callers))
        };
        (values && when(&mut sketch)).then_some(sketch)
    }

    /// Requests that differ from `taken` in one point where a condition may end, the more telling ones first.
    pub(super) fn neighbours(&self, taken: &Sketch<'p>, callers: &Callers<'_>) -> Vec<Example> {
        let mut found = Vec::new();
        if let Some(when) = self.when {
            when.code.root().into_iter().for_each(|root| self.around(root, taken, callers, &mut found));
            found.extend(when.code.slots.iter().filter_map(|slot| repeated(slot, taken)));
        }
        if !self.methods.is_empty() {
            let other = ["GET", "POST", "DELETE"].into_iter().find(|m| !self.methods.iter().any(|k| k == m));
            let last = self.methods.last().map(String::as_str);
            for method in [other, last].into_iter().flatten() {
                let mut sketch = taken.clone();
                method.clone_into(&mut sketch.example.method);
                found.push(sketch);
            }
        }
        for (slot, test) in self.values() {
            let mut without = taken.clone();
            let turned = match test {
                ValueTest::Present(false) => without.set(&slot, ANYTHING, callers),
                _ => without.remove(&slot),
            };
            if turned {
                found.push(without);
            }
            if let ValueTest::Exact(text) | ValueTest::Prefix(text) = test {
                let mut other = taken.clone();
                if other.set(&slot, &format!("{ANYTHING}{text}"), callers) {
                    found.push(other);
                }
            }
        }
        found.extend(self.paths(taken));
        found.iter().filter_map(Sketch::finish).collect()
    }

    /// Each part of a conjunction turned over, and both sides of every size.
    fn around(&self, tree: View<'_>, taken: &Sketch<'p>, callers: &Callers<'_>, found: &mut Vec<Sketch<'p>>) {
        let mut bounds = Vec::new();
        solve::sizes(tree, &mut bounds);
        for bound in bounds {
            for size in [bound.checked_sub(1), Some(bound), bound.checked_add(1)].into_iter().flatten() {
                let size = u64::try_from(size).ok().filter(|n| *n <= mesh_bundle::limits::MAX_SAFE_INTEGER);
                if size.is_some() {
                    let mut sketch = taken.clone();
                    sketch.example.size = size;
                    found.push(sketch);
                }
            }
        }
        let parts = if matches!(tree.op(), Op::All(_)) { tree.children().collect() } else { vec![tree] };
        for part in parts {
            let mut sketch = taken.clone();
            if solve::satisfy(part, false, &mut sketch, callers) {
                found.push(sketch);
            }
        }
    }

    /// A sibling, one segment more, one less, the other side of a trailing slash.
    fn paths(&self, taken: &Sketch<'p>) -> Vec<Sketch<'p>> {
        let path = taken.example.path.as_str();
        let mut others = Vec::new();
        match self.path {
            Some(PathPattern::Segments { segments, below }) => {
                let literal = segments.iter().rposition(|s| matches!(s, Segment::Literal(_)));
                if let Some(at) = literal {
                    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
                    if let Some(part) = parts.get_mut(at + 1) {
                        part.push_str("-x");
                    }
                    others.push(parts.join("/"));
                }
                let parent = path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
                if *below {
                    others.extend(parent);
                } else {
                    others.push(format!("{}/{ANYTHING}", path.strip_suffix('/').unwrap_or(path)));
                    others.extend(parent);
                    others.extend((!path.ends_with('/')).then(|| format!("{path}/")));
                }
            }
            Some(PathPattern::Prefix(text)) => {
                others.push(text.clone());
                others.push(format!("{text}/{ANYTHING}"));
                // The last letter is another one; escapes stay whole.
                let shorter = text.strip_suffix(|c: char| c.is_ascii_lowercase() && c != 'z');
                others.extend(shorter.map(|shorter| format!("{shorter}z{ANYTHING}")));
            }
            Some(PathPattern::Regex(_)) => others.push(format!("{path}/{ANYTHING}")),
            None => {}
        }
        others.into_iter().filter(|other| !other.is_empty()).map(|other| taken.with_path(other)).collect()
    }

    fn values(&self) -> impl Iterator<Item = (Slot, &'p ValueTest)> {
        let headers = self.headers.iter().map(|m| (Slot::Header(m.name.clone()), &m.is));
        let query = self.query.iter().map(|m| (Slot::Query(m.name.clone()), &m.is));
        let cookies = self.cookies.iter().map(|m| (Slot::Cookie(m.name.clone()), &m.is));
        headers.chain(query).chain(cookies)
    }
}

/// The request with a header's line twice: what `when` reads then has no single value.
fn repeated<'p>(slot: &Slot, taken: &Sketch<'p>) -> Option<Sketch<'p>> {
    let Slot::Header(name) = slot else { return None };
    let mut sketch = taken.clone();
    let line = sketch.example.headers.get(name)?.clone();
    sketch.example.again.insert(name.clone(), line);
    Some(sketch)
}

/// The request, sent by other callers.
pub(super) fn from_others(taken: &Example, others: impl IntoIterator<Item = Caller>) -> Vec<Example> {
    others.into_iter().map(|source| Example { source, ..taken.clone() }).collect()
}
