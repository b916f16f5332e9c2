//! Drills in which a bundle must not come in, by whatever way.

use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{limits, verify};
use mesh_compiler::plan::plan;
use mesh_compiler::{Options, compile};
use mesh_tests::kit::bundle::{Terms, packed, program, signed};
use mesh_tests::kit::draft::Draft;
use mesh_tests::kit::lone::{Lone, mesh, outcome};
use mesh_tests::kit::wait::wait;
use mesh_tests::programs;
use serde_json::{Value, json};

use super::{answers, bundle, marked, specs, started};

/// Codes of what the compiler finds in one file of specs.
fn findings(text: &str) -> String {
    let compiled = compile(vec![("mesh.yaml".to_owned(), text.as_bytes().to_vec())], &Options::default());
    let found: Vec<String> = compiled.findings.iter().map(|finding| finding.code.to_string()).collect();
    found.join(" ")
}

/// What was in force is in force and answers, and the proxy itself failed at nothing.
fn unhurt(lone: &mut Lone, first: &str) {
    assert_eq!(lone.said("/active"), first, "{}", lone.log());
    answers(lone);
    assert_eq!(lone.metric("service_mesh_proxy_faults_total").unwrap(), 0);
    assert!(!lone.log().contains("panicked"), "{}", lone.log());
    assert!(lone.runs());
}

/// Cloudflare, 18 November 2025: a query returned rows twice, a feature file doubled past a limit of the proxy, and
/// every proxy panicked at it. <https://blog.cloudflare.com/18-november-2025-outage/>
#[test]
fn d01_doubled_entries_are_refused_by_compiler_and_proxy() {
    let rule = "  - { name: cart, match: { path: /cart/* }, to: cart }\n";
    let doubled = specs("first").replace(rule, &rule.repeat(2));
    assert!(doubled.len() > specs("first").len());
    assert!(findings(&doubled).contains("MC1201"), "{}", findings(&doubled));

    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let unit = "routes/public/edge";
    let mut draft = Draft::of(&bundle("next"));
    let mut value = draft.unit(unit);
    let rules = value.get("rules").and_then(Value::as_array).unwrap().clone();
    let size = value.to_string().len();
    let times = limits::UNIT_BYTES / (size / 2) + 1;
    let all: Vec<Value> = rules.iter().cycle().take(rules.len() * times).cloned().collect();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("rules".to_owned(), json!(all));
    }
    // Cut to one byte over the limit: what follows is refused by its size, before anything is parsed.
    let mut bytes = serde_json::to_vec(&value).unwrap();
    assert!(bytes.len() > limits::UNIT_BYTES);
    bytes.truncate(limits::UNIT_BYTES + 1);
    draft.put_unit(unit, bytes);
    let got = lone.take(&draft.packed().unwrap(), &Terms::of(2)).unwrap();
    assert_eq!(got, "file-too-large", "{}", lone.log());
    assert!(lone.metric(r#"service_mesh_bundle_refusals_total{rung="1"}"#).unwrap() > 0);
    assert!(lone.said("/journal/lastRefusal/refusal/unit").contains(unit), "{}", lone.status());
    unhurt(&mut lone, &first.id.to_string());
    // Doubled within the limit: two rules of one name.
    let mut value = Draft::of(&bundle("next")).unit(unit);
    if let Some(fields) = value.as_object_mut() {
        let twice: Vec<&Value> = rules.iter().cycle().take(2 * rules.len()).collect();
        fields.insert("rules".to_owned(), json!(twice));
    }
    let mut draft = Draft::of(&bundle("next"));
    draft.set_unit(unit, &value).unwrap();
    let got = lone.take(&draft.packed().unwrap(), &Terms::of(2)).unwrap();
    assert_eq!(got, "duplicate-rule");
    lone.stop().unwrap();

    // The plan says how a unit grows, before anything is built.
    let mut after = marked("first");
    for routes in after.gateway_routes.values_mut().flat_map(|routes| routes.values_mut()) {
        routes.rules = routes.rules.iter().chain(routes.rules.iter()).cloned().collect();
    }
    let said = plan(Some(&marked("first")), Some(&after)).unwrap();
    let grown = said.units.iter().find(|change| change.unit.to_string() == unit).unwrap();
    assert!(grown.after.unwrap() > grown.before.unwrap() * 3 / 2, "{grown:?}");
}

/// Google Cloud, 12 June 2025: a policy with blank fields, and a null pointer in every region.
/// <https://status.cloud.google.com/incidents/ow5i3PPK96RduMcb1SsW>
#[test]
fn d04_signed_nulls_are_refused_in_words() {
    assert!(findings(&specs("first").replace("to: cart }", "to: null }")).contains("MC1"));
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let sound = Draft::of(&bundle("next"));
    let mut refused = 0;
    // A proxy judges what is in its own scope.
    let whole = verify::intact(bundle("next").files).unwrap();
    let scope = whole.needs(&"gateway/public".parse().unwrap()).unwrap().units;
    for unit in scope.iter().map(ToString::to_string) {
        let value = sound.unit(&unit);
        for pointer in fields(&value) {
            let mut changed = value.clone();
            *changed.pointer_mut(&pointer).unwrap() = Value::Null;
            let mut draft = sound.clone();
            draft.set_unit(&unit, &changed).unwrap();
            let got = lone.take(&draft.packed().unwrap(), &Terms::of(2)).unwrap();
            assert_eq!(got, "malformed-unit", "null at {unit} {pointer}");
            assert_eq!(lone.said("/journal/lastRefusal/refusal/unit"), unit);
            refused += 1;
        }
    }
    println!("{refused} signed nulls, {refused} refused");
    assert!(refused >= 20, "{refused}");
    unhurt(&mut lone, &first.id.to_string());
    lone.stop().unwrap();
}

/// Pointers to all members of all objects.
fn fields(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(all) => {
            all.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(all) => {
            all.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (key, child) in children {
        if value.is_object() {
            found.push(format!("/{key}"));
        }
        found.extend(fields(child).into_iter().map(|rest| format!("/{key}{rest}")));
    }
    found
}

/// Azure Front Door, 9 October 2025: the guard caught bad metadata; a clean-up by hand, later, went around it.
/// <https://azure.status.microsoft/status/history/?trackingId=QNBQ-5W8>
#[test]
fn d07_every_way_in_climbs_the_same_ladder() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let second = bundle("second");
    assert_eq!(lone.take(&second, &Terms::of(2)).unwrap(), "activated");
    lone.wait_good(second.id, 20).unwrap();
    let (first, second) = (first.id.to_string(), second.id.to_string());
    let stranger = SigningKey::from_seed(&[99; 32]).unwrap();
    let bad = bundle("bad");
    let bytes = signed(bad.clone(), std::slice::from_ref(&stranger), |release| release.generation = 9)
        .unwrap()
        .archive()
        .unwrap();

    // A file in the source's place.
    let before = lone.metric("service_mesh_bundle_refusals_total").unwrap();
    lone.drop_file(&bytes).unwrap();
    wait("it is refused", 10, || lone.metric("service_mesh_bundle_refusals_total").unwrap() > before)
        .unwrap();
    assert_eq!(lone.said("/journal/lastRefusal/refusal/code"), "bad-signature");
    // The admin socket's orders.
    assert_eq!(outcome(&lone.post("/v1/reload").unwrap()), "bad-signature");
    let back = lone.post(&format!("/v1/rollback?to={}", bad.id)).unwrap();
    assert_eq!(outcome(&back), "not-in-history");
    assert_eq!(outcome(&lone.post(&format!("/v1/resume?bundle={}", bad.id)).unwrap()), "bad-signature");
    unhurt(&mut lone, &second);
    // The file of a stored bundle, replaced while the proxy runs: a return climbs too.
    let stored = |id: &str| lone.path(&format!("state/bundles/{}.mcb", id.trim_start_matches("sha256:")));
    let (old, new) = (stored(&first), stored(&second));
    let kept = std::fs::read(&old).unwrap();
    std::fs::write(&old, &bytes).unwrap();
    assert_eq!(outcome(&lone.post(&format!("/v1/rollback?to={first}")).unwrap()), "bad-signature");
    unhurt(&mut lone, &second);
    std::fs::write(&old, kept).unwrap();
    // Swapped at a restart, by one that is signed and another's: the one before starts.
    lone.stop().unwrap();
    let kept = std::fs::read(&new).unwrap();
    std::fs::copy(&old, &new).unwrap();
    lone.start().unwrap();
    assert_eq!(lone.said("/active"), first, "{}", lone.log());
    assert!(lone.log().contains("other-bundle"), "{}", lone.log());
    answers(&lone);
    lone.stop().unwrap();
    std::fs::write(&new, kept).unwrap();
    // The journal, edited to name a file that somebody put there.
    std::fs::write(lone.path(&format!("state/bundles/{}.mcb", bad.id.hex())), &bytes).unwrap();
    let path = lone.path("state/journal.json");
    let mut journal: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    *journal.pointer_mut("/active").unwrap() = json!(bad.id.to_string());
    std::fs::write(&path, journal.to_string()).unwrap();
    lone.start().unwrap();
    let active = lone.said("/active");
    assert!(active == first || active == second, "{active}: {}", lone.log());
    assert!(lone.log().contains("bad-signature"), "{}", lone.log());
    answers(&lone);
    lone.stop().unwrap();
    // Flags: a source and an empty folder for state.
    std::fs::write(lone.path("other.mcb"), &bytes).unwrap();
    lone.flag("--source", &lone.path("other.mcb"));
    lone.flag("--state", &lone.path("empty"));
    lone.start().unwrap();
    assert_eq!(lone.said("/journal/lastRefusal/refusal/code"), "bad-signature");
    assert_eq!(lone.get("/orders/1").unwrap(), 503);
    lone.stop().unwrap();
    // Flags: another trust set; nothing on the disk counts any more.
    let trust = TrustSet::new(1, vec![stranger.public()]).unwrap();
    std::fs::write(lone.path("other.json"), json!(trust).to_string()).unwrap();
    lone.flag("--trust", &lone.path("other.json"));
    lone.flag("--source", &lone.path("offer-none.mcb"));
    lone.flag("--state", &lone.path("state"));
    lone.start().unwrap();
    let active = lone.said("/active");
    assert!(active != first && active != second, "{active}: {}", lone.log());
    lone.stop().unwrap();
}

/// Azure Front Door, 29 October 2025: two versions of the control plane made metadata that the data plane did not
/// expect. <https://azure.status.microsoft/status/history/?trackingId=YKYN-BWZ>
#[test]
fn d08_a_bundle_for_a_newer_proxy_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let mut draft = Draft::of(&bundle("next"));
    draft.require("routes/public/edge", "time-travel");
    assert_eq!(lone.take(&draft.packed().unwrap(), &Terms::of(2)).unwrap(), "missing-feature");
    let message = lone.said("/journal/lastRefusal/refusal/message");
    assert!(message.contains("`time-travel`") && message.contains("this version"), "{message}");
    assert_eq!(lone.said("/journal/lastRefusal/refusal/unit"), "routes/public/edge");
    unhurt(&mut lone, &first.id.to_string());
    // A unit beyond this proxy's scope may need what it likes.
    let mut draft = Draft::of(&bundle("next"));
    draft.require("access/orders", "time-travel");
    let packed = draft.packed().unwrap();
    assert_eq!(lone.take(&packed, &Terms::of(2)).unwrap(), "activated");
    lone.stop().unwrap();
}

/// GitHub, 14 August 2024: a configuration change broke how databases answered health checks, everywhere at once.
/// <https://github.blog/news-insights/company-news/github-availability-report-august-2024/>
#[test]
fn d18_no_rule_takes_the_mesh_s_own_paths_and_none_reaches_the_health_endpoints() {
    for path in ["/.well-known/mesh", "/.well-known/mesh/ready", "/.well-known/mesh/*"] {
        let found = findings(&mesh(&format!("name: own, match: {{ path: {path} }}, to: orders"), ""));
        assert!(found.contains("MC1207"), "{path}: {found}");
    }
    // Operators ask on a Unix socket, which no port and no rule of a spec can take: not even one that answers all.
    let folder = tempfile::tempdir().unwrap();
    let mut lone = Lone::new(folder.path(), programs!()).unwrap();
    let all = mesh("name: all, match: { path: /* }, respond: { status: 404 }", "");
    let packed = packed(&program(&all).unwrap()).unwrap();
    lone.offer(&packed, &Terms::of(1)).unwrap();
    lone.start().unwrap();
    lone.wait_active(packed.id, 20).unwrap();
    wait("requests are answered", 20, || lone.get("/healthz").is_ok_and(|status| status == 404)).unwrap();
    for target in ["/healthz", "/readyz", "/metrics", "/v1/bundle"] {
        assert_eq!(lone.admin("GET", target).unwrap().0, 200, "{target}");
    }
    lone.stop().unwrap();
}

/// CircleCI, 4 April 2025: a rule was changed by hand, outside of the pipeline, and nobody looked there.
/// <https://discuss.circleci.com/t/post-incident-report-april-4-2025-circleci-ui-loading-build-triggering-issues/53208>
#[test]
fn d19_an_edited_file_is_an_alarm_and_is_not_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut lone, first) = started(&folder);
    let second = bundle("second");
    assert_eq!(lone.take(&second, &Terms::of(2)).unwrap(), "activated");
    lone.wait_good(second.id, 20).unwrap();
    let file = lone.path(&format!("state/bundles/{}.mcb", second.id.hex()));
    let mut bytes = std::fs::read(&file).unwrap();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    std::fs::write(&file, bytes).unwrap();
    wait("an alarm", 30, || lone.metric("service_mesh_store_alarms_total").unwrap() == 1).unwrap();
    let alarm = lone.said("/alarms/0");
    assert!(alarm.contains(&second.id.to_string()) && alarm.contains("refused when it is loaded"), "{alarm}");
    answers(&lone);
    // The offer goes too, so that it cannot be healed from there.
    std::fs::remove_file(lone.path("offer.mcb")).unwrap();
    lone.stop().unwrap();
    lone.start().unwrap();
    assert_eq!(lone.said("/active"), first.id.to_string(), "{}", lone.log());
    answers(&lone);
    lone.stop().unwrap();
}
