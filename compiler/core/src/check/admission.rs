//! Who is let in at all: gateways whose rules send to services that do not admit them, and policies that admit nobody.

use std::collections::{BTreeMap, BTreeSet};

use mesh_bundle::Owner;
use mesh_bundle::program::{Action, Program};

use super::sites::Sites;
use crate::diag::{Diagnostic, Span, codes};
use crate::model::Model;
use crate::source::Node;
use crate::spec::{self, AccessPolicy, Caller, Entry, FromItem, Kind, Loaded, To};

/// Looks at every gateway's rules, and at every policy.
pub(super) fn check(
    loaded: &Loaded,
    model: &Model<'_>,
    program: &Program,
    sites: &Sites<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    gateways(model, program, sites, findings);
    for (object, policy) in model.policies_of_access() {
        let audits = policy.mode().value == spec::AccessMode::Audit;
        if audits || !object.complete || policy.allow.iter().any(|entry| entry.enabled().value) {
            continue;
        }
        // `allow: []` says that it is meant so, as `callers: []` does.
        let document = loaded.objects.iter().find(|(_, known)| known.address == object.address);
        let root = document.and_then(|(id, _)| loaded.document(*id)).map(|document| &document.root);
        if root.and_then(|root| root.get("allow")).and_then(Node::as_seq).is_some_and(<[Node]>::is_empty) {
            continue;
        }
        let owner = policy.service.as_ref().map(|s| format!("`{}`", s.as_str()));
        let owner = owner.or(policy.gateway.as_ref().map(|g| format!("gateway `{}`", g.as_str())));
        let message = format!(
            "no entry allows anything, so every request to {} is answered with 403",
            owner.unwrap_or_else(|| "it".to_owned())
        );
        let finding = Diagnostic::new(codes::ADMITS_NOBODY, object.name_span, message);
        findings.push(
            finding
                .help("what no entry allows is denied: add `allow`; `allow: []` says that nobody may call"),
        );
    }
}

/// Rules of gateways whose service never admits the gateway.
fn gateways(model: &Model<'_>, program: &Program, sites: &Sites<'_>, findings: &mut Vec<Diagnostic>) {
    let doors = Doors::new(model, program);
    for rule in &sites.rules {
        let (Owner::Gateway(gateway), Some(to)) = (&rule.site.owner, &rule.written.to) else { continue };
        let shares: Vec<(&spec::Destination, Span)> = match to {
            To::One(to) => vec![(&to.value, to.span)],
            To::Split(shares) => {
                let taken = shares.value.iter().filter(|share| share.weight.basis_points() > 0);
                taken.map(|share| (&share.to.value, share.to.span)).collect()
            }
        };
        for (to, span) in shares {
            let service = to.service.as_str();
            let ends =
                if to.version.is_some() { Some(BTreeSet::from([service])) } else { doors.ends(service) };
            // A rule of the service's Route that is admitted, or answers itself, is a way.
            let Some(ends) = ends.filter(|ends| ends.iter().all(|end| doors.refuses(end, gateway.as_str())))
            else {
                continue;
            };
            for end in ends {
                let message = format!("`{end}` does not admit `gateway/{gateway}`");
                let finding = Diagnostic::new(codes::NOT_ADMITTED, span, message)
                    .at("every request is answered with 403");
                let finding =
                    doors.places.get(end).into_iter().fold(finding, |f, p| f.label(*p, "who may call it"));
                let finding = if end == service {
                    finding
                } else {
                    finding.note(format!("the Route of `{service}` sends on to `{end}`"))
                };
                findings.push(finding.help(format!("add `gateway/{gateway}` to the callers of `{end}`")));
            }
        }
    }
}

/// Who admits whom, by name.
struct Doors<'m> {
    model: &'m Model<'m>,
    program: &'m Program,
    policies: BTreeMap<&'m str, &'m AccessPolicy>,
    /// Services whose callers are not known: a part could not be read.
    unread: BTreeSet<&'m str>,
    /// Where it is written who may call.
    places: BTreeMap<&'m str, Span>,
}

impl<'m> Doors<'m> {
    fn new(model: &'m Model<'m>, program: &'m Program) -> Self {
        let mut doors = Self {
            model,
            program,
            policies: BTreeMap::new(),
            unread: BTreeSet::new(),
            places: BTreeMap::new(),
        };
        for (object, service) in model.services() {
            let name = service.name.as_str();
            if let Some(callers) = &service.callers {
                doors.places.insert(name, callers.span);
            }
            if !object.complete {
                doors.unread.insert(name);
            }
        }
        for (object, policy) in model.policies_of_access() {
            let Some(service) = &policy.service else { continue };
            doors.places.insert(service.as_str(), object.name_span);
            if !object.complete || doors.policies.insert(service.as_str(), policy).is_some() {
                doors.unread.insert(service.as_str());
            }
        }
        doors
    }

    /// The services at which requests for a service may end, by its Route; `None` where a rule answers itself, or
    /// it is not known.
    fn ends(&self, service: &'m str) -> Option<BTreeSet<&'m str>> {
        let known = self.program.services.keys().find(|name| name.as_str() == service)?;
        let Some(routes) = self.program.routes.get(known) else {
            return (!self.model.has_broken(Kind::Route)).then(|| BTreeSet::from([service]));
        };
        let mut ends = BTreeSet::new();
        for rule in routes.rules.iter() {
            match &rule.action {
                Action::Forward(targets) => {
                    ends.extend(targets.iter().map(|target| target.to.service.as_str()));
                }
                Action::Redirect(_) | Action::Respond(_) => return None,
            }
        }
        (!ends.is_empty()).then_some(ends)
    }

    /// True if no entry of the service can ever admit the gateway.
    fn refuses(&self, service: &str, gateway: &str) -> bool {
        if self.unread.contains(service) || self.model.has_broken(Kind::AccessPolicy) {
            return false;
        }
        if let Some(policy) = self.policies.get(service) {
            let enforced = policy.mode().value == spec::AccessMode::Enforce;
            let admits = |entry: &Entry| {
                entry.enabled().value && entry.from.iter().any(|item| self.is_for(item, gateway))
            };
            return enforced && !policy.allow.iter().any(admits);
        }
        let callers = self.model.service(service).and_then(|service| service.callers.as_ref());
        callers.is_some_and(|callers| !callers.value.iter().any(|item| self.is_for(item, gateway)))
    }

    /// True if an item may mean the gateway. One that means nobody has its finding and is not judged here.
    fn is_for(&self, item: &FromItem, gateway: &str) -> bool {
        match item {
            FromItem::Caller(caller) => match &caller.value {
                Caller::Any => true,
                Caller::Gateway(name) => {
                    let known = self.program.gateways.keys().any(|known| known.as_str() == name.as_str());
                    !known || name.as_str() == gateway
                }
                Caller::Service(_) | Caller::External => false,
            },
            FromItem::Form(form) => form.principal.as_ref().is_some_and(|id| {
                let gateway = self.program.gateways.keys().find(|known| known.as_str() == gateway);
                gateway.is_none_or(|known| {
                    self.program.mesh.spiffe_id(&Owner::Gateway(known.clone())) == id.as_str()
                })
            }),
        }
    }
}
