//! `meshc access`: the callers that access policies let in, for every pair of ends or for one.

use mesh_bundle::program::{AccessMode, Entry, From};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Owner, Program};

use crate::callers::caller;
use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Where};
use crate::output::Outputs;
use crate::places::Places;
use crate::reports::{AccessReport, Effect, Rule};
use crate::text::clean;

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
        return Ok(exit::FOUND);
    }
    let environment = mesh.environment(args.env.as_deref())?;
    let program = &environment.program;
    let named = |text: &Option<String>| {
        text.as_deref().filter(|text| *text != "-").map(|text| caller(text, program)).transpose()
    };
    let (from, to) = (named(&args.from)?, named(&args.to)?);
    let places = Places::Maps(&environment.maps);
    let rows = rows(program, from.as_ref(), to.as_ref(), &places);
    let mut report = AccessReport::new(program.mesh.environment.to_string(), rows);
    if let (Some(from), Some(to)) = (&from, &to) {
        let audit = program.access.get(to).is_some_and(|access| access.mode == AccessMode::Audit);
        report.answer(from, to, audit);
    }
    outputs.emit(&report)?;
    Ok(0)
}

fn rows(program: &Program, from: Option<&Owner>, to: Option<&Owner>, places: &Places<'_>) -> Vec<Rule> {
    let mut rows = Vec::new();
    for (owner, access) in program.access.iter().filter(|(owner, _)| to.is_none_or(|to| to == *owner)) {
        for (effect, entries) in [(Effect::Deny, &access.deny), (Effect::Allow, &access.allow)] {
            for (index, entry) in entries.iter().enumerate() {
                let place = places.of(&UnitId::Access(owner.clone()), &format!("/{}/{index}", effect.word()));
                for who in entry.from.iter().filter(|who| from.is_none_or(|from| means(program, who, from))) {
                    rows.push(row(owner, who, effect, access.mode, entry, place.clone()));
                }
            }
        }
    }
    rows
}

fn row(
    owner: &Owner,
    who: &From,
    effect: Effect,
    mode: AccessMode,
    entry: &Entry,
    place: Option<String>,
) -> Rule {
    Rule {
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
