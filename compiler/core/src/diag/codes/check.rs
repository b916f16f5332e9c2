//! MC12xx to MC14xx: routes, canaries, access, quotas.

use super::table::codes;

codes! {
    DUPLICATE_RULE = 1201 "duplicate-rule" "two parts of one object have one name" {
        checks: "Names of the rules of a Route, the entries of a policy's list and the limits of a Quota differ.",
        why: "Metrics, logs and plans name a part by its address; with two of one name nobody can tell which decided.",
        bad: "rules:\n  - { name: a, match: { path: /a }, to: x }\n  - { name: a, match: { path: /b }, to: y }\n",
        good: "rules:\n  - { name: a, match: { path: /a }, to: x }\n  - { name: b, match: { path: /b }, to: y }\n",
    }
    SPLIT_SUM = 1202 "split-sum" "the weights of a split are not 100 %" {
        checks: "The weights of `to` sum to exactly 100 %.",
        why: "What is left over would go somewhere that nobody chose.",
        bad: "to: [{ to: a, weight: 50% }, { to: b, weight: 40% }]\n",
        good: "to: [{ to: a, weight: 60% }, { to: b, weight: 40% }]\n",
    }
    AMBIGUOUS_DESTINATION = 1203 "ambiguous-destination" "a destination has several versions" {
        checks: "A destination without a version has one version, or a Canary that shares its traffic.",
        why: "Which version would answer is then nobody's choice.",
        bad: "kind: Service\nname: a\nport: 80\nversions: [v1, v2]\ncallers: [web]\n---\nkind: Route\nservice: a\nrules: [{ name: all, to: a }]\n",
        good: "kind: Service\nname: a\nport: 80\nversions: [v1, v2]\ncallers: [web]\n---\nkind: Route\nservice: a\nrules: [{ name: all, to: a@v1 }]\n",
    }
    UNKNOWN_VERSION = 1204 "unknown-version" "a version does not exist" {
        checks: "Versions in destinations and canaries are versions of their service; `@stable` and `@candidate` need a Canary.",
        why: "Requests for it would find no endpoint.",
        bad: "to: orders@v43\n",
        good: "to: orders@v42\n",
    }
    PATH_FORM = 1205 "path-form" "a path is not in the form that is matched" {
        checks: "Paths in rules are written as requests' paths are after normalisation.",
        why: "A path in another form matches no request.",
        bad: "path: /%61/b\n",
        good: "path: /a/b\n",
    }
    BAD_REGEX = 1206 "bad-regex" "a regular expression does not compile" {
        checks: "Regular expressions are well formed, compile to at most 64 KiB, and are nested at most 100 deep.",
        why: "Every proxy keeps them in memory, and would refuse one that it cannot read or that is larger.",
        bad: "path: { regex: \"/.{1000}/.{1000}\" }\n",
        good: "path: { regex: \"/v[0-9]+/.*\" }\n",
    }
    RESERVED_PATH = 1207 "reserved-path" "a rule takes a path that the mesh keeps for itself" {
        checks: "No rule lies in `/.well-known/mesh/`.",
        why: "The folder belongs to the mesh on every listener; a rule there would stand in the way of what a later release answers.",
        bad: "match: { path: /.well-known/mesh/ready }\n",
        good: "match: { path: /ready }\n",
    }
    BAD_REWRITE = 1208 "bad-rewrite" "a rewrite cannot be applied" {
        checks: "`prefix` stands with paths that end in `/*` and have no parameters before it, or with plain prefixes, in every match of the rule; results are in normal form.",
        why: "There is no prefix that could be replaced.",
        bad: "match: { path: /a }\nrewrite: { prefix: /b }\n",
        good: "match: { path: /a/* }\nrewrite: { prefix: /b }\n",
    }
    OUTSIDE_FENCE = 1209 "outside-fence" "a rule lies outside of its Route's paths" {
        checks: "With `paths`, every rule's path lies inside one of them.",
        why: "The fence says what the Route is about; a rule outside would surprise its neighbours.",
        bad: "paths: [/api/*]\nrules: [{ name: a, match: { path: /b }, to: a }]\n",
        good: "paths: [/api/*]\nrules: [{ name: a, match: { path: /api/b }, to: a }]\n",
    }
    HOST_CLAIMS = 1210 "host-claims" "several Routes claim one host without an order" {
        checks: "Routes of one gateway host each have an `order`, and no two the same.",
        why: "Which Route is asked first would depend on the order of files.",
        bad: "kind: Route\nname: a\ngateway: public\nrules: [{ name: a, match: { path: /a }, to: a }]\n---\nkind: Route\nname: b\ngateway: public\nrules: [{ name: b, match: { path: /b }, to: b }]\n",
        good: "kind: Route\nname: a\ngateway: public\norder: 1\nrules: [{ name: a, match: { path: /a }, to: a }]\n---\nkind: Route\nname: b\ngateway: public\norder: 2\nrules: [{ name: b, match: { path: /b }, to: b }]\n",
    }
    UNKNOWN_HOST = 1211 "unknown-host" "a Route claims a host that its gateway does not have" {
        checks: "`hosts` of a Route are covered by `hosts` of its gateway.",
        why: "The gateway answers for its own hosts only.",
        bad: "# the gateway `public` has the host shop.example\nkind: Route\nname: edge\ngateway: public\nhosts: [mall.example]\nrules: [{ name: all, to: web }]\n",
        good: "# the gateway `public` has the host shop.example\nkind: Route\nname: edge\ngateway: public\nhosts: [shop.example]\nrules: [{ name: all, to: web }]\n",
    }
    CALLERS_AT_GATEWAY = 1212 "callers-at-gateway" "a gateway's rule asks for callers of the mesh" {
        checks: "`match.callers` stands in Routes of services.",
        why: "Whoever comes through a gateway has no mesh identity, so the rule would match nobody.",
        bad: "kind: Route\nname: edge\ngateway: public\nrules: [{ name: a, match: { callers: [web] }, to: a }]\n",
        good: "kind: Route\nservice: a\nrules: [{ name: a, match: { callers: [web] }, to: a }]\n",
    }
    RESERVED_FIELD = 1220 "reserved-field" "a rule edits a header field that is not its own" {
        checks: "Rules set, add and remove no field that frames a message (`content-length`, `transfer-encoding`, `trailer`), routes it (`host`), is about one connection (`connection`, `te`, `upgrade`, `keep-alive`, `proxy-connection`, `http2-settings`), is a promise of its sender (`expect`) or the mesh's own word (`x-mesh-*`, `x-source-service`, `x-target-service`, `x-forwarded-client-cert`), neither in `headers` nor in `respond.headers`.",
        why: "A second `host` or a length that is not the content's makes two servers read one message differently: requests are smuggled, and responses go to somebody else (RFC 9112 sections 3.2 and 6, RFC 9110 section 7.6.1).",
        bad: "headers: { request: { set: { host: api.example } } }\n",
        good: "rewrite: { host: api.example }\n",
    }
    NO_CONTENT = 1221 "no-content" "a response has content that its status cannot have" {
        checks: "`respond` with status 204, 205 or 304 has no `body`.",
        why: "Clients read such a response to the end of its head; what follows would be the beginning of the next one.",
        bad: "respond: { status: 204, body: gone }\n",
        good: "respond: { status: 204 }\n",
    }
    EXTERNAL_IN_ROUTE = 1222 "external-in-route" "a service's Route asks for strangers" {
        checks: "`callers` in the Route of a service names callers of the mesh, not `external`.",
        why: "The Route is asked at the proxy of the caller, and strangers have none: the rule takes nothing, and proxies refuse it.",
        bad: "kind: Route\nservice: a\nrules: [{ name: strangers, match: { callers: [external] }, to: a }]\n",
        good: "kind: Route\nservice: a\nrules: [{ name: shop, match: { callers: [gateway/public] }, to: a }]\n",
    }
    HIDDEN_HOST = 1230 "hidden-host" "a Route's host is probably a listed one, misspelt", severity: Warning, suppressible: true {
        checks: "A host that a gateway takes only by `*` is not one slip away from a host that the gateway lists.",
        why: "Without `*` a misspelt host is an error. With it the Route takes the misspelt host, and requests for the right one go elsewhere.",
        bad: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\ngateways: { public: { listen: 8080, hosts: [shop.example, \"*\"] } }\n---\nkind: Route\nname: edge\ngateway: public\nhosts: [shpo.example]\nrules: [{ name: all, to: web }]\n",
        good: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\ngateways: { public: { listen: 8080, hosts: [shop.example, \"*\"] } }\n---\nkind: Route\nname: edge\ngateway: public\nhosts: [shop.example]\nrules: [{ name: all, to: web }]\n",
    }
    JOINED_REWRITE = 1231 "joined-rewrite" "a rewrite joins what follows a prefix to another word", severity: Warning, suppressible: true {
        checks: "Where a plain prefix ends in `/`, `rewrite.prefix` and `redirect.prefix` do too.",
        why: "A plain prefix is replaced as it stands: `/old/` by `/new` makes `/newcart` of `/old/cart`.",
        bad: "match: { path: { prefix: /old/ } }\nrewrite: { prefix: /new }\n",
        good: "match: { path: { prefix: /old/ } }\nrewrite: { prefix: /new/ }\n",
    }
    NOT_RE2 = 1240 "not-re2" "a regular expression is not one of RE2, or not the same one" {
        checks: "Regular expressions in rules, comparisons and CEL are taken by RE2 and by proxies, and mean the same to both (`docs/spec.md`, Regular expressions).",
        why: "Whoever knows RE2 reads a rule otherwise than proxies would do it: a deny for `^\\<b\\>$` would let `<b>` pass.",
        bad: "path: { regex: '/\\<b\\>' }\n",
        good: "path: { regex: '/<b>' }\n",
    }
    STAGES = 1301 "canary-stages" "the stages of a canary do not grow" {
        checks: "Weights grow strictly, from above 0 % to below 100 %; there are 1 to 20 stages.",
        why: "The end of a canary, 100 %, is not a stage; and a stage that does not grow tests nothing.",
        bad: "stages: [{ weight: 25%, hold: 10m }, { weight: 5%, hold: 10m }]\n",
        good: "stages: [{ weight: 5%, hold: 10m }, { weight: 25%, hold: 10m }]\n",
    }
    METRIC_UNIT = 1302 "metric-unit" "a bound has the wrong unit for its measure" {
        checks: "`error-rate` is bounded by percentages, latencies by durations, queries by numbers.",
        why: "A percentage of a latency means nothing.",
        bad: "metrics: [{ name: a, measure: p99, max: 1% }]\n",
        good: "metrics: [{ name: a, measure: p99, max: 400ms }]\n",
    }
    UNKNOWN_TEAM = 1303 "unknown-team" "a team does not exist" {
        checks: "Teams that approve are teams of the mesh.",
        why: "Nobody could ever approve.",
        bad: "# the mesh has the team `team-a`\nstages: [{ weight: 5%, hold: 10m, approval: team-b }]\n",
        good: "# the mesh has the team `team-a`\nstages: [{ weight: 5%, hold: 10m, approval: team-a }]\n",
    }
    SAME_VERSION = 1304 "same-version" "a canary's candidate is its stable version" {
        checks: "`stable` and `candidate` differ.",
        why: "There is nothing to try.",
        bad: "stable: v1\ncandidate: v1\n",
        good: "stable: v1\ncandidate: v2\n",
    }
    NO_ACCESS = 1401 "no-access" "nobody says who may call a service" {
        checks: "Every service has `callers` or an AccessPolicy.",
        why: "The mesh is closed: without either nobody may call, and mostly that was forgotten.",
        bad: "kind: Service\nname: a\nport: 80\n",
        good: "kind: Service\nname: a\nport: 80\ncallers: [web]\n",
    }
    TWICE = 1402 "said-twice" "one thing is said in two places" {
        checks: "A service has either `callers` or an AccessPolicy, and one Route, Quota, Canary, Resilience each.",
        why: "Which of the two holds would be a guess.",
        bad: "kind: Service\nname: a\nport: 80\ncallers: [web]\n---\nkind: AccessPolicy\nservice: a\nallow: [{ from: [web] }]\n",
        good: "kind: Service\nname: a\nport: 80\n---\nkind: AccessPolicy\nservice: a\nallow: [{ from: [web] }]\n",
    }
    EXTERNAL_UNDER_TLS = 1403 "external-under-strict-tls" "strangers are let in where none can come" {
        checks: "`external` stands where TLS is permissive, or at a gateway.",
        why: "With strict TLS a caller without a certificate never gets as far as the access rules.",
        bad: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\ntls: strict\n---\nkind: Service\nname: cart\nport: 8080\ncallers: [external]\n",
        good: "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\ntls: permissive\n---\nkind: Service\nname: cart\nport: 8080\ncallers: [external]\n",
    }
    BAD_KEY = 1404 "bad-quota-key" "a quota's key cannot be read" {
        checks: "`per` is `caller`, `service`, `header:<name>`, or an expression that names one text of the request.",
        why: "Requests without a key of their own would share one bucket.",
        bad: "limits: [{ per: tenant, rate: 5/s }]\n",
        good: "limits: [{ per: 'header:x-tenant', rate: 5/s }]\n",
    }
    BURST = 1405 "burst" "a limit's burst does not cover one request" {
        checks: "`burst` is at least `cost`.",
        why: "No request would ever pass.",
        bad: "limits: [{ per: caller, rate: 5/s, burst: 1, cost: 2 }]\n",
        good: "limits: [{ per: caller, rate: 5/s, burst: 10, cost: 2 }]\n",
    }
    IDENTITY_PATH = 1420 "identity-path" "the path of identities does not tell services apart" {
        checks: "`Identity.path` has `{service}` once and `{env}` at most once, no segment `.` or `..`, and is not the path of gateways.",
        why: "Proxies read from the path of a certificate which service calls: without `{service}` nobody is anybody, and every call is refused.",
        bad: "kind: Identity\npath: \"/ns/{env}\"\n",
        good: "kind: Identity\npath: \"/ns/{env}/sa/{service}\"\n",
    }
}
