//! Fields that differ, by JSON pointer. Lists of named things are matched by name, other lists are one value.

use std::collections::BTreeMap;

use mesh_bundle::unit::UnitId;
use serde_json::{Map, Value};

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// The unit that holds it.
    pub unit: UnitId,
    /// JSON pointer into the unit: of the program after where the field is there, else of the one before.
    pub pointer: String,
    /// Path of the field for people: named things by name, `rules/refund/timeoutMs`.
    pub path: String,
    /// Value before; absent if it was at its default or not there.
    pub before: Option<Value>,
    /// Value after; absent if it is at its default or not there.
    pub after: Option<Value>,
}

/// Compares the content of one unit before and after.
pub(super) fn compare(unit: &UnitId, before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut walk = Walk { unit, found: Vec::new() };
    walk.value(&Place::default(), Some(before), Some(after));
    walk.found
}

/// A place in both forms.
#[derive(Debug, Clone, Default)]
struct Place {
    pointer: String,
    path: String,
}

impl Place {
    fn field(&self, key: &str) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Self { pointer: format!("{}/{escaped}", self.pointer), path: join(&self.path, key) }
    }

    fn item(&self, index: usize, name: &str) -> Self {
        Self { pointer: format!("{}/{index}", self.pointer), path: join(&self.path, name) }
    }
}

fn join(path: &str, part: &str) -> String {
    if path.is_empty() { part.to_owned() } else { format!("{path}/{part}") }
}

struct Walk<'u> {
    unit: &'u UnitId,
    found: Vec<FieldChange>,
}

impl Walk<'_> {
    fn value(&mut self, at: &Place, before: Option<&Value>, after: Option<&Value>) {
        if before == after {
            return;
        }
        match (before, after) {
            (Some(Value::Object(was)), Some(Value::Object(is))) => self.map(at, was, is),
            (Some(Value::Array(was)), Some(Value::Array(is))) => match (named(was), named(is)) {
                (Some(old), Some(new)) => self.list(at, &old, &new),
                _ => self.push(at, before, after),
            },
            _ => self.push(at, before, after),
        }
    }

    fn map(&mut self, at: &Place, was: &Map<String, Value>, is: &Map<String, Value>) {
        // An expression is its text; its code only shows where the same text means something else.
        if let (Some(old), Some(new)) = (expression(was), expression(is))
            && old != new
        {
            self.push(at, Some(old), Some(new));
            return;
        }
        let mut keys: Vec<&String> = was.keys().chain(is.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            self.value(&at.field(key), was.get(key), is.get(key));
        }
    }

    fn list(&mut self, at: &Place, was: &Named<'_>, is: &Named<'_>) {
        for (index, name, value) in &is.items {
            self.value(&at.item(*index, name), was.get(name), Some(value));
        }
        for (index, name, value) in &was.items {
            if is.get(name).is_none() {
                self.value(&at.item(*index, name), Some(value), None);
            }
        }
        let order = |one: &Named<'_>, other: &Named<'_>| -> Vec<Value> {
            let both = one.items.iter().filter(|(_, name, _)| other.get(name).is_some());
            both.map(|(_, name, _)| Value::from(*name)).collect()
        };
        let (old, new) = (order(was, is), order(is, was));
        if old != new {
            let at = Place { pointer: at.pointer.clone(), path: format!("{} (order)", at.path) };
            self.push(&at, Some(&Value::Array(old)), Some(&Value::Array(new)));
        }
    }

    fn push(&mut self, at: &Place, before: Option<&Value>, after: Option<&Value>) {
        self.found.push(FieldChange {
            unit: self.unit.clone(),
            pointer: at.pointer.clone(),
            path: at.path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

/// The text of a lowered expression.
fn expression(map: &Map<String, Value>) -> Option<&Value> {
    (map.len() == 2 && map.contains_key("code")).then(|| map.get("text"))?
}

/// A list of named things in its order.
struct Named<'v> {
    items: Vec<(usize, &'v str, &'v Value)>,
    by_name: BTreeMap<&'v str, &'v Value>,
}

impl<'v> Named<'v> {
    fn get(&self, name: &str) -> Option<&'v Value> {
        self.by_name.get(name).copied()
    }
}

/// `None` if an item has no name, or two have the same.
fn named(list: &[Value]) -> Option<Named<'_>> {
    let mut named = Named { items: Vec::new(), by_name: BTreeMap::new() };
    for (index, value) in list.iter().enumerate() {
        let name = value.get("name")?.as_str()?;
        if named.by_name.insert(name, value).is_some() {
            return None;
        }
        named.items.push((index, name, value));
    }
    Some(named)
}
