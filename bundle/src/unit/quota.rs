//! Quotas: how much.

use serde::{Deserialize, Serialize};

use crate::expr::{Expression, Slot};

/// The limits of one callee; all must pass, or nothing is charged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// In the order written.
    pub limits: Vec<Limit>,
}

/// One limit of requests, per proxy of the callee (GCRA).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limit {
    /// Its name, or its place as written: `limits[0]`.
    pub name: String,
    /// What has a bucket of its own.
    pub per: RateKey,
    /// How fast a bucket drains.
    pub rate: Rate,
    /// How many at once; at least 1.
    pub burst: u32,
    /// What one request costs.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub cost: u32,
}

/// What has a bucket of its own.
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

/// `count` requests in `per_ms` milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    /// How many; at least 1.
    pub count: u32,
    /// In how many milliseconds; at least 1.
    pub per_ms: u64,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_one(value: &u32) -> bool {
    *value == 1
}
