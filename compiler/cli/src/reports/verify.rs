//! The report of `meshc verify`.

use std::collections::BTreeMap;

use mesh_bundle::manifest::Manifest;
use mesh_bundle::{Digest, Refusal, Release, State};
use mesh_compiler::diag::Date;
use mesh_compiler::numbers::percent;
use mesh_decision::selftest::Proved;
use mesh_workspace::verify::Verified;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;
use crate::text::{clean, table};

/// The verdict on a bundle.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VerifyReport<'a> {
    #[serde(flatten)]
    head: Head,
    /// The folder or archive.
    path: String,
    #[serde(flatten)]
    outcome: Outcome<'a>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Outcome<'a> {
    Refused {
        /// The verdict.
        verdict: Refused,
        /// The refusal that a proxy would give.
        #[schemars(with = "BTreeMap<String, Value>")]
        refusal: &'a Refusal,
    },
    Held(Box<Held<'a>>),
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Refused {
    Refused,
}

/// A bundle that is not refused.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Held<'a> {
    /// The verdict.
    verdict: Verdict,
    /// Whether the signatures were checked.
    signatures_checked: bool,
    /// The bundle's id.
    #[schemars(with = "String")]
    bundle: Digest,
    /// The manifest, as in the bundle (`docs/bundle.md`).
    #[schemars(with = "BTreeMap<String, Value>")]
    manifest: &'a Manifest,
    /// The release, as in the bundle.
    #[schemars(with = "BTreeMap<String, Value>")]
    release: &'a Release,
    /// The state of canaries, as in the bundle.
    #[schemars(with = "BTreeMap<String, Value>")]
    state: &'a State,
    /// Number of units.
    units: usize,
    /// Number of proxies for which it was built.
    proxies: usize,
    /// Numbers of self-tests.
    self_tests: SelfTests,
}

/// The verdict on a bundle that is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// Its signatures are those of trusted keys.
    Good,
    /// Its bytes fit together; signatures were not checked.
    Intact,
}

/// Numbers of self-tests.
#[derive(Debug, Serialize, JsonSchema)]
struct SelfTests {
    /// Self-tests that passed.
    passed: usize,
    /// Self-tests that are not for the proxy that holds them.
    skipped: usize,
}

impl<'a> VerifyReport<'a> {
    /// The report of the rungs of a bundle at `path`.
    pub(crate) fn new(path: String, verdict: &'a Result<Verified, Refusal>, proved: Proved) -> Self {
        let outcome = match verdict {
            Err(refusal) => Outcome::Refused { verdict: Refused::Refused, refusal },
            Ok(good) => Outcome::Held(Box::new(Held {
                verdict: if good.authentic { Verdict::Good } else { Verdict::Intact },
                signatures_checked: good.authentic,
                bundle: good.bundle.id,
                manifest: &good.bundle.manifest,
                release: &good.release,
                state: &good.state,
                units: good.bundle.entries().len(),
                proxies: good.engines,
                self_tests: SelfTests { passed: proved.passed, skipped: proved.skipped },
            })),
        };
        Self { head: Head::of("verify"), path, outcome }
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Intact => "intact",
        }
    }
}

impl Report for VerifyReport<'_> {
    fn human(&self, look: Look) -> String {
        match &self.outcome {
            Outcome::Refused { refusal, .. } => {
                format!("{}\n{}\n", look.bad("REFUSED"), clean(&refusal.to_string()))
            }
            Outcome::Held(held) => held.human(look),
        }
    }

    fn concise(&self) -> String {
        let path = clean(&self.path);
        match &self.outcome {
            Outcome::Refused { refusal, .. } => format!("{path}: {}\n", clean(&refusal.to_string())),
            Outcome::Held(held) => format!("{path}: {} {}\n", held.verdict.word(), held.bundle),
        }
    }

    fn json(&self) -> impl Serialize {
        self
    }
}

impl Held<'_> {
    fn human(&self, look: Look) -> String {
        let (manifest, release) = (self.manifest, self.release);
        let commit = manifest.source.as_ref().map_or("none".to_owned(), |s| s.commit.clone());
        let signatures =
            if self.signatures_checked { "checked" } else { "NOT checked: no --trust was given" }.to_owned();
        let SelfTests { passed, skipped } = self.self_tests;
        let self_tests = format!("{passed} passed, {skipped} not for the proxy that holds them");
        let mut rows = vec![
            ("bundle", self.bundle.to_string()),
            ("mesh", format!("{} @ {}", manifest.mesh, manifest.environment)),
            ("commit", clean(&commit)),
            ("compiler", clean(&manifest.compiler)),
            ("release", format!("epoch {}, generation {}", release.epoch, release.generation)),
            ("units", format!("{}, for {} proxies", self.units, self.proxies)),
            ("self-tests", self_tests),
            ("signatures", signatures),
        ];
        for (address, canary) in &self.state.canaries {
            let shown = format!("{} stage {}, {}", clean(address), canary.stage, percent(canary.weight));
            rows.push(("state", shown));
        }
        if let Some(expires) = release.expires {
            let date = i64::try_from(expires).ok().and_then(Date::of_unix);
            rows.push(("expires", date.map_or_else(|| expires.to_string(), |d| format!("{d} ({expires})"))));
        }
        let rows: Vec<Vec<String>> = rows.into_iter().map(|(k, v)| vec![k.to_owned(), v]).collect();
        format!("{}{}\n", table(&rows), look.good(self.verdict.word()))
    }
}
