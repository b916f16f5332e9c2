//! The report of `meshc explain`.

use mesh_compiler::diag::{CodeInfo, codes};
use schemars::JsonSchema;
use serde::Serialize;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;

/// The documentation of one code, or of all.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ExplainReport {
    /// One code.
    Page(Page),
    /// All codes.
    List {
        #[serde(flatten)]
        head: Head,
        /// The codes in rising order.
        codes: Vec<Page>,
    },
}

/// The documentation of a code.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Page {
    /// The code, such as `MC2001`.
    code: String,
    /// Its short name.
    slug: &'static str,
    /// The fault in one line.
    title: &'static str,
    /// The rule that is checked.
    checks: &'static str,
    /// The harm that a finding stands for.
    why: &'static str,
    /// A spec with the finding.
    bad: &'static str,
    /// The example without the fault.
    good: &'static str,
    /// Whether a `# meshc: allow` comment can suppress it.
    suppressible: bool,
}

impl ExplainReport {
    /// The documentation of one code.
    pub(crate) fn page(info: &CodeInfo) -> Self {
        Self::Page(Page::new(info))
    }

    /// All codes.
    pub(crate) fn list() -> Self {
        Self::List { head: Head::of("explain"), codes: codes::all().map(Page::new).collect() }
    }
}

impl Page {
    fn new(info: &CodeInfo) -> Self {
        Self {
            code: info.code.to_string(),
            slug: info.slug,
            title: info.title,
            checks: info.checks,
            why: info.why,
            bad: info.bad,
            good: info.good,
            suppressible: info.suppressible,
        }
    }

    fn human(&self, look: Look) -> String {
        let indent = |text: &str| text.lines().map(|l| format!("    {l}\n")).collect::<String>();
        let suppress = if self.suppressible {
            format!("\nAccept one for a time: # meshc: allow {} until 2026-12-31 -- reason\n", self.code)
        } else {
            String::new()
        };
        format!(
            "{}  {}\n{}\n\nWhat is checked\n{}\nWhy\n{}\nWrong\n{}\nRight\n{}{suppress}",
            look.strong(&self.code),
            self.slug,
            self.title,
            indent(self.checks),
            indent(self.why),
            indent(self.bad),
            indent(self.good),
        )
    }
}

impl Report for ExplainReport {
    fn human(&self, look: Look) -> String {
        match self {
            Self::Page(page) => page.human(look),
            Self::List { .. } => self.concise(),
        }
    }

    fn concise(&self) -> String {
        match self {
            Self::Page(page) => format!("{} {}: {}\n", page.code, page.slug, page.title),
            Self::List { codes, .. } => {
                codes.iter().map(|page| format!("{}  {}\n", page.code, page.title)).collect()
            }
        }
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
