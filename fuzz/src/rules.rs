//! Texts of rules: out of fragments, and of well-typed programs that are then damaged; and what they are evaluated on.

use std::sync::Arc;

use mesh_bundle::expr::Instant;
use mesh_compiler::cel::Environment;
use mesh_compiler::cel::evaluate::Variables;
use mesh_compiler::cel::types::{Field, Record, Type};
use mesh_compiler::cel::value::{Map, Value};
use mesh_decision::{Connection, Request, Source};

use crate::cel::generate;
use crate::random::Random;

/// What rules and policies are made of.
const FRAGMENTS: &[&str] = &[
    "request", "source", "destination", "connection", "now", "self", "mesh", ".", ".?", "[", "[?", "]", "(", ")", "{", "}",
    ",", ":", "?", " && ", " || ", "!", "==", "!=", "<", "<=", ">", ">=", " in ", "+", "-", "*", "/", "%", "'", "\"",
    "r'", "b'", "'''", "\\", "\\u00e9", "\\U0001F600", "\\x", "\n", " ", "// c\n", "`", "x", "v", "i", "true", "false",
    "null", "0", "1", "9223372036854775807", "-9223372036854775808", "18446744073709551615u", "1.5", "1e308", ".5", "0x",
    "0xff", "2u", "headers", "headerValues", "query", "queryValues", "cookies", "cookieValues", "params", "method",
    "path", "host", "size", "labels", "principal", "ip", "port", "mtls", "name", "weights", "'x'", "'a'", "''", "'é'",
    "'10.0.0.1'", "'10.0.0.0/8'", "'1h'", "'2026-01-01T00:00:00Z'", "'^a.*b$'", "'(a{1,9}){1,9}'", "has(", "size(",
    "startsWith(", "endsWith(", "contains(", "matches(", "lowerAscii()", "upperAscii()", "trim()", "all(v, ",
    "exists(v, ", "exists_one(v, ", "map(v, ", "filter(v, ", "all(i, v, ", "transformList(i, v, ", "cel.bind(v, ",
    "orValue(", "hasValue()", "value()", "optMap(v, ", "optFlatMap(v, ", "optional.of(", "optional.none()",
    "sets.contains(", "sets.intersects(", "sets.equivalent(", "ip(", "isIP(", "cidr(", "containsIP(", "isLoopback()",
    "family()", "timestamp(", "duration(", "getHours(", "getDayOfWeek()", "getFullYear('+02:00')", "int(", "uint(",
    "double(", "string(", "bytes(", "bool(", "dyn(", "type(", "split(", "join(", "replace(", "substring(", "indexOf(",
    "charAt(", "reverse()", "format([", "quote(", "math.greatest(", "math.least(", "math.abs(", "math.bitShiftLeft(",
    "lists.range(", "distinct()", "flatten()", "sort()", "slice(", "sortBy(v, ", "first()", "url(", "semver(",
    "percent('10%')", "bytesize('1MiB')", "rate('50/s')", "request.headers['x']", "'x' in request.headers && ",
    "has(request.headers.x) && ", "request.headers[?'x'].orValue(", "request.headerValues['x'].exists(v, ",
    "request.path.startsWith('/a')", "request.size", "['a', 'b', 'c'].exists(v, ", "[1, 2, 3].all(v, ", "self.name",
    "self.weights", "self.labels", "self.?port", "self.weights.map(v, ", "v == ", "v.startsWith('a')",
];

/// The first byte says how the others are read: as the text, as numbers of fragments, or as damage to a program.
#[must_use]
pub fn text(data: &[u8]) -> Option<String> {
    let (kind, rest) = data.split_first()?;
    match kind % 3 {
        0 => Some(String::from_utf8_lossy(rest).into_owned()),
        1 => Some(rest.iter().map(|byte| fragment(*byte)).collect()),
        _ => {
            let (seed, damage) = rest.split_at_checked(3)?;
            let seed = seed.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte));
            let mut text = generate::program(&mut Random::new(seed)).node.source();
            for change in damage.chunks_exact(4).take(8) {
                let [what, high, low, with] = change else { continue };
                let mut at = usize::from(u16::from_be_bytes([*high, *low])) % (text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                match what % 3 {
                    0 => text.insert_str(at, fragment(*with)),
                    1 => text.truncate(at),
                    _ => {
                        let end = (at + usize::from(*with) % 16).min(text.len());
                        if text.is_char_boundary(end) {
                            text.replace_range(at..end, "");
                        }
                    }
                }
            }
            Some(text)
        }
    }
}

fn fragment(byte: u8) -> &'static str {
    FRAGMENTS.get(usize::from(byte) % FRAGMENTS.len()).copied().unwrap_or_default()
}

/// Rules to begin with.
pub fn seeds() -> impl Iterator<Item = Vec<u8>> {
    let texts = [
        "request.method == 'GET' && request.path.startsWith('/a')",
        "'x' in request.headers && request.headers['x'].matches('^a.*b$')",
        "self.weights.map(v, v * 2).exists(i, v, i > 1 && v == 4) && has(self.port)",
        "cidr('10.0.0.0/8').containsIP(source.ip) || now.getHours('+02:00') < 6",
    ];
    let plain = texts.map(|text| [&[0], text.as_bytes()].concat());
    let all: Vec<u8> = std::iter::once(1).chain(0..=255).collect();
    let damaged = (0..32_u8).map(|seed| vec![2, 0, 0, seed, 0, 0, seed, seed]);
    plain.into_iter().chain([all]).chain(damaged)
}

/// An environment as policies have one, with every type in it.
#[must_use]
pub fn object() -> Environment {
    let fields = vec![
        Field::new("name", Type::String, "its name"),
        Field::new("port", Type::Int, "its port").optional(),
        Field::new("labels", Type::map(Type::String, Type::String), "its labels"),
        Field::new("weights", Type::list(Type::Int), "its weights"),
        Field::new("claims", Type::map(Type::String, Type::Dyn), "anything"),
        Field::new("since", Type::Timestamp, "when it was made"),
    ];
    let own = Type::Record(Arc::new(Record { name: "self".to_owned(), fields }));
    Environment::new().with(Field::new("self", own, "the object")).with(Field::new("v", Type::Dyn, "anything"))
}

/// The values of [`object`].
pub struct Object;

impl Variables for Object {
    fn get(&self, name: &str) -> Option<Value> {
        let map = |fields: Vec<(&str, Value)>| Value::Map(Arc::new(fields.into_iter().collect::<Map>()));
        match name {
            "self" => Some(map(vec![
                ("name", Value::text("orders")),
                ("labels", map(vec![("team", Value::text("shop")), ("x", Value::text(""))])),
                ("weights", Value::list([1, 2, i64::MAX].map(Value::Int))),
                ("claims", map(vec![("x", Value::Double(f64::NAN)), ("a", Value::Null)])),
                ("since", Value::Timestamp(1_767_225_600_000_000_000)),
            ])),
            "v" => Some(Value::list([Value::Int(1), Value::text("a"), Value::Null])),
            _ => None,
        }
    }
}

/// Calls `each` with requests, and whether everything in them is there once and is text.
pub fn requests(mut each: impl FnMut(&Request<'_>, bool)) {
    let long = "ab".repeat(30_000);
    let many: Vec<(&str, &[u8])> = vec![("x", b"a"); 100];
    let cookies = "a=b; ".repeat(64);
    let lines: [(&[(&str, &[u8])], bool); 7] = [
        (&[], true),
        (&[("x", b"a,b"), ("cookie", b"sid=1; role=a")], true),
        (&[("x", long.as_bytes())], true),
        (&[("x", b"1"), ("x", b"2"), ("cookie", b"a=1; a=2; sid=1; sid=2")], false),
        (&[("x", b"\xff"), ("accept", b"a\xc3")], false),
        (&many, false),
        (&[("cookie", cookies.as_bytes())], false),
    ];
    let query = "x=%C3%A9&".repeat(100);
    for (headers, clean) in lines {
        let headers = headers.to_vec();
        for (path, query, sound) in
            [("/orders/1/items/%20", "", true), ("/", "x=1&x=2&%ff=%zz&x&q=%", false), (&long, &query, false)]
        {
            let request = Request {
                method: "GET",
                scheme: "https",
                host: "shop.example",
                path,
                query,
                headers: &headers,
                size: Some(u64::MAX),
                source: Source { principal: "spiffe://shop.example/prod/web", owner: None, ip: "10.0.0.1" },
                connection: Connection { mtls: true, tls_version: "1.3", sni: "shop.example" },
                now: Instant::new(1_781_524_800, 500_000_000).unwrap_or_default(),
                picks: &0,
            };
            each(&request, clean && sound);
        }
    }
}
