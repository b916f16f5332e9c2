//! Evaluation of lowered expressions: three-valued, without parsing, regexes built once.

use std::borrow::Cow;
use std::cmp::Ordering;

use mesh_bundle::PathPattern;
use mesh_bundle::expr::{CompareOp, Expr, ExprError, Literal, Operand, Slot, TextOp};
use mesh_bundle::program::Service;

use crate::path;
use crate::regex::{Pattern, RegexError};
use crate::request::Request;
use crate::values::{self, Value};

/// What an expression gives. An error absorbs like CEL's: `false && error` is false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tri {
    /// True.
    True,
    /// False.
    False,
    /// A value was read that has no single value.
    Error,
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// An expression that does not build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprBuildError {
    /// Over a bound, or of unlike types.
    #[error("{0}")]
    Tree(#[from] ExprError),
    /// A regular expression in it.
    #[error("regular expression: {0}")]
    Regex(#[from] RegexError),
}

/// A built expression.
#[derive(Debug)]
pub struct Program(Node);

#[derive(Debug)]
enum Node {
    Bool(bool),
    Not(Box<Node>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    If(Box<[Node; 3]>),
    Has(Slot),
    Mtls,
    Compare(CompareOp, Operand, Operand),
    In(Operand, Box<[Literal]>),
    Member(Operand, Slot),
    Text(TextOp, Operand, Operand),
    Matches(Operand, Pattern),
}

/// What an expression can see beside the request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The request.
    pub request: &'a Request<'a>,
    /// The pattern that bound `request.params`.
    pub pattern: Option<&'a PathPattern>,
    /// The caller's service, where the program knows it.
    pub source: Option<&'a Service>,
    /// The callee, at its own proxy.
    pub destination: Option<Destination<'a>>,
}

/// The callee.
#[derive(Clone, Copy)]
pub struct Destination<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its service.
    pub service: &'a Service,
    /// The version that this proxy stands for; empty where it was not told.
    pub version: &'a str,
}

impl Program {
    /// Builds an expression.
    ///
    /// # Errors
    /// [`ExprBuildError`] for a tree over its bounds or a regular expression that does not compile.
    pub fn new(tree: &Expr) -> Result<Self, ExprBuildError> {
        tree.check()?;
        Ok(Self(build(tree)?))
    }

    /// Evaluates it.
    #[must_use]
    pub fn evaluate(&self, context: &Context<'_>) -> Tri {
        evaluate(&self.0, context)
    }
}

fn build(tree: &Expr) -> Result<Node, RegexError> {
    let list = |list: &[Expr]| list.iter().map(build).collect::<Result<Box<[Node]>, _>>();
    Ok(match tree {
        Expr::Bool(value) => Node::Bool(*value),
        Expr::Not(inner) => Node::Not(Box::new(build(inner)?)),
        Expr::All(all) => Node::All(list(all)?),
        Expr::Any(any) => Node::Any(list(any)?),
        Expr::If(b) => Node::If(Box::new([build(&b.condition)?, build(&b.then)?, build(&b.otherwise)?])),
        Expr::Has(slot) => Node::Has(slot.clone()),
        // `mtls` is the one slot of type bool, as `check` has made sure.
        Expr::Truth(_) => Node::Mtls,
        Expr::Compare(c) => Node::Compare(c.op, c.left.clone(), c.right.clone()),
        Expr::In(m) => Node::In(m.item.clone(), m.set.clone().into()),
        Expr::Member(m) => Node::Member(m.item.clone(), m.of.clone()),
        Expr::Text(t) => match (&t.op, &t.arg) {
            (TextOp::Matches, Operand::Literal(Literal::Text(text))) => {
                Node::Matches(t.on.clone(), Pattern::search(text)?)
            }
            _ => Node::Text(t.op, t.on.clone(), t.arg.clone()),
        },
    })
}

fn evaluate(node: &Node, cx: &Context<'_>) -> Tri {
    match node {
        Node::Bool(value) => (*value).into(),
        Node::Not(inner) => match evaluate(inner, cx) {
            Tri::True => Tri::False,
            Tri::False => Tri::True,
            Tri::Error => Tri::Error,
        },
        Node::All(list) => absorb(list, cx, Tri::False, Tri::True),
        Node::Any(list) => absorb(list, cx, Tri::True, Tri::False),
        Node::If(parts) => {
            let [condition, then, otherwise] = parts.as_ref();
            match evaluate(condition, cx) {
                Tri::True => evaluate(then, cx),
                Tri::False => evaluate(otherwise, cx),
                Tri::Error => Tri::Error,
            }
        }
        Node::Has(slot) => has(slot, cx).into(),
        Node::Mtls => cx.request.connection.mtls.into(),
        Node::Compare(op, left, right) => match (read(left, cx), read(right, cx)) {
            (Some(left), Some(right)) => compare(*op, &left, &right),
            _ => Tri::Error,
        },
        Node::In(item, set) => match read(item, cx) {
            Some(item) => set.iter().any(|literal| item.is(literal)).into(),
            None => Tri::Error,
        },
        Node::Member(item, slot) => match read(item, cx) {
            Some(Read::Text(text)) => member(slot, cx, &text).into(),
            _ => Tri::Error,
        },
        Node::Text(op, on, arg) => match (read(on, cx), read(arg, cx)) {
            (Some(Read::Text(on)), Some(Read::Text(arg))) => match op {
                TextOp::StartsWith => on.starts_with(arg.as_ref()).into(),
                TextOp::EndsWith => on.ends_with(arg.as_ref()).into(),
                TextOp::Contains => on.contains(arg.as_ref()).into(),
                TextOp::Matches => Tri::Error,
            },
            _ => Tri::Error,
        },
        Node::Matches(on, pattern) => match read(on, cx) {
            Some(Read::Text(on)) => pattern.is_match(&on).into(),
            _ => Tri::Error,
        },
    }
}

/// `&&` and `||`: one `decisive` value decides, else an error does.
fn absorb(list: &[Node], cx: &Context<'_>, decisive: Tri, otherwise: Tri) -> Tri {
    let mut result = otherwise;
    for node in list {
        match evaluate(node, cx) {
            value if value == decisive => return decisive,
            Tri::Error => result = Tri::Error,
            _ => {}
        }
    }
    result
}

/// A value that was read.
#[derive(Debug)]
enum Read<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Bool(bool),
}

impl Read<'_> {
    fn is(&self, literal: &Literal) -> bool {
        match (self, literal) {
            (Self::Text(a), Literal::Text(b)) => a == b,
            (Self::Int(a), Literal::Int(b)) => a == b,
            (Self::Bool(a), Literal::Bool(b)) => a == b,
            _ => false,
        }
    }
}

fn compare(op: CompareOp, left: &Read<'_>, right: &Read<'_>) -> Tri {
    let order = match (left, right) {
        (Read::Text(a), Read::Text(b)) => a.cmp(b),
        (Read::Int(a), Read::Int(b)) => a.cmp(b),
        (Read::Bool(a), Read::Bool(b)) => a.cmp(b),
        _ => return Tri::Error,
    };
    match op {
        CompareOp::Eq => order == Ordering::Equal,
        CompareOp::Ne => order != Ordering::Equal,
        CompareOp::Lt => order == Ordering::Less,
        CompareOp::Le => order != Ordering::Greater,
        CompareOp::Gt => order == Ordering::Greater,
        CompareOp::Ge => order != Ordering::Less,
    }
    .into()
}

/// `None` is CEL's error: absent where no guard stands, or repeated.
fn read<'a>(operand: &'a Operand, cx: &Context<'a>) -> Option<Read<'a>> {
    match operand {
        Operand::Literal(Literal::Text(text)) => Some(Read::Text(Cow::Borrowed(text))),
        Operand::Literal(Literal::Int(value)) => Some(Read::Int(*value)),
        Operand::Literal(Literal::Bool(value)) => Some(Read::Bool(*value)),
        Operand::Slot(Slot::Size) => Some(Read::Int(values::size(cx.request))),
        Operand::Slot(Slot::DestinationPort) => {
            Some(Read::Int(cx.destination.map_or(0, |d| i64::from(d.service.port))))
        }
        Operand::Slot(Slot::Mtls) => Some(Read::Bool(cx.request.connection.mtls)),
        Operand::Slot(slot) => match text(slot, cx) {
            Value::One(value) => Some(Read::Text(value)),
            Value::Absent | Value::Repeated => None,
        },
        Operand::Size(slot) => match text(slot, cx) {
            Value::One(value) => i64::try_from(value.chars().count()).ok().map(Read::Int),
            Value::Absent | Value::Repeated => None,
        },
    }
}

/// The text in a slot.
#[must_use]
pub fn text<'a>(slot: &'a Slot, cx: &Context<'a>) -> Value<'a> {
    let request = cx.request;
    let plain = |text: &'a str| Value::One(Cow::Borrowed(text));
    let label = |service: Option<&'a Service>, name: &str| {
        service.and_then(|s| s.labels.get(name)).map_or(Value::Absent, |value| plain(value))
    };
    match slot {
        Slot::Method => plain(request.method),
        Slot::Path => plain(request.path),
        Slot::Host => plain(request.host),
        Slot::Scheme => plain(request.scheme),
        Slot::Header(name) => values::header(request.headers, name),
        Slot::Query(name) => values::query(request.query, name),
        Slot::Cookie(name) => values::cookie(request.headers, name),
        Slot::Param(name) => {
            cx.pattern.and_then(|p| path::param(p, request.path, name)).map_or(Value::Absent, plain)
        }
        Slot::Principal => plain(request.source.principal),
        Slot::TrustDomain => Value::One(Cow::Owned(request.source.trust_domain().to_owned())),
        Slot::Service => plain(match request.source.owner {
            Some(mesh_bundle::Owner::Service(name)) => name.as_str(),
            Some(mesh_bundle::Owner::Gateway(_)) | None => "",
        }),
        Slot::Ip => plain(request.source.ip),
        Slot::SourceLabel(name) => label(cx.source, name),
        Slot::DestinationLabel(name) => label(cx.destination.map(|d| d.service), name),
        Slot::DestinationService => plain(cx.destination.map_or("", |d| d.name)),
        Slot::DestinationVersion => plain(cx.destination.map_or("", |d| d.version)),
        Slot::TlsVersion => plain(request.connection.tls_version),
        Slot::Sni => plain(request.connection.sni),
        Slot::Size | Slot::DestinationPort | Slot::Mtls => Value::Absent,
    }
}

fn has(slot: &Slot, cx: &Context<'_>) -> bool {
    match slot {
        Slot::Header(name) => values::has_header(cx.request.headers, name),
        Slot::Query(name) => values::has_query(cx.request.query, name),
        Slot::Cookie(name) => values::has_cookie(cx.request.headers, name),
        other => text(other, cx) != Value::Absent,
    }
}

fn member(slot: &Slot, cx: &Context<'_>, text: &str) -> bool {
    let mut found = false;
    let mut each = |value: &str| found |= value == text;
    match slot {
        Slot::Header(name) => values::header_values(cx.request.headers, name, &mut each),
        Slot::Query(name) => values::query_values(cx.request.query, name, &mut each),
        Slot::Cookie(name) => values::cookie_values(cx.request.headers, name, &mut each),
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use mesh_bundle::expr::{Compare, Member, TextTest};

    use super::*;
    use crate::request::{Connection, Source};

    fn run(tree: &Expr, headers: &[(&str, &str)]) -> Tri {
        let headers = headers.to_vec();
        let request = Request {
            method: "GET",
            scheme: "http",
            host: "orders",
            path: "/orders/5",
            query: "a=1",
            headers: &headers,
            size: Some(7),
            source: Source::default(),
            connection: Connection::default(),
            picks: &0,
        };
        let pattern = PathPattern::parse("/orders/{id}").unwrap();
        let cx = Context { request: &request, pattern: Some(&pattern), source: None, destination: None };
        Program::new(tree).unwrap().evaluate(&cx)
    }

    fn header_is(value: &str) -> Expr {
        Expr::Compare(Compare {
            op: CompareOp::Eq,
            left: Operand::Slot(Slot::Header("x".into())),
            right: Operand::Literal(Literal::Text(value.into())),
        })
    }

    #[test]
    fn a_repeated_header_is_an_error_that_and_and_or_absorb() {
        let twice = [("x", "1"), ("x", "2")];
        assert_eq!(run(&header_is("1"), &twice), Tri::Error);
        assert_eq!(run(&Expr::All(vec![header_is("1"), Expr::Bool(false)]), &twice), Tri::False);
        assert_eq!(run(&Expr::Any(vec![header_is("1"), Expr::Bool(true)]), &twice), Tri::True);
        assert_eq!(run(&Expr::Any(vec![header_is("1"), Expr::Bool(false)]), &twice), Tri::Error);
        assert_eq!(run(&Expr::Not(Box::new(header_is("1"))), &twice), Tri::Error);
        assert_eq!(run(&Expr::Has(Slot::Header("x".into())), &twice), Tri::True);
        let member =
            Member { item: Operand::Literal(Literal::Text("2".into())), of: Slot::Header("x".into()) };
        assert_eq!(run(&Expr::Member(member), &twice), Tri::True);
    }

    #[test]
    fn slots_read_what_the_request_says() {
        let equal = |slot, value: &str| {
            let literal = Literal::Text(value.into());
            let (left, right) = (Operand::Slot(slot), Operand::Literal(literal));
            run(&Expr::Compare(Compare { op: CompareOp::Eq, left, right }), &[("cookie", "c=v")])
        };
        assert_eq!(equal(Slot::Param("id".into()), "5"), Tri::True);
        assert_eq!(equal(Slot::Query("a".into()), "1"), Tri::True);
        assert_eq!(equal(Slot::Cookie("c".into()), "v"), Tri::True);
        assert_eq!(equal(Slot::Principal, ""), Tri::True);
        assert_eq!(equal(Slot::Header("none".into()), ""), Tri::Error);
    }

    #[test]
    fn matches_searches_and_sizes_count_code_points() {
        let on = Operand::Slot(Slot::Path);
        let arg = Operand::Literal(Literal::Text("ders/[0-9]$".into()));
        assert_eq!(run(&Expr::Text(TextTest { op: TextOp::Matches, on, arg }), &[]), Tri::True);
        let size = Compare {
            op: CompareOp::Eq,
            left: Operand::Size(Slot::Header("x".into())),
            right: Operand::Literal(Literal::Int(1)),
        };
        assert_eq!(run(&Expr::Compare(size), &[("x", "😀")]), Tri::True);
    }
}
