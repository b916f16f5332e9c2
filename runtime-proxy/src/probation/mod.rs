//! Rung 9: how a bundle in force is judged by the requests that it decides.
//!
//! Workers count into a [`Tally`]; the control thread reads it once a second and asks [`Bounds::judge`]. Nothing here
//! knows a clock, a request or a bundle.

mod tally;
mod verdict;

pub use tally::{Counts, Kind, Tally};
pub use verdict::{Before, Bounds, Verdict};
