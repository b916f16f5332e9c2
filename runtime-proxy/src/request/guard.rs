//! Access, then quotas: of a callee's proxy, and of a gateway before its Routes.

use http::StatusCode;
use mesh_decision::{Request, Verdict};

use super::record::Record;
use super::refusal::Answer;
use super::worker::Local;
use crate::quota;

/// Lets a request pass, or says how it is refused.
pub(super) fn guard(local: &Local, record: &mut Record, request: &Request<'_>) -> Result<(), Answer> {
    let running = local.running();
    let (active, probation) = (&*running.active, running.probation.as_deref());
    let decided = active.engine.decide_inbound(request);
    let own = active.engine.owner().name().as_str();
    let rule = match decided.verdict {
        Verdict::DefaultDeny | Verdict::AuditDeny(None) => &active.access,
        _ => decided.verdict.entry().unwrap_or_default(),
    };
    if let Some(probation) = probation {
        record.tag.inbound(probation, &decided, request, rule);
    }
    record.decided(rule, own, "");
    if matches!(decided.verdict, Verdict::AuditDeny(_)) {
        record.verdict = decided.verdict.word();
    }
    if let Some(reason) = decided.verdict.refusal() {
        record.because = active.engine.because_inbound(request);
        return Err(reason.into());
    }
    if decided.charges.is_empty() {
        return Ok(());
    }
    let now = record.worker.shared.clock.nanos();
    let charged = match decided.charges.as_slice() {
        // The usual case needs no list.
        [one] => active.counters.charge(&[charge(one)], now),
        several => active.counters.charge(&several.iter().map(charge).collect::<Vec<_>>(), now),
    };
    charged.map_err(|denied| {
        let limit = active.limits.get(denied.limit).map_or("", |address| &**address);
        if let (Some(probation), Some(reached)) = (probation, active.engine.limits().get(denied.limit)) {
            record.tag.over_quota(probation, reached, limit);
        }
        record.worker.shared.metrics.over_quota(limit);
        record.decided(limit, own, "");
        let mut answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, "over-quota");
        answer.retry_after = denied.retry_after;
        answer
    })
}

fn charge<'c>(charge: &'c mesh_decision::Charge<'_>) -> quota::Charge<'c> {
    quota::Charge { limit: charge.limit, key: &charge.key, cost: charge.cost }
}
