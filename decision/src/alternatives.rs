//! The matches of one rule: a single one, or several of which any may take a request.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use mesh_bundle::Name;
use mesh_bundle::program::{Match, Matches, Service};

use crate::matcher::{MatchBuildError, Matched, Matcher};
use crate::request::Request;

/// The built matches of a rule.
#[derive(Debug)]
pub(crate) enum Alternatives {
    /// The usual one.
    One(Matcher),
    /// Two or more, in the order written.
    Any(Box<[Matcher]>),
}

/// The verdict of a rule's matches on a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Taken<'m> {
    /// This match takes it, the first of those that do: its path is what rewrites and parameters go by.
    By(&'m Matcher),
    /// None takes it.
    No,
    /// None takes it for sure, and one reads a value that has no single value: the request is answered 400.
    Ambiguous,
}

impl Alternatives {
    /// Builds the matches of a rule.
    ///
    /// # Errors
    /// [`MatchBuildError`], its pointer below the rule: `/match/path/regex`, or `/match/1/path/regex` in a list.
    pub(crate) fn new(from: &Matches) -> Result<Self, MatchBuildError> {
        match from {
            Matches::One(one) => Matcher::new(one).map(Self::One).map_err(|e| e.below("/match")),
            Matches::Any(several) => {
                let built = several
                    .iter()
                    .enumerate()
                    .map(|(i, one)| Matcher::new(one).map_err(|e| e.below(&format!("/match/{i}"))));
                built.collect::<Result<_, _>>().map(Self::Any)
            }
        }
    }

    /// The match that takes every request.
    ///
    /// # Errors
    /// None that is known of: such a match has no part that could fail to build.
    pub(crate) fn all() -> Result<Self, MatchBuildError> {
        Matcher::new(&Match::default()).map(Self::One)
    }

    /// Every match, in the order written.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Matcher> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Any(several) => several,
        }
        .iter()
    }

    /// Tests a request that the index found for one of the matches, on the caller's side. As in CEL, a match that takes
    /// it decides, whatever another one cannot say.
    #[inline]
    pub(crate) fn test(&self, request: &Request<'_>, services: &BTreeMap<Name, Service>) -> Taken<'_> {
        match self {
            Self::One(one) => match one.test(request, services, None) {
                Matched::Yes => Taken::By(one),
                Matched::No(_) => Taken::No,
                Matched::Ambiguous => Taken::Ambiguous,
            },
            Self::Any(several) => any(several, request, services),
        }
    }

    /// The match that says most about a request, by its place in the list, with its verdict: the first that takes it;
    /// else one that cannot say; else the one that came furthest.
    pub(crate) fn telling(
        &self,
        request: &Request<'_>,
        services: &BTreeMap<Name, Service>,
    ) -> Option<(usize, &Matcher, Matched)> {
        let told = self.iter().enumerate();
        let told = told.map(|(at, matcher)| (at, matcher, matcher.test_whole(request, services, None)));
        // The first of equals.
        told.min_by_key(|(.., matched)| match matched {
            Matched::Yes => (0, Reverse(None)),
            Matched::Ambiguous => (1, Reverse(None)),
            Matched::No(part) => (2, Reverse(Some(*part))),
        })
    }
}

/// Asks several matches, whose paths the index did not tell apart.
fn any<'m>(several: &'m [Matcher], request: &Request<'_>, services: &BTreeMap<Name, Service>) -> Taken<'m> {
    let mut verdict = Taken::No;
    for matcher in several {
        match matcher.test_whole(request, services, None) {
            Matched::Yes => return Taken::By(matcher),
            Matched::No(_) => {}
            Matched::Ambiguous => verdict = Taken::Ambiguous,
        }
    }
    verdict
}
