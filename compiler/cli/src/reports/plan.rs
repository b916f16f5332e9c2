//! The report of `meshc plan`.

use mesh_bundle::unit::UnitId;
use mesh_compiler::plan::{self, ChangeKind, Plan};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;
use crate::places::Places;
use crate::text::{clean, table};

/// The effect of a change.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlanReport {
    #[serde(flatten)]
    head: Head,
    /// The revision or bundle that was compared with.
    against: String,
    /// False where both sides are one and the same commit: nothing was compared.
    pub(crate) compared: bool,
    /// Whether something changes.
    pub(crate) changes: bool,
    /// One an environment.
    environments: Vec<EnvironmentPlan>,
}

/// The comparison of one environment.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EnvironmentPlan {
    /// The environment.
    environment: String,
    /// The side before; null where the environment did not exist.
    before: Option<Side>,
    /// The side after; null where it does not exist any more.
    after: Option<Side>,
    /// Numbers of objects that change.
    counts: Counts,
    /// Objects that differ, by address.
    objects: Vec<Object>,
    /// Units that differ, by id.
    units: Vec<Unit>,
}

/// One side of a comparison.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Side {
    /// Id of the bundle that a build gives, or gave.
    pub(crate) bundle: String,
    /// The first 12 digits of the commit, or words for a folder.
    pub(crate) commit: String,
}

/// Numbers of objects that change.
#[derive(Debug, Serialize, JsonSchema)]
struct Counts {
    /// Objects that come.
    add: usize,
    /// Objects that differ.
    change: usize,
    /// Objects that go.
    remove: usize,
}

/// An object that differs.
#[derive(Debug, Serialize, JsonSchema)]
struct Object {
    /// Its address, such as `route/orders`.
    address: String,
    /// Whether it comes, goes or changes.
    change: ChangeWord,
    /// `file:line` of the object.
    place: Option<String>,
    /// The fields that differ; none for an object that comes or goes.
    fields: Vec<Field>,
    /// A consequence that the fields do not show, in words.
    remark: Option<String>,
}

/// A field that differs.
#[derive(Debug, Serialize, JsonSchema)]
struct Field {
    /// The unit that holds it.
    unit: String,
    /// JSON pointer (RFC 6901) into the unit.
    pointer: String,
    /// The field as people know it.
    path: String,
    /// Value before; null where it was not written.
    before: Option<Value>,
    /// Value after; null where it is not written.
    after: Option<Value>,
    /// `file:line` of the field.
    place: Option<String>,
}

/// A unit that proxies fetch, or drop.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Unit {
    /// Id of the unit.
    unit: String,
    /// Whether it comes, goes or changes.
    change: ChangeWord,
    /// Its bytes before.
    bytes_before: Option<u64>,
    /// Its bytes after.
    bytes_after: Option<u64>,
    /// Number of services and gateways whose proxies are concerned.
    owners: usize,
}

/// A kind of change, in a word.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Change")]
enum ChangeWord {
    Add,
    Change,
    Remove,
}

impl PlanReport {
    /// The report of these comparisons.
    pub(crate) fn new(against: String, compared: bool, environments: Vec<EnvironmentPlan>) -> Self {
        let changes = environments.iter().any(|one| !one.is_empty());
        Self { head: Head::of("plan"), against, compared, changes, environments }
    }
}

impl EnvironmentPlan {
    /// The comparison of an environment. Places are those of the tree after the change, else those of the one before.
    pub(crate) fn new(
        environment: String,
        plan: &Plan,
        (before, old): (Option<Side>, &Places<'_>),
        (after, new): (Option<Side>, &Places<'_>),
    ) -> Self {
        // What is gone was written before; a default that came back is written nowhere, but its object is.
        let place = |unit: &UnitId, pointer: &str, gone: bool| {
            let now = if gone { None } else { new.of(unit, pointer) };
            now.or_else(|| old.of(unit, pointer)).or_else(|| new.of(unit, ""))
        };
        let field = |field: &plan::FieldChange| Field {
            unit: field.unit.to_string(),
            pointer: field.pointer.clone(),
            path: field.path.clone(),
            before: field.before.clone(),
            after: field.after.clone(),
            place: place(&field.unit, &field.pointer, field.after.is_none()),
        };
        let object = |object: &plan::Change| Object {
            address: object.address.clone(),
            change: object.kind.into(),
            place: place(&object.unit, "", object.kind == ChangeKind::Removed),
            fields: object.fields.iter().map(field).collect(),
            remark: object.remark.map(str::to_owned),
        };
        let unit = |unit: &plan::UnitChange| Unit {
            unit: unit.unit.to_string(),
            change: unit.kind.into(),
            bytes_before: unit.before,
            bytes_after: unit.after,
            owners: unit.owners,
        };
        Self {
            environment,
            before,
            after,
            counts: Counts {
                add: plan.count(ChangeKind::Added),
                change: plan.count(ChangeKind::Changed),
                remove: plan.count(ChangeKind::Removed),
            },
            objects: plan.objects.iter().map(object).collect(),
            units: plan.units.iter().map(unit).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.units.is_empty()
    }

    fn human(&self, look: Look, against: &str, compared: bool) -> String {
        let Counts { add, change, remove } = self.counts;
        let side = |side: &Option<Side>| side.as_ref().map_or("nothing".to_owned(), |s| s.commit.clone());
        let head = format!("{}   {} -> {}", self.environment, clean(against), side(&self.after));
        let mut out = format!("{}\n", look.strong(&head));
        if !self.objects.is_empty() {
            out.push_str("\nObjects\n");
        }
        for object in &self.objects {
            out.push_str(&object.human(look));
        }
        if !self.units.is_empty() {
            out.push_str("\nUnits that move\n");
            out.push_str(&table(&self.units.iter().map(Unit::row).collect::<Vec<_>>()));
        }
        if self.is_empty() && !compared {
            out.push_str("nothing was compared\n");
        } else if self.is_empty() {
            out.push_str("no changes\n");
        } else {
            out.push_str(&format!("\n{add} to add, {change} to change, {remove} to remove\n"));
        }
        let id = |side: &Option<Side>| side.as_ref().map_or("none".to_owned(), |s| s.bundle.clone());
        out.push_str(&format!("bundle before  {}\nbundle after   {}\n", id(&self.before), id(&self.after)));
        out
    }
}

impl Object {
    fn human(&self, look: Look) -> String {
        let line = format!("{} {}", self.change.sign(), clean(&self.address));
        let line = match self.change {
            ChangeWord::Add => look.good(&line),
            ChangeWord::Remove => look.bad(&line),
            ChangeWord::Change => look.changed(&line),
        };
        let at = |place: &Option<String>| {
            place.as_ref().map(|place| format!("   {}", look.dim(place))).unwrap_or_default()
        };
        let mut out =
            format!("  {line}{}\n", if self.fields.is_empty() { at(&self.place) } else { String::new() });
        for field in &self.fields {
            let (sign, text) = field.words();
            out.push_str(&format!("      {sign} {text}{}\n", at(&field.place)));
        }
        if let Some(remark) = &self.remark {
            out.push_str(&format!("      ! {}\n", look.bad(remark)));
        }
        out
    }
}

impl Field {
    /// The field in words.
    fn words(&self) -> (char, String) {
        let path = clean(&self.path);
        match (&self.before, &self.after) {
            (None, Some(after)) => ('+', format!("{path}: {}", shown(after))),
            (Some(before), None) => ('-', format!("{path}: {}", shown(before))),
            (before, after) => {
                let text = |value: &Option<Value>| value.as_ref().map_or("default".to_owned(), shown);
                ('~', format!("{path}: {} -> {}", text(before), text(after)))
            }
        }
    }
}

impl Unit {
    fn row(&self) -> Vec<String> {
        let bytes = match (self.bytes_before, self.bytes_after) {
            (Some(before), Some(after)) => format!("{before} -> {after} bytes"),
            (None, Some(size)) | (Some(size), None) => format!("{size} bytes"),
            (None, None) => String::new(),
        };
        let holders = match self.owners {
            0 => "no proxy".to_owned(),
            1 => "proxies of 1 owner".to_owned(),
            many => format!("proxies of {many} owners"),
        };
        vec![format!("  {} {}", self.change.sign(), self.unit), bytes, holders]
    }
}

impl ChangeWord {
    fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Change => '~',
            Self::Remove => '-',
        }
    }
}

impl From<ChangeKind> for ChangeWord {
    fn from(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Added => Self::Add,
            ChangeKind::Changed => Self::Change,
            ChangeKind::Removed => Self::Remove,
        }
    }
}

/// A value as it is: nothing of it is cut, whoever approves the change approves all of it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        other => clean(&other.to_string()),
    }
}

impl Report for PlanReport {
    fn human(&self, look: Look) -> String {
        self.environments
            .iter()
            .map(|one| one.human(look, &self.against, self.compared))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn concise(&self) -> String {
        let mut out = String::new();
        for one in &self.environments {
            for object in &one.objects {
                let (environment, sign, address) =
                    (&one.environment, object.change.sign(), clean(&object.address));
                if object.fields.is_empty() {
                    let place = object.place.as_deref().unwrap_or("-");
                    out.push_str(&format!("{place}: {environment}: {sign} {address}\n"));
                }
                for field in &object.fields {
                    let place = field.place.as_deref().unwrap_or("-");
                    // Whether the field comes, goes or changes.
                    let (sign, text) = field.words();
                    out.push_str(&format!("{place}: {environment}: {sign} {address} {text}\n"));
                }
                if let Some(remark) = &object.remark {
                    let place = object.place.as_deref().unwrap_or("-");
                    out.push_str(&format!("{place}: {environment}: ! {address} {remark}\n"));
                }
            }
        }
        out
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
