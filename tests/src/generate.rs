//! Seeded meshes of any size, and the same routes for a peer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::random::Random;

/// How large a mesh is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Services, 1 to 10,000.
    pub services: usize,
    /// Route rules of all services together.
    pub routes: usize,
    /// Access entries of all services together.
    pub rules: usize,
    /// The same seed gives the same mesh.
    pub seed: u64,
}

/// One rule, for both forms.
#[derive(Debug, Clone)]
struct Rule {
    name: String,
    path: String,
    methods: Vec<&'static str>,
    header: Option<(String, String)>,
    to: String,
    timeout_ms: u64,
}

/// A generated mesh.
#[derive(Debug, Clone)]
pub struct Generated {
    /// Spec files by path.
    pub files: BTreeMap<String, String>,
    services: Vec<(String, Vec<Rule>)>,
}

const WORDS: &[&str] = &[
    "accounts", "billing", "carts", "devices", "events", "files", "groups", "hooks", "items", "jobs", "keys",
    "links", "mails", "notes", "offers", "plans",
];
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH"];

/// Generates a mesh. It validates without findings.
#[must_use]
pub fn mesh(size: Size) -> Generated {
    let mut random = Random::new(size.seed);
    let mut files = BTreeMap::new();
    let mesh = "kind: Mesh\nname: generated\nversion: 1\ntrustDomain: generated.example\ntls: strict\ndefaults: { timeout: 5s }\n";
    files.insert("mesh.yaml".to_owned(), mesh.to_owned());
    let environment = concat!(
        "kind: Environment\nname: prod\ndiscovery:\n  pattern: \"{service}.prod.internal:{port}\"\n",
        "  versions: \"{service}-{version}.prod.internal:{port}\"\n"
    );
    files.insert("envs/prod.yaml".to_owned(), environment.to_owned());
    let name = |i: usize| format!("svc{i:05}");
    let mut services = Vec::new();
    for i in 0..size.services {
        let own = name(i);
        let share = |all: usize| all / size.services + usize::from(i < all % size.services);
        let (routes, entries) = (share(size.routes), share(size.rules));
        let versions = if random.chance(4) { vec!["v1", "v2"] } else { vec!["v1"] };
        let mut text =
            format!("kind: Service\nname: {own}\nowner: team-{}\nport: {}\n", i % 40, 8000 + i % 1000);
        let zone = random.one(&["public", "inner", "data"]).copied().unwrap_or("inner");
        let _ = writeln!(text, "labels: {{ zone: {zone}, tier: t{} }}", random.below(3));
        let _ = writeln!(text, "versions: [{}]", versions.join(", "));
        let callers: Vec<String> = (0..3).map(|_| name(random.below(size.services))).collect();
        if entries == 0 {
            let _ = writeln!(text, "callers: [{}]", callers.join(", "));
        }
        let rules: Vec<Rule> = (0..routes).map(|r| rule(&mut random, &own, r, &versions)).collect();
        if !rules.is_empty() {
            let _ = writeln!(text, "---\nkind: Route\nservice: {own}\nrules:");
            rules.iter().for_each(|rule| written(&mut text, rule));
        } else if versions.len() > 1 {
            let _ =
                writeln!(text, "---\nkind: Route\nservice: {own}\nrules: [{{ name: all, to: {own}@v1 }}]");
        }
        if entries > 0 {
            let _ = writeln!(text, "---\nkind: AccessPolicy\nservice: {own}\nallow:");
            for e in 0..entries {
                access(&mut random, &mut text, e, &callers);
            }
        }
        files.insert(format!("services/{own}/mesh.yaml"), text);
        services.push((own, rules));
    }
    Generated { files, services }
}

fn rule(random: &mut Random, service: &str, n: usize, versions: &[&str]) -> Rule {
    let word = random.one(WORDS).copied().unwrap_or("items");
    // The number in the path keeps rules apart, so that none is dead.
    let path = match random.below(4) {
        0 => format!("/{word}/{n}"),
        1 => format!("/{word}/{n}/*"),
        2 => format!("/v{n}/{word}/{{id}}"),
        _ => format!("/v{n}/{word}/{{id}}/*"),
    };
    let methods =
        if random.chance(2) { vec![random.one(METHODS).copied().unwrap_or("GET")] } else { Vec::new() };
    let header =
        random.chance(8).then(|| (format!("x-flag-{}", random.below(5)), format!("on-{}", random.below(3))));
    let version = random.one(versions).copied().unwrap_or("v1");
    let timeout_ms = 500 + 250 * u64::try_from(random.below(20)).unwrap_or(0);
    Rule { name: format!("r{n}"), path, methods, header, to: format!("{service}@{version}"), timeout_ms }
}

fn written(text: &mut String, rule: &Rule) {
    let mut parts = vec![format!("path: \"{}\"", rule.path)];
    if !rule.methods.is_empty() {
        parts.push(format!("methods: [{}]", rule.methods.join(", ")));
    }
    if let Some((name, value)) = &rule.header {
        parts.push(format!("headers: {{ {name}: {value} }}"));
    }
    let _ = writeln!(
        text,
        "  - name: {}\n    match: {{ {} }}\n    timeout: {}ms\n    to: {}",
        rule.name,
        parts.join(", "),
        rule.timeout_ms,
        rule.to
    );
}

fn access(random: &mut Random, text: &mut String, n: usize, callers: &[String]) {
    let from = match random.below(3) {
        0 => format!("[{}]", callers.join(", ")),
        1 => "[{ labels: { zone: public } }]".to_owned(),
        _ => format!("[{}]", callers.first().cloned().unwrap_or_default()),
    };
    let word = random.one(WORDS).copied().unwrap_or("items");
    let _ = writeln!(text, "  - name: a{n}\n    from: {from}");
    if random.chance(2) {
        let _ = writeln!(text, "    to: {{ methods: [GET, POST], paths: [/{word}/*] }}");
    }
    if random.chance(2) {
        let _ = writeln!(
            text,
            "    when: '\"x-tenant\" in request.headers && request.headers[\"x-tenant\"].startsWith(\"t{}\")'",
            random.below(10)
        );
    }
}

impl Generated {
    /// Writes the spec files below `folder`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        for (path, text) in &self.files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)?;
        }
        Ok(())
    }

    /// The same routes as a static configuration of Envoy: a virtual host and a cluster for each service.
    #[must_use]
    pub fn envoy(&self) -> Value {
        let hosts: Vec<Value> = self
            .services
            .iter()
            .map(|(name, rules)| {
                let mut routes: Vec<Value> = rules.iter().map(|rule| envoy_route(name, rule)).collect();
                if routes.is_empty() {
                    routes.push(json!({ "match": { "prefix": "/" }, "route": { "cluster": name } }));
                }
                json!({ "name": name, "domains": [name], "routes": routes })
            })
            .collect();
        let clusters: Vec<Value> = self.services.iter().map(|(name, _)| envoy_cluster(name)).collect();
        let manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "mesh",
            "route_config": { "name": "mesh", "virtual_hosts": hosts },
            "http_filters": [{
                "name": "envoy.filters.http.router",
                "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
            }],
        });
        let filter =
            json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
        json!({
            "static_resources": {
                "listeners": [{
                    "name": "mesh",
                    "address": { "socket_address": { "address": "127.0.0.1", "port_value": 18080 } },
                    "filter_chains": [{ "filters": [filter] }],
                }],
                "clusters": clusters,
            }
        })
    }
}

fn envoy_route(name: &str, rule: &Rule) -> Value {
    let mut matches = serde_json::Map::new();
    match rule.path.strip_suffix("/*") {
        Some(prefix) if !prefix.contains('{') => {
            matches.insert("path_separated_prefix".to_owned(), json!(prefix));
        }
        _ => {
            let regex = rule.path.replace("{id}", "[^/]+");
            let regex = regex.strip_suffix("/*").map_or(regex.clone(), |stem| format!("{stem}(?:/.*)?"));
            if rule.path.contains('{') {
                matches.insert("safe_regex".to_owned(), json!({ "regex": regex }));
            } else {
                matches.insert("path".to_owned(), json!(rule.path));
            }
        }
    }
    let mut headers: Vec<Value> = Vec::new();
    if let Some(method) = rule.methods.first() {
        headers.push(json!({ "name": ":method", "string_match": { "exact": method } }));
    }
    if let Some((header, value)) = &rule.header {
        headers.push(json!({ "name": header, "string_match": { "exact": value } }));
    }
    matches.insert("headers".to_owned(), Value::Array(headers));
    let timeout = format!("{}.{:03}s", rule.timeout_ms / 1000, rule.timeout_ms % 1000);
    json!({ "name": rule.name, "match": matches, "route": { "cluster": name, "timeout": timeout } })
}

fn envoy_cluster(name: &str) -> Value {
    let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": 9001 } });
    let endpoint = json!({ "lb_endpoints": [{ "endpoint": { "address": address } }] });
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": { "cluster_name": name, "endpoints": [endpoint] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_meshes_repeat_themselves_and_have_no_findings() {
        let size = Size { services: 40, routes: 400, rules: 80, seed: 7 };
        let generated = mesh(size);
        assert_eq!(generated.files, mesh(size).files);
        let files = generated.files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        let compiled = mesh_compiler::compile(files, &mesh_compiler::Options::default());
        let found: Vec<String> =
            compiled.findings.iter().map(|f| format!("{} {}", f.code, f.message)).collect();
        assert_eq!(found, Vec::<String>::new());
        let routes: usize = compiled.environments[0].program.routes.values().map(|r| r.rules.len()).sum();
        assert_eq!(routes, 400);
    }
}
