//! `Policy`: what must always hold.

use super::mesh::PolicySeverity;
use super::shared::Labels;
use crate::diag::Date;
use crate::spec::Kind;
use crate::spec::decode::{List1, OneOrMany, Rule, Sp};
use crate::spec::leaf::*;
use crate::spec::macros::{choice, either, object};

object! {
    /// What must always hold; exactly one of `each`, `invariant`, `forbid`, `permitOnly`, `change`.
    pub struct Policy, "a Policy", kind "Policy" {
        /// The name.
        name "name": Sp<Name>,
        /// Who answers for it.
        owner "owner": Option<Sp<Name>>,
        /// What it is for.
        description "description": Option<Sp<Prose>>,
        /// Where it holds; in all environments unless said otherwise.
        environments "environments": Option<List1<Sp<Name>>>,
        /// Objects of this kind ...
        each "each": Option<Sp<Kind>>,
        /// ... for which this CEL expression is true (all unless said otherwise) ...
        where_ "where": Option<Sp<CelText>>,
        /// ... are such that this one is.
        require "require": Option<Sp<CelText>>,
        /// What holds for all requests and decisions.
        invariant "invariant": Option<Invariant>,
        /// Who must not reach whom.
        forbid "forbid": Option<Forbid>,
        /// Who alone may reach whom.
        permit_only "permitOnly": Option<PermitOnly>,
        /// What a change needs.
        change "change": Option<Change>,
        /// How bad it is to break it; `error` unless said otherwise.
        severity "severity": Option<Sp<PolicySeverity>> = |_| Sp::unwritten(PolicySeverity::Error),
        /// What is said to those who break it.
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
    /// What holds for all requests and decisions.
    pub struct Invariant, "an invariant" {
        /// For requests for which this CEL expression is true (all unless said otherwise) ...
        where_ "where": Option<Sp<CelText>>,
        /// ... this one is, too.
        require "require": Sp<CelText>,
        /// What happens when it can neither be proved nor refuted; `block` unless said otherwise.
        on_unknown "onUnknown": Option<Sp<OnUnknown>> = |_| Sp::unwritten(OnUnknown::Block),
    }
}

choice! {
    /// What happens when an invariant can neither be proved nor refuted.
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
        /// By name.
        Name(Sp<Caller>) as "caller",
        /// By labels.
        Labels(LabelSelector) if Map,
    }
}

object! {
    /// Who must not reach whom.
    pub struct Forbid, "a prohibition" {
        /// Who.
        from "from": OneOrMany<Selector>,
        /// Whom.
        reach "reach": OneOrMany<Selector>,
        /// In at most this many calls; 1 is a direct call. In any number unless said otherwise.
        hops "hops": Option<Sp<Hops>>,
    }
}

object! {
    /// Who alone may reach whom directly.
    pub struct PermitOnly, "a permission" {
        /// Whom.
        to "to": OneOrMany<Selector>,
        /// Who.
        from "from": OneOrMany<Selector>,
    }
}

object! {
    /// What a change needs.
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
        /// The object.
        object "object": Sp<Address>,
        /// The last day of it.
        until "until": Sp<Date>,
        /// Why.
        reason "reason": Sp<Prose>,
        /// Where it was agreed.
        ticket "ticket": Option<Sp<Prose>>,
    }
}
