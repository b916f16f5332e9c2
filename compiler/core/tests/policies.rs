//! Policies over objects: what they find, where, and what a waiver does.

use mesh_compiler::diag::{Date, Diagnostic, Severity};
use mesh_compiler::{Compiled, Options, compile};

const MESH: &str = "kind: Mesh\nname: m\nversion: 1\ntrustDomain: m.example\n";
const PLACES: &str = "kind: Environment\nname: prod\noverrides: { canary/a: { stages: [{ weight: 25%, hold: 10m }] } }\n---\nkind: Environment\nname: test\n";
const A: &str = "kind: Service\nname: a\nport: 80\nversions: [v1, v2]\ncallers: [b]\n---\nkind: Canary\nservice: a\nstable: v1\ncandidate: v2\nstages: [{ weight: 5%, hold: 10m }]\n";
const B: &str = "kind: Service\nname: b\nowner: team-b\nport: 80\ncallers: []\n";

fn compiled(policy: &str, options: &Options) -> Compiled {
    let text = [MESH, PLACES, A, B, policy].join("---\n");
    compile(vec![("mesh.yaml".to_owned(), text.into_bytes())], options)
}

fn on(policy: &str, today: &str) -> (Compiled, Vec<Diagnostic>) {
    let options = Options { today: Date::parse(today), ..Options::default() };
    let compiled = compiled(policy, &options);
    let findings = compiled.findings.iter().cloned().collect();
    (compiled, findings)
}

/// Findings as `code words`.
fn found(policy: &str) -> Vec<String> {
    let (compiled, findings) = on(policy, "2026-06-01");
    findings.iter().map(|d| format!("{} {}", d.code, compiled.sources.slice(d.primary.span))).collect()
}

const SMALL: &str = "kind: Policy\nname: small-steps\nowner: platform\nmessage: begin with a tenth\neach: Service\nwhere: has(self.canary) && size(self.canary.stages) > 0\nrequire: self.port == 80 && self.canary.stages[0].weight <= percent(\"10%\")\n";

/// The words of [`SMALL`] with a guard in `require` as well.
fn small() -> String {
    SMALL.replace("require: ", "require: has(self.canary) && ")
}

#[test]
fn an_override_breaks_a_policy_in_one_environment() {
    let (compiled, findings) = on(&small(), "2026-06-01");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = &findings[0];
    assert_eq!((finding.code.0, finding.severity), (5002, Severity::Error));
    assert_eq!(compiled.sources.slice(finding.primary.span), "a");
    assert_eq!(finding.primary.text, "in prod");
    let words = compiled.sources.slice(finding.labels[0].span);
    assert_eq!(words, "self.canary.stages[0].weight <= percent(\"10%\")");
    assert_eq!(finding.helps.first().map(String::as_str), Some("`self.canary.stages[0].weight` is 25%"));
    assert_eq!(finding.notes, ["begin with a tenth", "the policy is owned by `platform`"]);
}

#[test]
fn policies_hold_where_they_say() {
    let named =
        |environments: &str| small().replace("each:", &format!("environments: [{environments}]\neach:"));
    assert_eq!(found(&named("test")), Vec::<String>::new());
    assert_eq!(found(&named("test, prod")), ["MC5002 a"]);
    assert_eq!(found(&named("prod, tset")), ["MC5002 a", "MC1104 tset"].map(str::to_owned).to_vec());
}

#[test]
fn severity_is_the_policys_own_and_no_lint_changes_it() {
    for (word, severity) in
        [("warning", Severity::Warning), ("note", Severity::Note), ("error", Severity::Error)]
    {
        let (_, findings) = on(&small().replace("each:", &format!("severity: {word}\neach:")), "2026-06-01");
        assert_eq!(findings.iter().map(|f| f.severity).collect::<Vec<_>>(), [severity]);
    }
    let text = [MESH, "", PLACES, A, B, &small()].join("---\n").replace("---\n---\n", "---\n");
    let text = text
        .replace("trustDomain: m.example\n", "trustDomain: m.example\ntool: { lints: { MC5002: off } }\n");
    let compiled = compile(vec![("mesh.yaml".to_owned(), text.into_bytes())], &Options::default());
    assert_eq!(compiled.findings.iter().filter(|f| f.code.0 == 5002).count(), 1);
}

#[test]
fn a_comment_suppresses_no_policy() {
    let text = [MESH, PLACES, A, B, &small()].join("---\n");
    let text = text.replace("name: a\n", "name: a # meshc: allow MC5002 until 2036-01-01 -- we know\n");
    let compiled = compile(vec![("mesh.yaml".to_owned(), text.into_bytes())], &Options::default());
    let codes: Vec<u16> = compiled.findings.iter().map(|f| f.code.0).collect();
    assert_eq!(codes, [5002, 1801]);
}

#[test]
fn waivers() {
    let waived = |object: &str, until: &str| {
        format!("{}waivers: [{{ object: {object}, until: {until}, reason: agreed }}]\n", small())
    };
    assert_eq!(found(&waived("service/a", "2026-12-31")), Vec::<String>::new());
    assert_eq!(found(&waived("service/a", "2026-06-01")), Vec::<String>::new(), "the last day counts");
    assert_eq!(found(&waived("service/a", "2026-05-31")), ["MC5002 a", "MC5001 2026-05-31"]);
    assert_eq!(found(&waived("service/b", "2026-12-31")), ["MC5002 a", "MC5004 service/b"]);
    assert_eq!(found(&waived("canary/a", "2026-12-31")), ["MC5002 a", "MC5004 canary/a"]);
    assert_eq!(found(&waived("service/c", "2026-12-31")), ["MC5002 a", "MC1104 service/c"]);
    let one = Options { environments: vec!["test".to_owned()], ..Options::default() };
    let codes: Vec<u16> =
        compiled(&waived("service/a", "2026-12-31"), &one).findings.iter().map(|f| f.code.0).collect();
    assert_eq!(codes, [0; 0], "whether it is needed elsewhere is not known");
}

#[test]
fn what_cannot_be_decided_does_not_hold() {
    let policy = "kind: Policy\nname: p\neach: Service\nrequire: self.routes[0].name != \"x\"\n";
    let (compiled, findings) = on(policy, "2026-06-01");
    assert_eq!(findings.iter().map(|f| f.code.0).collect::<Vec<_>>(), [5003, 5003]);
    for (finding, name) in findings.iter().zip(["a", "b"]) {
        assert_eq!(compiled.sources.slice(finding.primary.span), "self.routes[0]");
        assert!(
            finding.message.contains(&format!("`service/{name}`: index out of range")),
            "{}",
            finding.message
        );
        assert_eq!(compiled.sources.slice(finding.labels[0].span), name);
        assert_eq!(finding.labels[0].text, "in prod and test");
    }
    let either = policy.replace("require: ", "require: self.port == 80 || ");
    assert_eq!(found(&either), Vec::<String>::new(), "`||` absorbs");
    let long = policy.replace("self.routes[0].name != \"x\"", "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= self.port - 80)))");
    let (_, findings) = on(&long, "2026-06-01");
    assert!(findings[0].message.ends_with("the evaluation takes too long"), "{findings:#?}");
}

#[test]
fn mistakes_in_expressions_are_found_once_at_their_words() {
    for (expression, expected) in [
        ("self.prot == 80", "MC3003 prot"),
        ("self.port == \"80\"", "MC3012"),
        ("self.canary.stable == \"v1\"", "MC3004 self.canary"),
        ("mesh.defaults.timeout <= duration(\"5x\")", "MC3005 duration(\"5x\")"),
        ("self.port", "MC3012 self.port"),
    ] {
        let got = found(&format!("kind: Policy\nname: p\neach: Service\nrequire: {expression}\n"));
        assert!(got.len() == 1 && got[0].starts_with(expected), "{expression}: {got:?}");
    }
}

#[test]
fn the_deciding_part_is_said_with_its_values() {
    for (require, words, help) in [
        (
            "self.port == 80 && self.protocol == \"grpc\"",
            "self.protocol == \"grpc\"",
            "`self.protocol` is `http`",
        ),
        (
            "self.port == 81 || has(self.proxy)",
            "self.port == 81 || has(self.proxy)",
            "`self.port` is 80 and `self.proxy` is absent",
        ),
        ("!(self.port == 80)", "!(self.port == 80)", "`self.port` is 80"),
        ("has(self.owner)", "has(self.owner)", "`self.owner` is absent"),
        (
            "self.versions.all(v, v != \"v2\")",
            "self.versions.all(v, v != \"v2\")",
            "`v` is `v2` and that is `self.versions[1]`",
        ),
        ("size(self.routes) > 0", "size(self.routes) > 0", "`size(self.routes)` is 0"),
        ("self.port == 80 ? self.appPort != 80 : true", "self.appPort != 80", "`self.appPort` is 80"),
        (
            "mesh.defaults.timeout < duration(\"1s\")",
            "mesh.defaults.timeout < duration(\"1s\")",
            "`mesh.defaults.timeout` is 15s",
        ),
    ] {
        let policy = format!(
            "kind: Policy\nname: p\neach: Service\nwhere: self.name == \"a\"\nrequire: >-\n  {require}\n"
        );
        let (compiled, findings) = on(&policy, "2026-06-01");
        let [finding] = findings.as_slice() else { panic!("{require}: {findings:#?}") };
        assert_eq!(compiled.sources.slice(finding.labels[0].span), words);
        assert_eq!(finding.helps.first().map(String::as_str), Some(help), "{require}");
        assert_eq!(finding.primary.text, "in prod and test");
    }
}

#[test]
fn the_other_forms_are_checked_and_the_note_says_so() {
    let (compiled, findings) = on(&small().replace("where: ", "where: self.name != \"a\" && "), "2026-06-01");
    assert!(findings.is_empty() && compiled.notes.is_empty(), "{findings:?} {:?}", compiled.notes);
    let more = "kind: Policy\nname: i\ninvariant: { where: decision.allowed, require: connection.mtls }\n---\nkind: Policy\nname: c\nchange: { when: plan.access.wider > 0, require: size(plan.reviews) >= 2 }\n";
    let (compiled, findings) = on(more, "2026-06-01");
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(compiled.notes.len(), 1);
    assert!(compiled.notes[0].starts_with("2 policies with `change`, `invariant` are read"));
    assert_eq!(found(&more.replace("decision.allowed", "decision.allow")), ["MC3003 allow"]);
    assert_eq!(found(&more.replace("size(plan", "sizes(plan")), ["MC3003 sizes"]);
    assert_eq!(found(&more.replace(">= 2 }", ">= }")).len(), 1);
}

#[test]
fn incomplete_objects_and_policies_give_no_further_findings() {
    let found = found(&small().replace("where:", "were:"));
    assert_eq!(found, ["MC1102 were"]);
    let text = [MESH, PLACES, &A.replace("candidate: v2", "candidate: 2"), B, &small()].join("---\n");
    let compiled = compile(vec![("mesh.yaml".to_owned(), text.into_bytes())], &Options::default());
    assert!(compiled.findings.iter().all(|f| f.code.0 < 5000), "{:?}", compiled.findings);
}
