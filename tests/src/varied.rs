//! Small, varied, seeded meshes: a few services with everything that a proxy enforces, combined as no person would.
//!
//! Most of them are valid. The others have findings, which is what a compiler is for; whoever uses them asks it first.

use std::fmt::Write as _;

use crate::random::Random;

/// A generated mesh: its files by path.
pub type Files = Vec<(String, String)>;

const NAMES: &[&str] = &[
    "web",
    "orders",
    "cart",
    "stock",
    "pay",
    "mail",
    "a-name-of-sixty-three-characters-is-the-longest-that-there-mayx",
];
const TIERS: &[&str] = &["front", "back", "data"];
const PATHS: &[&str] =
    &["/", "/*", "/a", "/a/*", "/a/{id}", "/a/{id}/*", "/a/b", "/b/*", "/{x}/{y}", "/c;p=1", "/a%20b", "/d/"];
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PURGE"];
const HOSTS: &[&str] = &["a.example", "b.example", "*.example", "c_d.example", "*.b.example"];
const CONDITIONS: &[&str] = &[
    "request.path.startsWith(\"/a\")",
    "request.method in [\"GET\", \"HEAD\"]",
    "\"x-a\" in request.headers && request.headers[\"x-a\"] == \"1\"",
    "request.headerValues[\"x-a\"].exists(v, v.matches(\"^[a-z]+$\"))",
    "request.query[?\"q\"].orValue(\"\") != \"no\"",
    "\"sid\" in request.cookies && size(request.cookies[\"sid\"]) > 3",
    "request.host.endsWith(\".example\") || request.scheme == \"https\"",
    "now > timestamp(\"2026-01-01T00:00:00Z\")",
    "((((request.path != \"/x\"))))",
];
const INBOUND: &[&str] = &[
    "source.service == \"web\"",
    "has(source.labels.tier) && source.labels.tier == \"front\"",
    "connection.mtls && source.trustDomain == \"varied.example\"",
    "source.principal != \"\" || source.ip.startsWith(\"10.\")",
];

struct Service {
    name: &'static str,
    versions: Vec<String>,
    canary: bool,
    candidate: bool,
    route: bool,
}

struct Writer<'r> {
    random: &'r mut Random,
    services: Vec<Service>,
    gateways: Vec<&'static str>,
    permissive: bool,
    text: String,
}

/// A mesh of up to six services, up to two gateways and up to three environments. The same seed gives the same mesh.
#[must_use]
pub fn mesh(seed: u64) -> Files {
    let mut random = Random::new(seed);
    let services = services(&mut random);
    let gateways = ["public", "inner"].into_iter().take(random.below(3)).collect();
    let permissive = random.chance(3);
    let mut writer = Writer { random: &mut random, services, gateways, permissive, text: String::new() };
    writer.top();
    for at in 0..writer.services.len() {
        writer.service(at);
    }
    for at in 0..writer.gateways.len() {
        writer.gateway(at);
    }
    let mesh = std::mem::take(&mut writer.text);
    writer.environments();
    // Dead rules are no errors in files that a program wrote.
    let mesh = format!("generated: true\n---\n{mesh}");
    vec![("mesh.yaml".to_owned(), mesh), ("envs.yaml".to_owned(), writer.text)]
}

fn services(random: &mut Random) -> Vec<Service> {
    let count = 1 + random.below(6);
    let first = random.below(NAMES.len());
    (0..count)
        .filter_map(|i| NAMES.get((first + i) % NAMES.len()))
        .map(|name| {
            let versions: Vec<String> = (1..=1 + random.below(3)).map(|v| format!("v{v}")).collect();
            let several = versions.len() > 1;
            let canary = random.chance(if several { 2 } else { 6 });
            let route = random.chance(2) || (several && !canary && !random.chance(12));
            Service { name, canary, candidate: canary && several && !random.chance(4), route, versions }
        })
        .collect()
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn pick(&mut self, items: &[&'static str]) -> &'static str {
        self.random.one(items).copied().unwrap_or("a")
    }

    fn top(&mut self) {
        let tls = if self.permissive { "permissive" } else { "strict" };
        let head = format!("kind: Mesh\nname: varied\nversion: 1\ntrustDomain: varied.example\ntls: {tls}");
        self.line(&head);
        if self.random.chance(2) {
            let retry = self.retry();
            self.line(&format!("defaults: {{ timeout: 1s, retry: {retry} }}"));
        }
        if !self.gateways.is_empty() {
            self.line("gateways:");
            for (port, gateway) in [443, 8443].into_iter().zip(self.gateways.clone()) {
                let certificate = if self.random.chance(2) { ", certificate: { secret: tls/a }" } else { "" };
                let hosts = HOSTS.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", ");
                self.line(&format!("  {gateway}: {{ listen: {port}, hosts: [{hosts}]{certificate} }}"));
            }
        }
        if self.random.chance(6) {
            let usual = self.pick(&["/ns/{env}/sa/{service}", "/{service}"]);
            let odd = self.pick(&["/all/{env}", "/{env}/gateway/{service}", "/../{service}"]);
            let path = if self.random.chance(20) { odd } else { usual };
            self.line(&format!("---\nkind: Identity\npath: \"{path}\"\nforward: {{ credentials: remove }}"));
        }
        if self.random.chance(6) {
            self.line("---\nkind: Telemetry\naccessLog: false\nslo: { availability: 99.9% }");
        }
        if self.random.chance(60) {
            // No proxy of this release enforces it.
            self.line("---\nkind: External\nname: bank\nhosts: [bank.example]");
        }
    }

    fn service(&mut self, at: usize) {
        let Some(Service { name, versions, canary, candidate, route }) = self.services.get(at) else {
            return;
        };
        let (name, versions) = (*name, versions.clone());
        let (canary, candidate, route) = (*canary, *candidate, *route);
        let protocol = if self.random.chance(5) { "grpc" } else { "http" };
        let slashes = if self.random.chance(4) { "escapedSlashes: keep\n" } else { "" };
        let tier = self.pick(TIERS);
        let list = versions.join(", ");
        self.line(&format!(
            "---\nkind: Service\nname: {name}\nport: {}\nprotocol: {protocol}\nversions: [{list}]\nlabels: {{ tier: {tier} }}",
            8000 + at
        ));
        self.text.push_str(slashes);
        let policy = self.random.chance(2);
        if !policy {
            let callers = self.admitted();
            self.line(&format!("callers: {callers}"));
        }
        if canary {
            self.canary(name, &versions, candidate);
        }
        if route {
            self.route(name, at);
        }
        if policy {
            self.access(&format!("service: {name}"));
        }
        if self.random.chance(4) {
            self.quota(&format!("service: {name}"));
        }
        if self.random.chance(4) {
            self.line(&format!(
                "---\nkind: Resilience\nservice: {name}\noutlierDetection: {{ consecutiveErrors: 5, ejectFor: 10s, maxEjected: 50% }}\nlimits: {{ requests: 100, pendingRequests: 0 }}"
            ));
        }
    }

    fn canary(&mut self, name: &str, versions: &[String], candidate: bool) {
        // A name of its own may be that of another service.
        let own =
            if self.random.chance(12) { format!("name: {}\n", self.pick(NAMES)) } else { String::new() };
        self.line(&format!("---\nkind: Canary\n{own}service: {name}\nstable: v1"));
        if candidate {
            let last = versions.last().cloned().unwrap_or_default();
            self.line(&format!("candidate: {last}"));
            let stages = self.pick(&[
                "{ weight: 5%, hold: 10m }",
                "{ weight: 0.01%, hold: 1ms }, { weight: 99.99%, hold: 8760h }",
            ]);
            self.line(&format!("stages: [{stages}]"));
            if self.random.chance(2) {
                self.line("analysis: { metrics: [{ name: errors, measure: error-rate, max: 1% }, { name: slow, measure: p99, maxOverStable: 10ms }] }");
            }
        }
        self.sticky();
    }

    fn sticky(&mut self) {
        if self.random.chance(4) {
            let sticky = self.pick(&[
                "{ header: x-user }",
                "{ cookie: sid }",
                "{ source: principal }",
                "{ source: ip }",
            ]);
            self.line(&format!("sticky: {sticky}"));
        }
    }

    fn route(&mut self, name: &str, at: usize) {
        self.line(&format!("---\nkind: Route\nservice: {name}"));
        self.sticky();
        self.rules(Some(at));
    }

    fn gateway(&mut self, at: usize) {
        let Some(gateway) = self.gateways.get(at).copied() else { return };
        let count = self.random.below(3);
        for n in 0..count {
            // A Route of a gateway may have the name of a service, too.
            let name =
                if self.random.chance(12) { self.pick(NAMES).to_owned() } else { format!("edge-{at}-{n}") };
            self.line(&format!("---\nkind: Route\nname: {name}\ngateway: {gateway}\norder: {n}"));
            if self.random.chance(2) {
                let host = self.pick(HOSTS);
                self.line(&format!("hosts: [\"{host}\"]"));
            }
            self.sticky();
            self.rules(None);
        }
        if self.random.chance(3) {
            self.access(&format!("gateway: {gateway}"));
        }
        if self.random.chance(4) {
            self.quota(&format!("gateway: {gateway}"));
        }
    }

    /// Rules of the service at a place of the list, or of a gateway.
    fn rules(&mut self, own: Option<usize>) {
        self.line("rules:");
        let count = 1 + self.random.below(4);
        let first = self.random.below(PATHS.len());
        for n in 0..count {
            self.line(&format!("  - name: r{n}"));
            let last = n + 1 == count;
            let path = PATHS.get((first + n * 5) % PATHS.len()).copied().unwrap_or("/*");
            let path = match self.random.below(72) {
                0 => "/e%2Ff/*",
                1..=24 if last => "/*",
                _ => path,
            };
            self.matching(path, own.is_some());
            self.action(own, path.ends_with("/*") && !path.contains('{'));
            if self.random.chance(12) {
                self.line("    enabled: false");
            }
        }
    }

    fn matching(&mut self, path: &str, inside: bool) {
        let path = match self.random.below(8) {
            0 => "{ regex: \"/(a|b)/[0-9]{1,3}\" }".to_owned(),
            _ => format!("\"{path}\""),
        };
        let mut parts = vec![format!("path: {path}")];
        if self.random.chance(3) {
            parts.push(format!("methods: [{}]", self.pick(METHODS)));
        }
        if self.random.chance(4) {
            let test = self.pick(&[
                "one",
                "{ prefix: a }",
                "{ regex: \"[a-z]+\" }",
                "{ present: false }",
                "{ suffix: \"\\\"\" }",
            ]);
            parts.push(format!("headers: {{ x-kind: {test} }}"));
        }
        if self.random.chance(6) {
            parts.push("query: { q: { contains: \"é\" } }, cookies: { sid: { present: true } }".to_owned());
        }
        if inside && self.random.chance(4) {
            let strangers = self.permissive;
            // A rule of a service asks for strangers in vain.
            self.permissive &= self.random.chance(12);
            parts.push(format!("callers: {}", self.callers()));
            self.permissive = strangers;
        }
        if self.random.chance(4) {
            parts.push(format!("when: '{}'", self.pick(CONDITIONS)));
        }
        self.line(&format!("    match: {{ {} }}", parts.join(", ")));
    }

    fn action(&mut self, own: Option<usize>, has_prefix: bool) {
        match self.random.below(8) {
            0 => {
                let redirect =
                    self.pick(&["{ scheme: https }", "{ host: z_z.example, status: 308 }", "{ path: /new }"]);
                self.line(&format!("    redirect: {redirect}"));
                return;
            }
            1 => {
                let usual = self.pick(&[
                    "{ status: 204 }",
                    "{ status: 503, body: \"down\\n\", headers: { retry-after: \"5\" } }",
                    "{ status: 200, body: \"\", headers: { x-mesh: \"1\" } }",
                ]);
                let odd = self.pick(&[
                    "{ status: 205, body: a }",
                    "{ status: 200, headers: { content-length: \"3\" } }",
                ]);
                let respond = if self.random.chance(36) { odd } else { usual };
                self.line(&format!("    respond: {respond}"));
                return;
            }
            2 => {
                let (a, b) = (self.destination(own), self.destination(own));
                let (one, two) = if self.random.chance(3) { ("100%", "0%") } else { ("33.33%", "66.67%") };
                self.line(&format!("    to: [{{ to: {a}, weight: {one} }}, {{ to: {b}, weight: {two} }}]"));
            }
            _ => {
                let to = self.destination(own);
                self.line(&format!("    to: {to}"));
            }
        }
        if self.random.chance(4) {
            let rewrite = match has_prefix {
                true => self.pick(&["{ prefix: /z }", "{ prefix: / }", "{ prefix: /z/, host: y.example }"]),
                false if self.random.chance(36) => "{ path: /z%2Fy }",
                false => self.pick(&["{ path: /z }", "{ host: c_d.example }"]),
            };
            self.line(&format!("    rewrite: {rewrite}"));
        }
        if self.random.chance(4) {
            let usual = self.pick(&[
                "{ request: { set: { x-a: \"1\" }, remove: [x-b] } }",
                "{ response: { add: { cache-control: \"no-store\" } } }",
                "{ request: { add: { x-forwarded-for: \"1\" } }, response: { remove: [server] } }",
            ]);
            let odd = self.pick(&[
                "{ request: { set: { host: z.example } } }",
                "{ response: { remove: [content-length] } }",
                "{ response: { add: { x-mesh-a: \"1\" } } }",
            ]);
            let edits = if self.random.chance(48) { odd } else { usual };
            self.line(&format!("    headers: {edits}"));
        }
        if self.random.chance(3) {
            let timeout = self.pick(&["0s", "1ms", "250ms", "1000h"]);
            self.line(&format!("    timeout: {timeout}"));
        }
        if self.random.chance(3) {
            let retry = self.retry();
            self.line(&format!("    retry: {retry}"));
        }
    }

    fn retry(&mut self) -> &'static str {
        self.pick(&[
            "none",
            "{ attempts: 2 }",
            "{ attempts: 10, conditions: [connect-failure, \"503\", \"503\"], methods: [POST], budget: 0.01% }",
            "{ attempts: 1, backoff: { base: 1ms } }",
        ])
    }

    /// A destination: of a service's Route mostly its own versions, of a gateway's any service.
    fn destination(&mut self, own: Option<usize>) -> String {
        let any = self.random.below(self.services.len());
        let at = own.filter(|_| !self.random.chance(4)).unwrap_or(any);
        let (kind, edge) = (self.random.below(4), own.is_none());
        let chosen = self.random.below(3);
        let Some(service) = self.services.get(at) else { return "web".to_owned() };
        let (name, version) = (service.name, service.versions.get(chosen % service.versions.len()));
        match kind {
            0 if service.canary => format!("{name}@stable"),
            1 if service.candidate => format!("{name}@candidate"),
            // Behind a gateway the service's own Route goes on.
            2 | 3 if service.canary || service.versions.len() == 1 || (edge && service.route) => {
                name.to_owned()
            }
            _ => format!("{name}@{}", version.map_or("v1", String::as_str)),
        }
    }

    fn callers(&mut self) -> String {
        let mut callers = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let at = self.random.below(self.services.len());
            let name = self.services.get(at).map_or("web", |service| service.name).to_owned();
            let gateway = self.gateways.first().map(|gateway| format!("gateway/{gateway}"));
            callers.push(match self.random.below(7) {
                0 => "{ labels: { tier: front } }".to_owned(),
                1 => "{ principal: \"spiffe://other.example/prod/web\" }".to_owned(),
                2 => "any".to_owned(),
                3 if self.permissive => "external".to_owned(),
                4 => gateway.unwrap_or(name),
                _ => name,
            });
        }
        format!("[{}]", callers.join(", "))
    }

    /// Callers that a service lets in: nearly always the gateways too, which may send to it.
    fn admitted(&mut self) -> String {
        let callers = self.callers();
        let gateways: Vec<String> = self
            .gateways
            .iter()
            .map(|gateway| format!("gateway/{gateway}"))
            .filter(|g| !callers.contains(g))
            .collect();
        match callers.strip_suffix(']') {
            Some(open) if !gateways.is_empty() && !self.random.chance(24) => {
                format!("{open}, {}]", gateways.join(", "))
            }
            _ => callers,
        }
    }

    fn access(&mut self, of: &str) {
        let mode = if self.random.chance(6) { "mode: audit\n" } else { "" };
        self.line(&format!("---\nkind: AccessPolicy\n{of}"));
        self.text.push_str(mode);
        for list in ["deny", "allow"] {
            if list == "deny" && self.random.chance(2) {
                continue;
            }
            self.line(&format!("{list}:"));
            for n in 0..1 + self.random.below(2) {
                let from = if of.starts_with("gateway") {
                    "[external]".to_owned()
                } else if list == "allow" {
                    self.admitted()
                } else {
                    self.callers()
                };
                let name = if self.random.chance(2) { format!("name: e{n}, ") } else { String::new() };
                self.line(&format!("  - {{ {name}from: {from}"));
                if self.random.chance(2) {
                    let path = self.pick(PATHS);
                    self.line(&format!(
                        "      , to: {{ methods: [GET], paths: [\"{path}\", {{ regex: \"/x.*\" }}] }}"
                    ));
                }
                if self.random.chance(3) {
                    let condition =
                        if self.random.chance(2) { self.pick(CONDITIONS) } else { self.pick(INBOUND) };
                    self.line(&format!("      , when: '{condition}'"));
                }
                self.line("    }");
            }
        }
    }

    fn quota(&mut self, of: &str) {
        let per = self.pick(&[
            "caller",
            "service",
            "\"header:x-tenant\"",
            "'request.path'",
            "'source.labels[?\"tier\"].orValue(\"none\")'",
        ]);
        let rate = self.pick(&["1/s", "10000/s", "3/m", "1/h"]);
        let more = self.pick(&["", ", burst: 100", ", cost: 5", ", burst: 5, cost: 5"]);
        self.line(&format!("---\nkind: Quota\n{of}\nlimits: [{{ per: {per}, rate: {rate}{more} }}]"));
    }

    fn environments(&mut self) {
        let names: Vec<&str> = ["dev", "prod", "eu"].into_iter().take(self.random.below(4)).collect();
        for name in names {
            let _ = writeln!(self.text, "---\nkind: Environment\nname: {name}");
            if self.random.chance(2) {
                self.line("discovery: { pattern: \"{service}.internal:{port}\", versions: \"{service}_{version}.internal:80\" }");
            }
            if self.random.chance(2) {
                self.line("overrides:");
                let before = self.text.len();
                self.overrides();
                if self.text.len() == before {
                    self.line("  mesh/varied: { tls: strict }");
                }
            }
        }
        if self.text.is_empty() {
            self.line("# no environment");
        }
    }

    fn overrides(&mut self) {
        for at in 0..self.services.len() {
            let Some(Service { name, canary, route, versions, .. }) = self.services.get(at) else { return };
            let (name, canary, route) = (*name, *canary, *route);
            let last = versions.last().cloned().unwrap_or_default();
            match self.random.below(24) {
                0 if canary => self.line(&format!("  canary/{name}: null")),
                1 if route => self.line(&format!("  route/{name}: null")),
                2 => self.line(&format!("  service/{name}: {{ versions: [{last}] }}")),
                3 => self.line(&format!("  service/{name}: {{ escapedSlashes: keep }}")),
                4 if route => {
                    self.line(&format!("  route/{name}: {{ rules: [{{ name: r0, to: {name} }}] }}"));
                }
                5 if at == 0 => self.line(&format!("  service/{name}: null")),
                6..=9 => self.line(&format!("  service/{name}: {{ labels: {{ tier: data }} }}")),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mesh_compiler::diag::Severity;

    use super::*;

    #[test]
    fn a_good_part_of_them_is_valid_and_they_repeat_themselves() {
        let mut valid = 0;
        let mut errors: BTreeMap<String, usize> = BTreeMap::new();
        for seed in 0..100 {
            let files = mesh(seed).into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
            let found = mesh_compiler::compile(files, &mesh_compiler::Options::default()).findings;
            valid += usize::from(!found.has_errors());
            let mut found = found.iter().filter(|finding| finding.severity == Severity::Error);
            if let Some(first) = found.next() {
                *errors.entry(format!("{} {}", first.code, first.message)).or_insert(0) += 1;
            }
        }
        assert!(valid >= 25, "{valid} of 100; the others: {errors:#?}");
        assert_eq!(mesh(7), mesh(7));
    }
}
