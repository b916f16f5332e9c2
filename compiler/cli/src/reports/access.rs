//! The report of `meshc access`.

use mesh_bundle::Owner;
use schemars::JsonSchema;
use serde::Serialize;

use super::head::Head;
use crate::look::Look;
use crate::output::Report;
use crate::text::{clean, table};

/// Who may call whom.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AccessReport {
    #[serde(flatten)]
    head: Head,
    /// The environment.
    environment: String,
    /// One caller of one access entry each.
    entries: Vec<Rule>,
    /// Whether the entries allow the caller something that none denies again without a condition; present where both ends
    /// were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<bool>,
    /// Whether a request of the caller can pass: it is allowed, or the policy only audits; present where both ends were
    /// named.
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<bool>,
    /// Why, in words; present where both ends were named and the entries do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The answer in a sentence, where both ends were named.
    #[serde(skip)]
    verdict: Option<String>,
}

/// Whether a caller may call a callee at all.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Whether the entries allow it something.
    pub(crate) allowed: bool,
    /// Whether a request can pass.
    pub(crate) passes: bool,
    /// Why, in words, where the entries do not say it.
    pub(crate) why: Option<String>,
}

/// One caller of one access entry.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Rule {
    /// The caller in words: a service, `gateway/NAME`, labels, a SPIFFE ID, `external` or `any`.
    pub(crate) from: String,
    /// The service or gateway that is called.
    #[schemars(with = "String")]
    pub(crate) to: Owner,
    /// What the entry does.
    pub(crate) effect: Effect,
    /// Whether the policy only audits.
    pub(crate) audit: bool,
    /// Address of the entry.
    pub(crate) address: String,
    /// Methods; all if empty.
    pub(crate) methods: Vec<String>,
    /// Paths; all if empty.
    pub(crate) paths: Vec<String>,
    /// The condition.
    pub(crate) when: Option<String>,
    /// `file:line` of the entry.
    pub(crate) place: Option<String>,
}

/// What an access entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Effect {
    Allow,
    Deny,
}

impl Effect {
    /// The word as in JSON, also the name of the list that the entry is in.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl AccessReport {
    /// The entries of an environment.
    pub(crate) fn new(environment: String, entries: Vec<Rule>) -> Self {
        Self {
            head: Head::of("access"),
            environment,
            entries,
            allowed: None,
            passes: None,
            why: None,
            verdict: None,
        }
    }

    /// Answers whether `from` may call `to` at all.
    pub(crate) fn answer(&mut self, from: &str, to: &Owner, answer: Answered) {
        let Answered { allowed, passes, why } = answer;
        let may = if passes { "may" } else { "may not" };
        let how = why.as_deref().unwrap_or("as follows");
        let stranger = matches!(to, Owner::Gateway(_)) && from != "external";
        let seen = if stranger { " (a gateway takes every caller for `external`)" } else { "" };
        self.verdict = Some(format!("{from} {may} call {to} in {}: {how}{seen}", self.environment));
        self.allowed = Some(allowed);
        self.passes = Some(passes);
        self.why = why;
    }
}

impl Report for AccessReport {
    fn human(&self, look: Look) -> String {
        let mut out = self.verdict.as_ref().map(|v| format!("{}\n", look.strong(v))).unwrap_or_default();
        let any = |list: &[String]| if list.is_empty() { "*".to_owned() } else { list.join(",") };
        let line = |row: &Rule| {
            let audit = if row.audit { " (audit)" } else { "" };
            vec![
                format!("{}{audit}", row.effect.word()),
                format!("{} -> {}", row.from, row.to),
                any(&row.methods),
                clean(&any(&row.paths)),
                row.address.clone(),
                row.place.clone().unwrap_or_default(),
                row.when.as_ref().map(|when| format!("when {}", clean(when))).unwrap_or_default(),
            ]
        };
        out.push_str(&table(&self.entries.iter().map(line).collect::<Vec<_>>()));
        if self.entries.is_empty() && self.verdict.is_none() {
            out.push_str("nobody\n");
        }
        out
    }

    fn concise(&self) -> String {
        let line = |row: &Rule| {
            let place = row.place.as_deref().unwrap_or("-");
            format!("{place}: {} {} -> {} [{}]\n", row.effect.word(), row.from, row.to, row.address)
        };
        self.entries.iter().map(line).collect()
    }

    fn json(&self) -> impl Serialize {
        self
    }
}
