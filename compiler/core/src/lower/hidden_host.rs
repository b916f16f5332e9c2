//! Hosts that a gateway takes only by its `*`, and that are probably a listed one, misspelt.
//!
//! Without `*` such a host is unknown to the gateway and an error; `*` takes it in silence, and the listed host stays
//! without the Route that was meant for it.

use super::context::Cx;
use crate::diag::{Diagnostic, codes};
use crate::spec::{self, HostClaim, Sp};

/// Reports a Route's host that its gateway takes only by `*` and that is one slip away from a listed one.
pub(super) fn check(
    cx: &mut Cx<'_, '_>,
    gateway: &Sp<spec::Name>,
    spec: &spec::Gateway,
    host: &Sp<HostClaim>,
) {
    let text = host.as_str();
    let takes = |listed: &str| listed == text || takes_by_wildcard(listed, text);
    let all = spec.hosts.iter().any(|listed| listed.as_str() == ALL);
    let mut listed = spec.hosts.iter().filter(|listed| listed.as_str() != ALL);
    if text == ALL || !all || listed.clone().any(|listed| takes(listed.as_str())) {
        return;
    }
    if let Some(meant) = listed.find(|listed| is_slip(text, listed.as_str())) {
        let message = format!("only `*` of gateway `{}` takes `{text}`", gateway.as_str());
        let finding =
            Diagnostic::new(codes::HIDDEN_HOST, host.span, message).at("not one of its listed hosts");
        let finding = finding.label(meant.span, "probably this one is meant");
        cx.report(
            finding.help(format!("write `{}`, or list `{text}` in `hosts` of the gateway", meant.as_str())),
        );
    }
}

/// The claim of every host that no other claim takes.
const ALL: &str = "*";

/// True if `listed` is `*.x`, and `text` is below `x`.
fn takes_by_wildcard(listed: &str, text: &str) -> bool {
    let text = text.strip_prefix('*').unwrap_or(text);
    listed.strip_prefix('*').is_some_and(|tail| text.len() > tail.len() && text.ends_with(tail))
}

/// True if `text` is `listed` with one slip in a label or more, or with a dot too many or too few. Below a wildcard the
/// labels after it count.
fn is_slip(text: &str, listed: &str) -> bool {
    let mut written: Vec<&str> = text.split('.').collect();
    let mut meant: Vec<&str> = listed.split('.').collect();
    if meant.first() == Some(&ALL) && written.len() >= meant.len() {
        meant.remove(0);
        written = written.split_off(written.len() - meant.len());
    }
    if written.len() != meant.len() {
        return written.concat() == meant.concat();
    }
    written != meant && written.iter().zip(&meant).all(|(a, b)| a == b || is_label_slip(a, b))
}

/// One letter too many, too few, another one, or two swapped. Short labels (`a`, `eu`, `www`) differ on purpose, and so
/// do digits.
fn is_label_slip(a: &str, b: &str) -> bool {
    const SHORTEST: usize = 4;
    let (mut a, mut b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().max(b.len()) < SHORTEST {
        return false;
    }
    while a.last().is_some_and(|last| b.last() == Some(last)) {
        a.pop();
        b.pop();
    }
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.split_off(same), b.split_off(same));
    let letters = |part: &[char]| part.iter().all(|c| !c.is_ascii_digit());
    letters(&a)
        && letters(&b)
        && match (a.as_slice(), b.as_slice()) {
            ([_], []) | ([], [_]) | ([_], [_]) => true,
            ([a1, a2], [b1, b2]) => (a1, a2) == (b2, b1),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_hosts() {
        for (text, listed) in [
            ("shpo.example", "shop.example"),
            ("shop.exmaple", "shop.example"),
            ("shpo.exmaple", "shop.example"),
            ("shopp.example", "shop.example"),
            ("sho.example", "shop.example"),
            ("shopexample.com", "shop.example.com"),
            ("*.shpo.example", "*.shop.example"),
            ("eu.shpo.example", "*.shop.example"),
        ] {
            assert!(is_slip(text, listed), "{text} {listed}");
        }
        for (text, listed) in [
            ("shop.example", "shop.example"),
            ("mall.example", "shop.example"),
            ("docs.example", "jobs.example"),
            ("shop1.example", "shop2.example"),
            ("shop2.example", "shop.example"),
            ("b.example", "a.example"),
            ("eu.example", "us.example"),
            ("shop.example.co", "shop.example.com"),
            ("eu.shop.example", "shop.example"),
        ] {
            assert!(!is_slip(text, listed), "{text} {listed}");
        }
    }
}
