//! `meshc test`: runs the cases of Test objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use mesh_bundle::Program;
use mesh_compiler::CompiledEnvironment;
use mesh_compiler::diag::{Sources, Span};
use mesh_compiler::scenario::{self, Mismatch};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::load::{self, Day, Revision, Where};
use crate::look::Look;
use crate::output::{Outputs, Report};
use crate::render::place;
use crate::text::{clean, count};

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
}

/// Runs the command.
pub(crate) fn run(args: &Args, at: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let mesh = load::mesh(at, &args.revision, Day::Given(None))?;
    if !load::is_sound(&mesh, "test", outputs)? {
        return Ok(1);
    }
    let mut answer = Answer { sources: &mesh.compiled.sources, cases: Vec::new(), coverage: Vec::new() };
    for environment in mesh.environments(&args.env)? {
        answer.run(environment)?;
    }
    let failed = answer.failed();
    outputs.emit(&answer)?;
    Ok(u8::from(failed > 0))
}

struct Answer<'a> {
    sources: &'a Sources,
    cases: Vec<Case>,
    coverage: Vec<Coverage>,
}

struct Case {
    environment: String,
    name: String,
    request: String,
    span: Span,
    wrong: Vec<Mismatch>,
}

/// Which rules of an environment the examples reach.
struct Coverage {
    environment: String,
    rules: usize,
    missed: Vec<String>,
}

impl Answer<'_> {
    fn run(&mut self, environment: &CompiledEnvironment) -> Result<(), Failure> {
        if environment.cases.is_empty() {
            return Ok(());
        }
        let program = Arc::new(environment.program.clone());
        let mut reached = BTreeSet::new();
        for case in &environment.cases {
            let (journey, wrong) = scenario::run(&program, case)
                .map_err(|e| Failure::cannot(format!("the mesh cannot be run: {e}")))?;
            reached.extend(journey.edge_rule);
            reached.extend(journey.rule);
            self.cases.push(Case {
                environment: environment.name.to_string(),
                name: format!("{}/{}", case.test, case.name),
                request: case.request.clone(),
                span: case.span,
                wrong,
            });
        }
        let rules = rules(&program);
        let missed = rules.iter().filter(|rule| !reached.contains(*rule)).cloned().collect();
        self.coverage.push(Coverage {
            environment: environment.name.to_string(),
            rules: rules.len(),
            missed,
        });
        Ok(())
    }

    fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.wrong.is_empty()).count()
    }

    fn at(&self, span: Span) -> String {
        let at = self.sources.position(span);
        format!("{}:{}:{}", clean(self.sources.path(span.file)), at.line, at.column)
    }
}

/// The addresses of all written rules.
fn rules(program: &Program) -> BTreeSet<String> {
    let services = program.routes.iter();
    let gateways = program.gateway_routes.values().flatten();
    let all = services.chain(gateways);
    all.flat_map(|(name, routes)| routes.rules.iter().map(move |r| format!("route/{name}/{}", r.name)))
        .collect()
}

impl Report for Answer<'_> {
    fn human(&self, look: Look) -> String {
        let mut out = String::new();
        for case in &self.cases {
            let verdict = if case.wrong.is_empty() { look.good("ok    ") } else { look.bad("FAILED") };
            out.push_str(&format!(
                "{verdict}  {}  {}  {}\n",
                case.environment,
                case.name,
                clean(&case.request)
            ));
            for wrong in &case.wrong {
                let (what, expected, got) = (clean(&wrong.what), clean(&wrong.expected), clean(&wrong.got));
                let at = look.dim(&self.at(wrong.span));
                out.push_str(&format!("        {what}: expected {expected}, got {got}  {at}\n"));
            }
        }
        for coverage in &self.coverage {
            let reached = coverage.rules - coverage.missed.len();
            let (environment, rules) = (&coverage.environment, coverage.rules);
            out.push_str(&format!("rules reached in {environment}: {reached} of {rules}"));
            if !coverage.missed.is_empty() {
                out.push_str(&format!(" (not {})", coverage.missed.join(", ")));
            }
            out.push('\n');
        }
        let passed = self.cases.len() - self.failed();
        let summary = match (self.cases.len(), self.failed()) {
            (0, _) => "there are no tests".to_owned(),
            (_, 0) => look.good(&format!("{} passed", count(passed, "example"))),
            (_, failed) => look.bad(&format!("{passed} passed, {failed} failed")),
        };
        out + &summary + "\n"
    }

    fn concise(&self) -> String {
        let mut out = String::new();
        for case in &self.cases {
            for wrong in &case.wrong {
                let (what, expected, got) = (clean(&wrong.what), clean(&wrong.expected), clean(&wrong.got));
                let at = self.at(wrong.span);
                out.push_str(&format!("{at}: {}: {what}: expected {expected}, got {got}\n", case.name));
            }
        }
        out
    }

    fn json(&self) -> Value {
        let case = |case: &Case| {
            let mut out = place(self.sources, case.span);
            out.insert("environment".into(), case.environment.clone().into());
            out.insert("name".into(), case.name.clone().into());
            out.insert("request".into(), case.request.clone().into());
            out.insert("passed".into(), case.wrong.is_empty().into());
            let wrong = case.wrong.iter().map(|w| {
                let mut out = place(self.sources, w.span);
                out.insert("what".into(), w.what.clone().into());
                out.insert("expected".into(), w.expected.clone().into());
                out.insert("got".into(), w.got.clone().into());
                Value::Object(out)
            });
            out.insert("mismatches".into(), wrong.collect());
            Value::Object(out)
        };
        let coverage =
            |c: &Coverage| json!({"environment": c.environment, "rules": c.rules, "missed": c.missed});
        json!({
            "schema": 1,
            "command": "test",
            "cases": self.cases.iter().map(case).collect::<Vec<_>>(),
            "coverage": self.coverage.iter().map(coverage).collect::<Vec<_>>(),
            "passed": self.cases.len() - self.failed(),
            "failed": self.failed(),
        })
    }
}
