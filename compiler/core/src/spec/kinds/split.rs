//! Where a rule sends requests: one destination, or shares of several.

use std::ops::Deref;

use schemars::{Schema, SchemaGenerator};

use crate::diag::codes;
use crate::source::{Node, Value};
use crate::spec::context::{Cx, Sp};
use crate::spec::decode::{Decode, List1};
use crate::spec::forms::RecordForm;
use crate::spec::macros::{either, object};
use crate::spec::scalar::Scalar as _;
use crate::spec::scalars::*;
use crate::spec::view::{Data, Inherited, Shape, View};

object! {
    /// A share of a split.
    pub struct Share, "a share" {
        /// Destination of the share.
        to "to": Sp<Destination>,
        /// Size of the share; all shares make 100 %.
        weight "weight": Sp<Percent>,
    }
}

either! {
    /// Destination of requests: one, or shares that make 100 %.
    pub enum To {
        /// A single destination.
        One(Sp<Destination>) => |to| {
            let weight = Sp { value: Percent::whole(100), span: to.span };
            let share = Share { to: to.clone(), weight, complete: true };
            Sp { value: Shares(List1::new(share, [])), span: to.span }
        },
        /// Shares of several destinations.
        Split(Sp<Shares>) if Seq,
    }
}

/// The shares of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares(List1<Share>);

impl Deref for Shares {
    type Target = [Share];
    fn deref(&self) -> &[Share] {
        &self.0
    }
}

impl Decode for Shares {
    const IS_LIST: bool = true;
    fn example() -> String {
        "[{ to: orders@v1, weight: 90% }, { to: orders@v2, weight: 10% }]".to_owned()
    }
    fn record() -> Option<RecordForm> {
        Share::record()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let before = cx.count();
        let shares = List1::decode(node, cx).map(Self);
        if bare_sum(node).is_some_and(|sum| sum != WHOLE) {
            // Weights of 1 and 3 are ratios to other tools: `3%` would be another split.
            let ratio = ratios(node);
            cx.withdraw_fixes(before, codes::MISSING_UNIT, |raw| {
                let (parts, all) = (raw.trim().parse::<u64>().ok()?, ratio?);
                // As exact as weights are.
                let points = parts.checked_mul(WHOLE)?.checked_div(all)?;
                let percent = crate::numbers::percent(u32::try_from(points).ok()?);
                Some(format!("shares are parts of 100 %, not ratios: {parts} of {all} is `{percent}`"))
            });
        }
        shares
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        List1::<Share>::schema(generator)
    }
}

impl View for Shares {
    fn shape() -> Shape {
        <[Share]>::shape()
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        <[Share]>::view(self, mesh)
    }
}

/// The sum of weights that are all bare whole numbers.
fn ratios(node: &Node) -> Option<u64> {
    node.as_seq()?.iter().try_fold(0_u64, |sum, share| match share.get("weight")?.value {
        Value::Int(number) => sum.checked_add(u64::try_from(number).ok()?),
        _ => None,
    })
}

/// Basis points of all shares.
const WHOLE: u64 = 10_000;

/// The sum of weights in basis points, bare numbers taken for percentages; `None` if no number is bare. What is no weight
/// at all counts as nothing.
fn bare_sum(node: &Node) -> Option<u64> {
    let mut bare = false;
    let mut sum = 0_u64;
    for share in node.as_seq()? {
        let points = match share.get("weight").map(|weight| &weight.value) {
            Some(Value::Int(number)) => {
                bare = true;
                u64::try_from(*number).ok().map(|number| number.saturating_mul(100))
            }
            // Fractions are no ratios.
            Some(Value::Float(number)) => {
                bare = true;
                Percent::parse(&format!("{number}%")).map(|percent| u64::from(percent.basis_points()))
            }
            Some(Value::Text(text)) => {
                Percent::parse(&text.text).map(|percent| u64::from(percent.basis_points()))
            }
            _ => None,
        };
        sum = points.map_or(sum, |points| sum.saturating_add(points));
    }
    bare.then_some(sum)
}
