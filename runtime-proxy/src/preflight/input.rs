//! What the child gets and what it says: one line of JSON, then the bytes that it lists.

use std::collections::BTreeSet;
use std::io::{self, Write};

use mesh_bundle::scope::Needs;
use mesh_bundle::unit::UnitId;
use mesh_bundle::verify::Intact;
use mesh_bundle::{Name, Owner, Refusal, State, limits};
use serde::{Deserialize, Serialize};

/// What a child gets to check: units that passed rungs 1 to 4, and the self-tests of those that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreflightInput<'b> {
    pub(super) order: Order,
    /// The bytes of the units, then of the self-tests.
    parts: Vec<&'b [u8]>,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) owner: Owner,
    pub(super) calls: BTreeSet<Name>,
    pub(super) state: State,
    /// Units with their length.
    pub(super) units: Vec<(String, usize)>,
    /// Units whose self-tests follow, with the length of these.
    pub(super) tests: Vec<(String, usize)>,
}

/// What the child says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It builds, and so many examples were answered as expected.
    Good {
        /// Examples that were run.
        cases: usize,
    },
    /// It does not.
    Refused(Refusal),
}

impl<'b> PreflightInput<'b> {
    /// The units of `bundle` that `owner`'s proxy `needs`, with the self-tests of `changed`.
    #[must_use]
    pub fn of(
        bundle: &'b Intact,
        owner: &Owner,
        needs: Needs,
        state: &State,
        changed: &BTreeSet<UnitId>,
    ) -> Self {
        let mut input = Self {
            order: Order {
                owner: owner.clone(),
                calls: needs.calls,
                state: state.clone(),
                units: Vec::new(),
                tests: Vec::new(),
            },
            parts: Vec::new(),
        };
        for id in &needs.units {
            if let Some(bytes) = bundle.unit_bytes(id) {
                input.order.units.push((id.to_string(), bytes.len()));
                input.parts.push(bytes);
            }
        }
        for id in changed {
            if let Some(bytes) = bundle.test_bytes(id) {
                input.order.tests.push((id.to_string(), bytes.len()));
                input.parts.push(bytes);
            }
        }
        input
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *to, &self.order)?;
        to.write_all(b"\n")?;
        self.parts.iter().try_for_each(|part| to.write_all(part))?;
        to.flush()
    }

    /// Reads an input of at most [`limits::BUNDLE_BYTES`].
    pub(super) fn read(all: &'b [u8]) -> io::Result<Self> {
        let end = all.iter().position(|byte| *byte == b'\n').ok_or(io::ErrorKind::UnexpectedEof)?;
        let (line, rest) = all.split_at_checked(end).ok_or(io::ErrorKind::UnexpectedEof)?;
        let order: Order = serde_json::from_slice(line)?;
        // `rest` begins with the line's end.
        let mut rest = rest.get(1..).unwrap_or_default();
        if rest.len() > limits::BUNDLE_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut parts = Vec::new();
        for (_, length) in order.units.iter().chain(&order.tests) {
            let (part, more) = rest.split_at_checked(*length).ok_or(io::ErrorKind::InvalidData)?;
            parts.push(part);
            rest = more;
        }
        if !rest.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self { order, parts })
    }

    /// The parts by name: units, then self-tests.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, &'b [u8])> {
        let names = self.order.units.iter().chain(&self.order.tests).map(|(name, _)| name.as_str());
        names.zip(self.parts.iter().copied())
    }
}
