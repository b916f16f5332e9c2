//! How a request ends that the proxy answers itself: logged, counted, and explained afterwards if it was refused.

use super::record::Record;
use super::refusal::Answer;
use crate::http::{Body, ResponseHead};
use crate::telemetry::{Explained, timestamp};

/// Ends a request with a refusal, which the admin socket explains from now on.
pub(super) fn refuse(mut record: Record, answer: Answer) -> (ResponseHead, Body) {
    record.status = answer.status;
    record.reason = answer.reason;
    record.decision = format!("{:016x}", record.worker.random.next());
    record.worker.shared.refusals.remember(Explained {
        decision: record.decision.clone(),
        time: timestamp(record.worker.shared.clock.wall()),
        direction: record.direction.as_str(),
        method: record.method.to_string(),
        host: record.host.clone(),
        path: record.path.clone(),
        caller: record.caller().to_owned(),
        status: answer.status.as_u16(),
        reason: answer.reason,
        rule: record.rule().to_owned(),
        bundle: record.bundle().to_owned(),
        because: record.because.clone(),
    });
    let written = answer.write(&record.method, record.grpc, &record.decision);
    record.finish();
    written
}

/// Ends a request with the answer that a rule asks for.
pub(super) fn reply(mut record: Record, written: (ResponseHead, Body)) -> (ResponseHead, Body) {
    record.status = written.0.status;
    record.finish();
    written
}
