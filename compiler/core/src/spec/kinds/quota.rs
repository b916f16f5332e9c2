//! `Quota`: how much.

use crate::spec::decode::{List1, NumberOr, Rule, Sp};
use crate::spec::leaf::*;
use crate::spec::macros::{choice, object};

object! {
    /// How much callers may ask for. All limits must pass; each try counts.
    pub struct Quota, "a Quota", kind "Quota" {
        /// The name; the name of the service or gateway unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Who answers for it.
        owner "owner": Option<Sp<Name>>,
        /// What it is for.
        description "description": Option<Sp<Prose>>,
        /// The service.
        service "service": Option<Sp<Name>>,
        /// The gateway.
        gateway "gateway": Option<Sp<Name>>,
        /// The limits.
        limits "limits": List1<QuotaLimit>,
    }
    rules [Rule::ExactlyOne(&["service", "gateway"])]
}

object! {
    /// One limit.
    pub struct QuotaLimit, "a limit" {
        /// The name, unique in the Quota.
        name "name": Option<Sp<Name>>,
        /// Who shares it: `caller`, `service`, `header:<name>`, `claim:<name>`, or a CEL expression that gives the key.
        per "per": Sp<CelText>,
        /// How much in the long run.
        rate "rate": Sp<Rate>,
        /// How much at once; one second's worth unless said otherwise.
        burst "burst": Option<Sp<Count>> = |limit| Sp::unwritten(limit.usual_burst()),
        /// Whether each proxy counts for itself, or all together; `proxy` unless said otherwise.
        scope "scope": Option<Sp<QuotaScope>> = |_| Sp::unwritten(QuotaScope::Proxy),
        /// What a request costs: a number, or a CEL expression that gives one; 1 unless said otherwise.
        cost "cost": Option<NumberOr<Sp<Count>, Sp<CelText>>> = |_| NumberOr::Number(Sp::unwritten(Count::clamped(1))),
        /// What happens when the shared store is away; `local` unless said otherwise.
        on_unavailable "onUnavailable": Option<Sp<OnUnavailable>> = |_| Sp::unwritten(OnUnavailable::Local),
    }
}

impl QuotaLimit {
    /// What a request costs; 1 where that is computed.
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
    /// Who counts.
    pub enum QuotaScope, "a scope" {
        /// Each proxy for itself.
        Proxy = "proxy",
        /// All proxies together.
        Mesh = "mesh",
    }
}

choice! {
    /// What happens when the shared store is away.
    pub enum OnUnavailable, "a reaction to a missing store" {
        /// Requests pass.
        Allow = "allow",
        /// Requests are refused.
        Deny = "deny",
        /// Each proxy counts for itself.
        Local = "local",
    }
}
