//! Paths, headers, expressions and other checked texts.

use super::{scalar, text, viewed};
use crate::diag::{Sources, Span};
use crate::source::{Node, Text, TextMap, Value};
use crate::spec::context::Cx;
use crate::spec::decode::Decode;
use crate::spec::scalar::{Scalar, decode};
use crate::spec::view::Data;

/// A text in another language, with the style that it was written in, so that findings inside of it have exact places.
macro_rules! written {
    (
        $(#[doc = $doc:literal])*
        pub struct $Name:ident of $Source:ty, length $min:literal ..= $max:literal;
        schema $about:literal;
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $Name(Text);

        impl $Name {
            /// The text, without quotes and escapes of YAML.
            pub fn as_str(&self) -> &str {
                &self.0.text
            }

            /// From offsets in the text to bytes of the file; `span` is the place of the whole value.
            pub fn map(&self, sources: &Sources, span: Span) -> TextMap {
                TextMap::new(sources, span, &self.0)
            }
        }

        viewed!($Name: Text, |text| Data::text(text.as_str()));

        impl Decode for $Name {
            fn example() -> String {
                crate::spec::forms::example_of(<$Source>::WHAT)
            }
            fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
                let _: $Source = decode(node, cx)?;
                match &node.value {
                    Value::Text(text) => Some(Self(text.clone())),
                    _ => None,
                }
            }
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $about, "type": "string", "minLength": $min, "maxLength": $max,
                })
            }
        }
    };
}

/// A character of a path segment (RFC 3986 `pchar` without `*`), or an escape; as a pattern.
macro_rules! pchar {
    () => {
        "(?:[A-Za-z0-9._~!$&'()+,;=:@-]|%[0-9A-Fa-f]{2})"
    };
}

text! {
    /// A path to match: `/a` exactly; `/a/*` is `/a` and all below it; `{id}` is one segment. No query, no dot
    /// segments, no repeated slashes; characters outside of RFC 3986 are written as escapes.
    pub struct PathText, "a path like `/orders`, `/orders/*` or `/orders/{id}`";
    pattern concat!(
        "^(?:/(?!\\.{1,2}(?:/|$))(?:", pchar!(), "+|\\{[A-Za-z][A-Za-z0-9_]*\\}))*(?:/\\*?)?$"
    ), length 1..=2048,
    check is_path,
    repair |text| (!text.starts_with(['/', '$', '%', '{', '~', '^'])).then(|| format!("/{text}")),
    suggest |text| super::path_habits::suggest(text, is_path),
}

impl PathText {
    /// The literal part before `/*`, without its slash, if the path ends so.
    pub fn prefix(&self) -> Option<&str> {
        self.as_str().strip_suffix("/*")
    }
}

fn is_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else {
        return false;
    };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let good = match segment {
            "" | "*" => last,
            _ => match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                Some(name) => {
                    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
                        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                }
                None => is_segment(segment),
            },
        };
        if !good {
            return false;
        }
    }
    true
}

fn is_segment(segment: &str) -> bool {
    if matches!(segment, "" | "." | "..") {
        return false;
    }
    let mut bytes = segment.bytes();
    while let Some(b) = bytes.next() {
        let good = match b {
            b'%' => {
                let (high, low) = (bytes.next(), bytes.next());
                high.zip(low).is_some_and(|(h, l)| h.is_ascii_hexdigit() && l.is_ascii_hexdigit())
            }
            _ => b.is_ascii_alphanumeric() || b"._~!$&'()+,;=:@-".contains(&b),
        };
        if !good {
            return false;
        }
    }
    true
}

text! {
    /// A path as it is: no `*`, no `{id}`.
    pub struct PathLiteral, "a path like `/orders`";
    pattern concat!("^(?:/(?!\\.{1,2}(?:/|$))", pchar!(), "+)*/?$"), length 1..=2048,
    check is_literal,
    repair |text| (!text.starts_with(['/', '$', '%', '{', '~', '^'])).then(|| format!("/{text}")),
}

fn is_literal(text: &str) -> bool {
    text.strip_prefix('/').is_some_and(|rest| {
        let mut segments = rest.split('/').peekable();
        std::iter::from_fn(|| segments.next().map(|s| (s, segments.peek().is_none())))
            .all(|(segment, last)| (segment.is_empty() && last) || is_segment(segment))
    })
}

text! {
    /// The text that a path begins with, as it is: no `*`, no `{id}`, escapes in full. Its last segment may go on.
    pub struct PathPrefix, "the beginning of a path like `/orders`";
    pattern concat!("^(?:/(?!\\.{1,2}/)", pchar!(), "+)*/", pchar!(), "*$"), length 1..=2048,
    // Whatever follows, the text begins a path that ends in a letter.
    check |text| text.starts_with('/') && is_literal(&format!("{text}x")),
    repair |text| (!text.starts_with(['/', '$', '%', '{', '~', '^'])).then(|| format!("/{text}")),
}

fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&b)
}

text! {
    /// The name of a header field, in lower case (RFC 9110 section 5.1; lower case as in HTTP/2 and in CEL).
    pub struct HeaderName, "the name of a header, in lower case";
    pattern "^[a-z0-9!#$%&'*+.^_`|~-]+$", length 1..=256,
    check |text| text.bytes().all(|b| is_token_byte(b) && !b.is_ascii_uppercase()),
    repair |text| Some(text.to_ascii_lowercase()),
}

text! {
    /// The value of a header field: visible ASCII with spaces and tabs inside (RFC 9110 section 5.5).
    pub struct HeaderValue, "the value of a header (visible ASCII)";
    pattern r"^(?:[!-~](?:[ -~\t]*[!-~])?)?$", length 0..=8192,
    check |text| {
        let bytes = text.as_bytes();
        let visible = |b: &u8| (b'!'..=b'~').contains(b);
        bytes.first().is_none_or(visible) && bytes.last().is_none_or(visible)
            && bytes.iter().all(|b| visible(b) || matches!(b, b' ' | b'\t'))
    },
    repair |text| Some(text.trim().to_owned()),
}

text! {
    /// A method: any token, upper and lower case differ (RFC 9110 section 9.1).
    pub struct MethodToken, "a method like `GET`";
    pattern "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", length 1..=64,
    check |text| text.bytes().all(is_token_byte),
}

impl MethodToken {
    /// The methods that may be repeated whatever happened: the idempotent ones (RFC 9110 section 9.2.2).
    pub fn idempotent() -> [Self; 6] {
        ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"].map(|method| Self(method.into()))
    }
}

text! {
    /// The name of a cookie: a token, upper and lower case differ (RFC 6265 section 4.1.1).
    pub struct CookieName, "the name of a cookie";
    pattern "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", length 1..=256,
    check |text| text.bytes().all(is_token_byte),
}

text! {
    /// A text that is not empty.
    pub struct Prose, "text";
    pattern "", length 1..=8192,
    check |_| true,
}

text! {
    /// A reason, for readers: a text that is not blank.
    pub struct Reason, "a reason in words";
    pattern r"\S", length 1..=8192,
    check |text| !text.trim().is_empty(),
}

text! {
    /// Any text, also an empty one.
    pub struct AnyText, "text";
    pattern "", length 0..=65536,
    check |_| true,
}

impl AnyText {
    /// The empty text.
    pub fn empty() -> Self {
        Self("".into())
    }
}

text! {
    /// The text of a regular expression.
    pub struct RegexSource, "a regular expression";
    pattern "", length 1..=4096,
    check |_| true,
}

written! {
    /// A regular expression in the RE2 dialect with ASCII classes, for the whole text.
    pub struct RegexText of RegexSource, length 1..=4096;
    schema "A regular expression in the RE2 dialect with ASCII classes, for the whole text.";
}

text! {
    /// An HTTP or HTTPS address.
    pub struct Url, "a URL like `https://id.example/keys`";
    pattern "^https?://[A-Za-z0-9.:\\[\\]-]+(?:[/?][!-~]*)?$", length 8..=2048,
    check |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        rest.is_some_and(is_authority_and_path)
    },
}

fn is_authority_and_path(text: &str) -> bool {
    let authority = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || b".:[]-".contains(b)).count();
    let rest = text.as_bytes().get(authority..).unwrap_or_default();
    authority > 0
        && rest.first().is_none_or(|b| matches!(b, b'/' | b'?'))
        && rest.iter().all(|b| (b'!'..=b'~').contains(b))
}

text! {
    /// A path of a file in the repository, relative to the mesh folder; never outside of it.
    pub struct RelPath, "a path of a file in the mesh folder";
    pattern r"^(?!\.{1,2}(?:/|$))[A-Za-z0-9._@+-]+(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._@+-]+)*$", length 1..=1024,
    check |text| is_rel_path(text, ""),
}

text! {
    /// Files of the mesh folder: a relative path in which `*` is any part of a segment and `**` any segments.
    pub struct Glob, "files like `services/web/**`";
    pattern r"^(?!\.{1,2}(?:/|$))[A-Za-z0-9._@+*-]+(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._@+*-]+)*$", length 1..=1024,
    check |text| is_rel_path(text, "*"),
}

fn is_rel_path(text: &str, more: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c) || more.contains(c);
    text.split('/').all(|s| !matches!(s, "" | "." | "..") && s.chars().all(good))
}

text! {
    /// A git branch or full reference name (git-check-ref-format, without its rarer characters).
    pub struct BranchName, "the name of a branch";
    pattern r"^(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|[./]$))(?!0{40}$)[A-Za-z0-9][A-Za-z0-9._/-]*$", length 1..=255,
    check |text| {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-');
        text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && text.bytes().all(good)
            && text.split('/').all(|s| !s.is_empty() && !s.starts_with('.') && !s.ends_with(".lock"))
            && !text.contains("..") && !text.ends_with('.')
            && !(text.len() == 40 && text.bytes().all(|b| b == b'0'))
    },
}

text! {
    /// The path of identities: `/{environment}/{service}` unless said otherwise; `{env}` and `{service}` are filled in.
    pub struct IdentityPath, "a template like `/ns/{env}/sa/{service}`";
    pattern r"^(?:/(?:[A-Za-z0-9._-]|\{(?:env|service)\})+)+$", length 2..=1024,
    check |text| {
        text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(|segment| {
            let filled = segment.replace("{env}", "x").replace("{service}", "x");
            !filled.is_empty() && filled.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        }))
    },
}

impl Default for IdentityPath {
    fn default() -> Self {
        Self("/{env}/{service}".into())
    }
}

text! {
    /// The address of the endpoints of a service: `{service}.prod.internal:{port}`.
    pub struct EndpointPattern, "a pattern of `{service}` and `{port}` like `{service}.prod.internal:{port}`";
    pattern r"^(?:[a-z0-9._-]|\{service\})+:(?:\{port\}|[1-9][0-9]{0,4})$", length 3..=512,
    check |text| is_endpoint_pattern(text, &["{service}"]),
}

text! {
    /// The address of the endpoints of one version: `{service}-{version}.prod.internal:{port}`.
    pub struct VersionPattern, "a pattern of `{service}`, `{version}` and `{port}` like `{service}-{version}.prod.internal:{port}`";
    pattern r"^(?:[a-z0-9._-]|\{service\}|\{version\})+:(?:\{port\}|[1-9][0-9]{0,4})$", length 3..=512,
    check |text| is_endpoint_pattern(text, &["{service}", "{version}"]),
}

fn is_endpoint_pattern(text: &str, holes: &[&str]) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let number =
        (1..=5).contains(&port.len()) && !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    let mut host = host.to_owned();
    for hole in holes {
        host = host.replace(hole, "x");
    }
    (number || port == "{port}")
        && !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

text! {
    /// The text of a CEL expression.
    pub struct CelSource, "a CEL expression";
    pattern "", length 1..=65536,
    check |_| true,
}

written! {
    /// A CEL expression.
    pub struct CelText of CelSource, length 1..=65536;
    schema "A CEL expression that gives true or false.";
}

/// A request of a test: `POST https://shop.example/api/orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Send {
    method: MethodToken,
    url: Url,
}

impl Send {
    /// Method of the request.
    pub fn method(&self) -> &MethodToken {
        &self.method
    }

    /// URL of the request.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Scalar for Send {
    const WHAT: &'static str = "a request like `GET https://shop.example/`";
    fn parse(text: &str) -> Option<Self> {
        let (method, url) = text.split_once(' ')?;
        Some(Self { method: MethodToken::parse(method)?, url: Url::parse(url)? })
    }
    fn repair(text: &str) -> Option<String> {
        let mut words = text.split_whitespace();
        let (method, url) = (words.next()?, words.next()?);
        words.next().is_none().then(|| format!("{method} {url}"))
    }
    fn suggest(text: &str) -> Option<String> {
        let text = text.trim();
        if Url::parse(text).is_some() {
            return Some(format!("the method comes first: `GET {text}`"));
        }
        let (method, path) = text.split_once(' ').unwrap_or(("GET", text));
        let path = path.strip_prefix('/').filter(|path| !path.contains(' '))?;
        Some(format!("write the method and the whole URL: `{method} https://shop.example/{path}`"))
    }
}
scalar!(Send, "A request: method and URL, such as `POST https://shop.example/api/orders`.",
    pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64} https?://[A-Za-z0-9.:\\[\\]-]+(?:[/?][!-~]*)?$", length: 10..=2113);
viewed!(Send: Text, |send| Data::text(&format!("{} {}", send.method, send.url)));

/// A condition on which a try counts as failed and may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// No connection could be made.
    ConnectFailure,
    /// The server refused the HTTP/2 stream before processing it.
    RefusedStream,
    /// The connection or stream was reset before the response head.
    Reset,
    /// The try took longer than `perTryTimeout`.
    Timeout,
    /// This HTTP status, 400 to 599.
    Status(u16),
    /// Any status from 500 to 599: `5xx`.
    ServerError,
    /// 502, 503 or 504.
    GatewayError,
    /// This gRPC status code.
    Grpc(u8),
}

const GRPC: [(&str, u8); 8] = [
    ("cancelled", 1),
    ("unknown", 2),
    ("deadline-exceeded", 4),
    ("resource-exhausted", 8),
    ("aborted", 10),
    ("internal", 13),
    ("unavailable", 14),
    ("data-loss", 15),
];

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ConnectFailure => f.write_str("connect-failure"),
            Self::RefusedStream => f.write_str("refused-stream"),
            Self::Reset => f.write_str("reset"),
            Self::Timeout => f.write_str("timeout"),
            Self::Status(status) => write!(f, "{status}"),
            Self::ServerError => f.write_str("5xx"),
            Self::GatewayError => f.write_str("gateway-error"),
            Self::Grpc(code) => match GRPC.iter().find(|(_, known)| known == code) {
                Some((name, _)) => write!(f, "grpc-{name}"),
                None => write!(f, "grpc-{code}"),
            },
        }
    }
}

impl Scalar for Condition {
    const WHAT: &'static str = "a condition (`connect-failure`, `refused-stream`, `5xx`, `gateway-error`, a status like `\"503\"`, `reset`, `timeout`, or `grpc-unavailable` and the like)";
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "connect-failure" => Self::ConnectFailure,
            "refused-stream" => Self::RefusedStream,
            "reset" => Self::Reset,
            "timeout" => Self::Timeout,
            "5xx" => Self::ServerError,
            "gateway-error" => Self::GatewayError,
            _ => match text.strip_prefix("grpc-") {
                Some(name) => Self::Grpc(GRPC.iter().find(|(known, _)| *known == name)?.1),
                None if text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit()) => {
                    Self::Status(text.parse().ok().filter(|status| (400..600).contains(status))?)
                }
                None => return None,
            },
        })
    }
    fn repair(text: &str) -> Option<String> {
        let grpc: Vec<String> = GRPC.iter().map(|(name, _)| format!("grpc-{name}")).collect();
        let words = ["connect-failure", "refused-stream", "reset", "timeout", "5xx", "gateway-error"];
        crate::diag::slip(text, words.into_iter().chain(grpc.iter().map(String::as_str))).map(str::to_owned)
    }
}
scalar!(Condition, "A condition on which a try may be repeated: `connect-failure`, `refused-stream`, `reset`, `timeout`, a status from `\"400\"` to `\"599\"`, a class of them, `5xx` or `gateway-error` (502, 503, 504), or a gRPC status such as `grpc-unavailable`.",
    pattern: "^(?:connect-failure|refused-stream|reset|timeout|5xx|gateway-error|[45][0-9]{2}|grpc-(?:cancelled|unknown|deadline-exceeded|resource-exhausted|aborted|internal|unavailable|data-loss))$", length: 3..=24);
viewed!(Condition: Text, |condition| Data::text(&condition.to_string()));
