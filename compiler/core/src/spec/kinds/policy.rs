//! `Policy`: what must always hold.

use super::mesh::PolicySeverity;
use super::shared::Labels;
use crate::diag::Date;
use crate::spec::Kind;
use crate::spec::context::Sp;
use crate::spec::decode::{List1, OneOrMany, Rule};
use crate::spec::macros::{choice, either, object};
use crate::spec::scalars::*;

object! {
    /// A rule that must always hold; exactly one of `each`, `invariant`, `forbid`, `permitOnly`, `change`.
    pub struct Policy, "a Policy", kind "Policy" {
        /// Name, unique among Policies.
        name "name": Sp<Name>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Environments in which it holds; all unless said otherwise.
        environments "environments": Option<List1<Sp<Name>>>,
        /// Objects of this kind ...
        each "each": Option<Sp<Kind>>,
        /// ... for which this CEL expression is true (all unless said otherwise) ...
        where_ "where": Option<Sp<CelText>>,
        /// ... are such that this one is.
        require "require": Option<Sp<CelText>>,
        /// Condition that holds for all requests and decisions.
        invariant "invariant": Option<Invariant>,
        /// Callers that must not reach certain services.
        forbid "forbid": Option<Forbid>,
        /// The only callers that may reach certain services.
        permit_only "permitOnly": Option<PermitOnly>,
        /// Condition that changes must meet.
        change "change": Option<Change>,
        /// Severity of breaking it; `error` unless said otherwise.
        severity "severity": Option<Sp<PolicySeverity>> = |_| Sp::unwritten(PolicySeverity::Error),
        /// Message for those who break it.
        message "message": Option<Sp<Prose>>,
        /// Objects for which it need not hold for a time.
        waivers "waivers": Vec<Waiver>,
    }
    rules [
        Rule::ExactlyOne(&["each", "invariant", "forbid", "permitOnly", "change"]),
        Rule::Needs("each", "require"),
        Rule::Needs("require", "each"),
        Rule::Needs("where", "each"),
    ]
}

object! {
    /// A condition that holds for all requests and decisions.
    pub struct Invariant, "an invariant" {
        /// For requests for which this CEL expression is true (all unless said otherwise) ...
        where_ "where": Option<Sp<CelText>>,
        /// ... this one is, too.
        require "require": Sp<CelText>,
        /// Reaction to an invariant that can neither be proved nor refuted; `block` unless said otherwise.
        on_unknown "onUnknown": Option<Sp<OnUnknown>> = |_| Sp::unwritten(OnUnknown::Block),
    }
}

choice! {
    /// Reaction to an invariant that can neither be proved nor refuted.
    pub enum OnUnknown, "a reaction to an open question" {
        /// It counts as broken.
        Block = "block",
        /// It is said.
        Warn = "warn",
    }
}

object! {
    /// Services by labels.
    pub struct LabelSelector, "a selection of services" {
        /// All services that have these labels.
        labels "labels": Labels,
    }
    rules [Rule::AtLeastOne(&["labels"])]
}

either! {
    /// Services: one by name (`gateway/name` and `external` too), or those with labels.
    pub enum Selector {
        /// One caller by name.
        Name(Sp<Caller>) as "caller",
        /// All services with these labels.
        Labels(LabelSelector) if Map,
    }
}

object! {
    /// Callers that must not reach certain services.
    pub struct Forbid, "a prohibition" {
        /// The callers that the prohibition is about.
        from "from": OneOrMany<Selector>,
        /// Services that they must not reach.
        reach "reach": OneOrMany<Selector>,
        /// In at most this many calls; 1 is a direct call. In any number unless said otherwise.
        hops "hops": Option<Sp<Hops>>,
    }
}

object! {
    /// The only callers that may reach certain services directly.
    pub struct PermitOnly, "a permission" {
        /// Services that are protected.
        to "to": OneOrMany<Selector>,
        /// The only callers that may reach them.
        from "from": OneOrMany<Selector>,
    }
}

object! {
    /// A condition that changes must meet.
    pub struct Change, "a change policy" {
        /// For plans for which this CEL expression is true (all unless said otherwise) ...
        when "when": Option<Sp<CelText>>,
        /// ... this one is, too.
        require "require": Sp<CelText>,
    }
}

object! {
    /// An object for which a policy need not hold for a time.
    pub struct Waiver, "a waiver" {
        /// Address of the object that is exempt.
        object "object": Sp<Address>,
        /// The last day of it.
        until "until": Sp<Date>,
        /// Reason of the exception, for readers.
        reason "reason": Sp<Reason>,
        /// Reference to the agreement, such as a ticket.
        ticket "ticket": Option<Sp<Prose>>,
    }
}
