//! Probation on the request path: the bundle before decides too, and what comes out otherwise is counted.

use std::cell::RefCell;
use std::sync::Arc;

use http::StatusCode;
use http::uri::PathAndQuery;
use mesh_bundle::Owner;
use mesh_bundle::program::{Limit, SlashMode, TlsMode};
use mesh_decision::compare::{self, AccessDifference, Difference, ServiceChanges};
use mesh_decision::{Inbound, Outbound, Outcome, Picks, Reason, Request, Scratch, path};

use super::active::Active;
use crate::http::Head;
use crate::probation::RequestSample;
use crate::upstream::{Failure, Outcomes};

/// A bundle on probation: what is compared with, and what a reviewer has seen.
#[derive(Debug)]
pub struct Probation {
    /// The last good bundle.
    pub old: Arc<Active>,
    /// Addresses at which requests are denied from now on, by a reviewer's word: an entry
    /// (`access/orders/deny[0]`), or all that is below one (`access/orders`).
    denied: Vec<String>,
    /// Services that are treated otherwise than before, whatever the rules decide.
    services: ServiceChanges,
}

/// Which failures of a request its bundle may be the cause of, by what it does otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cause(u8);

impl Cause {
    /// That no endpoint is reached: it is sent elsewhere.
    const CONNECT: Self = Self(1);
    /// That there is no room, or no endpoint left.
    const OVERLOAD: Self = Self(2);
    /// That the endpoint fails: it gets another request, or has fewer tries.
    const FAILURE: Self = Self(4);
    /// That time is up.
    const TIMEOUT: Self = Self(8);
    const ALL: Self = Self(15);

    fn add(&mut self, other: Self, when: bool) {
        if when {
            self.0 |= other.0;
        }
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Whether a reviewer has seen that requests are denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Yes,
    No,
}

/// What is known of one request under a [`Probation`].
#[derive(Debug, Default)]
pub(super) struct ProbationTag {
    pub(super) sample: RequestSample,
    blame: Cause,
}

impl ProbationTag {
    /// Its path or head was refused before anybody decided; `stricter` is there where escaped slashes are newly refused.
    /// A path that is bad beside them was refused before too.
    pub(super) fn unprepared(&mut self, stricter: Option<Seen>, head: &Head) {
        let kept = |path: &PathAndQuery| path::canonical(path.path(), SlashMode::Keep).is_ok();
        if let Some(seen) = stricter
            && head.target.path.as_ref().is_some_and(kept)
        {
            self.sample.differs = true;
            self.sample.denied |= seen == Seen::No;
        }
    }

    /// Refused for want of an identity, which only `tls: strict` asks for.
    pub(super) fn no_identity(&mut self, probation: &Probation, request: &Request<'_>) {
        let engine = &probation.old.engine;
        let passed = || engine.decide_inbound(request).verdict.passes();
        if engine.program().mesh.tls != TlsMode::Strict && passed() {
            self.sample.differs = true;
            self.sample.denied |= !probation.acknowledges("mesh");
        }
    }

    /// The callee's side decided.
    pub(super) fn inbound(
        &mut self,
        probation: &Probation,
        new: &Inbound<'_>,
        request: &Request<'_>,
        address: &str,
    ) {
        let engine = &probation.old.engine;
        let old = engine.decide_inbound(request);
        match compare::access(old.verdict, new.verdict) {
            AccessDifference::Closed => {
                self.sample.differs = true;
                self.sample.denied |= !probation.acknowledges(address);
            }
            AccessDifference::Opened => {
                self.sample.differs = true;
                self.blame = Cause::ALL;
            }
            // The application behind this proxy.
            AccessDifference::Same => match engine.owner() {
                Owner::Service(own) if new.verdict.passes() => {
                    self.blame.add(Cause::ALL, probation.services.reach.contains(own));
                }
                Owner::Service(_) | Owner::Gateway(_) => {}
            },
        }
    }

    /// A limit of the callee's was reached.
    pub(super) fn over_quota(&mut self, probation: &Probation, limit: &Limit, address: &str) {
        if !probation.old.engine.limits().contains(limit) {
            self.sample.differs = true;
            self.sample.denied |= !probation.acknowledges(address);
        }
    }

    /// The caller's side decided.
    pub(super) fn outbound(
        &mut self,
        probation: &Probation,
        new: &Outbound<'_>,
        request: &Request<'_>,
        scratch: &mut Scratch,
        drawn: &Drawn<'_>,
    ) {
        let again = Again { drawn: drawn.picks.borrow().clone(), next: RefCell::new(0) };
        let request = Request { picks: &again, ..*request };
        let old = probation.old.engine.decide_outbound(&request, scratch);
        let difference = compare::outbound(&old, new, &probation.services);
        match difference {
            Difference::Forward(change) => {
                self.blame.add(Cause::CONNECT, change.destination);
                self.blame.add(Cause::OVERLOAD, change.destination || change.resilience);
                self.blame.add(Cause::FAILURE, change.request || change.retry);
                self.blame.add(Cause::TIMEOUT, change.request || change.timeout);
            }
            Difference::Forwarded => self.blame = Cause::ALL,
            Difference::Answered => self.sample.blamed = true,
            Difference::Same | Difference::Content => {}
        }
        if difference.is_same() {
            return;
        }
        self.sample.differs = true;
        if let Outcome::Refuse(reason) = new.outcome {
            let rule = new.rule.or(new.edge).map(|rule| &*rule.address);
            let address = rule
                .map_or_else(|| missing(reason, probation.old.engine.owner(), request.host), str::to_owned);
            self.sample.denied |= !probation.acknowledges(&address);
        }
    }

    /// An endpoint answered, or none did; counted for its service too.
    pub(super) fn ended(&mut self, result: Result<StatusCode, Failure>, service: Option<&Outcomes>) {
        let (failed, cause) = match result {
            Ok(status) => (status.is_server_error(), Cause::FAILURE),
            Err(Failure::Connect) => (true, Cause::CONNECT),
            Err(Failure::NoEndpoint | Failure::Overflow) => (true, Cause::OVERLOAD),
            Err(Failure::Refused | Failure::Reset) => (true, Cause::FAILURE),
            Err(Failure::TimedOut) => (true, Cause::TIMEOUT),
            Err(Failure::ClientGone) => (false, Cause::default()),
        };
        let blamed = failed && self.blame.has(cause);
        self.sample.blamed |= blamed;
        // The decision may be the same, and yet this is the bundle's.
        self.sample.differs |= blamed;
        let changed = self.blame != Cause::default();
        if let Some(service) = service {
            service.count(changed, if changed { blamed } else { failed });
        }
    }
}

impl Probation {
    /// Compares `new` with `old`, the last good one.
    #[must_use]
    pub fn new(old: Arc<Active>, new: &Active, denied: Vec<String>) -> Self {
        let services = ServiceChanges::between(old.engine.program(), new.engine.program());
        Self { services, old, denied }
    }

    /// The same comparison with another state.
    #[must_use]
    pub fn with(&self, old: Arc<Active>) -> Self {
        Self { old, denied: self.denied.clone(), services: self.services.clone() }
    }

    /// Whether a reviewer has seen that requests to a host's service are denied: `service/orders`.
    pub(super) fn seen_service(&self, host: &str) -> Seen {
        let service = host.split_once('.').map_or(host, |(service, _)| service);
        if self.acknowledges(&format!("service/{service}")) { Seen::Yes } else { Seen::No }
    }

    /// Whether a reviewer has seen that requests are denied at `address`.
    fn acknowledges(&self, address: &str) -> bool {
        self.denied.iter().any(|seen| {
            address.strip_prefix(seen.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The address at which a request is refused that no rule took: the callee's access for a service that is not visible,
/// else the list of rules that has none for it.
fn missing(reason: Reason, owner: &Owner, host: &str) -> String {
    let service = host.split_once('.').map_or(host, |(service, _)| service);
    match (reason, owner) {
        (Reason::NotVisible, _) => format!("access/{service}"),
        (_, Owner::Gateway(gateway)) => format!("route/{gateway}"),
        (_, Owner::Service(_)) => format!("route/{service}"),
    }
}

/// Remembers what was drawn, so that the bundle before draws the same.
pub(super) struct Drawn<'a> {
    inner: &'a dyn Picks,
    picks: RefCell<Vec<u32>>,
}

impl<'a> Drawn<'a> {
    pub(super) fn new(inner: &'a dyn Picks) -> Self {
        Self { inner, picks: RefCell::default() }
    }
}

impl Picks for Drawn<'_> {
    fn pick(&self, split: u32) -> u32 {
        let pick = self.inner.pick(split);
        self.picks.borrow_mut().push(pick);
        pick
    }
}

/// Draws in the same order again; 0, where shares begin, once there are no more.
struct Again {
    drawn: Vec<u32>,
    next: RefCell<usize>,
}

impl Picks for Again {
    fn pick(&self, _: u32) -> u32 {
        let at = self.next.replace_with(|at| *at + 1);
        self.drawn.get(at).or(self.drawn.first()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(blame: Cause, result: Result<StatusCode, Failure>) -> bool {
        let mut tag = ProbationTag { blame, ..ProbationTag::default() };
        tag.ended(result, None);
        assert_eq!(tag.sample.differs, tag.sample.blamed);
        tag.sample.blamed
    }

    #[test]
    fn a_failure_is_blamed_on_what_may_have_caused_it() {
        let (bad, fine) = (Ok(StatusCode::SERVICE_UNAVAILABLE), Ok(StatusCode::NOT_FOUND));
        for (result, cause) in [
            (bad, Cause::FAILURE),
            (Err(Failure::Reset), Cause::FAILURE),
            (Err(Failure::Refused), Cause::FAILURE),
            (Err(Failure::Connect), Cause::CONNECT),
            (Err(Failure::NoEndpoint), Cause::OVERLOAD),
            (Err(Failure::Overflow), Cause::OVERLOAD),
            (Err(Failure::TimedOut), Cause::TIMEOUT),
        ] {
            assert!(blamed(Cause::ALL, result) && blamed(cause, result), "{result:?}");
            let mut others = Cause(Cause::ALL.0 & !cause.0);
            assert!(!blamed(others, result) && !blamed(Cause::default(), result), "{result:?}");
            others.add(cause, false);
            assert!(!blamed(others, result), "{result:?}");
        }
        assert!(!blamed(Cause::ALL, fine) && !blamed(Cause::ALL, Err(Failure::ClientGone)));
    }

    #[test]
    fn a_service_counts_changed_requests_apart() {
        let outcomes = Outcomes::default();
        let end =
            |blame, result| ProbationTag { blame, ..ProbationTag::default() }.ended(result, Some(&outcomes));
        end(Cause::default(), Err(Failure::Connect));
        end(Cause::default(), Ok(StatusCode::OK));
        end(Cause::TIMEOUT, Err(Failure::Connect));
        end(Cause::TIMEOUT, Err(Failure::TimedOut));
        let sums = crate::upstream::Sums { same: 2, same_failed: 1, changed: 2, changed_failed: 1 };
        assert_eq!(outcomes.sums(), sums);
    }
}
