//! Fields of other meshes, proxies and gateways: what the field is called here, and how it is written.
//!
//! Said as a help, never applied: what looks alike may differ in detail.

use super::context::Cx;
use super::{forms, habits};
use crate::source::Node;

/// What is known of another tool's field.
pub(super) struct Peer {
    /// What to write.
    pub(super) help: String,
    /// The fields that were meant, so that they are not missed as well.
    pub(super) meant: &'static [&'static str],
}

/// The help for a field that is none of `what`, if it is a known one elsewhere.
pub(super) fn field(what: &str, key: &str, value: &Node, cx: &Cx<'_>) -> Option<Peer> {
    if let Some(help) = anywhere(key) {
        return Some(Peer { help, meant: &[] });
    }
    // Names differ in style from tool to tool.
    let word: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let raw = forms::short(value, cx);
    let shown = |otherwise: &str| raw.clone().unwrap_or_else(|| otherwise.to_owned());
    if let Some(written) = with_value(what, &word, value, &shown) {
        return Some(written);
    }
    let (_, _, help, meant) =
        TABLE.iter().find(|(place, words, ..)| *place == what && words.contains(&word.as_str()))?;
    Some(Peer { help: (*help).to_owned(), meant })
}

/// The kind here that a kind of another tool mostly is.
pub(super) fn kind(word: &str) -> Option<&'static str> {
    Some(match word {
        "VirtualService" | "HTTPRoute" | "GRPCRoute" | "Ingress" | "IngressRoute" | "HTTPProxy"
        | "TrafficSplit" | "ServiceRouter" | "ServiceSplitter" | "MeshHTTPRoute" => {
            "routing is `kind: Route`"
        }
        "DestinationRule"
        | "BackendTrafficPolicy"
        | "MeshCircuitBreaker"
        | "ServiceResolver"
        | "UpstreamTLS" => {
            "versions stand in `versions` of a Service, limits and ejection in `kind: Resilience`"
        }
        "AuthorizationPolicy"
        | "ServerAuthorization"
        | "ServiceIntentions"
        | "MeshTrafficPermission"
        | "NetworkPolicy"
        | "RBAC"
        | "SecurityPolicy"
        | "Access"
        | "Authorization" => "who may call is `kind: AccessPolicy`",
        "ServiceEntry" | "MeshExternalService" | "ExternalService" | "Backend" => {
            "what lies outside of the mesh is `kind: External`"
        }
        "PeerAuthentication" | "MeshMTLS" | "MeshConfig" | "Config" => {
            "TLS and defaults stand in `kind: Mesh`"
        }
        "RequestAuthentication" | "JWTProvider" => "tokens stand in `kind: Identity`",
        "Gateway" | "Listener" | "GatewayClass" => {
            "gateways stand in `gateways` of the Mesh: `gateways: { public: { listen: 443, hosts: [shop.example] } }`"
        }
        "RateLimit" | "RateLimitPolicy" | "MeshRateLimit" | "RateLimitService" => "limits are `kind: Quota`",
        "Rollout" | "Release" | "MetricTemplate" | "AlertProvider" => {
            "the arrival of a version is `kind: Canary`"
        }
        "Deployment" | "Pod" | "StatefulSet" | "ServiceProfile" | "Workload" | "App" | "Upstream"
        | "Cluster" => "a workload is `kind: Service`",
        "ConfigMap"
        | "Secret"
        | "Namespace"
        | "ServiceAccount"
        | "CustomResourceDefinition"
        | "Kustomization" => "Kubernetes objects are no part of a mesh: keep them outside of its folder",
        "Env" | "Stage" => "a deployment of the mesh is `kind: Environment`",
        _ => return None,
    })
}

/// Keys that mean the same wherever they stand.
fn anywhere(key: &str) -> Option<String> {
    Some(match key {
        "metadata" | "spec" | "apiVersion" => {
            "write the fields at the top, as in `kind: Service`, `name: orders`, `port: 8080`; the envelope of Kubernetes is \
             `apiVersion: meshc/v1`, `kind`, `metadata: { name: orders }`, `spec: { ... }`"
                .to_owned()
        }
        "namespace" => "a mesh has no namespaces: remove the field".to_owned(),
        "annotations" => "there are no annotations; `description` is for readers".to_owned(),
        "comment" | "notes" | "note" => "write `description: ...`, or a comment behind `#`".to_owned(),
        "extends" | "include" | "import" | "$ref" | "<<" => "nothing is included: write the fields out".to_owned(),
        _ if key.starts_with("$patch") || key.starts_with("$retain") => {
            "there are no patches: write the fields that differ; `enabled: false` switches a rule or an entry off, and `null` in place of a field's value removes it"
                .to_owned()
        }
        "op" => {
            "there are no patches: write the address and below it the fields that differ, as in `canary/orders: { candidate: v2 }`"
                .to_owned()
        }
        _ if key.ends_with(']') && key.contains('[') => {
            "entries of a list have no numbers: named ones merge by `name`, other lists are written out in full".to_owned()
        }
        _ => return None,
    })
}

/// Fields whose value can be shown as it is written here.
fn with_value(what: &str, word: &str, value: &Node, shown: &dyn Fn(&str) -> String) -> Option<Peer> {
    let peer = |help: String, meant: &'static [&'static str]| Some(Peer { help, meant });
    match (what, word) {
        (
            "a rule" | "a share" | "a mirror",
            "destination" | "destinations" | "backend" | "backends" | "backendref" | "backendrefs"
            | "cluster" | "weightedclusters" | "upstream" | "service" | "host" | "target" | "forwardto"
            | "proxypass" | "forward" | "route",
        ) => {
            let several = value.as_seq().is_some_and(|items| items.len() > 1);
            let help = match habits::destination(value) {
                Some(to) if !several => format!("write `to: {to}` (`service` or `service@version`)"),
                _ => "write `to: orders@v2`, or shares as in `to: [{ to: orders@v1, weight: 90% }, { to: orders@v2, weight: 10% }]`"
                    .to_owned(),
            };
            peer(help, &["to"])
        }
        ("a share", "subset" | "version") => {
            peer(format!("the version follows the service: `to: orders@{}`", shown("v2")), &[])
        }
        ("a rule", "subset" | "version") => {
            peer(format!("the version follows the service: `to: orders@{}`", shown("v2")), &[])
        }
        ("a share", "percent" | "percentage" | "ratio" | "share") => {
            peer(format!("write `weight: {}`", percent(&shown("10%"))), &["weight"])
        }
        ("a stage", "setweight" | "percent" | "percentage" | "traffic" | "share" | "step") => {
            peer(format!("write `weight: {}`", percent(&shown("10%"))), &["weight"])
        }
        ("a stage", "pause" | "duration" | "wait" | "interval" | "for" | "bake" | "baketime") => {
            peer("write `hold: 10m`".to_owned(), &["hold"])
        }
        (
            "a match",
            "uri" | "url" | "pathprefix" | "prefix" | "location" | "paths" | "pathregex" | "saferegex"
            | "exact" | "regex",
        ) => {
            let path = habits::path(value).unwrap_or_else(|| "/api/*".to_owned());
            let path = match word {
                "prefix" | "pathprefix" | "location" if !path.contains('*') && path.starts_with('/') => {
                    format!("{}/*", path.trim_end_matches('/'))
                }
                "pathregex" | "saferegex" | "regex" if !path.starts_with('{') => {
                    format!("{{ regex: '{path}' }}")
                }
                _ => path,
            };
            peer(format!("write `path: {path}`"), &[])
        }
        ("a path", "prefix" | "pathprefix" | "exact" | "type" | "value" | "saferegex" | "path") => {
            let path = match word {
                "prefix" | "pathprefix" => {
                    value.as_str().map(|text| format!("{}/*", text.trim_end_matches('/')))
                }
                "saferegex" => value.as_str().map(|text| format!("{{ regex: '{text}' }}")),
                "exact" | "path" => value.as_str().map(str::to_owned),
                _ => None,
            };
            let path = path.unwrap_or_else(|| "/api/*".to_owned());
            peer(
                format!("a path is one text: write `path: {path}` (`/a` exactly, `/a/*` all below it)"),
                &["regex"],
            )
        }
        (
            "a match" | "a target",
            "method" | "verb" | "verbs" | "httpmethods" | "operations" | "operation",
        ) => {
            let text = shown("GET");
            let list = if text.starts_with('[') { text } else { format!("[{text}]") };
            peer(format!("write `methods: {list}`"), &["methods"])
        }
        ("a target", "path" | "uri" | "resources" | "prefix") => {
            let path = habits::path(value).unwrap_or_else(|| "/api/*".to_owned());
            peer(format!("write `paths: [{path}]`"), &["paths"])
        }
        ("a caller", "service" | "serviceaccount" | "name" | "app" | "source" | "services" | "sources") => {
            let name = value.as_str().map_or_else(|| "web".to_owned(), str::to_owned);
            peer(format!("a service is named alone: write `{name}`"), &["labels"])
        }
        ("a caller", "gateway") => {
            let name = value.as_str().unwrap_or("public");
            peer(format!("write `gateway/{name}`"), &["labels"])
        }
        ("a caller", "principals" | "identity" | "spiffe" | "spiffeid") => {
            peer("write `principal: spiffe://shop.example/prod/web`".to_owned(), &["principal"])
        }
        ("a caller", "label" | "selector" | "matchlabels" | "matchlabel") => {
            peer(format!("write `labels: {}`", shown("{ tier: web }")), &["labels"])
        }
        ("a Service", "ports" | "targetport" | "containerport" | "listen" | "listeners") => {
            let number = shown("8080").chars().filter(char::is_ascii_digit).collect::<String>();
            let number = if number.is_empty() || number.len() > 5 { "8080".to_owned() } else { number };
            peer(
                format!(
                    "a service has one port: write `port: {number}`; where the application listens elsewhere, `appPort`"
                ),
                &["port"],
            )
        }
        (
            "a Service",
            "allow" | "allowed" | "allowfrom" | "from" | "access" | "ingress" | "consumers" | "clients",
        ) => peer(
            "write `callers: [web, gateway/public]`, or an AccessPolicy for the service".to_owned(),
            &["callers"],
        ),
        (
            "a limit",
            "requests" | "requestsperunit" | "requestspersecond" | "rps" | "limit" | "max" | "amount"
            | "count" | "tokens",
        ) => {
            let number = shown("50");
            let number = if number.bytes().all(|b| b.is_ascii_digit()) { number } else { "50".to_owned() };
            peer(format!("write `rate: {number}/s` (`/s`, `/m` or `/h`)"), &["rate"])
        }
        ("a redirect", "code" | "responsecode" | "statuscode" | "redirectcode") => {
            peer(format!("write `status: {}`", shown("301")), &["status"])
        }
        ("an answer", "code" | "statuscode" | "httpstatus") => {
            peer(format!("write `status: {}`", shown("503")), &["status"])
        }
        ("a retry", "numretries" | "retries" | "maxretries" | "count" | "max" | "limit" | "tries") => {
            peer(format!("write `attempts: {}` (tries after the first)", shown("2")), &["attempts"])
        }
        _ => None,
    }
}

/// A share as text with its sign.
fn percent(text: &str) -> String {
    let text = text.trim_matches(['"', '\'']);
    if text.bytes().all(|b| b.is_ascii_digit()) { format!("{text}%") } else { text.to_owned() }
}

/// Place, names without style, help, fields meant.
type Row = (&'static str, &'static [&'static str], &'static str, &'static [&'static str]);

const TABLE: &[Row] = &[
    ("a rule", &["timeouts"], "write `timeout: 5s`", &[]),
    (
        "a rule",
        &["retries", "retrypolicy", "retryon", "numretries"],
        "write `retry: { attempts: 2, conditions: [connect-failure, \"503\"] }`",
        &[],
    ),
    (
        "a rule",
        &["matches", "conditions", "condition", "if"],
        "write `match: { path: /api/*, methods: [GET] }`",
        &["match"],
    ),
    (
        "a rule",
        &["uri", "url", "prefix", "location", "pathprefix"],
        "what a rule takes stands in `match`: write `match: { path: /api/* }`",
        &[],
    ),
    (
        "a rule",
        &["method", "queryparams", "querystring"],
        "what a rule takes stands in `match`: write `match: { methods: [GET], query: { page: \"1\" } }`",
        &[],
    ),
    (
        "a rule",
        &["filters", "filter"],
        "there are no filters: write `rewrite`, `redirect`, `respond`, `headers` or `mirror` beside `to`",
        &[],
    ),
    (
        "a rule",
        &["directresponse", "response", "return", "fixedresponse"],
        "write `respond: { status: 404, body: \"not here\" }`",
        &["respond"],
    ),
    (
        "a rule",
        &["urlrewrite", "prefixrewrite", "rewritetarget", "stripprefix", "replaceprefix"],
        "write `rewrite: { prefix: / }` beside `match: { path: /api/* }`",
        &[],
    ),
    (
        "a rule",
        &["requestmirror", "shadow", "traffic", "mirrorpercentage", "requestmirrorpolicies"],
        "write `mirror: { to: orders@v2, percent: 10% }`",
        &[],
    ),
    (
        "a rule",
        &[
            "requestheadermodifier",
            "responseheadermodifier",
            "addheaders",
            "setheaders",
            "requestheaderstoadd",
            "responseheaderstoadd",
            "headerstoadd",
        ],
        "write `headers: { request: { set: { x-name: value } } }` (`request` or `response`; `set`, `add` or `remove`)",
        &[],
    ),
    (
        "a rule",
        &["weight"],
        "weights stand in `to`: `to: [{ to: orders@v1, weight: 90% }, { to: orders@v2, weight: 10% }]`",
        &[],
    ),
    ("a rule", &["priority"], "rules are asked in the order in which they are written; move the rule", &[]),
    (
        "a rule",
        &["allow", "from", "callers", "jwt", "auth"],
        "who may call stands in an AccessPolicy; a rule for some callers is `match: { callers: [web] }`",
        &[],
    ),
    (
        "a rule",
        &["ratelimit", "limit", "rate", "ratelimits"],
        "limits stand in a Quota: `kind: Quota`, `service: orders`, `limits: [{ per: caller, rate: 50/s }]`",
        &[],
    ),
    (
        "a rule",
        &["corspolicy", "cors"],
        "there is no CORS filter: the service answers `OPTIONS`, or a rule with `respond` and `headers`",
        &[],
    ),
    (
        "a Route",
        &["match", "matches", "to", "path", "redirect", "rewrite", "timeout", "retry"],
        "it stands in a rule: `rules:`, and below it `- name: all` with `match` and `to`",
        &["rules"],
    ),
    (
        "a Route",
        &["http", "routes", "virtualhosts", "locations", "paths", "route"],
        "write `rules:`, and below it `- name: all` with `match` and `to`",
        &["rules"],
    ),
    ("a Route", &["parentrefs", "parentref", "gateways"], "write `gateway: public`", &["gateway"]),
    (
        "a Route",
        &["hostnames", "domains", "host", "servername", "servernames"],
        "write `hosts: [shop.example]`, beside `gateway`",
        &[],
    ),
    (
        "a Route",
        &["weight", "split", "canary", "traffic"],
        "shares stand in a rule: `to: [{ to: orders@v1, weight: 90% }, { to: orders@v2, weight: 10% }]`",
        &[],
    ),
    ("a match", &["header", "headersmatch"], "write `headers: { x-name: value }`", &[]),
    (
        "a match",
        &["queryparams", "queryparameters", "querystring", "params", "parameters"],
        "write `query: { page: \"1\" }`",
        &[],
    ),
    (
        "a match",
        &["sourcelabels", "source", "from", "caller", "sourceservice", "sourceprincipal"],
        "write `callers: [web]`, or by labels `callers: [{ labels: { tier: web } }]`",
        &[],
    ),
    (
        "a match",
        &["authority", "host", "hosts", "domain", "domains", "servername"],
        "hosts stand in a Route with `gateway`: `hosts: [shop.example]`; elsewhere `when: 'request.host == \"shop.example\"'`",
        &[],
    ),
    ("a match", &["scheme", "port"], "write `when: 'request.scheme == \"https\"'`", &[]),
    (
        "a match",
        &["cel", "expression", "if", "condition", "conditions"],
        "write `when: 'request.method == \"GET\"'`",
        &[],
    ),
    (
        "a match",
        &["not", "withoutheaders", "invert"],
        "write `when: '!(\"x-name\" in request.headers)'`",
        &[],
    ),
    (
        "a comparison",
        &["equals", "value", "eq", "equal", "type"],
        "equality is the value alone: `x-name: value`; else `{ prefix: ... }`, `{ regex: ... }`, `{ present: true }`",
        &["exact"],
    ),
    (
        "a comparison",
        &["saferegex", "regularexpression", "pattern", "matches", "match"],
        "write `{ regex: '...' }`",
        &["regex"],
    ),
    ("a comparison", &["exists", "presentmatch", "required"], "write `{ present: true }`", &["present"]),
    (
        "a comparison",
        &["not", "invert", "invertmatch", "absent"],
        "write `{ present: false }` for absence; else `when: 'request.headers[?\"x-name\"].orValue(\"\") != \"value\"'`",
        &["present"],
    ),
    (
        "a rewrite",
        &["uri", "target", "replaceprefixmatch", "regex", "prefixrewrite", "pathprefix"],
        "write `prefix: /new` (in place of what stands before `/*`) or `path: /new`",
        &["prefix"],
    ),
    ("a rewrite", &["authority", "hostname", "hostrewrite"], "write `host: orders.example`", &["host"]),
    (
        "a redirect",
        &["uri", "url", "location", "target", "to", "authority", "hostname"],
        "write the parts that change: `{ scheme: https, host: shop.example, path: /new, status: 301 }`",
        &["scheme"],
    ),
    ("a redirect", &["https", "httpsredirect"], "write `scheme: https`", &["scheme"]),
    ("an answer", &["content", "text", "message", "data"], "write `body: \"text\"`", &[]),
    ("an answer", &["contenttype"], "write `headers: { content-type: text/plain }`", &[]),
    (
        "header operations",
        &["set", "add", "remove"],
        "say whose header: `request: { set: { x-name: value } }` or `response: { ... }`",
        &["request"],
    ),
    ("changes of header fields", &["append", "insert"], "write `add: { x-name: value }`", &["add"]),
    ("changes of header fields", &["delete", "unset", "del"], "write `remove: [x-name]`", &["remove"]),
    ("changes of header fields", &["overwrite", "replace"], "write `set: { x-name: value }`", &["set"]),
    (
        "a retry",
        &["retryon", "on", "codes", "statuscodes", "retriablestatuscodes", "status"],
        "write `conditions: [connect-failure, \"503\"]`",
        &[],
    ),
    ("a retry", &["pertrytimeout", "timeout"], "`timeout` of the rule bounds all tries together", &[]),
    (
        "a retry",
        &["delay", "interval", "wait", "backoffbase", "baseinterval"],
        "write `backoff: { base: 25ms, max: 250ms }`",
        &[],
    ),
    ("a backoff", &["initial", "min", "interval", "baseinterval", "delay"], "write `base: 25ms`", &["base"]),
    ("a backoff", &["maxinterval", "maxdelay", "cap"], "write `max: 250ms`", &[]),
    (
        "a Service",
        &["selector", "targetref", "deployment", "image", "replicas"],
        "where endpoints are is said by `discovery` of an Environment, not by the service",
        &[],
    ),
    (
        "a Service",
        &["host", "hosts", "address", "endpoints", "url", "hostname"],
        "where endpoints are is said by `discovery` of an Environment; what lies outside of the mesh is `kind: External`",
        &[],
    ),
    ("a Service", &["subsets", "version", "tags"], "write `versions: [v1, v2]`", &["versions"]),
    (
        "a Service",
        &["timeout", "retries", "retry", "rules", "routes"],
        "it stands in a Route of the service: `kind: Route`, `service: orders`, `rules: [{ name: all, to: orders, timeout: 5s }]`",
        &[],
    ),
    ("a Service", &["mtls", "tls"], "TLS is set for the mesh: `tls: strict` of the Mesh", &[]),
    (
        "a Service",
        &[
            "circuitbreaker",
            "outlierdetection",
            "healthcheck",
            "loadbalancer",
            "connectionpool",
            "trafficpolicy",
        ],
        "it stands in `kind: Resilience` with `service: orders`",
        &[],
    ),
    (
        "a Service",
        &["ratelimit", "quota", "limits"],
        "it stands in `kind: Quota` with `service: orders` and `limits: [{ per: caller, rate: 50/s }]`",
        &[],
    ),
    (
        "a Service",
        &["canary", "stages", "stable", "candidate"],
        "it stands in `kind: Canary` with `service`, `stable`, `candidate` and `stages`",
        &[],
    ),
    ("a Service", &["team", "contact", "maintainer"], "write `owner: team-orders`", &[]),
    (
        "a Service",
        &["namespace", "environment"],
        "a mesh has no namespaces: environments stand in `kind: Environment`",
        &[],
    ),
    (
        "a Canary",
        &["steps", "weights", "stepweights", "canarysteps"],
        "write `stages: [{ weight: 5%, hold: 10m }, { weight: 50%, hold: 30m }]`",
        &["stages"],
    ),
    (
        "a Canary",
        &["maxweight", "stepweight", "weight", "canaryweight"],
        "write each step: `stages: [{ weight: 5%, hold: 10m }, { weight: 50%, hold: 30m }]`",
        &["stages"],
    ),
    ("a Canary", &["targetref", "target", "workload"], "write `service: orders`", &["service"]),
    (
        "a Canary",
        &["primary", "baseline", "current", "old", "stableversion"],
        "write `stable: v1`",
        &["stable"],
    ),
    (
        "a Canary",
        &["canary", "preview", "new", "candidateversion", "version"],
        "write `candidate: v2`",
        &["candidate"],
    ),
    (
        "a Canary",
        &["metrics", "interval", "threshold"],
        "it stands in `analysis`: `analysis: { metrics: [{ name: errors, measure: error-rate, max: 1% }] }`",
        &[],
    ),
    ("an analysis", &["threshold", "failurethreshold", "maxfailures"], "write `failureLimit: 3`", &[]),
    ("an analysis", &["maxweight", "stepweight"], "weights stand in `stages` of the Canary", &[]),
    (
        "a metric",
        &["threshold", "thresholdrange", "limit"],
        "write `max: 1%` (`abortOver` goes back at once)",
        &["max"],
    ),
    (
        "a metric",
        &["type", "metric", "templateref"],
        "write `measure: error-rate` (or `p50`, `p95`, `p99`), or `query:` in PromQL",
        &["measure"],
    ),
    ("a metric", &["interval"], "write `window: 1m`", &[]),
    ("an AccessPolicy", &["rules", "rule", "ingress"], "write `allow: [{ from: [web] }]`", &["allow"]),
    ("an AccessPolicy", &["action"], "entries stand below `allow:` or `deny:`", &[]),
    (
        "an AccessPolicy",
        &["selector", "target", "targetref", "targetrefs", "destination"],
        "write `service: orders` or `gateway: public`",
        &["service"],
    ),
    (
        "an AccessPolicy",
        &["from", "callers", "sources", "principals"],
        "write `allow: [{ from: [web] }]`",
        &["allow"],
    ),
    (
        "an AccessPolicy",
        &["default", "defaultaction"],
        "what no entry allows is denied: remove the field",
        &[],
    ),
    (
        "an entry",
        &["callers", "caller", "source", "sources", "principals", "subjects", "who"],
        "write `from: [web]`",
        &["from"],
    ),
    (
        "an entry",
        &["methods", "paths", "path", "method", "operation", "operations", "resources"],
        "it stands in `to`: `to: { methods: [GET], paths: [/api/*] }`",
        &[],
    ),
    (
        "an entry",
        &["condition", "conditions", "if", "match", "cel"],
        "write `when: '...'` in CEL; methods and paths stand in `to`",
        &[],
    ),
    (
        "a Quota",
        &["rate", "per", "requests", "limit", "ratelimit", "burst"],
        "it stands in a limit: `limits: [{ per: caller, rate: 50/s }]`",
        &["limits"],
    ),
    (
        "a limit",
        &["unit", "window", "period", "interval", "perunit"],
        "the unit follows the number: `rate: 50/s` (`/s`, `/m` or `/h`)",
        &["rate"],
    ),
    (
        "a limit",
        &["key", "by", "descriptor", "keyby", "dimension"],
        "write `per: caller` (or `service`, `header:x-tenant`)",
        &["per"],
    ),
    (
        "a Resilience",
        &["connectionpool", "maxconnections", "bulkhead"],
        "write `limits: { connections: 100, pendingRequests: 50, requests: 200 }`",
        &[],
    ),
    (
        "a Resilience",
        &["timeout", "retry", "retries"],
        "it stands in a rule of a Route, or in `defaults` of the Mesh",
        &[],
    ),
    (
        "a Resilience",
        &["lbpolicy", "loadbalancing", "balancer", "policy"],
        "write `loadBalancer: leastRequests`",
        &[],
    ),
    (
        "an outlier detection",
        &[
            "consecutive5xxerrors",
            "consecutivegatewayerrors",
            "consecutive5xx",
            "maxfails",
            "failures",
            "threshold",
        ],
        "write `consecutiveErrors: 5`",
        &["consecutiveErrors"],
    ),
    (
        "an outlier detection",
        &["baseejectiontime", "ejectiontime", "failtimeout", "duration"],
        "write `ejectFor: 30s`",
        &["ejectFor"],
    ),
    (
        "an outlier detection",
        &["maxejectionpercent", "maxejectionpercentage"],
        "write `maxEjected: 50%`",
        &[],
    ),
    ("an outlier detection", &["interval"], "errors are counted as they come: there is no interval", &[]),
    (
        "a circuit breaker",
        &["threshold", "failurerate", "errorthreshold", "errorthresholdpercentage"],
        "write `errorRate: 50%`",
        &["errorRate"],
    ),
    (
        "a circuit breaker",
        &["sleepwindow", "timeout", "duration", "resettimeout", "waitduration"],
        "write `openFor: 30s`",
        &["openFor"],
    ),
    (
        "a circuit breaker",
        &["maxconnections", "maxpendingrequests", "maxrequests", "connections"],
        "it stands in `limits` of the Resilience: `limits: { connections: 100 }`",
        &[],
    ),
    ("limits", &["maxconnections"], "write `connections: 100`", &["connections"]),
    (
        "limits",
        &["maxrequests", "http2maxrequests", "maxconcurrentrequests"],
        "write `requests: 100`",
        &["requests"],
    ),
    (
        "limits",
        &["maxpendingrequests", "http1maxpendingrequests", "maxpending", "queue"],
        "write `pendingRequests: 50`",
        &["pendingRequests"],
    ),
    ("a health check", &["path", "httpget", "uri", "endpoint", "url"], "write `http: /healthz`", &["http"]),
    ("a health check", &["healthythreshold", "successthreshold", "rise"], "write `healthy: 2`", &[]),
    ("a health check", &["unhealthythreshold", "failurethreshold", "fall"], "write `unhealthy: 3`", &[]),
    ("a sticky key", &["httpcookie", "cookiename"], "write `cookie: name`", &["cookie"]),
    ("a sticky key", &["httpheadername", "headername"], "write `header: x-name`", &["header"]),
    ("a sticky key", &["usesourceip", "sourceip", "ip", "clientip"], "write `source: ip`", &["source"]),
    (
        "a gateway",
        &["port", "ports", "listener", "listeners", "servers", "bind"],
        "write `listen: 443`",
        &["listen"],
    ),
    (
        "a gateway",
        &["host", "hostname", "hostnames", "domains", "servername"],
        "write `hosts: [shop.example]`",
        &["hosts"],
    ),
    (
        "a gateway",
        &["tls", "cert", "certificates", "certificaterefs", "sslcertificate", "credentialname"],
        "write `certificate: { secret: tls/shop }`",
        &[],
    ),
    ("a Mesh", &["mtls", "peerauthentication"], "write `tls: strict` (or `permissive`)", &[]),
    ("a Mesh", &["domain", "trustdomains"], "write `trustDomain: shop.example`", &["trustDomain"]),
    (
        "a Mesh",
        &["timeout", "retry", "retries"],
        "it stands in `defaults`: `defaults: { timeout: 15s }`",
        &[],
    ),
    (
        "a Mesh",
        &["services", "routes", "environments"],
        "each is an object of its own: `kind: Service`, `kind: Route`, `kind: Environment`",
        &[],
    ),
    (
        "a Mesh",
        &["gateway", "listeners", "ingress"],
        "write `gateways: { public: { listen: 443, hosts: [shop.example] } }`",
        &[],
    ),
    (
        "an Environment",
        &["services", "patches", "patch", "values", "override"],
        "write `overrides: { canary/orders: { candidate: v2 } }`",
        &[],
    ),
    ("an Environment", &["branch", "namespace"], "write `follow: { branch: main }`", &[]),
    (
        "a case",
        &["request", "url", "get", "method"],
        "write `send: GET https://shop.example/cart`",
        &["send"],
    ),
    ("a case", &["caller", "from", "user", "source"], "write `as: web`", &[]),
    (
        "an expectation",
        &["allowed", "denied", "verdict"],
        "write `access: allow` or `access: deny`",
        &["access"],
    ),
    (
        "an expectation",
        &["code", "statuscode"],
        "write `status: 404` (an answer of the mesh itself)",
        &["status"],
    ),
    (
        "an expectation",
        &["to", "destination", "backend"],
        "write `service: orders` and `version: v2`",
        &["service"],
    ),
    ("a waiver", &["expires", "expiry", "end", "date"], "write `until: 2026-12-31`", &["until"]),
    ("a waiver", &["why", "comment", "justification"], "write `reason: \"...\"`", &["reason"]),
    (
        "a Policy",
        &["rule", "assert", "expression", "must"],
        "write `require: '...'` beside `each: Service`",
        &["require"],
    ),
    ("a Policy", &["kind", "kinds", "target", "for", "applies"], "write `each: Service`", &["each"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_without_style_and_stand_once() {
        let plain = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let mut seen = std::collections::BTreeSet::new();
        for (what, words, help, _) in TABLE {
            for word in *words {
                assert!(plain(word), "{what}: {word}");
                assert!(seen.insert((what, word)), "{what}: {word} stands twice");
            }
            assert!(!help.ends_with('.'), "{help}");
        }
    }
}
