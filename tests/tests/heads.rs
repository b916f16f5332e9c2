//! `meshc route` and a live proxy read one head in one way: odd heads, as lists of fields, are followed in the decision
//! core and sent to a gateway's listener; status, reason and rule are the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_bundle::{Owner, State};
use mesh_decision::head::Version;
use mesh_decision::journey::{Ask, Journey, Mesh};
use mesh_tests::full;
use mesh_tests::kit::bundle::{Terms, packed, program};
use mesh_tests::kit::lone::{Lone, mesh};
use mesh_tests::kit::raw::{head, odd_line};
use mesh_tests::programs;
use mesh_tests::random::Random;

const SEED: u64 = 7_230;

/// Each rule answers with its name, and reads what a head may say or take back.
const RULES: &str = "\
name: tenant, match: { path: /*, headers: { x-tenant: acme } }, respond: { status: 200, body: tenant }
name: session, match: { path: /*, cookies: { session: s1 } }, respond: { status: 201, body: session }
name: query, match: { path: /*, query: { a: '1' } }, respond: { status: 202, body: query }
name: long, match: { path: '/long/*', methods: [POST] }, respond: { status: 203, body: long }
name: present, match: { path: '/x/*', headers: { x-flag: { present: true } } }, respond: { status: 206, body: present }
name: rest, match: { path: /* }, respond: { status: 404, body: rest }";

/// A deny by a header, so that access is asked too.
const ACCESS: &str = "\
---
kind: AccessPolicy
gateway: public
allow:
  - { name: most, from: [any], to: { paths: [/*], methods: [GET, POST, PUT, OPTIONS, DELETE] } }
deny:
  - { name: blocked, from: [any], when: 'request.headers[?\"x-block\"].orValue(\"\") == \"yes\"' }
";

/// 20,000 in a full run.
fn heads() -> usize {
    if full() { 20_000 } else { 2_000 }
}

#[test]
fn odd_heads_are_answered_by_the_proxy_as_route_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let program = program(&mesh(RULES, ACCESS)).unwrap();
    let packed = packed(&program).unwrap();
    let bundle = lone.offer(&packed, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(bundle, 20).unwrap();
    let core = Mesh::new(Arc::new(program), State::default());
    let mut random = Random::new(SEED);
    let mut tally: BTreeMap<String, usize> = BTreeMap::new();
    let mut planted = 0;
    for n in 0..heads() {
        let ask = odd(&mut random);
        let journey = core.follow(&ask, &0).unwrap();
        let live = lone.send_head(&head(&ask)).unwrap_or_else(|error| panic!("head {n}: {error}: {ask:?}"));
        if let Err(difference) = same(&journey, &live) {
            panic!("head {n}: {difference}\nask: {ask:?}\ncore: {journey:?}\nlive: {live:?}");
        }
        // A core that knows nothing of hop-by-hop fields must be found out.
        let unaware = Ask { headers: without(&ask.headers, "connection"), ..ask };
        planted += usize::from(same(&core.follow(&unaware, &0).unwrap(), &live).is_err());
        let kind = match (&journey.reason, &journey.edge_rule) {
            (Some(reason), _) => reason.clone(),
            (None, Some(rule)) => rule.clone(),
            (None, None) => "forwarded".to_owned(),
        };
        *tally.entry(kind).or_default() += 1;
    }
    println!("{} heads agree: {tally:?}; {planted} tell a core without hop-by-hop fields", heads());
    assert!(planted > heads() / 200, "only {planted} heads would find the planted difference");
    for kind in
        ["bad-head", "bad-host", "bad-path", "no-upgrades", "denied", "not-allowed", "ambiguous-request"]
            .into_iter()
            .chain(["route/edge/tenant", "route/edge/session", "route/edge/rest"])
    {
        assert!(tally.contains_key(kind), "no head of the kind {kind}: {tally:?}");
    }
}

fn without(lines: &[(String, Vec<u8>)], name: &str) -> Vec<(String, Vec<u8>)> {
    lines.iter().filter(|(known, _)| known != name).cloned().collect()
}

/// Status, and what tells rules and reasons apart: the body.
fn same(journey: &Journey, (status, body): &(u16, String)) -> Result<(), String> {
    if journey.status != Some(*status) {
        return Err(format!("status {:?} in the core, {status} live", journey.status));
    }
    let word = body.trim_end();
    let expected = match (&journey.reason, &journey.edge_rule) {
        // The wire carries nothing else of a denial.
        (Some(_), _) if *status == 403 => "denied",
        (Some(reason), _) => reason,
        (None, Some(rule)) => rule.rsplit('/').next().unwrap_or_default(),
        (None, None) => "",
    };
    // The codec refuses some heads itself, before the gate, without a word.
    if word == expected || (word.is_empty() && [400, 431].contains(status)) {
        Ok(())
    } else {
        Err(format!("`{expected}` in the core, `{word}` live"))
    }
}

/// A request with some odd lines, values, hosts and targets among ordinary ones.
fn odd(random: &mut Random) -> Ask {
    let method = pick(random, &["GET", "GET", "GET", "POST", "PUT", "OPTIONS", "DELETE", "PURGE", "get"]);
    let target = match random.below(14) {
        0 => "/x/1",
        1 => "/long/a",
        2 => "//x/./1",
        3 => "/x%2F1",
        4 => "/x/%zz",
        5 => "/?a=1",
        6 => "/?a=1&a=1",
        7 => "/?a=%",
        8 => "/..;/x",
        9 if method == "OPTIONS" => "*",
        _ => "/",
    };
    let authority = match random.below(20) {
        0 => "DRILL.example",
        1 => "drill.example:8080",
        2 => "drill.example.",
        3 => "other.example",
        4 => pick(
            random,
            &["a,b", "u@drill.example", "drill..example", "drill.example:", "drill.example:99999", "[::1"],
        ),
        _ => "drill.example",
    };
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for _ in 0..random.below(7) {
        let (name, value) = odd_line(random);
        headers.push((name.to_owned(), value.to_vec()));
    }
    if random.chance(40) {
        headers.push(("connection".to_owned(), b"Upgrade".to_vec()));
        headers
            .push(("upgrade".to_owned(), pick(random, &["websocket", "h2c", "HTTP/3"]).as_bytes().to_vec()));
    }
    if random.chance(60) {
        let most = mesh_bundle::limits::HEADER_LINES + random.below(4);
        headers.extend((headers.len() + 2..most).map(|n| ("x-many".to_owned(), n.to_string().into_bytes())));
    }
    if random.chance(60) {
        let bytes = mesh_bundle::limits::VALUE_BYTES + random.below(2);
        headers.push(("x-long".to_owned(), vec![b'v'; bytes]));
    }
    // Of two equal lengths the codec in use shows one, and beside a transfer coding none (RFC 9112 section 6.3).
    let coded = headers.iter().any(|(name, _)| name == "transfer-encoding");
    let mut lengths: Vec<Vec<u8>> = Vec::new();
    headers.retain(|(name, value)| {
        let hidden = name == "content-length" && (coded || lengths.contains(value));
        lengths.push(value.clone());
        !hidden
    });
    Ask {
        method: method.to_owned(),
        scheme: "http".to_owned(),
        authority: authority.to_owned(),
        target: target.to_owned(),
        version: if random.chance(12) { Version::Http10 } else { Version::Http11 },
        headers,
        caller: Some("gateway/public".parse::<Owner>().unwrap()),
        ip: Some("127.0.0.1".to_owned()),
        ..Ask::default()
    }
}

fn pick(random: &mut Random, of: &[&'static str]) -> &'static str {
    random.one(of).copied().unwrap()
}
