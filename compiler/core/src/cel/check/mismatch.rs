//! Values of unlike types: what is said, and the repair where the text says what was meant.

use std::ops::Range;

use mesh_bundle::expr::text_literal;

use super::Checker;
use crate::cel::CelFinding;
use crate::cel::typed::{Kind, Typed};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::diag::codes;

impl Checker<'_> {
    /// The finding of an operator that does not take its operands.
    pub(super) fn operands(&mut self, op: &str, arguments: &[Typed]) {
        let types: Vec<Type> = arguments.iter().map(|a| self.unifier.settle(&a.ty)).collect();
        if types.contains(&Type::Error) {
            return;
        }
        let (left, right) = match (arguments, types.as_slice()) {
            ([left, right], [_, _]) => (left, right),
            ([only], [ty]) => {
                let message = format!("`{op}` does not take {}", super::shown(ty));
                self.findings.push(CelFinding::new(codes::CEL_TYPE, only.range.clone(), message));
                return;
            }
            _ => return,
        };
        let (a, b) = (self.shown(&left.ty), self.shown(&right.ty));
        let message = match op {
            "==" | "!=" | "<" | "<=" | ">" | ">=" if types.first() == types.get(1) => {
                format!(
                    "`{op}` does not take two values of the type {}",
                    types.first().unwrap_or(&Type::Error)
                )
            }
            "==" | "!=" | "<" | "<=" | ">" | ">=" => format!("{a} is compared with {b}"),
            "in" if matches!(types.get(1), Some(Type::List(_) | Type::Map(..))) => {
                format!("{a} is looked for in {b}")
            }
            "in" => format!("expected a list or a map after `in`, found {b}"),
            _ => format!("`{op}` does not take {a} and {b}"),
        };
        let mut finding = if op == "in" && !matches!(types.get(1), Some(Type::List(_) | Type::Map(..))) {
            CelFinding::new(codes::CEL_TYPE, right.range.clone(), message).label(b)
        } else {
            CelFinding::new(codes::CEL_TYPE, left.range.clone(), message)
                .label(a)
                .other(right.range.clone(), b)
        };
        let reads_text =
            |side: &Typed, ty: Option<&Type>| ty == Some(&Type::String) && side.constant().is_none();
        if matches!(op, "<" | "<=" | ">" | ">=")
            && types.contains(&Type::Int)
            && (reads_text(left, types.first()) || reads_text(right, types.get(1)))
        {
            // In quotes the comparison would be of texts, which puts "99" behind "100".
            finding = finding.help(self.ordered_text(left, right));
        } else if let (false, [ta, tb]) = (op == "in", types.as_slice())
            && let Some((range, text)) = repair(left, tb).or_else(|| repair(right, ta))
        {
            finding = finding.help(format!("write `{text}`")).fix(range, text);
        } else if matches!(types.as_slice(), [Type::Record(_), _] | [_, Type::Record(_)]) {
            let record = types.iter().find_map(|t| match t {
                Type::Record(record) => Some(record),
                _ => None,
            });
            let names: Vec<&str> =
                record.iter().flat_map(|r| r.fields.iter()).map(|f| f.name.as_str()).collect();
            finding = finding.help(format!("its fields are {}", names.join(", ")));
        } else if types.iter().all(Type::is_number) {
            finding = finding.help("convert one: `int(...)`, `uint(...)`, `double(...)`");
        } else if let Some(unit) = types.iter().find_map(|t| match t {
            Type::Quantity(unit) => Some(unit.name()),
            Type::Duration => Some("duration"),
            Type::Timestamp => Some("timestamp"),
            _ => None,
        }) {
            finding = finding.help(format!("write a value of the unit: `{unit}(\"...\")`"));
        }
        self.findings.push(finding);
    }
}

impl Checker<'_> {
    /// What to write where a text is compared by size with a number.
    fn ordered_text(&self, left: &Typed, right: &Typed) -> String {
        let text = [left, right].into_iter().find(|side| side.constant().is_none());
        let words = text.and_then(|side| self.text.get(side.range.clone())).unwrap_or_default();
        if words.contains("content-length") {
            return "the length of the body is a number: `request.size`".to_owned();
        }
        "texts compare letter by letter (`\"99\" > \"100\"`): match the digits, as in `.matches(\"[1-9][0-9]{3,}\")` for \
         1000 and more"
            .to_owned()
    }
}

/// A constant written as the expected type, where that is certain.
fn repair(constant: &Typed, due: &Type) -> Option<(Range<usize>, String)> {
    let Kind::Constant(value) = &constant.kind else { return None };
    let text = match (value, due) {
        (Value::String(text), Type::Int) => match text.parse::<i64>() {
            Ok(number) => number.to_string(),
            Err(_) => bytes(text)?.to_string(),
        },
        (Value::String(text), Type::Uint) => format!("{}u", text.parse::<u64>().ok()?),
        (Value::String(text), Type::Bool) if matches!(text.as_ref(), "true" | "false") => text.to_string(),
        (Value::Int(number), Type::Uint) => format!("{}u", u64::try_from(*number).ok()?),
        (Value::Int(number), Type::Double) => format!("{number}.0"),
        (Value::Uint(number), Type::Int) => i64::try_from(*number).ok()?.to_string(),
        (Value::Int(number), Type::String) => format!("\"{number}\""),
        (Value::Bool(truth), Type::String) => format!("\"{truth}\""),
        (Value::String(text), Type::Quantity(unit)) => format!("{}({})", unit.name(), text_literal(text)),
        (Value::String(text), Type::Duration) => format!("duration({})", text_literal(text)),
        (Value::String(text), Type::Timestamp) => format!("timestamp({})", text_literal(text)),
        _ => return None,
    };
    Some((constant.range.clone(), text))
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
