//! Lowering of Resilience: ejection and bulkheads.

use std::collections::BTreeMap;

use mesh_bundle::program::{Outlier, Program, Resilience};
use mesh_bundle::unit::UnitId;

use super::context::{Cx, key, only_one};
use crate::spec::{self, Balancing, Kind, LoadBalancer};

/// Lowers all resilience.
pub(super) fn resilience(cx: &mut Cx<'_, '_>, program: &mut Program) {
    let model = cx.model;
    let mut seen = BTreeMap::new();
    for (object, spec) in model.resiliences() {
        if !model.resolve(Kind::Service, &spec.service, &mut cx.findings) {
            continue;
        }
        let Some(name) = key(&spec.service) else { continue };
        if !only_one(cx, &mut seen, &name, "a Resilience", object.name_span) {
            continue;
        }
        cx.place(&UnitId::Resilience(name.clone()), "", object.span);
        let unit = one(cx, spec);
        program.resilience.insert(name, unit);
    }
}

fn one(cx: &mut Cx<'_, '_>, spec: &spec::Resilience) -> Resilience {
    let help = "this release balances round robin";
    match &spec.load_balancer {
        Some(LoadBalancer::Simple(how)) if how.value != Balancing::RoundRobin => {
            cx.not_enforced(&format!("`loadBalancer: {}`", how.value.as_str()), how.span, help);
        }
        Some(LoadBalancer::Form(form)) => {
            let plain = form.policy.value == Balancing::RoundRobin;
            if !plain || form.key.is_some() || form.panic_threshold.is_some() || form.slow_start.is_some() {
                cx.not_enforced("this load balancer", form.policy.span, help);
            }
        }
        _ => {}
    }
    if let Some(check) = &spec.health_check {
        let span = (check.http.as_ref().map(|h| h.span))
            .or(check.grpc.as_ref().map(|g| g.span))
            .or(check.tcp.as_ref().map(|t| t.span));
        cx.not_enforced(
            "active health checks",
            span.unwrap_or(spec.service.span),
            "`outlierDetection` leaves out endpoints that fail",
        );
    }
    if let Some(breaker) = &spec.circuit_breaker {
        cx.not_enforced(
            "`circuitBreaker`",
            breaker.error_rate.span,
            "`outlierDetection` leaves out endpoints that fail",
        );
    }
    if let Some(first) = spec.locality.as_ref().and_then(|l| l.first()) {
        cx.not_enforced("`locality`", first.span, "");
    }
    let outlier = spec.outlier_detection.as_ref().map(|o| Outlier {
        consecutive_errors: o.consecutive_errors.get(),
        eject_for_ms: o.eject_for.as_millis_ceil(),
        max_ejected: u32::from(o.max_ejected().basis_points()),
    });
    let limits = spec.limits.as_ref();
    Resilience {
        outlier,
        connections: limits.and_then(|l| l.connections.as_ref()).map(|c| c.get()),
        pending_requests: limits.and_then(|l| l.pending_requests.as_ref()).map(|p| p.get()),
        requests: limits.and_then(|l| l.requests.as_ref()).map(|r| r.get()),
        ..Resilience::default()
    }
}
