//! Expressions that ask for what the mesh around them does not have: names of nobody, headers that no rule sees there, and
//! constants that a value of this service or gateway never is.
//!
//! What an expression can never see whatever mesh it stands in is found when it is compiled (`cel::constants`); both ask
//! [`crate::sets`].

use std::collections::BTreeSet;

use mesh_bundle::Owner;
use mesh_bundle::expr::{CompareOp, Expression, Literal, Op, Slot, TextOp, TextView, View};
use mesh_bundle::program::Program;

use super::callers::unlabelled;
use super::headers::unseen;
use super::known::Known;
use super::methods::Fault;
use super::sites::{Site, Sites};
use crate::cel::{message, reason, words};
use crate::diag::{Diagnostic, Span, codes, nearest, quoted};
use crate::model::Model;
use crate::sets::canonical::hosts;
use crate::sets::{Comparison, Fact, Verdict};
use crate::source::TextMap;
use crate::spec::{CelText, Sp};

/// Looks at the expressions of rules and entries in force.
pub(super) fn check(
    model: &Model<'_>,
    program: &Program,
    sites: &Sites<'_>,
    known: &Known<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    let around = Around { model, program, known };
    for rule in &sites.rules {
        for (written, lowered) in rule.written.matches().iter().zip(rule.lowered.matches.iter()) {
            if let (Some(text), Some(lowered)) = (&written.when, &lowered.when) {
                around.judge(text, lowered, &rule.site, findings);
            }
        }
    }
    for entry in &sites.entries {
        if let (Some(text), Some(lowered)) = (&entry.written.when, &entry.lowered.when) {
            around.judge(text, lowered, &entry.site, findings);
        }
    }
}

struct Around<'a, 'l> {
    model: &'a Model<'l>,
    program: &'a Program,
    known: &'a Known<'a>,
}

impl Around<'_, '_> {
    fn judge(&self, text: &Sp<CelText>, lowered: &Expression, site: &Site, findings: &mut Vec<Diagnostic>) {
        let Some(root) = lowered.code.root() else { return };
        let map = text.value.map(self.model.sources(), text.span);
        let mut walk = Walk { around: self, site, text: &lowered.text, map, said: BTreeSet::new(), findings };
        walk.node(root, None, false);
    }
}

/// A walk over one expression.
struct Walk<'w> {
    around: &'w Around<'w, 'w>,
    site: &'w Site,
    text: &'w str,
    map: TextMap,
    /// Places that have their finding: one is enough.
    said: BTreeSet<Slot>,
    findings: &'w mut Vec<Diagnostic>,
}

/// A text that is compared.
struct Operand<'v> {
    slot: &'v Slot,
    /// The text that stands for it where it is absent.
    absent: Option<&'v str>,
    view: Option<TextView>,
}

impl Walk<'_> {
    /// `local` is the place whose values a quantifier goes over; `negated`, that the part is asked not to hold.
    fn node(&mut self, view: View<'_>, local: Option<&Slot>, negated: bool) {
        let mut inner = local;
        let mut inverted = negated;
        match view.op() {
            Op::Not => inverted = !negated,
            Op::Compare(op @ (CompareOp::Eq | CompareOp::Ne)) => {
                if let Some((left, right)) = view.pair() {
                    let negated = negated != (*op == CompareOp::Ne);
                    self.equality(left, right, local, negated);
                    self.equality(right, left, local, negated);
                }
            }
            Op::In(set) => {
                if let Some(read) = view.child() {
                    for constant in set {
                        self.literal(read, constant, view, local, negated);
                    }
                }
            }
            Op::Test(op) => {
                if let Some((read, constant)) = view.pair()
                    && let Op::Constant(Literal::Text(text)) = constant.op()
                {
                    let comparison = match op {
                        TextOp::StartsWith => Comparison::Begins(text),
                        TextOp::EndsWith => Comparison::Ends(text),
                        TextOp::Contains => Comparison::Contains(text),
                    };
                    self.compared(read, comparison, constant, local, negated);
                }
            }
            Op::Matches(pattern) => {
                if let Some(read) = view.child() {
                    self.compared(read, Comparison::Finds(pattern), view, local, negated);
                }
            }
            Op::Each(..) => inner = view.slot(),
            Op::Member(_) => {
                if let (Some(slot), Some(child)) = (view.slot(), view.child())
                    && let Op::Constant(Literal::Text(text)) = child.op()
                {
                    let operand = Operand { slot, absent: None, view: None };
                    self.operand(&operand, Comparison::Is(text), child, negated);
                }
            }
            _ => {}
        }
        if let Some(slot) = view.slot() {
            self.place(slot, view, negated);
        }
        for child in view.children() {
            self.node(child, inner, inverted);
        }
    }

    fn equality(&mut self, read: View<'_>, constant: View<'_>, local: Option<&Slot>, negated: bool) {
        if let Op::Constant(literal) = constant.op() {
            self.literal(read, literal, constant, local, negated);
        }
    }

    fn literal(
        &mut self,
        read: View<'_>,
        literal: &Literal,
        at: View<'_>,
        local: Option<&Slot>,
        negated: bool,
    ) {
        match literal {
            Literal::Text(text) => self.compared(read, Comparison::Is(text), at, local, negated),
            Literal::Int(port) => {
                if let (Op::Slot(_), Some(Slot::DestinationPort)) = (read.op(), read.slot()) {
                    self.port(*port, at, negated);
                }
            }
            _ => {}
        }
    }

    fn compared(
        &mut self,
        read: View<'_>,
        comparison: Comparison<'_>,
        at: View<'_>,
        local: Option<&Slot>,
        negated: bool,
    ) {
        let (read, view) = match read.op() {
            Op::View(view) => match read.child() {
                Some(child) => (child, Some(*view)),
                None => return,
            },
            _ => (read, None),
        };
        let absent = match read.op() {
            Op::OrElse(_) => match read.child().map(View::op) {
                Some(Op::Constant(Literal::Text(text))) => Some(text.as_str()),
                _ => return,
            },
            _ => None,
        };
        let slot = match read.op() {
            Op::Local => local,
            Op::Slot(_) | Op::OrElse(_) => read.slot(),
            _ => None,
        };
        if let Some(slot) = slot {
            self.operand(&Operand { slot, absent, view }, comparison, at, negated);
        }
    }

    /// Judges a comparison of a place with a constant.
    fn operand(&mut self, operand: &Operand<'_>, comparison: Comparison<'_>, at: View<'_>, negated: bool) {
        let Operand { slot, absent, view } = operand;
        if absent.is_some_and(|text| comparison.among([text]) != Verdict::Never) || self.said.contains(*slot)
        {
            return;
        }
        let span = self.span(at, comparison.constant());
        if let Some(view) = view {
            let values = Fact::of_view(*view).values();
            if values.is_some_and(|values| comparison.over(values) == Verdict::Never) {
                let why = match view {
                    TextView::Lower => "`lowerAscii` leaves no letter in upper case",
                    TextView::Upper => "`upperAscii` leaves no letter in lower case",
                    TextView::Trim => "`trim` leaves no blank at the ends",
                };
                let message = message(slot, comparison, why);
                self.findings.push(Diagnostic::new(codes::CEL_CONSTANT, span, message));
            }
            return;
        }
        if let (Slot::Method, Comparison::Is(method)) = (slot, comparison)
            && let Some(fault) = Fault::of(method)
        {
            let finding = fault.finding(method, span, self.site.opening(negated));
            self.findings.push(self.site.warned(finding));
            return;
        }
        match self.names(slot, comparison, span) {
            Names::Some => {}
            Names::Nobody(finding) => {
                let finding = finding.severity(self.site.opening(negated));
                self.findings.push(if negated { finding } else { self.site.warned(finding) });
            }
            Names::None if self.is_elsewhere(slot, comparison) => {
                let hosts =
                    self.site.hosts.iter().flatten().map(|host| format!("`{host}`")).collect::<Vec<_>>();
                let why = format!("this Route is about {}", hosts.join(", "));
                self.findings.push(Diagnostic::new(
                    codes::CEL_CONSTANT,
                    span,
                    message(slot, comparison, &why),
                ));
            }
            Names::None => {
                let values = Fact::of(slot, self.site.slashes).and_then(Fact::values);
                if values.is_some_and(|values| comparison.over(values) == Verdict::Never) {
                    let (why, _) = reason(slot, comparison);
                    self.findings.push(Diagnostic::new(
                        codes::CEL_CONSTANT,
                        span,
                        message(slot, comparison, why),
                    ));
                }
            }
        }
    }

    /// Judges a comparison of a place whose values are names of this mesh.
    fn names(&self, slot: &Slot, comparison: Comparison<'_>, span: Span) -> Names {
        let known = self.around.known;
        let constant = comparison.constant();
        let nobody = |message: String| Diagnostic::new(codes::NOBODY, span, message).at("nobody");
        match slot {
            Slot::Service => {
                let never = known.services_are_read
                    && comparison.among(known.services().chain([""])) == Verdict::Never;
                if !never {
                    return Names::Some;
                }
                let message = match comparison {
                    Comparison::Is(_) => format!("no service is called {}", quoted(constant)),
                    _ => format!("no service has a name that {} {}", comparison.words(), quoted(constant)),
                };
                let finding = nobody(message);
                Names::Nobody(match nearest(constant, known.services()) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None if constant.starts_with("gateway/") => {
                        finding.help("`source.service` is empty for gateways; write `from: [gateway/...]`")
                    }
                    None => finding,
                })
            }
            Slot::SourceLabel(key) => {
                if !known.services_are_read || comparison.among(known.label_values(key)) != Verdict::Never {
                    return Names::Some;
                }
                Names::Nobody(unlabelled(key, constant, known, |message, _| nobody(message)))
            }
            Slot::Principal => {
                let never = match comparison {
                    Comparison::Is(id) => known.names_nobody(id),
                    Comparison::Begins(prefix) => known.begins_nobody(prefix),
                    _ => false,
                };
                if !never {
                    return Names::None;
                }
                let message = match comparison {
                    Comparison::Is(_) => {
                        format!("no service or gateway has the identity {}", quoted(constant))
                    }
                    _ => {
                        format!("no service or gateway has an identity that begins with {}", quoted(constant))
                    }
                };
                Names::Nobody(nobody(message).help(known.identity_help(constant)))
            }
            Slot::DestinationService => {
                let own = self.own_service();
                if comparison.among([own]) != Verdict::Never {
                    return Names::Some;
                }
                let finding = nobody(format!("{} is not who is called here", quoted(constant)));
                Names::Nobody(match own {
                    "" => finding.help("at a gateway `destination.service` is empty"),
                    own => finding.help(format!("here `destination.service` is `{own}`, always")),
                })
            }
            Slot::DestinationLabel(key) => {
                let service = match &self.site.owner {
                    Owner::Service(name) => self.around.program.services.get(name),
                    Owner::Gateway(_) => None,
                };
                let own = service.and_then(|service| service.labels.get(key)).map(String::as_str);
                if !known.services_are_read || comparison.among(own) != Verdict::Never {
                    return Names::Some;
                }
                let finding = nobody(format!(
                    "{} does not have the label {}",
                    self.site.owner,
                    quoted(&format!("{key}: {constant}"))
                ));
                Names::Nobody(match own {
                    Some(own) => finding.help(format!("here `{key}` is `{own}`, always")),
                    None => finding.help(format!("it has no label `{key}`")),
                })
            }
            _ => Names::None,
        }
    }

    /// True for a host that no request of this Route has.
    fn is_elsewhere(&self, slot: &Slot, comparison: Comparison<'_>) -> bool {
        let (Slot::Host, Some(own)) = (slot, &self.site.hosts) else { return false };
        hosts(own).is_some_and(|hosts| comparison.over(&hosts) == Verdict::Never)
    }

    fn own_service(&self) -> &str {
        match &self.site.owner {
            Owner::Service(name) => name.as_str(),
            Owner::Gateway(_) => "",
        }
    }

    fn port(&mut self, port: i64, at: View<'_>, negated: bool) {
        let own = match &self.site.owner {
            Owner::Service(name) => {
                self.around.program.services.get(name).map(|service| i64::from(service.port))
            }
            Owner::Gateway(_) => Some(0),
        };
        if let Some(own) = own.filter(|own| *own != port) {
            let message = format!("`destination.port` is never `{port}` here");
            let finding = Diagnostic::new(codes::NOBODY, self.span(at, &port.to_string()), message);
            let finding = finding.severity(self.site.opening(negated)).help(format!("it is `{own}`, always"));
            self.findings.push(if negated { finding } else { self.site.warned(finding) });
        }
    }

    /// Judges a place by itself: whether a request can have it at all.
    fn place(&mut self, slot: &Slot, at: View<'_>, negated: bool) {
        if self.said.contains(slot) {
            return;
        }
        let span = self.span(at, "");
        let finding = match slot {
            Slot::Header(header) => unseen(header, self.site, span),
            Slot::SourceLabel(key) if matches!(at.op(), Op::Has(_)) => {
                let known = self.around.known;
                let never = known.services_are_read && known.label_values(key).next().is_none();
                never.then(|| {
                    unlabelled(key, "", known, |message, _| Diagnostic::new(codes::NOBODY, span, message))
                })
            }
            _ => None,
        };
        if let Some(finding) = finding {
            let finding = finding.severity(self.site.opening(negated));
            self.findings.push(if negated { finding } else { self.site.warned(finding) });
            self.said.insert(slot.clone());
        }
    }

    /// The words of a constant: in a list, those of the one that is meant.
    fn span(&self, at: View<'_>, constant: &str) -> Span {
        let Some(range) = at.words() else { return self.map.span(0..self.text.len()) };
        let words = words(self.text, range.clone());
        for quote in ['"', '\''] {
            let quoted = format!("{quote}{constant}{quote}");
            if !constant.is_empty()
                && let Some(offset) = words.find(&quoted)
            {
                let start = range.start + offset;
                return self.map.span(start..start + quoted.len());
            }
        }
        self.map.span(range)
    }
}

/// Whether a comparison with names can hold.
enum Names {
    /// It can.
    Some,
    /// It is about nobody.
    Nobody(Diagnostic),
    /// The values are no names.
    None,
}
