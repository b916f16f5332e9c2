//! `meshc test`: runs the cases of Test objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use mesh_bundle::Program;
use mesh_compiler::CompiledEnvironment;
use mesh_compiler::diag::Sources;
use mesh_compiler::scenario;

use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Today, Where};
use crate::output::Outputs;
use crate::reports::{Case, Coverage, Mismatch, Place, TestReport};

/// Run the examples of Test objects.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 1 if an example fails.\n\nExamples:\n  \
    meshc test\n  \
    meshc test --env prod --output concise")]
pub(crate) struct Args {
    /// Run the examples of this environment only; may be repeated
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Vec<String>,
    #[command(flatten)]
    revision: Revision,
    #[command(flatten)]
    today: Today,
}

/// Runs the command.
pub(crate) fn run(args: &Args, at: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let mesh = load::mesh(at, &args.revision, Day::Running(args.today))?;
    if !load::is_sound(&mesh, "test", outputs)? {
        return Ok(exit::FOUND);
    }
    let mut report = TestReport::new();
    for environment in mesh.environments(&args.env)? {
        run_cases(environment, &mesh.compiled.sources, &mut report)?;
    }
    outputs.emit(&report)?;
    Ok(u8::from(report.failed > 0))
}

/// Runs the examples of one environment.
fn run_cases(
    environment: &CompiledEnvironment,
    sources: &Sources,
    report: &mut TestReport,
) -> Result<(), Failure> {
    if environment.cases.is_empty() {
        return Ok(());
    }
    let program = Arc::new(environment.program.clone());
    let mut reached = BTreeSet::new();
    for case in &environment.cases {
        let scenario::Ran { journey, wrong, notes } = scenario::run(&program, case)
            .map_err(|e| Failure::cannot(format!("the mesh cannot be run: {e}")))?;
        reached.extend(journey.edge_rule);
        reached.extend(journey.rule);
        let mismatch = |wrong: scenario::Mismatch| Mismatch {
            place: Place::of(sources, wrong.span),
            what: wrong.what,
            expected: wrong.expected,
            got: wrong.got,
        };
        report.add(Case {
            place: Place::of(sources, case.span),
            environment: environment.name.to_string(),
            name: format!("{}/{}", case.test, case.name),
            request: case.request.clone(),
            passed: wrong.is_empty(),
            mismatches: wrong.into_iter().map(mismatch).collect(),
            notes,
        });
    }
    let rules = rules(&program);
    let missed = rules.iter().filter(|rule| !reached.contains(*rule)).cloned().collect();
    report.coverage.push(Coverage { environment: environment.name.to_string(), rules: rules.len(), missed });
    Ok(())
}

/// The addresses of all written rules.
fn rules(program: &Program) -> BTreeSet<String> {
    let services = program.routes.iter();
    let gateways = program.gateway_routes.values().flatten();
    let all = services.chain(gateways);
    all.flat_map(|(name, routes)| routes.rules.iter().map(move |r| format!("route/{name}/{}", r.name)))
        .collect()
}
