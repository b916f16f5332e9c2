//! Reports of `meshc plan`, for people and as JSON.

use std::collections::BTreeMap;

use mesh_bundle::unit::UnitId;
use mesh_compiler::plan::{Change, ChangeKind, FieldChange, Plan, UnitChange};
use serde_json::{Value, json};

use crate::look::Look;
use crate::output::Report;
use crate::places::Places;
use crate::text::{clean, table};

/// Characters of a value that are shown to people.
const SHOWN: usize = 120;

/// The whole answer.
pub(super) struct Answer {
    pub(super) against: String,
    pub(super) compared: Vec<Compared>,
}

/// The comparison of one environment.
pub(super) struct Compared {
    pub(super) environment: String,
    pub(super) plan: Plan,
    /// `file:line` by unit and pointer.
    pub(super) fields: BTreeMap<(UnitId, String), String>,
    /// `None` where the environment did not exist.
    pub(super) before: Option<Sided>,
    /// `None` where it does not exist any more.
    pub(super) after: Option<Sided>,
}

/// One side of a comparison.
pub(super) struct Sided {
    pub(super) id: String,
    pub(super) commit: String,
}

/// Source places of everything that a plan names: in the tree after the change, else in the one before.
pub(super) fn places(
    plan: &Plan,
    before: &Places<'_>,
    after: &Places<'_>,
) -> BTreeMap<(UnitId, String), String> {
    let fields = plan.objects.iter().flat_map(|c| {
        let own = std::iter::once((c.unit.clone(), String::new(), c.kind == ChangeKind::Removed));
        own.chain(c.fields.iter().map(|f| (f.unit.clone(), f.pointer.clone(), f.after.is_none())))
    });
    let mut found = BTreeMap::new();
    for (unit, pointer, gone) in fields {
        let now = if gone { None } else { after.of(&unit, &pointer) };
        // What is gone was written before; a default that came back is written nowhere, but its object is.
        if let Some(place) = now.or_else(|| before.of(&unit, &pointer)).or_else(|| after.of(&unit, "")) {
            found.insert((unit, pointer), place);
        }
    }
    found
}

impl Compared {
    fn place(&self, unit: &UnitId, pointer: &str) -> Option<&str> {
        self.fields.get(&(unit.clone(), pointer.to_owned())).map(String::as_str)
    }

    fn counts(&self) -> [usize; 3] {
        [ChangeKind::Added, ChangeKind::Changed, ChangeKind::Removed].map(|kind| self.plan.count(kind))
    }

    fn human(&self, look: Look, against: &str) -> String {
        let [add, change, remove] = self.counts();
        let side = |side: &Option<Sided>| side.as_ref().map_or("nothing".to_owned(), |s| s.commit.clone());
        let head = format!("{}   {} -> {}", self.environment, clean(against), side(&self.after));
        let mut out = format!("{}\n", look.strong(&head));
        if !self.plan.objects.is_empty() {
            out.push_str("\nObjects\n");
        }
        for object in &self.plan.objects {
            out.push_str(&self.object(object, look));
        }
        if !self.plan.units.is_empty() {
            out.push_str("\nUnits that move\n");
            out.push_str(&table(&self.plan.units.iter().map(unit).collect::<Vec<_>>()));
        }
        if self.plan.is_empty() {
            out.push_str("no changes\n");
        } else {
            out.push_str(&format!("\n{add} to add, {change} to change, {remove} to remove\n"));
        }
        let id = |side: &Option<Sided>| side.as_ref().map_or("none".to_owned(), |s| s.id.clone());
        out.push_str(&format!("bundle before  {}\nbundle after   {}\n", id(&self.before), id(&self.after)));
        out
    }

    fn object(&self, object: &Change, look: Look) -> String {
        let line = format!("{} {}", object.kind.sign(), clean(&object.address));
        let line = match object.kind {
            ChangeKind::Added => look.good(&line),
            ChangeKind::Removed => look.bad(&line),
            ChangeKind::Changed => look.changed(&line),
        };
        let at = |unit: &UnitId, pointer: &str| {
            self.place(unit, pointer).map(|place| format!("   {}", look.dim(place))).unwrap_or_default()
        };
        let mut out = format!(
            "  {line}{}\n",
            if object.fields.is_empty() { at(&object.unit, "") } else { String::new() }
        );
        for field in &object.fields {
            let (sign, text) = words(field);
            out.push_str(&format!("      {sign} {text}{}\n", at(&field.unit, &field.pointer)));
        }
        out
    }

    fn json(&self) -> Value {
        let field = |f: &FieldChange| {
            json!({
                "unit": f.unit.to_string(), "pointer": f.pointer, "path": f.path,
                "before": f.before, "after": f.after, "place": self.place(&f.unit, &f.pointer),
            })
        };
        let object = |c: &Change| {
            json!({
                "address": c.address, "change": c.kind.word(), "place": self.place(&c.unit, ""),
                "fields": c.fields.iter().map(field).collect::<Vec<_>>(),
            })
        };
        let unit = |u: &UnitChange| {
            json!({
                "unit": u.unit.to_string(), "change": u.kind.word(),
                "bytesBefore": u.before, "bytesAfter": u.after, "owners": u.owners,
            })
        };
        let side = |side: &Option<Sided>| side.as_ref().map(|s| json!({"bundle": s.id, "commit": s.commit}));
        let [add, change, remove] = self.counts();
        json!({
            "environment": self.environment,
            "before": side(&self.before),
            "after": side(&self.after),
            "counts": {"add": add, "change": change, "remove": remove},
            "objects": self.plan.objects.iter().map(object).collect::<Vec<_>>(),
            "units": self.plan.units.iter().map(unit).collect::<Vec<_>>(),
        })
    }
}

/// A field in words.
fn words(field: &FieldChange) -> (char, String) {
    let path = clean(&field.path);
    match (&field.before, &field.after) {
        (None, Some(after)) => ('+', format!("{path}: {}", shown(after))),
        (Some(before), None) => ('-', format!("{path}: {}", shown(before))),
        (before, after) => {
            let text = |value: &Option<Value>| value.as_ref().map_or("default".to_owned(), shown);
            ('~', format!("{path}: {} -> {}", text(before), text(after)))
        }
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => clean(text),
        other => clean(&other.to_string()),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain("...".chars()).collect()
}

fn unit(unit: &UnitChange) -> Vec<String> {
    let bytes = match (unit.before, unit.after) {
        (Some(before), Some(after)) => format!("{before} -> {after} bytes"),
        (None, Some(size)) | (Some(size), None) => format!("{size} bytes"),
        (None, None) => String::new(),
    };
    let holders = match unit.owners {
        0 => "no proxy".to_owned(),
        1 => "proxies of 1 owner".to_owned(),
        many => format!("proxies of {many} owners"),
    };
    vec![format!("  {} {}", unit.kind.sign(), unit.unit), bytes, holders]
}

impl Report for Answer {
    fn human(&self, look: Look) -> String {
        self.compared.iter().map(|one| one.human(look, &self.against)).collect::<Vec<_>>().join("\n")
    }

    fn concise(&self) -> String {
        let mut out = String::new();
        for one in &self.compared {
            for object in &one.plan.objects {
                let (environment, sign, address) = (&one.environment, object.kind.sign(), &object.address);
                if object.fields.is_empty() {
                    let place = one.place(&object.unit, "").unwrap_or("-");
                    out.push_str(&format!("{place}: {environment}: {sign} {}\n", clean(address)));
                }
                for field in &object.fields {
                    let place = one.place(&field.unit, &field.pointer).unwrap_or("-");
                    let text = words(field).1;
                    out.push_str(&format!("{place}: {environment}: {sign} {} {text}\n", clean(address)));
                }
            }
        }
        out
    }

    fn json(&self) -> Value {
        json!({
            "schema": 1,
            "command": "plan",
            "against": self.against,
            "changes": self.compared.iter().any(|one| !one.plan.is_empty()),
            "environments": self.compared.iter().map(Compared::json).collect::<Vec<_>>(),
        })
    }
}
