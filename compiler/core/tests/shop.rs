//! The example mesh compiles clean in every environment, and its tests hold.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files and fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;

use mesh_bundle::Owner;
use mesh_compiler::diag::Diagnostic;
use mesh_compiler::{Compiled, Options, compile, scenario};

fn read(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
}

fn shop() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop"), "", &mut files);
    files
}

fn compiled(edit: impl Fn(&str, String) -> String) -> Compiled {
    let files = shop().into_iter().map(|(path, bytes)| {
        let text = edit(&path, String::from_utf8(bytes).unwrap());
        (path, text.into_bytes())
    });
    compile(files.collect(), &Options::default())
}

/// Findings as `code words`.
fn found(compiled: &Compiled) -> Vec<String> {
    let shown = |d: &Diagnostic| format!("{} {}", d.code, compiled.sources.slice(d.primary.span));
    compiled.findings.iter().map(shown).collect()
}

#[test]
fn the_shop_has_no_findings() {
    let compiled = compiled(|_, text| text);
    assert_eq!(found(&compiled), Vec::<String>::new());
    assert!(compiled.counts.environments >= 3);
    assert_eq!(compiled.notes.len(), 1);
}

#[test]
fn the_shops_tests_hold() {
    let compiled = compiled(|_, text| text);
    let mut cases = 0;
    for environment in compiled.environments {
        let program = Arc::new(environment.program);
        for case in environment.cases {
            let scenario::Ran { journey, wrong, .. } = scenario::run(&program, &case).unwrap();
            assert!(wrong.is_empty(), "{}: {wrong:?} {journey:?}", case.name);
            cases += 1;
        }
    }
    assert!(cases >= 2);
}

#[test]
fn overrides_apply() {
    let compiled = compiled(|_, text| text);
    let of = |name: &str| &compiled.environments.iter().find(|e| e.name.as_str() == name).unwrap().program;
    let owner = |name: &str| name.parse::<Owner>().unwrap();
    assert_eq!(of("prod").quotas[&owner("payments")].limits[0].rate.count, 200);
    assert_eq!(of("staging").quotas[&owner("payments")].limits[0].rate.count, 50);
    assert_eq!(of("dev").canaries["orders"].stages.len(), 1);
    assert_eq!(of("prod").canaries["orders"].stages.len(), 3);
    assert_eq!(of("prod").services["orders"].addresses["v41"], ["orders-v41.prod.internal:8080"]);
}

/// Replaces one text of one file and gives the findings.
fn planted(file: &str, from: &str, to: &str) -> Vec<String> {
    let edited = compiled(|path, text| {
        if path == file {
            assert!(text.contains(from), "{file} has no {from:?}");
            text.replacen(from, to, 1)
        } else {
            text
        }
    });
    found(&edited)
}

#[test]
fn planted_mistakes_are_found_at_their_words() {
    let (web, orders, mesh) = ("services/web/mesh.yaml", "services/orders/mesh.yaml", "mesh.yaml");
    for (file, from, to, expected) in [
        (web, "to: web", "to: wep", "MC1104 wep"),
        (web, "rewrite:", "rewrit:", "MC1102 rewrit"),
        (mesh, "tls: strict", "tls: strict\ntls: strict", "MC1004 tls"),
        (
            web,
            "to: orders\n",
            "to: [{ to: orders, weight: 50% }, { to: web, weight: 40% }]\n",
            "MC1202 [{ to: orders, weight: 50% }, { to: web, weight: 40% }]",
        ),
        (mesh, "timeout: 2s", "timeout: 2", "MC1106 2"),
        (
            web,
            "  - name: site",
            "  - name: twin\n    match: { path: /api/orders/*, methods: [GET] }\n    to: web\n  - name: site",
            "MC2001 /api/orders/*",
        ),
        ("envs/prod.yaml", "quota/payments", "quota/payment", "MC1501 quota/payment"),
        (orders, "in request.headers && ", "in request.headers &&& ", "MC3001 &"),
        (orders, "candidate: v42", "candidate: v43", "MC1204 v43"),
        (orders, "in request.headers && request", "in request.header && request", "MC3003 header"),
        (web, "callers: [gateway/public]", "callers: [gateway/publik]", "MC1104 gateway/publik"),
        (orders, "weight: 25%", "weight: 5%", "MC1301 5%"),
        (orders, "to: orders@stable", "to: orders@stabel", "MC1204 orders@stabel"),
        (orders, "approval: team-checkout", "approval: team-checkou", "MC1303 team-checkou"),
        (web, "path: /api/orders/*", "path: /api/../orders/*", "MC1107 /api/../orders/*"),
        (web, "to: web", "to: web\n    mirror: { to: cart }", "MC1701 cart"),
    ] {
        let found = planted(file, from, to);
        assert!(found.iter().any(|f| f == expected), "{from} → {to}: {found:?}");
    }
}

#[test]
fn rules_behind_a_fence_are_dead() {
    let late = "kind: Route\nname: late\ngateway: public\norder: 9\nrules: [{ name: inside, match: { path: /api/b }, to: web }]\n";
    let compiled = compiled(|path, text| match path {
        "services/web/mesh.yaml" => {
            text.replace("gateway: public\nrules:", "gateway: public\norder: 1\npaths: [/*]\nrules:")
                .replace("  - name: site", "  - name: other")
                + "---\n"
                + late
        }
        _ => text,
    });
    let found = found(&compiled);
    assert!(found.iter().any(|f| f == "MC2001 /api/b"), "{found:?}");
}

#[test]
fn what_the_control_plane_reads_is_carried() {
    let more = concat!(
        "---\nkind: Telemetry\nservice: web\nslo: { availability: 99.9%, latency: { p99: 400ms } }\n",
        "---\nkind: Identity\nvalidity: 90d\nrotateBefore: 7d\n"
    );
    let compiled = compiled(|path, text| match path {
        "services/web/mesh.yaml" => text + more,
        "envs/prod.yaml" => {
            text.replace("hold: 2m }", "hold: 2m, gates: [{ measure: error-rate, max: 1% }] }")
        }
        _ => text,
    });
    assert_eq!(found(&compiled), Vec::<String>::new());
    let prod = compiled.environments.iter().find(|e| e.name.as_str() == "prod").unwrap();
    let control = &prod.program.control;
    assert_eq!(control.objectives["web"].availability, Some(999_000));
    assert_eq!(control.objectives["web"].p99_ms, Some(400));
    assert_eq!(control.certificates.rotate_before_ms, Some(7 * 86_400_000));
    assert_eq!(
        (control.proxies.gates[0].measure.as_str(), control.proxies.gates[0].max),
        ("error-rate", Some(10_000))
    );
}
