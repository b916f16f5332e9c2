//! Lowering of retries: attempts, conditions, methods and backoff.

use mesh_bundle::program::{Retry, RetryOn};

use super::context::Cx;
use crate::spec::{self, Condition};

/// Lowers a retry. Without conditions: on connect failure and refused streams, which are always safe.
pub(super) fn retry(cx: &mut Cx<'_, '_>, spec: &spec::Retry) -> Retry {
    let spec::Retry::On(form) = spec else { return Retry::default() };
    let mut retry = Retry { attempts: u32::from(form.attempts.get()), ..Retry::default() };
    for condition in form.conditions().iter() {
        match condition.value {
            Condition::ConnectFailure => retry.conditions.push(RetryOn::ConnectFailure),
            Condition::RefusedStream => retry.conditions.push(RetryOn::RefusedStream),
            Condition::Status(status) => retry.conditions.push(RetryOn::Status(status)),
            Condition::ServerError => retry.conditions.push(RetryOn::ServerError),
            Condition::GatewayError => retry.conditions.push(RetryOn::GatewayError),
            Condition::Reset | Condition::Timeout | Condition::Grpc(_) => {
                let help = "conditions of this release: connect-failure, refused-stream, 5xx, gateway-error and statuses such as \"503\"";
                cx.not_enforced("this retry condition", condition.span, help);
            }
        }
    }
    retry.conditions.sort_unstable();
    retry.conditions.dedup();
    retry.methods = form.methods.iter().flat_map(|m| m.iter()).map(|m| m.as_str().to_owned()).collect();
    retry.methods.sort();
    retry.methods.dedup();
    let backoff = form.backoff();
    retry.backoff_base_ms = backoff.base.as_millis_ceil();
    retry.backoff_max_ms = backoff.max().as_millis_ceil();
    retry.budget = u32::from(form.budget().basis_points());
    retry
}
