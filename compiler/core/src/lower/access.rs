//! Access: `callers` and AccessPolicies.

use std::collections::BTreeMap;

use mesh_bundle::Owner;
use mesh_bundle::program::{Access, AccessMode, Entry, From, Program, SlashMode, TlsMode};
use mesh_bundle::unit::UnitId;

use super::context::{Cx, key, only_one, owner, unique};
use super::matching;
use super::slashes::Kept;
use crate::cel::Phase;
use crate::diag::{Diagnostic, Span, codes};
use crate::spec::{self, FromItem};

/// Lowers the access of all services and gateways.
pub(super) fn access(cx: &mut Cx<'_, '_>, program: &mut Program) {
    let model = cx.model;
    let kept = Kept::of(model, program);
    let mut seen: BTreeMap<Owner, Span> = BTreeMap::new();
    for (object, spec) in model.policies_of_access() {
        let Some(owner) = owner(cx, spec.service.as_ref(), spec.gateway.as_ref()) else { continue };
        if !only_one(cx, &mut seen, &owner, "an AccessPolicy", object.name_span) {
            continue;
        }
        let unit = UnitId::Access(owner.clone());
        cx.place(&unit, "", object.span);
        let slashes = kept.behind(program, &owner);
        let strangers = matches!(owner, Owner::Gateway(_)) || program.mesh.tls == TlsMode::Permissive;
        let lowered = Access {
            mode: match spec.mode().value {
                spec::AccessMode::Audit => AccessMode::Audit,
                spec::AccessMode::Enforce => AccessMode::Enforce,
            },
            deny: entries(cx, &unit, "deny", &spec.deny, slashes, strangers),
            allow: entries(cx, &unit, "allow", &spec.allow, slashes, strangers),
        };
        program.access.insert(owner, lowered);
    }
    for (object, spec) in model.services() {
        let Some(name) = key(&spec.name) else { continue };
        let owner = Owner::Service(name);
        match (&spec.callers, seen.get(&owner)) {
            (Some(callers), Some(policy)) => {
                let message = format!("`{owner}` has `callers` and an AccessPolicy");
                let finding =
                    Diagnostic::new(codes::TWICE, callers.span, message).label(*policy, "the AccessPolicy");
                cx.report(
                    finding.help("`callers: [a]` is the same as `allow: [{ from: [a] }]`; keep one of them"),
                );
            }
            (None, None) if object.complete => {
                let address = spec::Address { kind: spec::Kind::AccessPolicy, name: spec.name.value.clone() };
                let hidden = cx.model.exists(&address) || cx.model.has_broken(spec::Kind::AccessPolicy);
                if !hidden {
                    let message = format!("nobody says who may call `{owner}`");
                    let finding = Diagnostic::new(codes::NO_ACCESS, spec.name.span, message);
                    cx.report(
                        finding
                            .help("add `callers: [...]`, or an AccessPolicy; `callers: []` lets nobody in"),
                    );
                }
            }
            (Some(callers), None) => {
                let unit = UnitId::Access(owner.clone());
                cx.place(&unit, "", callers.span);
                cx.place(&unit, "/allow/0", callers.span);
                let strangers = program.mesh.tls == TlsMode::Permissive;
                let from = froms(cx, &callers.value, strangers);
                let name = spec::CALLERS.to_owned();
                let entry = Entry { name, from, methods: Vec::new(), paths: Vec::new(), when: None };
                let allow = if callers.value.is_empty() { Vec::new() } else { vec![entry] };
                program.access.insert(owner, Access { allow, ..Access::default() });
            }
            _ => {}
        }
    }
}

fn entries(
    cx: &mut Cx<'_, '_>,
    unit: &UnitId,
    list: &str,
    spec: &[spec::Entry],
    slashes: SlashMode,
    strangers: bool,
) -> Vec<Entry> {
    unique(cx, spec.iter().filter_map(|e| e.name.as_ref()), "entries");
    let mut out = Vec::new();
    for (i, entry) in spec.iter().enumerate() {
        let first = entry.from.first().and_then(matching::from_span);
        if let Some(span) = entry.name.as_ref().map(|n| n.span).or(first) {
            cx.place(unit, format!("/{list}/{}", out.len()), span);
        }
        let to = entry.to.as_ref();
        let written = to.and_then(|to| to.paths.as_ref()).map(|p| &**p).unwrap_or_default();
        let paths: Vec<_> = written.iter().filter_map(|p| matching::path(cx, p, slashes)).collect();
        // A parameter is there only if every path of the entry binds it.
        let mut params: Vec<&str> = paths.first().map(|p| p.params().collect()).unwrap_or_default();
        params.retain(|name| paths.iter().all(|p| p.params().any(|n| n == *name)));
        let when =
            entry.when.as_ref().and_then(|w| matching::when(cx, w, Phase::Inbound, &params, list == "deny"));
        let lowered = Entry {
            name: entry.name.as_ref().map_or(format!("{list}[{i}]"), |n| n.as_str().to_owned()),
            from: froms(cx, &entry.from, strangers),
            methods: matching::methods(to.and_then(|to| to.methods.as_ref()).map(|m| &**m)),
            paths,
            when,
        };
        if entry.enabled().value {
            out.push(lowered);
        }
    }
    out
}

fn froms(cx: &mut Cx<'_, '_>, spec: &[FromItem], strangers: bool) -> Vec<From> {
    let mut out = Vec::new();
    for item in spec {
        let Some(from) = matching::from(cx, item) else { continue };
        if from == From::External
            && !strangers
            && let Some(span) = matching::from_span(item)
        {
            let finding =
                Diagnostic::new(codes::EXTERNAL_UNDER_TLS, span, "with strict TLS no stranger gets here");
            cx.report(finding.help("let strangers in at a gateway, or set `tls: permissive`"));
        }
        out.push(from);
    }
    out.sort();
    out.dedup();
    out
}
