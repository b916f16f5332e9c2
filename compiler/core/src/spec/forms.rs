//! What to write where the shape of a value does not fit: a list where a map is due, text where a list is due, and the like.

use super::context::{Around, Cx, list};
use crate::source::{Key, Node, Value};

/// Longest written value that a help repeats, in bytes; anything longer is left to the reader.
const SHOWN: usize = 80;

/// A map with fixed fields, as messages about what is not one know it.
#[derive(Debug, Clone)]
pub struct RecordForm {
    pub(super) fields: Vec<FieldForm>,
    /// Groups of fields of which one must be there.
    pub(super) choices: Vec<&'static [&'static str]>,
}

/// A field of a map, or an item of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldForm {
    pub(super) key: &'static str,
    pub(super) required: bool,
    pub(super) is_list: bool,
    /// A value of it, in flow form.
    pub(super) example: fn() -> String,
    /// Whether it takes a value as it stands.
    pub(super) takes: fn(&Node, &Cx<'_>) -> bool,
    /// The map that it is, or whose list it is.
    pub(super) below: fn() -> Option<RecordForm>,
}

impl FieldForm {
    /// A value of it: one that fits the field where its type has many.
    pub(super) fn example(&self) -> String {
        let usual = match self.key {
            "stable" => "v1",
            "candidate" | "version" => "v2",
            "owner" | "approval" => "team-orders",
            "environment" | "environments" => "prod",
            "branch" => "main",
            "hold" => "10m",
            "timeout" => "5s",
            "window" => "1m",
            "interval" => "10s",
            "openFor" | "ejectFor" => "30s",
            "weight" => "10%",
            "gateway" => "public",
            _ => return (self.example)(),
        };
        let usual = usual.to_owned();
        if self.is_list { format!("[{usual}]") } else { usual }
    }
}

impl RecordForm {
    fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|field| field.key == key)
    }

    /// The map with what must be in it, in flow form; the value of `given` is what the author wrote.
    pub(super) fn example(&self, given: Option<(&str, &str)>) -> String {
        let key = given.map(|(key, _)| key);
        let chosen: Vec<&str> = self
            .choices
            .iter()
            .filter(|names| !names.iter().any(|name| Some(*name) == key))
            .filter_map(|names| names.first().copied())
            .collect();
        let shown = self
            .fields
            .iter()
            .filter(|field| Some(field.key) == key || field.required || chosen.contains(&field.key));
        let parts = shown.map(|field| match given {
            Some((key, value)) if key == field.key => format!("{key}: {value}"),
            _ => format!("{}: {}", field.key, field.example()),
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
    }
}

/// What to write where a list of these is due.
pub(super) fn instead_of_list(item: &FieldForm, node: &Node, cx: &Cx<'_>) -> Option<String> {
    let raw = short(node, cx);
    match &node.value {
        Value::Map(entries) => {
            let Some(record) = (item.below)() else {
                // `{ GET, HEAD }` has its words as keys, `{ stable: v41 }` as values.
                let values: Option<Vec<String>> = entries
                    .iter()
                    .map(|(_, value)| short(value, cx).filter(|text| !text.is_empty()))
                    .collect();
                let words =
                    values.unwrap_or_else(|| entries.iter().map(|(key, _)| key.text.to_string()).collect());
                return Some(format!("write a list: `[{}]`", words.join(", ")));
            };
            let (first, value) = entries.first()?;
            if let Some(bare) = first.text.strip_prefix('-') {
                return Some(format!("a blank follows the dash: `- {bare}: ...`"));
            }
            if entries.iter().any(|(key, _)| record.has(&key.text)) {
                let value = short(value, cx).map_or(String::new(), |value| format!(" {value}"));
                return Some(match raw.filter(|raw| raw.starts_with('{')) {
                    Some(raw) => format!("write it as a list of one: `[{raw}]`"),
                    None => format!("each entry of the list begins with a dash: `- {}:{value}`", first.text),
                });
            }
            let named = record.has("name") && entries.iter().all(|(_, value)| value.as_map().is_some());
            Some(if named {
                format!(
                    "the name is a field of the entry: write `- name: {}`, and its fields below",
                    first.text
                )
            } else {
                format!("write a list, as in `[{}]`", record.example(None))
            })
        }
        _ => {
            let raw = raw?;
            let parts: Vec<&str> = raw
                .trim_matches(['"', '\''])
                .split([',', ' '])
                .map(|part| part.trim().trim_start_matches('-'))
                .filter(|part| !part.is_empty())
                .collect();
            let everybody =
                matches!(raw.as_str(), "all" | "everyone" | "anyone" | "everybody" | "'*'" | "\"*\"");
            if everybody && (item.example)() == "web" {
                return Some("write `[any]`".to_owned());
            }
            if (item.takes)(node, cx) {
                return Some(format!("write a list: `[{raw}]`"));
            }
            if let Some(record) = (item.below)()
                && let Some(field) = record.fields.iter().find(|field| (field.takes)(node, cx))
            {
                return Some(format!("write a list, as in `[{}]`", record.example(Some((field.key, &raw)))));
            }
            if parts.len() > 1 && (item.below)().is_none() {
                return Some(format!("write a list: `[{}]`", parts.join(", ")));
            }
            Some(format!("write a list, as in `[{}]`", (item.example)()))
        }
    }
}

/// What to write where a map with fixed fields is due.
pub(super) fn instead_of_record(record: &RecordForm, node: &Node, cx: &Cx<'_>) -> Option<String> {
    if let Value::Seq(items) = &node.value {
        let field = record.fields.iter().find(|field| field.is_list && (field.takes)(node, cx));
        if let Some((field, raw)) = field.zip(short(node, cx)) {
            return Some(format!("write `{}`", record.example(Some((field.key, &raw)))));
        }
        let entry = items.first().and_then(|item| item.as_map()?.first());
        if let Some((key, value)) = entry.filter(|(key, _)| record.has(&key.text)) {
            let value = short(value, cx).map_or(String::new(), |value| format!(" {value}"));
            return Some(format!("this is one map, no list: write `{}:{value}` without the dash", key.text));
        }
        return Some(format!("write a map, as in `{}`", record.example(None)));
    }
    let raw = short(node, cx);
    // `name:web`, without the blank.
    if let Some((key, value)) = node.as_str().and_then(|text| text.split_once(':'))
        && record.has(key)
        && !value.is_empty()
    {
        return Some(format!("a blank follows the colon: `{key}: {value}`"));
    }
    // `https://shop.example/x` in parts.
    if let Some((scheme, rest)) = node.as_str().and_then(|text| text.split_once("://"))
        && record.has("scheme")
        && record.has("host")
    {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { String::new() } else { format!(", path: {path}") };
        return Some(format!("write `{{ scheme: {scheme}, host: {host}{path} }}`"));
    }
    let alone = Node { span: node.span, value: Value::Seq(vec![node.clone()]) };
    let written = |field: &FieldForm| -> Option<String> {
        let raw = raw.as_deref()?;
        if (field.takes)(node, cx) {
            return Some(format!("`{}`", record.example(Some((field.key, raw)))));
        }
        let list = field.is_list && (field.takes)(&alone, cx);
        list.then(|| format!("`{}`", record.example(Some((field.key, &format!("[{raw}]"))))))
    };
    // A field of a closed form says more than one that takes any name.
    let fields =
        |loose: bool| record.fields.iter().filter(move |field| TAKES_NAMES.contains(&field.key) == loose);
    let fitting = |loose: bool| -> Vec<String> {
        fields(loose).filter(|field| !TAKES_ANY.contains(&field.key)).filter_map(written).take(2).collect()
    };
    let taken = Some(fitting(false)).filter(|taken| !taken.is_empty()).unwrap_or_else(|| fitting(true));
    Some(if taken.is_empty() {
        format!("write a map, as in `{}`", record.example(None))
    } else {
        format!("write {}", taken.join(" or "))
    })
}

/// Fields that take any name, or any text of a word.
const TAKES_NAMES: &[&str] =
    &["service", "version", "quota", "reason", "gateway", "grpc", "rule", "approval"];

/// What to write in place of a number or truth where a map could say it; `None` where none of its fields takes it.
pub(super) fn longer(record: &RecordForm, node: &Node, cx: &Cx<'_>) -> Option<String> {
    if !matches!(node.value, Value::Int(_) | Value::Float(_) | Value::Bool(_)) {
        return None;
    }
    let raw = short(node, cx)?;
    let field = record.fields.iter().find(|field| (field.takes)(node, cx))?;
    Some(format!("write `{}`", record.example(Some((field.key, &raw)))))
}

/// Fields that take any text: that one fits says nothing.
const TAKES_ANY: &[&str] =
    &["owner", "description", "name", "when", "where", "require", "query", "body", "message"];

/// What to write where a map by names of the author's choice is due.
pub(super) fn instead_of_dict(key: &str, value: &FieldForm, node: &Node, cx: &Cx<'_>) -> Option<String> {
    let pair = |text: &str| -> Option<String> {
        let (key, value) = text.split_once('=').or_else(|| text.split_once(':'))?;
        Some(format!("{}: {}", key.trim(), value.trim()))
    };
    let pairs: Option<Vec<String>> = match &node.value {
        Value::Seq(items) => items
            .iter()
            .map(|item| match &item.value {
                Value::Text(text) => pair(&text.text),
                Value::Map(entries) => entry(entries, cx),
                _ => None,
            })
            .collect(),
        Value::Text(text) => text.text.split([',', ';']).map(pair).collect(),
        _ => None,
    };
    match pairs.filter(|pairs| !pairs.is_empty()) {
        Some(pairs) => Some(format!("names and values make a map: `{{ {} }}`", pairs.join(", "))),
        None => Some(format!("write a map, as in `{{ {}: {} }}`", example_of(key), (value.example)())),
    }
}

/// `name: value` of an entry that says `{ name: ..., value: ... }`, or that has one field alone.
fn entry(entries: &[(Key, Node)], cx: &Cx<'_>) -> Option<String> {
    let find =
        |names: &[&str]| entries.iter().find(|(key, _)| names.contains(&&*key.text)).map(|(_, node)| node);
    if let Some((name, value)) = find(&["name", "key", "header"]).zip(find(&["value", "exact", "regex"])) {
        return Some(format!("{}: {}", name.as_str()?, short(value, cx)?));
    }
    match entries {
        [(key, value)] => Some(format!("{}: {}", key.text, short(value, cx)?)),
        _ => None,
    }
}

/// What to write where a value in one word is due.
pub(super) fn instead_of_text(what: &str, fits: impl Fn(&str) -> bool, node: &Node, cx: &Cx<'_>) -> String {
    let one = |node: &Node| node.as_str().filter(|text| fits(text)).map(str::to_owned);
    match node.as_seq() {
        Some([only]) if one(only).is_some() => {
            format!("write one value, without the list: `{}`", short(only, cx).unwrap_or_default())
        }
        Some(several) if several.len() > 1 && several.iter().all(|item| one(item).is_some()) => {
            let first = several.first().and_then(|item| short(item, cx)).unwrap_or_default();
            format!(
                "there is room for one value here: write one entry around it for each, the first with `{first}`"
            )
        }
        _ => format!("write one value, as in `{}`", example_of(what)),
    }
}

/// What to write where `true` or `false` is due.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "enabled" | "enable" => Some(true),
        "false" | "no" | "off" | "n" | "disabled" | "disable" => Some(false),
        _ => None,
    }
}

/// Where a key would belong that is no field here: below a field of this map, or in a map around it.
pub(super) fn level(
    record: &RecordForm,
    key: &str,
    entries: &[(Key, Node)],
    around: &[Around],
) -> Option<String> {
    let below: Vec<&FieldForm> =
        record.fields.iter().filter(|field| (field.below)().is_some_and(|inner| inner.has(key))).collect();
    let there = |field: &&&FieldForm| entries.iter().any(|(other, _)| &*other.text == field.key);
    if let Some(field) = below.iter().find(there) {
        return Some(format!("`{key}` is a field of `{0}`: indent it below `{0}:`", field.key));
    }
    if let Some(outer) = around.iter().rev().find(|outer| outer.known.contains(&key)) {
        return Some(format!(
            "`{key}` is a field of {}: indent it less, beside the fields of that",
            outer.what
        ));
    }
    let (first, more) = below.split_first()?;
    if !more.is_empty() {
        let names: Vec<&str> = below.iter().map(|field| field.key).collect();
        return Some(format!("`{key}` is a field of {}: write it below one of them", list(&names)));
    }
    let inner = (first.below)()?;
    let value = inner.fields.iter().find(|field| field.key == key).map(FieldForm::example)?;
    let inner = inner.example(Some((key, &value)));
    let inner = if first.is_list { format!("[{inner}]") } else { inner };
    Some(format!("`{key}` is a field of `{0}`: write `{0}: {inner}`", first.key))
}

/// An example of a value in one word: the one that its description has.
pub(super) fn example_of(what: &str) -> String {
    let like = what.split_once("like `").and_then(|(_, rest)| rest.split_once('`'));
    match like {
        Some((example, _)) => example.to_owned(),
        None if what.starts_with("a name") => "orders".to_owned(),
        None if what.starts_with("a caller") => "web".to_owned(),
        None if what.contains("CEL") => "'request.method == \"GET\"'".to_owned(),
        None if what.contains("regular expression") => "'/v[0-9]+/.*'".to_owned(),
        None if what.starts_with("the name of a header") => "x-request-id".to_owned(),
        None if what.starts_with("the key of a label") => "tier".to_owned(),
        None if what.starts_with("the value of a label") => "critical".to_owned(),
        None if what.starts_with("a condition") => "connect-failure".to_owned(),
        None => "...".to_owned(),
    }
}

/// The bytes of a value, where they are few and on one line.
pub(super) fn short<'c>(node: &Node, cx: &Cx<'c>) -> Option<String> {
    let raw: &'c str = cx.raw(node.span).trim();
    (!raw.is_empty() && raw.len() <= SHOWN && !raw.contains('\n')).then(|| raw.to_owned())
}
