//! The report of `meshc test`.

use schemars::JsonSchema;
use serde::Serialize;

use super::head::{Head, Place};
use crate::look::Look;
use crate::output::Report;
use crate::text::{clean, count};

/// What became of the examples.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TestReport {
    #[serde(flatten)]
    head: Head,
    /// The examples, environment by environment.
    cases: Vec<Case>,
    /// Rules that the examples reach, one an environment that has examples.
    pub(crate) coverage: Vec<Coverage>,
    /// Number of examples that came true.
    passed: usize,
    /// Number of examples that did not.
    pub(crate) failed: usize,
}

/// One example.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Case {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// Environment of the Test.
    pub(crate) environment: String,
    /// The Test's name and the case's, or its place in the list.
    pub(crate) name: String,
    /// The request as it is written.
    pub(crate) request: String,
    /// Whether everything came as expected.
    pub(crate) passed: bool,
    /// Expectations that did not come true.
    pub(crate) mismatches: Vec<Mismatch>,
    /// Remarks, such as facts that rules read and the example does not give.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// An expectation that did not come true.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Mismatch {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The field of `expect`.
    pub(crate) what: String,
    /// The expected value.
    pub(crate) expected: String,
    /// The actual value.
    pub(crate) got: String,
}

/// Rules of an environment that the examples reach.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Coverage {
    /// The environment.
    pub(crate) environment: String,
    /// Number of written rules.
    pub(crate) rules: usize,
    /// Addresses of rules that no example reaches.
    pub(crate) missed: Vec<String>,
}

impl TestReport {
    /// The report of no examples.
    pub(crate) fn new() -> Self {
        Self { head: Head::of("test"), cases: Vec::new(), coverage: Vec::new(), passed: 0, failed: 0 }
    }

    /// Adds an example.
    pub(crate) fn add(&mut self, case: Case) {
        *(if case.passed { &mut self.passed } else { &mut self.failed }) += 1;
        self.cases.push(case);
    }
}

fn at(place: &Place) -> String {
    format!("{}:{}:{}", clean(&place.path), place.line, place.column)
}

impl Report for TestReport {
    fn human(&self, look: Look) -> String {
        let mut out = String::new();
        for case in &self.cases {
            let verdict = if case.passed { look.good("ok    ") } else { look.bad("FAILED") };
            out.push_str(&format!(
                "{verdict}  {}  {}  {}\n",
                case.environment,
                case.name,
                clean(&case.request)
            ));
            for wrong in &case.mismatches {
                let (what, expected, got) = (clean(&wrong.what), clean(&wrong.expected), clean(&wrong.got));
                let at = look.dim(&at(&wrong.place));
                out.push_str(&format!("        {what}: expected {expected}, got {got}  {at}\n"));
            }
            for note in &case.notes {
                out.push_str(&format!("        {}\n", look.dim(&format!("note: {}", clean(note)))));
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
        let summary = match (self.cases.len(), self.failed) {
            (0, _) => "there are no tests".to_owned(),
            (_, 0) => look.good(&format!("{} passed", count(self.passed, "example"))),
            (_, failed) => look.bad(&format!("{} passed, {failed} failed", self.passed)),
        };
        out + &summary + "\n"
    }

    fn concise(&self) -> String {
        let mut out = String::new();
        for case in &self.cases {
            for wrong in &case.mismatches {
                let (what, expected, got) = (clean(&wrong.what), clean(&wrong.expected), clean(&wrong.got));
                let at = at(&wrong.place);
                out.push_str(&format!("{at}: {}: {what}: expected {expected}, got {got}\n", case.name));
            }
        }
        out
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
