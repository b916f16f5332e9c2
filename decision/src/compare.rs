//! Comparison of two decisions about one request, of an old and a new bundle.
//!
//! Probation compares live requests with it; plan and replay compare examples.

use std::collections::BTreeSet;

use mesh_bundle::{Name, Owner, Program};

use crate::inbound_decision::Verdict;
use crate::outbound_decision::{Forward, Outbound, Outcome};

/// Services that two programs treat differently for every request, whatever the rules decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceChanges {
    /// Services that are reached differently: at other addresses, by another protocol or name.
    pub reach: BTreeSet<Name>,
    /// Services whose endpoints are ejected, or whose requests are limited, by other rules.
    pub resilience: BTreeSet<Name>,
}

impl ServiceChanges {
    /// Compares the services of `new` with those of `old`.
    #[must_use]
    pub fn between(old: &Program, new: &Program) -> Self {
        let of = |differs: &dyn Fn(&Name) -> bool| {
            new.services.keys().filter(|name| differs(name)).cloned().collect::<BTreeSet<Name>>()
        };
        Self {
            reach: of(&|name| reach(old, name) != reach(new, name)),
            resilience: of(&|name| old.resilience.get(name) != new.resilience.get(name)),
        }
    }
}

/// The properties of a service that determine how it is reached, for comparison.
fn reach<'p>(program: &'p Program, name: &Name) -> Option<impl PartialEq + use<'p>> {
    let id = program.mesh.spiffe_id(&Owner::Service(name.clone()));
    program.services.get(name).map(|service| {
        let mesh_bundle::program::Service { port, app_port, protocol, addresses, .. } = service;
        (id, port, app_port, protocol, addresses)
    })
}

/// The difference of the new decision on a caller's side, or of a gateway, from the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The mesh answers as before.
    Same,
    /// The request goes to a service under both; holds the differences in its treatment, if any.
    Forward(ForwardChange),
    /// The request goes to a service, and the mesh answered it before.
    Forwarded,
    /// Another redirect in place of a redirect, or another response in place of a response.
    Content,
    /// The mesh answers, or answers in another way: a refusal, a redirect, a response.
    Answered,
}

/// The parts of a forwarded request's treatment that differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForwardChange {
    /// Another service or version, or one that is reached differently.
    pub destination: bool,
    /// The request that is sent differs: path, host or header edits. True for a request that goes elsewhere too.
    pub request: bool,
    /// The retry policy differs.
    pub retry: bool,
    /// The timeout differs.
    pub timeout: bool,
    /// The edits of the response differ.
    pub response: bool,
    /// The service's ejection of endpoints or limits of requests differ. They are no part of the decision.
    pub resilience: bool,
}

impl Difference {
    /// True if both decisions treat the request alike.
    #[must_use]
    pub fn is_same(self) -> bool {
        match self {
            Self::Same => true,
            Self::Forward(ForwardChange {
                destination,
                request,
                retry,
                timeout,
                response,
                resilience: _,
            }) => !(destination || request || retry || timeout || response),
            Self::Forwarded | Self::Content | Self::Answered => false,
        }
    }
}

/// Compares the decision `new` about a request with the decision `old`.
#[must_use]
pub fn outbound(old: &Outbound<'_>, new: &Outbound<'_>, services: &ServiceChanges) -> Difference {
    let content = |same| if same { Difference::Same } else { Difference::Content };
    match (&old.outcome, &new.outcome) {
        (Outcome::Forward(old), Outcome::Forward(new)) => Difference::Forward(forward(old, new, services)),
        (Outcome::Redirect { status, location }, Outcome::Redirect { status: s, location: l }) => {
            content((status, location) == (s, l))
        }
        (Outcome::Respond(old), Outcome::Respond(new)) => content(old == new),
        (Outcome::Refuse(_), Outcome::Refuse(_)) => Difference::Same,
        (_, Outcome::Forward(_)) => Difference::Forwarded,
        _ => Difference::Answered,
    }
}

fn forward(old: &Forward<'_>, new: &Forward<'_>, services: &ServiceChanges) -> ForwardChange {
    let destination =
        (old.service, old.version) != (new.service, new.version) || services.reach.contains(new.service);
    let request = (&old.path, old.host, old.request_headers) != (&new.path, new.host, new.request_headers);
    ForwardChange {
        destination,
        request: destination || request,
        retry: old.retry != new.retry,
        timeout: old.timeout_ms != new.timeout_ms,
        response: old.response_headers != new.response_headers,
        resilience: services.resilience.contains(new.service),
    }
}

/// The difference of the new verdict on a callee's side from the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessDifference {
    /// Both let the request in, or neither does.
    Same,
    /// The new verdict lets it in, the old did not.
    Opened,
    /// The new verdict keeps it out, the old let it in.
    Closed,
}

/// Compares two verdicts about one request.
#[must_use]
pub fn access(old: Verdict<'_>, new: Verdict<'_>) -> AccessDifference {
    match (old.passes(), new.passes()) {
        (true, false) => AccessDifference::Closed,
        (false, true) => AccessDifference::Opened,
        _ => AccessDifference::Same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;
    use mesh_bundle::program::{Respond, Retry};
    use std::collections::BTreeMap;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn decided(outcome: Outcome<'_>) -> Outbound<'_> {
        Outbound { edge: None, rule: None, outcome }
    }

    fn forward_to<'a>(service: &'a Name, version: &'a Name, retry: &'a Retry) -> Forward<'a> {
        Forward {
            service,
            version,
            fallback: None,
            path: None,
            host: None,
            request_headers: [None, None],
            response_headers: [None, None],
            timeout_ms: 1_000,
            retry,
        }
    }

    #[test]
    fn each_part_of_a_forward_is_told_apart() {
        let (orders, v1, v2, retry) = (name("orders"), name("v1"), name("v2"), Retry::default());
        let more = Retry { attempts: 5, ..Retry::default() };
        let services = ServiceChanges::default();
        let old = decided(Outcome::Forward(forward_to(&orders, &v1, &retry)));
        let change = |new: Forward<'_>| match outbound(&old, &decided(Outcome::Forward(new)), &services) {
            Difference::Forward(change) => change,
            other => panic!("{other:?}"),
        };
        let none = ForwardChange::default();
        let base = || forward_to(&orders, &v1, &retry);
        assert_eq!(change(base()), none);
        let elsewhere = ForwardChange { destination: true, request: true, ..none };
        assert_eq!(change(forward_to(&orders, &v2, &retry)), elsewhere);
        let path = Forward { path: Some("/x".into()), ..base() };
        assert_eq!(change(path), ForwardChange { request: true, ..none });
        assert_eq!(change(Forward { timeout_ms: 1, ..base() }), ForwardChange { timeout: true, ..none });
        assert_eq!(change(Forward { retry: &more, ..base() }), ForwardChange { retry: true, ..none });
        let moved = ServiceChanges { reach: [orders.clone()].into(), resilience: BTreeSet::new() };
        assert_eq!(
            outbound(&old, &decided(Outcome::Forward(base())), &moved),
            Difference::Forward(elsewhere)
        );
        let limited = ServiceChanges { reach: BTreeSet::new(), resilience: [orders.clone()].into() };
        let same = outbound(&old, &decided(Outcome::Forward(base())), &limited);
        assert_eq!(same, Difference::Forward(ForwardChange { resilience: true, ..none }));
        assert!(same.is_same() && !Difference::Forward(elsewhere).is_same());
    }

    #[test]
    fn answers_of_the_mesh_differ_by_kind_and_content() {
        let services = ServiceChanges::default();
        let (orders, v1, retry) = (name("orders"), name("v1"), Retry::default());
        let respond = |status| Respond { status, body: String::new(), headers: BTreeMap::new() };
        let (a, b) = (respond(200), respond(404));
        let compared = |old, new| outbound(&decided(old), &decided(new), &services);
        let to = || Outcome::Forward(forward_to(&orders, &v1, &retry));
        let redirect = |location: &str| Outcome::Redirect { status: 302, location: location.into() };
        assert_eq!(compared(Outcome::Respond(&a), Outcome::Respond(&a)), Difference::Same);
        assert_eq!(compared(Outcome::Respond(&a), Outcome::Respond(&b)), Difference::Content);
        assert_eq!(compared(redirect("/a"), redirect("/b")), Difference::Content);
        assert_eq!(compared(redirect("/a"), Outcome::Respond(&a)), Difference::Answered);
        assert_eq!(compared(to(), Outcome::Refuse(Reason::NoRule)), Difference::Answered);
        assert_eq!(compared(Outcome::Refuse(Reason::NoRule), to()), Difference::Forwarded);
        let refused = compared(Outcome::Refuse(Reason::NoRule), Outcome::Refuse(Reason::NotVisible));
        assert_eq!(refused, Difference::Same);
    }

    #[test]
    fn access_opens_and_closes() {
        let (allow, deny) = (Verdict::Allow("a"), Verdict::Deny("d"));
        assert_eq!(access(allow, Verdict::Open), AccessDifference::Same);
        assert_eq!(access(allow, Verdict::DefaultDeny), AccessDifference::Closed);
        assert_eq!(access(deny, Verdict::AuditDeny(None)), AccessDifference::Opened);
        assert_eq!(access(deny, Verdict::DefaultDeny), AccessDifference::Same);
    }
}
