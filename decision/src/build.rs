//! Building: from the units of a program to the tables of an engine.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;
use mesh_bundle::defaulted::Defaulted;
use mesh_bundle::program::{
    Action, Destination, Entry, From, HeaderEdits, Match, Redirect, Respond, Retry, Rewrite, Role, Routes,
    Rule, SlashMode, Sticky,
};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Owner, PathPattern, Program, State};

use crate::alternatives::Alternatives;
use crate::edit;
use crate::index::PathIndex;
use crate::matcher::Matcher;
use crate::outbound_decision::RuleRef;

/// The error of a unit that an engine cannot be built from: rung 5 of the activation ladder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{unit}{pointer}: {reason}")]
pub struct BuildError {
    /// The unit that does not build.
    pub unit: UnitId,
    /// JSON pointer (RFC 6901) into the unit.
    pub pointer: String,
    /// The reason, in words.
    pub reason: String,
}

/// An ordered rule list behind its index.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) rules: Vec<BuiltRule>,
    pub(crate) index: PathIndex,
    /// What paths are made canonical with before the table is asked: at a gateway escaped slashes stay where any rule sends
    /// to a service that keeps them.
    pub(crate) slashes: SlashMode,
}

#[derive(Debug)]
pub(crate) struct BuiltRule {
    pub(crate) reference: RuleRef,
    pub(crate) matches: Alternatives,
    pub(crate) action: BuiltAction,
    pub(crate) rewrite: Defaulted<Rewrite>,
    pub(crate) request_headers: Defaulted<HeaderEdits>,
    pub(crate) response_headers: Defaulted<HeaderEdits>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) retry: Option<Box<Retry>>,
    pub(crate) sticky: Option<Sticky>,
}

#[derive(Debug)]
pub(crate) enum BuiltAction {
    /// Destinations with the upper end of their share.
    Forward(Vec<(u32, BuiltTarget)>),
    Redirect(Box<Redirect>),
    Respond(Box<Respond>),
    /// A fence: inside it no later Route is asked.
    Fence,
}

#[derive(Debug)]
pub(crate) struct BuiltTarget {
    pub(crate) service: Name,
    pub(crate) to: Choice,
}

/// The selection of a destination's version.
#[derive(Debug)]
pub(crate) enum Choice {
    /// A fixed version.
    Version(Name),
    /// The version that the canary's current share gives; `split` draws.
    Canary(Arc<CanarySplit>),
    /// The service's own Route decides (gateways only).
    Route,
}

/// A canary with its current weight.
#[derive(Debug)]
pub(crate) struct CanarySplit {
    pub(crate) address: String,
    pub(crate) content: String,
    pub(crate) stable: Name,
    pub(crate) candidate: Name,
    pub(crate) weight: u32,
    pub(crate) sticky: Option<Sticky>,
    pub(crate) split: u32,
}

/// A built access entry.
#[derive(Debug)]
pub(crate) struct BuiltEntry {
    pub(crate) address: String,
    pub(crate) from: Vec<From>,
    /// One matcher a path, so that each binds its own parameters; at least one.
    pub(crate) matchers: Vec<Matcher>,
}

pub(crate) struct Builder<'p> {
    program: &'p Program,
    state: &'p State,
    rules: u32,
    splits: u32,
    canaries: BTreeMap<Name, Arc<CanarySplit>>,
}

impl<'p> Builder<'p> {
    pub(crate) fn new(program: &'p Program, state: &'p State) -> Self {
        Self { program, state, rules: 0, splits: 0, canaries: BTreeMap::new() }
    }

    /// The numbers of rule and split ids handed out so far, for the shell's counters.
    pub(crate) fn counts(&self) -> (u32, u32) {
        (self.rules, self.splits)
    }

    /// Builds the table of a service: its Route, or the implicit rule `default`.
    pub(crate) fn service(&mut self, name: &Name) -> Result<Table, BuildError> {
        let unit = UnitId::Routes(name.clone());
        match self.program.routes.get(name) {
            Some(routes) => {
                let rules = self.rules_of(&unit, routes, &format!("route/{name}"), false)?;
                Ok(table(rules, self.slashes(name)))
            }
            None => {
                let to = Destination { service: name.clone(), version: None, role: None };
                let target = self.target(&to, false).map_err(|reason| BuildError {
                    unit: UnitId::Service(name.clone()),
                    pointer: String::new(),
                    reason,
                })?;
                let matches = Alternatives::all().map_err(|e| BuildError {
                    unit,
                    pointer: e.pointer,
                    reason: e.reason,
                })?;
                let action = BuiltAction::Forward(vec![(mesh_bundle::limits::WHOLE, target)]);
                let rule = self.plain(format!("route/{name}/default"), matches, action);
                Ok(table(vec![rule], self.slashes(name)))
            }
        }
    }

    /// Builds the tables of a gateway: by exact host, and by wildcard with the longest first, `*` last.
    pub(crate) fn gateway(&mut self, name: &Name) -> Result<GatewayTables, BuildError> {
        let none = BTreeMap::new();
        let own = self.program.gateways.get(name).map(|g| g.hosts.as_slice()).unwrap_or_default();
        let routes = self.program.gateway_routes.get(name).unwrap_or(&none);
        let mut by_host: BTreeMap<String, Vec<(&Name, &Routes)>> = BTreeMap::new();
        for (route, unit) in routes {
            let hosts = if unit.hosts.is_empty() { own } else { &unit.hosts };
            for host in hosts {
                by_host.entry(host.clone()).or_default().push((route, unit));
            }
        }
        let mut exact = HashMap::default();
        let mut wildcards = Vec::new();
        let mut shared: Vec<(Vec<Name>, Arc<Table>)> = Vec::new();
        for (host, mut claims) in by_host {
            claims.sort_by_key(|(route, unit)| (unit.order, (*route).clone()));
            let names: Vec<Name> = claims.iter().map(|(route, _)| (*route).clone()).collect();
            let built = match shared.iter().find(|(known, _)| *known == names) {
                Some((_, table)) => Arc::clone(table),
                None => {
                    let table = Arc::new(self.host_table(name, &claims)?);
                    shared.push((names, Arc::clone(&table)));
                    table
                }
            };
            if host.starts_with('*') {
                wildcards.push((host, built));
            } else {
                exact.insert(host.into_boxed_str(), built);
            }
        }
        wildcards.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        Ok(GatewayTables { exact, wildcards })
    }

    fn host_table(&mut self, gateway: &Name, claims: &[(&Name, &Routes)]) -> Result<Table, BuildError> {
        let mut rules = Vec::new();
        for (route, unit) in claims {
            let id = UnitId::GatewayRoutes(gateway.clone(), (*route).clone());
            rules.extend(self.rules_of(&id, unit, &format!("route/{route}"), true)?);
            for fence in &unit.paths {
                let inside = Match { path: Some(fence.clone()), ..Match::default() };
                let matches = Alternatives::new(&inside.into()).map_err(|e| BuildError {
                    unit: id.clone(),
                    pointer: "/paths".into(),
                    reason: e.reason,
                })?;
                rules.push(self.plain(format!("route/{route}"), matches, BuiltAction::Fence));
            }
        }
        let shares = rules.iter().filter_map(|rule| match &rule.action {
            BuiltAction::Forward(shares) => Some(shares),
            BuiltAction::Redirect(_) | BuiltAction::Respond(_) | BuiltAction::Fence => None,
        });
        let keeps = shares.flatten().any(|(_, target)| self.slashes(&target.service) == SlashMode::Keep);
        Ok(table(rules, if keeps { SlashMode::Keep } else { SlashMode::Reject }))
    }

    /// What a service does with escaped slashes.
    fn slashes(&self, service: &Name) -> SlashMode {
        self.program.services.get(service).map_or(SlashMode::Reject, |service| service.escaped_slashes)
    }

    fn rules_of(
        &mut self,
        unit: &UnitId,
        routes: &Routes,
        address: &str,
        edge: bool,
    ) -> Result<Vec<BuiltRule>, BuildError> {
        let mut built = Vec::with_capacity(routes.rules.len());
        for (i, rule) in routes.rules.iter().enumerate() {
            let fail = |pointer: String, reason: String| BuildError {
                unit: unit.clone(),
                pointer: format!("/rules/{i}{pointer}"),
                reason,
            };
            let matches = Alternatives::new(&rule.matches).map_err(|e| fail(e.pointer, e.reason))?;
            let action = match &rule.action {
                Action::Redirect(redirect) => BuiltAction::Redirect(redirect.clone()),
                Action::Respond(respond) => BuiltAction::Respond(Box::new(edit::permitted_response(respond))),
                Action::Forward(targets) => {
                    let mut upper = 0;
                    let mut shares = Vec::with_capacity(targets.len());
                    for (t, target) in targets.iter().enumerate() {
                        upper += target.weight;
                        let to = self.target(&target.to, edge);
                        shares.push((upper, to.map_err(|e| fail(format!("/action/forward/{t}"), e))?));
                    }
                    BuiltAction::Forward(shares)
                }
            };
            let mut one = self.plain(format!("{address}/{}", rule.name), matches, action);
            one.take(rule, routes.sticky.as_ref());
            built.push(one);
        }
        Ok(built)
    }

    fn plain(&mut self, address: String, matches: Alternatives, action: BuiltAction) -> BuiltRule {
        let id = self.rules;
        self.rules += 1;
        let split = match &action {
            BuiltAction::Forward(shares) if shares.len() > 1 => Some(self.next_split()),
            _ => None,
        };
        BuiltRule {
            reference: RuleRef { address: address.into(), id, split },
            matches,
            action,
            rewrite: Defaulted::default(),
            request_headers: Defaulted::default(),
            response_headers: Defaulted::default(),
            timeout_ms: None,
            retry: None,
            sticky: None,
        }
    }

    fn next_split(&mut self) -> u32 {
        let split = self.splits;
        self.splits += 1;
        split
    }

    /// Selects how the version of a destination is chosen.
    fn target(&mut self, to: &Destination, edge: bool) -> Result<BuiltTarget, String> {
        let service = self
            .program
            .services
            .get(&to.service)
            .ok_or_else(|| format!("there is no service `{}`", to.service))?;
        let built = |to_: Choice| BuiltTarget { service: to.service.clone(), to: to_ };
        if let Some(version) = &to.version {
            return Ok(built(Choice::Version(version.clone())));
        }
        if edge && to.role.is_none() {
            return Ok(built(Choice::Route));
        }
        let Some(canary) = self.program.canaries.get(&to.service) else {
            return match (service.versions.as_slice(), to.role) {
                ([only], None) => Ok(built(Choice::Version(only.clone()))),
                (_, Some(_)) => Err(format!("`{}` has no canary", to.service)),
                (_, None) => Err(format!("`{}` has several versions and no canary", to.service)),
            };
        };
        match to.role {
            Some(Role::Stable) => return Ok(built(Choice::Version(canary.stable.clone()))),
            Some(Role::Candidate) => {
                let candidate = canary
                    .candidate
                    .clone()
                    .ok_or_else(|| format!("the canary of `{}` has no candidate", to.service))?;
                return Ok(built(Choice::Version(candidate)));
            }
            None => {}
        }
        let Some(candidate) = canary.candidate.clone() else {
            return Ok(built(Choice::Version(canary.stable.clone())));
        };
        if let Some(split) = self.canaries.get(&to.service) {
            return Ok(built(Choice::Canary(Arc::clone(split))));
        }
        let content = canary.content_id(service).map_err(|e| e.to_string())?;
        let split = Arc::new(CanarySplit {
            address: format!("canary/{}", to.service),
            content: content.to_string(),
            stable: canary.stable.clone(),
            candidate,
            weight: self.state.weight(self.program, to.service.as_str()),
            sticky: canary.sticky.clone(),
            split: self.next_split(),
        });
        self.canaries.insert(to.service.clone(), Arc::clone(&split));
        Ok(built(Choice::Canary(split)))
    }

    /// Builds the entries of one list.
    pub(crate) fn entries(
        &self,
        owner: &Owner,
        list: &str,
        entries: &[Entry],
    ) -> Result<Vec<BuiltEntry>, BuildError> {
        let unit = UnitId::Access(owner.clone());
        let mut built = Vec::with_capacity(entries.len());
        for (i, entry) in entries.iter().enumerate() {
            let paths: Vec<Option<&PathPattern>> =
                if entry.paths.is_empty() { vec![None] } else { entry.paths.iter().map(Some).collect() };
            let mut matchers = Vec::with_capacity(paths.len());
            for path in paths {
                let matches = Match {
                    path: path.cloned(),
                    methods: entry.methods.clone(),
                    when: entry.when.clone().map(Box::new),
                    ..Match::default()
                };
                matchers.push(Matcher::new(&matches).map_err(|e| BuildError {
                    unit: unit.clone(),
                    pointer: format!("/{list}/{i}{}", e.pointer),
                    reason: e.reason,
                })?);
            }
            let address = format!("access/{owner}/{}", entry.name);
            built.push(BuiltEntry { address, from: entry.from.clone(), matchers });
        }
        Ok(built)
    }
}

/// The tables of a gateway, by host.
#[derive(Debug, Default)]
pub(crate) struct GatewayTables {
    pub(crate) exact: HashMap<Box<str>, Arc<Table>, FixedState>,
    pub(crate) wildcards: Vec<(String, Arc<Table>)>,
}

impl BuiltRule {
    fn take(&mut self, rule: &Rule, sticky: Option<&Sticky>) {
        self.rewrite = rule.rewrite.clone();
        self.request_headers = edit::permitted(&rule.request_headers);
        self.response_headers = edit::permitted(&rule.response_headers);
        self.timeout_ms = rule.timeout_ms;
        self.retry.clone_from(&rule.retry);
        self.sticky = sticky.cloned();
    }
}

fn table(rules: Vec<BuiltRule>, slashes: SlashMode) -> Table {
    let patterns = (0_u32..).zip(&rules);
    let patterns = patterns.flat_map(|(n, rule)| rule.matches.iter().map(move |one| (n, one.pattern())));
    let index = PathIndex::of(patterns);
    Table { rules, index, slashes }
}
