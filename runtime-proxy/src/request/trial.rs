//! Probation on the request path: the bundle before decides too, and what comes out otherwise is counted.

use std::cell::RefCell;
use std::sync::Arc;

use mesh_bundle::Owner;
use mesh_bundle::program::Limit;
use mesh_decision::engine::Scratch;
use mesh_decision::{Inbound, Outbound, Outcome, Picks, Reason, Request};

use super::active::Active;
use crate::probation::Kind;

/// A bundle on probation: what is compared with, and what a reviewer has seen.
#[derive(Debug)]
pub struct Trial {
    /// The last good bundle.
    pub old: Arc<Active>,
    /// Addresses at which requests are denied from now on, by a reviewer's word: an entry
    /// (`access/orders/deny[0]`), or all that is below one (`access/orders`).
    pub denied: Vec<String>,
}

/// What is known of one request under a [`Trial`].
#[derive(Debug, Default)]
pub(super) struct Mark {
    pub(super) kind: Kind,
    /// The bundle before sends it to the same version of the same service.
    same_place: bool,
}

impl Mark {
    /// The callee's side decided.
    pub(super) fn inbound(&mut self, trial: &Trial, new: &Inbound<'_>, request: &Request<'_>, address: &str) {
        let engine = &trial.old.engine;
        let old = engine.decide_inbound(request);
        let passes = (old.verdict.passes(), new.verdict.passes());
        match passes {
            (true, false) => {
                self.kind.differs = true;
                self.kind.denied |= !trial.acknowledges(address);
            }
            (false, true) => self.kind.differs = true,
            (true, true) | (false, false) => {}
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
        let same = match (&old.outcome, &new.outcome) {
            (Outcome::Forward(old), Outcome::Forward(new)) => {
                self.same_place = (old.service, old.version) == (new.service, new.version);
                self.same_place
                    && (&old.path, old.host) == (&new.path, new.host)
                    && old.request_headers == new.request_headers
                    && old.response_headers == new.response_headers
                    && (old.timeout_ms, old.retry) == (new.timeout_ms, new.retry)
            }
            (Outcome::Redirect { status, location }, Outcome::Redirect { status: s, location: l }) => {
                (status, location) == (s, l)
            }
            (Outcome::Respond(old), Outcome::Respond(new)) => old == new,
            (Outcome::Refuse(_), Outcome::Refuse(_)) => true,
            _ => false,
        };
        if same {
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

    /// No endpoint could be reached: where the bundle before sends to the same ones, it is nobody's bundle.
    pub(super) fn unreachable(&mut self) {
        if self.same_place {
            self.kind.differs = false;
        }
    }
}

impl Trial {
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
