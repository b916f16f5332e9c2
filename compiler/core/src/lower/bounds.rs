//! Bounds of measures, and shares for people.

use mesh_bundle::program::Measure;

use super::context::Cx;
use crate::diag::{Diagnostic, codes};
use crate::spec::{Bound, NumberOr, Quantity, Sp};

/// A bound in millionths of a share, a second, or a query's number.
pub(super) fn millionths(cx: &mut Cx<'_, '_>, bound: &Sp<Bound>, measure: &Measure) -> Option<u64> {
    let (value, fits) = match (&bound.value, measure) {
        (NumberOr::Text(Quantity::Percent(share)), _) => {
            (u64::from(share.basis_points()) * 100, *measure == Measure::ErrorRate)
        }
        (NumberOr::Text(Quantity::Duration(time)), _) => {
            (time.as_nanos() / 1_000, matches!(measure, Measure::P50 | Measure::P95 | Measure::P99))
        }
        (NumberOr::Number(number), _) => {
            let scaled = number.get() * 1e6;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just here")]
            let value = if (0.0..=9e15).contains(&scaled) { scaled.round() as u64 } else { 0 };
            (value, matches!(measure, Measure::Query(_)) && (0.0..=9e15).contains(&scaled))
        }
    };
    if fits {
        return Some(value);
    }
    let wanted = match measure {
        Measure::ErrorRate => "a percentage such as `1%`",
        Measure::Query(_) => "a number from 0 to 9,000,000,000",
        Measure::P50 | Measure::P95 | Measure::P99 => "a duration such as `400ms`",
    };
    cx.report(Diagnostic::new(
        codes::METRIC_UNIT,
        bound.span,
        format!("this measure is bounded by {wanted}"),
    ));
    None
}
