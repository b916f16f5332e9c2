//! From the parsed tree to the lowered one: names, types, guards, constants.

use std::ops::Range;

use mesh_bundle::expr::{self, CompareOp, ExprError, Expression, Literal, Op, Slot, TextOp, Type};
use mesh_decision::regex::Pattern;

use super::CelFinding;
use super::environment::{self, Known, MapKind, Phase};
use super::tree::{Node, Tree};
use crate::diag::{codes, nearest, quoted};

/// Lowers a condition.
pub(super) fn condition(
    tree: &Tree,
    text: &str,
    phase: Phase,
    params: &[&str],
) -> Result<Expression, Vec<CelFinding>> {
    let mut lowering = Lowering { text, phase, params, findings: Vec::new(), failed: false };
    let (lowered, _) = lowering.condition(tree, &Facts::default());
    let expression = Expression { code: lowered.flatten(), text: text.to_owned() };
    if lowering.failed && lowering.findings.is_empty() {
        let message = "this is outside of what rules may use";
        lowering.findings.push(CelFinding::new(codes::CEL_OUTSIDE, tree.range.clone(), message));
    }
    if lowering.findings.is_empty()
        && let Err(error) = expression.check(Type::Bool)
    {
        let message = match error {
            ExprError::Cost(_) => format!("the expression is too dear: {error}"),
            _ => format!("the expression is too large: {error}"),
        };
        lowering.findings.push(CelFinding::new(codes::CEL_LIMIT, tree.range.clone(), message));
    }
    if lowering.findings.is_empty() { Ok(expression) } else { Err(lowering.findings) }
}

/// Lowers a quota key.
pub(super) fn key(tree: &Tree, text: &str, phase: Phase) -> Result<Slot, Vec<CelFinding>> {
    let mut lowering = Lowering { text, phase, params: &[], findings: Vec::new(), failed: false };
    let slot = lowering.place(tree, None);
    match slot {
        Some(Value::Scalar(expr::Tree { op: Op::Slot(slot), .. }, Type::Text)) if lowering.findings.is_empty() => {
            Ok(slot)
        }
        _ if lowering.findings.is_empty() => Err(vec![
            CelFinding::new(codes::CEL_OUTSIDE, tree.range.clone(), "a quota key is one text of the request")
                .help("write `caller`, `service`, `header:x-tenant`, or a field such as `request.headers[\"x-tenant\"]`"),
        ]),
        _ => Err(lowering.findings),
    }
}

/// Slots that are known to be there, because a test that dominates says so. `when_true` holds where the expression
/// was true, `when_false` where it was false.
#[derive(Debug, Clone, Default)]
struct Facts {
    known: Vec<Slot>,
}

impl Facts {
    fn with(&self, more: &[Slot]) -> Self {
        let mut known = self.known.clone();
        known.extend_from_slice(more);
        Self { known }
    }
}

/// What a condition proves.
#[derive(Debug, Clone, Default)]
struct Proves {
    when_true: Vec<Slot>,
    when_false: Vec<Slot>,
}

/// What a value-like node is.
enum Value {
    Scalar(expr::Tree, Type),
    Lists(MapKind, String),
}

struct Lowering<'t> {
    text: &'t str,
    phase: Phase,
    params: &'t [&'t str],
    findings: Vec<CelFinding>,
    /// A node was given up. Then there is a finding, or the whole is refused.
    failed: bool,
}

impl Lowering<'_> {
    /// Stands for a node that was given up.
    fn wrong(&mut self) -> expr::Tree {
        self.failed = true;
        expr::Tree::new(Op::Bool(false), 0..0, Vec::new())
    }

    fn condition(&mut self, tree: &Tree, facts: &Facts) -> (expr::Tree, Proves) {
        let none = Proves::default();
        let node = |op, children| expr::Tree::new(op, tree.range.clone(), children);
        match &tree.node {
            Node::Bool(value) => (node(Op::Bool(*value), Vec::new()), none),
            Node::Operator("!", args) => {
                let [inner] = args.as_slice() else { return (self.wrong(), none) };
                let (expr, proves) = self.condition(inner, facts);
                let proves = Proves { when_true: proves.when_false, when_false: proves.when_true };
                (node(Op::Not, vec![expr]), proves)
            }
            Node::Operator(op @ ("&&" | "||"), args) => self.logic(tree, op, args, facts),
            Node::Operator("?:", args) => {
                let [condition, then, otherwise] = args.as_slice() else { return (self.wrong(), none) };
                let (condition, proves) = self.condition(condition, facts);
                let (then, _) = self.condition(then, &facts.with(&proves.when_true));
                let (otherwise, _) = self.condition(otherwise, &facts.with(&proves.when_false));
                (node(Op::If, vec![condition, then, otherwise]), none)
            }
            Node::Operator("in", args) => {
                let [item, of] = args.as_slice() else { return (self.wrong(), none) };
                self.membership(tree, item, of, facts)
            }
            Node::Operator(op @ ("==" | "!=" | "<" | "<=" | ">" | ">="), args) => {
                let [left, right] = args.as_slice() else { return (self.wrong(), none) };
                (self.comparison(tree, op, left, right, facts), none)
            }
            Node::Operator(op, _) => {
                let message = format!("arithmetic (`{op}`) is outside of what rules may use");
                (self.outside(tree.range.clone(), message), none)
            }
            Node::Has(operand, field, range) => self.has(operand, field, range, tree),
            Node::Call(target, name, range, args) => {
                (self.call(tree, target.as_deref(), name, range, args, facts), none)
            }
            Node::Other(what) => {
                let message = format!("{what} are outside of what rules may use");
                (self.outside(tree.range.clone(), message), none)
            }
            Node::Ident(_)
            | Node::Field(..)
            | Node::Index(..)
            | Node::Text(_)
            | Node::Int(_)
            | Node::List(_) => (self.truth(tree, facts), none),
        }
    }

    fn logic(&mut self, tree: &Tree, op: &str, args: &[Tree], facts: &Facts) -> (expr::Tree, Proves) {
        let and = op == "&&";
        let mut parts = Vec::new();
        let mut facts = facts.clone();
        let mut proved: Vec<Slot> = Vec::new();
        for arg in args {
            let (expr, proves) = self.condition(arg, &facts);
            // The right side of `&&` runs where the left was true; of `||`, where it was false.
            let learned = if and { proves.when_true } else { proves.when_false };
            facts = facts.with(&learned);
            proved.extend(learned);
            match expr.op {
                Op::All(_) if and => parts.extend(expr.children),
                Op::Any(_) if !and => parts.extend(expr.children),
                _ => parts.push(expr),
            }
        }
        let node = |op| expr::Tree::new(op, tree.range.clone(), parts);
        if and {
            (node(Op::All(0)), Proves { when_true: proved, when_false: Vec::new() })
        } else {
            (node(Op::Any(0)), Proves { when_true: Vec::new(), when_false: proved })
        }
    }

    fn membership(&mut self, tree: &Tree, item: &Tree, of: &Tree, facts: &Facts) -> (expr::Tree, Proves) {
        let none = Proves::default();
        let node = |op, children| expr::Tree::new(op, tree.range.clone(), children);
        if let Node::List(items) = &of.node {
            let Some(Value::Scalar(operand, ty)) = self.value(item, facts) else {
                return (self.wrong(), none);
            };
            let mut set = Vec::new();
            for element in items {
                match self.value(element, facts) {
                    Some(Value::Scalar(expr::Tree { op: Op::Constant(literal), .. }, _)) => {
                        if literal.ty() != ty {
                            self.types(item, ty, element, literal.ty());
                        }
                        set.push(literal);
                    }
                    Some(_) => {
                        self.outside(element.range.clone(), "a list in `in` holds constants only".into());
                    }
                    None => {}
                }
            }
            return (node(Op::In(set), vec![operand]), none);
        }
        match self.known_quietly(of) {
            Some(Known::Map(map)) => {
                // Said aloud where the phase does not know the map.
                if self.known(of).is_none() {
                    return (self.wrong(), none);
                }
                let Some(key) = self.constant_key(item, map) else { return (self.wrong(), none) };
                let slot = map.slot(&key);
                (
                    node(Op::Has(slot.clone()), Vec::new()),
                    Proves { when_true: vec![slot], when_false: Vec::new() },
                )
            }
            _ => match self.value(of, facts) {
                Some(Value::Lists(map, key)) => {
                    let Some(Value::Scalar(operand, ty)) = self.value(item, facts) else {
                        return (self.wrong(), none);
                    };
                    if ty != Type::Text {
                        self.types(item, ty, of, Type::Text);
                        return (self.wrong(), none);
                    }
                    (node(Op::Member(map.slot(&key)), vec![operand]), none)
                }
                Some(Value::Scalar(..)) => {
                    let message = "`in` looks into a list, or into a map of the request".to_owned();
                    (self.outside(of.range.clone(), message), none)
                }
                None => (self.wrong(), none),
            },
        }
    }

    fn comparison(&mut self, tree: &Tree, op: &str, left: &Tree, right: &Tree, facts: &Facts) -> expr::Tree {
        let (l, r) = (self.value(left, facts), self.value(right, facts));
        let (Some(Value::Scalar(l, left_type)), Some(Value::Scalar(r, right_type))) = (&l, &r) else {
            for (side, value) in [(left, &l), (right, &r)] {
                if matches!(value, Some(Value::Lists(..))) {
                    self.outside(side.range.clone(), "a list is not compared; test it with `in`".into());
                }
            }
            return self.wrong();
        };
        if left_type != right_type {
            self.types(left, *left_type, right, *right_type);
            return self.wrong();
        }
        let op = match op {
            "==" => CompareOp::Eq,
            "!=" => CompareOp::Ne,
            "<" => CompareOp::Lt,
            "<=" => CompareOp::Le,
            ">" => CompareOp::Gt,
            _ => CompareOp::Ge,
        };
        expr::Tree::new(Op::Compare(op), tree.range.clone(), vec![l.clone(), r.clone()])
    }

    fn has(
        &mut self,
        operand: &Tree,
        field: &str,
        range: &Range<usize>,
        whole: &Tree,
    ) -> (expr::Tree, Proves) {
        let none = Proves::default();
        match self.known(operand) {
            Some(Known::Map(map)) => {
                let slot = map.slot(field);
                self.check_key(map, field, range);
                let node = expr::Tree::new(Op::Has(slot.clone()), whole.range.clone(), Vec::new());
                (node, Proves { when_true: vec![slot], when_false: Vec::new() })
            }
            Some(Known::Record(_)) => {
                // The environment is closed: a field that exists is always there.
                let tree = Tree {
                    range: whole.range.clone(),
                    node: Node::Field(Box::new(operand.clone()), field.to_owned(), range.clone()),
                };
                let there = Op::Bool(self.known(&tree).is_some());
                (expr::Tree::new(there, whole.range.clone(), Vec::new()), none)
            }
            Some(_) => (self.outside(whole.range.clone(), "`has` tests a key of a map".into()), none),
            None => (self.wrong(), none),
        }
    }

    fn call(
        &mut self,
        tree: &Tree,
        target: Option<&Tree>,
        name: &str,
        range: &Range<usize>,
        args: &[Tree],
        facts: &Facts,
    ) -> expr::Tree {
        let op = match name {
            "startsWith" => Some(TextOp::StartsWith),
            "endsWith" => Some(TextOp::EndsWith),
            "contains" => Some(TextOp::Contains),
            "matches" => None,
            "size" => return self.truth(tree, facts),
            _ => return self.unknown_function(name, range),
        };
        let (Some(on), [arg]) = (target, args) else {
            return self.outside(tree.range.clone(), format!("`{name}` is called as `text.{name}(other)`"));
        };
        let (on_value, arg_value) = (self.value(on, facts), self.value(arg, facts));
        let (Some(Value::Scalar(on_value, on_type)), Some(Value::Scalar(arg_value, arg_type))) =
            (on_value, arg_value)
        else {
            return self.wrong();
        };
        for (side, ty) in [(on, on_type), (arg, arg_type)] {
            if ty != Type::Text {
                let message = format!("`{name}` takes text, and this is {}", shown(ty));
                self.findings.push(CelFinding::new(codes::CEL_TYPE, side.range.clone(), message));
                return self.wrong();
            }
        }
        let node = |op, children| expr::Tree::new(op, tree.range.clone(), children);
        if let Some(op) = op {
            return node(Op::Test(op), vec![on_value, arg_value]);
        }
        let Op::Constant(Literal::Text(pattern)) = arg_value.op else {
            let message = "a regular expression is a constant";
            let finding = CelFinding::new(codes::CEL_CONSTANT, arg.range.clone(), message);
            self.findings.push(finding.help("a pattern from the request would let a caller choose its cost"));
            return self.wrong();
        };
        if let Err(error) = Pattern::check(&pattern) {
            let message = format!("the regular expression does not compile: {error}");
            self.findings.push(CelFinding::new(codes::CEL_CONSTANT, arg.range.clone(), message));
            return self.wrong();
        }
        node(Op::Matches(pattern), vec![on_value])
    }

    /// A value where a condition is due.
    fn truth(&mut self, tree: &Tree, facts: &Facts) -> expr::Tree {
        match self.value(tree, facts) {
            Some(Value::Scalar(slot @ expr::Tree { op: Op::Slot(_), .. }, Type::Bool)) => slot,
            Some(Value::Scalar(_, ty)) => {
                let message = format!("a condition is bool, and this is {}", shown(ty));
                self.findings
                    .push(CelFinding::new(codes::CEL_TYPE, tree.range.clone(), message).label("compare it"));
                self.wrong()
            }
            Some(Value::Lists(..)) => {
                self.outside(tree.range.clone(), "a list is no condition; test it with `in`".into())
            }
            None => self.wrong(),
        }
    }

    /// A value; `None` where a finding says why there is none.
    fn value(&mut self, tree: &Tree, facts: &Facts) -> Option<Value> {
        let constant = |literal: Literal| {
            let ty = literal.ty();
            Some(Value::Scalar(expr::Tree::new(Op::Constant(literal), tree.range.clone(), Vec::new()), ty))
        };
        match &tree.node {
            Node::Text(text) => constant(Literal::Text(text.clone())),
            Node::Int(value) => constant(Literal::Int(*value)),
            Node::Bool(value) => constant(Literal::Bool(*value)),
            Node::Operator("-", args) if matches!(args.as_slice(), [Tree { node: Node::Int(_), .. }]) => {
                let [Tree { node: Node::Int(value), .. }] = args.as_slice() else { return None };
                constant(Literal::Int(value.checked_neg()?))
            }
            Node::Call(target, name, _, args) if name == "size" => {
                let of = match (target.as_deref(), args.as_slice()) {
                    (Some(target), []) => target,
                    (None, [only]) => only,
                    _ => {
                        self.outside(tree.range.clone(), "`size` takes one text".into());
                        return None;
                    }
                };
                match self.value(of, facts)? {
                    Value::Scalar(slot @ expr::Tree { op: Op::Slot(_), .. }, Type::Text) => {
                        let size = expr::Tree::new(Op::Size, tree.range.clone(), vec![slot]);
                        Some(Value::Scalar(size, Type::Int))
                    }
                    _ => {
                        self.outside(of.range.clone(), "`size` takes one text of the request".into());
                        None
                    }
                }
            }
            Node::Call(_, name, range, _) => {
                if matches!(name.as_str(), "startsWith" | "endsWith" | "contains" | "matches") {
                    self.outside(
                        tree.range.clone(),
                        "a test on text is a condition, not a value to compare".into(),
                    );
                } else {
                    self.unknown_function(name, range);
                }
                None
            }
            Node::Ident(_) | Node::Field(..) | Node::Index(..) => self.place(tree, Some(facts)),
            Node::List(_) => {
                self.outside(tree.range.clone(), "a list stands only behind `in`".into());
                None
            }
            Node::Operator(op, _) => {
                let what = if matches!(*op, "+" | "-" | "*" | "/" | "%") {
                    "arithmetic"
                } else {
                    "a condition as a value"
                };
                self.outside(tree.range.clone(), format!("{what} (`{op}`) is outside of what rules may use"));
                None
            }
            Node::Has(..) => {
                self.outside(tree.range.clone(), "`has` is a condition, not a value to compare".into());
                None
            }
            Node::Other(what) => {
                self.outside(tree.range.clone(), format!("{what} are outside of what rules may use"));
                None
            }
        }
    }

    /// A place of the request. Without `facts` no guard is asked for.
    fn place(&mut self, tree: &Tree, facts: Option<&Facts>) -> Option<Value> {
        let (map_tree, key, key_range) = match &tree.node {
            Node::Index(operand, key) => match self.known(operand)? {
                Known::Map(map) | Known::Lists(map) => {
                    let name = self.constant_key(key, map)?;
                    (operand.as_ref(), name, key.range.clone())
                }
                _ => {
                    self.outside(tree.range.clone(), "only the maps of the request are read by key".into());
                    return None;
                }
            },
            Node::Field(operand, name, range) => match self.known_quietly(operand) {
                Some(Known::Map(_) | Known::Lists(_)) => (operand.as_ref(), name.clone(), range.clone()),
                _ => return self.plain(tree),
            },
            _ => return self.plain(tree),
        };
        match self.known(map_tree)? {
            Known::Lists(map) => Some(Value::Lists(map, key)),
            Known::Map(map) => {
                self.check_key(map, &key, &key_range);
                let slot = map.slot(&key);
                if let Some(facts) = facts
                    && !facts.known.contains(&slot)
                {
                    self.unguarded(tree, map, &key);
                }
                Some(slot_at(slot, tree))
            }
            _ => None,
        }
    }

    fn plain(&mut self, tree: &Tree) -> Option<Value> {
        match self.known(tree)? {
            Known::Slot(slot) => Some(slot_at(slot, tree)),
            Known::Record(names) => {
                let finding =
                    CelFinding::new(codes::CEL_TYPE, tree.range.clone(), "this is a record, not a value");
                self.findings.push(finding.help(format!("its fields are {}", names.join(", "))));
                None
            }
            Known::Map(map) | Known::Lists(map) => {
                let finding =
                    CelFinding::new(codes::CEL_TYPE, tree.range.clone(), "this is a map, not a value");
                self.findings.push(finding.help(format!("read one key: {}[\"name\"]", map.shown())));
                None
            }
            Known::Never(_) => None,
        }
    }

    /// What names lead to, with a finding where they lead nowhere.
    fn known(&mut self, tree: &Tree) -> Option<Known> {
        let mut names = Vec::new();
        if path_of(tree, &mut names).is_none() {
            self.outside(tree.range.clone(), "only the fields and maps of the request are read".into());
            return None;
        }
        let texts: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let root = texts.first().copied().unwrap_or_default();
        for end in 1..=texts.len() {
            let (path, (name, range)) = (texts.get(..end)?, names.get(end - 1)?);
            match environment::look_up(path) {
                Some(Known::Never(why)) => {
                    let finding = CelFinding::new(
                        codes::CEL_PHASE,
                        tree.range.clone(),
                        format!("`{}` is not known here", path.join(".")),
                    );
                    self.findings.push(finding.help(why));
                    return None;
                }
                Some(found) if end == texts.len() => {
                    if let Some(why) = self.phase.hides(root) {
                        let message = format!("`{root}` is not known here");
                        self.findings
                            .push(CelFinding::new(codes::CEL_PHASE, tree.range.clone(), message).help(why));
                        return None;
                    }
                    return Some(found);
                }
                Some(Known::Slot(_)) => {
                    let message = format!("`{}` is a value and has no fields", path.join("."));
                    let (_, field) = names.get(end)?;
                    self.findings.push(CelFinding::new(codes::CEL_UNKNOWN, field.clone(), message));
                    return None;
                }
                Some(_) => {}
                None => {
                    let before = path.get(..end - 1).unwrap_or_default();
                    let known = if before.is_empty() {
                        environment::roots()
                    } else {
                        environment::names_after(before)
                    };
                    let whose =
                        if before.is_empty() { String::new() } else { format!(" in `{}`", before.join(".")) };
                    let message = format!("there is no {}{whose}", quoted(name));
                    let mut finding = CelFinding::new(codes::CEL_UNKNOWN, range.clone(), message);
                    match nearest(name, known.iter().copied()) {
                        Some(near) => {
                            finding = finding
                                .label(format!("did you mean `{near}`?"))
                                .help(format!("did you mean `{near}`?"))
                                .fix(range.clone(), near);
                        }
                        None => finding = finding.help(format!("there are {}", known.join(", "))),
                    }
                    self.findings.push(finding);
                    return None;
                }
            }
        }
        None
    }

    fn known_quietly(&self, tree: &Tree) -> Option<Known> {
        let mut names = Vec::new();
        path_of(tree, &mut names)?;
        let texts: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        environment::look_up(&texts)
    }

    fn constant_key(&mut self, key: &Tree, map: MapKind) -> Option<String> {
        if let Node::Text(text) = &key.node {
            self.check_key(map, text, &key.range);
            return Some(text.clone());
        }
        let message = format!("a key of `{}` is a constant text", map.shown());
        self.findings.push(CelFinding::new(codes::CEL_CONSTANT, key.range.clone(), message));
        None
    }

    fn check_key(&mut self, map: MapKind, key: &str, range: &Range<usize>) {
        let again = |f: &CelFinding| f.range == *range && f.code == codes::CEL_CONSTANT;
        if map == MapKind::Headers
            && key.bytes().any(|b| b.is_ascii_uppercase())
            && !self.findings.iter().any(again)
        {
            let lower = key.to_ascii_lowercase();
            let written = self.text.get(range.clone()).unwrap_or_default();
            let finding =
                CelFinding::new(codes::CEL_CONSTANT, range.clone(), "header names are in lower case")
                    .help(format!("write `{lower}`"))
                    .fix(range.clone(), written.replace(key, &lower));
            self.findings.push(finding);
        }
        if map == MapKind::Params && !self.params.contains(&key) {
            let message = format!("no path of this rule binds {}", quoted(key));
            let mut finding = CelFinding::new(codes::CEL_UNKNOWN, range.clone(), message);
            if let Some(near) = nearest(key, self.params.iter().copied()) {
                finding = finding.help(format!("did you mean `{near}`?"));
            }
            self.findings.push(finding);
        }
    }

    fn unguarded(&mut self, tree: &Tree, map: MapKind, key: &str) {
        // The paths of a rule bind their parameters in every request that it takes.
        if map == MapKind::Params {
            return;
        }
        let guard = format!("{key:?} in {}", map.shown());
        let message =
            format!("{} may not be there", quoted(self.text.get(tree.range.clone()).unwrap_or_default()));
        let finding = CelFinding::new(codes::CEL_UNGUARDED, tree.range.clone(), message)
            .label("read without a test that it is there")
            .help(format!("write `{guard} && ...` before it"));
        self.findings.push(finding);
    }

    fn types(&mut self, left: &Tree, left_type: Type, right: &Tree, right_type: Type) {
        let message = format!("{} is compared with {}", shown(left_type), shown(right_type));
        let finding = CelFinding::new(codes::CEL_TYPE, left.range.clone(), message)
            .label(shown(left_type))
            .other(right.range.clone(), shown(right_type));
        let help = match (&left.node, &right.node, left_type) {
            (_, Node::Text(text), Type::Int) => bytes(text).map(|b| format!("write {b}")),
            _ => None,
        };
        self.findings.push(CelFinding { help, ..finding });
    }

    fn unknown_function(&mut self, name: &str, range: &Range<usize>) -> expr::Tree {
        let known = ["startsWith", "endsWith", "contains", "matches", "size", "has"];
        let message = format!("{} is no function of rules", quoted(name));
        let mut finding = CelFinding::new(codes::CEL_UNKNOWN, range.clone(), message);
        match nearest(name, known) {
            Some(near) => finding = finding.help(format!("did you mean `{near}`?")).fix(range.clone(), near),
            None => finding = finding.help(format!("there are {}", known.join(", "))),
        }
        self.findings.push(finding);
        self.wrong()
    }

    fn outside(&mut self, range: Range<usize>, message: String) -> expr::Tree {
        self.findings.push(CelFinding::new(codes::CEL_OUTSIDE, range, message));
        self.wrong()
    }
}

fn slot_at(slot: Slot, tree: &Tree) -> Value {
    let ty = slot.ty();
    Value::Scalar(expr::Tree::new(Op::Slot(slot), tree.range.clone(), Vec::new()), ty)
}

/// The names of `a.b.c` with their words; `None` for anything else.
fn path_of<'t>(tree: &'t Tree, names: &mut Vec<(&'t str, Range<usize>)>) -> Option<()> {
    match &tree.node {
        Node::Ident(name) => names.push((name, tree.range.clone())),
        Node::Field(operand, name, range) => {
            path_of(operand, names)?;
            names.push((name, range.clone()));
        }
        _ => return None,
    }
    Some(())
}

fn shown(ty: Type) -> &'static str {
    match ty {
        Type::Text => "a string",
        Type::Int => "an int",
        Type::Bool => "a bool",
        Type::Time => "a timestamp",
        Type::Span => "a duration",
        Type::Ip => "an address",
    }
}

/// The number of bytes that `1MiB` says.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}
