//! CEL: parsed by the `cel` crate, then ours.
//!
//! Text → tokens within bounds → tree with the words of every node (`parse`, `tree`) → names, types and guards over a
//! closed environment (`check`) → constants worked out (`fold`, `constants`) → code that travels in the bundle (`lower`).
//! Policies over objects end after the check: they are evaluated here (`evaluate`).

mod check;
mod constants;
pub mod environment;
pub mod evaluate;
mod finding;
mod fold;
pub mod functions;
mod habits;
mod lower;
mod parse;
pub mod reference;
mod request;
mod tree;
pub mod typed;
pub mod types;
pub mod value;
mod words;

use mesh_bundle::expr::{Expression, Op};
use mesh_bundle::program::RateKey;

pub(crate) use constants::{message, reason};
pub use environment::Environment;
pub use finding::CelFinding;
pub use request::Phase;
pub use typed::Typed;
pub(crate) use words::words;

use crate::diag::codes;

/// Compiles the condition of a rule on requests. `params` are the names that the rule's paths bind; `deny` says that
/// the rule takes a request where its condition fails.
///
/// Bounds: [`mesh_bundle::limits::EXPR_TEXT`] bytes, `EXPR_NODES` nodes, depth `EXPR_DEPTH`, `EXPR_COST` units; size and
/// depth are checked before parsing, so hostile text costs no more than reading it.
///
/// # Errors
/// Every finding of the expression; never empty.
pub fn condition(
    text: &str,
    phase: Phase,
    params: &[&str],
    deny: bool,
) -> Result<Expression, Vec<CelFinding>> {
    let environment = request::environment(phase, params);
    let environment = if deny { environment.true_if_absent() } else { environment };
    let tree = parse::parse(text)?;
    let (typed, findings) = check::check_condition(&tree, text, &environment);
    let whole = typed.range.clone();
    let expression = compile(typed, findings, text)?;
    match expression.code.root().map(|root| root.op()) {
        Some(Op::Bool(false)) => {
            let message = "the condition is always false, so the rule matches no request";
            Err(vec![
                CelFinding::new(codes::CEL_CONSTANT, whole, message)
                    .help("take the rule out, or say `enabled: false`"),
            ])
        }
        _ => Ok(expression),
    }
}

/// Compiles a quota key: an expression of type string. A key that is absent shares one bucket, so a key that is one
/// place of the request needs no guard.
///
/// # Errors
/// Every finding of the expression; never empty.
pub fn key(text: &str, phase: Phase) -> Result<RateKey, Vec<CelFinding>> {
    let environment = request::environment(phase, &[]);
    let tree = parse::parse(text)?;
    let (typed, mut findings) = check::check(&tree, text, &environment);
    if let Some(request::Place::Slot(slot)) = request::place(&typed)
        && slot.ty() == mesh_bundle::expr::Type::Text
        && findings.iter().all(|f| f.code == codes::CEL_UNGUARDED)
    {
        return Ok(RateKey::Slot(slot));
    }
    if findings.is_empty() && (typed.ty != types::Type::String || typed.constant().is_some()) {
        let message = "a quota key is one text of the request";
        findings.push(CelFinding::new(codes::CEL_OUTSIDE, typed.range.clone(), message).help(
            "write `caller`, `service`, `header:x-tenant`, or a field such as `request.headers[\"x-tenant\"]`",
        ));
    }
    compile(typed, findings, text).map(RateKey::Expression)
}

fn compile(typed: Typed, mut findings: Vec<CelFinding>, text: &str) -> Result<Expression, Vec<CelFinding>> {
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut steps = fold::STEPS;
    let (typed, found) = fold::fold(typed, &mut steps);
    findings.extend(found);
    constants::patterns(&typed, text, &mut findings);
    constants::check(&typed, text, &mut findings);
    if !findings.is_empty() {
        return Err(findings);
    }
    let code = lower::lower(&typed, text, lower::Constants::Folded, steps)?;
    Ok(Expression { code, text: text.to_owned() })
}

/// Compiles an expression of type bool or string as [`condition`] does, but leaves constants to the proxy: so a test reaches
/// its evaluator with expressions that name no request.
///
/// # Errors
/// Every finding; never empty.
pub fn unfolded(text: &str, environment: &Environment) -> Result<Expression, Vec<CelFinding>> {
    let typed = checked(text, environment)?;
    lower::lower(&typed, text, lower::Constants::Kept, 0)
        .map(|code| Expression { code, text: text.to_owned() })
}

/// Parses and checks an expression of any environment.
///
/// # Errors
/// Every finding; never empty.
pub fn checked(text: &str, environment: &Environment) -> Result<Typed, Vec<CelFinding>> {
    let tree = parse::parse(text)?;
    let (typed, findings) = check::check(&tree, text, environment);
    if findings.is_empty() { Ok(typed) } else { Err(findings) }
}

/// The environment of rules on requests.
#[must_use]
pub fn requests(phase: Phase) -> Environment {
    request::environment(phase, &[])
}

/// As [`checked_condition`], with the constants worked out and patterns checked.
///
/// # Errors
/// Every finding; never empty.
pub fn folded_condition(text: &str, environment: &Environment) -> Result<Typed, Vec<CelFinding>> {
    let mut steps = fold::STEPS;
    let (typed, mut findings) = fold::fold(checked_condition(text, environment)?, &mut steps);
    constants::patterns(&typed, text, &mut findings);
    if findings.is_empty() { Ok(typed) } else { Err(findings) }
}

/// As [`checked`], for an expression that must be bool.
///
/// # Errors
/// Every finding; never empty.
pub fn checked_condition(text: &str, environment: &Environment) -> Result<Typed, Vec<CelFinding>> {
    let tree = parse::parse(text)?;
    let (typed, findings) = check::check_condition(&tree, text, environment);
    if findings.is_empty() { Ok(typed) } else { Err(findings) }
}

#[cfg(test)]
mod tests;
