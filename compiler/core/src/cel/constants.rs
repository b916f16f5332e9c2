//! Constants that no request can have: a place of a request is compared with a text that it never is; and patterns.

use mesh_bundle::expr::{Slot, parse_ip};
use mesh_bundle::program::SlashMode;
use mesh_decision::regex::Pattern;
use mesh_decision::{host, path};

use super::CelFinding;
use super::request::{Place, place};
use super::typed::{Call, Kind, Typed};
use super::value::Value;
use super::words::words;
use crate::diag::{codes, quoted};
use crate::spec::SpiffeId;

/// Reports comparisons with constants that their place never has.
pub(super) fn check(typed: &Typed, text: &str, findings: &mut Vec<CelFinding>) {
    typed.walk(&mut |node| {
        if let Kind::Call(call) = &node.kind {
            call_of(call, text, findings);
        }
    });
}

fn call_of(call: &Call, text: &str, findings: &mut Vec<CelFinding>) {
    let [left, right] = call.arguments.as_slice() else { return };
    if let ("matches", Some(Value::String(pattern))) = (call.function.name, right.constant()) {
        findings.extend(regex(pattern, right));
    }
    let whole = match call.function.name {
        "==" | "!=" | "in" => true,
        "startsWith" => false,
        _ => return,
    };
    let sides = if whole { vec![(left, right), (right, left)] } else { vec![(left, right)] };
    for (read, constant) in sides {
        let Some(Place::Slot(slot)) = place(read) else { continue };
        match constant.constant() {
            Some(Value::String(value)) => compared(&slot, value, whole, constant, text, findings),
            Some(Value::List(values)) => {
                for value in values.iter() {
                    if let Value::String(value) = value {
                        compared(&slot, value, whole, constant, text, findings);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The finding of a pattern that does not compile.
pub(super) fn regex(pattern: &str, typed: &Typed) -> Option<CelFinding> {
    let error = Pattern::check(pattern).err()?;
    let message = format!("the regular expression does not compile: {error}");
    Some(CelFinding::new(codes::CEL_CONSTANT, typed.range.clone(), message))
}

fn compared(
    slot: &Slot,
    value: &str,
    whole: bool,
    constant: &Typed,
    text: &str,
    findings: &mut Vec<CelFinding>,
) {
    let Some((why, right)) = wrong(slot, value, whole) else { return };
    let message = format!("{} is never {}: {why}", shown(slot), quoted(value));
    let mut finding = CelFinding::new(codes::CEL_CONSTANT, constant.range.clone(), message);
    if let Some(right) = right {
        finding = finding.help(format!("write `{right}`"));
        let written = words(text, constant.range.clone());
        if written.matches(value).count() == 1 {
            finding = finding.fix(constant.range.clone(), written.replace(value, &right));
        }
    }
    findings.push(finding);
}

/// The reason that the place never has the value, or never begins with it, and the intended value if it is certain.
fn wrong(slot: &Slot, value: &str, whole: bool) -> Option<(&'static str, Option<String>)> {
    match slot {
        Slot::Path if !value.starts_with('/') && (whole || !value.is_empty()) => {
            Some(("a path begins with `/`", None))
        }
        Slot::Path if whole => match path::canonical(value, SlashMode::Keep) {
            Ok(canonical) if canonical != value => {
                Some(("rules see the normalised path", Some(canonical.into_owned())))
            }
            Ok(_) => None,
            Err(_) => Some(("no request with such a path is let in", None)),
        },
        Slot::Host if value.bytes().any(|b| b.is_ascii_uppercase()) => {
            Some(("rules see the host in lower case", Some(value.to_ascii_lowercase())))
        }
        Slot::Host if whole && !value.is_empty() => match host::canonical(value) {
            Ok(canonical) if canonical != value => {
                Some(("rules see the host without its port", Some(canonical.into_owned())))
            }
            Ok(_) => None,
            Err(_) => Some(("it is not a host", None)),
        },
        Slot::Scheme if whole && !matches!(value, "http" | "https") => {
            Some(("a scheme is `http` or `https`", None))
        }
        Slot::TlsVersion if whole && !matches!(value, "" | "1.2" | "1.3") => {
            Some(("it is `1.2`, `1.3` or empty", None))
        }
        Slot::Principal if whole && !value.is_empty() && !is_spiffe_id(value) => {
            Some(("it is a SPIFFE ID, as `spiffe://trust-domain/path`", None))
        }
        Slot::Principal if !whole && !agrees(value, "spiffe://") => {
            Some(("a SPIFFE ID begins with `spiffe://`", None))
        }
        Slot::TrustDomain if whole && !value.is_empty() && !is_spiffe_id(&format!("spiffe://{value}/x")) => {
            Some(("a trust domain is lower-case letters, digits, `.`, `-` and `_`", None))
        }
        Slot::Ip if whole => match parse_ip(value) {
            None => Some(("it is not an address", None)),
            Some(ip) if ip.to_string() != value => {
                Some(("addresses are written the short way", Some(ip.to_string())))
            }
            Some(_) => None,
        },
        _ => None,
    }
}

/// One of them begins with the other.
fn agrees(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn is_spiffe_id(text: &str) -> bool {
    <SpiffeId as crate::spec::Scalar>::parse(text).is_some()
}

fn shown(slot: &Slot) -> &'static str {
    match slot {
        Slot::Path => "`request.path`",
        Slot::Host => "`request.host`",
        Slot::Scheme => "`request.scheme`",
        Slot::TlsVersion => "`connection.tlsVersion`",
        Slot::Principal => "`source.principal`",
        Slot::TrustDomain => "`source.trustDomain`",
        Slot::Ip => "`source.ip`",
        _ => "the value",
    }
}
