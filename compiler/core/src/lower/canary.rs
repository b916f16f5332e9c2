//! Lowering of Canaries to units.

use std::collections::BTreeMap;

use mesh_bundle::limits;
use mesh_bundle::program::{
    Analysis, Canary, Measure, Metric, NoData, OnFailure, Program, Service, Stage, Strategy,
};
use mesh_bundle::unit::UnitId;

use super::context::{Cx, key, only_one, unique};
use super::{bounds, matching, mesh};
use crate::diag::{Diagnostic, codes, nearest};
use crate::numbers::percent;
use crate::spec::{self, Bound, Kind, Name, Object, Sp};

/// Lowers all canaries.
pub(super) fn canaries(cx: &mut Cx<'_, '_>, program: &mut Program) {
    let model = cx.model;
    let mut seen = BTreeMap::new();
    for (object, spec) in model.canaries() {
        if !model.resolve(Kind::Service, &spec.service, &mut cx.findings) {
            continue;
        }
        let Some(name) = key(&spec.service) else { continue };
        if !only_one(cx, &mut seen, &name, "a Canary", object.name_span) {
            continue;
        }
        let service = program.services.get(&name).cloned();
        if let Some(unit) = canary(cx, object, spec, service.as_ref()) {
            program.canaries.insert(name, unit);
        }
    }
}

fn canary(
    cx: &mut Cx<'_, '_>,
    object: &Object,
    spec: &spec::Canary,
    service: Option<&Service>,
) -> Option<Canary> {
    let unit = UnitId::Canary(key(&spec.service)?);
    cx.place(&unit, "", object.span);
    let stable = version(cx, &spec.stable, spec, service);
    let candidate = match &spec.candidate {
        Some(candidate) => Some(version(cx, candidate, spec, service)?),
        None => None,
    };
    if let Some(candidate) = &spec.candidate
        && candidate.value == spec.stable.value
    {
        let finding =
            Diagnostic::new(codes::SAME_VERSION, candidate.span, "the candidate is the stable version");
        cx.report(
            finding
                .label(spec.stable.span, "stable here")
                .help("remove `candidate` and `stages` once it is stable"),
        );
    }
    if let Some(strategy) = &spec.strategy
        && strategy.value == spec::Strategy::BlueGreen
    {
        cx.not_enforced("`strategy: blueGreen`", strategy.span, "write stages");
    }
    let stages = stages(cx, &unit, spec);
    let analysis = spec.analysis.as_ref().map(|a| analysis(cx, a));
    Some(Canary {
        stable: stable?,
        candidate,
        strategy: Strategy::Canary,
        sticky: spec.sticky.as_ref().and_then(matching::sticky),
        stages,
        analysis,
        on_failure: match spec.on_failure().value {
            spec::OnFailure::Freeze => OnFailure::Freeze,
            spec::OnFailure::Rollback => OnFailure::Rollback,
        },
        on_new_commit: Some(spec.on_new_commit().value)
            .filter(|on| *on != spec::OnNewCommit::Queue)
            .map(|on| on.as_str().to_owned()),
        auto_promote: spec.auto_promote().value,
    })
}

fn version(
    cx: &mut Cx<'_, '_>,
    version: &Sp<Name>,
    spec: &spec::Canary,
    service: Option<&Service>,
) -> Option<mesh_bundle::Name> {
    let name = key(version)?;
    let service = service?;
    if service.versions.contains(&name) {
        return Some(name);
    }
    unknown_version(cx, version.span, version.as_str(), spec.service.as_str(), service);
    None
}

/// Reports a version that a service does not have, if all of the service could be read.
pub(super) fn unknown_version(
    cx: &mut Cx<'_, '_>,
    span: crate::diag::Span,
    version: &str,
    name: &str,
    service: &Service,
) {
    if cx.model.get(Kind::Service, name).is_some_and(|object| !object.complete) {
        return;
    }
    let known: Vec<&str> = service.versions.iter().map(mesh_bundle::Name::as_str).collect();
    let message = format!("`{name}` has no version `{version}`");
    let mut finding = Diagnostic::new(codes::UNKNOWN_VERSION, span, message).at("no such version");
    if let Some(object) = cx.model.get(Kind::Service, name) {
        finding = finding.label(object.name_span, format!("its versions: {}", known.join(", ")));
    }
    cx.report(match nearest(version, known.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => {
            finding.help(format!("add it to `versions` of `{name}`, or take one of {}", known.join(", ")))
        }
    });
}

fn stages(cx: &mut Cx<'_, '_>, unit: &UnitId, spec: &spec::Canary) -> Vec<Stage> {
    let mut out: Vec<Stage> = Vec::new();
    let Some(list) = &spec.stages else {
        if let Some(candidate) = spec.candidate.as_ref().filter(|_| spec.complete) {
            let finding = Diagnostic::new(
                codes::STAGES,
                candidate.span,
                "a candidate arrives in stages, and there are none",
            );
            cx.report(finding.help("add `stages: [{ weight: 5%, hold: 10m }, ...]`"));
        }
        return out;
    };
    if list.value.len() > limits::STAGES {
        let message = format!("{} stages, and the limit is {}", list.value.len(), limits::STAGES);
        cx.report(Diagnostic::new(codes::STAGES, list.span, message));
    }
    for (i, stage) in list.value.iter().enumerate() {
        cx.place(unit, format!("/stages/{i}"), stage.weight.span);
        let weight = u32::from(stage.weight.basis_points());
        let before = out.last().map_or(0, |s| s.weight);
        if weight >= limits::WHOLE {
            let finding = Diagnostic::new(
                codes::STAGES,
                stage.weight.span,
                "100 % is the end of a canary, not a stage",
            );
            cx.report(finding.help("remove the stage: after the last one the candidate has all traffic"));
        } else if weight <= before {
            let message = match i {
                0 => "a stage begins above 0 %".to_owned(),
                _ => format!("the stage has no more than the one before, {}", percent(before)),
            };
            cx.report(Diagnostic::new(codes::STAGES, stage.weight.span, message).at("does not grow"));
        }
        if let Some(approval) = &stage.approval {
            mesh::team(cx, approval);
        }
        if let Some(span) = stage.match_.as_ref().map(|_| stage.weight.span) {
            cx.not_enforced("`match` of a stage", span, "stages take shares of all requests");
        }
        out.push(Stage {
            weight,
            hold_ms: stage.hold.as_millis_ceil(),
            approval: stage.approval.as_ref().map(|a| a.as_str().to_owned()),
            matches: None,
        });
    }
    out
}

fn analysis(cx: &mut Cx<'_, '_>, spec: &spec::Analysis) -> Analysis {
    unique(cx, spec.metrics.iter().map(|m| &m.name), "metrics");
    Analysis {
        interval_ms: spec.interval().as_millis_ceil(),
        min_requests: spec.min_requests().get(),
        no_data: match spec.no_data().value {
            spec::NoData::Pause => NoData::Pause,
            spec::NoData::Fail => NoData::Fail,
            spec::NoData::Ignore => NoData::Ignore,
        },
        failure_limit: u32::from(spec.failure_limit().get()),
        metrics: spec.metrics.iter().map(|m| metric(cx, m)).collect(),
    }
}

fn metric(cx: &mut Cx<'_, '_>, spec: &spec::Metric) -> Metric {
    let measure = match (&spec.measure, &spec.query) {
        (Some(measure), _) => match measure.value {
            spec::Measure::ErrorRate => Measure::ErrorRate,
            spec::Measure::P50 => Measure::P50,
            spec::Measure::P95 => Measure::P95,
            spec::Measure::P99 => Measure::P99,
        },
        (None, Some(query)) => Measure::Query(query.as_str().to_owned()),
        (None, None) => Measure::ErrorRate,
    };
    let mut bound =
        |bound: &Option<Sp<Bound>>| bound.as_ref().and_then(|b| bounds::millionths(cx, b, &measure));
    let (max, abort_over, max_over_stable) =
        (bound(&spec.max), bound(&spec.abort_over), bound(&spec.max_over_stable));
    Metric {
        name: spec.name.as_str().to_owned(),
        measure,
        max,
        abort_over,
        max_over_stable,
        window_ms: spec.window.as_ref().map(|w| w.as_millis_ceil()),
    }
}
