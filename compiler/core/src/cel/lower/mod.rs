//! From the checked tree to the code that travels in the bundle.
//!
//! A rule on requests uses what a proxy evaluates in bounded time and without a failure of its own: an operation that
//! may fail on some request is refused here, so that a repeated value is the one error that a rule can have.

mod calls;
mod folds;
mod interval;

use std::ops::Range;

use mesh_bundle::expr::{Checked, Code, CompareOp, ExprError, Instant, Literal, Op, Slot, Span, Tree};
use mesh_bundle::{expr, limits};

pub(super) use calls::EVALUATED;

use super::CelFinding;
use super::fold::{substitute, substituted_size};
use super::request::{Place, keyed, place};
use super::tree::Access;
use super::typed::{Kind, Typed};
use super::types::Type;
use super::value::Value;
use super::words::words;
use crate::diag::{codes, quoted};

/// Treatment of the constants that a macro's elements make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Constants {
    /// They are worked out.
    Folded,
    /// They are left to the proxy, for tests of its evaluator.
    Kept,
}

/// Nodes that macros and bindings may copy, all together: their bodies stand for themselves once an element.
const COPIED: usize = 64 * limits::EXPR_NODES;

/// Lowers an expression of type bool or string. `steps` are left for constants that macros make.
///
/// # Errors
/// Every finding; never empty.
pub(super) fn lower(
    typed: &Typed,
    text: &str,
    constants: Constants,
    steps: usize,
) -> Result<Code, Vec<CelFinding>> {
    let result = match typed.ty {
        Type::Bool => expr::Type::Bool,
        _ => expr::Type::Text,
    };
    let mut lowering = Lowering { text, constants, findings: Vec::new(), nodes: 0, copied: 0, steps };
    let tree = lowering.value(typed);
    if !lowering.findings.is_empty() {
        return Err(lowering.findings);
    }
    let Some(tree) = tree else {
        let message = "this is outside of what rules may use";
        return Err(vec![CelFinding::new(codes::CEL_OUTSIDE, typed.range.clone(), message)]);
    };
    let code = tree.flatten();
    match code.measure(result, text) {
        Ok(checked) if checked.cost() > limits::EXPR_COST => Err(vec![dear(&code, &checked)]),
        Ok(_) => Ok(code),
        Err(error) => Err(vec![too_large(typed, &error)]),
    }
}

fn too_large(typed: &Typed, error: &ExprError) -> CelFinding {
    CelFinding::new(codes::CEL_LIMIT, typed.range.clone(), format!("the expression is too large: {error}"))
        .help("split the rule, or list values with `in`")
}

/// The finding of an expression over the bound: the smallest part that makes up most of the cost.
fn dear(code: &Code, checked: &Checked) -> CelFinding {
    let total = checked.cost();
    let cost = |index: usize| checked.costs.get(index).copied().unwrap_or(0);
    let mut at = code.root();
    while let Some(view) = at {
        match view.children().max_by_key(|child| cost(child.index())) {
            Some(child) if cost(child.index()) > total / 2 => at = Some(child),
            _ => break,
        }
    }
    let (range, units) = at.map_or((0..0, total), |view| (view.words().unwrap_or(0..0), cost(view.index())));
    let message = format!("the rule may cost {total} units, and the limit is {}", limits::EXPR_COST);
    CelFinding::new(codes::CEL_COST, range, message)
        .label(format!("up to {units} units of it"))
        .help("test something cheaper: one value instead of all, a prefix instead of a regular expression")
}

struct Lowering<'t> {
    text: &'t str,
    constants: Constants,
    findings: Vec<CelFinding>,
    /// Nodes made, so that unrolled macros end.
    nodes: usize,
    /// Nodes copied for macros and bindings.
    copied: usize,
    /// Steps left for constants.
    steps: usize,
}

/// A lowered part; `None` where a finding says why there is none.
type Lowered = Option<Tree>;

impl Lowering<'_> {
    fn value(&mut self, typed: &Typed) -> Lowered {
        self.nodes += 1;
        if self.nodes > 4 * limits::EXPR_NODES {
            return self.once(
                codes::CEL_LIMIT,
                typed,
                "the macros of the expression unroll to too many parts",
            );
        }
        match &typed.kind {
            Kind::Constant(value) => self.constant(value, typed),
            Kind::Variable(_) | Kind::Field(..) | Kind::Index(..) => self.read(typed),
            // What is left of macros is the value that a quantifier is at.
            Kind::Local(_) => Some(leaf(Op::Local, typed)),
            Kind::Has(of, name) => match keyed(of, name) {
                Some(Place::Slot(slot)) => {
                    let slot = self.checked(slot, typed)?;
                    Some(leaf(Op::Has(slot), typed))
                }
                Some(_) => self.outside(typed, "`has` tests one value: use `headers`, not `headerValues`"),
                // The environment is closed: a field that exists is always there.
                None if matches!(of.ty, Type::Record(_)) => Some(leaf(Op::Bool(true), typed)),
                None => self.outside(typed, "`has` tests a key of a map of the request"),
            },
            Kind::Not(inner) => {
                let inner = self.value(inner)?;
                Some(node(Op::Not, typed, vec![inner]))
            }
            Kind::And(parts) => self.chain(typed, parts, true),
            Kind::Or(parts) => self.chain(typed, parts, false),
            Kind::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                if let Some(Value::Bool(truth)) = condition.constant() {
                    return self.value(if *truth { then } else { otherwise });
                }
                let parts = [self.value(condition), self.value(then), self.value(otherwise)];
                let [Some(condition), Some(then), Some(otherwise)] = parts else { return None };
                Some(node(Op::If, typed, vec![condition, then, otherwise]))
            }
            Kind::Call(call) => self.call(call, typed),
            Kind::Fold(fold) => self.fold(fold, typed),
            Kind::Bind(id, value, body) => {
                let body = self.substituted(body, *id, value)?;
                self.value(&body)
            }
            Kind::List(_) => self.outside(typed, "a list stands only behind `in` and in macros"),
            Kind::Map(_) => self.outside(typed, "no proxy builds maps"),
            Kind::OptMap(..) => self.outside(typed, "an optional value ends in `orValue(...)`"),
            Kind::Declared(_) | Kind::Wrong => self.outside(typed, "this is outside of what rules may use"),
        }
    }

    /// The body of a macro or binding for one value; none where that would be too much.
    fn substituted(&mut self, body: &Typed, id: u32, by: &Typed) -> Option<Typed> {
        self.copied = self.copied.saturating_add(substituted_size(body, id, by));
        if self.copied > COPIED {
            self.once(codes::CEL_LIMIT, body, "the macros of the expression unroll to too many parts");
            return None;
        }
        Some(substitute(body, id, by))
    }

    fn all(&mut self, parts: &[Typed]) -> Option<Vec<Tree>> {
        // All of them, so that every finding is said.
        let lowered: Vec<Lowered> = parts.iter().map(|part| self.value(part)).collect();
        lowered.into_iter().collect()
    }

    fn chain(&mut self, typed: &Typed, parts: &[Typed], and: bool) -> Lowered {
        Some(joined(typed, self.all(parts)?, and))
    }

    /// A constant as an operand.
    fn constant(&mut self, value: &Value, typed: &Typed) -> Lowered {
        if let Value::Bool(truth) = value {
            return Some(leaf(Op::Bool(*truth), typed));
        }
        match literal(value) {
            Some(literal) => Some(leaf(Op::Constant(literal), typed)),
            None => {
                let message = match value {
                    Value::List(_) => "a list stands only behind `in` and in macros".to_owned(),
                    Value::Cidr(..) => "a network is only asked what it contains".to_owned(),
                    other => format!("no proxy evaluates a {}", other.type_name()),
                };
                self.outside(typed, message)
            }
        }
    }

    /// A place of the request.
    fn read(&mut self, typed: &Typed) -> Lowered {
        if matches!(typed.ty, Type::Optional(_)) {
            return self.outside(typed, "an optional value ends in `orValue(...)` or `hasValue()`");
        }
        match place(typed) {
            Some(Place::Slot(slot)) => {
                let slot = self.checked(slot, typed)?;
                Some(leaf(Op::Slot(slot), typed))
            }
            Some(Place::Values(_)) => {
                self.outside(typed, "a list of values is asked with `in`, `size` or a macro")
            }
            Some(Place::Map(_) | Place::Lists(_)) => {
                self.outside(typed, "a map of the request is read by one key")
            }
            None => self.unread(typed),
        }
    }

    /// Reports the reason that a read is not a place.
    fn unread(&mut self, typed: &Typed) -> Lowered {
        match &typed.kind {
            Kind::Index(of, key, _) if matches!(place(of), Some(Place::Map(_) | Place::Lists(_))) => {
                let map = self.text.get(of.range.clone()).unwrap_or("the map");
                let message = format!("a key of `{map}` is a constant text");
                self.findings.push(CelFinding::new(codes::CEL_CONSTANT, key.range.clone(), message));
                None
            }
            Kind::Index(of, ..) if matches!(place(of), Some(Place::Values(_))) => {
                let finding =
                    CelFinding::new(codes::CEL_MAY_FAIL, typed.range.clone(), "the list may be shorter");
                self.findings.push(finding.help("ask with `in` or `exists`"));
                None
            }
            Kind::Variable(_) => {
                let message = format!("{} is a record, not a value", quoted(self.words(typed)));
                self.findings.push(CelFinding::new(codes::CEL_TYPE, typed.range.clone(), message));
                None
            }
            _ => self.outside(typed, "only the fields and maps of the request are read"),
        }
    }

    /// A slot whose name can be one.
    fn checked(&mut self, slot: Slot, typed: &Typed) -> Option<Slot> {
        if let Slot::Header(name) = &slot
            && (name.is_empty() || !name.bytes().all(|b| is_token(b) && !b.is_ascii_uppercase()))
        {
            let message = format!("{} is not a header name", quoted(name));
            self.findings.push(
                CelFinding::new(codes::CEL_CONSTANT, typed.range.clone(), message)
                    .help("a header name is a token in lower case (RFC 9110 section 5.1)"),
            );
            return None;
        }
        Some(slot)
    }

    fn outside(&mut self, typed: &Typed, message: impl Into<String>) -> Lowered {
        self.findings.push(CelFinding::new(codes::CEL_OUTSIDE, typed.range.clone(), message));
        None
    }

    fn may_fail(&mut self, typed: &Typed, message: impl Into<String>, help: &str) -> Lowered {
        let finding = CelFinding::new(codes::CEL_MAY_FAIL, typed.range.clone(), message);
        self.findings.push(if help.is_empty() { finding } else { finding.help(help) });
        None
    }

    /// A finding that is said once, however often a macro repeats its place.
    fn once(&mut self, code: crate::diag::Code, typed: &Typed, message: &str) -> Lowered {
        if !self.findings.iter().any(|f| f.code == code) {
            self.findings.push(CelFinding::new(code, typed.range.clone(), message));
        }
        None
    }

    fn words(&self, typed: &Typed) -> &str {
        words(self.text, typed.range.clone())
    }
}

/// The slot that is read optionally: `request.headers[?'x']`.
fn optional_slot(typed: &Typed) -> Option<Slot> {
    match (&typed.kind, place(typed)) {
        (
            Kind::Field(_, _, Access::Optional) | Kind::Index(_, _, Access::Optional),
            Some(Place::Slot(slot)),
        ) if slot.optional() => Some(slot),
        _ => None,
    }
}

/// A token (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A constant that proxies know.
fn literal(value: &Value) -> Option<Literal> {
    const SECOND: i128 = 1_000_000_000;
    let parts = |nanos: i128| {
        let seconds = i64::try_from(nanos.div_euclid(SECOND)).ok()?;
        Some((seconds, u32::try_from(nanos.rem_euclid(SECOND)).ok()?))
    };
    Some(match value {
        Value::Bool(value) => Literal::Bool(*value),
        Value::Int(value) => Literal::Int(*value),
        Value::String(value) => Literal::Text(value.to_string()),
        Value::Timestamp(nanos) => {
            let (seconds, nanos) = parts(*nanos)?;
            Literal::Time(Instant::new(seconds, nanos)?)
        }
        Value::Duration(nanos) => {
            let (seconds, nanos) = parts(*nanos)?;
            Literal::Span(Span::new(seconds, nanos)?)
        }
        Value::Ip(ip) => Literal::Ip(*ip),
        _ => return None,
    })
}

/// `&&` (`and`) or `||` of parts: chains in chains made one, constants worked out.
fn joined(typed: &Typed, parts: Vec<Tree>, and: bool) -> Tree {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match (&part.op, and) {
            (Op::All(_), true) | (Op::Any(_), false) => flat.extend(part.children),
            _ => flat.push(part),
        }
    }
    // A decisive constant absorbs what is beside it, the other one says nothing.
    if flat.iter().any(|part| part.op == Op::Bool(!and)) {
        return leaf(Op::Bool(!and), typed);
    }
    flat.retain(|part| part.op != Op::Bool(and));
    match (flat.pop(), flat.is_empty()) {
        (None, _) => leaf(Op::Bool(and), typed),
        (Some(only), true) => only,
        (Some(last), false) => {
            flat.push(last);
            node(if and { Op::All(0) } else { Op::Any(0) }, typed, flat)
        }
    }
}

/// `then`, but an error where one of `parts` is one. For what CEL evaluates before it, and `then` may leave out: the
/// elements of a list, the value of an optional.
fn strict(parts: Vec<Tree>, then: Tree, typed: &Typed) -> Tree {
    // No value differs from itself, and `One` absorbs no error.
    let unlike = |part: Tree| node(Op::Compare(CompareOp::Ne), typed, vec![part.clone(), part]);
    let tests: Vec<Tree> = parts.into_iter().filter(may_err).map(unlike).collect();
    if tests.is_empty() {
        return then;
    }
    let never = match typed.ty {
        Type::Bool => Op::Bool(false),
        _ => Op::Constant(Literal::Text(String::new())),
    };
    node(Op::If, typed, vec![node(Op::One(0), typed, tests), leaf(never, typed), then])
}

/// True if some request makes it an error: it reads what may have come twice, or a line that may be no text.
fn may_err(tree: &Tree) -> bool {
    let own = match &tree.op {
        Op::Local => true,
        Op::Has(_) | Op::Count(_) => false,
        op => op.slot().is_some_and(Slot::repeated),
    };
    own || tree.children.iter().any(may_err)
}

fn leaf(op: Op<Slot>, typed: &Typed) -> Tree {
    node(op, typed, Vec::new())
}

fn node(op: Op<Slot>, typed: &Typed, children: Vec<Tree>) -> Tree {
    let at: Range<usize> = typed.range.clone();
    Tree::new(op, at, children)
}
