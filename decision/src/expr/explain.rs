//! Explanations of an expression: the part that decided, in the author's words and order.

use std::collections::BTreeMap;
use std::ops::Range;

use mesh_bundle::expr::{Expression, Instant, Op, Part, Slot, Type, View, text_literal};
use serde::Serialize;

use super::build::{Builder, Cond};
use super::context::Context;
use super::eval::{self, Frame};
use super::slots::{self, Read};
use super::tri::Tri;
use crate::values;

/// The largest length of a shown value, in bytes.
const SHOWN: usize = 64;
/// The largest number of shown places.
const PLACES: usize = 8;
/// Headers whose values are credentials, and so are never shown.
const SECRETS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// The part of an expression that decided its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Range of the part in the expression's text, in bytes; empty where the bundle does not say.
    #[serde(skip)]
    pub range: Range<usize>,
    /// The words of the part.
    pub words: String,
    /// The result of the whole expression.
    pub result: Tri,
    /// The slots that the part reads, with their values; at most eight.
    pub seen: Vec<Seen>,
}

/// A slot and its value in the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The slot as CEL writes it.
    pub place: String,
    /// Its value, cut to 64 bytes; or in brackets the reason that there is none to show.
    pub value: String,
    /// The slot itself.
    #[serde(skip)]
    pub slot: Slot,
}

/// The part that decides `expression` for a request: of a conjunction that is false the first part, as written, that
/// is false; of one that errs the first that errs; of one that is true all of it. Of a disjunction likewise.
///
/// Builds everything for this one answer; a [`super::Program`] keeps it for the next. `None` for an expression that
/// does not build.
#[must_use]
pub fn explain(expression: &Expression, context: &Context<'_>) -> Option<Decided> {
    Explainer::new(expression)?.explain(expression, context)
}

/// The tests of an expression, each by itself, by the numbers of their instructions.
#[derive(Debug)]
pub(super) struct Explainer(BTreeMap<usize, Cond>);

impl Explainer {
    pub(super) fn new(expression: &Expression) -> Option<Self> {
        let checked = expression.check(Type::Bool).ok()?;
        let builder = Builder::new(&checked.types);
        let mut tests = BTreeMap::new();
        gather(expression.code.root()?, &builder, &mut tests)?;
        Some(Self(tests))
    }

    /// `expression` is the one that this was made from.
    pub(super) fn explain(&self, expression: &Expression, context: &Context<'_>) -> Option<Decided> {
        let (result, view) = self.decide(expression.code.root()?, context)?;
        let range = view.words().unwrap_or_default();
        let words = expression.text.get(range.clone()).unwrap_or_default().to_owned();
        let mut places = Vec::new();
        collect(view, &mut places);
        let seen = |slot: &Slot| Seen { place: name(slot), value: value(slot, context), slot: slot.clone() };
        Some(Decided { range, words, result, seen: places.into_iter().map(seen).collect() })
    }

    /// Finds the deciding part. Recursion goes no deeper than the check has seen to.
    fn decide<'c>(&self, view: View<'c>, context: &Context<'_>) -> Option<(Tri, View<'c>)> {
        Some(match view.op() {
            Op::Not => {
                let (result, part) = self.decide(view.child()?, context)?;
                (!result, part)
            }
            Op::All(_) | Op::Any(_) => {
                let decisive = Tri::from(matches!(view.op(), Op::Any(_)));
                let mut erring = None;
                for child in view.children() {
                    let (result, part) = self.decide(child, context)?;
                    if result == decisive {
                        return Some((result, part));
                    }
                    if result == Tri::Error && erring.is_none() {
                        erring = Some(part);
                    }
                }
                erring.map_or((!decisive, view), |part| (Tri::Error, part))
            }
            Op::If => {
                let [condition, then, otherwise] = view.branches()?;
                let (result, part) = self.decide(condition, context)?;
                let taken = match result {
                    Tri::Error => return Some((result, part)),
                    Tri::True => then,
                    Tri::False => otherwise,
                };
                match (taken.op(), self.decide(taken, context)?) {
                    // A constant says nothing: the condition chose it.
                    (Op::Bool(_) | Op::Constant(_), (result, _)) => (result, part),
                    (_, decided) => decided,
                }
            }
            _ => (eval::condition(self.0.get(&view.index())?, &Frame { context, local: None }), view),
        })
    }
}

/// Builds the tests below a part: everything that is not looked into is a test.
fn gather(view: View<'_>, builder: &Builder<'_>, tests: &mut BTreeMap<usize, Cond>) -> Option<()> {
    if matches!(view.op(), Op::Not | Op::All(_) | Op::Any(_) | Op::If) {
        return view.children().try_for_each(|child| gather(child, builder, tests));
    }
    tests.insert(view.index(), builder.cond(view).ok()?);
    Some(())
}

/// The places that a part reads, each once, in the order written.
fn collect<'c>(view: View<'c>, places: &mut Vec<&'c Slot>) {
    if let Some(slot) = view.slot()
        && !places.contains(&slot)
        && places.len() < PLACES
    {
        places.push(slot);
    }
    view.children().for_each(|child| collect(child, places));
}

/// A place of a request as expressions write it: `request.headers["x"]`.
#[must_use]
pub fn name(slot: &Slot) -> String {
    let plain = match slot {
        Slot::Header(key) => return format!("request.headers[{}]", text_literal(key)),
        Slot::Query(key) => return format!("request.query[{}]", text_literal(key)),
        Slot::Cookie(key) => return format!("request.cookies[{}]", text_literal(key)),
        Slot::Param(key) => return format!("request.params[{}]", text_literal(key)),
        Slot::SourceLabel(key) => return format!("source.labels[{}]", text_literal(key)),
        Slot::DestinationLabel(key) => return format!("destination.labels[{}]", text_literal(key)),
        Slot::Method => "request.method",
        Slot::Path => "request.path",
        Slot::Host => "request.host",
        Slot::Scheme => "request.scheme",
        Slot::Size => "request.size",
        Slot::Principal => "source.principal",
        Slot::TrustDomain => "source.trustDomain",
        Slot::Service => "source.service",
        Slot::Ip => "source.ip",
        Slot::DestinationService => "destination.service",
        Slot::DestinationVersion => "destination.version",
        Slot::DestinationPort => "destination.port",
        Slot::Mtls => "connection.mtls",
        Slot::TlsVersion => "connection.tlsVersion",
        Slot::Sni => "connection.sni",
        Slot::Now => "now",
    };
    plain.to_owned()
}

fn value(slot: &Slot, context: &Context<'_>) -> String {
    let request = context.request;
    match slot {
        Slot::Size => return values::size(request).to_string(),
        Slot::DestinationPort => {
            return context.destination.map_or(0, |d| d.service.port).to_string();
        }
        Slot::Mtls => return request.connection.mtls.to_string(),
        Slot::Now => return written(request.now),
        _ => {}
    }
    match slots::read(slot, context) {
        Read::Absent => "(absent)".to_owned(),
        Read::Unreadable => "(several values, or not text)".to_owned(),
        Read::One(_) if is_secret(slot) => "(hidden)".to_owned(),
        Read::One(text) => {
            let text = text.into_text();
            if text.len() <= SHOWN {
                return text_literal(&text);
            }
            let end = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            format!("{}... ({} bytes)", text_literal(text.get(..end).unwrap_or_default()), text.len())
        }
    }
}

fn is_secret(slot: &Slot) -> bool {
    match slot {
        Slot::Header(name) => SECRETS.contains(&name.as_str()),
        Slot::Cookie(_) => true,
        _ => false,
    }
}

/// Formats a time as RFC 3339, in UTC and whole seconds.
fn written(time: Instant) -> String {
    let part = |part| time.part(part, 0);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        part(Part::FullYear),
        part(Part::Month) + 1,
        part(Part::Date),
        part(Part::Hours),
        part(Part::Minutes),
        part(Part::Seconds)
    )
}
