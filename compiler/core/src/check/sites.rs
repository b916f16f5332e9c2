//! Where conditions stand: every rule and every entry in force, with what decides on the requests that it can see.

use std::rc::Rc;

use mesh_bundle::program::{self, Program, SlashMode};
use mesh_bundle::{Name as Key, Owner};
use mesh_decision::head::Trust;

use crate::diag::{Diagnostic, Severity};
use crate::model::Model;
use crate::spec::{self, Object};

/// The surroundings of a condition.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The service or gateway that the condition is about.
    pub(super) owner: Owner,
    /// What is done with escaped slashes in the paths that it sees.
    pub(super) slashes: SlashMode,
    /// Who sends the requests that it sees.
    pub(super) trust: Trust,
    /// The hosts of the requests that it sees, `*.` for one or more labels; `None` for any.
    pub(super) hosts: Option<Vec<String>>,
    /// The part that it belongs to.
    pub(super) part: Part,
    /// True in a file that says `generated: true`.
    pub(super) generated: bool,
}

/// The parts that have conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A rule of a Route.
    Rule,
    /// An entry of `allow`.
    Allow,
    /// An entry of `deny`.
    Deny,
}

/// All conditions of an environment.
pub(super) struct Sites<'s> {
    /// Every rule in force of every Route.
    pub(super) rules: Vec<RuleSite<'s>>,
    /// Every entry in force of every AccessPolicy.
    pub(super) entries: Vec<EntrySite<'s>>,
}

impl<'s> Sites<'s> {
    /// Finds the conditions of a model and of what it was lowered to.
    pub(super) fn new(model: &'s Model<'_>, program: &'s Program) -> Self {
        Self { rules: rules(model, program), entries: entries(model, program) }
    }
}

/// A rule in force, as written and as lowered.
pub(super) struct RuleSite<'s> {
    pub(super) site: Rc<Site>,
    pub(super) written: &'s spec::Rule,
    pub(super) lowered: &'s program::Rule,
    /// The Route that it is a rule of.
    pub(super) routes: &'s program::Routes,
}

/// An entry in force, as written and as lowered.
pub(super) struct EntrySite<'s> {
    pub(super) site: Rc<Site>,
    pub(super) written: &'s spec::Entry,
    pub(super) lowered: &'s program::Entry,
}

impl Site {
    /// The severity of a part that takes no request though its author believes that it does: a warning in a generated
    /// file, which nobody can mend here, unless it leaves open what was to be closed.
    pub(super) fn dead(&self) -> Severity {
        if self.generated && self.part != Part::Deny { Severity::Warning } else { Severity::Error }
    }

    /// The severity of what names nobody: an error where that leaves open what was to be closed. `negated` says that the
    /// condition asks for the contrary.
    pub(super) fn opening(&self, negated: bool) -> Severity {
        match (self.part, negated) {
            (Part::Deny, false) | (Part::Allow, true) => Severity::Error,
            _ => Severity::Warning,
        }
    }

    /// Says under a finding what it means that an entry of `deny` takes no request.
    pub(super) fn warned(&self, finding: Diagnostic) -> Diagnostic {
        match self.part {
            Part::Deny => finding.note("what this entry was to deny is let in"),
            Part::Rule | Part::Allow => finding,
        }
    }
}

/// The surroundings of the rules of a Route; `None` where its owner could not be read.
pub(super) fn of_route(
    model: &Model<'_>,
    program: &Program,
    object: &Object,
    route: &spec::Route,
) -> Option<Site> {
    let owner = owner(route.service.as_ref(), route.gateway.as_ref())?;
    // Access is asked before it is known whether a Route has the host.
    let hosts = match (&owner, &route.hosts) {
        (Owner::Service(_), _) => None,
        (Owner::Gateway(_), Some(hosts)) => Some(hosts.iter().map(|host| host.as_str().to_owned()).collect()),
        (Owner::Gateway(name), None) => program.gateways.get(name).map(|gateway| gateway.hosts.clone()),
    };
    Some(Site {
        hosts,
        slashes: slashes(program, &owner),
        trust: trust(&owner),
        owner,
        part: Part::Rule,
        generated: model.is_generated(object),
    })
}

fn rules<'s>(model: &'s Model<'_>, program: &'s Program) -> Vec<RuleSite<'s>> {
    let mut found = Vec::new();
    for (object, route) in model.routes() {
        let Some(site) = of_route(model, program, object, route).map(Rc::new) else { continue };
        let lowered = match &site.owner {
            Owner::Service(name) => program.routes.get(name),
            Owner::Gateway(name) => Key::new(object.address.name.as_str())
                .ok()
                .and_then(|route| program.gateway_routes.get(name)?.get(&route)),
        };
        let Some(routes) = lowered else { continue };
        let mut rest = routes.rules.iter();
        for written in route.rules.iter().filter(|rule| rule.enabled().value) {
            // Rules that could not be lowered are missing, and the others are in order.
            if let Some(lowered) = rest.clone().find(|rule| rule.name.as_str() == written.name.as_str()) {
                rest.by_ref().find(|rule| rule.name == lowered.name);
                found.push(RuleSite { site: Rc::clone(&site), written, lowered, routes });
            }
        }
    }
    found
}

fn entries<'s>(model: &'s Model<'_>, program: &'s Program) -> Vec<EntrySite<'s>> {
    let mut found = Vec::new();
    for (object, policy) in model.policies_of_access() {
        let Some(owner) = owner(policy.service.as_ref(), policy.gateway.as_ref()) else { continue };
        let Some(access) = program.access.get(&owner) else { continue };
        let site = |part| Site {
            hosts: None,
            slashes: slashes(program, &owner),
            trust: trust(&owner),
            owner: owner.clone(),
            part,
            generated: model.is_generated(object),
        };
        for (part, written, lowered) in
            [(Part::Deny, &policy.deny, &access.deny), (Part::Allow, &policy.allow, &access.allow)]
        {
            let enabled: Vec<&spec::Entry> = written.iter().filter(|entry| entry.enabled().value).collect();
            // Another number is another policy of the same owner, which has its finding.
            if enabled.len() == lowered.len() {
                let site = Rc::new(site(part));
                let sites = enabled.into_iter().zip(lowered);
                found.extend(sites.map(|(written, lowered)| EntrySite {
                    site: Rc::clone(&site),
                    written,
                    lowered,
                }));
            }
        }
    }
    found
}

/// The owner that an object with `service` or `gateway` is about.
pub(super) fn owner(
    service: Option<&spec::Sp<spec::Name>>,
    gateway: Option<&spec::Sp<spec::Name>>,
) -> Option<Owner> {
    match (service, gateway) {
        (Some(service), _) => Key::new(service.as_str()).ok().map(Owner::Service),
        (None, Some(gateway)) => Key::new(gateway.as_str()).ok().map(Owner::Gateway),
        (None, None) => None,
    }
}

/// A gateway decides before it is known which service will get the request.
fn slashes(program: &Program, owner: &Owner) -> SlashMode {
    let kept = match owner {
        Owner::Service(name) => {
            program.services.get(name).is_none_or(|s| s.escaped_slashes == SlashMode::Keep)
        }
        Owner::Gateway(_) => program.services.values().any(|s| s.escaped_slashes == SlashMode::Keep),
    };
    if kept { SlashMode::Keep } else { SlashMode::Reject }
}

/// A service may have callers of the mesh, whose fields are believed; a gateway has strangers.
pub(super) fn trust(owner: &Owner) -> Trust {
    match owner {
        Owner::Service(_) => Trust::Mesh,
        Owner::Gateway(_) => Trust::Stranger,
    }
}
