//! `meshc route`: decides one request as the proxies of both hops would, and explains it.

use std::path::PathBuf;
use std::sync::Arc;

use mesh_bundle::expr::Instant;
use mesh_bundle::{Name, Owner, Program, State};
use mesh_compiler::numbers::percent;
use mesh_decision::explain::{Step, StepVerdict};
use mesh_decision::head::Version;
use mesh_decision::journey::{Ask, Journey, Mesh as Decider};
use mesh_workspace::bundles;
use mesh_workspace::verify::{self, Verified};
use serde::Serialize;

use super::stage::{self, StageArg};
use crate::callers::caller;
use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Where, now};
use crate::look::Look;
use crate::output::{Outputs, Report};
use crate::places::Places;
use crate::reports::{Asked, RouteAnswer, RouteReport};
use crate::text::{clean, table};

/// A stranger's address, where only its presence matters (RFC 5737, for documentation).
const STRANGER: &str = "192.0.2.1";

/// Most characters of an expression that are shown.
const WORDS: usize = 100;

/// Say what happens to a request.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Walks both hops in the code that proxies run: the gateway or the caller's proxy, then the \
    callee's.\n\nExamples:\n  \
    meshc route GET https://shop.example/cart --env prod\n  \
    meshc route POST http://orders/orders/5/paid --as payments -H 'idempotency-key: 1' --env prod\n  \
    meshc route GET http://orders/orders/5 --as web --stage canary/orders=1 --pick 0 --env prod"
)]
pub(crate) struct Args {
    /// Request method, such as GET
    method: String,
    /// The URL; its host is a gateway's, or a service's for callers of the mesh
    url: String,
    /// Caller: a service, gateway/NAME, or a SPIFFE ID of this mesh; a stranger if absent
    #[arg(long = "as", value_name = "CALLER")]
    caller: Option<String>,
    /// A header line; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Environment to ask about
    #[arg(long, value_name = "ENV", env = "MESHC_ENV")]
    env: Option<String>,
    #[command(flatten)]
    revision: Revision,
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

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header line is written 'name: value'")?;
    let name = name.trim().to_ascii_lowercase();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) || value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("not a header line (RFC 9110 section 5.1)".to_owned());
    }
    Ok((name, value.trim().to_owned()))
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
    let mesh = load::mesh(place, &args.revision, Day::Given(None))?;
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
    let ask = ask(args, &program)?;
    let decider = Decider::new(Arc::new(program), state);
    let journey = decider
        .follow(&ask, &args.pick.unwrap_or(0))
        .map_err(|e| Failure::cannot(format!("the mesh cannot be run: {e}")))?;
    outputs.emit(&Answer { args, ask: &ask, decider: &decider, journey: &journey, places })?;
    Ok(0)
}

fn ask(args: &Args, program: &Program) -> Result<Ask, Failure> {
    let wrong = |what: &str| Failure::cannot(format!("`{}` {what}", clean(&args.url)));
    let (scheme, rest) =
        args.url.split_once("://").ok_or_else(|| wrong("is not a URL like https://host/path"))?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(wrong("has another scheme than http and https"));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let now = Instant::new(now(), 0)
        .ok_or_else(|| Failure::cannot("the clock of this machine is outside of the years 1 to 9999"))?;
    let caller = args.caller.as_deref().map(|text| caller(text, program)).transpose()?;
    Ok(Ask {
        method: args.method.clone(),
        version: Version::default(),
        scheme,
        authority: authority.to_owned(),
        target,
        headers: args.headers.iter().map(|(n, v)| (n.clone(), v.clone().into_bytes())).collect(),
        caller,
        ip: STRANGER.to_owned(),
        size: None,
        now,
    })
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

struct Answer<'a> {
    args: &'a Args,
    ask: &'a Ask,
    decider: &'a Decider,
    journey: &'a Journey,
    places: &'a Places<'a>,
}

impl Answer<'_> {
    /// The rule at the first hop, and the one of the service's Route where they differ.
    fn rules(&self) -> Vec<(&'static str, &str, Option<String>)> {
        let program = self.decider.program();
        let gateway = self.journey.gateway.as_deref();
        let edge = self.journey.edge_rule.as_deref();
        let inner = self.journey.rule.as_deref().filter(|rule| Some(*rule) != edge);
        let mut rules = Vec::new();
        if let Some(edge) = edge {
            rules.push(("edge rule", edge, self.places.of_rule(program, gateway, edge)));
        }
        if let Some(inner) = inner {
            rules.push(("rule", inner, self.places.of_rule(program, None, inner)));
        }
        rules
    }

    /// The access entry that decided, and its place. The door that was asked last is the one that decided.
    fn entry(&self) -> Option<(&str, Option<String>)> {
        let address = self.journey.access_entry.as_deref()?;
        let program = self.decider.program();
        let owners = program.access.keys();
        let owner = owners
            .filter(|owner| address.starts_with(&format!("access/{owner}/")))
            .max_by_key(|owner| owner.to_string().len());
        Some((address, owner.and_then(|owner| self.places.of_entry(program, owner, address))))
    }

    fn shares(&self) -> Vec<(String, u32)> {
        let name = self.journey.service.as_deref().and_then(|s| Name::new(s).ok());
        name.map(|name| self.decider.shares(&name)).unwrap_or_default()
    }

    fn caller(&self) -> String {
        self.ask.caller.as_ref().map_or_else(|| "anonymous".to_owned(), Owner::to_string)
    }

    fn service(&self) -> Option<(String, String)> {
        let service = self.journey.service.clone()?;
        let version = self.journey.version.clone().unwrap_or_default();
        let shares = self.shares();
        let shared = shares.len() > 1 && shares.iter().any(|(v, _)| *v == version);
        let shown = if shared && self.args.pick.is_none() {
            shares.iter().map(|(v, w)| format!("{v} {}", percent(*w))).collect::<Vec<_>>().join(", ")
        } else {
            version
        };
        Some((service, shown))
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let journey = self.journey;
        let program = self.decider.program();
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
        for (label, rule, at) in self.rules() {
            row(label, rule.to_owned(), String::new(), at);
        }
        if let Some((service, versions)) = self.service() {
            let sticks = Name::new(&service).ok().and_then(|name| self.decider.stickiness(&name));
            let sticks = sticks.map(|by| format!(" (sticks to the {by})")).unwrap_or_default();
            let unit = Name::new(&service).ok().map(mesh_bundle::unit::UnitId::Service);
            row("service", service, format!("{versions}{sticks}"), unit.and_then(|u| self.places.of(&u, "")));
        }
        if let Some(access) = &journey.access {
            let (entry, at) = self.entry().map_or((String::new(), None), |(e, at)| (e.to_owned(), at));
            let verdict = match access.as_str() {
                "allow" => "allowed".to_owned(),
                "deny" => "denied".to_owned(),
                other => other.to_owned(),
            };
            row("access", verdict, entry, at);
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

    /// One line on the outcome for the client.
    fn outcome(&self) -> String {
        let reason = self.journey.reason.as_ref().map(|r| format!(" {r}")).unwrap_or_default();
        let detail = self.journey.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
        match (self.journey.status, &self.journey.service) {
            (Some(status), _) => format!("the mesh answers {status}{reason}{detail}"),
            (None, Some(service)) => format!("goes to {service}"),
            (None, None) => "goes nowhere".to_owned(),
        }
    }
}

impl Report for Answer<'_> {
    fn human(&self, look: Look) -> String {
        let environment = &self.decider.program().mesh.environment;
        let head = format!("{} {}", clean(&self.ask.method), clean(&self.args.url));
        let mut out = format!("{}   as {}   env {environment}\n", look.strong(&head), self.caller());
        if self.args.explain {
            let steps = self.journey.steps.iter().chain(&self.journey.access_steps);
            let rows: Vec<Vec<String>> = steps.flat_map(asked).collect();
            out.push_str(&look.dim(&table(&rows)));
        }
        out.push_str(&table(&self.rows()));
        let outcome = self.outcome();
        let bad = self.journey.status.is_some_and(|status| status >= 400);
        out.push_str(&format!("  {}\n", if bad { look.bad(&outcome) } else { look.good(&outcome) }));
        out
    }

    fn concise(&self) -> String {
        let rules: Vec<&str> = self.rules().into_iter().map(|(_, rule, _)| rule).collect();
        let version = self.journey.version.as_ref().map(|v| format!("@{v}")).unwrap_or_default();
        let access = self.journey.access.as_deref().unwrap_or("-");
        let rules = if rules.is_empty() { "-".to_owned() } else { rules.join(" ") };
        format!("{}{version}: access {access}: {rules}\n", self.outcome())
    }

    fn json(&self) -> impl Serialize {
        let rules = self.rules().into_iter().map(|(_, rule, at)| (rule.to_owned(), at));
        let places = rules.chain(self.entry().map(|(entry, at)| (entry.to_owned(), at)));
        let asked = Asked::new(&self.ask.method, &self.args.url, self.ask.caller.as_ref());
        let answer = RouteAnswer::new(self.journey, self.args.explain, places, self.shares());
        let environment = self.decider.program().mesh.environment.to_string();
        RouteReport::new(environment, asked, self.args.pick, answer)
    }
}
