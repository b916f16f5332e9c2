//! Why a request goes where it goes: every rule that was passed over, and the part that said no.

use mesh_bundle::Owner;
use mesh_bundle::expr::Expression;
use mesh_bundle::program::{Entry, Routes};
use serde::Serialize;

use crate::access;
use crate::build::{BuiltAction, BuiltEntry, Table};
use crate::engine::Engine;
use crate::expr::{Context, Decided, Tri};
use crate::matcher::{Matched, Part};
use crate::request::Request;

/// One rule or access entry that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its address.
    pub rule: String,
    /// `taken`, or the part that did not hold: `path`, `method`, `value`, `caller`, `when`,
    /// `ambiguous`; `fence` where a Route keeps later ones out.
    pub verdict: &'static str,
    /// Of its expression the part that decided, where the expression was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Decided>,
}

/// Most steps of an explanation; the rules before the deciding one matter most, so the oldest
/// that differ in path or caller only are dropped first.
pub const STEPS: usize = 100;

impl Engine {
    /// The rules of the table that a host leads to, in order, up to the one that took the request.
    #[must_use]
    pub fn explain_outbound(&self, request: &Request<'_>) -> Vec<Step> {
        let own = match self.owner() {
            Owner::Gateway(name) => self.program().gateway_routes.get(name),
            Owner::Service(_) => None,
        };
        // `route/<Route>/<rule>`
        let when = |address: &str| {
            let (route, rule) = address.strip_prefix("route/")?.split_once('/')?;
            let routes = match (self.owner(), own) {
                (Owner::Gateway(_), own) => own?.get(route),
                (Owner::Service(_), _) => self.program().routes.get(route),
            };
            when_of(routes?, rule)
        };
        self.table_for(request.host).map(|table| self.steps(table, request, when)).unwrap_or_default()
    }

    /// The same for the Route of a service that a gateway's rule leads to.
    #[must_use]
    pub fn explain_service(&self, service: &mesh_bundle::Name, request: &Request<'_>) -> Vec<Step> {
        let when = |address: &str| {
            let (_, rule) = address.strip_prefix("route/")?.split_once('/')?;
            when_of(self.program().routes.get(service)?, rule)
        };
        self.table_of_service(service).map(|table| self.steps(table, request, when)).unwrap_or_default()
    }

    /// The access entries that were asked, denying ones first, up to the one that took the request.
    #[must_use]
    pub fn explain_inbound(&self, request: &Request<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.each_entry(request, &mut |step| steps.push(step));
        shorten(&mut steps);
        steps
    }

    /// Of access entries that came as far as their expression, the parts that decided: of the entry that took the
    /// request, or of the first few that did not.
    #[must_use]
    pub fn because_inbound(&self, request: &Request<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.each_entry(request, &mut |step| {
            if step.verdict == "taken" {
                steps = vec![step];
            } else if step.because.is_some() && steps.len() < BECAUSE {
                steps.push(step);
            }
        });
        steps
    }

    fn each_entry(&self, request: &Request<'_>, tell: &mut dyn FnMut(Step)) {
        let Some(access) = self.program().access.get(self.owner()) else { return };
        let Some((deny, allow)) = self.entries() else { return };
        let context = self.context(request);
        let denying = deny.iter().zip(&access.deny).map(|(built, entry)| (built, entry, true));
        let allowing = allow.iter().zip(&access.allow).map(|(built, entry)| (built, entry, false));
        for (built, entry, denies) in denying.chain(allowing) {
            let (verdict, because) = self.ask(built, entry, &context);
            // An entry that errs: deny matches, allow does not.
            let takes = verdict == "taken" || (denies && verdict == "ambiguous");
            let verdict = if takes { "taken" } else { verdict };
            tell(Step { rule: built.address.clone(), verdict, because });
            if takes {
                return;
            }
        }
    }

    /// What an entry says, and why where its expression was asked.
    fn ask(
        &self,
        built: &BuiltEntry,
        entry: &Entry,
        context: &Context<'_>,
    ) -> (&'static str, Option<Decided>) {
        let (request, services) = (context.request, &self.program().services);
        if !entry.from.iter().any(|from| access::selects(from, &request.source, services)) {
            return ("caller", None);
        }
        let mut said = ("path", None);
        for matcher in &built.matchers {
            let because = || entry.when.as_ref().and_then(|when| matcher.explain(when, context));
            match matcher.test_whole(request, services, context.destination) {
                Matched::Yes => return ("taken", because()),
                Matched::Ambiguous => return ("ambiguous", because()),
                // Other paths of the entry are asked too; what came furthest is told.
                Matched::No(Part::When) => said = ("when", because()),
                Matched::No(part) if said.0 == "path" => said.0 = word(part),
                Matched::No(_) => {}
            }
        }
        said
    }

    fn steps<'p>(
        &'p self,
        table: &Table,
        request: &Request<'_>,
        when: impl Fn(&str) -> Option<&'p Expression>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        let context = Context { destination: None, ..self.context(request) };
        for rule in &table.rules {
            let matched = rule.matcher.test_whole(request, &self.program().services, None);
            let fence = matches!(rule.action, BuiltAction::Fence);
            let verdict = match matched {
                Matched::Yes if fence => "fence",
                Matched::Yes => "taken",
                Matched::No(_) if fence => continue,
                Matched::No(part) => word(part),
                Matched::Ambiguous => "ambiguous",
            };
            let address = &rule.reference.address;
            let asked = matches!(matched, Matched::Yes | Matched::No(Part::When) | Matched::Ambiguous);
            let when = asked.then(|| when(address)).flatten();
            let because = when.and_then(|when| rule.matcher.explain(when, &context));
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

/// Most entries that are told where none took the request.
const BECAUSE: usize = 3;

fn when_of<'p>(routes: &'p Routes, rule: &str) -> Option<&'p Expression> {
    routes.rules.iter().find(|known| known.name.as_str() == rule)?.matches.when.as_deref()
}

fn word(part: Part) -> &'static str {
    match part {
        Part::Path => "path",
        Part::Method => "method",
        Part::Value => "value",
        Part::Caller => "caller",
        Part::When => "when",
    }
}

fn shorten(steps: &mut Vec<Step>) {
    let extra = steps.len().saturating_sub(STEPS);
    let mut dropped = 0;
    steps.retain(|step| {
        let drop = dropped < extra && matches!(step.verdict, "path" | "caller");
        dropped += usize::from(drop);
        !drop
    });
}
