//! Names, types and guards: from the parsed tree to the checked one.
//!
//! Every mistake is found, not the first alone: what is wrong has the type [`Type::Error`], which fits everywhere, so
//! one mistake is one finding.

mod calls;
mod checker;
mod guards;
mod macros;
mod mismatch;

use std::ops::Range;

use checker::Checker;
use guards::{Proves, Scope};

use super::CelFinding;
use super::environment::{Environment, Named};
use super::functions;
use super::tree::{Access, Name, Node, Tree};
use super::typed::{Kind, Typed};
use super::types::{Field, Keys, Type};
use super::value::Value;
use super::words::words;
use crate::diag::{codes, nearest, quoted, slip};

/// Checks a tree. The typed tree has a meaning only without findings.
pub(super) fn check(tree: &Tree, text: &str, environment: &Environment) -> (Typed, Vec<CelFinding>) {
    let mut checker = Checker::new(text, environment);
    let typed = checker.expr(tree, &Scope::default());
    checker.finish(typed)
}

/// Checks a tree whose value must be bool.
pub(super) fn check_condition(
    tree: &Tree,
    text: &str,
    environment: &Environment,
) -> (Typed, Vec<CelFinding>) {
    let mut checker = Checker::new(text, environment);
    let (typed, _) = checker.condition(tree, &Scope::default());
    checker.finish(typed)
}

impl Checker<'_> {
    /// Checks an expression of any kind.
    fn expr(&mut self, tree: &Tree, scope: &Scope) -> Typed {
        let range = tree.range.clone();
        match &tree.node {
            Node::Constant(value) => Typed { ty: type_of(value), range, kind: Kind::Constant(value.clone()) },
            Node::Ident(_) | Node::Field(..) => self.named(tree, scope),
            Node::Index(of, key, access) => {
                let of = self.expr(of, scope);
                let key = self.expr(key, scope);
                self.index(range, of, key, *access, scope)
            }
            Node::Operator(op, arguments) => match (*op, arguments.as_slice()) {
                ("&&" | "||" | "!", _) => self.condition(tree, scope).0,
                ("?:", [condition, then, otherwise]) => {
                    self.conditional(range, condition, then, otherwise, scope)
                }
                ("in", _) => self.condition(tree, scope).0,
                _ => {
                    let arguments = arguments.iter().map(|a| self.expr(a, scope)).collect();
                    self.call_operator(op, range, arguments, scope)
                }
            },
            Node::Call(target, name, arguments) => {
                self.call(range, target.as_deref(), name, arguments, scope)
            }
            Node::List(items) => {
                let items: Vec<_> =
                    items.iter().map(|(access, item)| (*access, self.expr(item, scope))).collect();
                self.list(range, items)
            }
            Node::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(access, key, value)| (*access, self.expr(key, scope), self.expr(value, scope)))
                    .collect();
                self.map(range, entries)
            }
            Node::Message(name) => {
                let message = format!("messages ({}) are outside of the language of meshes", quoted(name));
                self.findings.push(CelFinding::new(codes::CEL_OUTSIDE, range.clone(), message));
                wrong(range)
            }
        }
    }

    /// An expression that must be bool, and what it proves.
    fn condition(&mut self, tree: &Tree, scope: &Scope) -> (Typed, Proves) {
        let range = tree.range.clone();
        match &tree.node {
            Node::Operator("!", arguments) => {
                let Some(inner) = arguments.first() else { return (wrong(range), Proves::default()) };
                let (inner, proves) = self.condition(inner, &scope.negated());
                let proves = Proves { when_true: proves.when_false, when_false: proves.when_true };
                (Typed { ty: Type::Bool, range, kind: Kind::Not(Box::new(inner)) }, proves)
            }
            Node::Operator(op @ ("&&" | "||"), _) => self.logic(tree, op, scope),
            Node::Operator("?:", arguments) => {
                let [condition, then, otherwise] = arguments.as_slice() else {
                    return (wrong(range), Proves::default());
                };
                let (condition, proves) = self.condition(condition, scope);
                let (then, then_proves) = self.condition(then, &scope.with(&proves.when_true));
                let (otherwise, _) = self.condition(otherwise, &scope.with(&proves.when_false));
                let never = matches!(otherwise.constant(), Some(Value::Bool(false)));
                let mut when_true = Vec::new();
                if never {
                    when_true.extend(proves.when_true);
                    when_true.extend(then_proves.when_true);
                }
                let kind = Kind::If(Box::new([condition, then, otherwise]));
                (Typed { ty: Type::Bool, range, kind }, Proves { when_true, when_false: Vec::new() })
            }
            _ => {
                let scope = scope.atom(&range);
                let typed = match &tree.node {
                    Node::Operator("in", arguments) => {
                        let arguments = arguments.iter().map(|a| self.expr(a, &scope)).collect();
                        self.membership(range, arguments, &scope)
                    }
                    _ => self.expr(tree, &scope),
                };
                let typed = self.truth(typed);
                let proves = guards::proves(&typed);
                (typed, proves)
            }
        }
    }

    fn logic(&mut self, tree: &Tree, op: &str, scope: &Scope) -> (Typed, Proves) {
        let and = op == "&&";
        let mut trees = Vec::new();
        flatten(tree, op, &mut trees);
        let mut scope = scope.clone();
        let mut proved: Vec<String> = Vec::new();
        let mut parts = Vec::with_capacity(trees.len());
        for tree in trees {
            let (typed, proves) = self.condition(tree, &scope);
            // The right side of `&&` runs where the left was true; of `||`, where it was false.
            let learned = if and { proves.when_true } else { proves.when_false };
            scope = scope.with(&learned);
            proved.extend(learned);
            parts.push(typed);
        }
        let kind = if and { Kind::And(parts) } else { Kind::Or(parts) };
        let typed = Typed { ty: Type::Bool, range: tree.range.clone(), kind };
        let proves = if and {
            Proves { when_true: proved, when_false: Vec::new() }
        } else {
            Proves { when_true: Vec::new(), when_false: proved }
        };
        (typed, proves)
    }

    fn conditional(
        &mut self,
        range: Range<usize>,
        condition: &Tree,
        then: &Tree,
        otherwise: &Tree,
        scope: &Scope,
    ) -> Typed {
        let (condition, proves) = self.condition(condition, scope);
        let then = self.expr(then, &scope.with(&proves.when_true));
        let otherwise = self.expr(otherwise, &scope.with(&proves.when_false));
        let ty = self.unifier.join(&then.ty, &otherwise.ty).unwrap_or_else(|| {
            let (a, b) = (self.shown(&then.ty), self.shown(&otherwise.ty));
            let message = format!("the two sides of `?:` have unlike types: {a} and {b}");
            self.findings.push(
                CelFinding::new(codes::CEL_TYPE, then.range.clone(), message)
                    .label(a)
                    .other(otherwise.range.clone(), b),
            );
            Type::Error
        });
        Typed { ty, range, kind: Kind::If(Box::new([condition, then, otherwise])) }
    }

    /// Reports a value that is not a condition.
    fn truth(&mut self, typed: Typed) -> Typed {
        if self.unifier.unify(&typed.ty, &Type::Bool) {
            return typed;
        }
        let ty = self.shown(&typed.ty);
        let finding = CelFinding::new(
            codes::CEL_TYPE,
            typed.range.clone(),
            format!("expected a bool as the condition, found {ty}"),
        );
        let help = match self.unifier.resolve(&typed.ty) {
            Type::Record(record) => {
                let names: Vec<&str> = record.fields.iter().map(|f| f.name.as_str()).collect();
                format!("its fields are {}", names.join(", "))
            }
            Type::Map(..) => "test a key with `in`".into(),
            _ => "compare it with a value".into(),
        };
        self.findings.push(finding.label(ty).help(help));
        Typed { ty: Type::Error, ..typed }
    }

    /// A name, or a field.
    fn named(&mut self, tree: &Tree, scope: &Scope) -> Typed {
        let mut names = Vec::new();
        if names_of(tree, &mut names).is_none() {
            return match &tree.node {
                Node::Field(of, name, access) => {
                    let of = self.expr(of, scope);
                    self.field(tree.range.clone(), of, name, *access, scope)
                }
                _ => wrong(tree.range.clone()),
            };
        }
        let Some((root, root_range)) = names.first().cloned() else { return wrong(tree.range.clone()) };
        let (mut typed, used) = if let Some((_, id, ty)) = self.locals.iter().rev().find(|(n, ..)| *n == root)
        {
            (Typed { ty: ty.clone(), range: root_range, kind: Kind::Local(*id) }, 1)
        } else {
            let parts: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            match self.environment.resolve(&parts) {
                Some((Named::Variable(variable), used, full)) => {
                    let range = root_range.start..names.get(used - 1).map_or(root_range.end, |(_, r)| r.end);
                    if let Some(why) = variable.hidden {
                        return self.hidden(tree.range.clone(), root, why);
                    }
                    (Typed { ty: variable.ty.clone(), range, kind: Kind::Variable(full) }, used)
                }
                Some((Named::Type(ty), used, _)) => {
                    let range = root_range.start..names.get(used - 1).map_or(root_range.end, |(_, r)| r.end);
                    let kind = Kind::Constant(Value::Type(ty.runtime_name().into()));
                    (Typed { ty: Type::Type, range, kind }, used)
                }
                None if self.environment.is_open() => {
                    (Typed { ty: Type::Dyn, range: root_range, kind: Kind::Variable(root.to_owned()) }, 1)
                }
                None => return self.unknown_name(root, root_range, tree.range.clone()),
            }
        };
        for (name, range) in names.iter().skip(used) {
            let whole = typed.range.start..range.end;
            let name = Name { text: (*name).to_owned(), range: range.clone() };
            typed = self.field(whole, typed, &name, Access::Plain, scope);
        }
        typed.range = tree.range.clone();
        typed
    }

    fn unknown_name(&mut self, name: &str, range: Range<usize>, whole: Range<usize>) -> Typed {
        let known: Vec<String> = self
            .locals
            .iter()
            .map(|(n, ..)| n.clone())
            .chain(self.environment.names().map(str::to_owned))
            .collect();
        let finding =
            CelFinding::new(codes::CEL_UNKNOWN, range.clone(), format!("there is no {}", quoted(name)));
        let called = functions::find(name).is_some();
        self.findings.push(match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => did_you_mean(finding, range, name, near, known.iter().map(String::as_str)),
            None if called => finding.help(format!("`{name}` is a function: call it")),
            None if known.is_empty() => finding,
            None => finding
                .help(format!("a text stands in quotes: `\"{name}\"`"))
                .help(format!("names here: {}", known.join(", "))),
        });
        wrong(whole)
    }

    fn hidden(&mut self, range: Range<usize>, name: &str, why: &'static str) -> Typed {
        let finding = CelFinding::new(codes::CEL_PHASE, range.clone(), format!("`{name}` is not known here"));
        self.findings.push(finding.help(why));
        wrong(range)
    }

    /// Checks the selection `of.name`.
    fn field(&mut self, range: Range<usize>, of: Typed, name: &Name, access: Access, scope: &Scope) -> Typed {
        let of_ty = self.unifier.resolve(&of.ty);
        let (inner, optional) = through(&of_ty, access);
        let found = match inner {
            Type::Record(record) => match record.field(&name.text) {
                Some(field) => {
                    if let Some(why) = field.hidden {
                        let whole = self.text.get(range.clone()).unwrap_or(&name.text).to_owned();
                        return self.hidden(range, &whole, why);
                    }
                    let (ty, guarded) = (field.ty.clone(), field.optional);
                    let typed = Typed {
                        ty: if optional { optional_of(ty) } else { ty },
                        range,
                        kind: Kind::Field(Box::new(of), name.text.clone(), access),
                    };
                    if guarded && !optional {
                        self.guarded(&typed, &name.text, &name.range, scope);
                    }
                    return typed;
                }
                None => {
                    let message = format!("there is no {} in `{}`", quoted(&name.text), record.name);
                    let finding = CelFinding::new(codes::CEL_UNKNOWN, name.range.clone(), message);
                    let names = || record.fields.iter().map(|f| f.name.as_str());
                    self.findings.push(match nearest(&name.text, names()) {
                        Some(near) => did_you_mean(finding, name.range.clone(), &name.text, near, names()),
                        None => finding.help(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
                    });
                    return wrong(range);
                }
            },
            Type::Map(key, value) => {
                let (key, value) = (key.clone(), value.clone());
                if self.unifier.unify(&key, &Type::String) { Some(value.as_ref().clone()) } else { None }
            }
            Type::Dyn | Type::Var(_) => Some(Type::Dyn),
            Type::Error => Some(Type::Error),
            _ => None,
        };
        let Some(ty) = found else {
            let ty = self.shown(&of_ty);
            let message = format!("{ty} has no field {}", quoted(&name.text));
            let finding = CelFinding::new(codes::CEL_UNKNOWN, name.range.clone(), message);
            let method = functions::find(&name.text).is_some_and(|f| f.signatures.iter().any(|s| s.method));
            self.findings.push(if method {
                let call = format!("{}()", name.text);
                finding.help(format!("write `{call}`")).fix(name.range.clone(), call)
            } else {
                finding
            });
            return wrong(range);
        };
        let is_map = matches!(inner, Type::Map(..));
        let keys = keys_of(&of);
        let always = always_there(&of);
        let typed = Typed {
            ty: if optional { optional_of(ty) } else { ty },
            range,
            kind: Kind::Field(Box::new(of), name.text.clone(), access),
        };
        if is_map {
            self.key(keys.as_ref(), &name.text, &name.range);
            if !optional && !always {
                self.guarded(&typed, &name.text, &name.range, scope);
            }
        }
        typed
    }

    /// Checks the index `of[key]`.
    fn index(&mut self, range: Range<usize>, of: Typed, key: Typed, access: Access, scope: &Scope) -> Typed {
        let of_ty = self.unifier.resolve(&of.ty);
        let (inner, optional) = through(&of_ty, access);
        let found = match inner {
            Type::List(item) => {
                let whole = self.unifier.unify(&key.ty, &Type::Int);
                whole.then(|| item.as_ref().clone()).ok_or_else(|| "an int".to_owned())
            }
            Type::Map(expected, value) => {
                let fits = self.unifier.unify(expected, &key.ty);
                fits.then(|| value.as_ref().clone()).ok_or_else(|| self.shown(expected))
            }
            Type::Dyn | Type::Var(_) => Ok(Type::Dyn),
            Type::Error => Ok(Type::Error),
            _ => {
                let ty = self.shown(&of_ty);
                let message = format!("expected a list or a map before `[...]`, found {ty}");
                self.findings.push(CelFinding::new(codes::CEL_TYPE, of.range, message).label(ty));
                return wrong(range);
            }
        };
        let ty = match found {
            Ok(ty) => ty,
            Err(expected) => {
                let ty = self.shown(&key.ty);
                let message = format!("expected {expected} as the key, found {ty}");
                self.findings.push(CelFinding::new(codes::CEL_TYPE, key.range.clone(), message).label(ty));
                return wrong(range);
            }
        };
        let is_map = matches!(inner, Type::Map(..));
        let keys = keys_of(&of);
        let always = always_there(&of);
        let key_range = key.range.clone();
        let constant = match key.constant() {
            Some(Value::String(key)) => Some(key.to_string()),
            _ => None,
        };
        let typed = Typed {
            ty: if optional { optional_of(ty) } else { ty },
            range,
            kind: Kind::Index(Box::new(of), Box::new(key), access),
        };
        if is_map {
            if let Some(name) = &constant {
                self.key(keys.as_ref(), name, &key_range);
            }
            if !optional && !always {
                self.guarded(&typed, constant.as_deref().unwrap_or_default(), &key_range, scope);
            }
        }
        typed
    }

    /// Checks a constant key of a map of the environment.
    fn key(&mut self, keys: Option<&Keys>, key: &str, range: &Range<usize>) {
        if self.findings.iter().any(|f| f.range == *range) {
            return;
        }
        match keys {
            Some(Keys::Headers) if key.bytes().any(|b| b.is_ascii_uppercase()) => {
                let lower = key.to_ascii_lowercase();
                let written = words(self.text, range.clone());
                let finding =
                    CelFinding::new(codes::CEL_CONSTANT, range.clone(), "header names are in lower case");
                self.findings.push(
                    finding.help(format!("write `{lower}`")).fix(range.clone(), written.replace(key, &lower)),
                );
            }
            Some(Keys::Only(names)) if !names.iter().any(|n| n == key) => {
                let message = format!("no path of this rule binds {}", quoted(key));
                let finding = CelFinding::new(codes::CEL_UNKNOWN, range.clone(), message);
                let known = || names.iter().map(String::as_str);
                let written = words(self.text, range.clone());
                self.findings.push(match (slip(key, known()), nearest(key, known())) {
                    (Some(sure), _) => finding
                        .help(format!("did you mean `{sure}`?"))
                        .fix(range.clone(), written.replace(key, sure)),
                    (None, Some(near)) => finding.help(format!("did you mean `{near}`?")),
                    (None, None) => finding.help(format!("it binds {}", listed(names))),
                });
            }
            _ => {}
        }
    }

    fn list(&mut self, range: Range<usize>, items: Vec<(Access, Typed)>) -> Typed {
        let types: Vec<(Type, Range<usize>)> =
            items.iter().map(|(access, item)| self.item(*access, item)).collect();
        let item = self.one_type(&types, "a list holds values of one type");
        Typed { ty: Type::list(item), range, kind: Kind::List(items) }
    }

    fn map(&mut self, range: Range<usize>, entries: Vec<(Access, Typed, Typed)>) -> Typed {
        let keys: Vec<_> = entries.iter().map(|(_, key, _)| (key.ty.clone(), key.range.clone())).collect();
        for (_, key, _) in &entries {
            let ty = self.unifier.resolve(&key.ty);
            if !matches!(
                ty,
                Type::Bool | Type::Int | Type::Uint | Type::String | Type::Dyn | Type::Var(_) | Type::Error
            ) {
                let ty = self.shown(&ty);
                let message = format!("expected a string, int, uint or bool as the key of a map, found {ty}");
                self.findings.push(CelFinding::new(codes::CEL_TYPE, key.range.clone(), message).label(ty));
            }
        }
        let key = self.one_type(&keys, "the keys of a map have one type");
        let values: Vec<_> = entries.iter().map(|(access, _, value)| self.item(*access, value)).collect();
        let value = self.one_type(&values, "the values of a map have one type");
        Typed { ty: Type::map(key, value), range, kind: Kind::Map(entries) }
    }

    /// The type of what an element adds: `?x` adds what the optional has.
    fn item(&mut self, access: Access, item: &Typed) -> (Type, Range<usize>) {
        if access == Access::Plain {
            return (item.ty.clone(), item.range.clone());
        }
        let inner = self.unifier.fresh();
        if !self.unifier.unify(&item.ty, &Type::optional(inner.clone())) {
            let ty = self.shown(&item.ty);
            let message = format!("expected an optional value after `?`, found {ty}");
            self.findings.push(CelFinding::new(codes::CEL_TYPE, item.range.clone(), message).label(ty));
        }
        (inner, item.range.clone())
    }

    fn one_type(&mut self, types: &[(Type, Range<usize>)], rule: &str) -> Type {
        let Some((first, first_range)) = types.first() else { return self.unifier.fresh() };
        let mut joined = first.clone();
        for (ty, range) in types.iter().skip(1) {
            match self.unifier.join(&joined, ty) {
                Some(ty) => joined = ty,
                None if self.environment.is_standard() => return Type::Dyn,
                None => {
                    let (a, b) = (self.shown(&joined), self.shown(ty));
                    let finding =
                        CelFinding::new(codes::CEL_MIXED, range.clone(), format!("{rule}: {a} and {b}"));
                    self.findings.push(
                        finding
                            .label(b)
                            .other(first_range.clone(), a)
                            .help("write `dyn(...)` where unlike types are meant"),
                    );
                    return Type::Error;
                }
            }
        }
        joined
    }

    /// A type with its article, for sentences.
    fn shown(&self, ty: &Type) -> String {
        shown(&self.unifier.settle(ty))
    }
}

/// Placeholder for an expression that already has a finding.
fn wrong(range: Range<usize>) -> Typed {
    Typed { ty: Type::Error, range, kind: Kind::Wrong }
}

/// Says the nearest name; repairs the name where it surely is a slip of one.
fn did_you_mean<'a>(
    finding: CelFinding,
    range: Range<usize>,
    name: &str,
    near: &str,
    known: impl Iterator<Item = &'a str>,
) -> CelFinding {
    let sure = slip(name, known);
    let words = format!("did you mean `{}`?", sure.unwrap_or(near));
    let finding = finding.label(words.clone()).help(words);
    match sure {
        Some(sure) => finding.fix(range, sure),
        None => finding,
    }
}

/// `a`, `b` in backticks; `none`.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// `a type` or `an type`.
fn shown(ty: &Type) -> String {
    match ty {
        Type::Record(record) => format!("the record `{}`", record.name),
        Type::Null => "null".into(),
        ty => {
            let name = ty.to_string();
            let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            format!("{article} {name}")
        }
    }
}

/// The type that is read through a value of this type, and whether it is read as an optional: written so, or through
/// one.
fn through(ty: &Type, access: Access) -> (&Type, bool) {
    match ty {
        Type::Optional(inner) => (inner, true),
        other => (other, access == Access::Optional),
    }
}

fn optional_of(ty: Type) -> Type {
    match ty {
        Type::Optional(_) => ty,
        ty => Type::optional(ty),
    }
}

/// The type of a constant.
pub(super) fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Uint(_) => Type::Uint,
        Value::Double(_) => Type::Double,
        Value::String(_) => Type::String,
        Value::Bytes(_) => Type::Bytes,
        Value::Timestamp(_) => Type::Timestamp,
        Value::Duration(_) => Type::Duration,
        Value::List(items) => Type::list(items.first().map_or(Type::Dyn, type_of)),
        Value::Map(map) => match map.iter().next() {
            Some((key, value)) => Type::map(type_of(key), type_of(value)),
            None => Type::map(Type::Dyn, Type::Dyn),
        },
        Value::Optional(inner) => Type::optional(inner.as_deref().map_or(Type::Dyn, type_of)),
        Value::Type(_) => Type::Type,
        Value::Ip(_) => Type::Ip,
        Value::Cidr(..) => Type::Cidr,
        Value::Url(_) => Type::Url,
        Value::Semver(_) => Type::Semver,
        Value::Quantity(unit, _) => Type::Quantity(*unit),
    }
}

/// The declared keys of a map that a record of the environment has.
fn keys_of(of: &Typed) -> Option<Keys> {
    field_of(of).map(|field| field.keys.clone())
}

/// True for a map whose every key that passes [`Checker::key`] has a value.
fn always_there(of: &Typed) -> bool {
    field_of(of).is_some_and(|field| field.total || matches!(field.keys, Keys::Only(_)))
}

/// The declaration of a field that is read.
fn field_of(typed: &Typed) -> Option<&Field> {
    let Kind::Field(of, name, _) = &typed.kind else { return None };
    match &of.ty {
        Type::Record(record) => record.field(name),
        _ => None,
    }
}

/// The operands of a chain of one operator, however it is balanced.
fn flatten<'t>(tree: &'t Tree, op: &str, parts: &mut Vec<&'t Tree>) {
    match &tree.node {
        Node::Operator(other, arguments) if *other == op => {
            arguments.iter().for_each(|argument| flatten(argument, op, parts));
        }
        _ => parts.push(tree),
    }
}

/// The names of `a.b.c` with their words; `None` for anything else.
fn names_of<'t>(tree: &'t Tree, names: &mut Vec<(&'t str, Range<usize>)>) -> Option<()> {
    match &tree.node {
        Node::Ident(name) => names.push((name, tree.range.clone())),
        Node::Field(of, name, Access::Plain) => {
            names_of(of, names)?;
            names.push((&name.text, name.range.clone()));
        }
        _ => return None,
    }
    Some(())
}
