//! What is in force: one bundle, built for the request path.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;
use mesh_bundle::program::{AccessLog, Protocol, TlsMode};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Digest, Name, Owner, Program, Refusal, Rung, State};
use mesh_decision::{Engine, Picks, split};

use crate::probation::Tally;
use crate::quota::Counters;
use crate::tls::SpiffeId;
use crate::upstream::{Admission, Directory, Slot, Sums, Transport, UpstreamService};

/// How many were built.
static SERIALS: AtomicU64 = AtomicU64::new(0);

/// Versions of each service.
pub type ServiceVersions = BTreeMap<String, BTreeSet<String>>;

/// One bundle, ready for requests. Immutable but for its counters.
pub struct Active {
    /// What decides.
    pub engine: Engine,
    /// The bundle.
    pub bundle: Digest,
    /// The same as text, for logs.
    pub bundle_text: Box<str>,
    /// Tells activations in this process apart, those of one bundle too; from 1.
    pub serial: u64,
    /// The generation of the release that made it eligible.
    pub generation: u64,
    /// The upstream services in scope.
    pub services: HashMap<Name, Arc<UpstreamService>, FixedState>,
    /// The owner's quotas.
    pub counters: Counters,
    /// The addresses of its limits: `quota/orders/limits[0]`.
    pub limits: Vec<Box<str>>,
    /// The address of its access rules: `access/orders`.
    pub access: Box<str>,
    /// What is logged of requests.
    pub access_log: AccessLog,
    /// The application behind an inbound proxy.
    pub application: Option<Arc<UpstreamService>>,
    /// The name of this proxy as a caller.
    pub principal: Box<str>,
    /// Digests of the units that it was built from, and of their self-tests.
    pub units: UnitDigests,
    /// The state that it was built with.
    pub state: State,
    /// How its requests end.
    pub tally: Arc<Tally>,
    picks: Box<[AtomicU64]>,
    seed: u32,
}

/// Digests of units and of their self-tests.
pub type UnitDigests = BTreeMap<UnitId, (Digest, Option<Digest>)>;

/// What an [`Active`] is built from.
pub struct BuildInput<'a> {
    /// The owner's part of the program.
    pub program: Arc<Program>,
    /// The rollout's state.
    pub state: &'a State,
    /// Whom the proxy stands for.
    pub owner: &'a Owner,
    /// The bundle's id.
    pub bundle: Digest,
    /// The release's generation.
    pub generation: u64,
    /// Where endpoints are found.
    pub directory: &'a Directory,
    /// Where the application listens, for a service's proxy.
    pub application: Option<SocketAddr>,
    /// Whether the proxy has an identity to speak TLS with.
    pub has_identity: bool,
    /// Seeds the order of shares.
    pub seed: u32,
    /// What it is built from.
    pub units: UnitDigests,
}

impl fmt::Debug for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (activation {})", self.bundle, self.serial)
    }
}

impl Active {
    /// Rung 5 of the ladder: matchers, upstreams and counters. What `previous` has and did not change keeps its counts.
    ///
    /// # Errors
    /// A [`Refusal`] at [`Rung::Built`] with unit and pointer.
    pub fn build(input: &BuildInput<'_>, previous: Option<&Self>) -> Result<Self, Refusal> {
        let program = Arc::clone(&input.program);
        let engine = Engine::new(Arc::clone(&program), input.state, input.owner).map_err(|error| {
            Refusal::new(Rung::Built, "cannot-build", error.reason).at(error.unit).pointing(error.pointer)
        })?;
        let strict = program.mesh.tls == TlsMode::Strict;
        if strict && !input.has_identity {
            let message = "the mesh is `tls: strict`, and this proxy has no `--identity`";
            return Err(Refusal::new(Rung::Built, "no-identity", message).at("mesh"));
        }
        let mut services = HashMap::default();
        for name in program.services.keys() {
            let known = previous.and_then(|active| active.services.get(name));
            services.insert(name.clone(), Arc::new(upstream(input, name, known)?));
        }
        // An owner without the unit has no limits.
        let quotas = program.quotas.get(input.owner).cloned().unwrap_or_default();
        let own = match input.owner {
            Owner::Service(name) => program.services.get(name),
            Owner::Gateway(_) => None,
        };
        let application = own.zip(input.application).map(|(service, address)| {
            let http2 = service.protocol == Protocol::Grpc;
            let known = previous.and_then(|active| active.application.clone());
            // The slot is kept, so that connections to the application outlive the bundle.
            let there = |slot: &Slot| slot.endpoints().iter().any(|endpoint| endpoint.address == address);
            known
                .filter(|known| {
                    known.transport.http2 == http2 && known.slot("").is_some_and(|slot| there(slot))
                })
                .unwrap_or_else(|| application(address, http2))
        });
        let picks = (0..engine.split_count()).map(|_| AtomicU64::new(0)).collect();
        Ok(Self {
            principal: program.mesh.spiffe_id(input.owner).into(),
            engine,
            bundle: input.bundle,
            bundle_text: input.bundle.to_string().into(),
            serial: SERIALS.fetch_add(1, Ordering::Relaxed) + 1,
            generation: input.generation,
            services,
            limits: quotas
                .limits
                .iter()
                .map(|limit| format!("quota/{}/{}", input.owner, limit.name).into())
                .collect(),
            access: format!("access/{}", input.owner).into(),
            access_log: program.mesh.access_log,
            counters: Counters::new(&quotas, previous.map(|active| &active.counters)),
            application,
            units: input.units.clone(),
            state: input.state.clone(),
            // The same bundle under another state goes on with its counts.
            tally: previous
                .filter(|active| active.bundle == input.bundle)
                .map_or_else(Arc::default, |active| Arc::clone(&active.tally)),
            picks,
            seed: input.seed,
        })
    }

    /// How requests end, by upstream service.
    pub fn sums(&self) -> impl Iterator<Item = (&str, Sums)> {
        let services = self.services.values().chain(&self.application);
        services.map(|service| (&*service.name, service.outcomes.sums()))
    }

    /// The services in scope with their versions.
    #[must_use]
    pub fn versions(&self) -> ServiceVersions {
        let text =
            |service: &mesh_bundle::program::Service| service.versions.iter().map(Name::to_string).collect();
        self.engine
            .program()
            .services
            .iter()
            .map(|(name, service)| (name.to_string(), text(service)))
            .collect()
    }
}

impl Picks for Active {
    fn pick(&self, split: u32) -> u32 {
        let counter = usize::try_from(split).ok().and_then(|split| self.picks.get(split));
        let turn = counter.map_or(0, |counter| counter.fetch_add(1, Ordering::Relaxed));
        split::pick(self.seed.wrapping_add(split) % mesh_bundle::limits::WHOLE, turn)
    }
}

fn upstream(
    input: &BuildInput<'_>,
    name: &Name,
    known: Option<&Arc<UpstreamService>>,
) -> Result<UpstreamService, Refusal> {
    let program = &input.program;
    let unit = format!("services/{name}");
    let missing = || Refusal::new(Rung::Built, "missing-unit", "the service is not in the program").at(&unit);
    let service = program.services.get(name).ok_or_else(missing)?;
    let http2 = service.protocol == Protocol::Grpc;
    let tls = if input.has_identity {
        let id = program.mesh.spiffe_id(&Owner::Service(name.clone()));
        let refuse = |error: crate::tls::SpiffeError| {
            Refusal::new(Rung::Built, "bad-identity", format!("`{id}`: {error}")).at("mesh")
        };
        Some(SpiffeId::parse(&id).map_err(refuse)?)
    } else {
        None
    };
    let rules = program.resilience.get(name);
    let admission = known
        .map(|known| &known.admission)
        .filter(|admission| admission.is_for(rules, http2))
        .map_or_else(|| Arc::new(Admission::new(rules, http2)), Arc::clone);
    let slots = service.versions.iter();
    Ok(UpstreamService {
        name: name.as_str().into(),
        transport: Transport::new(http2, tls),
        outlier: rules.and_then(|rules| rules.outlier),
        admission,
        outcomes: known.map_or_else(Arc::default, |known| Arc::clone(&known.outcomes)),
        versions: slots
            .map(|v| (v.as_str().into(), input.directory.slot(name.as_str(), v.as_str())))
            .collect(),
    })
}

fn application(address: SocketAddr, http2: bool) -> Arc<UpstreamService> {
    Arc::new(UpstreamService {
        name: "application".into(),
        transport: Transport::new(http2, None),
        outlier: None,
        admission: Arc::new(Admission::new(None, http2)),
        outcomes: Arc::default(),
        versions: vec![("".into(), Arc::new(Slot::fixed(address)))],
    })
}
