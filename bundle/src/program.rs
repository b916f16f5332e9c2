//! The program: the configuration that proxies execute, flat, sorted and total.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::{Name, Owner};
use crate::unit::{Unit, UnitId};

pub use crate::unit::{
    Access, AccessLog, AccessMode, Action, Analysis, Balancer, Canary, Certificates, Control, Defaults,
    Destination, Entry, Follow, From, Gate, Gateway, HeaderEdits, Limit, Match, Matches, Measure, Mesh,
    Metric, NoData, Objective, OnFailure, Outlier, Probation, Protocol, Proxies, Quotas, Rate, RateKey,
    Redirect, Resilience, Respond, Retry, RetryOn, Rewrite, RewritePath, Role, Routes, Rule, Service,
    SlashMode, Stage, Sticky, Strategy, Target, Team, TlsMode, ValueMatch, ValueTest, Wave,
};

/// A whole mesh in one environment, or the part of it that one proxy needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Settings of the whole mesh.
    pub mesh: Mesh,
    /// Settings that only the control plane reads; absent from a proxy's part.
    pub control: Control,
    /// Services by name.
    pub services: BTreeMap<Name, Service>,
    /// Gateways by name.
    pub gateways: BTreeMap<Name, Gateway>,
    /// Routes of services, by service; a service without one has the implicit rule `default`.
    pub routes: BTreeMap<Name, Routes>,
    /// Routes of gateways, by gateway and name.
    pub gateway_routes: BTreeMap<Name, BTreeMap<Name, Routes>>,
    /// Access rules by callee.
    pub access: BTreeMap<Owner, Access>,
    /// Quotas by callee.
    pub quotas: BTreeMap<Owner, Quotas>,
    /// Canaries by service.
    pub canaries: BTreeMap<Name, Canary>,
    /// Resilience by service.
    pub resilience: BTreeMap<Name, Resilience>,
    /// In one proxy's part: the services that it may call. Absent from a whole program.
    pub calls: Option<BTreeSet<Name>>,
}

impl Program {
    /// A program of `mesh` with nothing in it.
    #[must_use]
    pub fn new(mesh: Mesh) -> Self {
        Self {
            mesh,
            control: Control::default(),
            services: BTreeMap::new(),
            gateways: BTreeMap::new(),
            routes: BTreeMap::new(),
            gateway_routes: BTreeMap::new(),
            access: BTreeMap::new(),
            quotas: BTreeMap::new(),
            canaries: BTreeMap::new(),
            resilience: BTreeMap::new(),
            calls: None,
        }
    }

    /// Every unit of the program, in the order of their paths' kinds and names.
    #[must_use]
    pub fn units(&self) -> Vec<(UnitId, Unit)> {
        self.unit_ids().filter_map(|id| self.unit(&id).map(|unit| (id, unit))).collect()
    }

    /// Copies one unit out of the program; `None` if the program lacks it.
    #[must_use]
    pub fn unit(&self, id: &UnitId) -> Option<Unit> {
        Some(match id {
            UnitId::Mesh => Unit::Mesh(self.mesh.clone()),
            UnitId::Control => Unit::Control(self.control.clone()),
            UnitId::Service(name) => Unit::Service(self.services.get(name)?.clone()),
            UnitId::Gateway(name) => Unit::Gateway(self.gateways.get(name)?.clone()),
            UnitId::Routes(name) => Unit::Routes(self.routes.get(name)?.clone()),
            UnitId::GatewayRoutes(gateway, name) => {
                Unit::Routes(self.gateway_routes.get(gateway)?.get(name)?.clone())
            }
            UnitId::Access(owner) => Unit::Access(self.access.get(owner)?.clone()),
            UnitId::Quotas(owner) => Unit::Quotas(self.quotas.get(owner)?.clone()),
            UnitId::Canary(name) => Unit::Canary(self.canaries.get(name)?.clone()),
            UnitId::Resilience(name) => Unit::Resilience(self.resilience.get(name)?.clone()),
        })
    }

    /// The ids of all units, in the order of [`Program::units`].
    pub fn unit_ids(&self) -> impl Iterator<Item = UnitId> + '_ {
        let control = (self.control != Control::default()).then_some(UnitId::Control);
        let gateway_routes = self.gateway_routes.iter().flat_map(|(gateway, routes)| {
            routes.keys().map(move |name| UnitId::GatewayRoutes(gateway.clone(), name.clone()))
        });
        [UnitId::Mesh]
            .into_iter()
            .chain(control)
            .chain(self.services.keys().cloned().map(UnitId::Service))
            .chain(self.gateways.keys().cloned().map(UnitId::Gateway))
            .chain(self.routes.keys().cloned().map(UnitId::Routes))
            .chain(gateway_routes)
            .chain(self.access.keys().cloned().map(UnitId::Access))
            .chain(self.quotas.keys().cloned().map(UnitId::Quotas))
            .chain(self.canaries.keys().cloned().map(UnitId::Canary))
            .chain(self.resilience.keys().cloned().map(UnitId::Resilience))
    }

    /// Builds a program from units; `None` when the mesh unit is missing or an id and its unit
    /// are of different kinds.
    #[must_use]
    pub fn from_units(units: impl IntoIterator<Item = (UnitId, Unit)>) -> Option<Self> {
        let mut mesh = None;
        let mut rest = Vec::new();
        for pair in units {
            match pair {
                (UnitId::Mesh, Unit::Mesh(unit)) => mesh = Some(unit),
                other => rest.push(other),
            }
        }
        let mut program = Self::new(mesh?);
        for pair in rest {
            match pair {
                (UnitId::Control, Unit::Control(unit)) => program.control = unit,
                (UnitId::Service(name), Unit::Service(unit)) => {
                    program.services.insert(name, unit);
                }
                (UnitId::Gateway(name), Unit::Gateway(unit)) => {
                    program.gateways.insert(name, unit);
                }
                (UnitId::Routes(name), Unit::Routes(unit)) => {
                    program.routes.insert(name, unit);
                }
                (UnitId::GatewayRoutes(gateway, name), Unit::Routes(unit)) => {
                    program.gateway_routes.entry(gateway).or_default().insert(name, unit);
                }
                (UnitId::Access(owner), Unit::Access(unit)) => {
                    program.access.insert(owner, unit);
                }
                (UnitId::Quotas(owner), Unit::Quotas(unit)) => {
                    program.quotas.insert(owner, unit);
                }
                (UnitId::Canary(name), Unit::Canary(unit)) => {
                    program.canaries.insert(name, unit);
                }
                (UnitId::Resilience(name), Unit::Resilience(unit)) => {
                    program.resilience.insert(name, unit);
                }
                _ => return None,
            }
        }
        Some(program)
    }
}
