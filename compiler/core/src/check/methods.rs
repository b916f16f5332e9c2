//! Methods that no request has, or none that reaches a rule. A method is a token whose case counts (RFC 9110 section
//! 9.1), so `get` is a method, and not the one that is meant.

use crate::diag::{Diagnostic, Severity, Span, codes, quoted};

/// Methods of RFC 9110 section 9.3, PATCH (RFC 5789) and WebDAV (RFC 4918 section 9): nobody means another one by the same
/// letters.
const STANDARD: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
];

/// What is wrong with a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is this standard method in another case.
    Case(&'static str),
    /// `CONNECT`: a proxy answers it before any rule.
    Connect,
    /// `*`, which is a method of that name.
    Star,
}

impl Fault {
    /// The fault of a method, if it has one.
    pub(super) fn of(method: &str) -> Option<Self> {
        let standard = STANDARD.iter().copied().find(|known| known.eq_ignore_ascii_case(method));
        match (method, standard) {
            ("*", _) => Some(Self::Star),
            (_, Some("CONNECT")) => Some(Self::Connect),
            (_, Some(known)) if known != method => Some(Self::Case(known)),
            _ => None,
        }
    }

    /// The finding at a list of methods; `severity` is that of a method which no request has, `all` says what to write for
    /// all of them.
    pub(super) fn listed(self, method: &str, span: Span, severity: Severity, all: &str) -> Diagnostic {
        let finding = self.finding(method, span, severity);
        match self {
            Self::Case(right) => finding.fix(span, right),
            Self::Star => finding.severity(Severity::Error).help(all),
            Self::Connect => finding,
        }
    }

    /// The finding at any place.
    pub(super) fn finding(self, method: &str, span: Span, severity: Severity) -> Diagnostic {
        let shown = quoted(method);
        match self {
            Self::Case(right) => {
                let message = format!("no client sends the method {shown}: methods are in upper case");
                let finding = Diagnostic::new(codes::UNSEEN_METHOD, span, message).severity(severity);
                finding.help(format!("write `{right}`"))
            }
            Self::Connect => {
                let message = format!("{shown} never reaches a rule: proxies of the mesh refuse it");
                Diagnostic::new(codes::UNSEEN_METHOD, span, message)
                    .severity(Severity::Warning)
                    .help("take it out")
            }
            Self::Star => {
                let message = format!("{shown} is a method of that name, and no client sends it");
                Diagnostic::new(codes::UNSEEN_METHOD, span, message).severity(severity)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slips_of_standard_methods_are_faults() {
        for fine in ["GET", "PURGE", "purge", "M-SEARCH", "QUERY", "PROPFIND"] {
            assert_eq!(Fault::of(fine), None, "{fine}");
        }
        assert_eq!(Fault::of("delete"), Some(Fault::Case("DELETE")));
        assert_eq!(Fault::of("PropFind"), Some(Fault::Case("PROPFIND")));
        assert_eq!(Fault::of("connect"), Some(Fault::Connect));
        assert_eq!(Fault::of("*"), Some(Fault::Star));
    }
}
