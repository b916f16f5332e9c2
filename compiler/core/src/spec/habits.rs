//! Destinations and paths as other tools write them: the text that says the same here.

use crate::source::{Node, Value};

/// `orders@v2` of `{ host: orders, subset: v2 }` and its kin, also one level down.
pub(super) fn destination(node: &Node) -> Option<String> {
    let entries = match &node.value {
        Value::Map(entries) => entries,
        Value::Seq(items) => return items.first().filter(|_| items.len() == 1).and_then(destination),
        Value::Text(text) => return service(&text.text),
        _ => return None,
    };
    let find =
        |names: &[&str]| entries.iter().find(|(key, _)| names.contains(&&*key.text)).map(|(_, node)| node);
    let host = find(&[
        "host",
        "service",
        "name",
        "cluster",
        "destination",
        "backend",
        "upstream",
        "to",
        "serviceName",
    ])?;
    let name = match &host.value {
        Value::Text(text) => service(&text.text)?,
        _ => return destination(host),
    };
    let version = find(&["subset", "version", "tag"]).map(|node| match &node.value {
        Value::Text(text) => text.text.to_string(),
        Value::Int(number) => format!("v{number}"),
        _ => String::new(),
    });
    Some(match version.filter(|version| !version.is_empty()) {
        Some(version) => format!("{name}@{version}"),
        None => name,
    })
}

/// `[{ to: orders@v1, weight: 90% }, ...]` of `{ orders@v1: 90%, ... }`.
pub(super) fn shares(node: &Node) -> Option<String> {
    let share = |(key, value): &(crate::source::Key, Node)| {
        let weight = match &value.value {
            Value::Text(text) if text.text.ends_with('%') => text.text.to_string(),
            Value::Int(number) => format!("{number}%"),
            _ => return None,
        };
        Some(format!("{{ to: {}, weight: {weight} }}", service_and_version(&key.text)?))
    };
    let shares: Option<Vec<String>> = node.as_map()?.iter().map(share).collect();
    shares.filter(|shares| !shares.is_empty()).map(|shares| format!("[{}]", shares.join(", ")))
}

fn service_and_version(text: &str) -> Option<String> {
    let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'@'));
    (fits && !text.is_empty()).then(|| text.to_owned())
}

/// The service of `orders.prod.svc.cluster.local:8080`, `http://orders` or `svc/orders`.
pub(super) fn service(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.strip_prefix("svc/").or_else(|| rest.strip_prefix("service/")).unwrap_or(rest);
    let name = rest.split(['/', ':', '.']).next().unwrap_or(rest).to_ascii_lowercase().replace('_', "-");
    let fits =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'@'));
    fits.then_some(name)
}

/// `/api/*` of `{ prefix: /api }`, `{ type: PathPrefix, value: /api }` and their kin.
pub(super) fn path(node: &Node) -> Option<String> {
    let prefix = |text: &str| format!("{}/*", text.trim_end_matches('/'));
    let regex = |text: &str| format!("{{ regex: '{}' }}", text.replace('\'', "''"));
    if let Some(text) = node.as_str() {
        return Some(text.to_owned());
    }
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    if let Some(value) = text("value").or_else(|| text("path")) {
        return Some(match text("type").unwrap_or_default() {
            "PathPrefix" | "Prefix" | "prefix" => prefix(value),
            "RegularExpression" | "Regex" | "regex" => regex(value),
            _ => value.to_owned(),
        });
    }
    let exact = text("exact").map(str::to_owned);
    let below = text("prefix").or_else(|| text("pathPrefix")).map(prefix);
    exact.or(below).or_else(|| text("regex").or_else(|| text("safeRegex")).map(regex))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Sources;
    use crate::source::parse;

    fn node(text: &str) -> Node {
        let (_, parsed) = parse(&mut Sources::new(), "a.yaml", format!("it: {text}\n").as_bytes());
        parsed.documents.first().and_then(|document| document.root.get("it")).cloned().unwrap()
    }

    #[test]
    fn destinations() {
        for (text, here) in [
            ("{ host: orders, subset: v2 }", "orders@v2"),
            ("{ destination: { host: orders.prod.svc.cluster.local, port: { number: 80 } } }", "orders"),
            ("[{ name: orders, port: 8080 }]", "orders"),
            ("http://orders:8080", "orders"),
        ] {
            assert_eq!(destination(&node(text)).as_deref(), Some(here), "{text}");
        }
        assert_eq!(destination(&node("{ weight: 5 }")), None);
    }

    #[test]
    fn paths() {
        for (text, here) in [
            ("{ type: PathPrefix, value: /api }", "/api/*"),
            ("{ prefix: /api/ }", "/api/*"),
            ("{ exact: /api }", "/api"),
            ("{ safeRegex: '/v[12]' }", "{ regex: '/v[12]' }"),
        ] {
            assert_eq!(path(&node(text)).as_deref(), Some(here), "{text}");
        }
    }
}
