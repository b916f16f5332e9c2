//! Matchers: the built form of one rule's match.

use std::collections::BTreeMap;

use mesh_bundle::expr::Expression;
use mesh_bundle::program::{From, Match, Service, ValueMatch, ValueTest};
use mesh_bundle::{Name, Owner, PathPattern};

use crate::caller;
use crate::expr::{self, Context, Decided, Destination, ExprBuildError, Tri};
use crate::regex::{Pattern, RegexError};
use crate::request::Request;
use crate::values::{self, Value};

/// The error of a match that does not build: pointer inside the match, and reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {reason}")]
pub struct MatchBuildError {
    /// JSON pointer (RFC 6901) below the match.
    pub pointer: String,
    /// The reason, in words.
    pub reason: String,
}

impl MatchBuildError {
    /// The error with its pointer below `parent`.
    pub(crate) fn below(self, parent: &str) -> Self {
        Self { pointer: format!("{parent}{}", self.pointer), ..self }
    }
}

/// A built match, ready to test requests.
#[derive(Debug)]
pub struct Matcher {
    path: Option<PathPattern>,
    regex: Option<Box<Pattern>>,
    methods: Box<[Box<str>]>,
    values: Box<[(Place, Box<str>, Test)]>,
    callers: Box<[From]>,
    when: Option<Box<expr::Program>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Query,
    Cookie,
}

#[derive(Debug)]
enum Test {
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Box<str>),
    Regex(Pattern),
    Present(bool),
}

/// The first part of a match that does not hold, for explanations; in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The path pattern.
    Path,
    /// The list of methods.
    Method,
    /// The list of callers.
    Caller,
    /// A test on a header, query parameter or cookie.
    Value,
    /// The expression `when`.
    When,
}

/// The result of testing a request against a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// The match takes the request.
    Yes,
    /// The match does not take the request, because of this part.
    No(Part),
    /// The match reads a value that has no single value: the request is answered 400.
    Ambiguous,
}

impl Matcher {
    /// Builds a match from its definition.
    ///
    /// # Errors
    /// [`MatchBuildError`] for a regular expression or expression that does not build.
    pub fn new(from: &Match) -> Result<Self, MatchBuildError> {
        let fail = |pointer: String, reason: String| MatchBuildError { pointer, reason };
        let regex = match &from.path {
            Some(PathPattern::Regex(text)) => {
                Some(Box::new(Pattern::whole(text).map_err(|e| fail("/path/regex".into(), e.to_string()))?))
            }
            _ => None,
        };
        let mut tests = Vec::new();
        let lists = [
            (Place::Header, "headers", &from.headers),
            (Place::Query, "query", &from.query),
            (Place::Cookie, "cookies", &from.cookies),
        ];
        for (place, list, matches) in lists {
            for (i, ValueMatch { name, is }) in matches.iter().enumerate() {
                let test = Test::new(is).map_err(|e| fail(format!("/{list}/{i}"), e.to_string()))?;
                tests.push((place, name.as_str().into(), test));
            }
        }
        let when = from.when.as_ref().map(|when| expr::Program::new(when).map(Box::new)).transpose();
        let when = when.map_err(|e: ExprBuildError| fail("/when".into(), e.to_string()))?;
        Ok(Self {
            path: from.path.clone(),
            regex,
            methods: from.methods.iter().map(|m| m.as_str().into()).collect(),
            values: tests.into(),
            callers: from.callers.clone().into(),
            when,
        })
    }

    /// The path pattern, for the index, for parameters and for rewrites.
    #[must_use]
    pub fn pattern(&self) -> Option<&PathPattern> {
        self.path.as_ref()
    }

    /// Tests a request whose path the index already found to fit, unless the path is a regular
    /// expression. `services` are those that the proxy knows, for callers by label;
    /// `destination` is the callee, at its own proxy.
    #[must_use]
    pub fn test(
        &self,
        request: &Request<'_>,
        services: &BTreeMap<Name, Service>,
        destination: Option<Destination<'_>>,
    ) -> Matched {
        if self.regex.as_ref().is_some_and(|regex| !regex.is_match(request.path)) {
            return Matched::No(Part::Path);
        }
        if !self.methods.is_empty() && !self.methods.iter().any(|m| m.as_ref() == request.method) {
            return Matched::No(Part::Method);
        }
        if !self.callers.is_empty()
            && !self.callers.iter().any(|c| caller::selects(c, &request.source, services))
        {
            return Matched::No(Part::Caller);
        }
        // As in CEL: one part that does not hold decides, whatever else has no single value.
        let mut ambiguous = false;
        for (place, name, test) in &self.values {
            match test.of(*place, name, request) {
                Tri::True => {}
                Tri::False => return Matched::No(Part::Value),
                Tri::Error => ambiguous = true,
            }
        }
        let when = match &self.when {
            None => Tri::True,
            Some(when) => {
                let source = match request.source.owner {
                    Some(Owner::Service(name)) => services.get(name),
                    _ => None,
                };
                when.evaluate(&Context { request, pattern: self.path.as_ref(), source, destination })
            }
        };
        match when {
            Tri::False => Matched::No(Part::When),
            Tri::Error => Matched::Ambiguous,
            Tri::True if ambiguous => Matched::Ambiguous,
            Tri::True => Matched::Yes,
        }
    }

    /// Tests a request whose path was not looked up in the index, as [`Matcher::test`] does.
    #[must_use]
    pub fn test_whole(
        &self,
        request: &Request<'_>,
        services: &BTreeMap<Name, Service>,
        destination: Option<Destination<'_>>,
    ) -> Matched {
        let outside =
            |p: &PathPattern| !matches!(p, PathPattern::Regex(_)) && !crate::path::matches(p, request.path);
        if self.path.as_ref().is_some_and(outside) {
            return Matched::No(Part::Path);
        }
        self.test(request, services, destination)
    }

    /// Finds the deciding part of the expression `when`, which is this match's.
    #[must_use]
    pub fn explain(&self, when: &Expression, context: &Context<'_>) -> Option<Decided> {
        let context = Context { pattern: self.path.as_ref(), ..*context };
        self.when.as_ref()?.explain(when, &context)
    }
}

impl Test {
    fn new(from: &ValueTest) -> Result<Self, RegexError> {
        Ok(match from {
            ValueTest::Exact(text) => Self::Exact(text.as_str().into()),
            ValueTest::Prefix(text) => Self::Prefix(text.as_str().into()),
            ValueTest::Suffix(text) => Self::Suffix(text.as_str().into()),
            ValueTest::Contains(text) => Self::Contains(text.as_str().into()),
            ValueTest::Regex(text) => Self::Regex(Pattern::whole(text)?),
            ValueTest::Present(wanted) => Self::Present(*wanted),
        })
    }

    fn of(&self, place: Place, name: &str, request: &Request<'_>) -> Tri {
        if place == Place::Query && !values::query_is_sound(request.query) {
            return Tri::Error;
        }
        if let Self::Present(wanted) = self {
            let there = match place {
                Place::Header => values::has_header(request.headers, name),
                Place::Query => values::has_query(request.query, name),
                Place::Cookie => values::has_cookie(request.headers, name),
            };
            return (there == *wanted).into();
        }
        let value = match place {
            Place::Header => values::header(request.headers, name),
            Place::Query => values::query(request.query, name),
            Place::Cookie => values::cookie(request.headers, name),
        };
        match value {
            Value::Absent => Tri::False,
            Value::Repeated => Tri::Error,
            Value::One(value) => match self {
                Self::Exact(text) => value.as_ref() == text.as_ref(),
                Self::Prefix(text) => value.starts_with(text.as_ref()),
                Self::Suffix(text) => value.ends_with(text.as_ref()),
                Self::Contains(text) => value.contains(text.as_ref()),
                Self::Regex(pattern) => pattern.is_match(&value),
                Self::Present(_) => true,
            }
            .into(),
        }
    }
}
