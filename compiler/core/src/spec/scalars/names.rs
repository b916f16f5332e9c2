//! Names, hosts, addresses.

use super::{scalar, text, viewed};
use crate::diag::{Code, codes};
use crate::spec::Kind;
use crate::spec::scalar::Scalar;
use crate::spec::view::Data;

/// One DNS label (RFC 1123), as a pattern.
macro_rules! label {
    () => {
        "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
    };
}
/// One label of a host, as a pattern: a DNS label, or one with `_`, as requests may have them.
macro_rules! host_label {
    () => {
        "[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?"
    };
}
/// A port, 1 to 65535, as a pattern.
macro_rules! port {
    () => {
        "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
    };
}

fn is_label(text: &str) -> bool {
    is_label_of(text, |b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// 1 to 63 characters that `inner` takes, with hyphens inside.
fn is_label_of(text: &str, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last()).is_some_and(|(a, b)| inner(*a) && inner(*b));
    bytes.len() <= 63 && ends && bytes.iter().all(|b| inner(*b) || *b == b'-')
}

fn is_host(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    text.split('.').all(|label| is_label_of(label, inner))
}

fn lower(text: &str) -> Option<String> {
    Some(text.to_ascii_lowercase())
}

/// The host of a text that has a scheme, a port or a path around it.
fn host_in(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or(rest).trim_end_matches('.').to_ascii_lowercase();
    let fits = host != text && is_host(host.strip_prefix("*.").unwrap_or(&host));
    fits.then(|| format!("a host has no scheme, port or path: write `{host}`"))
}

text! {
    /// A name: one DNS label of 1 to 63 characters `a-z`, `0-9`, `-` (RFC 1123). Names become host names, identities
    /// and file names.
    pub struct Name, "a name (`a-z`, `0-9`, `-`; at most 63 characters)";
    pattern concat!("^", label!(), "$"), length 1..=63,
    check is_label,
    repair |text| Some(text.trim().to_ascii_lowercase().replace(['_', ' ', '.'], "-")),
    code codes::BAD_NAME,
}

text! {
    /// The trust domain of a mesh, the host part of its SPIFFE identities (SPIFFE-ID section 2.1).
    pub struct TrustDomain, "a trust domain like `shop.example`";
    pattern "^[a-z0-9._-]+$", length 1..=255,
    check |text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')),
    repair lower,
}

text! {
    /// A host that requests ask for: exact, or `*.x` for one or more labels before `x`. Lower case, no port; labels may
    /// have `_`.
    pub struct HostText, "a host like `shop.example` or `*.shop.example`";
    pattern concat!("^(?:\\*\\.)?(?:", host_label!(), "\\.)*", host_label!(), "$"), length 1..=253,
    check |text| is_host(text.strip_prefix("*.").unwrap_or(text)),
    repair |text| Some(text.trim_end_matches('.').to_ascii_lowercase()),
    suggest |text| host_in(text).or_else(|| wider_host(text)),
}

text! {
    /// A host that a gateway or its Route claims: exact, `*.x` for one or more labels before `x`, or `*` for every host
    /// that no other claim takes. Lower case, no port; labels may have `_`.
    pub struct HostClaim, "a host like `shop.example`, `*.shop.example` or `*`";
    pattern concat!("^(?:\\*|(?:\\*\\.)?(?:", host_label!(), "\\.)*", host_label!(), ")$"), length 1..=253,
    check |text| text == "*" || is_host(text.strip_prefix("*.").unwrap_or(text)),
    repair |text| Some(text.trim_end_matches('.').to_ascii_lowercase()),
    suggest |text| host_in(text).or_else(|| wider_host(text)),
}

impl HostText {
    /// The domain behind `*.`, if this is a wildcard.
    pub fn wildcard(&self) -> Option<&str> {
        self.as_str().strip_prefix("*.")
    }
}

text! {
    /// An exact host name, lower case, no port; labels may have `_`.
    pub struct ExactHost, "a host like `shop.example`";
    pattern concat!("^(?:", host_label!(), "\\.)*", host_label!(), "$"), length 1..=253,
    check is_host,
    repair |text| Some(text.trim_end_matches('.').to_ascii_lowercase()),
    suggest host_in,
}

/// The nearest form of a wildcard that other gateways have, or of a regular expression.
fn wider_host(text: &str) -> Option<String> {
    let star = text.rfind('*')?;
    let domain = text.get(star + 1..)?.trim_start_matches(['.', '\\']).replace('\\', "");
    let domain = domain.trim_end_matches('$').to_ascii_lowercase();
    is_host(&domain).then(|| format!("a `*` stands for whole labels at the beginning: `*.{domain}`"))
}

text! {
    /// The address of an endpoint: `host:port` or `[IPv6]:port`.
    pub struct Endpoint, "an endpoint like `10.0.0.7:8080`";
    pattern concat!("^(?:(?:", host_label!(), "\\.)*", host_label!(), "|\\[[0-9a-f:.]{2,45}\\]):", port!(), "$"), length 3..=260,
    check |text| split_endpoint(text).is_some(),
    repair lower,
    suggest |text| {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let rest = rest.split('/').next().unwrap_or(rest).to_ascii_lowercase();
        if split_endpoint(&rest).is_some() {
            return Some(format!("an endpoint has no scheme and no path: write `{rest}`"));
        }
        is_host(&rest).then(|| format!("add the port: `{rest}:8080`"))
    },
}

impl Endpoint {
    /// Host (an IPv6 address without its brackets) and port.
    pub fn parts(&self) -> (&str, u16) {
        split_endpoint(self.as_str()).unwrap_or(("", 0))
    }
}

fn split_endpoint(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let digits = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
    let number = port.parse().ok().filter(|_| digits)?;
    if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let good = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b':' | b'.');
        return ((2..=45).contains(&address.len()) && address.bytes().all(good)).then_some((address, number));
    }
    is_host(host).then_some((host, number))
}

text! {
    /// An IPv4 or IPv6 address, without port and brackets.
    pub struct IpText, "an IP address like `203.0.113.7`";
    pattern "^[0-9A-Fa-f:.]+$", length 2..=45,
    check |text| text.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')),
}

text! {
    /// The name of a secret, resolved by the proxy: names joined by `/`, such as `tls/shop-example`.
    pub struct SecretName, "the name of a secret like `tls/shop`";
    pattern concat!("^(?:", label!(), "/){0,7}", label!(), "$"), length 1..=253,
    check |text| text.split('/').count() <= 8 && text.split('/').all(is_label),
}

text! {
    /// The key of a label: 1 to 63 characters `A-Z`, `a-z`, `0-9`, `-`, `_`, `.`, letters or digits at both ends.
    pub struct LabelKey, "the key of a label";
    pattern "^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$", length 1..=63,
    check is_label_text,
}

text! {
    /// The value of a label: like a key, or empty.
    pub struct LabelValue, "the value of a label (`A-Z`, `a-z`, `0-9`, `-`, `_`, `.`; at most 63 characters)";
    pattern "^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$", length 0..=63,
    check |text| text.is_empty() || is_label_text(text),
}

fn is_label_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes
        .first()
        .zip(bytes.last())
        .is_some_and(|(a, b)| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric());
    ends && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

text! {
    /// A SPIFFE identity: `spiffe://<trust domain>/<path>`, no dot segments, no trailing slash (SPIFFE-ID section 2).
    pub struct SpiffeId, "a SPIFFE identity like `spiffe://shop.example/prod/web`";
    pattern r"^spiffe://[a-z0-9._-]{1,255}(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)+$", length 11..=2048,
    check is_spiffe_id,
    suggest |text| (!text.contains("://")).then(|| {
        "a service or gateway of the mesh goes by its name alone, as in `from: [web]`; `principal` is for a whole identity"
            .to_owned()
    }),
}

fn is_spiffe_id(text: &str) -> bool {
    let Some((domain, path)) = text.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let segment = |s: &str| !matches!(s, "" | "." | "..") && s.bytes().all(word);
    (1..=255).contains(&domain.len())
        && domain.bytes().all(|b| word(b) && !b.is_ascii_uppercase())
        && path.split('/').all(segment)
}

/// A caller: a service, a gateway, anybody without a mesh identity, or anybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Caller {
    /// A service, or an external one, by name.
    Service(Name),
    /// A gateway: `gateway/public`.
    Gateway(Name),
    /// Callers without a mesh identity: `external`.
    External,
    /// Any caller at all: `any`.
    Any,
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(name) => write!(f, "{name}"),
            Self::Gateway(name) => write!(f, "gateway/{name}"),
            Self::External => f.write_str("external"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl Scalar for Caller {
    const WHAT: &'static str = "a caller (a service, `gateway/name`, `external` or `any`)";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "external" => Some(Self::External),
            "any" => Some(Self::Any),
            _ => match text.strip_prefix("gateway/") {
                Some(gateway) => Name::parse(gateway).map(Self::Gateway),
                None => Name::parse(text).map(Self::Service),
            },
        }
    }
    fn repair(text: &str) -> Option<String> {
        lower(text.strip_prefix("service/").unwrap_or(text))
    }
    fn suggest(text: &str) -> Option<String> {
        Some(match text {
            "*" | "all" | "everyone" | "anyone" => "write `any`".to_owned(),
            _ if text.starts_with("spiffe://") => format!("an identity is written `{{ principal: {text} }}`"),
            _ => {
                let (kind, name) = text.split_once(['/', ':', '.', '='])?;
                match kind {
                    "gateway" | "gateways" | "gw" | "ingress" => format!("write `gateway/{name}`"),
                    "service" | "svc" | "services" | "app" | "sa" => format!("write `{name}`"),
                    "label" | "labels" => format!("write `{{ labels: {{ {name}: ... }} }}`"),
                    _ => format!("write the name of the service alone: `{kind}`"),
                }
            }
        })
    }
}
scalar!(Caller, "A caller: a service by name, `gateway/name`, `external` (no mesh identity) or `any`.",
    pattern: concat!("^(?:gateway/)?", label!(), "$"), length: 1..=71);
viewed!(Caller: Text, |caller| Data::text(&caller.to_string()));

/// As whom a test calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestCaller {
    /// A caller; `any` is nobody in particular and means a caller without a mesh identity, as `external` does.
    Caller(Caller),
    /// An identity in full.
    Principal(SpiffeId),
}

impl std::fmt::Display for TestCaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Caller(caller) => write!(f, "{caller}"),
            Self::Principal(id) => write!(f, "{id}"),
        }
    }
}

impl Scalar for TestCaller {
    const WHAT: &'static str = "a caller (a service, `gateway/name`, `external` or a SPIFFE identity)";
    fn parse(text: &str) -> Option<Self> {
        if text.starts_with("spiffe:") {
            return SpiffeId::parse(text).map(Self::Principal);
        }
        Caller::parse(text).map(Self::Caller)
    }
}
scalar!(TestCaller, "As whom a test calls: a service by name, `gateway/name`, `external`, or a SPIFFE identity.",
    pattern: concat!("^(?:(?:gateway/)?", label!(), r"|spiffe://[a-z0-9._-]{1,255}(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)+)$"), length: 1..=2048);
viewed!(TestCaller: Text, |caller| Data::text(&caller.to_string()));

/// The destination of requests: `orders`, `orders@v41`, `orders@stable`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The service, or an external one.
    pub service: Name,
    /// The version; without one, the service decides.
    pub version: Option<VersionRef>,
}

/// A version of a destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionRef {
    /// The stable version of the service's canary.
    Stable,
    /// The candidate of the service's canary.
    Candidate,
    /// One version by its name.
    Named(Name),
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            None => write!(f, "{}", self.service),
            Some(VersionRef::Stable) => write!(f, "{}@stable", self.service),
            Some(VersionRef::Candidate) => write!(f, "{}@candidate", self.service),
            Some(VersionRef::Named(version)) => write!(f, "{}@{version}", self.service),
        }
    }
}

impl Scalar for Destination {
    const WHAT: &'static str = "a destination like `orders` or `orders@v41`";
    fn parse(text: &str) -> Option<Self> {
        let (service, version) = match text.split_once('@') {
            None => (text, None),
            Some((service, "stable")) => (service, Some(VersionRef::Stable)),
            Some((service, "candidate")) => (service, Some(VersionRef::Candidate)),
            Some((service, version)) => (service, Some(VersionRef::Named(Name::parse(version)?))),
        };
        Some(Self { service: Name::parse(service)?, version })
    }
    fn repair(text: &str) -> Option<String> {
        lower(text.strip_prefix("service/").unwrap_or(text))
    }
    fn suggest(text: &str) -> Option<String> {
        if let Some((service, version)) = text.split_once([':', '/', '#']).filter(|_| !text.contains("://")) {
            // `orders:v2` of images; `orders:8080` of addresses.
            let port = version.bytes().all(|b| b.is_ascii_digit());
            let written =
                if port || version.is_empty() { service.to_owned() } else { format!("{service}@{version}") };
            if Self::parse(&written).is_some() {
                return Some(format!("write `{written}` (`service` or `service@version`)"));
            }
        }
        let written = crate::spec::habits::service(text).filter(|written| Self::parse(written).is_some())?;
        Some(format!("write `{written}`: a destination is a service of the mesh, or an External by its name"))
    }
    fn suggest_for(node: &crate::source::Node) -> Option<String> {
        let written = crate::spec::habits::destination(node).filter(|written| Self::parse(written).is_some());
        match written {
            Some(written) => Some(format!("write `{written}` (`service` or `service@version`)")),
            None => crate::spec::habits::shares(node).map(|shares| format!("write `{shares}`")),
        }
    }
}
scalar!(Destination, "A destination of requests: `orders`, `orders@v41`, `orders@stable` or `orders@candidate`.",
    pattern: concat!("^", label!(), "(?:@", label!(), ")?$"), length: 1..=127);
viewed!(Destination: Text, |to| Data::text(&to.to_string()));

/// The address of an object: `canary/orders`. Unique in a mesh.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Kind of the object.
    pub kind: Kind,
    /// Name of the object.
    pub name: Name,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.slug(), self.name)
    }
}

impl Scalar for Address {
    const WHAT: &'static str = "an address like `canary/orders`";
    const CODE: Code = codes::BAD_VALUE;
    fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        Some(Self { kind: Kind::from_slug(kind)?, name: Name::parse(name)? })
    }
    fn repair(text: &str) -> Option<String> {
        let (kind, name) = text.split_once('/')?;
        let slug = match crate::diag::restyled(kind, Kind::ALL.iter().map(|kind| kind.as_str())) {
            Some(word) => Kind::from_word(word)?.slug(),
            None => crate::diag::slip(kind, Kind::ALL.iter().map(|kind| kind.slug()))?,
        };
        Some(format!("{slug}/{}", name.to_ascii_lowercase().replace(['_', ' '], "-")))
    }
    fn suggest(text: &str) -> Option<String> {
        let mut parts = text.splitn(3, ['/', '.', '[']);
        if let (Some(kind), Some(name), Some(rest)) = (parts.next(), parts.next(), parts.next())
            && Kind::from_slug(&kind.to_ascii_lowercase()).is_some()
            && Name::parse(name).is_some()
        {
            let field = rest.split(['/', '.', '[', ']']).find(|part| !part.is_empty()).unwrap_or("field");
            let kind = kind.to_ascii_lowercase();
            // `route/orders/refund` is how reports call a part of an object.
            let list = match Kind::from_slug(&kind) {
                Some(Kind::Route) => Some("rules"),
                Some(Kind::Quota) => Some("limits"),
                Some(Kind::Test) => Some("cases"),
                _ => None,
            };
            let part = text.matches('/').count() > 1;
            if let Some(list) = list.filter(|list| part && field != *list) {
                return Some(format!(
                    "a part of a list goes by its name: `{kind}/{name}: {{ {list}: [{{ name: {field}, ... }}] }}`"
                ));
            }
            return Some(format!("fields stand below the address: `{kind}/{name}: {{ {field}: ... }}`"));
        }
        if let Some(kind) = Kind::from_slug(&text.to_ascii_lowercase()) {
            let kind = kind.slug();
            return Some(format!(
                "kind and name are one key, and fields stand below it: `{kind}/NAME: {{ ... }}`"
            ));
        }
        let name = text.rsplit(['/', '.']).next().unwrap_or(text);
        let kinds = Kind::ALL.map(Kind::slug).join(", ");
        let near = text
            .split_once(['/', '.'])
            .and_then(|(kind, _)| crate::diag::nearest(kind, Kind::ALL.iter().map(|kind| kind.slug())));
        Some(match near {
            Some(kind) => format!("write `{kind}/{name}`"),
            None => format!("write the kind before the name, as in `route/{name}`; kinds: {kinds}"),
        })
    }
}
scalar!(Address, "The address of an object, `kind/name`, such as `canary/orders` or `access/orders`.",
    pattern: concat!("^(?:mesh|service|route|canary|access|quota|resilience|identity|telemetry|policy|environment|external|test)/", label!(), "$"), length: 6..=75);
viewed!(Address: Text, |address| Data::text(&address.to_string()));

text! {
    /// A rule of a route: `edge/order-api`, or `orders/default` for the implicit rule of a service without a Route.
    pub struct RuleRef, "a rule like `edge/order-api`";
    pattern concat!("^", label!(), "/", label!(), "$"), length 3..=127,
    check |text| text.split_once('/').is_some_and(|(route, rule)| is_label(route) && is_label(rule)),
}

impl RuleRef {
    /// Name of the route and name of the rule.
    pub fn parts(&self) -> (&str, &str) {
        self.as_str().split_once('/').unwrap_or((self.as_str(), ""))
    }
}
