//! `meshc access`: the callers that access policies let in, for every pair of ends or for one.

use mesh_bundle::program::{AccessMode, Entry, From};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Owner, Program};
use serde_json::{Value, json};

use crate::callers::caller;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Where};
use crate::look::Look;
use crate::output::{Outputs, Report};
use crate::places::Places;
use crate::text::{clean, table};

/// Say who may call whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    meshc access --env prod                  everybody\n  \
    meshc access web --env prod              whom web may call\n  \
    meshc access web orders --env prod       whether web may call orders, and why")]
pub(crate) struct Args {
    /// The caller: a service, gateway/NAME, a SPIFFE ID, or - for all
    from: Option<String>,
    /// The callee: a service or gateway/NAME
    to: Option<String>,
    /// Environment to ask about
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Option<String>,
    #[command(flatten)]
    revision: Revision,
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let mesh = load::mesh(place, &args.revision, Day::Given(None))?;
    if !load::is_sound(&mesh, "access", outputs)? {
        return Ok(1);
    }
    let environment = mesh.environment(args.env.as_deref())?;
    let program = &environment.program;
    let named = |text: &Option<String>| {
        text.as_deref().filter(|text| *text != "-").map(|text| caller(text, program)).transpose()
    };
    let (from, to) = (named(&args.from)?, named(&args.to)?);
    let places = Places::Maps(&environment.maps);
    let rows = rows(program, from.as_ref(), to.as_ref(), &places);
    outputs.emit(&Answer { program, from, to, rows })?;
    Ok(0)
}

/// One caller of one entry.
struct Row {
    from: String,
    to: Owner,
    effect: &'static str,
    audit: bool,
    address: String,
    methods: Vec<String>,
    paths: Vec<String>,
    when: Option<String>,
    place: Option<String>,
}

fn rows(program: &Program, from: Option<&Owner>, to: Option<&Owner>, places: &Places<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (owner, access) in program.access.iter().filter(|(owner, _)| to.is_none_or(|to| to == *owner)) {
        for (list, entries) in [("deny", &access.deny), ("allow", &access.allow)] {
            for (index, entry) in entries.iter().enumerate() {
                let place = places.of(&UnitId::Access(owner.clone()), &format!("/{list}/{index}"));
                for who in entry.from.iter().filter(|who| from.is_none_or(|from| means(program, who, from))) {
                    rows.push(row(owner, who, list, access.mode, entry, place.clone()));
                }
            }
        }
    }
    rows
}

fn row(
    owner: &Owner,
    who: &From,
    effect: &'static str,
    mode: AccessMode,
    entry: &Entry,
    place: Option<String>,
) -> Row {
    Row {
        from: words(who),
        to: owner.clone(),
        effect,
        audit: mode == AccessMode::Audit,
        address: format!("access/{owner}/{}", entry.name),
        methods: entry.methods.clone(),
        paths: entry.paths.iter().map(ToString::to_string).collect(),
        when: entry.when.as_ref().map(|when| when.text.clone()),
        place,
    }
}

fn words(who: &From) -> String {
    match who {
        From::Service(name) => name.to_string(),
        From::Gateway(name) => format!("gateway/{name}"),
        From::Labels(labels) => {
            let all: Vec<String> = labels.iter().map(|(k, v)| format!("{}={}", clean(k), clean(v))).collect();
            format!("{{{}}}", all.join(", "))
        }
        From::Principal(id) => clean(id),
        From::External => "external".to_owned(),
        From::Any => "any".to_owned(),
    }
}

/// Whether an item of `from` means this caller. The principal is the one that its proxy would show.
fn means(program: &Program, who: &From, caller: &Owner) -> bool {
    let principal = program.mesh.spiffe_id(caller);
    let source = mesh_decision::Source { principal: &principal, owner: Some(caller), ip: "" };
    mesh_decision::caller::selects(who, &source, &program.services)
}

struct Answer<'a> {
    program: &'a Program,
    from: Option<Owner>,
    to: Option<Owner>,
    rows: Vec<Row>,
}

impl Answer<'_> {
    /// The one-line answer, if both ends were named. A denial may have conditions, so it does not settle it.
    fn verdict(&self) -> Option<String> {
        let (from, to) = (self.from.as_ref()?, self.to.as_ref()?);
        let environment = &self.program.mesh.environment;
        let allows = self.rows.iter().any(|row| row.effect == "allow");
        let audit = self.program.access.get(to).is_some_and(|access| access.mode == AccessMode::Audit);
        Some(match (allows, audit) {
            (true, _) => format!("{from} may call {to} in {environment}, as follows"),
            (false, true) => {
                format!("nothing allows {from} to call {to} in {environment}, but it is only audited")
            }
            (false, false) => format!("{from} may not call {to} in {environment}"),
        })
    }
}

impl Report for Answer<'_> {
    fn human(&self, look: Look) -> String {
        let mut out = self.verdict().map(|v| format!("{}\n", look.strong(&v))).unwrap_or_default();
        let any = |list: &[String]| if list.is_empty() { "*".to_owned() } else { list.join(",") };
        let line = |row: &Row| {
            let audit = if row.audit { " (audit)" } else { "" };
            vec![
                format!("{}{audit}", row.effect),
                format!("{} -> {}", row.from, row.to),
                any(&row.methods),
                clean(&any(&row.paths)),
                row.address.clone(),
                row.place.clone().unwrap_or_default(),
                row.when.as_ref().map(|when| format!("when {}", clean(when))).unwrap_or_default(),
            ]
        };
        out.push_str(&table(&self.rows.iter().map(line).collect::<Vec<_>>()));
        if self.rows.is_empty() && self.verdict().is_none() {
            out.push_str("nobody\n");
        }
        out
    }

    fn concise(&self) -> String {
        let line = |row: &Row| {
            let place = row.place.as_deref().unwrap_or("-");
            format!("{place}: {} {} -> {} [{}]\n", row.effect, row.from, row.to, row.address)
        };
        self.rows.iter().map(line).collect()
    }

    fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "from": row.from, "to": row.to, "effect": row.effect, "audit": row.audit,
                "address": row.address, "methods": row.methods, "paths": row.paths, "when": row.when,
                "place": row.place,
            })
        };
        let mut out = json!({
            "schema": 1,
            "command": "access",
            "environment": self.program.mesh.environment,
            "entries": self.rows.iter().map(row).collect::<Vec<_>>(),
        });
        if self.from.is_some() && self.to.is_some() {
            let allowed = self.rows.iter().any(|row| row.effect == "allow");
            out.as_object_mut().map(|map| map.insert("allowed".into(), allowed.into()));
        }
        out
    }
}
