//! Quotas: how much each caller may ask for, on this proxy.

mod gcra;
mod keyed;

pub use gcra::{Bucket, Pace};
pub use keyed::{Charge, Counters, Denied};
