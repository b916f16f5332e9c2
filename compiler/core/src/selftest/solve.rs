//! Simple solving: a request that an expression, test or regular expression takes, or does not.
//!
//! Best effort: what is found is put to the engine afterwards, so a wrong guess costs an example and never an answer.

use std::cmp::Ordering;

use mesh_bundle::expr::{CompareOp, Instant, Literal, Op, Quantifier, Slot, TextOp, View, parse_ip};
use mesh_bundle::program::ValueTest;
use mesh_bundle::selftest::NOW;

use super::callers::Callers;
use super::sketch::{ANYTHING, Sketch};
use crate::sets::sample::{LONGEST, likely};

/// Addresses to try for one that lies outside of some networks: of the blocks for documentation (RFC 5737, RFC 3849).
const ADDRESSES: [&str; 4] = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"];

/// Search for a request that satisfies an expression: a request to change, and the callers that can make it.
pub(super) struct Solver<'s, 'p, 'c> {
    pub(super) sketch: &'s mut Sketch<'p>,
    pub(super) callers: &'s Callers<'c>,
    /// The list whose value the quantifier around reads.
    local: Option<&'s Slot>,
}

/// Changes the request so that the expression is `wanted`; false where no way is found.
pub(super) fn satisfy(view: View<'_>, wanted: bool, sketch: &mut Sketch<'_>, callers: &Callers<'_>) -> bool {
    Solver { sketch, callers, local: None }.satisfy(view, wanted)
}

impl Solver<'_, '_, '_> {
    fn satisfy(&mut self, view: View<'_>, wanted: bool) -> bool {
        match view.op() {
            Op::Bool(value) | Op::Constant(Literal::Bool(value)) => *value == wanted,
            Op::Not => view.child().is_some_and(|inner| self.satisfy(inner, !wanted)),
            Op::All(_) if wanted => view.children().all(|part| self.satisfy(part, true)),
            Op::Any(_) if !wanted => view.children().all(|part| self.satisfy(part, false)),
            // One part decides: the first that can be brought to it.
            Op::All(_) | Op::Any(_) => view.children().any(|part| self.tried(|s| s.satisfy(part, wanted))),
            Op::One(_) => {
                let mut parts = view.children();
                let first = !wanted || parts.next().is_some_and(|part| self.satisfy(part, true));
                first && parts.all(|part| self.satisfy(part, false))
            }
            Op::If => {
                let Some([condition, then, otherwise]) = view.branches() else { return false };
                self.tried(|s| s.satisfy(condition, true) && s.satisfy(then, wanted))
                    || (self.satisfy(condition, false) && self.satisfy(otherwise, wanted))
            }
            Op::Each(quantifier, _) => self.each(*quantifier, view, wanted),
            Op::In(set) => {
                let Some(item) = view.child() else { return false };
                if wanted {
                    return set.first().is_some_and(|first| self.compare(item, CompareOp::Eq, first));
                }
                set.iter().all(|literal| self.compare(item, CompareOp::Ne, literal))
            }
            Op::Within(nets) => {
                let inside =
                    |ip: &str| parse_ip(ip).is_some_and(|ip| nets.iter().any(|net| net.contains(ip)));
                let first = nets.first().map(|net| net.first().to_string());
                let outside = || ADDRESSES.into_iter().find(|ip| !inside(ip)).map(str::to_owned);
                let ip = if wanted { first } else { outside() };
                let place = view.child().and_then(View::child).and_then(|on| self.place(on));
                place.zip(ip).is_none_or(|(slot, ip)| self.set(&slot, &ip))
            }
            Op::Compare(op) => {
                let Some((left, right)) = view.pair() else { return false };
                let op = if wanted { *op } else { opposite(*op) };
                match (left.op(), right.op()) {
                    (_, Op::Constant(literal)) => self.compare(left, op, literal),
                    (Op::Constant(literal), _) => self.compare(right, mirrored(op), literal),
                    _ => true,
                }
            }
            Op::Test(op) => {
                let Some((on, arg)) = view.pair() else { return false };
                let Op::Constant(Literal::Text(arg)) = arg.op() else { return true };
                self.test(
                    on,
                    wanted,
                    &match op {
                        TextOp::StartsWith => ValueTest::Prefix(arg.clone()),
                        TextOp::EndsWith => ValueTest::Suffix(arg.clone()),
                        TextOp::Contains => ValueTest::Contains(arg.clone()),
                    },
                )
            }
            Op::Matches(pattern) => {
                view.child().is_none_or(|on| self.test(on, wanted, &ValueTest::Regex(pattern.clone())))
            }
            Op::IsIp => view.child().is_none_or(|on| {
                self.test(
                    on,
                    wanted,
                    &ValueTest::Exact(ADDRESSES.first().copied().unwrap_or_default().into()),
                )
            }),
            Op::Has(_) | Op::Member(_) => view.slot().is_some_and(|slot| match view.child().map(View::op) {
                _ if !wanted => self.sketch.remove(slot),
                Some(Op::Constant(Literal::Text(text))) => self.set(slot, text),
                Some(_) => false,
                None => self.sketch.get(slot).is_some() || self.set(slot, ANYTHING),
            }),
            // Whether the connection is mutual TLS follows from the caller, who is chosen already.
            _ => true,
        }
    }

    /// Keeps what was changed only where that led somewhere.
    fn tried(&mut self, change: impl FnOnce(&mut Self) -> bool) -> bool {
        let before = self.sketch.clone();
        let done = change(self);
        if !done {
            *self.sketch = before;
        }
        done
    }

    /// A list of one value decides, or an empty one.
    fn each(&mut self, quantifier: Quantifier, view: View<'_>, wanted: bool) -> bool {
        let (Some(slot), Some(body)) = (view.slot(), view.child()) else { return false };
        if !wanted && quantifier != Quantifier::All {
            return self.sketch.remove(slot);
        }
        let there = self.sketch.get(slot).is_some() || self.set(slot, ANYTHING);
        let slot = slot.clone();
        there
            && Solver { sketch: self.sketch, callers: self.callers, local: Some(&slot) }.satisfy(body, wanted)
    }

    fn set(&mut self, slot: &Slot, value: &str) -> bool {
        self.sketch.set(slot, value, self.callers)
    }

    /// The place whose text `view` is, in whatever form.
    fn place(&self, view: View<'_>) -> Option<Slot> {
        match view.op() {
            Op::Slot(_) | Op::OrElse(_) => view.slot().cloned(),
            Op::Local => self.local.cloned(),
            Op::View(_) => self.place(view.child()?),
            _ => None,
        }
    }

    fn test(&mut self, on: View<'_>, wanted: bool, test: &ValueTest) -> bool {
        let Some(slot) = self.place(on) else { return true };
        if wanted { take(test, &slot, self.sketch, self.callers) } else { self.set(&slot, ANYTHING) }
    }

    fn compare(&mut self, view: View<'_>, op: CompareOp, literal: &Literal) -> bool {
        match (view.op(), literal) {
            (Op::Slot(_), Literal::Int(n)) if view.slot() == Some(&Slot::Size) => {
                let value = number(op, *n).and_then(|value| u64::try_from(value).ok());
                let fits = value.is_some_and(|value| value <= mesh_bundle::limits::MAX_SAFE_INTEGER);
                if fits {
                    self.sketch.example.size = value;
                }
                fits
            }
            (Op::Slot(_), Literal::Time(time)) => {
                let now = number(op, time.seconds).filter(|now| Instant::new(*now, 0).is_some());
                self.sketch.example.now = now.or(self.sketch.example.now);
                now.is_some()
            }
            (Op::Part { part, offset }, Literal::Int(n)) => {
                // Every hour of a week, and every day of four years, so that each part takes each of its values.
                let hours = (0..168).map(|hour| hour * 3_600);
                let moments = hours.chain((0..1_461).map(|day| day * 86_400)).map(|after| NOW + after);
                let fits = |now: &i64| {
                    let value = Instant::new(*now, 0).map(|now| now.part(*part, *offset));
                    value.is_some_and(|value| holds(op, value.cmp(n)))
                };
                let found = moments.into_iter().find(fits);
                self.sketch.example.now = found.or(self.sketch.example.now);
                found.is_some()
            }
            (Op::Size, Literal::Int(n)) => {
                let length = number(op, *n).and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= LONGEST);
                let place = view.child().and_then(|on| self.place(on));
                place.zip(length).is_some_and(|(slot, length)| self.set(&slot, &ANYTHING.repeat(length)))
            }
            (Op::Count(_), Literal::Int(n)) => view.slot().is_some_and(|slot| match number(op, *n) {
                Some(0) => self.sketch.remove(slot),
                Some(1..) => self.sketch.get(slot).is_some() || self.set(slot, ANYTHING),
                _ => false,
            }),
            (Op::Ip, Literal::Ip(ip)) => {
                let place = view.child().and_then(|on| self.place(on));
                let other = || ADDRESSES.into_iter().find(|other| *other != ip.to_string());
                let text =
                    if op == CompareOp::Eq { Some(ip.to_string()) } else { other().map(str::to_owned) };
                place.zip(text).is_none_or(|(slot, text)| self.set(&slot, &text))
            }
            (_, Literal::Text(text)) => {
                let Some(slot) = self.place(view) else { return true };
                match op {
                    CompareOp::Eq | CompareOp::Le | CompareOp::Ge => self.set(&slot, text),
                    CompareOp::Ne => match self.sketch.get(&slot) {
                        Some(now) if now != text => true,
                        _ => self.set(&slot, &format!("{text}{ANYTHING}")),
                    },
                    CompareOp::Gt => self.set(&slot, &format!("{text}{ANYTHING}")),
                    CompareOp::Lt => self.set(&slot, ""),
                }
            }
            // The destination is what it is; the engine says whether it fits.
            _ => true,
        }
    }
}

/// Puts a value at `slot` that the test takes.
pub(super) fn take(test: &ValueTest, slot: &Slot, sketch: &mut Sketch<'_>, callers: &Callers<'_>) -> bool {
    let now = sketch.get(slot);
    let value = match test {
        ValueTest::Exact(text) => text.clone(),
        ValueTest::Prefix(text) if now.is_some_and(|now| now.starts_with(text)) => return true,
        ValueTest::Suffix(text) if now.is_some_and(|now| now.ends_with(text)) => return true,
        ValueTest::Contains(text) if now.is_some_and(|now| now.contains(text)) => return true,
        ValueTest::Prefix(text) | ValueTest::Suffix(text) | ValueTest::Contains(text) => text.clone(),
        ValueTest::Regex(text) => match likely(text) {
            Some(value) => value,
            None => return false,
        },
        ValueTest::Present(false) => return sketch.remove(slot),
        ValueTest::Present(true) => return now.is_some() || sketch.set(slot, ANYTHING, callers),
    };
    sketch.set(slot, &value, callers)
}

/// The body sizes that an expression compares with.
pub(super) fn sizes(view: View<'_>, found: &mut Vec<i64>) {
    if let (Op::Compare(_), Some((left, right))) = (view.op(), view.pair()) {
        for (slot, constant) in [(left, right), (right, left)] {
            if let (Some(Slot::Size), Op::Constant(Literal::Int(n))) = (slot.slot(), constant.op()) {
                found.push(*n);
            }
        }
    }
    view.children().for_each(|child| sizes(child, found));
}

fn holds(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

/// The number nearest to `n` for which the comparison holds.
fn number(op: CompareOp, n: i64) -> Option<i64> {
    match op {
        CompareOp::Eq | CompareOp::Le | CompareOp::Ge => Some(n),
        CompareOp::Ne | CompareOp::Gt => n.checked_add(1),
        CompareOp::Lt => n.checked_sub(1),
    }
}

fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

/// The comparison with its sides exchanged.
fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq | CompareOp::Ne => op,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}

#[cfg(test)]
mod tests {
    use mesh_bundle::expr::{Expression, Net, Part, Span, TextView, Tree};
    use mesh_bundle::program::Mesh;
    use mesh_bundle::selftest::Caller;
    use mesh_bundle::unit::{Unit, UnitId};
    use mesh_bundle::{Name, Program};
    use mesh_decision::expr::{Context, Program as Built, Tri};
    use mesh_decision::{Connection, Request, Source};

    use super::*;

    fn node(op: Op<Slot>, children: Vec<Tree>) -> Tree {
        Tree::new(op, 0..0, children)
    }

    fn constant(literal: Literal) -> Tree {
        node(Op::Constant(literal), Vec::new())
    }

    fn text(text: &str) -> Tree {
        constant(Literal::Text(text.into()))
    }

    fn slot(slot: Slot) -> Tree {
        node(Op::Slot(slot), Vec::new())
    }

    fn compare(op: CompareOp, left: Tree, right: Tree) -> Tree {
        node(Op::Compare(op), vec![left, right])
    }

    fn conditions() -> Vec<Tree> {
        let x = || Slot::Header("x".into());
        let q = || Slot::Query("q".into());
        let lower = |of| node(Op::View(TextView::Lower), vec![of]);
        let is = |on, value: &str| compare(CompareOp::Eq, on, text(value));
        let each =
            |quantifier, slot| node(Op::Each(quantifier, slot), vec![is(node(Op::Local, Vec::new()), "a")]);
        let nets = vec![Net::try_from("10.0.0.0/8".to_owned()).unwrap()];
        let ip = || node(Op::Ip, vec![slot(Slot::Ip)]);
        let part = |part| node(Op::Part { offset: 3_600, part }, vec![slot(Slot::Now)]);
        let int = |n| constant(Literal::Int(n));
        let time = constant(Literal::Time(Instant::new(1_800_000_000, 0).unwrap()));
        let guarded = |test| node(Op::All(0), vec![node(Op::Has(x()), Vec::new()), test]);
        vec![
            guarded(is(slot(x()), "a")),
            is(node(Op::OrElse(x()), vec![text("none")]), "a"),
            is(lower(node(Op::OrElse(q()), vec![text("none")])), "abc"),
            each(Quantifier::Exists, x()),
            each(Quantifier::All, q()),
            each(Quantifier::ExistsOne, Slot::Cookie("c".into())),
            node(Op::Within(nets), vec![ip()]),
            compare(CompareOp::Eq, ip(), constant(Literal::Ip([10, 0, 0, 1].into()))),
            compare(CompareOp::Gt, slot(Slot::Now), time.clone()),
            compare(CompareOp::Le, time, slot(Slot::Now)),
            compare(CompareOp::Eq, part(Part::Hours), int(9)),
            compare(CompareOp::Lt, part(Part::Month), int(2)),
            node(Op::In(vec![Literal::Int(0), Literal::Int(6)]), vec![part(Part::DayOfWeek)]),
            compare(CompareOp::Ge, node(Op::Count(x()), Vec::new()), int(1)),
            guarded(compare(CompareOp::Eq, node(Op::Size, vec![slot(x())]), int(5))),
            node(Op::One(0), vec![is(slot(Slot::Method), "PUT"), is(slot(Slot::Scheme), "https")]),
            node(Op::Member(x()), vec![text("a")]),
            guarded(node(Op::IsIp, vec![slot(x())])),
            guarded(node(Op::Matches("^a+$".into()), vec![slot(x())])),
            node(
                Op::If,
                vec![
                    node(Op::Has(q()), Vec::new()),
                    is(slot(Slot::Method), "PUT"),
                    node(Op::Bool(false), Vec::new()),
                ],
            ),
            compare(
                CompareOp::Gt,
                node(Op::Add, vec![slot(Slot::Now), constant(Literal::Span(Span::new(1, 0).unwrap()))]),
                slot(Slot::Now),
            ),
        ]
    }

    fn evaluate(program: &Built, sketch: &Sketch<'_>) -> Tri {
        let example = sketch.finish().expect("a request that could come");
        let headers: Vec<_> = example.headers.iter().chain(&example.again).collect();
        let request = Request {
            method: &example.method,
            scheme: &example.scheme,
            host: &example.host,
            path: &example.path,
            query: &example.query,
            headers: &headers,
            size: example.size,
            source: Source {
                principal: "",
                owner: None,
                ip: if example.ip.is_empty() { "192.0.2.1" } else { &example.ip },
            },
            connection: Connection::default(),
            now: Instant::new(example.now.unwrap_or(NOW), 0).unwrap(),
            picks: &0,
        };
        program.evaluate(&Context { request: &request, pattern: None, source: None, destination: None })
    }

    #[test]
    fn requests_are_found_on_both_sides_of_each_condition() {
        let mesh = Mesh::new(Name::new("m").unwrap(), Name::new("prod").unwrap(), "m.example");
        let program = Program::from_units(vec![(UnitId::Mesh, Unit::Mesh(mesh))]).unwrap();
        let callers = Callers::new(&program);
        for tree in conditions() {
            let expression = Expression { code: tree.flatten(), text: String::new() };
            let built = Built::new(&expression).unwrap();
            let sides = [true, false].map(|wanted| {
                let mut sketch = Sketch::new("m", "http", Caller::External);
                let found = satisfy(expression.code.root().unwrap(), wanted, &mut sketch, &callers);
                (found, evaluate(&built, &sketch) == Tri::from(wanted))
            });
            // The sum of a time is not solved for, and the guess is true already.
            let expected = if matches!(&tree.children[0].op, Op::Add) {
                [(true, true), (true, false)]
            } else {
                [(true, true); 2]
            };
            assert_eq!(sides, expected, "{tree:?}");
        }
    }
}
