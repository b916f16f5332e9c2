//! Quotas: the limits that a request is charged against, and their buckets. The counters are the shell's.

use std::borrow::Cow;

use mesh_bundle::Owner;
use mesh_bundle::program::{Limit, RateKey};
use mesh_bundle::unit::UnitId;

use crate::build::BuildError;
use crate::expr::{self, Context};
use crate::inbound_decision::Charge;
use crate::values::Value;

/// The limits of one owner.
#[derive(Debug)]
pub(crate) struct Limits {
    limits: Vec<Limit>,
    /// Beside each limit, its built key where that is an expression.
    keys: Vec<Option<expr::Key>>,
}

/// The error of a key that has no single value.
#[derive(Debug)]
pub(crate) struct AmbiguousKey;

impl Limits {
    pub(crate) fn build(owner: &Owner, limits: Vec<Limit>) -> Result<Self, BuildError> {
        let key = |(i, limit): (usize, &Limit)| {
            let RateKey::Expression(key) = &limit.per else { return Ok(None) };
            expr::Key::new(key).map(Some).map_err(|e| BuildError {
                unit: UnitId::Quotas(owner.clone()),
                pointer: format!("/limits/{i}/per"),
                reason: e.to_string(),
            })
        };
        let keys = limits.iter().enumerate().map(key).collect::<Result<_, _>>()?;
        Ok(Self { limits, keys })
    }

    pub(crate) fn as_slice(&self) -> &[Limit] {
        &self.limits
    }

    /// The charges of a request, one a limit.
    pub(crate) fn charges<'a>(&'a self, context: &Context<'a>) -> Result<Vec<Charge<'a>>, AmbiguousKey> {
        let mut charges = Vec::with_capacity(self.limits.len());
        for ((index, limit), key) in self.limits.iter().enumerate().zip(&self.keys) {
            let key = match &limit.per {
                RateKey::Caller => Cow::Borrowed(context.request.source.key()),
                RateKey::Service => Cow::Borrowed(""),
                RateKey::Slot(slot) => match expr::text(slot, context) {
                    Value::One(value) => value,
                    Value::Absent => Cow::Borrowed(""),
                    Value::Repeated => return Err(AmbiguousKey),
                },
                RateKey::Expression(_) => key.as_ref().and_then(|key| key.of(context)).ok_or(AmbiguousKey)?,
            };
            charges.push(Charge { limit: index, key, cost: limit.cost });
        }
        Ok(charges)
    }
}
