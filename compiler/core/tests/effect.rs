//! Parts that never match, name nobody, admit nobody or do nothing are found; what may have an effect is not.
//!
//! Each row is some documents beside [`MESH`], and the findings that they have: code, a letter for the severity, and the
//! words.

use mesh_compiler::diag::{Diagnostic, Severity};
use mesh_compiler::{Compiled, Options, compile};

const MESH: &str = "\
kind: Mesh
name: shop
version: 1
trustDomain: shop.example
gateways:
  public: { listen: 80, hosts: [shop.example] }
---
kind: Environment
name: dev
---
kind: Environment
name: prod
---
kind: Service
name: web
port: 80
labels: { team: storefront }
callers: [gateway/public]
---
kind: Service
name: orders
port: 80
versions: [v1, v2]
labels: { team: checkout, tier: gold }
callers: [web]
---
kind: Canary
service: orders
stable: v1
---
kind: Service
name: keeper
port: 80
escapedSlashes: keep
callers: [web]
";

/// The Route of the gateway, where a row has none.
const EDGE: &str = "kind: Route\nname: edge\ngateway: public\nrules: [{ name: all, to: web }]\n";

fn compiled(documents: &str) -> Compiled {
    let edge = if documents.contains("gateway: public\n") { String::new() } else { format!("{EDGE}---\n") };
    let text = format!("{MESH}---\n{edge}{documents}");
    compile(vec![("mesh.yaml".to_owned(), text.into_bytes())], &Options::default())
}

fn shown(compiled: &Compiled) -> Vec<String> {
    let one = |finding: &Diagnostic| {
        let severity = match finding.severity {
            Severity::Error => "E",
            Severity::Warning => "W",
            Severity::Note => "N",
        };
        format!("{} {severity} {}", finding.code.0, compiled.sources.slice(finding.primary.span))
    };
    compiled.findings.iter().map(one).collect()
}

/// Every row in turn, so that one run shows all that is wrong.
fn hold(rows: &[(String, &[&str])]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(documents, expected)| {
            let found = shown(&compiled(documents));
            (found != *expected).then(|| format!("{documents}\n  has {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A service `s` with this AccessPolicy.
fn access(entries: &str) -> String {
    format!(
        "kind: Service\nname: s\nport: 8080\nlabels: {{ tier: silver }}\n---\nkind: AccessPolicy\nservice: s\n{entries}\n"
    )
}

/// An entry of `deny` with this condition.
fn deny(when: &str) -> String {
    access(&format!("allow: [{{ from: [any] }}]\ndeny:\n  - from: [any]\n    when: {}", quoted(when)))
}

/// An entry of `allow` with this condition.
fn allow(when: &str) -> String {
    access(&format!("allow:\n  - from: [any]\n    when: {}", quoted(when)))
}

fn quoted(when: &str) -> String {
    format!("'{}'", when.replace('\'', "''"))
}

/// A Route of `web` with this rule.
fn rule(fields: &str) -> String {
    format!("kind: Route\nservice: web\nrules:\n  - name: r\n    {}\n", fields.replace('\n', "\n    "))
}

/// A Route of the gateway with this rule.
fn edge(fields: &str) -> String {
    format!(
        "kind: Route\nname: edge\ngateway: public\nrules:\n  - name: r\n    {}\n",
        fields.replace('\n', "\n    ")
    )
}

#[test]
fn entries_that_name_nobody() {
    hold(&[
        (
            access("allow: [{ from: [any] }]\ndeny: [{ from: [{ labels: { team: storfront } }] }]"),
            &["2002 E storfront"],
        ),
        (access("allow: [{ from: [{ labels: { team: storfront } }] }]"), &["2002 W storfront"]),
        (access("allow: [{ from: [{ labels: { teem: storefront } }] }]"), &["2002 W teem"]),
        // Each of them is somebody's, but nobody has both.
        (access("allow: [{ from: [{ labels: { team: storefront, tier: gold } }] }]"), &["2002 W team"]),
        (access("allow: [{ from: [{ labels: { team: checkout, tier: gold } }] }]"), &[]),
        (
            access(
                "allow: [{ from: [any] }]\ndeny: [{ from: [{ principal: \"spiffe://shop.example/prod/wbe\" }] }]",
            ),
            &["2002 E \"spiffe://shop.example/prod/wbe\""],
        ),
        (access("allow: [{ from: [{ principal: \"spiffe://shop.example/prod/web\" }] }]"), &[]),
        (access("allow: [{ from: [{ principal: \"spiffe://shop.example/dev/gateway/public\" }] }]"), &[]),
        (
            access("allow: [{ from: [{ principal: \"spiffe://shop.example/prod/gateway/pubic\" }] }]"),
            &["2002 W \"spiffe://shop.example/prod/gateway/pubic\""],
        ),
        (
            access("allow: [{ from: [{ principal: \"spiffe://shop.example/ns/prod/sa/web\" }] }]"),
            &["2002 W \"spiffe://shop.example/ns/prod/sa/web\""],
        ),
        // Of other domains nothing is known.
        (access("allow: [{ from: [{ principal: \"spiffe://other.example/prod/wbe\" }] }]"), &[]),
        (access("allow: [{ from: [{ principal: \"spiffe://shop.example.org/prod/wbe\" }] }]"), &[]),
        ("kind: Service\nname: s\nport: 80\ncallers: [{ labels: { team: x } }]\n".to_owned(), &["2002 W x"]),
        (rule("match: { callers: [{ labels: { team: x } }] }\nto: web"), &["2002 W x"]),
        // Off is off.
        (
            access("allow: [{ from: [any] }]\ndeny: [{ from: [{ labels: { team: x } }], enabled: false }]"),
            &[],
        ),
    ]);
}

#[test]
fn a_label_that_an_override_gives_is_somebodys() {
    let given =
        "kind: Environment\nname: staging\noverrides: { service/web: { labels: { team: mobile } } }\n---\n";
    let policy = access("allow: [{ from: [any] }]\ndeny: [{ from: [{ labels: { team: mobile } }] }]");
    hold(&[(format!("{given}{policy}"), &[]), (policy, &["2002 E mobile"])]);
}

#[test]
fn names_in_conditions() {
    hold(&[
        (deny("source.service == 'wbe'"), &["2002 E ''wbe''"]),
        (allow("source.service == 'wbe'"), &["2002 W ''wbe''"]),
        (deny("source.service in ['web', 'order']"), &["2002 E ''order''"]),
        (deny("!(source.service in ['web', 'order'])"), &["2002 W ''order''"]),
        // Whoever is not nobody is everybody.
        (allow("source.service != 'wbe'"), &["2002 E ''wbe''"]),
        (deny("source.service.startsWith('shop-')"), &["2002 E ''shop-''"]),
        (deny("source.service.matches('^ord')"), &[]),
        (deny("source.service.matches('^Ord')"), &["2002 E ''^Ord''"]),
        (deny("source.service == ''"), &[]),
        (deny("'team' in source.labels && source.labels['team'] == 'x'"), &["2002 E ''x''"]),
        (deny("'team' in source.labels && source.labels['team'] == 'checkout'"), &[]),
        (
            deny("'crew' in source.labels && source.labels['crew'] == 'x'"),
            &["2002 E ''crew'' in source.labels"],
        ),
        (deny("source.labels[?'team'].orValue('x') == 'x'"), &[]),
        (
            deny("source.principal == 'spiffe://shop.example/prod/wbe'"),
            &["2002 E ''spiffe://shop.example/prod/wbe''"],
        ),
        (deny("source.principal == 'spiffe://other.example/prod/wbe'"), &[]),
        (deny("source.principal.startsWith('spiffe://shop.example/prod/ord')"), &[]),
        (
            deny("source.principal.startsWith('spiffe://shop.example/prd/')"),
            &["2002 E ''spiffe://shop.example/prd/''"],
        ),
        (deny("source.principal.startsWith('spiffe://shop.exam')"), &[]),
        (deny("destination.service == 'web'"), &["2002 E ''web''"]),
        (deny("destination.service == 's' && destination.port == 8080"), &[]),
        (deny("destination.port == 80"), &["2002 E 80"]),
        (deny("'tier' in destination.labels && destination.labels['tier'] == 'gold'"), &["2002 E ''gold''"]),
        (rule("match: { when: \"source.service == 'wbe'\" }\nto: web"), &["2002 W 'wbe'"]),
    ]);
}

#[test]
fn methods_are_written_as_clients_send_them() {
    hold(&[
        (
            access("allow: [{ from: [any] }]\ndeny: [{ from: [any], to: { methods: [delete, PUT] } }]"),
            &["2003 E delete"],
        ),
        (access("allow: [{ from: [any], to: { methods: [get] } }]"), &["2003 W get"]),
        (access("allow: [{ from: [any], to: { methods: [\"*\"] } }]"), &["2003 E \"*\""]),
        (rule("retry: { attempts: 1, conditions: [\"503\"], methods: [\"*\"] }\nto: web"), &["2003 E \"*\""]),
        (rule("match: { methods: [PURGE, purge, M-SEARCH] }\nto: web"), &[]),
        (rule("match: { methods: [CONNECT] }\nto: web"), &["2003 W CONNECT"]),
        (
            rule(
                "match: { methods: [POST] }\nretry: { attempts: 1, conditions: [\"503\"], methods: [post, POST] }\nto: web",
            ),
            &["2003 W post"],
        ),
        (deny("request.method == 'delete'"), &["2003 E ''delete''"]),
        (allow("request.method in ['GET', 'head']"), &["2003 W ''head''"]),
        (deny("request.method == 'CONNECT'"), &["2003 W ''CONNECT''"]),
        (deny("request.method == 'purge' || request.method.startsWith('get')"), &[]),
        (deny("request.method == 'GET '"), &["3005 E ''GET ''"]),
    ]);
}

#[test]
fn paths_by_expression() {
    let path = |pattern: &str| rule(&format!("match: {{ path: {{ regex: '{pattern}' }} }}\nto: web"));
    let never = |pattern: &'static str, found: &'static [&'static str]| (path(pattern), found);
    hold(&[
        never(r"\.js$", &[r"2004 E '\.js$'"]),
        never("api/.*", &["2004 E 'api/.*'"]),
        never("/a//b", &["2004 E '/a//b'"]),
        never("/%61", &["2004 E '/%61'"]),
        never(r"/a\?b=.*", &[r"2004 E '/a\?b=.*'"]),
        never("/a%2[Ff]b", &["2004 E '/a%2[Ff]b'"]),
        never("/a/[.][.]/b", &["2004 E '/a/[.][.]/b'"]),
        never("^$", &["2004 E '^$'"]),
        never("/é.*", &["2004 E '/é.*'"]),
        never(r".*\.js", &[]),
        never("(?i)/API/.*", &[]),
        never("/?api/.*", &[]),
        never("/v[0-9]+/orders/[^/]+", &[]),
        never("/a/?/?b", &[]),
        // The first `.` takes every character.
        never("/.well-known/mesh/.*", &[]),
        never(r"/\.well-known/mesh(/ready)?", &[r"1207 E '/\.well-known/mesh(/ready)?'"]),
        never("/[.]well-known/.*", &[]),
        // What the service keeps may be there.
        ("kind: Route\nservice: keeper\nrules: [{ name: r, match: { path: { regex: '/a%2Fb' } }, to: keeper }]\n".to_owned(), &[]),
        (edge("match: { path: { regex: '/a%2Fb' } }\nto: web"), &[]),
        (access("allow: [{ from: [any] }]\ndeny: [{ from: [any], to: { paths: [{ regex: 'admin' }] } }]"), &["2004 E 'admin'"]),
    ]);
}

#[test]
fn a_generated_file_is_warned_of_what_nobody_can_mend_in_it() {
    let severity = |generated: &str, rule: &str| {
        let files = [
            ("edge.yaml", EDGE.to_owned()),
            ("mesh.yaml", MESH.to_owned()),
            ("other.yaml", format!("{generated}{rule}")),
        ];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes()));
        shown(&compile(files.collect(), &Options::default()))
    };
    let generated = "generated: true\n---\n";
    let never = rule("match: { path: { regex: 'a' } }\nto: web");
    assert_eq!(severity("", &never), ["2004 E 'a'"]);
    assert_eq!(severity(generated, &never), ["2004 W 'a'"]);
    let open = access("allow: [{ from: [any] }]\ndeny: [{ from: [any], to: { paths: [{ regex: a }] } }]");
    assert_eq!(severity(generated, &open), ["2004 E a"]);
}

#[test]
fn values_of_headers_and_cookies() {
    let header =
        |name: &str, test: &str| rule(&format!("match: {{ headers: {{ {name}: {test} }} }}\nto: web"));
    let cookie = |test: &str| rule(&format!("match: {{ cookies: {{ a: {test} }} }}\nto: web"));
    hold(&[
        (header("x-a", "' b'"), &["2004 E ' b'"]),
        (header("x-a", "{ exact: 'b ' }"), &["2004 E 'b '"]),
        (header("x-a", "{ prefix: ' b' }"), &["2004 E ' b'"]),
        (header("x-a", "{ prefix: 'b ' }"), &[]),
        (header("x-a", "{ suffix: 'b ' }"), &["2004 E 'b '"]),
        (header("x-a", "{ suffix: ' b' }"), &[]),
        (header("x-a", "{ contains: ' ' }"), &[]),
        (header("x-a", "{ contains: \"\\n\" }"), &["2004 E \"\\n\""]),
        (header("x-a", "{ regex: ' .*' }"), &["2004 E ' .*'"]),
        (header("x-a", "{ regex: '.* ' }"), &["2004 E '.* '"]),
        (header("x-a", "{ regex: '' }"), &["1107 E ''"]),
        (header("x-a", "''"), &[]),
        (header("x-a", "é"), &[]),
        (header("content-length", "{ exact: big }"), &["2004 E big"]),
        (header("te", "trailers"), &[]),
        (header("te", "gzip"), &["2004 E gzip"]),
        (cookie("'a;b'"), &["2004 E 'a;b'"]),
        (cookie("'a b'"), &[]),
        (rule("match: { query: { a: ' b ' } }\nto: web"), &[]),
    ]);
}

#[test]
fn headers_that_rules_never_see() {
    let header = |name: &str, test: &str| format!("match: {{ headers: {{ {name}: {test} }} }}\nto: web");
    hold(&[
        (rule(&header("host", "shop.example")), &["2005 E host"]),
        (rule(&header("connection", "close")), &["2005 E connection"]),
        (rule(&header("x-mesh-caller", "web")), &["2005 E x-mesh-caller"]),
        (rule(&header("upgrade", "{ present: false }")), &["2005 W upgrade"]),
        (rule(&header("x-forwarded-proto", "https")), &[]),
        (edge(&header("x-forwarded-proto", "https")), &["2005 E x-forwarded-proto"]),
        (edge(&header("x-real-ip", "{ present: true }")), &["2005 E x-real-ip"]),
        (deny("'host' in request.headers && request.headers['host'] == 'a'"), &["2005 E ''host'' in request.headers"]),
        (allow("!('host' in request.headers)"), &["2005 E ''host'' in request.headers"]),
        (deny("'x-forwarded-for' in request.headers"), &[]),
        (
            "kind: AccessPolicy\ngateway: public\nallow: [{ from: [any] }]\ndeny: [{ from: [any], when: \"'forwarded' in request.headers\" }]\n---\n"
                .to_owned()
                + EDGE,
            &["2005 E 'forwarded' in request.headers"],
        ),
        ("kind: Quota\nservice: web\nlimits: [{ per: 'header:host', rate: 1/s }]\n".to_owned(), &["2005 E 'header:host'"]),
        ("kind: Route\nservice: web\nsticky: { header: te }\nrules: [{ name: r, to: web }]\n".to_owned(), &[]),
        (
            "kind: Route\nservice: web\nsticky: { header: upgrade }\nrules: [{ name: r, to: web }]\n".to_owned(),
            &["2005 E upgrade"],
        ),
    ]);
}

#[test]
fn conditions_that_no_value_meets() {
    hold(&[
        (deny("request.path.endsWith('?debug')"), &["3005 E ''?debug''"]),
        (deny("request.path.contains('//')"), &["3005 E ''//''"]),
        (deny("request.path.contains('%2F')"), &["3005 E ''%2F''"]),
        (deny("request.path.matches('^admin')"), &["3005 E ''^admin''"]),
        (deny("request.path.matches('[.]js$')"), &[]),
        (deny("request.path.lowerAscii() == '/Admin'"), &["3005 E ''/Admin''"]),
        (deny("request.path.lowerAscii() == '/admin'"), &[]),
        (deny("request.host.endsWith('.Example')"), &["3005 E ''.Example''"]),
        (deny("request.host.contains(':')"), &[]),
        (deny("request.host == 'shop.example:443'"), &["3005 E ''shop.example:443''"]),
        (edge("match: { when: \"request.host == 'shop.exmaple'\" }\nto: web"), &["3005 E 'shop.exmaple'"]),
        (edge("match: { when: \"request.host.startsWith('shop.')\" }\nto: web"), &[]),
        (rule("match: { when: \"request.host == 'shop.exmaple'\" }\nto: web"), &[]),
        (deny("request.scheme == 'HTTPS'"), &["3005 E ''HTTPS''"]),
        (deny("'x-a' in request.headers && request.headers['x-a'] == ' b'"), &["3005 E '' b''"]),
        (deny("request.headerValues['x-a'].exists(v, v == 'b ')"), &["3005 E ''b ''"]),
        (deny("' b' in request.headerValues['x-a']"), &["3005 E '' b''"]),
        (deny("request.headers[?'x-a'].orValue(' ') == ' '"), &[]),
        (deny("'a' in request.query && request.query['a'] == ' b'"), &[]),
        (deny("connection.sni == 'Shop.example'"), &["3005 E ''Shop.example''"]),
        (deny("connection.tlsVersion.startsWith('TLS')"), &["3005 E ''TLS''"]),
    ]);
}

#[test]
fn gateways_that_are_not_admitted() {
    let to = |to: &str| edge(&format!("to: {to}"));
    hold(&[
        (to("orders"), &["2006 E orders"]),
        (to("orders@v1"), &["2006 E orders@v1"]),
        (to("[{ to: web, weight: 90% }, { to: orders, weight: 10% }]"), &["2006 E orders"]),
        (to("[{ to: web, weight: 100% }, { to: orders, weight: 0% }]"), &[]),
        (edge("to: orders\nenabled: false") + "  - { name: all, to: web }\n", &[]),
        // The Route of the service goes on elsewhere, for its callers, whom the target does not let in.
        (
            to("orders") + "---\nkind: Route\nservice: orders\nrules: [{ name: r, to: web }]\n",
            &["1225 E web"],
        ),
        (to("web") + "---\nkind: Route\nservice: web\nrules: [{ name: r, to: orders }]\n", &["2006 E web"]),
        (
            to("web")
                + "---\nkind: Route\nservice: web\nrules: [{ name: r, match: { path: /a }, respond: { status: 200 } }, { name: s, to: orders }]\n",
            &["1225 E orders"],
        ),
        (to("s") + "---\n" + &access("allow: [{ from: [any], to: { methods: [GET] } }]"), &[]),
        (to("s") + "---\n" + &access("allow: [{ from: [web] }]\nmode: audit"), &[]),
        (
            to("s")
                + "---\n"
                + &access("allow: [{ from: [{ principal: \"spiffe://shop.example/dev/gateway/public\" }] }]"),
            &["2006 E s"],
        ),
        (to("s") + "---\n" + &access("allow: [{ from: [{ labels: { team: checkout } }] }]"), &["2006 E s"]),
        // An unknown gateway has a finding of its own.
        (
            to("s") + "---\nkind: Service\nname: s\nport: 80\ncallers: [gateway/pubic]\n",
            &["1104 E gateway/pubic"],
        ),
    ]);
}

#[test]
fn what_nobody_reaches_and_what_says_nothing() {
    hold(&[
        (access("deny: [{ from: [web] }]"), &["2010 W s"]),
        (access("allow: []\ndeny: [{ from: [web] }]"), &[]),
        (access("deny: [{ from: [web] }]\nmode: audit"), &[]),
        (access("allow: [{ from: [web], enabled: false }]"), &["2010 W s"]),
        (access("allow: [{ from: [web] }]\ndeny: []"), &["2011 W []"]),
        (rule("to: web\nenabled: false"), &["2008 W web"]),
        ("kind: Resilience\nservice: web\n".to_owned(), &["2011 W web"]),
        ("kind: Resilience\nservice: web\nlimits: { requests: 5 }\n".to_owned(), &[]),
        (rule("match: { path: /a }\nredirect: { path: /b }\ntimeout: 1s"), &["2011 W 1s"]),
        (rule("match: { path: /a }\nrespond: { status: 204 }\nretry: none"), &["2011 W none"]),
        (rule("to: [{ to: web, weight: 50% }, { to: web, weight: 50% }]"), &["2012 W web"]),
        (
            rule("to: [{ to: orders@v1, weight: 50% }, { to: orders@v2, weight: 50% }]")
                .replace("web", "orders"),
            &[],
        ),
    ]);
    let without = compile(vec![("mesh.yaml".to_owned(), MESH.into())], &Options::default());
    assert_eq!(shown(&without), ["2007 W public"]);
}

#[test]
fn a_name_twice_in_a_list_of_an_override() {
    let over = |second: &str| {
        let rules =
            format!("rules: [{{ name: r, timeout: 1s }}, {{ name: {second}, timeout: 2s, to: web }}]");
        rule("to: web")
            + &format!("---\nkind: Environment\nname: staging\noverrides: {{ route/web: {{ {rules} }} }}\n")
    };
    hold(&[(over("r"), &["2013 E r"]), (over("s"), &["2001 E s"])]);
}

#[test]
fn redirects_to_themselves() {
    let at_edge = |fields: &str| edge(fields) + "  - { name: all, to: web }\n";
    hold(&[
        (at_edge("match: { path: /a }\nredirect: { path: /a }"), &["2009 E /a"]),
        (at_edge("match: { path: /a }\nredirect: { path: /a, status: 303 }"), &["2009 E /a"]),
        // The answer to a form is fetched with GET (RFC 9110 section 15.4.4), which another rule takes.
        (at_edge("match: { path: /a, methods: [POST] }\nredirect: { path: /a, status: 303 }"), &[]),
        (at_edge("match: { path: /a, methods: [POST] }\nredirect: { path: /a }"), &[]),
        (at_edge("match: { path: /a, methods: [POST] }\nredirect: { path: /a, status: 307 }"), &["2009 E /a"]),
        (at_edge("match: { path: /a/* }\nredirect: { prefix: /a/b }"), &["2009 E /a/b"]),
        (at_edge("match: { path: /a/* }\nredirect: { prefix: /b }"), &[]),
        (at_edge("match: { path: /a/* }\nredirect: { path: /a/b }"), &["2009 E /a/b"]),
        (
            "kind: Route\nname: edge\ngateway: public\nrules:\n  - { name: b, match: { path: /a/b }, to: web }\n  - { name: r, match: { path: /a/* }, redirect: { path: /a/b } }\n  - { name: all, to: web }\n".to_owned(),
            &[],
        ),
        (at_edge("match: { when: \"request.path != '/off'\" }\nredirect: { path: /off }"), &[]),
        (at_edge("match: { path: /a }\nredirect: { host: shop.example }"), &["2009 E shop.example"]),
        (at_edge("match: { path: /a }\nredirect: { host: other.example }"), &[]),
        (at_edge("match: { path: /a }\nredirect: { scheme: http }"), &["2009 E http"]),
        (at_edge("match: { path: /a }\nredirect: { scheme: https }"), &[]),
        (at_edge("match: { path: /a }\nredirect: { port: 80 }"), &["2009 E 80"]),
        (at_edge("match: { path: /a }\nredirect: { port: 8080 }"), &[]),
        (rule("match: { path: /a }\nredirect: { path: /a }"), &["2009 E /a"]),
    ]);
}

#[test]
fn retries_that_cannot_act() {
    let retry =
        |matches: &str, retry: &str| rule(&format!("match: {{ {matches} }}\nretry: {{ {retry} }}\nto: web"));
    hold(&[
        (retry("methods: [POST]", "attempts: 2, conditions: [\"503\"]"), &["2014 W 2"]),
        (retry("methods: [POST]", "attempts: 2"), &[]),
        (retry("methods: [POST]", "attempts: 2, conditions: [connect-failure, \"503\"]"), &[]),
        (retry("methods: [POST, GET]", "attempts: 2, conditions: [\"503\"]"), &[]),
        (retry("methods: [POST]", "attempts: 2, conditions: [\"503\"], methods: [POST]"), &[]),
        (retry("path: /a", "attempts: 2, methods: [POST]"), &["2014 W POST"]),
        (retry("path: /a", "attempts: 2, budget: 0%"), &["2014 W 0%"]),
        (retry("path: /a", "attempts: 2, backoff: { base: 2s, max: 1s }"), &["2014 W 2s"]),
        (retry("path: /a", "attempts: 2, backoff: { base: 1s, max: 2s }"), &[]),
        (retry("path: /a", "attempts: 2, backoff: { base: 20s, max: 40s }"), &["2014 W 20s"]),
        (rule("retry: { attempts: 2, backoff: { base: 20s } }\ntimeout: 0s\nto: web"), &[]),
    ]);
}
