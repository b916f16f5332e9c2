//! The values that facts of a request can have when a rule sees them.
//!
//! Each set has at least the values that `mesh-decision` gives, so that what lies outside of it is never seen. Lengths are
//! left out.

use std::sync::{LazyLock, OnceLock};

use mesh_bundle::expr::{Slot, TextView};
use mesh_bundle::program::SlashMode;

use super::automaton::Automaton;
use super::regex::whole;

/// A fact of a request whose values are of a known form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A path in canonical form, by what is done with escaped slashes (`mesh_decision::path`).
    Path(SlashMode),
    /// A segment of such a path, or nothing: that a parameter is not empty need not be known.
    Segment(SlashMode),
    /// A host in canonical form (`mesh_decision::host`), or none.
    Host,
    /// A method that reaches rules: a token (RFC 9110 section 9.1), and not `CONNECT`.
    Method,
    /// `http` or `https`.
    Scheme,
    /// The value of a header field (RFC 9110 section 5.5).
    HeaderValue,
    /// The value of `content-length`.
    Length,
    /// The value of `te`, as the mesh writes it again.
    Trailers,
    /// The value of a cookie: what ends at `;`.
    CookieValue,
    /// A SPIFFE ID of a workload, or none.
    Principal,
    /// A SPIFFE trust domain, or none.
    TrustDomain,
    /// An IP address, as far as its characters go.
    Ip,
    /// A version of TLS, or none.
    TlsVersion,
    /// A server name in lower case (RFC 6066 section 3), or none.
    ServerName,
    /// What `lowerAscii` gives.
    Lower,
    /// What `upperAscii` gives.
    Upper,
    /// What `trim` gives, as far as white space of ASCII goes.
    Trimmed,
}

/// A byte of a segment that is no escape, without those named; `.` and `;` decide on dot segments.
macro_rules! plain {
    ($without:literal) => {
        concat!(r"[!-~&&[^%\\#?/", $without, "]]")
    };
}

/// What stays escaped: neither unreserved (RFC 3986 section 2.3), nor a control, nor the lead of overlong UTF-8.
const ESCAPE: &str = "%(?:2[0-9A-C]|3[A-F]|40|5[BDE]|60|7[BCD]|[89AB][0-9A-F]|C[2-9A-F]|[DEF][0-9A-F])";
const ESCAPED_SLASH: &str = "%(?:2F|5C)";

/// A segment that is not empty, `.` or `..`, and does not begin with `.;` or `..;`.
fn segment(slashes: SlashMode) -> String {
    let escape = match slashes {
        SlashMode::Reject => ESCAPE.to_owned(),
        SlashMode::Keep => format!("{ESCAPE}|{ESCAPED_SLASH}"),
    };
    let (any, no_dot) = (plain!(""), plain!("."));
    let (no_semicolon, neither) = (plain!(";"), plain!(".;"));
    format!(
        r"(?:{no_dot}|{escape}|\.(?:{neither}|{escape})|\.\.(?:{no_semicolon}|{escape}))(?:{any}|{escape})*"
    )
}

fn path(slashes: SlashMode) -> String {
    let segment = segment(slashes);
    format!("/(?:{segment}(?:/{segment})*/?)?")
}

const LABELS: &str = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*";
const HOST: &str = r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])?";
const TOKEN: &str = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const HEADER: &str = r"(?-u:(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)";
const COOKIE: &str = r"(?-u:[\t -:<-~\x80-\xff]*)";
const PRINCIPAL: &str = concat!(
    r"(?:spiffe://[a-z0-9._-]+",
    r"(?:/(?:[A-Za-z0-9_-]|\.[A-Za-z0-9_-]|\.\.[A-Za-z0-9._-])[A-Za-z0-9._-]*)+)?"
);
const IP: &str = "(?:[0-9]{1,3}(?:[.][0-9]{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)?";
const TRIMMED: &str = r"(?s-u:(?:[^\t-\r ](?:.*[^\t-\r ])?)?)";

impl Fact {
    const ALL: [Self; 19] = [
        Self::Path(SlashMode::Reject),
        Self::Path(SlashMode::Keep),
        Self::Segment(SlashMode::Reject),
        Self::Segment(SlashMode::Keep),
        Self::Host,
        Self::Method,
        Self::Scheme,
        Self::HeaderValue,
        Self::Length,
        Self::Trailers,
        Self::CookieValue,
        Self::Principal,
        Self::TrustDomain,
        Self::Ip,
        Self::TlsVersion,
        Self::ServerName,
        Self::Lower,
        Self::Upper,
        Self::Trimmed,
    ];

    /// The fact that a place of a request is; `None` for a place with values of any form, or of names of the mesh.
    #[must_use]
    pub fn of(slot: &Slot, slashes: SlashMode) -> Option<Self> {
        Some(match slot {
            Slot::Method => Self::Method,
            Slot::Path => Self::Path(slashes),
            Slot::Host => Self::Host,
            Slot::Scheme => Self::Scheme,
            Slot::Header(name) => Self::of_header(name),
            Slot::Cookie(_) => Self::CookieValue,
            Slot::Param(_) => Self::Segment(slashes),
            Slot::Principal => Self::Principal,
            Slot::TrustDomain => Self::TrustDomain,
            Slot::Ip => Self::Ip,
            Slot::TlsVersion => Self::TlsVersion,
            Slot::Sni => Self::ServerName,
            Slot::Size
            | Slot::Query(_)
            | Slot::Service
            | Slot::SourceLabel(_)
            | Slot::DestinationService
            | Slot::DestinationVersion
            | Slot::DestinationPort
            | Slot::DestinationLabel(_)
            | Slot::Mtls
            | Slot::Now => return None,
        })
    }

    /// The fact that the value of a header is, by its name in lower case.
    #[must_use]
    pub fn of_header(name: &str) -> Self {
        match name {
            "content-length" => Self::Length,
            "te" => Self::Trailers,
            _ => Self::HeaderValue,
        }
    }

    /// The fact that a text in another form is.
    #[must_use]
    pub fn of_view(view: TextView) -> Self {
        match view {
            TextView::Lower => Self::Lower,
            TextView::Upper => Self::Upper,
            TextView::Trim => Self::Trimmed,
        }
    }

    /// All values that the fact can have; made once.
    #[must_use]
    pub fn values(self) -> Option<&'static Automaton> {
        static SETS: [OnceLock<Option<Automaton>>; Fact::ALL.len()] =
            [const { OnceLock::new() }; Fact::ALL.len()];
        let at = Self::ALL.iter().position(|fact| *fact == self)?;
        SETS.get(at)?.get_or_init(|| self.made()).as_ref()
    }

    fn made(self) -> Option<Automaton> {
        match self {
            Self::Path(slashes) => whole(&path(slashes)),
            Self::Segment(slashes) => whole(&format!("(?:{})?", segment(slashes))),
            Self::Host => whole(HOST),
            Self::Method => whole(TOKEN)?.minus(&whole("CONNECT")?),
            Self::Scheme => whole("https?"),
            Self::HeaderValue => whole(HEADER),
            Self::Length => whole("[0-9]+"),
            Self::Trailers => whole("trailers"),
            Self::CookieValue => whole(COOKIE),
            Self::Principal => whole(PRINCIPAL),
            Self::TrustDomain => whole("[a-z0-9._-]*"),
            Self::Ip => whole(IP),
            Self::TlsVersion => whole("(?:1[.][23])?"),
            Self::ServerName => whole("[a-z0-9._-]*"),
            Self::Lower => whole("(?s-u:[^A-Z]*)"),
            Self::Upper => whole("(?s-u:[^a-z]*)"),
            Self::Trimmed => whole(TRIMMED),
        }
    }
}

/// Hosts that these patterns cover, `*.x` for one or more labels before `.x`; `None` where they are more than a bound.
#[must_use]
pub fn hosts(patterns: &[String]) -> Option<Automaton> {
    let one = |pattern: &String| match pattern.strip_prefix('*') {
        Some("") => ".*".to_owned(),
        Some(rest) => format!("(?:{LABELS}){}", regex_syntax::escape(rest)),
        None => regex_syntax::escape(pattern),
    };
    whole(&patterns.iter().map(one).collect::<Vec<_>>().join("|"))
}

/// Paths in the folder that the mesh keeps for itself on every listener: `/.well-known/mesh/*`.
#[must_use]
pub fn reserved_paths() -> Option<&'static Automaton> {
    static SET: LazyLock<Option<Automaton>> = LazyLock::new(|| whole(r"/\.well-known/mesh(?:/[!-~]*)?"));
    SET.as_ref()
}

#[cfg(test)]
mod tests {
    use mesh_decision::head::{self, HeaderLines as _, StartLine, Trust, Version};
    use mesh_decision::{host, path, values};
    use proptest::prelude::*;

    use super::*;

    /// The number of generated values: few, unless a run in full asks for more (`PROPTEST_CASES`).
    fn some() -> ProptestConfig {
        ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() }
    }

    fn accepts(fact: Fact, text: &str) -> bool {
        fact.values().unwrap().accepts(text)
    }

    #[test]
    fn every_fact_has_its_set_and_no_set_is_empty() {
        for fact in Fact::ALL {
            assert!(!fact.values().unwrap().is_empty(), "{fact:?}");
        }
        assert!(!reserved_paths().unwrap().is_empty());
    }

    #[test]
    fn what_no_rule_sees_is_outside() {
        let (reject, keep) = (Fact::Path(SlashMode::Reject), Fact::Path(SlashMode::Keep));
        for never in [
            "", "a", "/a//b", "/.", "/a/..", "/a/./b", "/%61", "/%2f", "/%2e", "/a?b", "/a#b", "/a b",
            "/a\\b", "/é", "/%00", "/%7F", "/%C0%AE", "/.;x", "/..;/a", "//",
        ] {
            assert!(!accepts(keep, never), "{never}");
        }
        assert!(accepts(keep, "/a%2Fb") && !accepts(reject, "/a%2Fb") && !accepts(keep, "/a%2fb"));
        for (fact, never) in [
            (Fact::Host, "Shop.example"),
            (Fact::Host, "a.test:80"),
            (Fact::Host, "a..b"),
            (Fact::Method, "CONNECT"),
            (Fact::Method, "GET "),
            (Fact::Method, ""),
            (Fact::Scheme, "ws"),
            (Fact::HeaderValue, " a"),
            (Fact::HeaderValue, "a\t"),
            (Fact::HeaderValue, "a\nb"),
            (Fact::Length, "-1"),
            (Fact::Trailers, "gzip"),
            (Fact::CookieValue, "a;b"),
            (Fact::Principal, "spiffe://shop.example/prod/../web"),
            (Fact::Principal, "spiffe://shop.example"),
            (Fact::Principal, "https://shop.example/prod/web"),
            (Fact::TrustDomain, "Shop.example"),
            (Fact::Ip, "localhost"),
            (Fact::TlsVersion, "TLSv1.2"),
            (Fact::ServerName, "Shop.example"),
            (Fact::Lower, "aB"),
            (Fact::Upper, "aB"),
            (Fact::Trimmed, "a "),
        ] {
            assert!(!accepts(fact, never), "{fact:?} {never:?}");
        }
    }

    #[test]
    fn what_rules_see_is_inside() {
        for (fact, seen) in [
            (Fact::Path(SlashMode::Reject), "/a;v=1/.b/..c/...;x/%20%FF\"<>^`{|}/"),
            (Fact::Host, "a_b.test"),
            (Fact::Host, "[::ffff:127.0.0.1]"),
            (Fact::Method, "GET"),
            (Fact::Method, "CONNECTS"),
            (Fact::Method, "get"),
            (Fact::HeaderValue, ""),
            (Fact::HeaderValue, "a b\tc é"),
            (Fact::CookieValue, " a\""),
            (Fact::Principal, ""),
            (Fact::Principal, "spiffe://shop.example/prod/web"),
            (Fact::Principal, "spiffe://shop.example/.a/..."),
            (Fact::Ip, "10.0.0.1"),
            (Fact::Ip, "fd00::1"),
            (Fact::TlsVersion, "1.3"),
            (Fact::ServerName, "shop.example"),
            (Fact::Lower, "aé-"),
            (Fact::Trimmed, "a b"),
        ] {
            assert!(accepts(fact, seen), "{fact:?} {seen:?}");
        }
    }

    proptest! {
        #![proptest_config(some())]

        #[test]
        fn canonical_paths_are_inside(
            raw in prop_oneof!["/([a-cA-C./%;?#]|%[0-9a-fA-F]{2}|//|\\.\\.|[!-~]){0,24}", "/[ -~]{0,16}", "(/[a-z.;~%0-9]{0,4}){0,6}"],
        ) {
            for slashes in [SlashMode::Reject, SlashMode::Keep] {
                if let Ok(seen) = path::canonical(&raw, slashes) {
                    prop_assert!(accepts(Fact::Path(slashes), &seen), "{raw} is seen as {seen}");
                    for segment in seen.split('/').filter(|segment| !segment.is_empty()) {
                        prop_assert!(accepts(Fact::Segment(slashes), segment), "{segment}");
                    }
                    prop_assert!(accepts(Fact::Path(SlashMode::Keep), &seen));
                }
            }
        }

        #[test]
        fn paths_inside_are_canonical(text in "/([a-c.;%]|%2[0-9A-F]|%[89A-F][0-9A-F]|/|[!-~]){0,12}") {
            // Overlong UTF-8 takes two escapes to see, so the set is a little larger there.
            let overlong = text.contains("%E0%") || text.contains("%F0%");
            for slashes in [SlashMode::Reject, SlashMode::Keep] {
                if accepts(Fact::Path(slashes), &text) && !overlong {
                    let seen = path::canonical(&text, slashes);
                    prop_assert_eq!(seen.as_deref(), Ok(text.as_str()));
                }
            }
        }

        #[test]
        fn canonical_hosts_are_inside(raw in "([a-cA-C0-9._-]{1,8}|\\[[0-9a-fA-F:.]{2,12}\\])(:[0-9]{0,5})?\\.?") {
            if let Ok(seen) = host::canonical(&raw) {
                prop_assert!(accepts(Fact::Host, &seen), "{raw} is seen as {seen}");
            }
        }

        #[test]
        fn covered_hosts_are_those_of_their_patterns(host in "[ab.]{1,8}") {
            let patterns = ["a.b", "*.a", "b"].map(str::to_owned);
            if host::canonical(&host).is_ok_and(|seen| seen == host) {
                let covered = patterns.iter().any(|pattern| host::covers(pattern, &host));
                prop_assert_eq!(hosts(&patterns).unwrap().accepts(&host), covered);
            }
        }

        #[test]
        fn methods_and_values_of_admitted_heads_are_inside(
            method in prop_oneof![Just("CONNECT".to_owned()), "[A-Za-z!#$%&'*+.^_`|~-]{1,8}"],
            length in "[0-9+ -]{0,4}",
            te in "(trailers|gzip|,| ){0,3}",
            other in "[a é\\t-]{0,4}",
        ) {
            let mut lines: Vec<(String, Vec<u8>)> = [("host", "a"), ("content-length", &length), ("te", &te), ("x-a", &other)]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .collect();
            let start = StartLine { version: Version::Http11, method: &method, authority: None, target: Some("/") };
            if head::admit(&start, &mut lines, Trust::Mesh).is_ok() {
                prop_assert!(accepts(Fact::Method, &method), "{method}");
                for (name, value) in lines.lines() {
                    let value = std::str::from_utf8(value).unwrap();
                    prop_assert!(accepts(Fact::of_header(name), value), "{name}: {value}");
                }
            }
        }

        #[test]
        fn cookies_are_inside(line in "([a-c=;\" \t]|[!-~]){0,24}") {
            let headers = vec![("cookie", line.as_str())];
            for name in ["a", "b", "c"] {
                if let values::Value::One(value) = values::cookie(&headers, name) {
                    prop_assert!(accepts(Fact::CookieValue, &value), "{value:?} of {line:?}");
                }
            }
        }
    }
}
