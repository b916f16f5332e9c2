//! The whole way: files in, findings and programs out, one for each environment.

use std::collections::BTreeMap;

use mesh_bundle::sourcemap::SourceMap;
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Program};

use crate::blame::Blamed;
use crate::check::{self, Policies};
use crate::diag::{CheckDay, Date, Diagnostic, Diagnostics, Severity, Sources, Span, codes, suppress};
use crate::lower;
use crate::model::{DEFAULT_ENVIRONMENT, Model};
use crate::scenario::{self, TestCase};
use crate::spec::{self, Kind, LintLevel, Loaded, Object, Spec, load};

/// Inputs of the compiler beside the files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The date of the check: suppressions and waivers end by it. It changes no byte of a bundle. Without one nothing
    /// has ended.
    pub today: Option<Date>,
    /// What has ended by then holds on, and a note says so: for those who ask what runs.
    pub lenient: bool,
    /// Files that belong to the mesh are not among the given ones, so a name that is not found may stand there.
    pub unread: bool,
    /// Compile these environments only; all if empty. For tools that ask which findings are an environment's own:
    /// a mesh is sound only if all its environments are.
    pub environments: Vec<String>,
}

/// Result of a compilation.
#[derive(Debug)]
pub struct Compiled {
    /// The files that were compiled, for rendering findings.
    pub sources: Sources,
    /// All findings of all files and environments, sorted; suppressed ones are left out.
    pub findings: Diagnostics,
    /// Remarks on what is not evaluated, in whole sentences; not findings.
    pub notes: Vec<String>,
    /// Numbers of files, objects and environments.
    pub counts: Counts,
    /// The mesh's name.
    pub mesh: Option<String>,
    /// Place of the Mesh's `ignore`, where it says one.
    pub ignore: Option<Span>,
    /// One an environment, by name; empty without a usable Mesh.
    pub environments: Vec<CompiledEnvironment>,
}

/// Size of the mesh that was compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Number of files.
    pub files: usize,
    /// Number of objects in all files.
    pub objects: usize,
    /// Number of environments compiled.
    pub environments: usize,
}

/// The compilation of one environment.
#[derive(Debug)]
pub struct CompiledEnvironment {
    /// Name of the environment.
    pub name: Name,
    /// Program of the environment; meaningful only while there are no errors.
    pub program: Program,
    /// Source place of each part of each unit.
    pub maps: BTreeMap<UnitId, SourceMap>,
    /// Test cases of the environment, names resolved.
    pub cases: Vec<TestCase>,
}

/// Compiles the files of a mesh, given as path and content.
#[must_use]
pub fn compile(files: Vec<(String, Vec<u8>)>, options: &Options) -> Compiled {
    let mut loaded = load(files);
    if options.unread {
        loaded.unread.note_opaque();
    }
    let loaded = loaded;
    let day = CheckDay { date: options.today, lenient: options.lenient };
    let mut findings: Vec<Diagnostic> = loaded.findings.iter().cloned().collect();
    one_mesh(&loaded, &mut findings);
    check::check_written(&loaded, &mut findings);
    let settings: Vec<&Object> =
        loaded.objects.iter().map(|(_, o)| o).filter(|o| o.address.kind == Kind::Environment).collect();
    let mut places: Vec<Option<&Object>> = settings.into_iter().map(Some).collect();
    places.sort_by_key(|object| object.map(|o| o.address.name.as_str().to_owned()));
    if places.is_empty() {
        places.push(None);
    }
    if !options.environments.is_empty() {
        places.retain(|place| options.environments.iter().any(|chosen| chosen == name_of(*place)));
    }
    let mut environments = Vec::new();
    let mut policies = Policies::default();
    let mut blamed = Blamed::default();
    for place in places {
        let before = findings.len();
        let Some(model) = Model::new(&loaded, place, &mut findings) else { continue };
        let lowered = lower::lower(&model, &mut findings);
        check::check(&loaded, &model, lowered.as_ref(), &mut findings);
        let cases = scenario::cases(&model, &mut findings);
        let own = findings.split_off(before);
        findings.extend(blamed.sort_out(&loaded, place, own));
        policies.look(&model, day, &mut findings);
        if let Some(lowered) = lowered {
            let name = model.environment.clone();
            environments.push(CompiledEnvironment {
                name,
                program: lowered.program,
                maps: lowered.maps,
                cases,
            });
        }
    }
    let complete = loaded.is_complete();
    findings.extend(blamed.findings());
    policies.finish(complete && options.environments.is_empty(), &mut findings);
    let counts = Counts {
        files: loaded.sources.len(),
        objects: loaded.objects.len(),
        environments: environments.len(),
    };
    let mesh = mesh_of(&loaded);
    let name = mesh.map(|m| m.name.as_str().to_owned());
    let ignore = mesh.and_then(|mesh| mesh.ignore.first()).map(|first| first.span);
    let findings = settle(findings, mesh, &loaded, day);
    let notes = notes(&loaded);
    Compiled { sources: loaded.sources, findings, notes, counts, mesh: name, ignore, environments }
}

/// The name of an environment; that of a mesh without any.
fn name_of(place: Option<&Object>) -> &str {
    place.map_or(DEFAULT_ENVIRONMENT, |object| object.address.name.as_str())
}

fn mesh_of(loaded: &Loaded) -> Option<&spec::Mesh> {
    loaded.objects.iter().find_map(|(_, object)| match &object.spec {
        Spec::Mesh(mesh) => Some(mesh.as_ref()),
        _ => None,
    })
}

fn one_mesh(loaded: &Loaded, findings: &mut Vec<Diagnostic>) {
    let mut meshes = loaded.objects.iter().map(|(_, o)| o).filter(|o| o.address.kind == Kind::Mesh);
    let hidden = loaded.broken.iter().any(|address| address.kind == Kind::Mesh)
        || loaded.unread.may_have(Kind::Mesh.as_str());
    match (meshes.next(), meshes.next()) {
        (Some(first), Some(second)) => {
            let finding = Diagnostic::new(codes::NO_MESH, second.name_span, "there is a second Mesh");
            findings.push(finding.label(first.name_span, "first here").help("a repository has one mesh"));
        }
        (None, _) if !hidden => {
            let place = loaded.sources.iter().next().map(|(id, _)| Span::new(id, 0, 0));
            // Without any file there is no place to point at, and the caller has said so already.
            if let Some(span) = place {
                let finding = Diagnostic::new(codes::NO_MESH, span, "no file says what the mesh is");
                findings.push(
                    finding.help("add `kind: Mesh` with `name`, `version: 1` and `trustDomain` to mesh.yaml"),
                );
            }
        }
        _ => {}
    }
}

/// Applies levels and suppressions, sorts, drops repetitions.
fn settle(
    findings: Vec<Diagnostic>,
    mesh: Option<&spec::Mesh>,
    loaded: &Loaded,
    day: CheckDay,
) -> Diagnostics {
    let lints = mesh.and_then(|m| m.tool.as_ref()).map(|tool| &tool.lints);
    let mut all = Diagnostics::new();
    for mut finding in findings {
        let level = lints.and_then(|l| l.get(&finding.code.to_string())).map(|l| l.value);
        // Levels are for findings that a repository may live with; the others stay errors.
        let movable = finding.code.info().is_some_and(|info| info.suppressible);
        match level.filter(|_| movable) {
            Some(LintLevel::Off) => continue,
            Some(LintLevel::Error) => finding.severity = Severity::Error,
            Some(LintLevel::Warning) => finding.severity = Severity::Warning,
            Some(LintLevel::Note) => finding.severity = Severity::Note,
            None => {}
        }
        all.push(finding);
    }
    all.sort(&loaded.sources);
    let mut remaining = suppress(all, &loaded.comments, &loaded.sources, day, loaded.is_complete()).remaining;
    remaining.sort(&loaded.sources);
    remaining
}

fn notes(loaded: &Loaded) -> Vec<String> {
    // Policies over objects are evaluated; the others would need all requests, or a plan.
    let mut forms: Vec<&str> = Vec::new();
    for (_, object) in &loaded.objects {
        let Spec::Policy(policy) = &object.spec else { continue };
        forms.extend(policy.invariant.as_ref().map(|_| "`invariant`"));
        forms.extend(policy.forbid.as_ref().map(|_| "`forbid`"));
        forms.extend(policy.permit_only.as_ref().map(|_| "`permitOnly`"));
        forms.extend(policy.change.as_ref().map(|_| "`change`"));
    }
    let count = forms.len();
    forms.sort_unstable();
    forms.dedup();
    let mut notes = Vec::new();
    if count > 0 {
        let (noun, verb) = if count == 1 { ("policy", "is") } else { ("policies", "are") };
        let forms = forms.join(", ");
        notes.push(format!(
            "{count} {noun} with {forms} {verb} read and checked for mistakes, and not evaluated by this release"
        ));
    }
    notes
}
