//! Explanations of a decision: every rule that was passed over, and the part that did not hold.

use mesh_bundle::expr::Expression;
use mesh_bundle::program::{Access, Matches, Routes};
use mesh_bundle::{Name, Owner};
use serde::Serialize;

use crate::access::{Effect, Trace};
use crate::build::{BuiltAction, BuiltEntry, Table};
use crate::caller;
use crate::engine::Engine;
use crate::expr::{Context, Decided, Tri};
use crate::matcher::{Matched, Part};
use crate::request::Request;
use crate::route::{Edge, Scratch};

/// One rule or access entry that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Address of the rule or entry.
    pub rule: String,
    /// The verdict of the rule on the request: taken, or the part that did not hold.
    pub verdict: StepVerdict,
    /// Of its expression the part that decided, where the expression was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Decided>,
}

/// The verdict of a rule or an access entry on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepVerdict {
    /// It takes the request.
    Taken,
    /// Its path pattern does not match.
    Path,
    /// Its methods do not include the request's.
    Method,
    /// A test on a header, query parameter or cookie does not hold.
    Value,
    /// Its callers do not include the request's.
    Caller,
    /// Its expression is false for the request.
    When,
    /// It reads a value that has no single value.
    Ambiguous,
    /// The end of a Route that keeps later ones out.
    Fence,
}

impl StepVerdict {
    /// The verdict as a word, as in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Path => "path",
            Self::Method => "method",
            Self::Value => "value",
            Self::Caller => "caller",
            Self::When => "when",
            Self::Ambiguous => "ambiguous",
            Self::Fence => "fence",
        }
    }
}

impl From<Part> for StepVerdict {
    fn from(part: Part) -> Self {
        match part {
            Part::Path => Self::Path,
            Part::Method => Self::Method,
            Part::Value => Self::Value,
            Part::Caller => Self::Caller,
            Part::When => Self::When,
        }
    }
}

/// The largest number of steps of an explanation; the rules before the deciding one matter most, so the oldest that
/// differ in path or caller only are dropped first.
pub const STEPS: usize = 100;

impl Engine {
    /// The rules of the table that a host leads to, in order, up to the one that took the request. At a gateway those of
    /// the service's own Route follow, where the rule leads there.
    #[must_use]
    pub fn explain_outbound(&self, request: &Request<'_>) -> Vec<Step> {
        let own = match self.owner() {
            Owner::Gateway(name) => self.program().gateway_routes.get(name),
            Owner::Service(_) => None,
        };
        // `route/<Route>/<rule>`
        let matches = |address: &str| {
            let (route, rule) = address.strip_prefix("route/")?.split_once('/')?;
            let routes = match (self.owner(), own) {
                (Owner::Gateway(_), own) => own?.get(route),
                (Owner::Service(_), _) => self.program().routes.get(route),
            };
            matches_of(routes?, rule)
        };
        let Some(table) = self.routing().table_for(request.host) else { return Vec::new() };
        let mut steps = self.steps(table, request, matches);
        if let Some(Edge::Enters { service, rule, path }) =
            self.routing().decide_edge(request, &mut Scratch::default())
        {
            steps.extend(
                self.routing()
                    .behind(rule, path.as_deref(), request, |inner| self.explain_service(service, inner)),
            );
        }
        steps
    }

    /// The rules of the Route of a service that a gateway's rule leads to, as in [`Engine::explain_outbound`].
    fn explain_service(&self, service: &Name, request: &Request<'_>) -> Vec<Step> {
        let matches = |address: &str| {
            let (_, rule) = address.strip_prefix("route/")?.split_once('/')?;
            matches_of(self.program().routes.get(service)?, rule)
        };
        self.routing()
            .table_of_service(service)
            .map(|table| self.steps(table, request, matches))
            .unwrap_or_default()
    }

    /// The access entries that were asked, denying ones first, up to the one that took the request.
    #[must_use]
    pub fn explain_inbound(&self, request: &Request<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.each_entry(request, Which::All, &mut |step| steps.push(step));
        shorten(&mut steps);
        steps
    }

    /// Of access entries that came as far as their expression, the parts that decided: of the entry that took the
    /// request, or of the first few that did not.
    #[must_use]
    pub fn because_inbound(&self, request: &Request<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.each_entry(request, Which::Decisive, &mut |step| {
            if step.verdict == StepVerdict::Taken {
                steps = vec![step];
            } else if step.because.is_some() && steps.len() < BECAUSE {
                steps.push(step);
            }
        });
        steps
    }

    fn each_entry(&self, request: &Request<'_>, which: Which, tell: &mut dyn FnMut(Step)) {
        let Some(access) = self.program().access.get(self.owner()) else { return };
        self.decide_access(
            request,
            &mut Entries { engine: self, access, context: self.context(request), which, tell },
        );
    }

    fn steps<'p>(
        &'p self,
        table: &Table,
        request: &Request<'_>,
        matches: impl Fn(&str) -> Option<&'p Matches>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        let context = Context { destination: None, ..self.context(request) };
        for rule in &table.rules {
            let telling = rule.matches.telling(request, &self.program().services);
            let Some((at, matcher, matched)) = telling else { continue };
            let fence = matches!(rule.action, BuiltAction::Fence);
            let verdict = match matched {
                Matched::Yes if fence => StepVerdict::Fence,
                Matched::Yes => StepVerdict::Taken,
                Matched::No(_) if fence => continue,
                Matched::No(part) => part.into(),
                Matched::Ambiguous => StepVerdict::Ambiguous,
            };
            let address = &rule.reference.address;
            let asked = matches!(matched, Matched::Yes | Matched::No(Part::When) | Matched::Ambiguous);
            let written =
                asked.then(|| matches(address)).flatten().and_then(|written| written.iter().nth(at));
            let when = written.and_then(|one| one.when.as_deref());
            let because = when.and_then(|when| matcher.explain(when, &context));
            // Ambiguous may be what another part of the match read.
            let because = because.filter(|b| matched != Matched::Ambiguous || b.result == Tri::Error);
            steps.push(Step { rule: address.to_string(), verdict, because });
            if matches!(matched, Matched::Yes | Matched::Ambiguous) {
                break;
            }
        }
        shorten(&mut steps);
        steps
    }
}

/// The entries that are told of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those that take the request, and those that have an expression: a denial on a busy path explains no others.
    Decisive,
}

/// An observer that turns the entries that a decision about access asks into steps.
struct Entries<'e> {
    engine: &'e Engine,
    access: &'e Access,
    context: Context<'e>,
    which: Which,
    tell: &'e mut dyn FnMut(Step),
}

impl Trace for Entries<'_> {
    fn asked(&mut self, effect: Effect, at: usize, built: &BuiltEntry, takes: bool) {
        let list = match effect {
            Effect::Deny => &self.access.deny,
            Effect::Allow => &self.access.allow,
        };
        let when = list.get(at).and_then(|entry| entry.when.as_ref());
        if self.which == Which::Decisive && when.is_none() && !takes {
            return;
        }
        let (verdict, because) = self.reason(built, when);
        let verdict = if takes { StepVerdict::Taken } else { verdict };
        (self.tell)(Step { rule: built.address.clone(), verdict, because });
    }
}

impl Entries<'_> {
    /// The verdict of an entry, with the part that decided where its expression was asked.
    fn reason(&self, built: &BuiltEntry, when: Option<&Expression>) -> (StepVerdict, Option<Decided>) {
        let (request, services) = (self.context.request, &self.engine.program().services);
        if !built.from.iter().any(|from| caller::selects(from, &request.source, services)) {
            return (StepVerdict::Caller, None);
        }
        let mut said = (StepVerdict::Path, None);
        for matcher in &built.matchers {
            let because = || when.and_then(|when| matcher.explain(when, &self.context));
            match matcher.test_whole(request, services, self.context.destination) {
                Matched::Yes => return (StepVerdict::Taken, because()),
                Matched::Ambiguous => return (StepVerdict::Ambiguous, because()),
                // Other paths of the entry are asked too; the one that came furthest is reported.
                Matched::No(Part::When) => said = (StepVerdict::When, because()),
                Matched::No(part) if said.0 == StepVerdict::Path => said.0 = part.into(),
                Matched::No(_) => {}
            }
        }
        said
    }
}

/// The largest number of entries that are reported where none took the request.
const BECAUSE: usize = 3;

fn matches_of<'p>(routes: &'p Routes, rule: &str) -> Option<&'p Matches> {
    routes.rules.iter().find(|known| known.name.as_str() == rule).map(|known| &known.matches)
}

fn shorten(steps: &mut Vec<Step>) {
    let extra = steps.len().saturating_sub(STEPS);
    let mut dropped = 0;
    steps.retain(|step| {
        let drop = dropped < extra && matches!(step.verdict, StepVerdict::Path | StepVerdict::Caller);
        dropped += usize::from(drop);
        !drop
    });
}
