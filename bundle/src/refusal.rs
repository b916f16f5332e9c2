//! Refusals of a bundle: the rung of the activation ladder that it failed, the reason and the place.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rung of the activation ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rung {
    /// 1: sizes, counts and depth, before anything is parsed.
    Bound,
    /// 2: signatures, then every digest.
    Authentic,
    /// 3: mesh, environment, order, expiry and features.
    #[serde(rename = "forMe")]
    Eligible,
    /// 4: strict decode, references complete.
    WellFormed,
    /// 5: matchers, expressions, certificates and secrets built.
    Built,
    /// 6: self-tests passed.
    Proven,
    /// 7: stored durably.
    Durable,
    /// 8: swapped in, and in force.
    InForce,
    /// 9: watched under live traffic.
    Probation,
}

impl Rung {
    /// The rung's number in the ladder, from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Bound => "bound",
            Self::Authentic => "authentic",
            Self::Eligible => "eligible",
            Self::WellFormed => "well formed",
            Self::Built => "built",
            Self::Proven => "proven",
            Self::Durable => "durable",
            Self::InForce => "in force",
            Self::Probation => "probation",
        };
        write!(f, "rung {} ({words})", self.number())
    }
}

/// The refusal of a bundle, with its reason in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The rung at which the bundle failed.
    pub rung: Rung,
    /// A short word for the reason, stable for machines: `bad-signature`, `older-generation`.
    pub code: String,
    /// The reason in words, for people.
    pub message: String,
    /// The file or unit concerned, if the refusal is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// JSON pointer (RFC 6901) into the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// `file:line` in the spec, where the unit's source map tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Refusal {
    /// Makes a refusal at `rung`, without a place.
    #[must_use]
    pub fn new(rung: Rung, code: &str, message: impl Into<String>) -> Self {
        Self { rung, code: code.to_owned(), message: message.into(), unit: None, pointer: None, place: None }
    }

    /// Sets the file or unit concerned.
    #[must_use]
    pub fn at(mut self, unit: impl fmt::Display) -> Self {
        self.unit = Some(unit.to_string());
        self
    }

    /// Sets the JSON pointer into the unit.
    #[must_use]
    pub fn pointing(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused at {}: {} [{}]", self.rung, self.message, self.code)?;
        if let Some(unit) = &self.unit {
            write!(f, " in {unit}")?;
        }
        if let Some(pointer) = &self.pointer {
            write!(f, " at {pointer}")?;
        }
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        Ok(())
    }
}
