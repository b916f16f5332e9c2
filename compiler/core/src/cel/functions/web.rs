//! URLs and semantic versions, as in the libraries of Kubernetes.

use std::sync::Arc;

use super::{Fault, Function, Value, no_overload};
use crate::cel::value::Map;
use crate::diag::quoted;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "url",
        signatures: &["url(string) -> url"],
        doc: "An absolute URL, normalised as browsers do: scheme and host in lower case, no default port, no dots as path segments. An error for other texts and above 8 KiB.",
        call: |arguments| match arguments {
            [Value::String(text)] => match parse_url(text) {
                Some(url) => Ok(Value::Url(Arc::new(url))),
                None => Err(Fault::Invalid(format!("{} is not an absolute URL", quoted(text)))),
            },
            _ => Err(no_overload("url", arguments)),
        },
    },
    Function {
        name: "isURL",
        signatures: &["isURL(string) -> bool"],
        doc: "True if `url` takes the text.",
        call: |arguments| match arguments {
            [Value::String(text)] => Ok(Value::Bool(parse_url(text).is_some())),
            _ => Err(no_overload("isURL", arguments)),
        },
    },
    Function {
        name: "getScheme",
        signatures: &["url.getScheme() -> string"],
        doc: "The scheme, such as `https`.",
        call: |arguments| part("getScheme", arguments, |url| url.scheme().to_owned()),
    },
    Function {
        name: "getHost",
        signatures: &["url.getHost() -> string"],
        doc: "The host, with its port unless that is the default of the scheme, and brackets around an IPv6 address.",
        call: |arguments| {
            part("getHost", arguments, |url| match (url.host_str(), url.port()) {
                (Some(host), Some(port)) => format!("{host}:{port}"),
                (host, _) => host.unwrap_or_default().to_owned(),
            })
        },
    },
    Function {
        name: "getHostname",
        signatures: &["url.getHostname() -> string"],
        doc: "The host without port and brackets.",
        call: |arguments| {
            part("getHostname", arguments, |url| {
                let host = url.host_str().unwrap_or_default();
                host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned()
            })
        },
    },
    Function {
        name: "getPort",
        signatures: &["url.getPort() -> string"],
        doc: "The port as text, or the empty text where it is the default of the scheme or not said.",
        call: |arguments| {
            part("getPort", arguments, |url| url.port().map(|port| port.to_string()).unwrap_or_default())
        },
    },
    Function {
        name: "getEscapedPath",
        signatures: &["url.getEscapedPath() -> string"],
        doc: "The path, with its escapes; `/` where none is said.",
        call: |arguments| part("getEscapedPath", arguments, |url| url.path().to_owned()),
    },
    Function {
        name: "getQuery",
        signatures: &["url.getQuery() -> map(string, list(string))"],
        doc: "The parameters of the query, decoded, each with its values in order.",
        call: |arguments| match arguments {
            [Value::Url(url)] => query(url),
            _ => Err(no_overload("getQuery", arguments)),
        },
    },
    Function {
        name: "semver",
        signatures: &["semver(string) -> semver"],
        doc: "A semantic version (semver.org, 2.0.0) such as `1.2.3-rc.1`. An error for other texts.",
        call: |arguments| match arguments {
            [Value::String(text)] => match semver::Version::parse(text) {
                Ok(version) => Ok(Value::Semver(Arc::new(version))),
                Err(error) => {
                    Err(Fault::Invalid(format!("{} is not a semantic version: {error}", quoted(text))))
                }
            },
            _ => Err(no_overload("semver", arguments)),
        },
    },
    Function {
        name: "isSemver",
        signatures: &["isSemver(string) -> bool"],
        doc: "True if `semver` takes the text.",
        call: |arguments| match arguments {
            [Value::String(text)] => Ok(Value::Bool(semver::Version::parse(text).is_ok())),
            _ => Err(no_overload("isSemver", arguments)),
        },
    },
    Function {
        name: "major",
        signatures: &["semver.major() -> int"],
        doc: "The major version. An error where it is out of range.",
        call: |arguments| number("major", arguments, |version| version.major),
    },
    Function {
        name: "minor",
        signatures: &["semver.minor() -> int"],
        doc: "The minor version. An error where it is out of range.",
        call: |arguments| number("minor", arguments, |version| version.minor),
    },
    Function {
        name: "patch",
        signatures: &["semver.patch() -> int"],
        doc: "The patch version. An error where it is out of range.",
        call: |arguments| number("patch", arguments, |version| version.patch),
    },
    Function {
        name: "isLessThan",
        signatures: &["semver.isLessThan(semver) -> bool"],
        doc: "True if this version comes before the other one; build metadata does not count.",
        call: |arguments| match arguments {
            [Value::Semver(a), Value::Semver(b)] => Ok(Value::Bool(a.cmp_precedence(b).is_lt())),
            _ => Err(no_overload("isLessThan", arguments)),
        },
    },
    Function {
        name: "isGreaterThan",
        signatures: &["semver.isGreaterThan(semver) -> bool"],
        doc: "True if this version comes after the other one; build metadata does not count.",
        call: |arguments| match arguments {
            [Value::Semver(a), Value::Semver(b)] => Ok(Value::Bool(a.cmp_precedence(b).is_gt())),
            _ => Err(no_overload("isGreaterThan", arguments)),
        },
    },
    Function {
        name: "compareTo",
        signatures: &["semver.compareTo(semver) -> int"],
        doc: "-1, 0 or 1 if this version comes before, with or after the other one; build metadata does not count.",
        call: |arguments| match arguments {
            [Value::Semver(a), Value::Semver(b)] => Ok(Value::Int(a.cmp_precedence(b) as i64)),
            _ => Err(no_overload("compareTo", arguments)),
        },
    },
];

/// The longest URL; proxies take no longer ones in a request line.
const URL_BYTES: usize = 8 << 10;

fn parse_url(text: &str) -> Option<url::Url> {
    // The standard of browsers drops line ends and takes backslashes for slashes; in a spec both are mistakes.
    let odd = |c: char| c <= ' ' || c == '\u{7f}' || c == '\\';
    if text.len() > URL_BYTES || text.contains(odd) {
        return None;
    }
    url::Url::parse(text).ok()
}

fn part(name: &str, arguments: &[Value], of: fn(&url::Url) -> String) -> Result<Value, Fault> {
    match arguments {
        [Value::Url(url)] => Ok(Value::String(of(url).into())),
        _ => Err(no_overload(name, arguments)),
    }
}

fn query(url: &url::Url) -> Result<Value, Fault> {
    let mut parameters: Vec<(String, Vec<Value>)> = Vec::new();
    let mut pairs: Vec<_> = url.query_pairs().collect();
    // Stable: the values of one name keep their order.
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, value) in pairs {
        let value = Value::text(&value);
        match parameters.last_mut() {
            Some((last, values)) if *last == *name => values.push(value),
            _ => parameters.push((name.into_owned(), vec![value])),
        }
    }
    let mut map = Map::default();
    for (name, values) in parameters {
        map.insert(Value::String(name.into()), Value::list(values))?;
    }
    Ok(Value::Map(Arc::new(map)))
}

fn number(name: &str, arguments: &[Value], of: fn(&semver::Version) -> u64) -> Result<Value, Fault> {
    match arguments {
        [Value::Semver(version)] => i64::try_from(of(version)).map(Value::Int).map_err(|_| Fault::Overflow),
        _ => Err(no_overload(name, arguments)),
    }
}
