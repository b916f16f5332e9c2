//! Which objects go with an object.

use std::collections::BTreeMap;

use crate::model::Model;
use crate::spec::{Kind, Name, Object, Rule, Sp, Spec, To};

/// A field of `self` that gives related objects.
pub(super) struct Relation {
    /// The field of `self`.
    pub(super) name: &'static str,
    /// Objects of this kind; `None` for a gateway of the mesh.
    pub(super) to: Option<Kind>,
    pub(super) many: Many,
    /// Key by which they are found.
    pub(super) by: By,
    pub(super) doc: &'static str,
}

/// Multiplicity of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Many {
    /// One, or the field is absent.
    AtMostOne,
    /// Any number, by name.
    List,
}

/// Key by which the objects of a relation are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Their `service` is the name of `self`.
    Service,
    /// They stand at a gateway and send to `self`.
    Destination,
    /// The `service` of `self` is their name.
    Subject,
    /// The `gateway` of `self` is their name.
    Gateway,
}

/// The record of gateways of the mesh.
pub(super) const GATEWAY: &str = "Gateway";

const fn relation(name: &'static str, to: Kind, many: Many, by: By, doc: &'static str) -> Relation {
    Relation { name, to: Some(to), many, by, doc }
}

const OF_SERVICE: &[Relation] = &[
    relation("canary", Kind::Canary, Many::AtMostOne, By::Service, "Its Canary."),
    relation("routes", Kind::Route, Many::List, By::Service, "Its Routes (`service`); at most one."),
    relation(
        "gatewayRoutes",
        Kind::Route,
        Many::List,
        By::Destination,
        "Routes of gateways with a rule that sends to it, by name.",
    ),
    relation(
        "access",
        Kind::AccessPolicy,
        Many::AtMostOne,
        By::Service,
        "Its AccessPolicy, also the one that `callers` is short for.",
    ),
    relation("quotas", Kind::Quota, Many::List, By::Service, "Its Quotas; at most one."),
    relation("resilience", Kind::Resilience, Many::AtMostOne, By::Service, "Its Resilience."),
    relation("identity", Kind::Identity, Many::AtMostOne, By::Service, "An Identity of its own."),
    relation("telemetry", Kind::Telemetry, Many::AtMostOne, By::Service, "A Telemetry of its own."),
];

const SUBJECT: Relation =
    relation("serviceObject", Kind::Service, Many::AtMostOne, By::Subject, "The Service that it is about.");

const OF_EITHER: &[Relation] = &[
    SUBJECT,
    Relation {
        name: "gatewayObject",
        to: None,
        many: Many::AtMostOne,
        by: By::Gateway,
        doc: "The gateway of the mesh that it is about.",
    },
];

/// Relations of a kind. No name is that of a field.
pub(super) fn of(kind: Kind) -> &'static [Relation] {
    match kind {
        Kind::Service => OF_SERVICE,
        Kind::Route | Kind::AccessPolicy | Kind::Quota => OF_EITHER,
        Kind::Canary | Kind::Resilience | Kind::Identity | Kind::Telemetry => &[SUBJECT],
        Kind::Mesh | Kind::Policy | Kind::Environment | Kind::External | Kind::Test => &[],
    }
}

/// The objects of a model by what they are about.
#[derive(Debug, Default)]
pub(super) struct Index<'m> {
    about: BTreeMap<(Kind, &'m str), Vec<&'m Object>>,
    senders: BTreeMap<&'m str, Vec<&'m Object>>,
}

impl<'m> Index<'m> {
    pub(super) fn new(model: &'m Model<'_>) -> Self {
        let mut index = Self::default();
        for relation in OF_SERVICE {
            let (Some(kind), By::Service) = (relation.to, relation.by) else { continue };
            for object in model.of_kind(kind) {
                if let Some(service) = subject(&object.spec) {
                    index.about.entry((kind, service.as_str())).or_default().push(object);
                }
            }
        }
        for (object, route) in model.routes().filter(|(_, route)| route.gateway.is_some()) {
            for service in route.rules.iter().flat_map(destinations) {
                let senders = index.senders.entry(service.as_str()).or_default();
                if !senders.iter().any(|known| known.address == object.address) {
                    senders.push(object);
                }
            }
        }
        index
    }

    /// The objects of a relation of `object`, by name.
    pub(super) fn find(
        &self,
        model: &'m Model<'_>,
        object: &'m Object,
        relation: &Relation,
    ) -> Vec<&'m Object> {
        let name = object.address.name.as_str();
        match (relation.by, relation.to) {
            (By::Service, Some(kind)) => self.about.get(&(kind, name)).cloned().unwrap_or_default(),
            (By::Destination, _) => self.senders.get(name).cloned().unwrap_or_default(),
            (By::Subject, Some(kind)) => {
                subject(&object.spec).and_then(|name| model.get(kind, name.as_str())).into_iter().collect()
            }
            (By::Service | By::Subject, None) | (By::Gateway, _) => Vec::new(),
        }
    }
}

/// The service that an object is about.
pub(super) fn subject(spec: &Spec) -> Option<&Sp<Name>> {
    match spec {
        Spec::Route(spec) => spec.service.as_ref(),
        Spec::Canary(spec) => Some(&spec.service),
        Spec::AccessPolicy(spec) => spec.service.as_ref(),
        Spec::Quota(spec) => spec.service.as_ref(),
        Spec::Resilience(spec) => Some(&spec.service),
        Spec::Identity(spec) => spec.service.as_ref(),
        Spec::Telemetry(spec) => spec.service.as_ref(),
        _ => None,
    }
}

/// The gateway that an object is about.
pub(super) fn gateway(spec: &Spec) -> Option<&Sp<Name>> {
    match spec {
        Spec::Route(spec) => spec.gateway.as_ref(),
        Spec::AccessPolicy(spec) => spec.gateway.as_ref(),
        Spec::Quota(spec) => spec.gateway.as_ref(),
        _ => None,
    }
}

fn destinations(rule: &Rule) -> Vec<&Name> {
    match &rule.to {
        Some(To::One(to)) => vec![&to.service],
        Some(To::Split(shares)) => shares.value.iter().map(|share| &share.to.service).collect(),
        None => Vec::new(),
    }
}
