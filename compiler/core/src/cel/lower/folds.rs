//! Macros on requests: over literals they are unrolled, over the values of a key they stay one instruction.

use mesh_bundle::expr::{Op, Quantifier};

use super::{Constants, Lowered, Lowering, joined, leaf, node, strict};
use crate::cel::fold::{constant, fold as fold_constants};
use crate::cel::request::{Place, place};
use crate::cel::typed::{Fold, FoldKind, Kind, Typed};
use crate::cel::value::Value;

impl Lowering<'_> {
    pub(super) fn fold(&mut self, fold: &Fold, typed: &Typed) -> Lowered {
        let quantifier = match fold.kind {
            FoldKind::All => Quantifier::All,
            FoldKind::Exists => Quantifier::Exists,
            FoldKind::ExistsOne => Quantifier::ExistsOne,
            _ => {
                return self.outside(
                    typed,
                    "no list is made while a request waits: use `all`, `exists` or `exists_one`",
                );
            }
        };
        if let Some(Place::Values(slot)) = place(&fold.over) {
            if fold.second.is_some() {
                return self.outside(typed, "the values of a key have no index in rules");
            }
            let mut nested = false;
            fold.body.walk(&mut |part| {
                nested |= matches!(&part.kind, Kind::Fold(inner) if matches!(place(&inner.over), Some(Place::Values(_))));
            });
            if nested {
                return self
                    .outside(typed, "a macro over values stands in no other: their number would multiply");
            }
            let slot = self.checked(slot, &fold.over)?;
            let body = self.value(&fold.body)?;
            return Some(node(Op::Each(quantifier, slot), typed, vec![body]));
        }
        let Some(elements) = elements(&fold.over) else {
            return self.outside(
                &fold.over,
                "a macro in a rule goes over a literal list, or over the values of one key",
            );
        };
        let mut parts = Vec::with_capacity(elements.len());
        for (key, value) in elements {
            let body = match fold.second {
                Some(second) => {
                    let body = self.substituted(&fold.body, fold.first, &key)?;
                    self.substituted(&body, second, &value)?
                }
                None => {
                    let of = if is_map(&fold.over) { &key } else { &value };
                    self.substituted(&fold.body, fold.first, of)?
                }
            };
            // What the element has made constant is worked out now.
            let (body, found) = match self.constants {
                Constants::Folded => fold_constants(body, &mut self.steps),
                Constants::Kept => (body, Vec::new()),
            };
            if !found.is_empty() {
                for finding in found {
                    if !self.findings.contains(&finding) {
                        self.findings.push(finding);
                    }
                }
                return None;
            }
            parts.push(self.value(&body)?);
        }
        // CEL makes the list first: one element that is an error makes the macro one.
        let list = match &fold.over.kind {
            Kind::List(items) => {
                items.iter().map(|(_, item)| self.value(item)).collect::<Option<Vec<_>>>()?
            }
            _ => Vec::new(),
        };
        let unrolled = match quantifier {
            Quantifier::All => joined(typed, parts, true),
            Quantifier::Exists => joined(typed, parts, false),
            Quantifier::ExistsOne if parts.is_empty() => leaf(Op::Bool(false), typed),
            Quantifier::ExistsOne => node(Op::One(0), typed, parts),
        };
        Some(strict(list, unrolled, typed))
    }
}

fn is_map(over: &Typed) -> bool {
    matches!(&over.kind, Kind::Constant(Value::Map(_)) | Kind::Map(_))
}

/// Keys (or indexes) and values of a literal.
fn elements(over: &Typed) -> Option<Vec<(Typed, Typed)>> {
    let index = |i: usize| constant(Value::length(i), over);
    Some(match &over.kind {
        Kind::Constant(Value::List(items)) => {
            items.iter().enumerate().map(|(i, item)| (index(i), constant(item.clone(), over))).collect()
        }
        Kind::Constant(Value::Map(map)) => map
            .iter()
            .map(|(key, value)| (constant(key.clone(), over), constant(value.clone(), over)))
            .collect(),
        Kind::List(items) => {
            items.iter().enumerate().map(|(i, (_, item))| (index(i), item.clone())).collect()
        }
        _ => return None,
    })
}
