//! `meshc route`: decides one request as the proxies of both hops would, and explains it.

mod answer;
mod ask;
mod refusal;

use std::path::PathBuf;
use std::sync::Arc;

use mesh_bundle::{Program, State};
use mesh_decision::journey::Mesh as Decider;
use mesh_workspace::bundles;
use mesh_workspace::verify::{self, Verified};

use self::answer::Answer;
use self::ask::Facts;
use super::stage::{self, StageArg};
use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Today, Where};
use crate::output::Outputs;
use crate::places::Places;
use crate::text::clean;

/// Say what happens to a request.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Walks both hops in the code that proxies run: the gateway or the caller's proxy, then the \
    callee's. A fact that a rule reads and that was not given is said.\n\nExamples:\n  \
    meshc route GET https://shop.example/cart --env prod\n  \
    meshc route POST http://orders/orders/5/paid --as payments -H 'idempotency-key: 1' --env prod\n  \
    meshc route GET http://orders/orders/5 --as web --stage canary/orders=1 --pick 0 --env prod\n  \
    meshc route POST https://shop.example/api/orders --ip 203.0.113.7 --size 2MiB --env prod"
)]
pub(crate) struct Args {
    /// Request method, such as GET
    method: String,
    /// The URL; its host is a gateway's, or a service's for callers of the mesh
    url: String,
    /// Caller: a service, gateway/NAME, or a SPIFFE ID of this mesh; a stranger if absent
    #[arg(long = "as", value_name = "CALLER")]
    caller: Option<String>,
    #[command(flatten)]
    facts: Facts,
    /// Environment to ask about
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Option<String>,
    #[command(flatten)]
    revision: Revision,
    #[command(flatten)]
    today: Today,
    /// Ask a bundle, with the state that it holds, and not the files
    #[arg(long, value_name = "DIR|FILE.mcb", conflicts_with_all = ["rev", "staged", "env"])]
    bundle: Option<PathBuf>,
    /// Let a canary stand at this stage; may be repeated
    #[arg(long, value_name = "canary/NAME=N|done")]
    stage: Vec<StageArg>,
    /// Draw this number (0 to 9999) where requests are shared out; a candidate has the low ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=9999))]
    pick: Option<u32>,
    /// Show the rules that were passed over, and why
    #[arg(long)]
    explain: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    if let Some(path) = &args.bundle {
        let good = bundles::read(path)?
            .and_then(|files| verify::climb(files, None, verify::Standing::Accepted, None));
        let Verified { bundle, state, program, .. } =
            good.map_err(|refusal| Failure::cannot(clean(&refusal.to_string())).help("see `meshc verify`"))?;
        let state = if args.stage.is_empty() { state } else { stage::state(&program, &args.stage)? };
        return answer(args, program, state, &Places::Bundle(&bundle), outputs);
    }
    let mesh = load::mesh(place, &args.revision, Day::Running(args.today))?;
    if !load::is_sound(&mesh, "route", outputs)? {
        return Ok(exit::FOUND);
    }
    let environment = mesh.environment(args.env.as_deref())?;
    let state = stage::state(&environment.program, &args.stage)?;
    answer(args, environment.program.clone(), state, &Places::Maps(&environment.maps), outputs)
}

fn answer(
    args: &Args,
    program: Program,
    state: State,
    places: &Places<'_>,
    outputs: &Outputs,
) -> Result<u8, Failure> {
    let ask = ask::ask(&args.method, &args.url, args.caller.as_deref(), &args.facts, args.today, &program)?;
    let decider = Decider::new(Arc::new(program), state);
    let cannot = |e| Failure::cannot(format!("the mesh cannot be run: {e}"));
    let journey = decider.follow(&ask, &args.pick.unwrap_or(0)).map_err(cannot)?;
    let parts = decider.shares(&ask).map_err(cannot)?;
    let program = decider.program();
    outputs.emit(&Answer {
        url: &args.url,
        pick: args.pick,
        explain: args.explain,
        ask: &ask,
        program,
        journey: &journey,
        parts: &parts,
        places,
    })?;
    Ok(0)
}
