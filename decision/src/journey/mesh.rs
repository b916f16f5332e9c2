//! Following requests through a mesh.

use std::sync::Arc;

use mesh_bundle::program::Sticky;
use mesh_bundle::{Owner, Program, State};

use super::arrival::Arrival;
use super::ask::Ask;
use super::callee;
use super::engines::Engines;
use super::note::{Fact, Note};
use super::outcome::Journey;
use crate::build::BuildError;
use crate::engine::Engine;
use crate::host;
use crate::outbound_decision::Outcome;
use crate::reason::Reason;
use crate::request::{Picks, Request};
use crate::route::Scratch;

/// A mesh that requests can be followed through.
pub struct Mesh {
    engines: Engines,
}

/// A part of the requests like one, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its part of [`crate::shares::WHOLE_SHARE`].
    pub weight: u64,
    /// What its splits stick to, if they do.
    pub sticks_to: Vec<Sticky>,
    /// What becomes of it.
    pub journey: Journey,
}

impl Mesh {
    /// Prepares a whole program.
    #[must_use]
    pub fn new(program: Arc<Program>, state: State) -> Self {
        Self { engines: Engines::new(program, state) }
    }

    /// The program of the whole mesh.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.engines.program
    }

    /// The engine of one proxy, built on first use.
    ///
    /// # Errors
    /// [`BuildError`] when its part of the program does not build.
    pub fn engine(&self, owner: &Owner) -> Result<Arc<Engine>, BuildError> {
        self.engines.of(owner)
    }

    /// Follows a request to its end. Shares are drawn from `picks`.
    ///
    /// # Errors
    /// [`BuildError`] when a proxy's part of the program does not build.
    pub fn follow(&self, ask: &Ask, picks: &dyn Picks) -> Result<Journey, BuildError> {
        let mut journey = Journey::default();
        let Some(arrival) = Arrival::of(&self.engines, ask, &mut journey)? else { return Ok(journey) };
        let request = arrival.request(picks);
        if arrival.is_at_gateway() && !journey.enter(&arrival.engine, &request, &arrival.unknown) {
            return Ok(journey);
        }
        let steps = arrival.engine.explain_outbound(&request);
        journey.assume(&steps, &arrival.unknown);
        journey.steps = steps;
        journey.stick(&arrival, &request);
        let decided = arrival.engine.decide_outbound(&request, &mut Scratch::default());
        journey.edge_rule = decided.edge.map(|r| r.address.to_string());
        journey.rule = decided.rule.map(|r| r.address.to_string());
        match decided.outcome {
            Outcome::Forward(forward) => {
                journey.service = Some(forward.service.to_string());
                journey.version = Some(forward.version.to_string());
                journey.timeout_ms = Some(forward.timeout_ms);
                journey.attempts = Some(forward.retry.attempts);
                callee::arrive(&mut journey, &self.engines, &forward, &arrival, &request, ask)?;
            }
            Outcome::Respond(respond) => journey.status = Some(respond.status),
            Outcome::Redirect { status, location } => {
                journey.status = Some(status);
                journey.location = Some(location);
            }
            Outcome::Refuse(reason) => {
                if reason == Reason::NotVisible {
                    journey.access = Some("deny".into());
                    journey.access_owner = self.unseen(request.host);
                }
                journey.refuse(reason);
            }
        }
        Ok(journey)
    }

    /// Follows each share of the requests like one to its end, whatever they stick to; at most
    /// [`crate::shares::SHARES`]. None where no rule forwards the request.
    ///
    /// # Errors
    /// [`BuildError`] when a proxy's part of the program does not build.
    pub fn shares(&self, ask: &Ask) -> Result<Vec<Part>, BuildError> {
        let mut before = Journey::default();
        let Some(arrival) = Arrival::of(&self.engines, ask, &mut before)? else { return Ok(Vec::new()) };
        let request = arrival.request(&0);
        if arrival.is_at_gateway() && !before.enter(&arrival.engine, &request, &[]) {
            return Ok(Vec::new());
        }
        let shares = arrival.engine.shares(&request).into_iter();
        shares
            .map(|share| {
                let journey = self.follow(ask, &share)?;
                Ok(Part { weight: share.weight, sticks_to: share.sticks_to, journey })
            })
            .collect()
    }

    /// The service that a host names, whoever may see it.
    fn unseen(&self, host: &str) -> Option<Owner> {
        let program = self.program();
        let name = host::service_in(host, program.mesh.environment.as_str())?;
        let (name, _) = program.services.get_key_value(name)?;
        Some(Owner::Service(name.clone()))
    }
}

impl Journey {
    /// Notes that shares stick to an address that nobody gave.
    fn stick(&mut self, arrival: &Arrival<'_>, request: &Request<'_>) {
        if !arrival.unknown.contains(&Fact::ClientAddress) {
            return;
        }
        let shares = arrival.engine.shares(request);
        let by_address = |sticky: &Sticky| matches!(sticky, Sticky::Ip | Sticky::Source);
        if shares.iter().flat_map(|share| &share.sticks_to).any(by_address) {
            self.notes.push(Note::SticksToAddress { taken: request.source.ip.to_owned() });
        }
    }
}
