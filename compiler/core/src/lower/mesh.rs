//! The mesh unit, the gateways, and what only the control plane reads.

use mesh_bundle::Name as Key;
use mesh_bundle::program::{
    AccessLog, Certificates, Control, Defaults, Follow, Gate, Gateway, Measure, Mesh, Objective, Probation,
    Program, Proxies, Team, TlsMode, Wave,
};
use mesh_bundle::unit::UnitId;

use super::context::{Cx, key};
use super::{bounds, retry};
use crate::diag::{Diagnostic, codes};
use crate::spec::{self, Identity, Issuer, IssuerKind, NumberOr, Telemetry};

/// The mesh unit.
pub(super) fn mesh(cx: &mut Cx<'_, '_>) -> Option<Mesh> {
    let model = cx.model;
    let spec = model.mesh_spec()?;
    let mut unit = Mesh::new(key(&spec.name)?, model.environment.clone(), spec.trust_domain.as_str());
    cx.place(&UnitId::Mesh, "", model.mesh.span);
    unit.tls = match spec.tls().value {
        spec::TlsMode::Strict => TlsMode::Strict,
        spec::TlsMode::Permissive => TlsMode::Permissive,
    };
    if let Some(tls) = &spec.tls {
        cx.place(&UnitId::Mesh, "/tls", tls.span);
    }
    let defaults = spec.defaults();
    if let Some(timeout) = &defaults.timeout {
        cx.place(&UnitId::Mesh, "/defaults/timeoutMs", timeout.span);
    }
    unit.defaults = Defaults {
        timeout_ms: defaults.timeout().as_millis_ceil(),
        retry: retry::retry(cx, &defaults.retry()),
    };
    let proxy = spec.proxy();
    unit.max_removed = u32::from(proxy.max_removed().basis_points());
    unit.keep = u32::from(proxy.keep().get());
    let probation = proxy.probation();
    unit.probation = Probation {
        min_requests: probation.min_requests().get(),
        max_over: u32::from(probation.margin().basis_points()),
        window_ms: probation.window().as_millis_ceil(),
        max_ms: probation.max().as_millis_ceil(),
    };
    for (_, identity) in model.identities() {
        self::identity(cx, identity, &mut unit);
    }
    for (_, telemetry) in model.telemetries() {
        self::telemetry(cx, telemetry, &mut unit);
    }
    for object in model.of_kind(spec::Kind::External) {
        cx.not_enforced(
            "External services",
            object.name_span,
            "calls that leave the mesh are not proxied yet",
        );
    }
    if let Some(stock) = spec.tool.as_ref().and_then(|tool| tool.policies.as_ref()) {
        for name in stock.use_.iter() {
            let message = format!("there is no stock policy `{}`", name.as_str());
            cx.report(
                Diagnostic::new(codes::UNKNOWN_NAME, name.span, message).help("this release brings none"),
            );
        }
    }
    Some(unit)
}

fn identity(cx: &mut Cx<'_, '_>, spec: &Identity, unit: &mut Mesh) {
    if let Some(service) = &spec.service {
        cx.not_enforced("an Identity of one service", service.span, "write one Identity for the mesh");
        return;
    }
    if let Some(path) = &spec.path {
        path.as_str().clone_into(&mut unit.identity_path);
        cx.place(&UnitId::Mesh, "/identityPath", path.span);
        identity_path(cx, path);
    }
    match &spec.issuer {
        Some(Issuer::Simple(kind)) if kind.value == IssuerKind::Spire => {
            cx.not_enforced("identities from SPIRE", kind.span, "give each proxy its certificate as a file");
        }
        Some(Issuer::Form(form)) if form.spire.is_some() => {
            let span = cx.model.mesh.name_span;
            cx.not_enforced("identities from SPIRE", span, "give each proxy its certificate as a file");
        }
        _ => {}
    }
    if let Some(version) = &spec.min_version {
        cx.not_enforced("`minVersion`", version.span, "proxies speak TLS 1.3 and 1.2");
    }
    if let Some(first) = spec.cipher_suites.as_ref().and_then(|suites| suites.first()) {
        cx.not_enforced(
            "`cipherSuites`",
            first.span,
            "proxies choose among the suites of TLS 1.3 and the good ones of 1.2",
        );
    }
    for jwt in &spec.jwt {
        cx.not_enforced("tokens (`jwt`)", jwt.issuer.span, "let services check tokens themselves");
    }
    if let Some(forward) = &spec.forward {
        if let Some(headers) = &forward.mtls_headers {
            cx.not_enforced("`mtlsHeaders`", headers.span, "");
        }
        unit.remove_credentials |= forward.credentials().value == spec::Credentials::Remove;
    }
}

/// From the path of an identity a proxy reads back which service it is.
fn identity_path(cx: &mut Cx<'_, '_>, path: &spec::Sp<spec::IdentityPath>) {
    let text = path.as_str();
    let here = text.replace("{env}", cx.model.environment.as_str());
    let message = if text.matches("{service}").count() != 1 {
        "the path of an identity has `{service}` once, so that each service has its own"
    } else if text.matches("{env}").count() > 1 {
        "the path of an identity has `{env}` at most once"
    } else if text.split('/').any(|segment| matches!(segment, "." | "..")) {
        "the path of an identity has no segment `.` or `..` (SPIFFE-ID section 2.2)"
    } else if here == format!("/{}/gateway/{{service}}", cx.model.environment) {
        "the path would give services the identities of gateways"
    } else {
        return;
    };
    let finding = Diagnostic::new(codes::IDENTITY_PATH, path.span, message);
    cx.report(finding.help("write a template such as `/{env}/{service}` or `/ns/{env}/sa/{service}`"));
}

fn telemetry(cx: &mut Cx<'_, '_>, spec: &Telemetry, unit: &mut Mesh) {
    if let Some(service) = &spec.service {
        cx.model.resolve(spec::Kind::Service, service, &mut cx.findings);
        if spec.access_log.is_some() || spec.traces.is_some() || spec.metrics.is_some() {
            let help = "write one Telemetry for the mesh; objectives (`slo`) may be a service's own";
            cx.not_enforced("logs, traces and metrics of one service", service.span, help);
        }
        return;
    }
    match &spec.access_log {
        Some(spec::AccessLog::On(on)) if !on.value => unit.access_log = AccessLog::Off,
        Some(spec::AccessLog::Form(form)) => {
            let span = (form.sample.as_ref().map(|s| s.span))
                .or(form.when.as_ref().map(|w| w.span))
                .or(form.headers.first().map(|h| h.span));
            if let Some(span) = span {
                cx.not_enforced("a filtered access log", span, "write `accessLog: true` or `false`");
            }
        }
        Some(spec::AccessLog::On(_)) | None => {}
    }
    if let Some(traces) = &spec.traces {
        let span = traces.sample.as_ref().map(|s| s.span).or(traces.otlp.as_ref().map(|o| o.span));
        let span = span.or(traces.headers.as_ref().and_then(|h| h.first()).map(|h| h.span));
        if let Some(span) = span {
            cx.not_enforced("traces", span, "proxies pass `traceparent` on as it is");
        }
    }
    match &spec.metrics {
        Some(spec::Metrics::On(on)) if !on.value => {
            cx.not_enforced("`metrics: false`", on.span, "leave metrics unread");
        }
        Some(spec::Metrics::Form(form)) => {
            if let Some(bucket) = form.buckets.first() {
                cx.not_enforced("`buckets`", bucket.span, "the bounds of this release are fixed");
            }
        }
        Some(spec::Metrics::On(_)) | None => {}
    }
}

/// Lowers the gateways of the mesh to units.
pub(super) fn gateways(cx: &mut Cx<'_, '_>, program: &mut Program) {
    let model = cx.model;
    let Some(spec) = model.mesh_spec() else { return };
    for (name, gateway) in spec.gateways.iter() {
        let Some(id) = key(name) else { continue };
        let unit = UnitId::Gateway(id.clone());
        cx.place(&unit, "", name.span);
        cx.place(&unit, "/listen", gateway.listen.span);
        let mut hosts: Vec<String> = gateway.hosts.iter().map(|h| h.as_str().to_owned()).collect();
        hosts.sort();
        hosts.dedup();
        let certificate = gateway.certificate.as_ref().map(|c| c.secret.as_str().to_owned());
        program.gateways.insert(id, Gateway { listen: gateway.listen.get(), hosts, certificate });
    }
}

/// Lowers the settings that only the control plane reads.
pub(super) fn control(cx: &mut Cx<'_, '_>) -> Control {
    let model = cx.model;
    let mut control = Control::default();
    let texts = |list: &[spec::Sp<spec::Prose>]| list.iter().map(|t| t.as_str().to_owned()).collect();
    for (name, team) in model.mesh_spec().into_iter().flat_map(|mesh| mesh.teams.iter()) {
        let paths = team.paths.iter().map(|p| p.as_str().to_owned()).collect();
        let team = Team { paths, signers: texts(&team.signers), approvers: texts(&team.approvers) };
        control.teams.insert(name.as_str().to_owned(), team);
    }
    for (_, identity) in model.identities() {
        let millis = |time: &Option<spec::Sp<spec::Duration>>| time.as_ref().map(|t| t.as_millis_ceil());
        control.certificates = Certificates {
            validity_ms: millis(&identity.validity),
            rotate_before_ms: millis(&identity.rotate_before),
        };
    }
    for (_, telemetry) in model.telemetries() {
        if let Some(slo) = &telemetry.slo {
            let service = telemetry.service.as_ref().map(|s| s.as_str().to_owned()).unwrap_or_default();
            control.objectives.insert(service, objective(slo));
        }
    }
    let Some(settings) = model.settings else { return control };
    control.follow = settings.follow.as_ref().map(|follow| Follow {
        branch: follow.branch.as_str().to_owned(),
        signers: follow.signers.as_ref().map(|s| s.as_str().to_owned()),
        approvals: u32::from(follow.approvals().get()),
    });
    if let Some(proxies) = &settings.proxies {
        let waves = proxies.waves.iter().flat_map(|w| w.iter()).map(|wave| match wave {
            NumberOr::Number(count) => Wave::Count(count.get()),
            NumberOr::Text(share) => Wave::Share(u32::from(share.basis_points())),
        });
        let gates = proxies.gates.iter().map(|gate| self::gate(cx, gate)).collect();
        control.proxies = Proxies {
            waves: waves.collect(),
            hold_ms: proxies.hold.as_ref().map_or(0, |hold| hold.as_millis_ceil()),
            gates,
        };
        for feature in &proxies.features {
            let message = format!("there is no feature `{}`", feature.as_str());
            let finding = Diagnostic::new(codes::UNKNOWN_NAME, feature.span, message);
            cx.report(finding.help("proxies of this release differ in no feature"));
        }
    }
    control
}

fn objective(slo: &spec::Slo) -> Objective {
    let millis = |time: &Option<spec::Sp<spec::Duration>>| time.as_ref().map(|t| t.as_millis_ceil());
    let latency = slo.latency.as_ref();
    Objective {
        availability: slo.availability.as_ref().map(|a| a.millionths()),
        p50_ms: latency.and_then(|l| millis(&l.p50)),
        p95_ms: latency.and_then(|l| millis(&l.p95)),
        p99_ms: latency.and_then(|l| millis(&l.p99)),
    }
}

fn gate(cx: &mut Cx<'_, '_>, spec: &spec::Gate) -> Gate {
    let measure = match spec.measure.value {
        spec::GateMeasure::P99 => Measure::P99,
        spec::GateMeasure::ActivationErrors | spec::GateMeasure::ErrorRate | spec::GateMeasure::DenyRate => {
            Measure::ErrorRate
        }
    };
    let mut bound = |bound: &Option<spec::Sp<spec::Bound>>| {
        bound.as_ref().and_then(|b| bounds::millionths(cx, b, &measure))
    };
    let (max, max_over_stable) = (bound(&spec.max), bound(&spec.max_over_stable));
    Gate { measure: spec.measure.value.as_str().to_owned(), max, max_over_stable }
}

/// The team must be one of the mesh.
pub(super) fn team(cx: &mut Cx<'_, '_>, name: &spec::Sp<spec::Name>) -> Option<Key> {
    let model = cx.model;
    let mesh = model.mesh_spec()?;
    if mesh.teams.get(name.as_str()).is_none() && model.mesh.complete {
        let message = format!("the mesh has no team `{}`", name.as_str());
        let known: Vec<&str> = mesh.teams.iter().map(|(known, _)| known.as_str()).collect();
        let finding = Diagnostic::new(codes::UNKNOWN_TEAM, name.span, message).at("no such team");
        let finding = match crate::diag::nearest(name.as_str(), known.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("teams stand in `teams` of the Mesh"),
        };
        cx.report(model.restyled(finding, name, &known));
        return None;
    }
    key(name)
}
