//! The parsed tree with the words of every node.
//!
//! The parser gives one token a node; the whole words are rebuilt by walking tree and tokens together. Both are in the
//! order of the text, so each leaf takes the next fitting token.

use std::ops::Range;

use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, operators};
use cel::parser::pratt_parser::{Token, TokenKind};

use super::value::Value;

/// A node and its words, without brackets that only group.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) range: Range<usize>,
    pub(super) node: Node,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A name; with its dot where it is written `.name`.
    Ident(String),
    /// A literal of the source text.
    Constant(Value),
    /// A selection: `operand.field`, or `operand.?field`.
    Field(Box<Tree>, Name, Access),
    /// An index: `operand[key]`, or `operand[?key]`.
    Index(Box<Tree>, Box<Tree>, Access),
    /// An operator with its arguments.
    Operator(&'static str, Vec<Tree>),
    /// `target.name(arguments)` or `name(arguments)`, macros as they are written.
    Call(Option<Box<Tree>>, Name, Vec<Tree>),
    /// A list: `[a, ?b]`.
    List(Vec<(Access, Tree)>),
    /// `{a: b, ?c: d}`
    Map(Vec<(Access, Tree, Tree)>),
    /// A message: `Name{field: value}`.
    Message(String),
}

/// A name in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

/// Whether something must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Plain access: the value must be there.
    Plain,
    /// Written with `?`.
    Optional,
}

/// Rebuilds the words of `ast`. `text` is the text as it was written, of the length of what was parsed.
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
                let dot = name.strip_prefix('.').map(|_| self.next(|_, words| words == "."));
                let plain = name.trim_start_matches('.');
                let range = self.next(|kind, words| is_name(kind) && words == plain);
                Tree {
                    range: dot.map_or(range.start, |d| d.start)..range.end,
                    node: Node::Ident(name.clone()),
                }
            }
            Expr::Literal(value) => self.literal(value),
            Expr::Select(select) => {
                let operand = self.tree(&select.operand);
                let field = self.name(&select.field);
                let range = self.start(&operand)..field.range.end;
                Tree { range, node: Node::Field(Box::new(operand), field, Access::Plain) }
            }
            Expr::Call(call) => self.call(&call.func_name, call.target.as_deref(), &call.args),
            Expr::List(list) => {
                let open = self.next(|_, words| words == "[");
                let item = |(i, item): (usize, &IdedExpr)| {
                    let optional = list.optional_indices.contains(&i);
                    (access(optional), self.tree(item))
                };
                let items = list.elements.iter().enumerate().map(item).collect();
                let close = self.next(|_, words| words == "]");
                Tree { range: open.start..close.end, node: Node::List(items) }
            }
            Expr::Map(map) => {
                let open = self.next(|_, words| words == "{");
                let entries = map.entries.iter().filter_map(|entry| self.entry(entry)).collect();
                let close = self.next(|_, words| words == "}");
                Tree { range: open.start..close.end, node: Node::Map(entries) }
            }
            Expr::Struct(message) => {
                let range = self.spot();
                Tree { range, node: Node::Message(message.type_name.clone()) }
            }
            // The parser makes neither: macros are hidden from it (`parse`), and what it cannot read is an error.
            Expr::Comprehension(_) | Expr::Unspecified => {
                let range = self.spot();
                Tree { range, node: Node::Message(String::new()) }
            }
        }
    }

    fn entry(&mut self, entry: &IdedEntryExpr) -> Option<(Access, Tree, Tree)> {
        match &entry.expr {
            EntryExpr::MapEntry(entry) => {
                let key = self.tree(&entry.key);
                Some((access(entry.optional), key, self.tree(&entry.value)))
            }
            EntryExpr::StructField(_) => None,
        }
    }

    fn call(&mut self, function: &str, target: Option<&IdedExpr>, args: &[IdedExpr]) -> Tree {
        if let (operators::INDEX | operators::OPT_INDEX, [operand, key]) = (function, args) {
            let operand = self.tree(operand);
            let key = self.tree(key);
            let close = self.next(|_, words| words == "]");
            let range = self.start(&operand)..close.end;
            let access = access(function == operators::OPT_INDEX);
            return Tree { range, node: Node::Index(Box::new(operand), Box::new(key), access) };
        }
        if let (operators::OPT_SELECT, [operand, field]) = (function, args) {
            let operand = self.tree(operand);
            let Expr::Literal(LiteralValue::String(field)) = &field.expr else { return operand };
            let field = self.name(field.inner());
            let range = self.start(&operand)..field.range.end;
            return Tree { range, node: Node::Field(Box::new(operand), field, Access::Optional) };
        }
        if let Some((_, shown)) = OPERATORS.iter().find(|(name, _)| *name == function) {
            let prefix = (args.len() == 1).then(|| self.next(|_, words| words == *shown).start);
            let args: Vec<Tree> = args.iter().map(|arg| self.tree(arg)).collect();
            let start = prefix.or(args.first().map(|a| self.start(a))).unwrap_or(0);
            let end = args.last().map_or(start, |a| self.outer(&a.range).end);
            return Tree { range: start..end, node: Node::Operator(shown, args) };
        }
        let target = target.map(|target| self.tree(target));
        let mut name = self.name(function);
        if let Some(written) = self.text.get(name.range.clone()) {
            // The parser saw a masked word.
            written.clone_into(&mut name.text);
        }
        let args: Vec<Tree> = args.iter().map(|arg| self.tree(arg)).collect();
        let close = self.next(|_, words| words == ")");
        let start = target.as_ref().map_or(name.range.start, |t| self.start(t));
        Tree { range: start..close.end, node: Node::Call(target.map(Box::new), name, args) }
    }

    fn literal(&mut self, value: &LiteralValue) -> Tree {
        let mut range = self.next(|kind, _| is_literal(kind));
        let (node, negative) = match value {
            LiteralValue::Boolean(value) => (Value::Bool(*value.inner()), false),
            LiteralValue::Int(value) => (Value::Int(*value.inner()), *value.inner() < 0),
            LiteralValue::String(value) => (Value::text(value.inner()), false),
            LiteralValue::Bytes(value) => (Value::Bytes(value.inner().into()), false),
            LiteralValue::Double(value) => (Value::Double(*value.inner()), value.inner().is_sign_negative()),
            LiteralValue::UInt(value) => (Value::Uint(*value.inner()), false),
            LiteralValue::Null => (Value::Null, false),
        };
        if negative && let Some(sign) = self.at.checked_sub(2).and_then(|at| self.tokens.get(at)) {
            range.start = sign.start;
        }
        Tree { range, node: Node::Constant(node) }
    }

    /// The next token of this name; the name may be quoted with backticks, or masked.
    fn name(&mut self, name: &str) -> Name {
        let range =
            self.next(|_, words| words == name || same_but_masked(words, name) || quotes(words, name));
        Name { text: name.to_owned(), range }
    }

    /// The next token that fits, or an empty range where the walk lost the text: findings then point at the spot.
    fn next(&mut self, fits: impl Fn(TokenKind, &str) -> bool) -> Range<usize> {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let words = |token: &Token| super::words::words(self.text, token.start..token.end);
        match rest.iter().enumerate().find(|(_, token)| fits(token.kind, words(token))) {
            Some((skipped, token)) => {
                self.at += skipped + 1;
                token.start..token.end
            }
            None => self.spot(),
        }
    }

    fn start(&self, tree: &Tree) -> usize {
        self.outer(&tree.range).start
    }

    /// The words with the brackets that group them.
    fn outer(&self, range: &Range<usize>) -> Range<usize> {
        let mut range = range.clone();
        loop {
            let first = self.tokens.partition_point(|t| t.start < range.start);
            let after = self.tokens.partition_point(|t| t.start < range.end);
            let (Some(open), Some(close)) =
                (first.checked_sub(1).and_then(|i| self.tokens.get(i)), self.tokens.get(after))
            else {
                return range;
            };
            let called =
                first.checked_sub(2).and_then(|i| self.tokens.get(i)).is_some_and(|t| is_name(t.kind));
            if open.kind != TokenKind::TokLeftParen || close.kind != TokenKind::TokRightParen || called {
                return range;
            }
            range = open.start..close.end;
        }
    }

    fn spot(&self) -> Range<usize> {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        token.map_or(0..self.text.len(), |t| t.start..t.end)
    }
}

fn access(optional: bool) -> Access {
    if optional { Access::Optional } else { Access::Plain }
}

fn same_but_masked(words: &str, name: &str) -> bool {
    words.len() == name.len() && words.eq_ignore_ascii_case(name)
}

fn quotes(words: &str, name: &str) -> bool {
    words.strip_prefix('`').and_then(|w| w.strip_suffix('`')) == Some(name)
}

fn is_name(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::TokIdent | TokenKind::TokReservedWord)
}

fn is_literal(kind: TokenKind) -> bool {
    use TokenKind::{TokBytes, TokFalse, TokFloat, TokInt, TokNull, TokString, TokTrue, TokUint};
    matches!(kind, TokInt | TokUint | TokFloat | TokString | TokBytes | TokTrue | TokFalse | TokNull)
}
