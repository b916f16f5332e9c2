//! Macros: calls whose arguments are names and bodies.

use std::ops::Range;

use super::guards::Scope;
use super::{Checker, wrong};
use crate::cel::CelFinding;
use crate::cel::tree::{Access, Name, Node, Tree};
use crate::cel::typed::{Fold, FoldKind, Kind, Typed};
use crate::cel::types::Type;
use crate::diag::codes;

/// The names of macros, for suggestions.
pub(super) const NAMES: &[&str] = &[
    "has",
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "map",
    "filter",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "sortBy",
    "optMap",
    "optFlatMap",
    "cel.bind",
];

impl Checker<'_> {
    /// A macro; `None` for what is a plain call.
    pub(super) fn macro_call(
        &mut self,
        range: &Range<usize>,
        target: Option<&Tree>,
        name: &Name,
        arguments: &[Tree],
        scope: &Scope,
    ) -> Option<Typed> {
        let range = range.clone();
        match (target, name.text.as_str(), arguments) {
            (None, "has", [of]) => Some(self.has(range, of, scope)),
            (None, "has", [of, key]) => {
                let words = |tree: &Tree| self.text.get(tree.range.clone()).unwrap_or_default();
                let help = format!("a key of a map is asked for with `{} in {}`", words(key), words(of));
                let finding = CelFinding::new(
                    codes::CEL_ARGUMENTS,
                    range.clone(),
                    "`has` takes one field: `has(value.field)`",
                );
                self.findings.push(finding.help(help));
                Some(wrong(range))
            }
            (Some(target), "bind", [variable, value, body]) if matches!(&target.node, Node::Ident(root) if root == "cel") =>
            {
                let Some(variable) = self.variable(variable) else { return Some(wrong(range)) };
                let value = self.expr(value, scope);
                let id = self.enter(variable, value.ty.clone());
                let body = self.expr(body, scope);
                self.locals.pop();
                let ty = body.ty.clone();
                Some(Typed { ty, range, kind: Kind::Bind(id, Box::new(value), Box::new(body)) })
            }
            (Some(target), flat @ ("optMap" | "optFlatMap"), [variable, body]) => {
                let target = self.expr(target, scope);
                let inner = self.unifier.fresh();
                self.fits(&target, &Type::optional(inner.clone()), "an optional value");
                let Some(variable) = self.variable(variable) else { return Some(wrong(range)) };
                let id = self.enter(variable, inner);
                let body = self.expr(body, &scope.body());
                self.locals.pop();
                let flat = flat == "optFlatMap";
                let ty = if flat {
                    let inner = self.unifier.fresh();
                    self.fits(&body, &Type::optional(inner.clone()), "an optional value");
                    Type::optional(inner)
                } else {
                    Type::optional(body.ty.clone())
                };
                Some(Typed { ty, range, kind: Kind::OptMap(id, Box::new(target), Box::new(body), flat) })
            }
            (Some(target), name, arguments) => {
                let kind = match (name, arguments.len()) {
                    ("all", 2 | 3) => FoldKind::All,
                    ("exists", 2 | 3) => FoldKind::Exists,
                    ("exists_one", 2) | ("existsOne", 2 | 3) => FoldKind::ExistsOne,
                    ("map", 2 | 3) | ("transformList", 3 | 4) => FoldKind::Map,
                    ("filter", 2) => FoldKind::Filter,
                    ("transformMap", 3 | 4) => FoldKind::TransformMap,
                    ("transformMapEntry", 3 | 4) => FoldKind::TransformMapEntry,
                    ("sortBy", 2) => FoldKind::SortBy,
                    _ => return None,
                };
                let two = match kind {
                    FoldKind::Map => name == "transformList",
                    FoldKind::TransformMap | FoldKind::TransformMapEntry => true,
                    FoldKind::Filter | FoldKind::SortBy => false,
                    _ => arguments.len() == 3,
                };
                Some(self.fold(range, kind, two, target, arguments, scope))
            }
            _ => None,
        }
    }

    fn fold(
        &mut self,
        range: Range<usize>,
        kind: FoldKind,
        two: bool,
        target: &Tree,
        arguments: &[Tree],
        scope: &Scope,
    ) -> Typed {
        let over = self.expr(target, scope);
        let (first_type, second_type) = match self.unifier.resolve(&over.ty) {
            Type::List(item) if two => (Type::Int, Some(item.as_ref().clone())),
            Type::List(item) => (item.as_ref().clone(), None),
            Type::Map(key, value) => (key.as_ref().clone(), two.then(|| value.as_ref().clone())),
            ty @ (Type::Dyn | Type::Error | Type::Var(_)) => {
                let ty = if ty == Type::Error { Type::Error } else { Type::Dyn };
                (ty.clone(), two.then_some(ty))
            }
            ty => {
                let ty = self.shown(&ty);
                let message = format!("expected a list or a map for the macro, found {ty}");
                self.findings.push(CelFinding::new(codes::CEL_TYPE, over.range.clone(), message).label(ty));
                return wrong(range);
            }
        };
        let names = arguments.get(..if two { 2 } else { 1 }).unwrap_or_default();
        let rest = arguments.get(names.len()..).unwrap_or_default();
        let mut variables = Vec::new();
        for name in names {
            match self.variable(name) {
                Some(name) if variables.contains(&name) => {
                    let message = format!("both variables are called `{name}`");
                    let place = names.get(1).map_or(range.clone(), |n| n.range.clone());
                    self.findings.push(CelFinding::new(codes::CEL_ARGUMENTS, place, message));
                    return wrong(range);
                }
                Some(name) => variables.push(name),
                None => return wrong(range),
            }
        }
        let first = self.enter(variables.first().cloned().unwrap_or_default(), first_type.clone());
        let second = second_type.map(|ty| self.enter(variables.get(1).cloned().unwrap_or_default(), ty));
        let inner = scope.body();
        let (filter, body) = match rest {
            [filter, body] => (Some(self.condition(filter, &inner).0), self.expr(body, &inner)),
            [body] => match kind {
                FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne | FoldKind::Filter => {
                    (None, self.condition(body, &inner).0)
                }
                _ => (None, self.expr(body, &inner)),
            },
            _ => (None, wrong(range.clone())),
        };
        self.locals.truncate(self.locals.len().saturating_sub(1 + usize::from(second.is_some())));
        let ty = match kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => Type::Bool,
            FoldKind::Map => Type::list(body.ty.clone()),
            FoldKind::Filter => Type::list(first_type),
            FoldKind::SortBy => over.ty.clone(),
            FoldKind::TransformMap => match self.unifier.resolve(&over.ty) {
                Type::Map(key, _) => Type::map(key.as_ref().clone(), body.ty.clone()),
                Type::List(_) => Type::map(Type::Int, body.ty.clone()),
                _ => Type::map(Type::Dyn, body.ty.clone()),
            },
            FoldKind::TransformMapEntry => body.ty.clone(),
        };
        let fold = Fold { kind, over, first, second, filter, body };
        Typed { ty, range, kind: Kind::Fold(Box::new(fold)) }
    }

    /// Checks the presence test `has(of.name)`.
    fn has(&mut self, range: Range<usize>, tree: &Tree, scope: &Scope) -> Typed {
        let Node::Field(of, name, Access::Plain) = &tree.node else {
            let message = "`has` takes a field: `has(value.field)`";
            let finding = CelFinding::new(codes::CEL_ARGUMENTS, tree.range.clone(), message);
            let words = |tree: &Tree| self.text.get(tree.range.clone()).unwrap_or_default();
            let help = match &tree.node {
                Node::Index(of, key, _) => format!("write `{} in {}`", words(key), words(of)),
                _ => format!("whether a text is there is asked with `{} != \"\"`", words(tree)),
            };
            self.findings.push(finding.help(help));
            return wrong(range);
        };
        let of = self.expr(of, scope);
        // Read as an optional, it needs no guard; and a field that does not exist is found.
        let read = self.field(tree.range.clone(), of.clone(), name, Access::Optional, scope);
        if read.ty == Type::Error {
            return Typed { ty: Type::Bool, range, kind: Kind::Wrong };
        }
        Typed { ty: Type::Bool, range, kind: Kind::Has(Box::new(of), name.text.clone()) }
    }

    /// The name that a macro binds.
    fn variable(&mut self, tree: &Tree) -> Option<String> {
        match &tree.node {
            Node::Ident(name) if !name.starts_with('.') => Some(name.clone()),
            // Where an optimiser has been, the name is a call.
            Node::Call(Some(_), name, _) if name.text == "iterVar" => {
                self.unknown_function(
                    tree.range.clone(),
                    &Name { text: "cel.iterVar".into(), ..name.clone() },
                );
                None
            }
            _ => {
                let message = "a macro's variable is a plain name";
                self.findings.push(CelFinding::new(codes::CEL_ARGUMENTS, tree.range.clone(), message));
                None
            }
        }
    }

    fn enter(&mut self, name: String, ty: Type) -> u32 {
        self.numbers += 1;
        self.locals.push((name, self.numbers, ty));
        self.numbers
    }

    fn fits(&mut self, typed: &Typed, due: &Type, shown: &str) {
        if !self.unifier.unify(&typed.ty, due) {
            let ty = self.shown(&typed.ty);
            let message = format!("expected {shown}, found {ty}");
            self.findings.push(CelFinding::new(codes::CEL_TYPE, typed.range.clone(), message).label(ty));
        }
    }
}
