//! The parts of `docs/cel.md` that are written from the tables: variables and functions.

use std::fmt::Write as _;

use super::functions::{Function, GROUPS};
use super::lower;
use super::request::{self, Phase};
use super::types::{Field, Type};

/// The variables of rules on requests, as a table in Markdown.
#[must_use]
pub fn variables() -> String {
    let (inbound, outbound) =
        (request::environment(Phase::Inbound, &[]), request::environment(Phase::Outbound, &[]));
    let mut out = String::from("| name | type | what it is | in a Route's `when` |\n|---|---|---|---|\n");
    for root in inbound.fields() {
        let early = outbound.fields().any(|other| other.name == root.name && other.hidden.is_none());
        match &root.ty {
            Type::Record(record) if root.hidden.is_none() => {
                for field in &record.fields {
                    row(&mut out, &format!("{}.{}", root.name, field.name), field, early);
                }
            }
            _ => row(&mut out, &root.name, root, early),
        }
    }
    out
}

fn row(out: &mut String, name: &str, field: &Field, early: bool) {
    let early = match (field.hidden, early) {
        (Some(_), _) => "nowhere yet",
        (None, true) => "yes",
        (None, false) => "no",
    };
    let ty = match &field.ty {
        Type::Record(_) => String::new(),
        ty => format!("{ty}"),
    };
    let what = match field.hidden {
        Some(why) => format!("{}: {why}", field.doc),
        None => field.doc.to_owned(),
    };
    let _ = writeln!(out, "| `{name}` | {ty} | {what} | {early} |");
}

/// All functions and operators by group, as tables in Markdown.
#[must_use]
pub fn functions() -> String {
    let mut out = String::new();
    for (group, functions) in GROUPS {
        let _ = write!(out, "### {group}\n\n| function | what it gives | on requests |\n|---|---|---|\n");
        for function in *functions {
            let signatures: Vec<String> =
                function.signatures.iter().map(|s| format!("`{}`", shown(s, function))).collect();
            let requests = if lower::EVALUATED.contains(&function.name) { "yes" } else { "constants" };
            let _ = writeln!(
                out,
                "| {} | {} | {requests} |",
                signatures.join("<br>"),
                function.doc.replace('|', "\\|")
            );
        }
        out.push('\n');
    }
    out.trim_end().to_owned() + "\n"
}

/// A signature as people write the call: operators between their operands.
fn shown(signature: &str, function: &Function) -> String {
    let operator = function.name;
    let infix = !operator.starts_with(|c: char| c.is_alphabetic()) || operator == "in";
    let Some(inner) = signature.strip_prefix(operator).and_then(|s| s.strip_prefix('(')).filter(|_| infix)
    else {
        return signature.replace('|', "\\|");
    };
    let Some((operands, result)) = inner.rsplit_once(") -> ") else { return signature.to_owned() };
    let mut depth = 0;
    let comma = operands.find(|c: char| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    });
    match comma.and_then(|at| Some((operands.get(..at)?, operands.get(at + 1..)?.trim()))) {
        Some((left, right)) => format!("{left} {operator} {right} -> {result}"),
        None => format!("{operator}{operands} -> {result}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_are_written_from_the_tables() {
        crate::tests::page_is_written(
            "docs/cel.md",
            &[("variables", variables()), ("functions", functions())],
        );
    }

    #[test]
    fn what_is_said_to_be_evaluated_exists() {
        for name in lower::EVALUATED {
            assert!(super::super::functions::find(name).is_some(), "{name}");
        }
    }
}
