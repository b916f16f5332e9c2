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
pub struct Trial {
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
struct Blame(u8);

impl Blame {
    /// That no endpoint is reached: it is sent elsewhere.
    const UNREACHED: Self = Self(1);
    /// That there is no room, or no endpoint left.
    const CROWDED: Self = Self(2);
    /// That the endpoint fails: it gets another request, or has fewer tries.
    const FAILING: Self = Self(4);
    /// That time is up.
    const LATE: Self = Self(8);
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

/// What is known of one request under a [`Trial`].
#[derive(Debug, Default)]
pub(super) struct Mark {
    pub(super) kind: RequestSample,
    blame: Blame,
}

impl Mark {
    /// Its path or head was refused before anybody decided; `stricter` is there where escaped slashes are newly refused.
    /// A path that is bad beside them was refused before too.
    pub(super) fn unprepared(&mut self, stricter: Option<Seen>, head: &Head) {
        let kept = |path: &PathAndQuery| path::canonical(path.path(), SlashMode::Keep).is_ok();
        if let Some(seen) = stricter
            && head.target.path.as_ref().is_some_and(kept)
        {
            self.kind.differs = true;
            self.kind.denied |= seen == Seen::No;
        }
    }

    /// Refused for want of an identity, which only `tls: strict` asks for.
    pub(super) fn no_identity(&mut self, trial: &Trial, request: &Request<'_>) {
        let engine = &trial.old.engine;
        let passed = || engine.decide_inbound(request).verdict.passes();
        if engine.program().mesh.tls != TlsMode::Strict && passed() {
            self.kind.differs = true;
            self.kind.denied |= !trial.acknowledges("mesh");
        }
    }

    /// The callee's side decided.
    pub(super) fn inbound(&mut self, trial: &Trial, new: &Inbound<'_>, request: &Request<'_>, address: &str) {
        let engine = &trial.old.engine;
        let old = engine.decide_inbound(request);
        match compare::access(old.verdict, new.verdict) {
            AccessDifference::Closed => {
                self.kind.differs = true;
                self.kind.denied |= !trial.acknowledges(address);
            }
            AccessDifference::Opened => {
                self.kind.differs = true;
                self.blame = Blame::ALL;
            }
            // The application behind this proxy.
            AccessDifference::Same => match engine.owner() {
                Owner::Service(own) if new.verdict.passes() => {
                    self.blame.add(Blame::ALL, trial.services.reach.contains(own));
                }
                Owner::Service(_) | Owner::Gateway(_) => {}
            },
        }
    }

    /// A limit of the callee's was reached.
    pub(super) fn over_quota(&mut self, trial: &Trial, limit: &Limit, address: &str) {
        if !trial.old.engine.limits().contains(limit) {
            self.kind.differs = true;
            self.kind.denied |= !trial.acknowledges(address);
        }
    }

    /// The caller's side decided.
    pub(super) fn outbound(
        &mut self,
        trial: &Trial,
        new: &Outbound<'_>,
        request: &Request<'_>,
        scratch: &mut Scratch,
        drawn: &Drawn<'_>,
    ) {
        let again = Again { drawn: drawn.picks.borrow().clone(), next: RefCell::new(0) };
        let request = Request { picks: &again, ..*request };
        let old = trial.old.engine.decide_outbound(&request, scratch);
        let difference = compare::outbound(&old, new, &trial.services);
        match difference {
            Difference::Forward(change) => {
                self.blame.add(Blame::UNREACHED, change.destination);
                self.blame.add(Blame::CROWDED, change.destination || change.resilience);
                self.blame.add(Blame::FAILING, change.request || change.retry);
                self.blame.add(Blame::LATE, change.request || change.timeout);
            }
            Difference::Forwarded => self.blame = Blame::ALL,
            Difference::Answered => self.kind.blamed = true,
            Difference::Same | Difference::Content => {}
        }
        if difference.is_same() {
            return;
        }
        self.kind.differs = true;
        if let Outcome::Refuse(reason) = new.outcome {
            let rule = new.rule.or(new.edge).map(|rule| &*rule.address);
            let address =
                rule.map_or_else(|| missing(reason, trial.old.engine.owner(), request.host), str::to_owned);
            self.kind.denied |= !trial.acknowledges(&address);
        }
    }

    /// An endpoint answered, or none did; counted for its service too.
    pub(super) fn ended(&mut self, result: Result<StatusCode, Failure>, service: Option<&Outcomes>) {
        let (failed, cause) = match result {
            Ok(status) => (status.is_server_error(), Blame::FAILING),
            Err(Failure::Connect) => (true, Blame::UNREACHED),
            Err(Failure::NoEndpoint | Failure::Overflow) => (true, Blame::CROWDED),
            Err(Failure::Refused | Failure::Reset) => (true, Blame::FAILING),
            Err(Failure::TimedOut) => (true, Blame::LATE),
            Err(Failure::ClientGone) => (false, Blame::default()),
        };
        let blamed = failed && self.blame.has(cause);
        self.kind.blamed |= blamed;
        // The decision may be the same, and yet this is the bundle's.
        self.kind.differs |= blamed;
        let changed = self.blame != Blame::default();
        if let Some(service) = service {
            service.count(changed, if changed { blamed } else { failed });
        }
    }
}

impl Trial {
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
        let service = host.split('.').next().unwrap_or_default();
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
    let service = host.split('.').next().unwrap_or_default();
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

    fn blamed(blame: Blame, result: Result<StatusCode, Failure>) -> bool {
        let mut mark = Mark { blame, ..Mark::default() };
        mark.ended(result, None);
        assert_eq!(mark.kind.differs, mark.kind.blamed);
        mark.kind.blamed
    }

    #[test]
    fn a_failure_is_blamed_on_what_may_have_caused_it() {
        let (bad, fine) = (Ok(StatusCode::SERVICE_UNAVAILABLE), Ok(StatusCode::NOT_FOUND));
        for (result, cause) in [
            (bad, Blame::FAILING),
            (Err(Failure::Reset), Blame::FAILING),
            (Err(Failure::Refused), Blame::FAILING),
            (Err(Failure::Connect), Blame::UNREACHED),
            (Err(Failure::NoEndpoint), Blame::CROWDED),
            (Err(Failure::Overflow), Blame::CROWDED),
            (Err(Failure::TimedOut), Blame::LATE),
        ] {
            assert!(blamed(Blame::ALL, result) && blamed(cause, result), "{result:?}");
            let mut others = Blame(Blame::ALL.0 & !cause.0);
            assert!(!blamed(others, result) && !blamed(Blame::default(), result), "{result:?}");
            others.add(cause, false);
            assert!(!blamed(others, result), "{result:?}");
        }
        assert!(!blamed(Blame::ALL, fine) && !blamed(Blame::ALL, Err(Failure::ClientGone)));
    }

    #[test]
    fn a_service_counts_changed_requests_apart() {
        let outcomes = Outcomes::default();
        let end = |blame, result| Mark { blame, ..Mark::default() }.ended(result, Some(&outcomes));
        end(Blame::default(), Err(Failure::Connect));
        end(Blame::default(), Ok(StatusCode::OK));
        end(Blame::LATE, Err(Failure::Connect));
        end(Blame::LATE, Err(Failure::TimedOut));
        let sums = crate::upstream::Sums { same: 2, same_failed: 1, changed: 2, changed_failed: 1 };
        assert_eq!(outcomes.sums(), sums);
    }
}
