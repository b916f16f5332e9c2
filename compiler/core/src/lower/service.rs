//! Services, and where their versions are found.

use std::collections::BTreeMap;

use mesh_bundle::Name as Key;
use mesh_bundle::program::{Program, Protocol, Service, SlashMode};
use mesh_bundle::unit::UnitId;

use super::context::{Cx, key, unique};
use crate::diag::{Diagnostic, codes, nearest};
use crate::spec::{self, Object, StaticEndpoints};

/// Lowers all services.
pub(super) fn services(cx: &mut Cx<'_, '_>, program: &mut Program) {
    let model = cx.model;
    for (object, spec) in model.services() {
        let Some(name) = key(&spec.name) else { continue };
        if let Some(unit) = service(cx, object, spec) {
            program.services.insert(name, unit);
        }
    }
    statics(cx);
}

fn service(cx: &mut Cx<'_, '_>, object: &Object, spec: &spec::Service) -> Option<Service> {
    let unit = UnitId::Service(key(&spec.name)?);
    cx.place(&unit, "", object.span);
    cx.place(&unit, "/port", spec.port.span);
    if let Some(proxy) = &spec.proxy {
        cx.not_enforced("`proxy: none`", proxy.span, "give the service a proxy");
    }
    let protocol = spec.protocol();
    let protocol = match protocol.value {
        spec::Protocol::Http => Protocol::Http,
        spec::Protocol::Grpc => Protocol::Grpc,
        spec::Protocol::Tcp => {
            cx.not_enforced("`protocol: tcp`", protocol.span, "protocols of this release: http, grpc");
            Protocol::Http
        }
    };
    unique(cx, spec.versions.iter(), "versions");
    let mut versions: Vec<Key> = spec.versions().iter().filter_map(|v| key(v)).collect();
    versions.sort();
    versions.dedup();
    let labels = spec.labels.iter().map(|(k, v)| (k.as_str().to_owned(), v.as_str().to_owned())).collect();
    let addresses = addresses(cx, spec, &versions);
    Some(Service {
        port: spec.port.get(),
        app_port: Some(spec.app_port().get()).filter(|p| *p != spec.port.get()),
        protocol,
        versions,
        labels,
        escaped_slashes: match spec.escaped_slashes().value {
            spec::EscapedSlashes::Keep => SlashMode::Keep,
            spec::EscapedSlashes::Reject => SlashMode::Reject,
        },
        addresses,
    })
}

/// Endpoints of each version, by the environment's discovery. An environment without discovery has none: its proxies
/// get their endpoints from a file.
fn addresses(cx: &mut Cx<'_, '_>, spec: &spec::Service, versions: &[Key]) -> BTreeMap<Key, Vec<String>> {
    let mut found = BTreeMap::new();
    let Some(discovery) = cx.model.settings.and_then(|s| s.discovery.as_ref()) else { return found };
    let name = spec.name.as_str();
    match discovery.static_.get(name) {
        Some(StaticEndpoints::All(list)) => {
            if let [only] = versions {
                let mut list: Vec<String> = list.iter().map(|e| e.as_str().to_owned()).collect();
                list.sort();
                found.insert(only.clone(), list);
            } else if let Some(first) = list.first() {
                let message =
                    format!("`{name}` has several versions, so its endpoints are listed by version");
                cx.report(Diagnostic::new(codes::DISCOVERY, first.span, message));
            }
            return found;
        }
        Some(StaticEndpoints::ByVersion(map)) => {
            for (version, list) in map.iter() {
                match key(version).filter(|v| versions.contains(v)) {
                    Some(version) => {
                        let mut list: Vec<String> = list.iter().map(|e| e.as_str().to_owned()).collect();
                        list.sort();
                        found.insert(version, list);
                    }
                    // Versions that could not be read may have it.
                    None if !spec.complete => {}
                    None => {
                        let message = format!("`{name}` has no version `{}`", version.as_str());
                        cx.report(Diagnostic::new(codes::DISCOVERY, version.span, message));
                    }
                }
            }
            return found;
        }
        None => {}
    }
    let port = spec.port.get().to_string();
    let fill = |pattern: &str, version: &str| {
        pattern.replace("{service}", name).replace("{version}", version).replace("{port}", &port)
    };
    match (versions, &discovery.pattern, &discovery.versions) {
        ([only], Some(pattern), _) => {
            found.insert(only.clone(), vec![fill(pattern.as_str(), only.as_str())]);
        }
        (several, _, Some(pattern)) => {
            for version in several {
                found.insert(version.clone(), vec![fill(pattern.as_str(), version.as_str())]);
            }
        }
        (_, Some(_), None) if !cx.model.discovery_is_complete() => {}
        (_, Some(pattern), None) => {
            let message =
                format!("`{name}` has several versions, and the environment has one pattern for all of them");
            let finding = Diagnostic::new(codes::DISCOVERY, pattern.span, message);
            cx.report(
                finding
                    .help("add `versions: \"{service}-{version}.example:{port}\"`")
                    .label(spec.name.span, "this service"),
            );
        }
        (_, None, None) => {}
    }
    found
}

/// Static endpoints of services that do not exist.
fn statics(cx: &mut Cx<'_, '_>) {
    let model = cx.model;
    let Some(discovery) = model.settings.and_then(|s| s.discovery.as_ref()) else { return };
    for (name, _) in discovery.static_.iter() {
        let address = spec::Address { kind: spec::Kind::Service, name: name.value.clone() };
        if model.exists(&address) {
            continue;
        }
        let known: Vec<&str> = model.services().map(|(_, s)| s.name.as_str()).collect();
        let message = format!("no service is called `{}`", name.as_str());
        let finding = Diagnostic::new(codes::DISCOVERY, name.span, message).at("no such service");
        let finding = match nearest(name.as_str(), known.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding,
        };
        cx.report(model.restyled(finding, name, &known));
    }
}
