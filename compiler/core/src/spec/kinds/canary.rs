//! `Canary`: how a new version arrives.

use super::route::Match;
use super::shared::{Bound, Measure, Sticky};
use crate::spec::context::Sp;
use crate::spec::decode::{List1, Rule};
use crate::spec::macros::{choice, object};
use crate::spec::scalars::*;

object! {
    /// Rollout of a new version of a service, in stages.
    pub struct Canary, "a Canary", kind "Canary" {
        /// The name; the service's name unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Service whose version changes.
        service "service": Sp<Name>,
        /// The version that serves.
        stable "stable": Sp<Name>,
        /// The version that arrives; without one, all requests go to `stable`.
        candidate "candidate": Option<Sp<Name>>,
        /// Step by step, or all at once; `canary` unless said otherwise.
        strategy "strategy": Option<Sp<Strategy>> = |_| Sp::unwritten(Strategy::Canary),
        /// Key that keeps a caller on one version.
        sticky "sticky": Option<Sticky>,
        /// The stages, with growing weights.
        stages "stages": Option<Sp<List1<Stage>>> as [],
        /// Conditions of a good stage.
        analysis "analysis": Option<Analysis>,
        /// Reaction to a failed stage; `rollback` unless said otherwise.
        on_failure "onFailure": Option<Sp<OnFailure>> = |_| Sp::unwritten(OnFailure::Rollback),
        /// Reaction to a new commit while a canary is under way; `queue` unless said otherwise.
        on_new_commit "onNewCommit": Option<Sp<OnNewCommit>> = |_| Sp::unwritten(OnNewCommit::Queue),
        /// Whether the next stage begins by itself; `true` unless said otherwise.
        auto_promote "autoPromote": Option<Sp<bool>> = |_| Sp::unwritten(true),
    }
    rules [Rule::Needs("stages", "candidate")]
}

choice! {
    /// Way in which a new version takes over.
    pub enum Strategy, "a strategy" {
        /// Step by step.
        Canary = "canary",
        /// All at once.
        BlueGreen = "blueGreen",
    }
}

choice! {
    /// Reaction to a failed stage.
    pub enum OnFailure, "a reaction to a failed stage" {
        /// All requests go back to stable.
        Rollback = "rollback",
        /// The weight stays; a person decides.
        Freeze = "freeze",
    }
}

choice! {
    /// Reaction to a new commit while a canary is under way.
    pub enum OnNewCommit, "a reaction to a new commit" {
        /// The commit waits until the canary is done.
        Queue = "queue",
        /// The canary starts again with it.
        Restart = "restart",
        /// It is refused.
        Reject = "reject",
    }
}

object! {
    /// One stage of a canary.
    pub struct Stage, "a stage" {
        /// The share of the candidate, below 100 %.
        weight "weight": Sp<Percent>,
        /// Duration of the stage, in observed time.
        hold "hold": Sp<Duration>,
        /// The team that is asked before the stage begins.
        approval "approval": Option<Sp<Name>>,
        /// Only these requests.
        match_ "match": Option<Match>,
    }
}

object! {
    /// Conditions of a good stage.
    pub struct Analysis, "an analysis" {
        /// Between two checks.
        interval "interval": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(30_000)),
        /// Requests of the candidate that a check needs.
        min_requests "minRequests": Option<Sp<Count>> = |_| Sp::unwritten(Count::clamped(100)),
        /// Reaction to too few requests; `pause` unless said otherwise.
        no_data "noData": Option<Sp<NoData>> = |_| Sp::unwritten(NoData::Pause),
        /// Failed checks of one metric that a stage survives.
        failure_limit "failureLimit": Option<Sp<Small>> = |_| Sp::unwritten(Small::clamped(0)),
        /// Metrics that must stay within their bounds.
        metrics "metrics": List1<Metric>,
    }
}

choice! {
    /// Reaction to too few requests.
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
        /// Largest difference to stable that the check accepts.
        max_over_stable "maxOverStable": Option<Sp<Bound>>,
        /// The time that is looked at.
        window "window": Option<Sp<Duration>>,
    }
    rules [
        Rule::ExactlyOne(&["measure", "query"]),
        Rule::AtLeastOne(&["max", "abortOver", "maxOverStable"]),
    ]
}
