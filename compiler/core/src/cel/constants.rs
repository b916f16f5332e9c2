//! Constants that no request can have: a place of a request is compared with a text that it never is; and patterns.

use mesh_bundle::expr::{Slot, parse_ip};
use mesh_bundle::program::SlashMode;
use mesh_decision::expr::name;
use mesh_decision::{host, path};

use super::CelFinding;
use super::request::{Place, place};
use super::typed::{Call, Kind, Typed};
use super::value::Value;
use super::words::words;
use crate::diag::{codes, quoted};
use crate::re2;
use crate::sets::{Comparison, Fact, Verdict};

/// Reports comparisons with constants that their place never has.
pub(super) fn check(typed: &Typed, text: &str, findings: &mut Vec<CelFinding>) {
    typed.walk(&mut |node| {
        if let Kind::Call(call) = &node.kind {
            call_of(call, text, findings);
        }
    });
}

/// Reports constant patterns that RE2 or proxies do not take, or not for the same.
pub(super) fn patterns(typed: &Typed, text: &str, findings: &mut Vec<CelFinding>) {
    typed.walk(&mut |node| {
        if let Kind::Call(call) = &node.kind
            && let ("matches", [_, right]) = (call.function.name, call.arguments.as_slice())
            && let Some(Value::String(pattern)) = right.constant()
        {
            findings.extend(regex(pattern, right, text));
        }
    });
}

fn call_of(call: &Call, text: &str, findings: &mut Vec<CelFinding>) {
    let [left, right] = call.arguments.as_slice() else { return };
    let function = call.function.name;
    let both = matches!(function, "==" | "!=" | "in");
    let sides = if both { vec![(left, right), (right, left)] } else { vec![(left, right)] };
    for (read, constant) in sides {
        let Some(Place::Slot(slot)) = place(read) else { continue };
        let values = match constant.constant() {
            Some(Value::String(_)) => constant.constant().into_iter().collect(),
            Some(Value::List(values)) if function == "in" => values.iter().collect(),
            _ => Vec::new(),
        };
        for value in values {
            if let Value::String(value) = value
                && let Some(comparison) = comparison(function, value)
                // What it would match is not asked of a pattern that is refused.
                && !(function == "matches" && re2::check(value).is_err())
            {
                findings.extend(compared(&slot, comparison, constant, text));
            }
        }
    }
}

/// The comparison that a function is, with a constant text.
fn comparison<'c>(function: &str, constant: &'c str) -> Option<Comparison<'c>> {
    Some(match function {
        "==" | "!=" | "in" => Comparison::Is(constant),
        "startsWith" => Comparison::Begins(constant),
        "endsWith" => Comparison::Ends(constant),
        "contains" => Comparison::Contains(constant),
        "matches" => Comparison::Finds(constant),
        _ => return None,
    })
}

/// The finding of a pattern that RE2 or proxies do not take, or not for the same.
pub(super) fn regex(pattern: &str, typed: &Typed, text: &str) -> Option<CelFinding> {
    let fault = re2::check(pattern).err()?;
    let code = if fault.unreadable { codes::CEL_CONSTANT } else { codes::NOT_RE2 };
    // Inside of the literal where it has no escapes, else the whole of it.
    let range = match words(text, typed.range.clone()).find(pattern) {
        Some(offset) if !pattern.is_empty() => {
            let start = typed.range.start + offset;
            start + fault.range.start..start + fault.range.end
        }
        _ => typed.range.clone(),
    };
    let finding = CelFinding::new(code, range, fault.message);
    Some(match fault.help {
        Some(help) => finding.help(help),
        None => finding,
    })
}

/// The finding of a comparison that holds for no value of its place. What depends on the mesh around the rule is judged
/// where that is known (`check::conditions`).
fn compared(slot: &Slot, comparison: Comparison<'_>, constant: &Typed, text: &str) -> Option<CelFinding> {
    let never = match (slot, comparison) {
        // A method in lower case is one, though none that anybody means.
        (Slot::Method, _) => false,
        // There are more texts of these characters than addresses.
        (Slot::Ip, Comparison::Is(value)) => parse_ip(value).is_none_or(|ip| ip.to_string() != value),
        _ => comparison.over(Fact::of(slot, SlashMode::Keep)?.values()?) == Verdict::Never,
    };
    if !never {
        return None;
    }
    let (why, right) = reason(slot, comparison);
    let mut finding =
        CelFinding::new(codes::CEL_CONSTANT, constant.range.clone(), message(slot, comparison, why));
    if let Some(right) = right {
        finding = finding.help(format!("write `{right}`"));
        let (value, written) = (comparison.constant(), words(text, constant.range.clone()));
        // A port was a condition, too.
        let port = matches!(slot, Slot::Host) && value.contains(':');
        if written.matches(value).count() == 1 && !port {
            finding = finding.fix(constant.range.clone(), written.replace(value, &right));
        }
    }
    Some(finding)
}

/// The message about a comparison that never holds.
pub(crate) fn message(slot: &Slot, comparison: Comparison<'_>, why: &str) -> String {
    let (shown, value) = (name(slot), quoted(comparison.constant()));
    match comparison {
        Comparison::Is(_) => format!("`{shown}` is never {value}: {why}"),
        _ => format!("`{shown}` never {} {value}: {why}", comparison.words()),
    }
}

/// Why the place has no value for which the comparison holds, and the intended constant if it is certain.
pub(crate) fn reason(slot: &Slot, comparison: Comparison<'_>) -> (&'static str, Option<String>) {
    match (slot, comparison) {
        (Slot::Path, Comparison::Is(value) | Comparison::Begins(value)) if !value.starts_with('/') => {
            ("a path begins with `/`", None)
        }
        (Slot::Path, Comparison::Is(value)) => match path::canonical(value, SlashMode::Keep) {
            Ok(canonical) if canonical != value => {
                ("rules see the normalised path", Some(canonical.into_owned()))
            }
            _ => ("no request with such a path is let in", None),
        },
        (Slot::Path, Comparison::Finds(_) | Comparison::Matches(_)) => {
            ("a path begins with `/`, is normalised, and has no query", None)
        }
        (Slot::Path, _) => ("rules see the normalised path, without the query", None),
        (
            Slot::Host,
            Comparison::Is(value)
            | Comparison::Begins(value)
            | Comparison::Ends(value)
            | Comparison::Contains(value),
        ) if value.bytes().any(|b| b.is_ascii_uppercase()) => {
            ("rules see the host in lower case", Some(value.to_ascii_lowercase()))
        }
        (Slot::Host, Comparison::Is(value)) => match host::canonical(value) {
            Ok(canonical) => ("rules see the host without its port", Some(canonical.into_owned())),
            Err(_) => ("it is not a host", None),
        },
        (Slot::Host, _) => ("rules see the host in lower case, without its port", None),
        (Slot::Scheme, _) => ("a scheme is `http` or `https`", None),
        (Slot::TlsVersion, _) => ("it is `1.2`, `1.3` or empty", None),
        (Slot::Principal, Comparison::Begins(_)) => ("a SPIFFE ID begins with `spiffe://`", None),
        (Slot::Principal, _) => ("it is a SPIFFE ID, as `spiffe://trust-domain/path`", None),
        (Slot::TrustDomain, _) => ("a trust domain is lower-case letters, digits, `.`, `-` and `_`", None),
        (Slot::Sni, Comparison::Is(value)) if value.bytes().any(|b| b.is_ascii_uppercase()) => {
            ("rules see the server name in lower case", Some(value.to_ascii_lowercase()))
        }
        (Slot::Sni, _) => ("a server name is lower-case letters, digits, `.`, `-` and `_`", None),
        (Slot::Ip, Comparison::Is(value)) => match parse_ip(value) {
            Some(ip) => ("addresses are written the short way", Some(ip.to_string())),
            None => ("it is not an address", None),
        },
        (Slot::Ip, _) => ("an address is digits, `.`, `:`, and letters from `a` to `f`", None),
        (Slot::Header(name), Comparison::Is(value)) => match Fact::of_header(name) {
            Fact::Length => ("it is a number", None),
            Fact::Trailers => ("proxies pass on `trailers` and nothing else", None),
            _ if value.trim() != value => {
                ("blanks at its ends are no part of a field", Some(value.trim().to_owned()))
            }
            _ => (FIELD, None),
        },
        (Slot::Header(_), _) => (FIELD, None),
        (Slot::Cookie(_), _) => ("a cookie is visible characters and blanks, and ends at `;`", None),
        (Slot::Param(_), _) => ("it is one segment of the normalised path", None),
        _ => ("no request has such a value", None),
    }
}

const FIELD: &str = "a field is visible characters, with blanks inside only";
