//! Traffic splitting: selects the destination of a rule, and the version of a service, that takes a request.

use std::borrow::Cow;

use mesh_bundle::program::Sticky;
use mesh_bundle::{Name, Owner};

use crate::build::{BuiltRule, BuiltTarget, CanarySplit};
use crate::request::Request;
use crate::split;
use crate::values::{self, Value};

/// The destination of a rule: the only one, or the one whose share the pick falls in.
pub(crate) fn choose<'t>(
    shares: &'t [(u32, BuiltTarget)],
    rule: &BuiltRule,
    request: &Request<'_>,
) -> Option<&'t BuiltTarget> {
    let (Some(split), [_, _, ..]) = (rule.reference.split, shares) else {
        return shares.first().map(|(_, target)| target);
    };
    let pick = request.picks.forced(split).unwrap_or_else(|| {
        match rule.sticky.as_ref().and_then(|s| sticky_key(s, request)) {
            Some(key) => split::sticky(&rule.reference.address, "", &key),
            None => request.picks.pick(split),
        }
    });
    shares.iter().find(|(upper, _)| pick < *upper).map(|(_, target)| target)
}

/// The version that takes a request, and the stable one where that is the candidate. The candidate lies at the low end,
/// so that growth only adds.
pub(crate) fn version<'t>(canary: &'t CanarySplit, request: &Request<'_>) -> (&'t Name, Option<&'t Name>) {
    if canary.weight == 0 {
        return (&canary.stable, None);
    }
    let pick = request.picks.forced(canary.split).unwrap_or_else(|| {
        match canary.sticky.as_ref().and_then(|s| sticky_key(s, request)) {
            Some(key) => split::sticky(&canary.address, &canary.content, &key),
            None => request.picks.pick(canary.split),
        }
    });
    if pick < canary.weight { (&canary.candidate, Some(&canary.stable)) } else { (&canary.stable, None) }
}

/// The value that a sticky choice depends on; `None` where the request has no such value, or several: then the
/// counter draws.
fn sticky_key<'r>(sticky: &Sticky, request: &Request<'r>) -> Option<Cow<'r, str>> {
    let value = match sticky {
        Sticky::Header(name) => values::header(request.headers, name),
        Sticky::Cookie(name) => values::cookie(request.headers, name),
        Sticky::Ip => return Some(Cow::Borrowed(request.source.ip)),
        Sticky::Source => {
            // Behind a gateway the stranger's address tells callers apart; the gateway is one caller.
            let source = request.source;
            let edge = matches!(source.owner, Some(Owner::Gateway(_)));
            let key = if edge || source.principal.is_empty() { source.ip } else { source.principal };
            return Some(Cow::Borrowed(key));
        }
    };
    match value {
        Value::One(value) => Some(value),
        Value::Absent | Value::Repeated => None,
    }
}
