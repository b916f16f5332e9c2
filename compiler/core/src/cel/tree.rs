//! The parsed tree with the words of every node.
//!
//! The parser gives one token a node; the whole words are rebuilt by walking tree and tokens together. Both are in the
//! order of the text, so each leaf takes the next fitting token.

use std::ops::Range;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use cel::parser::pratt_parser::{Token, TokenKind};

/// A node and its words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) range: Range<usize>,
    pub(super) node: Node,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Ident(String),
    Text(String),
    Int(i64),
    Bool(bool),
    /// `operand.field`; the range is the field's own.
    Field(Box<Tree>, String, Range<usize>),
    /// `has(operand.field)`
    Has(Box<Tree>, String, Range<usize>),
    /// `operand[key]`
    Index(Box<Tree>, Box<Tree>),
    /// An operator with its arguments.
    Operator(&'static str, Vec<Tree>),
    /// `target.name(arguments)` or `name(arguments)`; the range is the name's own.
    Call(Option<Box<Tree>>, String, Range<usize>, Vec<Tree>),
    List(Vec<Tree>),
    /// A part of CEL that no rule may use, by name.
    Other(&'static str),
}

/// Rebuilds the words of `ast`.
pub(super) fn build(ast: &IdedExpr, tokens: &[Token], text: &str) -> Tree {
    let mut walk = Walk { tokens, text, at: 0 };
    walk.tree(ast)
}

struct Walk<'t> {
    tokens: &'t [Token],
    text: &'t str,
    at: usize,
}

const OPERATORS: &[(&str, &str)] = &[
    (operators::CONDITIONAL, "?:"),
    (operators::LOGICAL_AND, "&&"),
    (operators::LOGICAL_OR, "||"),
    (operators::LOGICAL_NOT, "!"),
    (operators::SUBSTRACT, "-"),
    (operators::ADD, "+"),
    (operators::MULTIPLY, "*"),
    (operators::DIVIDE, "/"),
    (operators::MODULO, "%"),
    (operators::EQUALS, "=="),
    (operators::NOT_EQUALS, "!="),
    (operators::GREATER_EQUALS, ">="),
    (operators::LESS_EQUALS, "<="),
    (operators::GREATER, ">"),
    (operators::LESS, "<"),
    (operators::NEGATE, "-"),
    (operators::IN, "in"),
];

impl Walk<'_> {
    fn tree(&mut self, ast: &IdedExpr) -> Tree {
        match &ast.expr {
            Expr::Ident(name) => {
                let range = self.next(|kind, words| kind == TokenKind::TokIdent && words == name);
                Tree { range, node: Node::Ident(name.clone()) }
            }
            Expr::Literal(value) => self.literal(value),
            Expr::Select(select) => {
                let has = select.test.then(|| self.next(|_, words| words == "has"));
                let operand = self.tree(&select.operand);
                let field = self.next(|_, words| words == select.field);
                let start = has.map_or(operand.range.start, |h| h.start);
                let end = if select.test { self.next(|_, words| words == ")").end } else { field.end };
                let (operand, name) = (Box::new(operand), select.field.clone());
                let node = if select.test {
                    Node::Has(operand, name, field)
                } else {
                    Node::Field(operand, name, field)
                };
                Tree { range: start..end, node }
            }
            Expr::Call(call) => self.call(&call.func_name, call.target.as_deref(), &call.args),
            Expr::List(list) => {
                let open = self.next(|_, words| words == "[");
                let items: Vec<Tree> = list.elements.iter().map(|item| self.tree(item)).collect();
                let close = self.next(|_, words| words == "]");
                let node = if list.optional_indices.is_empty() {
                    Node::List(items)
                } else {
                    Node::Other("optional list elements")
                };
                Tree { range: open.start..close.end, node }
            }
            Expr::Map(_) => self.other("maps"),
            Expr::Struct(_) => self.other("messages"),
            Expr::Comprehension(_) => self.other("`all`, `exists`, `exists_one`, `map` and `filter`"),
            Expr::Unspecified => self.other("this"),
        }
    }

    fn call(&mut self, function: &str, target: Option<&IdedExpr>, args: &[IdedExpr]) -> Tree {
        if function == operators::INDEX
            && let [operand, key] = args
        {
            let operand = self.tree(operand);
            let key = self.tree(key);
            let close = self.next(|_, words| words == "]");
            let range = operand.range.start..close.end;
            return Tree { range, node: Node::Index(Box::new(operand), Box::new(key)) };
        }
        if matches!(function, operators::OPT_INDEX | operators::OPT_SELECT) {
            return self.other("optional access (`?.`, `[?...]`)");
        }
        if let Some((_, shown)) = OPERATORS.iter().find(|(name, _)| *name == function) {
            let prefix = (args.len() == 1).then(|| self.next(|_, words| words == *shown).start);
            let args: Vec<Tree> = args.iter().map(|arg| self.tree(arg)).collect();
            let start = prefix.or(args.first().map(|a| a.range.start)).unwrap_or(0);
            let end = args.last().map_or(start, |a| a.range.end);
            return Tree { range: start..end, node: Node::Operator(shown, args) };
        }
        let target = target.map(|target| self.tree(target));
        let name = self.next(|_, words| words == function);
        let args: Vec<Tree> = args.iter().map(|arg| self.tree(arg)).collect();
        let close = self.next(|_, words| words == ")");
        let start = target.as_ref().map_or(name.start, |t| t.range.start);
        let node = Node::Call(target.map(Box::new), function.to_owned(), name, args);
        Tree { range: start..close.end, node }
    }

    fn literal(&mut self, value: &LiteralValue) -> Tree {
        let range = self.next(|kind, _| is_literal(kind));
        let node = match value {
            LiteralValue::Boolean(value) => Node::Bool(*value.inner()),
            LiteralValue::Int(value) => Node::Int(*value.inner()),
            LiteralValue::String(value) => Node::Text(value.inner().to_owned()),
            LiteralValue::Bytes(_) => Node::Other("bytes"),
            LiteralValue::Double(_) => Node::Other("doubles"),
            LiteralValue::UInt(_) => Node::Other("unsigned integers"),
            LiteralValue::Null => Node::Other("`null`"),
        };
        Tree { range, node }
    }

    /// The next token that fits, or an empty range where the walk lost the text: findings then point at the spot.
    fn next(&mut self, fits: impl Fn(TokenKind, &str) -> bool) -> Range<usize> {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let words = |token: &Token| self.text.get(token.start..token.end).unwrap_or_default();
        match rest.iter().position(|token| fits(token.kind, words(token))) {
            Some(skipped) => {
                let token = rest.get(skipped).copied().unwrap_or_default();
                self.at += skipped + 1;
                token.start..token.end
            }
            None => self.spot(),
        }
    }

    /// What is refused by name is refused where it begins; the rest of the text belongs to it.
    fn other(&mut self, what: &'static str) -> Tree {
        let range = self.spot();
        Tree { range, node: Node::Other(what) }
    }

    fn spot(&self) -> Range<usize> {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        token.map_or(0..self.text.len(), |t| t.start..t.end)
    }
}

fn is_literal(kind: TokenKind) -> bool {
    use TokenKind::{TokBytes, TokFalse, TokFloat, TokInt, TokNull, TokString, TokTrue, TokUint};
    matches!(kind, TokInt | TokUint | TokFloat | TokString | TokBytes | TokTrue | TokFalse | TokNull)
}
