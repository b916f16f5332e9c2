//! Parts that are no conditions: texts, numbers, times, addresses.

use super::generator::{Generator, Local, Scope};
use super::node::{A, B, C, Node, Respelled, Ty};
use super::value::{COOKIES, HEADERS, Keyed, LABELS, LISTS, Likely, QUERY, Value, quoted};
use super::words;

const FIELDS: &[(&str, &[&str])] = &[
    ("request.method", words::METHODS),
    ("request.path", words::PATHS),
    ("request.host", words::HOSTS),
    ("request.scheme", words::SCHEMES),
    ("source.principal", words::PRINCIPALS),
    ("source.trustDomain", words::DOMAINS),
    ("source.service", words::SERVICES),
    ("source.ip", words::ADDRESSES),
    ("destination.service", words::SERVICES),
    ("connection.tlsVersion", words::VERSIONS),
    ("connection.sni", words::HOSTS),
];

impl Generator<'_> {
    pub(super) fn quoted(&mut self, text: &str) -> String {
        let way = self.random.below(4);
        quoted(text, way)
    }

    /// A constant that a text is likely to be.
    pub(super) fn literal(&mut self, likely: Likely) -> String {
        let words = match likely {
            Likely::Texts(words) => words,
            Likely::Ints(_) | Likely::Other => words::VALUES,
        };
        let word = self.word(words);
        self.quoted(word)
    }

    pub(super) fn keyed(&mut self) -> Keyed {
        match self.random.below(6) {
            0..3 => HEADERS,
            3 => QUERY,
            4 => COOKIES,
            _ => self.random.one(&LABELS).copied().unwrap_or(HEADERS),
        }
    }

    /// A test that a key is there.
    pub(super) fn present(&mut self, of: Keyed, key: &str) -> Node {
        let map = of.map;
        let quoted = self.quoted(key);
        if is_name(key) && self.random.chance(3) {
            return Node::bool(format!("has({map}.{key})"), Vec::new())
                .respelled(Respelled::Has, format!("({quoted} in {map})"));
        }
        Node::bool(format!("({quoted} in {map})"), Vec::new())
    }

    pub(super) fn text(&mut self, depth: usize, scope: &Scope) -> Value {
        if let Some(local) = self.local(scope, Ty::Text) {
            return local;
        }
        match self.random.below(if depth == 0 { 12 } else { 20 }) {
            0..4 => {
                let (field, words) = self.random.one(FIELDS).copied().unwrap_or_default();
                Value::new(Node::new(Ty::Text, field, Vec::new()), Likely::Texts(words))
            }
            4..9 => {
                let of = self.keyed();
                let key = self.word(of.keys);
                let field = is_name(key) && self.random.chance(2);
                let read = if field {
                    format!("{}.{key}", of.map)
                } else {
                    format!("{}[{}]", of.map, self.quoted(key))
                };
                let guard = self.present(of, key);
                let node = Node::new(Ty::Text, read, Vec::new());
                Value { needs: vec![guard], ..Value::new(node, Likely::Texts(words::VALUES)) }
            }
            9 if scope.bound => {
                let key = self.word(words::BOUND);
                Value::new(
                    Node::new(Ty::Text, format!("request.params.{key}"), Vec::new()),
                    Likely::Texts(words::VALUES),
                )
            }
            9 => self.proven(),
            10 | 11 => self.or_value(depth, scope),
            12 => self.mapped(depth, scope),
            13..17 => {
                let inner = self.text(depth - 1, scope);
                let likely = inner.likely;
                let view = self.word(&["lowerAscii", "upperAscii", "trim"]);
                Value::of(Ty::Text, format!("{A}.{view}()"), vec![inner], likely)
            }
            17 | 18 => self.either(Ty::Text, depth, scope, Self::text),
            _ => {
                let literal = self.literal(Likely::Other);
                Value::new(Node::new(Ty::Text, literal, Vec::new()), Likely::Texts(words::VALUES))
            }
        }
    }

    fn local(&mut self, scope: &Scope, ty: Ty) -> Option<Value> {
        let locals: Vec<&Local> = scope.locals.iter().filter(|local| local.ty == ty).collect();
        if locals.is_empty() || self.random.chance(3) {
            return None;
        }
        let local = self.random.one(&locals).copied()?;
        let node = Node::new(ty, local.name.clone(), Vec::new());
        Some(Value { raw: local.raw, ..Value::new(node, local.likely) })
    }

    fn either(
        &mut self,
        ty: Ty,
        depth: usize,
        scope: &Scope,
        make: fn(&mut Self, usize, &Scope) -> Value,
    ) -> Value {
        let condition = Value::new(self.condition(depth - 1, scope), Likely::Other);
        let (then, otherwise) = (make(self, depth - 1, scope), make(self, depth - 1, scope));
        let likely = then.likely;
        Value::of(ty, format!("({A} ? {B} : {C})"), vec![condition, then, otherwise], likely)
    }

    /// `m[?k]`, and how the reference reads what it stands for.
    fn optional(&mut self) -> (Keyed, String, String) {
        let of = self.keyed();
        let key = self.word(of.keys);
        let quoted = self.quoted(key);
        let optional = if is_name(key) && self.random.chance(2) {
            format!("{}.?{key}", of.map)
        } else {
            format!("{}[?{quoted}]", of.map)
        };
        (of, quoted, optional)
    }

    fn or_value(&mut self, depth: usize, scope: &Scope) -> Value {
        let (Keyed { map, .. }, key, optional) = self.optional();
        let other = if depth > 0 && self.random.chance(3) {
            self.text(depth - 1, scope)
        } else {
            let literal = self.literal(Likely::Other);
            Value::new(Node::new(Ty::Text, literal, Vec::new()), Likely::Other)
        };
        let likely = Likely::Texts(words::VALUES);
        let value = Value::of(Ty::Text, format!("{optional}.orValue({A})"), vec![other], likely);
        let node =
            value.node.respelled(Respelled::Optional, format!("({key} in {map} ? {map}[{key}] : {A})"));
        Value { node, ..value }
    }

    fn mapped(&mut self, depth: usize, scope: &Scope) -> Value {
        let (Keyed { map, .. }, key, optional) = self.optional();
        let name = self.name();
        let likely = Likely::Texts(words::VALUES);
        let local = Local { name: name.clone(), ty: Ty::Text, likely, raw: false };
        let body = self.text(depth - 1, &scope.with(local));
        let literal = self.literal(Likely::Other);
        let other = Value::new(Node::new(Ty::Text, literal, Vec::new()), Likely::Other);
        let form = format!("{optional}.optMap({name}, {A}).orValue({B})");
        let value = Value::of(Ty::Text, form, vec![body, other], likely);
        let plain = format!("({key} in {map} ? [{map}[{key}]].map({name}, {A})[0] : {B})");
        Value { node: value.node.respelled(Respelled::Optional, plain), ..value }
    }

    /// `m[?k].value()`, where `hasValue` was asked.
    fn proven(&mut self) -> Value {
        let (Keyed { map, .. }, key, optional) = self.optional();
        let node = Node::new(Ty::Text, format!("{optional}.value()"), Vec::new())
            .respelled(Respelled::Optional, format!("{map}[{key}]"));
        let guard = Node::bool(format!("{optional}.hasValue()"), Vec::new())
            .respelled(Respelled::Optional, format!("({key} in {map})"));
        Value { needs: vec![guard], ..Value::new(node, Likely::Texts(words::VALUES)) }
    }

    pub(super) fn int(&mut self, depth: usize, scope: &Scope) -> Value {
        if let Some(local) = self.local(scope, Ty::Int) {
            return local;
        }
        let leaf =
            |form: String, likely| Value::new(Node::new(Ty::Int, form, Vec::new()), Likely::Ints(likely));
        match self.random.below(if depth == 0 { 6 } else { 22 }) {
            0 => leaf("request.size".to_owned(), words::SIZES),
            1 => leaf("destination.port".to_owned(), words::PORTS),
            2 | 3 => {
                let list = self.list();
                let form = if self.random.chance(2) { format!("size({A})") } else { format!("{A}.size()") };
                Value::of(Ty::Int, form, vec![list], Likely::Ints(words::COUNTS))
            }
            4 => {
                let likely =
                    self.random.one(&[words::SIZES, words::LENGTHS]).copied().unwrap_or(words::LENGTHS);
                let value = self.random.one(likely).copied().unwrap_or(0);
                leaf(value.to_string(), likely)
            }
            5..8 => {
                let text = self.text(depth.saturating_sub(1), scope);
                let form = if self.random.chance(2) { format!("size({A})") } else { format!("{A}.size()") };
                Value::of(Ty::Int, form, vec![text], Likely::Ints(words::LENGTHS))
            }
            8..15 => {
                let time = self.time(depth - 1, scope);
                let part = self.word(&[
                    "getHours",
                    "getMinutes",
                    "getSeconds",
                    "getMilliseconds",
                    "getDate",
                    "getDayOfMonth",
                    "getMonth",
                    "getDayOfWeek",
                    "getDayOfYear",
                    "getFullYear",
                ]);
                let zone = if self.random.chance(2) {
                    String::new()
                } else {
                    format!("'{}'", self.word(words::ZONES))
                };
                Value::of(Ty::Int, format!("{A}.{part}({zone})"), vec![time], Likely::Ints(words::PARTS))
            }
            15 => {
                let ip = self.ip(depth - 1, scope);
                Value::of(Ty::Int, format!("{A}.family()"), vec![ip], Likely::Ints(words::FAMILIES))
            }
            16 | 17 => {
                let (a, b) = (self.int(depth - 1, scope), self.int(depth - 1, scope));
                let op = self.word(&["+", "-", "*"]);
                let likely = a.likely;
                Value::of(Ty::Int, format!("({A} {op} {B})"), vec![a, b], likely)
            }
            18 | 19 => {
                let of = self.int(depth - 1, scope);
                let op = self.word(&["/", "%"]);
                let by = self.random.one(&[1, 2, 3, 7, -2, 10, -1]).copied().unwrap_or(1);
                let likely = if op == "%" { Likely::Ints(words::COUNTS) } else { of.likely };
                Value::of(Ty::Int, format!("({A} {op} {by})"), vec![of], likely)
            }
            20 => {
                let of = self.int(depth - 1, scope);
                let likely = of.likely;
                Value::of(Ty::Int, format!("(-{A})"), vec![of], likely)
            }
            _ => self.either(Ty::Int, depth, scope, Self::int),
        }
    }

    /// The list of the values of a key.
    pub(super) fn list(&mut self) -> Value {
        let of = self.random.one(&LISTS).copied().unwrap_or(HEADERS);
        let key = self.word(of.keys);
        let field = is_name(key) && self.random.chance(2);
        let form =
            if field { format!("{}.{key}", of.map) } else { format!("{}[{}]", of.map, self.quoted(key)) };
        Value::new(Node::new(Ty::List, form, Vec::new()), Likely::Texts(words::VALUES))
    }

    pub(super) fn time(&mut self, depth: usize, scope: &Scope) -> Value {
        let leaf = |form: String| Value::new(Node::new(Ty::Time, form, Vec::new()), Likely::Other);
        match self.random.below(if depth == 0 { 4 } else { 9 }) {
            0..=3 => leaf("now".to_owned()),
            4 | 5 => {
                let (time, span) = (self.time(depth - 1, scope), self.span(depth - 1, scope));
                let form = match self.random.below(3) {
                    0 => format!("({A} + {B})"),
                    1 => format!("({B} + {A})"),
                    _ => format!("({A} - {B})"),
                };
                Value::of(Ty::Time, form, vec![time, span], Likely::Other)
            }
            6 => self.either(Ty::Time, depth, scope, Self::time),
            _ => {
                let (text, ..) = self.random.one(words::TIMES).copied().unwrap_or_default();
                leaf(format!("timestamp('{text}')"))
            }
        }
    }

    pub(super) fn span(&mut self, depth: usize, scope: &Scope) -> Value {
        let leaf = |form: String| Value::new(Node::new(Ty::Span, form, Vec::new()), Likely::Other);
        match self.random.below(if depth == 0 { 2 } else { 8 }) {
            2..5 => {
                let (a, b) = (self.time(depth - 1, scope), self.time(depth - 1, scope));
                Value::of(Ty::Span, format!("({A} - {B})"), vec![a, b], Likely::Other)
            }
            5 => {
                let (a, b) = (self.span(depth - 1, scope), self.span(depth - 1, scope));
                let op = self.word(&["+", "-"]);
                Value::of(Ty::Span, format!("({A} {op} {B})"), vec![a, b], Likely::Other)
            }
            6 => self.either(Ty::Span, depth, scope, Self::span),
            _ => leaf(format!("duration('{}')", self.word(words::SPANS))),
        }
    }

    pub(super) fn ip(&mut self, depth: usize, scope: &Scope) -> Value {
        match self.random.below(if depth == 0 { 4 } else { 7 }) {
            0..3 => Value::new(Node::new(Ty::Ip, "ip(source.ip)", Vec::new()), Likely::Other),
            3 => {
                let form = format!("ip('{}')", self.word(words::ADDRESSES));
                Value::new(Node::new(Ty::Ip, form, Vec::new()), Likely::Other)
            }
            4 => self.either(Ty::Ip, depth, scope, Self::ip),
            _ => {
                let text = self.text(depth - 1, scope);
                let guard = Node::bool(format!("isIP({A})"), vec![text.node.clone()]);
                let mut value = Value::of(Ty::Ip, format!("ip({A})"), vec![text], Likely::Other);
                value.needs.push(guard);
                value
            }
        }
    }
}

fn is_name(key: &str) -> bool {
    key.bytes().all(|b| b.is_ascii_alphanumeric())
}
