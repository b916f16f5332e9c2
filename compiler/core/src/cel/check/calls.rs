//! Calls: which signature of a function takes the arguments.

use std::ops::Range;

use super::guards::Scope;
use super::{Checker, did_you_mean, wrong};
use crate::cel::CelFinding;
use crate::cel::functions::{self, Known, Signature};
use crate::cel::tree::{Name, Tree};
use crate::cel::typed::{Call, Kind, Typed};
use crate::cel::types::Type;
use crate::diag::{codes, nearest, quoted};

impl Checker<'_> {
    /// `name(arguments)` or `target.name(arguments)`.
    pub(super) fn call(
        &mut self,
        range: Range<usize>,
        target: Option<&Tree>,
        name: &Name,
        arguments: &[Tree],
        scope: &Scope,
    ) -> Typed {
        if let Some(typed) = self.macro_call(&range, target, name, arguments, scope) {
            return typed;
        }
        if let Some(target) = target
            && let Some((full, words)) = self.qualified(target, name)
        {
            let arguments = arguments.iter().map(|a| self.expr(a, scope)).collect();
            return self.function(range, &Name { text: full, range: words }, false, arguments, scope);
        }
        let method = target.is_some();
        let arguments: Vec<Typed> =
            target.into_iter().chain(arguments).map(|a| self.expr(a, scope)).collect();
        self.function(range, name, method, arguments, scope)
    }

    /// An operator of the library.
    pub(super) fn call_operator(
        &mut self,
        op: &str,
        range: Range<usize>,
        arguments: Vec<Typed>,
        scope: &Scope,
    ) -> Typed {
        let Some(known) = functions::find(op) else { return wrong(range) };
        match self.overload(&known.signatures, false, &arguments) {
            Some(ty) => self.called(known, range, ty, arguments, scope),
            None => {
                self.operands(op, &arguments);
                let ty = if matches!(op, "+" | "-" | "*" | "/" | "%") { Type::Error } else { Type::Bool };
                Typed { ty, range, kind: Kind::Wrong }
            }
        }
    }

    /// `item in of`
    pub(super) fn membership(&mut self, range: Range<usize>, arguments: Vec<Typed>, scope: &Scope) -> Typed {
        if let [key, of] = arguments.as_slice()
            && let Some(keys) = super::keys_of(of)
            && let Some(crate::cel::value::Value::String(name)) = key.constant()
        {
            let (name, key_range) = (name.to_string(), key.range.clone());
            self.key(Some(&keys), &name, &key_range);
        }
        self.call_operator("in", range, arguments, scope)
    }

    fn called(
        &self,
        known: &Known,
        range: Range<usize>,
        ty: Type,
        arguments: Vec<Typed>,
        scope: &Scope,
    ) -> Typed {
        let proven = self.proven(known.function.name, &arguments, scope);
        Typed { ty, range, kind: Kind::Call(Box::new(Call { function: known.function, arguments, proven })) }
    }

    /// `math.abs` where `math` is not a variable.
    fn qualified(&self, target: &Tree, name: &Name) -> Option<(String, Range<usize>)> {
        let mut names = Vec::new();
        super::names_of(target, &mut names)?;
        let (root, _) = names.first()?;
        if self.locals.iter().any(|(local, ..)| local == root) {
            return None;
        }
        let parts: Vec<&str> = names.iter().map(|(n, _)| *n).collect();
        let full = format!("{}.{}", parts.join(".").trim_start_matches('.'), name.text);
        let known = functions::find(&full).is_some() || self.environment.declared(&full).is_some();
        let namespace =
            parts.len() == 1 && NAMESPACES.contains(root) && self.environment.resolve(&parts).is_none();
        (known || namespace).then_some((full, target.range.start..name.range.end))
    }

    fn function(
        &mut self,
        range: Range<usize>,
        name: &Name,
        method: bool,
        arguments: Vec<Typed>,
        scope: &Scope,
    ) -> Typed {
        if let Some(signatures) = self.environment.declared(&name.text) {
            return match self.overload(signatures, method, &arguments) {
                Some(ty) => Typed { ty, range, kind: Kind::Declared(arguments) },
                None => self.refused(range, name, method, signatures, &arguments),
            };
        }
        let plain = name.text.trim_start_matches('.');
        match functions::find(plain).filter(|_| !is_operator(plain)) {
            None => self.unknown_function(range, name),
            Some(known) => match self.overload(&known.signatures, method, &arguments) {
                Some(ty) => self.called(known, range, ty, arguments, scope),
                None => self.refused(range, name, method, &known.signatures, &arguments),
            },
        }
    }

    /// The type of the result of the signature that takes the arguments; `dyn` where several do and differ.
    fn overload(&mut self, signatures: &[Signature], method: bool, arguments: &[Typed]) -> Option<Type> {
        let mut fitting: Option<(Type, Option<crate::cel::types::Unifier>)> = None;
        for signature in signatures.iter().filter(|s| s.method == method && takes(s, arguments.len())) {
            let mut trial = self.unifier.clone();
            let mut types = signature.parameters.clone();
            types.push(signature.result.clone());
            let mut types = trial.instantiate(&types);
            let result = types.pop()?;
            let last = types.last().cloned();
            let parameters =
                types.iter().chain(last.iter().cycle().take(arguments.len().saturating_sub(types.len())));
            let fits =
                parameters.zip(arguments).all(|(parameter, argument)| trial.unify(parameter, &argument.ty));
            if !fits {
                continue;
            }
            fitting = Some(match fitting {
                None => (result, Some(trial)),
                Some((other, unifier)) => {
                    let other = unifier.as_ref().map_or(other.clone(), |u| u.settle(&other));
                    let same = other == trial.settle(&result);
                    (if same { other } else { Type::Dyn }, None)
                }
            });
        }
        let (ty, unifier) = fitting?;
        if let Some(unifier) = unifier {
            self.unifier = unifier;
        }
        Some(ty)
    }

    /// Says why a known function does not take its arguments.
    fn refused(
        &mut self,
        range: Range<usize>,
        name: &Name,
        method: bool,
        signatures: &[Signature],
        arguments: &[Typed],
    ) -> Typed {
        let ty = match signatures {
            [first, rest @ ..] if rest.iter().all(|s| s.result == first.result) => first.result.clone(),
            _ => Type::Error,
        };
        let result = Typed { ty, range: range.clone(), kind: Kind::Wrong };
        if arguments.iter().any(|a| self.unifier.resolve(&a.ty) == Type::Error) {
            return result;
        }
        let help = functions::find(&name.text).map(|known| {
            let rows = known.function.signatures.iter().zip(&known.signatures);
            let same: Vec<&str> = rows.filter(|(_, s)| s.method == method).map(|(text, _)| *text).collect();
            same.join("; ")
        });
        let plain = &name.text;
        let finding = if !signatures.iter().any(|s| s.method == method) {
            let message = if method {
                format!("`{plain}` is a function, not a method: write `{plain}(...)`")
            } else {
                format!("`{plain}` is a method: write `value.{plain}(...)`")
            };
            self.restyled(
                CelFinding::new(codes::CEL_ARGUMENTS, name.range.clone(), message),
                plain,
                method,
                &range,
                arguments,
            )
        } else if !signatures.iter().any(|s| s.method == method && takes(s, arguments.len())) {
            let given = arguments.len() - usize::from(method);
            let message =
                format!("`{plain}` does not take {given} argument{}", if given == 1 { "" } else { "s" });
            CelFinding::new(codes::CEL_ARGUMENTS, name.range.clone(), message)
        } else {
            // The first argument that no signature takes at its place.
            let bad = (0..arguments.len()).find(|i| {
                let ty = arguments.get(*i).map(|a| a.ty.clone()).unwrap_or(Type::Error);
                !signatures.iter().filter(|s| s.method == method).any(|s| {
                    let parameter = s.parameters.get(*i).or(s.parameters.last().filter(|_| s.variadic));
                    parameter.is_some_and(|p| {
                        let mut trial = self.unifier.clone();
                        let own = trial.instantiate(std::slice::from_ref(p));
                        own.first().is_some_and(|p| trial.unify(p, &ty))
                    })
                })
            });
            match bad.and_then(|i| arguments.get(i).map(|a| (i, a))) {
                Some((i, argument)) => {
                    let ty = self.shown(&argument.ty);
                    let message = if method && i == 0 {
                        format!("`{plain}` is not a method of {ty}")
                    } else {
                        format!("`{plain}` does not take {ty} here")
                    };
                    CelFinding::new(codes::CEL_TYPE, argument.range.clone(), message).label(ty)
                }
                None => {
                    let types: Vec<String> =
                        arguments.iter().map(|a| self.unifier.settle(&a.ty).to_string()).collect();
                    let message = format!("`{plain}` does not take {}", types.join(" and "));
                    CelFinding::new(codes::CEL_TYPE, range, message)
                }
            }
        };
        self.findings.push(match help {
            Some(help) if finding.helps.is_empty() && !help.is_empty() => {
                finding.help(format!("it is {help}"))
            }
            _ => finding,
        });
        result
    }

    /// The repair of `f(a, b)` that is `a.f(b)`, or the other way round.
    fn restyled(
        &self,
        finding: CelFinding,
        name: &str,
        method: bool,
        range: &Range<usize>,
        arguments: &[Typed],
    ) -> CelFinding {
        let words: Option<Vec<&str>> = arguments.iter().map(|a| self.text.get(a.range.clone())).collect();
        let Some([first, rest @ ..]) = words.as_deref() else { return finding };
        let simple = arguments
            .first()
            .is_some_and(|a| !matches!(a.kind, Kind::Call(_) | Kind::And(_) | Kind::Or(_) | Kind::If(_)));
        if !simple {
            return finding;
        }
        let rest = rest.join(", ");
        let text = match (method, rest.is_empty()) {
            (true, true) => format!("{name}({first})"),
            (true, false) => format!("{name}({first}, {rest})"),
            (false, _) => format!("{first}.{name}({rest})"),
        };
        finding.fix(range.clone(), text)
    }

    pub(super) fn unknown_function(&mut self, range: Range<usize>, name: &Name) -> Typed {
        let plain = &name.text;
        if let Some((_, why)) = OUTSIDE.iter().find(|(outside, _)| outside == plain) {
            let message = format!("`{plain}` is outside of the language of meshes");
            self.findings.push(CelFinding::new(codes::CEL_OUTSIDE, name.range.clone(), message).help(*why));
            return wrong(range);
        }
        let message = format!("there is no function {}", quoted(plain));
        let finding = CelFinding::new(codes::CEL_UNKNOWN, name.range.clone(), message);
        let known = || {
            let functions = functions::all().map(|k| k.function.name).filter(|n| !is_operator(n));
            functions.chain(super::macros::NAMES.iter().copied())
        };
        self.findings.push(match nearest(plain, known()) {
            Some(near) => did_you_mean(finding, name.range.clone(), plain, near, known()),
            None => finding.help("`docs/cel.md` lists the functions"),
        });
        wrong(range)
    }
}

/// Namespaces of the library; a call in one of them is not a method.
const NAMESPACES: &[&str] =
    &["math", "strings", "lists", "sets", "optional", "cel", "base64", "regex", "net"];

/// Functions that others have, and why we do not.
const OUTSIDE: &[(&str, &str)] = &[
    ("cel.block", "it is made by optimisers, not written by people"),
    ("cel.index", "it is made by optimisers, not written by people"),
    ("cel.iterVar", "it is made by optimisers, not written by people"),
    ("proto.hasExt", "there are no protocol buffers here"),
    ("proto.getExt", "there are no protocol buffers here"),
];

fn is_operator(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_alphabetic()) || name == "in"
}

fn takes(signature: &Signature, count: usize) -> bool {
    let due = signature.parameters.len();
    if signature.variadic { count >= due } else { count == due }
}
