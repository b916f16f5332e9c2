//! Access control: decides whether a callee, or a gateway before its Routes, lets a request in.

use std::collections::BTreeMap;

use mesh_bundle::program::{AccessMode, Service};
use mesh_bundle::{Name, Owner, Program};

use crate::build::{BuildError, Builder, BuiltEntry};
use crate::caller;
use crate::expr::Destination;
use crate::inbound_decision::Verdict;
use crate::matcher::Matched;
use crate::request::Request;
use crate::values;

/// The access rules of one owner.
#[derive(Debug)]
pub(crate) struct AccessRules {
    mode: AccessMode,
    deny: Vec<BuiltEntry>,
    allow: Vec<BuiltEntry>,
}

/// The input of a decision about access.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(crate) request: &'q Request<'q>,
    /// Services that the proxy knows, with their labels.
    pub(crate) services: &'q BTreeMap<Name, Service>,
    pub(crate) destination: Option<Destination<'q>>,
}

/// The list that an entry stands in, hence its effect on a request that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Deny,
    Allow,
}

/// An observer of every entry that is asked, in order.
pub(crate) trait Trace {
    /// Called after entry `at` of its list was asked; `takes` is true if it takes the request.
    fn asked(&mut self, effect: Effect, at: usize, entry: &BuiltEntry, takes: bool);
}

/// The observer that ignores everything.
impl Trace for () {
    fn asked(&mut self, _: Effect, _: usize, _: &BuiltEntry, _: bool) {}
}

impl AccessRules {
    /// Builds the rules of `owner`; `None` where the program has none.
    pub(crate) fn build(
        builder: &Builder<'_>,
        program: &Program,
        owner: &Owner,
    ) -> Result<Option<Self>, BuildError> {
        let Some(access) = program.access.get(owner) else { return Ok(None) };
        Ok(Some(Self {
            mode: access.mode,
            deny: builder.entries(owner, "deny", &access.deny)?,
            allow: builder.entries(owner, "allow", &access.allow)?,
        }))
    }

    /// Asks denying entries, then allowing ones, until one takes the request.
    pub(crate) fn decide(&self, question: &Question<'_>, trace: &mut impl Trace) -> Verdict<'_> {
        if values::is_excessive(question.request) {
            return Verdict::Ambiguous;
        }
        let verdict = match self.first_to_take(question, trace) {
            Some((Effect::Deny, entry)) => Verdict::Deny(&entry.address),
            Some((Effect::Allow, entry)) => Verdict::Allow(&entry.address),
            None => Verdict::DefaultDeny,
        };
        match (self.mode, verdict) {
            (AccessMode::Audit, Verdict::Deny(entry)) => Verdict::AuditDeny(Some(entry)),
            (AccessMode::Audit, Verdict::DefaultDeny) => Verdict::AuditDeny(None),
            _ => verdict,
        }
    }

    fn first_to_take(
        &self,
        question: &Question<'_>,
        trace: &mut impl Trace,
    ) -> Option<(Effect, &BuiltEntry)> {
        for (effect, entries) in [(Effect::Deny, &self.deny), (Effect::Allow, &self.allow)] {
            for (at, entry) in entries.iter().enumerate() {
                let takes = question.is_taken_by(entry, effect);
                trace.asked(effect, at, entry, takes);
                if takes {
                    return Some((effect, entry));
                }
            }
        }
        None
    }
}

impl Question<'_> {
    fn is_taken_by(&self, entry: &BuiltEntry, effect: Effect) -> bool {
        entry.from.iter().any(|from| caller::selects(from, &self.request.source, self.services))
            && entry.matchers.iter().any(|matcher| {
                match matcher.test_whole(self.request, self.services, self.destination) {
                    Matched::Yes => true,
                    Matched::No(_) => false,
                    // An entry that errs: deny takes, allow does not.
                    Matched::Ambiguous => effect == Effect::Deny,
                }
            })
    }
}
