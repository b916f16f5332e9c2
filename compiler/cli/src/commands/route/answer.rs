//! The answer of `meshc route`, drawn for people and put into its report.

use mesh_bundle::program::Sticky;
use mesh_bundle::{Name, Owner, Program};
use mesh_compiler::numbers::decimal;
use mesh_decision::explain::{Step, StepVerdict};
use mesh_decision::journey::{Ask, Fact, Journey, Note, Part};
use serde::Serialize;

use super::refusal::Refusal;
use crate::look::Look;
use crate::output::Report;
use crate::places::Places;
use crate::reports::{Asked, RouteAnswer, RouteReport, RouteShare};
use crate::text::{clean, table};

/// Most characters of an expression that are shown.
const WORDS: usize = 100;

/// What happens to a request, and to each share of the requests like it.
pub(super) struct Answer<'a> {
    /// The URL as it was given.
    pub(super) url: &'a str,
    /// The number that is drawn, if one was given.
    pub(super) pick: Option<u32>,
    /// Whether rules that were passed over are shown.
    pub(super) explain: bool,
    pub(super) ask: &'a Ask,
    pub(super) program: &'a Program,
    pub(super) journey: &'a Journey,
    pub(super) parts: &'a [Part],
    pub(super) places: &'a Places<'a>,
}

impl Answer<'_> {
    /// True if the answer is about every share, and not about the one that was drawn.
    fn is_shared(&self) -> bool {
        self.parts.len() > 1 && self.pick.is_none()
    }

    /// The rule at the first hop, and the one of the service's Route where they differ.
    fn rules<'j>(&self, journey: &'j Journey) -> Vec<(&'static str, &'j str, Option<String>)> {
        let gateway = journey.gateway.as_deref();
        let edge = journey.edge_rule.as_deref();
        let inner = journey.rule.as_deref().filter(|rule| Some(*rule) != edge);
        let mut rules = Vec::new();
        if let Some(edge) = edge {
            rules.push(("edge rule", edge, self.places.of_rule(self.program, gateway, edge)));
        }
        if let Some(inner) = inner {
            rules.push(("rule", inner, self.places.of_rule(self.program, None, inner)));
        }
        rules
    }

    /// The access entry that decided, and its place. The door that was asked last is the one that decided.
    fn entry<'j>(&self, journey: &'j Journey) -> Option<(&'j str, Option<String>)> {
        let address = journey.access_entry.as_deref()?;
        let owner = journey.access_owner.as_ref();
        Some((address, owner.and_then(|owner| self.places.of_entry(self.program, owner, address))))
    }

    fn refusal(&self, journey: &Journey) -> Refusal {
        Refusal::of(journey, self.ask, self.program, self.places)
    }

    /// The verdict on a journey, what decided it, and where that is written.
    fn access(&self, journey: &Journey) -> Option<[String; 3]> {
        let verdict = match journey.access.as_deref()? {
            "allow" => "allowed",
            "deny" => "denied",
            other => other,
        };
        let (by, at) = match self.entry(journey) {
            Some((entry, at)) => (entry.to_owned(), at),
            None => {
                let Refusal { policy, place, .. } = self.refusal(journey);
                // A request that passes without an entry met a door without rules, or one that only watches.
                (policy.unwrap_or_default(), place)
            }
        };
        // A service that does not exist is denied by nobody.
        (verdict != "denied" || !by.is_empty()).then(|| [verdict.to_owned(), by, at.unwrap_or_default()])
    }

    fn caller(&self) -> String {
        self.ask.caller.as_ref().map_or_else(|| "anonymous".to_owned(), Owner::to_string)
    }

    /// The service with its version, or with the shares of its versions; `None` where shares go to several services.
    fn service(&self) -> Option<(String, String)> {
        let service = self.journey.service.clone()?;
        if !self.is_shared() {
            return Some((service, self.journey.version.clone().unwrap_or_default()));
        }
        let same = self.parts.iter().all(|part| part.journey.service.as_ref() == Some(&service));
        let share = |part: &Part| {
            let version = part.journey.version.as_deref().unwrap_or_default();
            format!("{version} {}", percent(part.weight))
        };
        same.then(|| (service, self.parts.iter().map(share).collect::<Vec<_>>().join(", ")))
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let (journey, program) = (self.journey, self.program);
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut row = |label: &str, what: String, detail: String, at: Option<String>| {
            rows.push(vec![format!("  {label}"), what, detail, at.unwrap_or_default()]);
        };
        if let Some(gateway) = &journey.gateway {
            let unit = Name::new(gateway).ok().map(mesh_bundle::unit::UnitId::Gateway);
            let hosts = program.gateways.get(gateway.as_str()).map(|g| g.hosts.join(", "));
            let at = unit.and_then(|unit| self.places.of(&unit, ""));
            row("gateway", gateway.clone(), format!("hosts {}", hosts.unwrap_or_default()), at);
        }
        for (label, rule, at) in self.rules(journey) {
            row(label, rule.to_owned(), String::new(), at);
        }
        if let Some((service, versions)) = self.service() {
            let unit = Name::new(&service).ok().map(mesh_bundle::unit::UnitId::Service);
            row("service", service, versions, unit.and_then(|u| self.places.of(&u, "")));
        }
        if self.parts.len() > 1 {
            for [share, to, verdict, at] in self.shares() {
                row(&share, to, verdict, Some(at));
            }
        }
        if let Some(sticks) = sticks(self.parts) {
            row("sticks to", sticks, String::new(), None);
        }
        if !self.is_shared()
            && let Some([verdict, by, at]) = self.access(journey)
        {
            row("access", verdict, by, Some(at));
        }
        let texts = [
            ("path", journey.path.clone()),
            ("host", journey.host.clone().filter(|host| *host != self.ask.authority)),
            ("location", journey.location.clone()),
            ("timeout", journey.timeout_ms.map(|ms| if ms == 0 { "off".into() } else { format!("{ms} ms") })),
            ("retries", journey.attempts.filter(|n| *n > 0).map(|n| n.to_string())),
            ("quotas", Some(journey.quotas.join(", ")).filter(|q| !q.is_empty())),
        ];
        for (label, text) in texts {
            if let Some(text) = text {
                row(label, clean(&text), String::new(), None);
            }
        }
        rows
    }

    /// Of each share its size, where it goes, the verdict, and the place of what decided.
    fn shares(&self) -> impl Iterator<Item = [String; 4]> {
        self.parts.iter().map(|part| {
            let journey = &part.journey;
            let drawn = self.pick.is_some() && self.is_drawn(part);
            let label = if drawn { "drawn" } else { "share" };
            let to = journey.service.as_ref().map_or_else(
                || outcome(journey, None),
                |service| format!("{service}@{}", journey.version.as_deref().unwrap_or_default()),
            );
            let [verdict, by, at] = self.access(journey).unwrap_or_default();
            let verdict = format!("{verdict} {by}");
            [format!("{label} {}", percent(part.weight)), to, verdict.trim().to_owned(), at]
        })
    }

    /// True for the share that the request that was asked falls in.
    fn is_drawn(&self, part: &Part) -> bool {
        let (one, other) = (&part.journey, self.journey);
        (&one.service, &one.version, &one.edge_rule, &one.rule)
            == (&other.service, &other.version, &other.edge_rule, &other.rule)
    }

    /// One line on the outcome for the client, or a line for each outcome that shares have, with their sum.
    fn outcomes(&self) -> Vec<(String, bool)> {
        let line = |journey: &Journey| {
            let bad = journey.status.is_some_and(|status| status >= 400) || journey.is_closed();
            (outcome(journey, self.refusal(journey).why), bad)
        };
        if !self.is_shared() {
            return vec![line(self.journey)];
        }
        let mut sums: Vec<((String, bool), u64)> = Vec::new();
        for part in self.parts {
            let this = line(&part.journey);
            match sums.iter_mut().find(|(known, _)| *known == this) {
                Some((_, sum)) => *sum += part.weight,
                None => sums.push((this, part.weight)),
            }
        }
        match sums.as_slice() {
            [(one, _)] => vec![one.clone()],
            _ => sums.iter().map(|((text, bad), sum)| (format!("{}: {text}", percent(*sum)), *bad)).collect(),
        }
    }

    /// Remarks on the request and on every share of it, each once.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        let shared = self.parts.iter().filter(|_| self.is_shared()).flat_map(|part| &part.journey.notes);
        for note in self.journey.notes.iter().chain(shared) {
            let text = format!("{note}{}", hint(note));
            if !notes.contains(&text) {
                notes.push(text);
            }
        }
        notes
    }
}

/// What happens for the client, in a line.
fn outcome(journey: &Journey, why: Option<String>) -> String {
    let reason = journey.reason.as_ref().map(|r| format!(" {r}")).unwrap_or_default();
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    match (journey.status, &journey.service) {
        (Some(status), _) => format!("the mesh answers {status}{reason}{why}"),
        (None, Some(service)) => format!("goes to {service}"),
        (None, None) if journey.is_closed() => format!("no answer:{reason}{why}"),
        (None, None) => "goes nowhere".to_owned(),
    }
}

/// How to give what was assumed, as the end of a sentence.
fn hint(note: &Note) -> &'static str {
    match note {
        Note::Assumed { fact: Fact::Size, .. } => "; say it with `--size`",
        Note::Assumed { fact: Fact::ClientAddress, .. } | Note::SticksToAddress { .. } => {
            "; say it with `--ip`"
        }
        Note::SeveralGateways { .. } => "; say which with `--as gateway/NAME`, or with the port",
        Note::Assumed { .. }
        | Note::OtherPort { .. }
        | Note::TlsEndsBefore { .. }
        | Note::ClearToOwnProxy
        | Note::NoHandshake => "",
    }
}

/// What the splits on the request's way stick to.
fn sticks(parts: &[Part]) -> Option<String> {
    let word = |sticky: &Sticky| match sticky {
        Sticky::Header(name) => format!("header {name}"),
        Sticky::Cookie(name) => format!("cookie {name}"),
        Sticky::Source => "caller".to_owned(),
        Sticky::Ip => "address".to_owned(),
    };
    let mut words: Vec<String> = parts.iter().flat_map(|part| &part.sticks_to).map(word).collect();
    words.sort_unstable();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A part of the whole of shares as a percentage, in its fewest digits.
fn percent(weight: u64) -> String {
    // The whole is 10^12, so a hundredth of it is 10^10.
    format!("{}%", decimal(weight.into(), 10))
}

/// A rule or entry that was asked, and of its expression the part that decided.
fn asked(step: &Step) -> Vec<Vec<String>> {
    let why = match step.verdict {
        StepVerdict::Taken => "taken".to_owned(),
        other => format!("no: {}", other.word()),
    };
    let mut rows = vec![vec!["  asked".to_owned(), clean(&step.rule), why]];
    if let Some(because) = &step.because {
        let words = because.words.split_whitespace().collect::<Vec<_>>().join(" ");
        let words: String = words.chars().take(WORDS).collect();
        let seen = because.seen.iter().map(|seen| format!("{} is {}", seen.place, seen.value));
        let detail =
            std::iter::once(because.result.said().to_owned()).chain(seen).collect::<Vec<_>>().join("; ");
        rows.push(vec!["  because".to_owned(), clean(&words), clean(&detail)]);
    }
    rows
}

impl Report for Answer<'_> {
    fn human(&self, look: Look) -> String {
        let environment = &self.program.mesh.environment;
        let head = format!("{} {}", clean(&self.ask.method), clean(self.url));
        let mut out = format!("{}   as {}   env {environment}\n", look.strong(&head), self.caller());
        if self.explain {
            let steps = self.journey.steps.iter().chain(&self.journey.access_steps);
            let rows: Vec<Vec<String>> = steps.flat_map(asked).collect();
            out.push_str(&look.dim(&table(&rows)));
        }
        out.push_str(&table(&self.rows()));
        for (outcome, bad) in self.outcomes() {
            out.push_str(&format!("  {}\n", if bad { look.bad(&outcome) } else { look.good(&outcome) }));
        }
        for note in self.notes() {
            out.push_str(&format!("  {}\n", look.dim(&format!("note: {}", clean(&note)))));
        }
        out
    }

    fn concise(&self) -> String {
        let line = |journey: &Journey| {
            let rules: Vec<&str> = self.rules(journey).into_iter().map(|(_, rule, _)| rule).collect();
            // An answer of the mesh itself is no version's.
            let version = journey.version.as_ref().filter(|_| journey.status.is_none());
            let version = version.map(|v| format!("@{v}")).unwrap_or_default();
            let access = journey.access.as_deref().unwrap_or("-");
            let rules = if rules.is_empty() { "-".to_owned() } else { rules.join(" ") };
            let outcome = outcome(journey, self.refusal(journey).why);
            format!("{outcome}{version}: access {access}: {rules}\n")
        };
        if self.is_shared() {
            let part = |part: &Part| format!("{}: {}", percent(part.weight), line(&part.journey));
            self.parts.iter().map(part).collect()
        } else {
            line(self.journey)
        }
    }

    fn json(&self) -> impl Serialize {
        let refusal = self.refusal(self.journey);
        let rules = self.rules(self.journey).into_iter().map(|(_, rule, at)| (rule.to_owned(), at));
        let entry = self.entry(self.journey).map(|(entry, at)| (entry.to_owned(), at));
        let policy = refusal.policy.clone().map(|policy| (policy, refusal.place));
        let shares = self.parts.iter().map(|part| {
            let Refusal { policy, why, .. } = self.refusal(&part.journey);
            RouteShare::new(part.weight, percent(part.weight), &part.journey, policy, why)
        });
        let asked = Asked::new(&self.ask.method, self.url, self.ask.caller.as_ref());
        let places = rules.chain(entry).chain(policy);
        let mut answer = RouteAnswer::new(self.journey, self.explain, places, shares.collect());
        answer.policy = refusal.policy;
        answer.why = refusal.why;
        answer.notes = self.notes();
        let environment = self.program.mesh.environment.to_string();
        RouteReport::new(environment, asked, self.pick, answer)
    }
}
