//! `meshc access`: the callers that access policies let in, for every pair of ends or for one.

use mesh_bundle::program::{AccessMode, Entry, From, TlsMode};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Owner, Program};
use mesh_decision::reach;

use crate::callers::{Caller, caller};
use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Today, Where};
use crate::output::Outputs;
use crate::places::Places;
use crate::reports::{AccessReport, Answered, Effect, Rule};
use crate::text::clean;

/// Say who may call whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    meshc access --env prod                        everybody\n  \
    meshc access web --env prod                    whom web may call\n  \
    meshc access web orders --env prod             whether web may call orders, and why\n  \
    meshc access external gateway/public           whether strangers may\n  \
    meshc access web payments --exit-code          exit code 1 if web may not call payments at all")]
pub(crate) struct Args {
    /// The caller: a service, gateway/NAME, a SPIFFE ID, external for a stranger, or - for all
    from: Option<String>,
    /// The callee: a service or gateway/NAME
    to: Option<String>,
    /// Environment to ask about
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Option<String>,
    #[command(flatten)]
    revision: Revision,
    /// Exit with 1 if no request of the caller can pass; both ends must be named
    #[arg(long, requires = "to")]
    exit_code: bool,
    #[command(flatten)]
    today: Today,
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let mesh = load::mesh(place, &args.revision, Day::Running(args.today))?;
    if !load::is_sound(&mesh, "access", outputs)? {
        return Ok(exit::FOUND);
    }
    let environment = mesh.environment(args.env.as_deref())?;
    let program = &environment.program;
    let named = |text: &Option<String>| text.clone().filter(|text| text != "-");
    let from = named(&args.from).map(|text| Caller::of(&text, program)).transpose()?;
    let to = named(&args.to).map(|text| caller(&text, program)).transpose()?;
    let places = Places::Maps(&environment.maps);
    let rows = rows(program, from.as_ref(), to.as_ref(), &places);
    let mut report = AccessReport::new(program.mesh.environment.to_string(), rows);
    let Some((from, to)) = from.zip(to) else {
        if args.exit_code {
            let message = "`--exit-code` asks about one caller and one callee";
            return Err(Failure::cannot(message).help("name both: `meshc access web orders --exit-code`"));
        }
        outputs.emit(&report)?;
        return Ok(exit::DONE);
    };
    let answer = answer(program, &from, &to);
    let passes = answer.passes;
    report.answer(&from.to_string(), &to, answer);
    outputs.emit(&report)?;
    Ok(if args.exit_code && !passes { exit::FOUND } else { exit::DONE })
}

/// Whether some request of a caller may pass, and why it may or not.
fn answer(program: &Program, from: &Caller, to: &Owner) -> Answered {
    let denied = |why: &str| Answered { allowed: false, passes: false, why: Some(why.to_owned()) };
    let stranger = from.at(to).is_none();
    if stranger && matches!(to, Owner::Service(_)) && program.mesh.tls == TlsMode::Strict {
        return denied("the mesh is `tls: strict`, so no stranger reaches a service");
    }
    let Some(access) = program.access.get(to) else {
        let open = matches!(to, Owner::Gateway(_));
        let why = "it has no AccessPolicy, so everybody may who reaches it; its Routes decide on";
        return if open {
            Answered { allowed: true, passes: true, why: Some(why.to_owned()) }
        } else {
            denied("nobody may")
        };
    };
    let principal = from.at(to).map(|owner| program.mesh.spiffe_id(owner)).unwrap_or_default();
    let source = mesh_decision::Source { principal: &principal, owner: from.at(to), ip: "" };
    let allowed = reach::is_allowed(access, &source, &program.services);
    let passes = reach::may_pass(access, &source, &program.services);
    let lists = |list: &[Entry]| list.iter().any(|e| e.from.iter().any(|who| means(program, who, from, to)));
    let why = match (allowed, passes) {
        (false, true) => Some("the policy only audits, so what it denies passes"),
        (false, false) if lists(&access.allow) => Some("what is allowed is denied again, as follows"),
        (false, false) => Some("no entry allows it anything"),
        (true, _) if lists(&access.deny) => Some("as follows; what is denied is denied first"),
        (true, _) => None,
    };
    Answered { allowed, passes, why: why.map(str::to_owned) }
}

fn rows(program: &Program, from: Option<&Caller>, to: Option<&Owner>, places: &Places<'_>) -> Vec<Rule> {
    let mut rows = Vec::new();
    for (owner, access) in program.access.iter().filter(|(owner, _)| to.is_none_or(|to| to == *owner)) {
        for (effect, entries) in [(Effect::Deny, &access.deny), (Effect::Allow, &access.allow)] {
            for (index, entry) in entries.iter().enumerate() {
                let place = places.of(&UnitId::Access(owner.clone()), &format!("/{}/{index}", effect.word()));
                let meant = |who: &&From| from.is_none_or(|from| means(program, who, from, owner));
                for who in entry.from.iter().filter(meant) {
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

/// Whether an item of `from` means this caller, as `callee` sees it. The principal is the one that its proxy would show.
fn means(program: &Program, who: &From, caller: &Caller, callee: &Owner) -> bool {
    let owner = caller.at(callee);
    let principal = owner.map(|owner| program.mesh.spiffe_id(owner)).unwrap_or_default();
    let source = mesh_decision::Source { principal: &principal, owner, ip: "" };
    mesh_decision::caller::selects(who, &source, &program.services)
}
