//! Where a rule sends a request: one destination, or shares whose weights make up the whole.

use mesh_bundle::program::{Destination, Program, Role, Target};
use mesh_bundle::{Name as Key, limits};

use super::canary;
use super::context::{Cx, key};
use crate::diag::{Diagnostic, codes};
use crate::numbers::percent;
use crate::spec::{self, Kind, Sp, To, VersionRef};

/// The targets of a rule, without those of weight 0; `edge` at a gateway. `None` where one of them is nowhere.
/// Shares of a rule that could not be read (`complete` is false) are not added up.
pub(super) fn targets(
    cx: &mut Cx<'_, '_>,
    program: &Program,
    to: &To,
    edge: bool,
    complete: bool,
) -> Option<Vec<Target>> {
    match to {
        To::One(to) => {
            let to = destination(cx, program, to, edge)?;
            Some(vec![Target { to, weight: limits::WHOLE }])
        }
        To::Split(shares) => {
            let sum: u32 = shares.value.iter().map(|s| u32::from(s.weight.basis_points())).sum();
            if sum != limits::WHOLE && complete {
                let message = format!("the weights sum to {}, not 100%", percent(sum));
                let mut finding = Diagnostic::new(codes::SPLIT_SUM, shares.span, message);
                for share in shares.value.iter() {
                    finding =
                        finding.label(share.weight.span, percent(u32::from(share.weight.basis_points())));
                }
                let help = match limits::WHOLE.checked_sub(sum) {
                    Some(rest) => format!("give {} to one of them", percent(rest)),
                    None => format!("take {} from one of them", percent(sum - limits::WHOLE)),
                };
                cx.report(finding.help(help));
            }
            let mut targets = Vec::new();
            for share in shares.value.iter() {
                let to = destination(cx, program, &share.to, edge)?;
                targets.push(Target { to, weight: u32::from(share.weight.basis_points()) });
            }
            targets.retain(|t| t.weight > 0);
            Some(targets)
        }
    }
}

fn destination(
    cx: &mut Cx<'_, '_>,
    program: &Program,
    spec: &Sp<spec::Destination>,
    edge: bool,
) -> Option<Destination> {
    let name = Sp { value: spec.service.clone(), span: spec.span };
    if !cx.model.resolve(Kind::Service, &name, &mut cx.findings) {
        return None;
    }
    let service = key(&name)?;
    let unit = program.services.get(&service)?;
    let canary = cx.model.canary(service.as_str());
    let plain = |version, role| Some(Destination { service: service.clone(), version, role });
    match &spec.version {
        Some(VersionRef::Named(version)) => {
            let version = key(version)?;
            if unit.versions.contains(&version) {
                return plain(Some(version), None);
            }
            canary::unknown_version(cx, spec.span, version.as_str(), service.as_str(), unit);
            None
        }
        Some(role @ (VersionRef::Stable | VersionRef::Candidate)) => match canary {
            Some(canary) => {
                let lowered = if *role == VersionRef::Stable { Role::Stable } else { Role::Candidate };
                if lowered == Role::Candidate && canary.candidate.is_none() && !canary.complete {
                    return None;
                }
                if lowered == Role::Candidate && canary.candidate.is_none() {
                    let message = format!("the canary of `{service}` has no candidate");
                    cx.report(Diagnostic::new(codes::UNKNOWN_VERSION, spec.span, message));
                    return None;
                }
                plain(None, Some(lowered))
            }
            None if cx.model.has_broken(Kind::Canary) => None,
            None => {
                let message = format!("`{service}` has no Canary, so it has no stable and no candidate");
                let finding = Diagnostic::new(codes::UNKNOWN_VERSION, spec.span, message);
                cx.report(finding.help(format!("name a version: `{service}@{}`", unit.versions.first()?)));
                None
            }
        },
        None => {
            // At a gateway the service's own Route goes on from here.
            let own = edge && cx.model.has_route(service.as_str());
            let hidden = cx.model.has_broken(Kind::Canary) || (edge && cx.model.has_broken(Kind::Route));
            if unit.versions.len() > 1 && canary.is_none() && !own && !hidden {
                let several = unit.versions.iter().map(Key::as_str).collect::<Vec<_>>().join(", ");
                let message = format!("`{service}` has several versions ({several}) and no Canary");
                let finding =
                    Diagnostic::new(codes::AMBIGUOUS_DESTINATION, spec.span, message).at("which one?");
                cx.report(
                    finding
                        .help(format!("name one: `{service}@{}`, or add a Canary", unit.versions.first()?)),
                );
                return None;
            }
            plain(None, None)
        }
    }
}
