//! Lowered expressions: what is left of a CEL rule after parsing and checking.
//!
//! The tree travels in the bundle, so a proxy evaluates it and parses nothing. It is closed:
//! every node has a fixed meaning over numbered places of a request ([`Slot`]). Reading a
//! header, query parameter or cookie that came more than once is the one run-time error that
//! a checked rule has (see `docs/spec.md`).

use serde::{Deserialize, Serialize};

use crate::limits;

/// A rule's expression: its source text for people, its tree for machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// The text in the spec, as written.
    pub text: String,
    /// Its meaning.
    pub tree: Expr,
}

/// A boolean node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Expr {
    /// A constant.
    Bool(bool),
    /// Negation; an error stays an error.
    Not(Box<Expr>),
    /// Conjunction; false absorbs errors (CEL `&&`).
    All(Vec<Expr>),
    /// Disjunction; true absorbs errors (CEL `||`).
    Any(Vec<Expr>),
    /// `condition ? then : otherwise`; an error in the condition is the result.
    If(Box<Branch>),
    /// A map has this key at least once, however often.
    Has(Slot),
    /// A slot of type bool.
    Truth(Slot),
    /// An ordered comparison of two operands of one type.
    Compare(Compare),
    /// The operand equals one of the literals.
    In(Membership),
    /// The operand equals one value of a list slot.
    Member(Member),
    /// A test on text.
    Text(TextTest),
}

/// `condition ? then : otherwise`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// What decides.
    pub condition: Expr,
    /// The value if it is true.
    pub then: Expr,
    /// The value if it is false.
    pub otherwise: Expr,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// Which one.
    pub op: CompareOp,
    /// Left side.
    pub left: Operand,
    /// Right side, of the same type.
    pub right: Operand,
}

/// Comparison operators. Text compares by code points, which for UTF-8 is by bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// `item in [literals]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// What is looked for.
    pub item: Operand,
    /// Sorted, without repeats, all of the item's type.
    pub set: Vec<Literal>,
}

/// `item in request.headerValues['x']`; false where the key is absent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What is looked for: text.
    pub item: Operand,
    /// A header, query or cookie slot, read as the list of its values.
    pub of: Slot,
}

/// A test on text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextTest {
    /// Which one.
    pub op: TextOp,
    /// The text that is tested.
    pub on: Operand,
    /// The argument; for `matches` a literal regular expression.
    pub arg: Operand,
}

/// Tests on text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TextOp {
    /// `startsWith`
    StartsWith,
    /// `endsWith`
    EndsWith,
    /// `contains`
    Contains,
    /// `matches`: a search, not anchored (RE2 semantics, ASCII classes).
    Matches,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Operand {
    /// A place of the request.
    Slot(Slot),
    /// A constant.
    Literal(Literal),
    /// `size(text)`: the number of code points.
    Size(Slot),
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Literal {
    /// Text.
    Text(String),
    /// A 64-bit integer; written as text since JSON numbers end at 2^53.
    #[serde(with = "int_as_text")]
    Int(i64),
    /// A truth value.
    Bool(bool),
}

/// The type of a slot or literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Integer.
    Int,
    /// Truth value.
    Bool,
}

/// A place of the request that rules can read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Slot {
    /// `request.method`
    Method,
    /// `request.path`, normalised
    Path,
    /// `request.host`, lower case, without port
    Host,
    /// `request.scheme`
    Scheme,
    /// `request.size`: declared body size in bytes, 0 where unknown
    Size,
    /// `request.headers['x']`
    Header(String),
    /// `request.query['x']`
    Query(String),
    /// `request.cookies['x']`
    Cookie(String),
    /// `request.params.x`
    Param(String),
    /// `source.principal`, empty without mutual TLS
    Principal,
    /// `source.trustDomain`, empty without mutual TLS
    TrustDomain,
    /// `source.service`, empty where the caller is none of this mesh and environment
    Service,
    /// `source.ip`
    Ip,
    /// `source.labels['x']`
    SourceLabel(String),
    /// `destination.service`
    DestinationService,
    /// `destination.version`
    DestinationVersion,
    /// `destination.port`
    DestinationPort,
    /// `destination.labels['x']`
    DestinationLabel(String),
    /// `connection.mtls`
    Mtls,
    /// `connection.tlsVersion`, `1.3`, `1.2` or empty
    TlsVersion,
    /// `connection.sni`, empty where absent
    Sni,
}

impl Slot {
    /// The type of the slot's value.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Size | Self::DestinationPort => Type::Int,
            Self::Mtls => Type::Bool,
            _ => Type::Text,
        }
    }

    /// True for places that a request may lack: reading them needs a guard.
    #[must_use]
    pub fn optional(&self) -> bool {
        matches!(
            self,
            Self::Header(_)
                | Self::Query(_)
                | Self::Cookie(_)
                | Self::Param(_)
                | Self::SourceLabel(_)
                | Self::DestinationLabel(_)
        )
    }

    /// True for places that may hold several values.
    #[must_use]
    pub fn repeated(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Query(_) | Self::Cookie(_))
    }
}

impl Operand {
    /// The type of the operand's value.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Slot(slot) => slot.ty(),
            Self::Size(_) => Type::Int,
            Self::Literal(Literal::Text(_)) => Type::Text,
            Self::Literal(Literal::Int(_)) => Type::Int,
            Self::Literal(Literal::Bool(_)) => Type::Bool,
        }
    }
}

/// A tree that a proxy refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// More nodes than [`limits::EXPR_NODES`].
    #[error("more than {} nodes", limits::EXPR_NODES)]
    TooLarge,
    /// Deeper than [`limits::EXPR_DEPTH`].
    #[error("deeper than {}", limits::EXPR_DEPTH)]
    TooDeep,
    /// Operands of unlike types, or a slot of the wrong kind.
    #[error("operands of unlike types")]
    Types,
}

impl Expr {
    /// True if some place that the expression reads, or asks for, is one that `wanted` means.
    #[must_use]
    pub fn reads(&self, wanted: fn(&Slot) -> bool) -> bool {
        let operand = |o: &Operand| matches!(o, Operand::Slot(s) | Operand::Size(s) if wanted(s));
        match self {
            Self::Bool(_) => false,
            Self::Not(inner) => inner.reads(wanted),
            Self::All(list) | Self::Any(list) => list.iter().any(|e| e.reads(wanted)),
            Self::If(b) => [&b.condition, &b.then, &b.otherwise].into_iter().any(|e| e.reads(wanted)),
            Self::Has(slot) | Self::Truth(slot) => wanted(slot),
            Self::Compare(c) => operand(&c.left) || operand(&c.right),
            Self::In(m) => operand(&m.item),
            Self::Member(m) => operand(&m.item) || wanted(&m.of),
            Self::Text(t) => operand(&t.on) || operand(&t.arg),
        }
    }

    /// Checks size, depth and types, as rung 4 of the activation ladder asks.
    ///
    /// # Errors
    /// [`ExprError`] names the first broken bound.
    pub fn check(&self) -> Result<(), ExprError> {
        let mut nodes = 0;
        self.check_at(0, &mut nodes)
    }

    fn check_at(&self, depth: usize, nodes: &mut usize) -> Result<(), ExprError> {
        *nodes += 1;
        if depth > limits::EXPR_DEPTH {
            return Err(ExprError::TooDeep);
        }
        if let Self::In(m) = self {
            *nodes += m.set.len();
        }
        if *nodes > limits::EXPR_NODES {
            return Err(ExprError::TooLarge);
        }
        let like = |ok: bool| if ok { Ok(()) } else { Err(ExprError::Types) };
        match self {
            Self::Bool(_) => Ok(()),
            Self::Not(inner) => inner.check_at(depth + 1, nodes),
            Self::All(list) | Self::Any(list) => list.iter().try_for_each(|e| e.check_at(depth + 1, nodes)),
            Self::If(branch) => {
                branch.condition.check_at(depth + 1, nodes)?;
                branch.then.check_at(depth + 1, nodes)?;
                branch.otherwise.check_at(depth + 1, nodes)
            }
            Self::Has(slot) => like(slot.optional()),
            Self::Truth(slot) => like(slot.ty() == Type::Bool),
            Self::Compare(c) => like(c.left.ty() == c.right.ty()),
            Self::In(m) => like(m.set.iter().all(|l| Operand::Literal(l.clone()).ty() == m.item.ty())),
            Self::Member(m) => like(m.of.repeated() && m.item.ty() == Type::Text),
            Self::Text(t) => {
                let constant = matches!(t.arg, Operand::Literal(_)) || t.op != TextOp::Matches;
                like(constant && t.on.ty() == Type::Text && t.arg.ty() == Type::Text)
            }
        }
    }
}

mod int_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(value: &i64, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<i64, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_read_what_they_write() {
        let tree = Expr::All(vec![
            Expr::Has(Slot::Header("x".into())),
            Expr::Compare(Compare {
                op: CompareOp::Gt,
                left: Operand::Slot(Slot::Size),
                right: Operand::Literal(Literal::Int(i64::MIN)),
            }),
        ]);
        let text = serde_json::to_string(&tree).unwrap();
        assert!(text.contains(r#""int":"-9223372036854775808""#), "{text}");
        assert_eq!(serde_json::from_str::<Expr>(&text).unwrap(), tree);
        assert_eq!(tree.check(), Ok(()));
    }

    #[test]
    fn depth_size_and_types_are_bounded() {
        let mut deep = Expr::Bool(true);
        for _ in 0..=limits::EXPR_DEPTH {
            deep = Expr::Not(Box::new(deep));
        }
        assert_eq!(deep.check(), Err(ExprError::TooDeep));
        assert_eq!(Expr::All(vec![Expr::Bool(true); limits::EXPR_NODES]).check(), Err(ExprError::TooLarge));
        let unlike = Compare {
            op: CompareOp::Eq,
            left: Operand::Slot(Slot::Path),
            right: Operand::Literal(Literal::Int(1)),
        };
        assert_eq!(Expr::Compare(unlike).check(), Err(ExprError::Types));
    }
}
