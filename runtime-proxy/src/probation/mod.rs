//! Rung 9: how a bundle in force is judged by the requests that it decides.
//!
//! Workers count into a [`Tally`]; the control thread reads it once a second, excuses what an outage explains
//! ([`Services`]), and asks [`Bounds::judge`]. Nothing here knows a clock, a request or a bundle.

mod outage;
mod tally;
mod verdict;

use mesh_bundle::limits::WHOLE;

pub use outage::{Baseline, Services};
pub use tally::{Counts, RequestSample, Tally};
pub use verdict::{Before, Bounds, Verdict};

fn basis_points(part: u64, of: u64) -> u32 {
    if of == 0 {
        return 0;
    }
    let share = u128::from(part) * u128::from(WHOLE) / u128::from(of);
    // A part is never more than the whole; where counts were read at two instants it may seem so.
    u32::try_from(share).unwrap_or(WHOLE).min(WHOLE)
}
