//! Which part of a condition decided, and by what values.

use std::ops::Range;

use crate::cel::evaluate::{Variables, evaluate_within};
use crate::cel::functions;
use crate::cel::typed::{Fold, FoldKind, Kind, Typed};
use crate::cel::value::Value;
use crate::cel::words;
use crate::diag::quoted;
use crate::spec::Duration;

/// Steps to evaluate one part again.
const STEPS: usize = 1 << 20;
/// Facts that are said; more would not be read.
const FACTS: usize = 4;
/// Items of a list that are shown.
const ITEMS: usize = 8;

/// The part that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decided {
    /// Its words in the expression.
    pub(super) range: Range<usize>,
    /// The values that it read, as sentences: `` `self.port` is 80 ``.
    pub(super) facts: Vec<String>,
}

/// Says why a condition that was false was so: the first part of an `&&` that is false, all parts of an `||`.
pub(super) fn why_false(typed: &Typed, text: &str, variables: &dyn Variables) -> Decided {
    let mut walk = Walk { text, variables, locals: Vec::new(), facts: Vec::new() };
    let range = walk.part(typed, false);
    let mut facts = walk.facts;
    facts.truncate(FACTS);
    Decided { range, facts }
}

struct Walk<'w> {
    text: &'w str,
    variables: &'w dyn Variables,
    locals: Vec<(u32, Value)>,
    facts: Vec<String>,
}

impl Walk<'_> {
    fn value(&self, typed: &Typed) -> Option<Value> {
        evaluate_within(typed, self.variables, &self.locals, STEPS).ok()
    }

    fn is(&self, typed: &Typed, truth: bool) -> bool {
        matches!(self.value(typed), Some(Value::Bool(value)) if value == truth)
    }

    /// Notes the facts of a part whose value is `truth`; the words that decided.
    fn part(&mut self, typed: &Typed, truth: bool) -> Range<usize> {
        match &typed.kind {
            // One part decides a false `&&` and a true `||`; all parts decide the others.
            Kind::And(parts) | Kind::Or(parts) if matches!(typed.kind, Kind::Or(_)) == truth => {
                match parts.iter().find(|part| self.is(part, truth)) {
                    Some(part) => self.part(part, truth),
                    None => typed.range.clone(),
                }
            }
            Kind::And(parts) | Kind::Or(parts) => {
                for part in parts {
                    self.part(part, truth);
                }
                typed.range.clone()
            }
            Kind::Not(inner) => {
                self.part(inner, !truth);
                typed.range.clone()
            }
            Kind::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let chosen = if self.is(condition, true) { then } else { otherwise };
                self.part(chosen, truth)
            }
            Kind::Bind(id, value, body) => {
                let Some(value) = self.value(value) else { return typed.range.clone() };
                self.locals.push((*id, value));
                let range = self.part(body, truth);
                self.locals.pop();
                range
            }
            Kind::Fold(fold) => self.fold(fold, typed, truth),
            Kind::Has(of, name) => {
                let of = self.words(of);
                self.say(format!("`{of}.{name}` is {}", if truth { "there" } else { "absent" }));
                typed.range.clone()
            }
            Kind::Call(call) => {
                let open: Vec<&Typed> = call.arguments.iter().filter(|a| a.constant().is_none()).collect();
                for argument in open {
                    self.fact(argument);
                }
                typed.range.clone()
            }
            _ => {
                self.fact(typed);
                typed.range.clone()
            }
        }
    }

    /// The element that decided an `all` that is false, or an `exists` that is true.
    fn fold(&mut self, fold: &Fold, typed: &Typed, truth: bool) -> Range<usize> {
        let decides = matches!((fold.kind, truth), (FoldKind::All, false) | (FoldKind::Exists, true));
        let over = if decides && fold.filter.is_none() { self.value(&fold.over) } else { None };
        let elements: Vec<(Value, Value)> = match &over {
            Some(Value::List(items)) => (0_i64..).map(Value::Int).zip(items.iter().cloned()).collect(),
            Some(Value::Map(map)) => map.iter().cloned().collect(),
            _ => Vec::new(),
        };
        for (key, item) in elements {
            let one = if matches!(over, Some(Value::Map(_))) { &key } else { &item };
            let pair = match fold.second {
                Some(second) => vec![(fold.first, key.clone()), (second, item.clone())],
                None => vec![(fold.first, one.clone())],
            };
            let before = self.locals.len();
            self.locals.extend(pair);
            if self.is(&fold.body, truth) {
                let words = self.words(&fold.over);
                self.part(&fold.body, truth);
                let key = shown(&key).unwrap_or_default();
                self.say(format!("that is `{words}[{key}]`"));
                self.locals.truncate(before);
                return typed.range.clone();
            }
            self.locals.truncate(before);
        }
        self.fact(&fold.over);
        typed.range.clone()
    }

    /// Says the value of a part, if it can be said in few words.
    fn fact(&mut self, typed: &Typed) {
        if let Some(value) = self.value(typed).as_ref().and_then(shown) {
            let words = self.words(typed);
            self.say(format!("`{words}` is {value}"));
        }
    }

    fn say(&mut self, fact: String) {
        if !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }

    /// The words of a part, on one line.
    fn words(&self, typed: &Typed) -> String {
        let words = words(self.text, typed.range.clone());
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A value in few words; `None` for maps, records, and what holds them.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => Some("empty".to_owned()),
        Value::String(text) => Some(quoted(text)),
        Value::Null => Some("null".to_owned()),
        Value::Optional(None) => Some("absent".to_owned()),
        Value::Optional(Some(inner)) => shown(inner),
        Value::Duration(nanos) => match u64::try_from(*nanos) {
            Ok(nanos) => Some(Duration::from_nanos(nanos).to_string()),
            Err(_) => text(value),
        },
        Value::List(items) if items.is_empty() => Some("empty".to_owned()),
        Value::List(items) if items.len() <= ITEMS => {
            let items: Option<Vec<String>> = items.iter().map(shown).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Value::List(items) => Some(format!("a list of {}", items.len())),
        Value::Map(_) | Value::Bytes(_) | Value::Type(_) => None,
        other => text(other),
    }
}

/// As `string(value)` gives it.
fn text(value: &Value) -> Option<String> {
    match (functions::find("string")?.function.call)(std::slice::from_ref(value)) {
        Ok(Value::String(text)) => Some(text.to_string()),
        _ => None,
    }
}
