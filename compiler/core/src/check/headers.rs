//! Headers that rules never see: what ends at a hop, and what the sender may not claim.

use mesh_bundle::expr::Slot;
use mesh_bundle::program::{Program, RateKey};
use mesh_decision::head::{Trust, is_visible};

use super::sites::{self, Site};
use crate::diag::{Diagnostic, Span, codes};
use crate::model::Model;

/// The finding of a header that no rule of this site sees; `None` for one that rules see.
pub(super) fn unseen(name: &str, site: &Site, span: Span) -> Option<Diagnostic> {
    if is_visible(name, site.trust) {
        return None;
    }
    let message = format!("rules never see the header `{name}`");
    let finding = Diagnostic::new(codes::UNSEEN_HEADER, span, message);
    Some(if name == "host" {
        finding.help("a gateway's Route says `hosts`; expressions read `request.host`")
    } else if is_visible(name, Trust::Stranger) || !is_visible(name, Trust::Mesh) {
        match name.starts_with("x-") {
            true => finding
                .help("proxies say who calls by certificates: write `callers`, `from`, or `source.service`"),
            false => finding.help("it is about one connection and ends at each proxy"),
        }
    } else {
        finding
            .help("a gateway takes it from strangers, who could write anything; expressions read `source.ip`")
    })
}

/// Keys of stickiness and of limits that are such a header.
pub(super) fn check(model: &Model<'_>, program: &Program, findings: &mut Vec<Diagnostic>) {
    for (object, route) in model.routes() {
        let Some(site) = sites::of_route(model, program, object, route) else { continue };
        if let Some(header) = route.sticky.as_ref().and_then(|sticky| sticky.header.as_ref()) {
            findings.extend(
                unseen(header.as_str(), &site, header.span).map(|finding| finding.severity(site.dead())),
            );
        }
    }
    for (_, canary) in model.canaries() {
        let Some(header) = canary.sticky.as_ref().and_then(|sticky| sticky.header.as_ref()) else { continue };
        if !is_visible(header.as_str(), Trust::Mesh) {
            let message = format!("rules never see the header `{}`", header.as_str());
            findings.push(
                Diagnostic::new(codes::UNSEEN_HEADER, header.span, message).at("every request is without it"),
            );
        }
    }
    quotas(model, program, findings);
}

fn quotas(model: &Model<'_>, program: &Program, findings: &mut Vec<Diagnostic>) {
    for (_, quota) in model.quotas() {
        let Some(owner) = sites::owner(quota.service.as_ref(), quota.gateway.as_ref()) else { continue };
        let Some(lowered) = program.quotas.get(&owner) else { continue };
        // Another number: one of them could not be read.
        if lowered.limits.len() != quota.limits.len() {
            continue;
        }
        for (written, limit) in quota.limits.iter().zip(&lowered.limits) {
            if let RateKey::Slot(Slot::Header(header)) = &limit.per
                && !is_visible(header, sites::trust(&owner))
            {
                let message =
                    format!("rules never see the header `{header}`, so all requests share one bucket");
                let finding = Diagnostic::new(codes::UNSEEN_HEADER, written.per.span, message);
                findings.push(finding.help("write `caller`, or a header that clients send"));
            }
        }
    }
}
