//! The engine: everything that one proxy decides with, behind two doors, [`Engine::decide_outbound`] and
//! [`Engine::decide_inbound`].

use std::sync::Arc;

use mesh_bundle::program::{Limit, Service, SlashMode};
use mesh_bundle::{Name, Owner, Program, State};

use crate::access::{AccessRules, Question, Trace};
use crate::build::{BuildError, Builder};
use crate::expr::{Context, Destination};
use crate::inbound_decision::{Inbound, Verdict};
use crate::outbound_decision::Outbound;
use crate::quota::{AmbiguousKey, Limits};
use crate::request::Request;
use crate::route::{Routing, Scratch};

/// The decision engine of one proxy. Immutable; share it behind an `Arc`.
#[derive(Debug)]
pub struct Engine {
    program: Arc<Program>,
    owner: Owner,
    version: String,
    routing: Routing,
    access: Option<AccessRules>,
    limits: Limits,
    counts: (u32, u32),
}

impl Engine {
    /// Builds the engine of `owner`'s proxy from its part of a program ([`Program::slice`]) and
    /// the rollout's state.
    ///
    /// # Errors
    /// [`BuildError`] with unit and pointer: rung 5 of the activation ladder.
    pub fn new(program: Arc<Program>, state: &State, owner: &Owner) -> Result<Self, BuildError> {
        let mut builder = Builder::new(&program, state);
        let routing = Routing::build(&mut builder, &program, owner)?;
        let access = AccessRules::build(&builder, &program, owner)?;
        let limits = program.quotas.get(owner).map_or_else(Vec::new, |quotas| quotas.limits.clone());
        let limits = Limits::build(owner, limits)?;
        let counts = builder.counts();
        Ok(Self { owner: owner.clone(), version: String::new(), routing, access, limits, counts, program })
    }

    /// Tells the engine which version of its service the proxy stands for
    /// (`destination.version`).
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// The engine's part of the program.
    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The service or gateway that the engine stands for.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The number of rules; their ids are below it.
    #[must_use]
    pub fn rule_count(&self) -> u32 {
        self.counts.0
    }

    /// The number of splits; their ids are below it.
    #[must_use]
    pub fn split_count(&self) -> u32 {
        self.counts.1
    }

    /// The limits of the owner, by [`crate::Charge::limit`].
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        self.limits.as_slice()
    }

    /// The handling of escaped slashes in requests for a canonical `host`; the path must be made canonical with it before
    /// the request is decided. It is that of the host's service; at a gateway they stay where any rule of the host sends to
    /// a service that keeps them, and a rule that sends elsewhere refuses them. Unknown hosts refuse them.
    #[must_use]
    pub fn slash_mode(&self, host: &str) -> SlashMode {
        self.routing.slash_mode(host)
    }

    /// The handling of escaped slashes by the owner's own application, as in [`Engine::slash_mode`].
    #[must_use]
    pub fn own_slash_mode(&self) -> SlashMode {
        self.own_service().map(|s| s.escaped_slashes).unwrap_or_default()
    }

    /// The service that a host inside the mesh names: `orders`, or `orders.<environment>`.
    #[must_use]
    pub fn service_of(&self, host: &str) -> Option<&Name> {
        self.routing.service_of(host)
    }

    /// Decides the outcome of a request on the caller's side.
    #[must_use]
    pub fn decide_outbound(&self, request: &Request<'_>, scratch: &mut Scratch) -> Outbound<'_> {
        self.routing.decide(request, scratch)
    }

    /// Decides the outcome of a request on the callee's side: access, then quotas. At a gateway it guards the door,
    /// before its Routes.
    #[must_use]
    pub fn decide_inbound<'a>(&'a self, request: &'a Request<'a>) -> Inbound<'a> {
        let verdict = self.decide_access(request, &mut ());
        if !verdict.passes() {
            return Inbound { verdict, charges: Vec::new() };
        }
        match self.limits.charges(&self.context(request)) {
            Ok(charges) => Inbound { verdict, charges },
            Err(AmbiguousKey) => Inbound { verdict: Verdict::Ambiguous, charges: Vec::new() },
        }
    }

    /// Decides access alone, without quotas.
    pub(crate) fn decide_access<'a>(&'a self, request: &Request<'_>, trace: &mut impl Trace) -> Verdict<'a> {
        let question =
            Question { request, services: &self.program.services, destination: self.destination() };
        match (&self.access, &self.owner) {
            (Some(access), _) => access.decide(&question, trace),
            (None, Owner::Gateway(_)) => Verdict::Open,
            (None, Owner::Service(_)) => Verdict::DefaultDeny,
        }
    }

    /// The engine's routing tables.
    pub(crate) fn routing(&self) -> &Routing {
        &self.routing
    }

    pub(crate) fn context<'c>(&'c self, request: &'c Request<'c>) -> Context<'c> {
        let source = match request.source.owner {
            Some(Owner::Service(name)) => self.program.services.get(name),
            _ => None,
        };
        Context { request, pattern: None, source, destination: self.destination() }
    }

    fn destination(&self) -> Option<Destination<'_>> {
        let service = self.own_service()?;
        Some(Destination { name: self.owner.name().as_str(), service, version: &self.version })
    }

    fn own_service(&self) -> Option<&Service> {
        match &self.owner {
            Owner::Service(name) => self.program.services.get(name),
            Owner::Gateway(_) => None,
        }
    }
}
