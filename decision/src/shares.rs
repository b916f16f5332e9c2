//! Shares: every way in which the splits of a request can fall, each with its part of the whole.
//!
//! A rule of a gateway, the rule of the service's Route behind it and the service's canary may each draw. Tools follow a
//! request once for every share, with the picks that lead into it.

use mesh_bundle::limits::WHOLE;
use mesh_bundle::program::Sticky;

use crate::build::{BuiltAction, BuiltRule, BuiltTarget, Choice};
use crate::engine::Engine;
use crate::request::{Picks, Request};
use crate::route::{Edge, Routing, Scratch};

/// The whole, of which the weight of a share is a part: the product of three splits in basis points.
pub const WHOLE_SHARE: u64 = (WHOLE as u64).pow(3);

/// The most shares that are listed.
pub const SHARES: usize = 1_000;

/// One way in which the splits of a request fall. Put to an engine as [`Picks`], it leads every request of the kind there,
/// whatever the request sticks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its part of [`WHOLE_SHARE`].
    pub weight: u64,
    /// What the splits stick to, each once.
    pub sticks_to: Vec<Sticky>,
    /// Splits with the pick that they draw.
    picks: Vec<(u32, u32)>,
}

impl Picks for Share {
    fn pick(&self, split: u32) -> u32 {
        // A split that is not on the request's way draws nothing.
        self.forced(split).unwrap_or(0)
    }

    fn forced(&self, split: u32) -> Option<u32> {
        self.picks.iter().find(|(known, _)| *known == split).map(|(_, pick)| *pick)
    }
}

impl Engine {
    /// The shares of the rules that forward a request, at most [`SHARES`]; none where no rule forwards it.
    #[must_use]
    pub fn shares(&self, request: &Request<'_>) -> Vec<Share> {
        let mut found = Found { routing: self.routing(), shares: Vec::new(), scratch: Scratch::default() };
        let whole = Share { weight: WHOLE_SHARE, sticks_to: Vec::new(), picks: Vec::new() };
        let table = self.routing().table_for(request.host);
        let hit = table.and_then(|table| self.routing().find(table, request, &mut found.scratch).ok());
        if let Some(hit) = hit {
            found.add(hit.rule, request, &whole);
        }
        found.shares
    }
}

/// The shares that were found so far.
struct Found<'e> {
    routing: &'e Routing,
    shares: Vec<Share>,
    scratch: Scratch,
}

impl Found<'_> {
    /// Adds the shares of a rule, which is asked with this part of the requests.
    fn add(&mut self, rule: &BuiltRule, request: &Request<'_>, part: &Share) {
        let BuiltAction::Forward(targets) = &rule.action else { return };
        let mut lower = 0;
        for (upper, target) in targets {
            let drawn = match rule.reference.split {
                Some(split) => part.with(split, lower, upper.saturating_sub(lower), rule.sticky.as_ref()),
                None => part.clone(),
            };
            self.add_target(rule, target, request, &drawn);
            lower = *upper;
        }
    }

    fn add_target(&mut self, rule: &BuiltRule, target: &BuiltTarget, request: &Request<'_>, part: &Share) {
        if self.shares.len() >= SHARES {
            return;
        }
        match &target.to {
            Choice::Version(_) => self.shares.push(part.clone()),
            Choice::Canary(canary) if canary.weight == 0 => self.shares.push(part.clone()),
            Choice::Canary(canary) => {
                let (weight, sticky) = (canary.weight, canary.sticky.as_ref());
                self.shares.push(part.with(canary.split, weight, WHOLE.saturating_sub(weight), sticky));
                self.shares.push(part.with(canary.split, 0, weight, sticky));
            }
            Choice::Route => self.add_route(rule, request, part),
        }
    }

    /// Adds the shares of the service's own Route behind a gateway's rule.
    fn add_route(&mut self, edge: &BuiltRule, request: &Request<'_>, part: &Share) {
        let routing = self.routing;
        let drawn = Request { picks: part, ..*request };
        let Some(Edge::Enters { service, path, .. }) = routing.decide_edge(&drawn, &mut self.scratch) else {
            // The rewritten path is refused: the share ends here.
            return self.shares.push(part.clone());
        };
        let before = self.shares.len();
        routing.behind(edge, path.as_deref(), request, |inner| {
            let table = routing.table_of_service(service);
            let hit = table.and_then(|table| routing.find(table, inner, &mut self.scratch).ok());
            if let Some(hit) = hit {
                self.add(hit.rule, inner, part);
            }
        });
        if self.shares.len() == before {
            // No rule of the Route forwards it.
            self.shares.push(part.clone());
        }
    }
}

impl Share {
    /// The part of this share that draws `pick` and the others of `width` from a split.
    fn with(&self, split: u32, pick: u32, width: u32, sticky: Option<&Sticky>) -> Self {
        let mut share = self.clone();
        share.picks.push((split, pick));
        share.weight = self.weight / u64::from(WHOLE) * u64::from(width);
        share.sticks_to.extend(sticky.filter(|sticky| !self.sticks_to.contains(sticky)).cloned());
        share
    }
}
