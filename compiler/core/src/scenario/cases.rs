//! The kind Test: its cases, as questions to the decision core.

use std::net::IpAddr;

use mesh_bundle::expr::Instant;
use mesh_bundle::selftest::NOW;
use mesh_bundle::{Name as Key, Owner};
use mesh_decision::head::Version;
use mesh_decision::journey::Ask;

use crate::diag::{Diagnostic, Span, codes, quoted};
use crate::model::Model;
use crate::spec::{self, Caller, Case, Kind, NumberOr, Sp, TestCaller};
use crate::stage::Stage;

/// One case of a Test.
#[derive(Debug, Clone)]
pub struct TestCase {
    /// The Test's name.
    pub test: String,
    /// The case's name, or its place: `cases[0]`.
    pub name: String,
    /// The request's words.
    pub span: Span,
    /// The request as it is written.
    pub request: String,
    /// As whom, as it is written.
    pub caller: Option<String>,
    /// The request as the engine is asked.
    pub ask: Ask,
    /// The number that it draws where requests are shared out, if it says one.
    pub pick: Option<u32>,
    /// Stages of canaries, by service; the others have not begun.
    pub stages: Vec<(Key, Stage)>,
    /// The expected outcome.
    pub expect: Expect,
}

/// Expected outcome of a request, each part with its words.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// Address of the deciding rule, such as `edge/order-api`.
    pub rule: Option<Sp<String>>,
    /// The service that gets it.
    pub service: Option<Sp<String>>,
    /// The version that gets it.
    pub version: Option<Sp<String>>,
    /// `allow` or `deny`.
    pub access: Option<Sp<String>>,
    /// The mesh's own status.
    pub status: Option<Sp<u16>>,
    /// The path that the service gets.
    pub path: Option<Sp<String>>,
    /// Header lines that the service gets.
    pub headers: Vec<(String, Sp<String>)>,
    /// A limit that is charged.
    pub quota: Option<Sp<String>>,
    /// Timeout in milliseconds.
    pub timeout_ms: Option<Sp<u64>>,
    /// Reason of an answer by the mesh itself, such as `no-rule`.
    pub reason: Option<Sp<String>>,
}

/// The cases of the tests that are about the model's environment, their names resolved.
pub fn cases(model: &Model<'_>, findings: &mut Vec<Diagnostic>) -> Vec<TestCase> {
    let mut out = Vec::new();
    for (object, test) in model.tests() {
        model.resolve(Kind::Environment, &test.environment, findings);
        if test.environment.as_str() != model.environment.as_str() {
            continue;
        }
        let stages = stages(model, test, findings);
        for (i, case) in test.cases.iter().enumerate() {
            let name = case.name.as_ref().map_or(format!("cases[{i}]"), |n| n.as_str().to_owned());
            let test = object.address.name.as_str().to_owned();
            out.extend(self::case(model, test, name, case, &stages, findings));
        }
    }
    out
}

fn stages(model: &Model<'_>, test: &spec::Test, findings: &mut Vec<Diagnostic>) -> Vec<(Key, Stage)> {
    let mut out = Vec::new();
    for (address, stage) in test.state.iter() {
        let canary = match model.get(address.value.kind, address.value.name.as_str()).map(|o| &o.spec) {
            Some(spec::Spec::Canary(canary)) => canary,
            _ if model.exists(&address.value) && address.value.kind == Kind::Canary => continue,
            _ => {
                let message = format!("there is no canary `{}`", address.value);
                findings.push(Diagnostic::new(codes::UNKNOWN_NAME, address.span, message));
                continue;
            }
        };
        let count = canary.stages.as_ref().map_or(0, |s| s.value.len());
        let stage = match stage {
            NumberOr::Text(_) => Stage::Done,
            NumberOr::Number(number) if usize::from(number.get()) <= count => {
                Stage::Number(u32::from(number.get()))
            }
            // Stages that could not be read count too.
            NumberOr::Number(_) if !canary.complete => continue,
            NumberOr::Number(number) => {
                let message = format!("the canary has {count} stages");
                findings.push(
                    Diagnostic::new(codes::OUT_OF_RANGE, number.span, message)
                        .help("after the last one: `done`"),
                );
                continue;
            }
        };
        out.extend(Key::new(canary.service.as_str()).ok().map(|service| (service, stage)));
    }
    out
}

fn case(
    model: &Model<'_>,
    test: String,
    name: String,
    case: &Case,
    stages: &[(Key, Stage)],
    findings: &mut Vec<Diagnostic>,
) -> Option<TestCase> {
    let caller = match &case.as_ {
        None => None,
        Some(caller) => match &caller.value {
            TestCaller::Caller(Caller::Any | Caller::External) => None,
            TestCaller::Caller(Caller::Service(name)) => {
                let name = Sp { value: name.clone(), span: caller.span };
                if !model.resolve(Kind::Service, &name, findings) {
                    return None;
                }
                Key::new(name.as_str()).ok().map(Owner::Service)
            }
            TestCaller::Caller(Caller::Gateway(name)) => {
                let name = Sp { value: name.clone(), span: caller.span };
                if !model.resolve_gateway(&name, findings) {
                    return None;
                }
                Key::new(name.as_str()).ok().map(Owner::Gateway)
            }
            TestCaller::Principal(id) => {
                let message = "a test calls as a service or gateway of its environment";
                let finding = Diagnostic::new(codes::NOT_ENFORCED, caller.span, message);
                findings
                    .push(finding.help(format!("identities such as `{}` cannot be played yet", id.as_str())));
                return None;
            }
        },
    };
    if let Some((claim, _)) = case.claims.first() {
        let message = "no proxy of this release checks tokens, so a test has no claims";
        findings.push(Diagnostic::new(codes::NOT_ENFORCED, claim.span, message));
    }
    let (scheme, rest) = case.send.url().as_str().split_once("://")?;
    let cut = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(cut)?;
    let target = match target.chars().next() {
        None => "/".to_owned(),
        Some('?') => format!("/{target}"),
        Some(_) => target.to_owned(),
    };
    let headers = headers(case, findings);
    let ip = case.ip.as_ref().and_then(|ip| address(ip, findings));
    let expect = expect(model, &case.expect, findings);
    Some(TestCase {
        test,
        name,
        span: case.send.span,
        request: format!("{} {}", case.send.method().as_str(), case.send.url().as_str()),
        caller: caller.as_ref().map(ToString::to_string),
        ask: Ask {
            method: case.send.method().as_str().to_owned(),
            version: Version::default(),
            scheme: case.scheme.as_ref().map_or(scheme, |scheme| scheme.value.as_str()).to_owned(),
            authority: authority.to_owned(),
            target,
            headers,
            caller,
            ip,
            sni: case.sni.as_ref().map(|sni| sni.as_str().to_owned()),
            // Always the same, so that a test does not fail by the clock.
            now: Instant::new(NOW, 0).unwrap_or_default(),
        },
        pick: case.pick.as_ref().map(|pick| pick.get().into()),
        stages: stages.to_vec(),
        expect,
    })
}

/// The header lines of a case, that of its size among them.
fn headers(case: &Case, findings: &mut Vec<Diagnostic>) -> Vec<(String, Vec<u8>)> {
    let mut lines = Vec::new();
    for (name, values) in case.headers.iter() {
        let list: &[Sp<spec::HeaderValue>] = values;
        lines.extend(list.iter().map(|v| (name.as_str().to_owned(), v.as_str().as_bytes().to_vec())));
    }
    if let Some(size) = &case.size {
        let framing = |name: &str| matches!(name, "content-length" | "transfer-encoding");
        match case.headers.iter().find(|(name, _)| framing(name.as_str())) {
            Some((name, _)) => {
                let message = format!("both `size` and `{}` say how long the body is", name.as_str());
                findings.push(
                    Diagnostic::new(codes::CASE_FACTS, size.span, message)
                        .label(name.span, "here too")
                        .help("leave one of them out"),
                );
            }
            None => lines.push(("content-length".to_owned(), size.bytes().to_string().into_bytes())),
        }
    }
    lines
}

/// An address as proxies see it: an IPv4 address in an IPv6 one is that IPv4 address.
fn address(ip: &Sp<spec::IpText>, findings: &mut Vec<Diagnostic>) -> Option<String> {
    if let Ok(address) = ip.as_str().parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let message = format!("{} is not an IP address", quoted(ip.as_str()));
    findings.push(
        Diagnostic::new(codes::CASE_FACTS, ip.span, message)
            .help("write it like `203.0.113.7` or `2001:db8::7`, without port and brackets"),
    );
    None
}

fn expect(model: &Model<'_>, spec: &spec::Expect, findings: &mut Vec<Diagnostic>) -> Expect {
    if let Some(service) = &spec.service {
        model.resolve(Kind::Service, service, findings);
    }
    fn text<T>(value: Option<&Sp<T>>, shown: impl Fn(&T) -> String) -> Option<Sp<String>> {
        value.map(|v| Sp { value: shown(&v.value), span: v.span })
    }
    Expect {
        rule: text(spec.rule.as_ref(), |r| r.as_str().to_owned()),
        service: text(spec.service.as_ref(), |s| s.as_str().to_owned()),
        version: text(spec.version.as_ref(), |v| v.as_str().to_owned()),
        access: text(spec.access.as_ref(), |a| a.as_str().to_owned()),
        status: spec.status.as_ref().map(|s| Sp { value: s.get(), span: s.span }),
        path: text(spec.path.as_ref(), |p| p.as_str().to_owned()),
        headers: spec
            .headers
            .iter()
            .map(|(k, v)| (k.as_str().to_owned(), Sp { value: v.as_str().to_owned(), span: v.span }))
            .collect(),
        quota: text(spec.quota.as_ref(), |q| q.as_str().to_owned()),
        timeout_ms: spec.timeout.as_ref().map(|t| Sp { value: t.as_millis_ceil(), span: t.span }),
        reason: text(spec.reason.as_ref(), |r| r.as_str().to_owned()),
    }
}
