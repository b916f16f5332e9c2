//! Decisions over small programs, written as the units that a bundle holds.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use mesh_bundle::program::{Mesh as MeshUnit, Sticky};
use mesh_bundle::state::CanaryState;
use mesh_bundle::unit::{Unit, UnitId};
use mesh_bundle::{Name, Owner, Program, State};
use mesh_decision::expr::Tri;
use mesh_decision::journey::{Ask, Journey, Mesh};
use mesh_decision::shares::WHOLE_SHARE;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A program from `path → unit` in JSON.
fn program(units: &[(&str, serde_json::Value)]) -> Program {
    let mesh = MeshUnit::new(name("shop"), name("prod"), "shop.example");
    let mut all = vec![(UnitId::Mesh, Unit::Mesh(mesh))];
    for (path, value) in units {
        let id: UnitId = path.parse().unwrap();
        let bytes = mesh_bundle::canonical::to_bytes(value).unwrap();
        all.push((id.clone(), Unit::from_bytes(&id, &bytes).unwrap()));
    }
    Program::from_units(all).unwrap()
}

fn follow(program: &Program, state: &State, ask: &Ask, pick: u32) -> Journey {
    Mesh::new(Arc::new(program.clone()), state.clone()).follow(ask, &pick).unwrap()
}

fn ask(method: &str, url: &str, caller: Option<&str>) -> Ask {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, target) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    Ask {
        method: method.into(),
        scheme: scheme.into(),
        authority: authority.into(),
        target: target.into(),
        caller: caller.map(|c| c.parse::<Owner>().unwrap()),
        ip: Some("203.0.113.9".into()),
        ..Ask::default()
    }
}

fn shop() -> Program {
    let open = serde_json::json!({"allow": [{"from": ["any"], "name": "all"}]});
    program(&[
        ("services/orders", serde_json::json!({"port": 8080, "versions": ["v41", "v42"]})),
        ("services/web", serde_json::json!({"port": 8080, "labels": {"zone": "public"}})),
        ("services/payments", serde_json::json!({"port": 8443})),
        (
            "gateways/public",
            serde_json::json!({"certificate": "tls/shop", "hosts": ["shop.example", "*.shop.example"], "listen": 443}),
        ),
        (
            "canaries/orders",
            serde_json::json!({"stable": "v41", "candidate": "v42", "sticky": {"header": "user"},
            "stages": [{"weight": 500, "holdMs": 1}]}),
        ),
        (
            "routes/public/edge",
            serde_json::json!({"rules": [
            {"name": "api", "match": {"path": "/api/orders/*", "methods": ["GET", "POST"]},
             "action": {"forward": [{"to": {"service": "orders"}}]}, "rewrite": {"path": {"prefix": "/orders"}},
             "requestHeaders": {"set": {"x-via": "edge"}}, "timeoutMs": 900},
            {"name": "old", "match": {"path": "/old/*"}, "action": {"redirect": {"status": 301, "path": {"prefix": "/new"}}}},
            {"name": "split", "match": {"path": "/split"}, "action": {"forward": [
                {"to": {"service": "orders", "version": "v41"}, "weight": 9000},
                {"to": {"service": "orders", "version": "v42"}, "weight": 1000}]}},
            {"name": "site", "match": {"path": "/*"}, "action": {"forward": [{"to": {"service": "web"}}]}}]}),
        ),
        (
            "routes/orders",
            serde_json::json!({"rules": [
            {"name": "refund", "match": {"path": "/orders/{id}/refund", "methods": ["POST"]},
             "action": {"forward": [{"to": {"role": "stable", "service": "orders"}}]}, "timeoutMs": 5000},
            {"name": "beta", "match": {"headers": [{"is": {"exact": "1"}, "name": "beta"}]},
             "action": {"forward": [{"to": {"service": "orders", "version": "v42"}}]}},
            {"name": "rest", "match": {"path": "/*"}, "action": {"forward": [{"to": {"service": "orders"}}]}}]}),
        ),
        (
            "access/orders",
            serde_json::json!({"allow": [
            {"from": [{"gateway": "public"}, {"service": "web"}], "methods": ["GET", "POST"], "name": "allow[0]",
             "paths": ["/orders/*"]}],
          "deny": [{"from": ["any"], "name": "no-debug", "when": {"text": "x", "code":
             {"ops": [{"all": 2}, {"has": 0}, {"compare": "eq"}, {"slot": 0}, {"constant": {"text": "1"}}],
              "slots": [{"header": "debug"}], "v": 1}}}]}),
        ),
        ("access/web", open),
        (
            "access/payments",
            serde_json::json!({"allow": [{"from": [{"service": "orders"}], "name": "callers"}]}),
        ),
        (
            "quotas/orders",
            serde_json::json!({"limits": [{"burst": 2, "name": "limits[0]", "per": "caller",
            "rate": {"count": 1, "perMs": 1000}}]}),
        ),
    ])
}

fn started(program: &Program, weight: u32) -> State {
    let canary = &program.canaries["orders"];
    let content = canary.content_id(&program.services["orders"]).unwrap();
    State { canaries: [("canary/orders".to_owned(), CanaryState { stage: 1, weight, content })].into() }
}

#[test]
fn the_gateway_enters_the_services_route_with_the_rewritten_request() {
    let shop = shop();
    let journey =
        follow(&shop, &State::default(), &ask("POST", "https://shop.example/api/orders/5/refund", None), 0);
    assert_eq!(journey.edge_rule.as_deref(), Some("route/edge/api"));
    assert_eq!(journey.rule.as_deref(), Some("route/orders/refund"));
    assert_eq!(journey.path.as_deref(), Some("/orders/5/refund"));
    assert_eq!(journey.version.as_deref(), Some("v41"));
    assert_eq!(journey.timeout_ms, Some(900), "the smaller of both rules");
    assert_eq!(journey.access_entry.as_deref(), Some("access/orders/allow[0]"));
    assert_eq!(journey.quotas, ["quota/orders/limits[0]"]);
    assert!(journey.headers.contains(&("x-via".to_owned(), b"edge".to_vec())));
}

#[test]
fn methods_hosts_and_paths_decide_in_order() {
    let (shop, none) = (shop(), State::default());
    let rule = |method: &str, url: &str| follow(&shop, &none, &ask(method, url, None), 0).edge_rule;
    assert_eq!(rule("DELETE", "https://shop.example/api/orders/5").as_deref(), Some("route/edge/site"));
    assert_eq!(rule("GET", "https://SHOP.example:443/api//orders/./5").as_deref(), Some("route/edge/api"));
    assert_eq!(rule("GET", "https://a.b.shop.example/api/ordersx").as_deref(), Some("route/edge/site"));
    let unknown = follow(&shop, &none, &ask("GET", "https://other.example/", None), 0);
    assert_eq!((unknown.status, unknown.reason.as_deref()), (Some(404), Some("no-host")));
    let bad = follow(&shop, &none, &ask("GET", "https://shop.example/%2fadmin", None), 0);
    assert_eq!(bad.status, Some(400));
}

#[test]
fn escaped_slashes_pass_a_gateway_to_services_that_keep_them_and_to_no_other() {
    let open = serde_json::json!({"allow": [{"from": ["any"], "name": "all"}]});
    let to = |service: &str| serde_json::json!({"forward": [{"to": {"service": service}}]});
    let program = program(&[
        ("services/packages", serde_json::json!({"port": 8080, "escapedSlashes": "keep"})),
        ("services/web", serde_json::json!({"port": 8080})),
        ("access/packages", open.clone()),
        ("access/web", open),
        ("gateways/public", serde_json::json!({"listen": 443, "hosts": ["a.example", "b.example"]})),
        (
            "routes/public/a",
            serde_json::json!({"hosts": ["a.example"], "rules": [
            {"name": "one", "match": {"path": "/pkg/x%2Fy"}, "action": to("packages")},
            {"name": "all", "match": {"path": "/pkg/*"}, "action": to("packages"),
             "rewrite": {"path": {"prefix": "/"}}},
            {"name": "rest", "match": {"path": "/*"}, "action": to("web")}]}),
        ),
        (
            "routes/public/b",
            serde_json::json!({"hosts": ["b.example"], "rules": [{"name": "rest", "action": to("web")}]}),
        ),
    ]);
    let seen = |url: &str| {
        let journey = follow(&program, &State::default(), &ask("GET", url, None), 0);
        (journey.edge_rule, journey.path, journey.status, journey.reason)
    };
    let passes =
        |rule: &str, path: &str| (Some(format!("route/a/{rule}")), Some(path.to_owned()), None, None);
    let refused =
        |rule: Option<&str>| (rule.map(str::to_owned), None, Some(400), Some("bad-path".to_owned()));
    assert_eq!(seen("https://a.example/pkg/x%2fy"), passes("one", "/pkg/x%2Fy"));
    assert_eq!(seen("https://a.example/pkg/@z%2Fy%5C"), passes("all", "/@z%2Fy%5C"));
    assert_eq!(seen("https://a.example/other"), passes("rest", "/other"));
    assert_eq!(seen("https://a.example/other%2F.."), refused(Some("route/a/rest")));
    assert_eq!(seen("https://b.example/pkg/x%2Fy"), refused(None));
}

#[test]
fn redirects_keep_query_and_replace_the_prefix() {
    let journey = follow(&shop(), &State::default(), &ask("GET", "https://shop.example/old/a?b=1", None), 0);
    assert_eq!(journey.status, Some(301));
    assert_eq!(journey.location.as_deref(), Some("https://shop.example/new/a?b=1"));
}

#[test]
fn shares_are_drawn_low_end_first() {
    let (shop, none) = (shop(), State::default());
    let version =
        |state: &State, url: &str, pick| follow(&shop, state, &ask("GET", url, None), pick).version.unwrap();
    assert_eq!(version(&none, "https://shop.example/split", 8_999), "v41");
    assert_eq!(version(&none, "https://shop.example/split", 9_000), "v42");
    let state = started(&shop, 500);
    assert_eq!(version(&state, "https://shop.example/api/orders/1", 499), "v42");
    assert_eq!(version(&state, "https://shop.example/api/orders/1", 500), "v41");
    assert_eq!(version(&none, "https://shop.example/api/orders/1", 0), "v41", "no state, no candidate");
    let mut other = shop.clone();
    other.services.get_mut("orders").unwrap().port = 1;
    let stale = follow(&other, &state, &ask("GET", "https://shop.example/api/orders/1", None), 0);
    assert_eq!(stale.version.as_deref(), Some("v41"), "another candidate has weight 0");
}

#[test]
fn sticky_callers_stay_while_the_weight_grows() {
    let shop = shop();
    let mut kept = 0;
    for user in 0..200 {
        let mut ask = ask("GET", "https://shop.example/api/orders/1", None);
        ask.headers.push(("user".into(), format!("u{user}").into_bytes()));
        let at = |weight| follow(&shop, &started(&shop, weight), &ask, 9_999).version.unwrap();
        if at(2_500) == "v42" {
            kept += 1;
            assert_eq!(at(5_000), "v42");
        }
    }
    assert!((30..=70).contains(&kept), "{kept} of 200 at 25 %");
}

#[test]
fn a_repeated_header_is_400_for_routes_denied_by_deny_and_not_allowed() {
    let shop = shop();
    let mut twice = ask("GET", "http://orders/orders/1", Some("web"));
    twice.headers = vec![("beta".into(), b"1".to_vec()), ("beta".into(), b"1".to_vec())];
    assert_eq!(follow(&shop, &State::default(), &twice, 0).status, Some(400));
    let mut debug = ask("GET", "http://orders/orders/1", Some("web"));
    debug.headers = vec![("debug".into(), b"0".to_vec()), ("debug".into(), b"0".to_vec())];
    let journey = follow(&shop, &State::default(), &debug, 0);
    assert_eq!(
        (journey.status, journey.access_entry.as_deref()),
        (Some(403), Some("access/orders/no-debug"))
    );
}

#[test]
fn who_is_not_let_in_sees_nothing() {
    let (shop, none) = (shop(), State::default());
    let journey = follow(&shop, &none, &ask("POST", "http://payments/charge", Some("web")), 0);
    assert_eq!((journey.status, journey.reason.as_deref()), (Some(403), Some("not-visible")));
    assert_eq!(follow(&shop, &none, &ask("POST", "http://payments.prod/x", Some("orders")), 0).status, None);
    assert_eq!(
        follow(&shop, &none, &ask("POST", "http://payments.dev/x", Some("orders")), 0).status,
        Some(403)
    );
    let put = follow(&shop, &none, &ask("PUT", "http://orders/orders/1", Some("web")), 0);
    assert_eq!((put.status, put.access.as_deref()), (Some(403), Some("deny")));
}

#[test]
fn fences_keep_later_routes_out() {
    let forward = |service: &str| serde_json::json!({"forward": [{"to": {"service": service}}]});
    let program = program(&[
        ("services/a", serde_json::json!({"port": 1})),
        ("services/b", serde_json::json!({"port": 1})),
        ("gateways/g", serde_json::json!({"listen": 80, "hosts": ["x.example"]})),
        (
            "routes/g/api",
            serde_json::json!({"order": 1, "paths": ["/api/*"], "rules": [
            {"name": "one", "match": {"path": "/api/one"}, "action": forward("a")}]}),
        ),
        (
            "routes/g/rest",
            serde_json::json!({"order": 2, "rules": [{"name": "all", "action": forward("b")}]}),
        ),
        ("access/a", serde_json::json!({"allow": [{"from": ["any"], "name": "x"}]})),
        ("access/b", serde_json::json!({"allow": [{"from": ["any"], "name": "x"}]})),
    ]);
    let go = |path: &str| {
        follow(&program, &State::default(), &ask("GET", &format!("http://x.example{path}"), None), 0)
    };
    assert_eq!(go("/api/one").edge_rule.as_deref(), Some("route/api/one"));
    assert_eq!(go("/api/two").status, Some(404));
    assert_eq!(go("/other").edge_rule.as_deref(), Some("route/rest/all"));
    assert_eq!(go("/other").rule.as_deref(), Some("route/b/default"));
}

#[test]
fn the_services_route_sees_the_gateways_header_edits() {
    let program = program(&[
        ("services/a", serde_json::json!({"port": 1, "versions": ["v1", "v2"]})),
        ("gateways/g", serde_json::json!({"listen": 80, "hosts": ["x.example"]})),
        (
            "routes/g/edge",
            serde_json::json!({"rules": [{"name": "all", "action": {"forward": [{"to": {"service": "a"}}]},
            "requestHeaders": {"remove": ["x-debug"], "set": {"x-tier": "gold"}}}]}),
        ),
        (
            "routes/a",
            serde_json::json!({"rules": [
            {"name": "debug", "match": {"headers": [{"is": {"exact": "1"}, "name": "x-debug"}]},
             "action": {"forward": [{"to": {"service": "a", "version": "v2"}}]}},
            {"name": "gold", "match": {"headers": [{"is": {"exact": "gold"}, "name": "x-tier"}]},
             "action": {"forward": [{"to": {"service": "a", "version": "v1"}}]}}]}),
        ),
        ("access/a", serde_json::json!({"allow": [{"from": ["any"], "name": "x"}]})),
    ]);
    let mut ask = ask("GET", "http://x.example/", None);
    ask.headers = vec![("x-debug".into(), b"1".to_vec())];
    let journey = follow(&program, &State::default(), &ask, 0);
    assert_eq!(journey.rule.as_deref(), Some("route/a/gold"));
    assert_eq!(journey.headers, [("x-tier".to_owned(), b"gold".to_vec())]);
}

#[test]
fn a_request_with_more_than_rules_can_see_is_400() {
    let (shop, none) = (shop(), State::default());
    let target = format!("/?{}", "a&".repeat(101));
    let edge = follow(&shop, &none, &ask("GET", &format!("https://shop.example{target}"), None), 0);
    assert_eq!(edge.status, Some(400));
    let mut cookies = ask("GET", "http://orders/orders/1", Some("web"));
    cookies.headers = vec![("cookie".into(), b"role=x; y=\xff".to_vec())];
    assert_eq!(follow(&shop, &none, &cookies, 0).status, Some(400));
}

#[test]
fn a_denied_request_is_explained_by_the_part_of_the_entry_that_decided() {
    let program = shop();
    let mut asked = ask("GET", "http://orders/orders/5", Some("web"));
    asked.headers.push(("debug".into(), b"1".to_vec()));
    let journey = follow(&program, &State::default(), &asked, 0);
    let because = |journey: &Journey, entry: &str| {
        let step = journey.access_steps.iter().find(|step| step.rule.ends_with(entry)).unwrap().clone();
        let because = step.because.unwrap();
        (
            step.verdict.word(),
            because.result,
            because.seen.into_iter().map(|seen| seen.value).collect::<Vec<_>>(),
        )
    };
    assert_eq!(journey.status, Some(403));
    assert_eq!(because(&journey, "no-debug"), ("taken", Tri::True, vec!["\"1\"".to_owned()]));
    // Denied entries that err take the request; those that do not, pass it on to the allowing ones.
    asked.headers.push(("debug".into(), b"0".to_vec()));
    let journey = follow(&program, &State::default(), &asked, 0);
    assert_eq!(because(&journey, "no-debug").1, Tri::Error);
    asked.headers.clear();
    let journey = follow(&program, &State::default(), &asked, 0);
    assert_eq!(because(&journey, "no-debug"), ("when", Tri::False, vec!["(absent)".to_owned()]));
    assert_eq!(journey.access_steps.last().unwrap().verdict.word(), "taken");
}

#[test]
fn a_connection_carries_hosts_that_the_same_routes_claim() {
    let rules = serde_json::json!([{"name": "all", "action": {"respond": {"status": 200}}}]);
    let program = program(&[
        (
            "gateways/g",
            serde_json::json!({"certificate": "tls/x", "hosts": ["*.x.example", "b.example", "x.example"], "listen": 443}),
        ),
        ("routes/g/one", serde_json::json!({"hosts": ["*.x.example", "x.example"], "rules": rules})),
        ("routes/g/two", serde_json::json!({"hosts": ["b.example"], "rules": rules})),
    ]);
    let status = |sni: Option<&str>| {
        let mut asked = ask("GET", "https://a.x.example/", None);
        asked.sni = sni.map(str::to_owned);
        follow(&program, &State::default(), &asked, 0).status
    };
    assert_eq!(status(None), Some(200), "clients send the host");
    assert_eq!(status(Some("")), Some(200), "no server name");
    assert_eq!(status(Some("B.x.example")), Some(200), "the same wildcard");
    assert_eq!(status(Some("x.example")), Some(200), "the same Route");
    assert_eq!(status(Some("b.example")), Some(421), "another Route");
    assert_eq!(status(Some("c.example")), Some(421), "nobody's");
}

#[test]
fn each_share_is_followed_whatever_the_request_sticks_to() {
    let shop = shop();
    let mesh = Mesh::new(Arc::new(shop.clone()), started(&shop, 500));
    let mut asked = ask("GET", "https://shop.example/api/orders/1", None);
    asked.headers.push(("user".into(), b"u1".to_vec()));
    let shares = |asked: &Ask| {
        let parts = mesh.shares(asked).unwrap().into_iter();
        parts
            .map(|part| (part.weight * 100 / WHOLE_SHARE, part.journey.version, part.journey.status))
            .collect::<Vec<_>>()
    };
    let of = |version: &str| Some(version.to_owned());
    assert_eq!(shares(&asked), [(95, of("v41"), None), (5, of("v42"), None)]);
    assert_eq!(mesh.shares(&asked).unwrap()[0].sticks_to, [Sticky::Header("user".into())]);
    let split = ask("GET", "https://shop.example/split", None);
    assert_eq!(shares(&split), [(90, of("v41"), Some(403)), (10, of("v42"), Some(403))], "denied each");
    let one = ask("POST", "https://shop.example/api/orders/5/refund", None);
    assert_eq!(shares(&one), [(100, of("v41"), None)]);
    assert!(shares(&ask("GET", "https://shop.example/old/a", None)).is_empty());
}

#[test]
fn a_service_sees_no_credentials_that_its_mesh_takes_away() {
    let mut shop = shop();
    let mut asked = ask("GET", "http://orders/orders/1", Some("web"));
    asked.headers.push(("authorization".into(), b"Bearer x".to_vec()));
    let seen = |shop: &Program| {
        let journey = follow(shop, &State::default(), &asked, 0);
        journey.headers.iter().any(|(name, _)| name == "authorization")
    };
    assert!(seen(&shop));
    shop.mesh.remove_credentials = true;
    assert!(!seen(&shop));
}

#[test]
fn the_route_of_a_service_is_explained_behind_a_gateway() {
    let journey =
        follow(&shop(), &State::default(), &ask("GET", "https://shop.example/api/orders/5", None), 0);
    let asked: Vec<(&str, &str)> =
        journey.steps.iter().map(|step| (step.rule.as_str(), step.verdict.word())).collect();
    assert_eq!(
        asked,
        [
            ("route/edge/api", "taken"),
            ("route/orders/refund", "path"),
            ("route/orders/beta", "value"),
            ("route/orders/rest", "taken")
        ]
    );
}

#[test]
fn a_gateway_with_a_certificate_does_not_answer_in_clear() {
    let journey = follow(&shop(), &State::default(), &ask("GET", "http://shop.example/", None), 0);
    assert!(journey.is_closed());
    assert_eq!((journey.status, journey.gateway.as_deref()), (None, Some("public")));
}
