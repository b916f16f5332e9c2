//! Quotas: rate limits of a callee.

use serde::{Deserialize, Serialize};

use crate::expr::{Expression, Slot};

/// The limits of one callee; all must pass, or nothing is charged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// The limits, in the order written.
    pub limits: Vec<Limit>,
}

/// One rate limit on requests, per proxy of the callee (GCRA: generic cell rate algorithm).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limit {
    /// Its name, or its place as written: `limits[0]`.
    pub name: String,
    /// Key that divides requests into buckets.
    pub per: RateKey,
    /// Sustained rate at which a bucket drains.
    pub rate: Rate,
    /// Burst size: the number of requests that may come at once; at least 1.
    pub burst: u32,
    /// Cost of one request; default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub cost: u32,
}

/// The key that divides requests into buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RateKey {
    /// Each caller: its principal, else its address.
    Caller,
    /// The callee as a whole.
    Service,
    /// Each value of this place of the request; an absent value shares one bucket.
    Slot(Slot),
    /// Each value of this expression, which is text; a request for which it errs is answered 400.
    Expression(Expression),
}

impl RateKey {
    /// True if the key depends on a place that `wanted` means.
    #[must_use]
    pub fn reads(&self, wanted: impl Fn(&Slot) -> bool) -> bool {
        match self {
            Self::Slot(slot) => wanted(slot),
            Self::Expression(key) => key.code.reads(wanted),
            Self::Caller | Self::Service => false,
        }
    }
}

/// A sustained rate: `count` requests in `per_ms` milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    /// Number of requests; at least 1.
    pub count: u32,
    /// Period in milliseconds; at least 1.
    pub per_ms: u64,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_one(value: &u32) -> bool {
    *value == 1
}
