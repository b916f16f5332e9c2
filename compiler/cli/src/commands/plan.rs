//! `meshc plan`: compares the compiled mesh with a revision or a bundle.

use std::path::{Path, PathBuf};

use mesh_bundle::Program;
use mesh_compiler::CompiledEnvironment;
use mesh_compiler::plan::{Plan, plan};
use mesh_workspace::pack::packed;
use mesh_workspace::{Mesh, bundles, verify};

use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Today, Where};
use crate::output::{Outputs, note};
use crate::places::Places;
use crate::reports::{EnvironmentPlan, PlanReport, Side};
use crate::text::clean;

/// Say what a change does.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows objects, fields and the units that proxies fetch, with the bundle's id before and after.\n\n\
    Examples:\n  \
    meshc plan                                    the work tree against HEAD, every environment\n  \
    meshc plan --staged                           what the next commit changes\n  \
    meshc plan --against origin/main --env prod   a branch on a pull request\n  \
    meshc plan --against prod.mcb --exit-code     against what was built; 10 if something changes"
)]
pub(crate) struct Args {
    /// Compare with this git revision, or this bundle (a folder or FILE.mcb)
    #[arg(long, value_name = "REV|BUNDLE", default_value = "HEAD", env = "MESHC_AGAINST")]
    against: String,
    /// Compare this environment; may be repeated; without it all
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Vec<String>,
    #[command(flatten)]
    revision: Revision,
    #[command(flatten)]
    today: Today,
    /// Exit with 10 if something changes
    #[arg(long)]
    exit_code: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let after = load::mesh(place, &args.revision, Day::Commit(args.today))?;
    if !load::is_sound(&after, "plan", outputs)? {
        return Ok(exit::FOUND);
    }
    let (compared, environments) = match bundle(&args.against) {
        Some(path) => (true, vec![against_bundle(&path, &after, args)?]),
        None => against_revision(&after, args)?,
    };
    let report = PlanReport::new(args.against.clone(), compared, environments);
    if !compared {
        let against = clean(&args.against);
        note(&format!(
            "note: nothing was compared: these files are those of `{against}`; name what they are to be compared with, as in \
             --against origin/main"
        ));
    }
    outputs.emit(&report)?;
    Ok(if report.changes && args.exit_code { exit::CHANGES } else { exit::DONE })
}

/// The bundle that `against` names, if it does.
fn bundle(against: &str) -> Option<PathBuf> {
    let path = Path::new(against);
    (bundles::is_archive(path) || path.join("manifest.json").is_file()).then(|| path.to_owned())
}

fn against_bundle(path: &Path, after: &Mesh, args: &Args) -> Result<EnvironmentPlan, Failure> {
    let good =
        bundles::read(path)?.and_then(|files| verify::climb(files, None, verify::Standing::Accepted, None));
    let good = good.map_err(|refusal| Failure::cannot(refusal.to_string()).help("see `meshc verify`"))?;
    let name = good.bundle.manifest.environment.clone();
    let name = name.as_str();
    if let Some(other) = args.env.iter().find(|env| *env != name) {
        return Err(Failure::cannot(format!("the bundle is for `{name}`, not for `{other}`")));
    }
    let before = good.bundle;
    let environment = after.environment(Some(name))?;
    let plan = compare(Some(&good.program), Some(&environment.program))?;
    let was = Side { bundle: before.id.to_string(), commit: commit(before.manifest.source.as_ref()) };
    Ok(EnvironmentPlan::new(
        environment.name.to_string(),
        &plan,
        (Some(was), &Places::Bundle(&before)),
        (side(after, name)?, &Places::Maps(&environment.maps)),
    ))
}

/// The comparison with a revision; false where both sides are one commit.
fn against_revision(after: &Mesh, args: &Args) -> Result<(bool, Vec<EnvironmentPlan>), Failure> {
    let before =
        load::mesh_of(after.place.at(&args.against), Day::Commit(args.today), &[]).map_err(|failure| {
            failure
                .help_unless_known("compare with another revision or with a bundle: --against REV|FILE.mcb")
        })?;
    let new = before.remarks.iter().filter(|remark| !after.remarks.contains(remark));
    new.for_each(|remark| note(&format!("note: {remark}")));
    if before.compiled.findings.has_errors() {
        let errors = before.compiled.findings.count(mesh_compiler::diag::Severity::Error);
        let message = format!("`{}` has {}", args.against, crate::text::count(errors, "error"));
        let help = format!("see `meshc validate --rev {}`", args.against);
        return Err(Failure::cannot(message).help(help));
    }
    let environments = |mesh: &Mesh| -> Vec<String> {
        mesh.compiled.environments.iter().map(|e| e.name.to_string()).collect()
    };
    let mut names = [environments(&before), environments(after)].concat();
    names.sort();
    names.dedup();
    if let Some(unknown) = args.env.iter().find(|env| !names.contains(env)) {
        after.environment(Some(unknown))?;
    }
    names.retain(|name| args.env.is_empty() || args.env.contains(name));
    let mut compared = Vec::new();
    for name in names {
        let (was, is) = (named(&before, &name), named(after, &name));
        let plan = compare(was.map(|e| &e.program), is.map(|e| &e.program))?;
        let empty = std::collections::BTreeMap::new();
        let (old, new) = (was.map_or(&empty, |e| &e.maps), is.map_or(&empty, |e| &e.maps));
        let was = (side(&before, &name)?, &Places::Maps(old));
        let is = (side(after, &name)?, &Places::Maps(new));
        compared.push(EnvironmentPlan::new(name, &plan, was, is));
    }
    let commit = |mesh: &Mesh| mesh.origin.commit.as_ref().map(|commit| commit.source.commit.clone());
    let same = commit(after).is_some() && commit(after) == commit(&before);
    Ok((!same, compared))
}

fn compare(before: Option<&Program>, after: Option<&Program>) -> Result<Plan, Failure> {
    plan(before, after).map_err(|e| Failure::cannot(e.to_string()))
}

fn named<'m>(mesh: &'m Mesh, name: &str) -> Option<&'m CompiledEnvironment> {
    mesh.compiled.environments.iter().find(|e| e.name.as_str() == name)
}

/// The id that a build would give.
fn side(mesh: &Mesh, name: &str) -> Result<Option<Side>, Failure> {
    let Some(environment) = named(mesh, name) else { return Ok(None) };
    let source = mesh.origin.commit.as_ref().map(|commit| commit.source.clone());
    let commit = commit(source.as_ref());
    Ok(Some(Side { bundle: packed(environment, source)?.id.to_string(), commit }))
}

fn commit(source: Option<&mesh_bundle::manifest::Source>) -> String {
    source.map_or_else(|| "the files as they are".to_owned(), |s| s.commit.chars().take(12).collect())
}
