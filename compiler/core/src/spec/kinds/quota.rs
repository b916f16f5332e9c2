//! `Quota`: how much.

use crate::spec::context::Sp;
use crate::spec::decode::{List1, NumberOr, Rule};
use crate::spec::macros::{choice, object};
use crate::spec::scalars::*;

object! {
    /// Rate limits of callers. All limits must pass; each try counts.
    pub struct Quota, "a Quota", kind "Quota" {
        /// The name; the name of the service or gateway unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Service that the limits protect.
        service "service": Option<Sp<Name>>,
        /// Gateway that the limits protect.
        gateway "gateway": Option<Sp<Name>>,
        /// The limits, each with a key of its own.
        limits "limits": List1<QuotaLimit>,
    }
    rules [Rule::ExactlyOne(&["service", "gateway"])]
}

object! {
    /// One rate limit.
    pub struct QuotaLimit, "a limit" {
        /// The name, unique in the Quota.
        name "name": Option<Sp<Name>>,
        /// Key that requests are counted by: `caller`, `service`, `header:<name>`, `claim:<name>`, or a CEL
        /// expression that gives the key.
        per "per": Sp<CelText>,
        /// Rate in the long run.
        rate "rate": Sp<Rate>,
        /// Largest number at once; one second's worth unless said otherwise.
        burst "burst": Option<Sp<Count>> = |limit| Sp::unwritten(limit.usual_burst()),
        /// Whether each proxy counts for itself, or all together; `proxy` unless said otherwise.
        scope "scope": Option<Sp<QuotaScope>> = |_| Sp::unwritten(QuotaScope::Proxy),
        /// Cost of a request: a number, or a CEL expression that gives one; 1 unless said otherwise.
        cost "cost": Option<NumberOr<Sp<Count>, Sp<CelText>>> = |_| NumberOr::Number(Sp::unwritten(Count::clamped(1))),
        /// Reaction to an unavailable shared store; `local` unless said otherwise.
        on_unavailable "onUnavailable": Option<Sp<OnUnavailable>> = |_| Sp::unwritten(OnUnavailable::Local),
    }
}

impl QuotaLimit {
    /// Cost of a request; 1 if it is computed.
    pub fn fixed_cost(&self) -> Count {
        match self.cost() {
            NumberOr::Number(cost) => cost.value,
            NumberOr::Text(_) => Count::clamped(1),
        }
    }

    /// One second's worth, and never less than one request.
    fn usual_burst(&self) -> Count {
        let second = self.rate.count() / self.rate.per_seconds().max(1);
        Count::clamped(i64::from(second)).max(self.fixed_cost())
    }
}

choice! {
    /// Scope within which requests are counted.
    pub enum QuotaScope, "a scope" {
        /// Each proxy for itself.
        Proxy = "proxy",
        /// All proxies together.
        Mesh = "mesh",
    }
}

choice! {
    /// Reaction to an unavailable shared store.
    pub enum OnUnavailable, "a reaction to a missing store" {
        /// All requests pass.
        Allow = "allow",
        /// Requests are refused.
        Deny = "deny",
        /// Each proxy counts for itself.
        Local = "local",
    }
}
