//! `Canary`: how a new version arrives.

use super::route::Match;
use super::shared::{Bound, Measure, Sticky};
use crate::spec::decode::{List1, Rule, Sp};
use crate::spec::leaf::*;
use crate::spec::macros::{choice, object};

object! {
    /// How a new version of a service arrives.
    pub struct Canary, "a Canary", kind "Canary" {
        /// The name; the service's name unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Who answers for it.
        owner "owner": Option<Sp<Name>>,
        /// What it is for.
        description "description": Option<Sp<Prose>>,
        /// The service.
        service "service": Sp<Name>,
        /// The version that serves.
        stable "stable": Sp<Name>,
        /// The version that arrives; without one, all requests go to `stable`.
        candidate "candidate": Option<Sp<Name>>,
        /// Step by step, or all at once; `canary` unless said otherwise.
        strategy "strategy": Option<Sp<Strategy>> = |_| Sp::unwritten(Strategy::Canary),
        /// What keeps a caller on one version.
        sticky "sticky": Option<Sticky>,
        /// The stages, with growing weights.
        stages "stages": Option<Sp<List1<Stage>>> as [],
        /// When a stage is good.
        analysis "analysis": Option<Analysis>,
        /// What happens when a stage fails; `rollback` unless said otherwise.
        on_failure "onFailure": Option<Sp<OnFailure>> = |_| Sp::unwritten(OnFailure::Rollback),
        /// What a new commit does while a canary is under way; `queue` unless said otherwise.
        on_new_commit "onNewCommit": Option<Sp<OnNewCommit>> = |_| Sp::unwritten(OnNewCommit::Queue),
        /// Whether the next stage begins by itself; `true` unless said otherwise.
        auto_promote "autoPromote": Option<Sp<bool>> = |_| Sp::unwritten(true),
    }
    rules [Rule::Needs("stages", "candidate")]
}

choice! {
    /// How a new version takes over.
    pub enum Strategy, "a strategy" {
        /// Step by step.
        Canary = "canary",
        /// All at once.
        BlueGreen = "blueGreen",
    }
}

choice! {
    /// What happens when a stage fails.
    pub enum OnFailure, "a reaction to a failed stage" {
        /// All requests go back to stable.
        Rollback = "rollback",
        /// The weight stays; a person decides.
        Freeze = "freeze",
    }
}

choice! {
    /// What a new commit does while a canary is under way.
    pub enum OnNewCommit, "a reaction to a new commit" {
        /// It waits.
        Queue = "queue",
        /// The canary starts again with it.
        Restart = "restart",
        /// It is refused.
        Reject = "reject",
    }
}

object! {
    /// One stage.
    pub struct Stage, "a stage" {
        /// The share of the candidate, below 100 %.
        weight "weight": Sp<Percent>,
        /// How long it holds, in observed time.
        hold "hold": Sp<Duration>,
        /// The team that is asked before the stage begins.
        approval "approval": Option<Sp<Name>>,
        /// Only these requests.
        match_ "match": Option<Match>,
    }
}

object! {
    /// When a stage is good.
    pub struct Analysis, "an analysis" {
        /// Between two checks.
        interval "interval": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(30_000)),
        /// Requests of the candidate that a check needs.
        min_requests "minRequests": Option<Sp<Count>> = |_| Sp::unwritten(Count::clamped(100)),
        /// What too few requests mean; `pause` unless said otherwise.
        no_data "noData": Option<Sp<NoData>> = |_| Sp::unwritten(NoData::Pause),
        /// Failed checks of one metric that a stage survives.
        failure_limit "failureLimit": Option<Sp<Small>> = |_| Sp::unwritten(Small::clamped(0)),
        /// What is measured.
        metrics "metrics": List1<Metric>,
    }
}

choice! {
    /// What too few requests mean.
    pub enum NoData, "a reaction to missing data" {
        /// Time stands still.
        Pause = "pause",
        /// The check failed.
        Fail = "fail",
        /// The check did not happen.
        Ignore = "ignore",
    }
}

object! {
    /// One metric; exactly one of `measure` and `query`.
    pub struct Metric, "a metric" {
        /// The name, unique in the analysis.
        name "name": Sp<Name>,
        /// A measure of the proxies.
        measure "measure": Option<Sp<Measure>>,
        /// A PromQL query that gives one number.
        query "query": Option<Sp<Prose>>,
        /// Above it, the check fails.
        max "max": Option<Sp<Bound>>,
        /// Above it, the canary goes back at once.
        abort_over "abortOver": Option<Sp<Bound>>,
        /// How much above stable, before the check fails.
        max_over_stable "maxOverStable": Option<Sp<Bound>>,
        /// The time that is looked at.
        window "window": Option<Sp<Duration>>,
    }
    rules [
        Rule::ExactlyOne(&["measure", "query"]),
        Rule::AtLeastOne(&["max", "abortOver", "maxOverStable"]),
    ]
}
