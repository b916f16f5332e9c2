//! Lowering of Quotas to units.

use std::collections::BTreeMap;

use mesh_bundle::expr::Slot;
use mesh_bundle::program::{Limit, Program, Quotas, Rate, RateKey};
use mesh_bundle::unit::UnitId;

use super::context::{Cx, only_one, owner, unique};
use crate::cel::{self, Phase};
use crate::diag::{Diagnostic, codes};
use crate::spec::{self, HeaderName, NumberOr, QuotaLimit, Scalar};

/// Lowers all quotas.
pub(super) fn quotas(cx: &mut Cx<'_, '_>, program: &mut Program) {
    let model = cx.model;
    let mut seen = BTreeMap::new();
    for (object, spec) in model.quotas() {
        let Some(owner) = owner(cx, spec.service.as_ref(), spec.gateway.as_ref()) else { continue };
        if !only_one(cx, &mut seen, &owner, "a Quota", object.name_span) {
            continue;
        }
        let unit = UnitId::Quotas(owner.clone());
        cx.place(&unit, "", object.span);
        unique(cx, spec.limits.iter().filter_map(|l| l.name.as_ref()), "limits");
        let mut limits = Vec::new();
        for (i, spec) in spec.limits.iter().enumerate() {
            cx.place(&unit, format!("/limits/{i}"), spec.per.span);
            limits.extend(limit(cx, i, spec));
        }
        program.quotas.insert(owner, Quotas { limits });
    }
}

fn limit(cx: &mut Cx<'_, '_>, index: usize, spec: &QuotaLimit) -> Option<Limit> {
    let per = per(cx, spec)?;
    if let Some(scope) = &spec.scope
        && scope.value == spec::QuotaScope::Mesh
    {
        cx.not_enforced("`scope: mesh`", scope.span, "each proxy counts for itself; `plan` shows the sum");
    }
    if let Some(on) = &spec.on_unavailable {
        cx.not_enforced(
            "`onUnavailable`",
            on.span,
            "without a shared store there is nothing that could be away",
        );
    }
    if let Some(NumberOr::Text(cost)) = &spec.cost {
        cx.not_enforced("a computed `cost`", cost.span, "write a number");
    }
    let (count, seconds) = (spec.rate.count(), spec.rate.per_seconds());
    let (cost, burst) = (spec.fixed_cost().get(), spec.burst().get());
    if burst < cost {
        let span = spec.burst.as_ref().map_or(spec.per.span, |burst| burst.span);
        let message = format!("a request costs {cost}, and the burst is {burst}");
        cx.report(Diagnostic::new(codes::BURST, span, message).at("no request passes"));
    }
    let name = spec.name.as_ref().map_or(format!("limits[{index}]"), |n| n.as_str().to_owned());
    Some(Limit { name, per, rate: Rate { count, per_ms: u64::from(seconds) * 1_000 }, burst, cost })
}

fn per(cx: &mut Cx<'_, '_>, spec: &QuotaLimit) -> Option<RateKey> {
    let text = spec.per.value.as_str();
    match text {
        "caller" => return Some(RateKey::Caller),
        "service" => return Some(RateKey::Service),
        _ => {}
    }
    if let Some(header) = text.strip_prefix("header:") {
        if HeaderName::parse(header).is_some() {
            return Some(RateKey::Slot(Slot::Header(header.to_owned())));
        }
        let finding =
            Diagnostic::new(codes::BAD_KEY, spec.per.span, "a header name is a token in lower case");
        cx.report(finding.help(format!("write `header:{}`", header.to_ascii_lowercase())));
        return None;
    }
    if text.starts_with("claim:") {
        cx.not_enforced("quotas by claim", spec.per.span, "no proxy of this release checks tokens");
        return None;
    }
    match cel::key(text, Phase::Inbound) {
        Ok(key) => Some(key),
        Err(_) if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            let finding =
                Diagnostic::new(codes::BAD_KEY, spec.per.span, format!("`{text}` is not a key of a quota"));
            cx.report(
                finding
                    .help("write `caller`, `service`, `header:x-tenant`, or a field such as `request.host`"),
            );
            None
        }
        Err(found) => {
            cx.cel(&spec.per, found);
            None
        }
    }
}
