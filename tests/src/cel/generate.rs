//! Conditions: typed, a few levels deep, and with the guards that their reads need.

use super::generator::{Generator, Local, Scope};
use super::node::{A, B, C, Node, Respelled, Ty, place};
use super::value::{HEADERS, LISTS, Likely, Value, quoted};
use super::words;
use crate::random::Random;

/// How deep a program is.
const DEPTH: usize = 5;

/// A generated program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its condition.
    pub node: Node,
    /// The rule's path binds [`super::samples::PATTERN`].
    pub bound: bool,
}

/// A program. Most pass the checker; some few lack a guard, or leave the range of their type.
#[must_use]
pub fn program(random: &mut Random) -> Generated {
    let bound = random.chance(6);
    let depth = 1 + random.below(DEPTH);
    let mut generator = Generator::new(random);
    let node = generator.condition(depth, &Scope { locals: Vec::new(), each: false, bound });
    Generated { node, bound }
}

/// The names that [`super::samples::PATTERN`] binds.
#[must_use]
pub fn bound() -> &'static [&'static str] {
    words::BOUND
}

impl Generator<'_> {
    /// A condition with all guards that it needs.
    pub(super) fn condition(&mut self, depth: usize, scope: &Scope) -> Node {
        if depth == 0 {
            let atom = self.atom(0, scope);
            return self.guarded(vec![atom], 0, scope);
        }
        match self.random.below(14) {
            0..2 => {
                let parts = (0..2 + self.random.below(3)).map(|_| self.condition(depth - 1, scope)).collect();
                Node::chain(" && ", parts)
            }
            2..4 => {
                let parts = (0..2 + self.random.below(3)).map(|_| self.condition(depth - 1, scope)).collect();
                Node::chain(" || ", parts)
            }
            4 | 5 => {
                let inner = self.condition(depth - 1, scope);
                Node::bool(format!("!({A})"), vec![inner])
            }
            6 => {
                let parts = (0..3).map(|_| self.condition(depth - 1, scope)).collect();
                Node::bool(format!("({A} ? {B} : {C})"), parts)
            }
            7 => {
                let parts = vec![self.condition(depth - 1, scope), self.condition(depth - 1, scope)];
                let op = self.word(&["==", "!=", "<", ">="]);
                Node::bool(format!("({A} {op} {B})"), parts)
            }
            8 => {
                let inner = self.condition(depth - 1, scope);
                let form = self.word(&[
                    "({} == true)",
                    "(false == {})",
                    "({} != false)",
                    "({} in [true])",
                    "(true && {})",
                ]);
                Node::bool(form.replace("{}", &A.to_string()), vec![inner])
            }
            9 | 10 => self.quantified(depth, scope),
            _ => {
                let atoms = (0..1 + self.random.below(3)).map(|_| self.atom(depth - 1, scope)).collect();
                self.guarded(atoms, depth, scope)
            }
        }
    }

    /// Conditions behind the tests that they need.
    fn guarded(&mut self, atoms: Vec<Value>, depth: usize, scope: &Scope) -> Node {
        let (mut needs, mut parts): (Vec<Node>, Vec<Node>) = (Vec::new(), Vec::new());
        for atom in atoms {
            for need in atom.needs {
                if !needs.contains(&need) {
                    needs.push(need);
                }
            }
            parts.push(atom.node);
        }
        if !needs.is_empty() && self.random.chance(60) {
            needs.pop();
        }
        let not = |node: Node| Node::bool(format!("!({A})"), vec![node]);
        match self.random.below(6) {
            0 if !needs.is_empty() => {
                let parts = needs.into_iter().map(not).chain(parts).collect();
                Node::chain(" || ", parts)
            }
            1 if !needs.is_empty() => {
                let all = Node::chain(" && ", needs);
                let then = Node::chain(" || ", parts);
                let otherwise = self.condition(depth.saturating_sub(2), scope);
                Node::bool(format!("({A} ? {B} : {C})"), vec![all, then, otherwise])
            }
            2 if !needs.is_empty() => {
                let all = Node::chain(" && ", needs);
                let then = Node::chain(" && ", parts);
                Node::chain(" || ", vec![not(all), then])
            }
            3 | 4 if parts.len() > 1 => {
                let any = Node::chain(" || ", parts);
                needs.push(any);
                Node::chain(" && ", needs)
            }
            _ => {
                needs.append(&mut parts);
                if needs.len() == 1 { needs.remove(0) } else { Node::chain(" && ", needs) }
            }
        }
    }

    /// A condition without guards.
    fn atom(&mut self, depth: usize, scope: &Scope) -> Value {
        match self.random.below(30) {
            0..4 => self.text_comparison(depth, scope),
            4 | 5 => self.text_in(depth, scope),
            6..9 => self.text_test(depth, scope),
            9 => self.matches(depth, scope),
            10..12 => {
                let (a, b) = (self.int(depth, scope), None);
                self.numbers(a, b, depth, scope)
            }
            12 | 13 => {
                let (a, b) = (self.time(depth, scope), self.time(depth.min(1), scope));
                self.ordered(a, b)
            }
            14 => {
                let (a, b) = (self.span(depth, scope), self.span(0, scope));
                self.ordered(a, b)
            }
            15..17 => self.network(depth, scope),
            17 => {
                let text = self.text(depth, scope);
                Value::of(Ty::Bool, format!("isIP({A})"), vec![text], Likely::Other)
            }
            18 | 19 => self.presence(),
            20 => self.member(depth, scope),
            21 => self.sets(),
            22 => Value::new(Node::bool("connection.mtls", Vec::new()), Likely::Other),
            23 | 24 => self.hour(),
            25 => self.sum(scope),
            26 => self.viewed(scope),
            _ if !scope.each => self.over_values(depth, scope),
            _ => self.text_comparison(depth, scope),
        }
    }

    fn text_comparison(&mut self, depth: usize, scope: &Scope) -> Value {
        let left = self.text(depth, scope);
        let right = if self.random.chance(4) {
            self.text(depth.min(1), scope)
        } else {
            let literal = self.literal(left.likely);
            Value::new(Node::new(Ty::Text, literal, Vec::new()), Likely::Other)
        };
        let op = self.word(&["==", "==", "==", "!=", "<", "<=", ">", ">="]);
        let parts = if self.random.chance(5) { vec![right, left] } else { vec![left, right] };
        let value = Value::of(Ty::Bool, format!("({A} {op} {B})"), parts, Likely::Other);
        match (value.raw, op) {
            (true, "==") => respelled(value, format!("same({A}, {B})")),
            (true, "!=") => respelled(value, format!("!same({A}, {B})")),
            _ => value,
        }
    }

    fn text_in(&mut self, depth: usize, scope: &Scope) -> Value {
        let text = self.text(depth, scope);
        let many = if self.random.chance(5) { 12 } else { 1 + self.random.below(4) };
        let set: Vec<String> = (0..many).map(|_| self.literal(text.likely)).collect();
        let set = set.join(", ");
        let value = Value::of(Ty::Bool, format!("({A} in [{set}])"), vec![text], Likely::Other);
        if value.raw { respelled(value, format!("(same({A}, {A}) ? {A} in [{set}] : false)")) } else { value }
    }

    fn text_test(&mut self, depth: usize, scope: &Scope) -> Value {
        let text = self.text(depth, scope);
        let test = self.word(&["startsWith", "endsWith", "contains"]);
        if self.random.chance(6) {
            let other = self.text(depth.min(1), scope);
            return Value::of(Ty::Bool, format!("{A}.{test}({B})"), vec![text, other], Likely::Other);
        }
        let words = match text.likely {
            Likely::Texts(words) => words,
            Likely::Ints(_) | Likely::Other => words::VALUES,
        };
        let chars: Vec<char> = self.word(words).chars().collect();
        // Paths and names begin with what they must.
        let least = usize::from(test == "startsWith").min(chars.len());
        let many = least + self.random.below(chars.len() - least + 1);
        let part: String = match test {
            "startsWith" => chars.iter().take(many).collect(),
            "endsWith" => chars.iter().skip(chars.len() - many).collect(),
            _ => {
                let skip = self.random.below(chars.len() - many + 1);
                chars.iter().skip(skip).take(many).collect()
            }
        };
        let literal = self.quoted(&part);
        Value::of(Ty::Bool, format!("{A}.{test}({literal})"), vec![text], Likely::Other)
    }

    fn matches(&mut self, depth: usize, scope: &Scope) -> Value {
        let text = self.text(depth, scope);
        let (pattern, unicode) = self.random.one(words::PATTERNS).copied().unwrap_or_default();
        let way = self.random.below(3);
        let form = if self.random.chance(4) {
            format!("matches({A}, {})", quoted(pattern, way))
        } else {
            format!("{A}.matches({})", quoted(pattern, way))
        };
        let value = Value::of(Ty::Bool, form, vec![text], Likely::Other);
        if pattern == unicode {
            return value;
        }
        let node = value.node.respelled(Respelled::Regex, format!("{A}.matches({})", quoted(unicode, way)));
        Value { node, ..value }
    }

    /// A comparison of numbers, or `in` a list of them.
    fn numbers(&mut self, left: Value, right: Option<Value>, depth: usize, scope: &Scope) -> Value {
        let likely = match left.likely {
            Likely::Ints(numbers) => numbers,
            Likely::Texts(_) | Likely::Other => words::LENGTHS,
        };
        if right.is_none() && self.random.chance(5) {
            let many = 1 + self.random.below(4);
            let set: Vec<String> =
                (0..many).map(|_| self.random.one(likely).copied().unwrap_or(0).to_string()).collect();
            return Value::of(Ty::Bool, format!("({A} in [{}])", set.join(", ")), vec![left], Likely::Other);
        }
        let right = right.unwrap_or_else(|| {
            if self.random.chance(4) {
                return self.int(depth.min(1), scope);
            }
            let number = self.random.one(likely).copied().unwrap_or(0);
            Value::new(Node::new(Ty::Int, number.to_string(), Vec::new()), Likely::Other)
        });
        self.ordered(left, right)
    }

    /// A part of the time that the request came at, compared with one of its values.
    fn hour(&mut self) -> Value {
        let (part, most) = self.random.one(words::RANGES).copied().unwrap_or_default();
        let zone =
            if self.random.chance(3) { String::new() } else { format!("'{}'", self.word(words::ZONES)) };
        let number = self.random.below(most + 1);
        let op = self.word(&["==", "<", "<=", ">", ">="]);
        Value::new(Node::bool(format!("(now.{part}({zone}) {op} {number})"), Vec::new()), Likely::Other)
    }

    /// Arithmetic over a length, near what it gives.
    fn sum(&mut self, scope: &Scope) -> Value {
        let text = self.text(0, scope);
        let (op, by) = (self.word(&["+", "-", "*", "/", "%"]), 1 + self.random.below(3));
        let number = self.random.below(13);
        let compare = self.word(&["==", "!=", "<", ">="]);
        let form = match self.random.below(3) {
            0 if matches!(op, "+" | "-" | "*") => format!("(({by} {op} size({A})) {compare} {number})"),
            1 => format!("(-(size({A}) {op} {by}) {compare} -{number})"),
            _ => format!("((size({A}) {op} {by}) {compare} {number})"),
        };
        Value::of(Ty::Bool, form, vec![text], Likely::Other)
    }

    /// A text in another form, beside texts that have that form.
    fn viewed(&mut self, scope: &Scope) -> Value {
        let text = self.text(0, scope);
        let view = self.word(&["lowerAscii()", "upperAscii()", "trim()", "trim().lowerAscii()"]);
        let set: Vec<String> = (0..4)
            .map(|_| {
                let word = self.word(words::FORMS);
                self.quoted(word)
            })
            .collect();
        let form = match self.random.below(3) {
            0 => format!("({A}.{view} < {})", set.first().map_or("", String::as_str)),
            _ => format!("({A}.{view} in [{}])", set.join(", ")),
        };
        let value = Value::of(Ty::Bool, form.clone(), vec![text], Likely::Other);
        if value.raw { respelled(value, format!("(same({A}, {A}) ? {form} : false)")) } else { value }
    }

    fn ordered(&mut self, left: Value, right: Value) -> Value {
        let op = self.word(&["==", "!=", "<", "<=", ">", ">="]);
        Value::of(Ty::Bool, format!("({A} {op} {B})"), vec![left, right], Likely::Other)
    }

    fn network(&mut self, depth: usize, scope: &Scope) -> Value {
        let of = |form: String, ip: Value| Value::of(Ty::Bool, form, vec![ip], Likely::Other);
        match self.random.below(7) {
            0..3 => {
                let (network, ip) = (self.word(words::NETWORKS), self.ip(depth, scope));
                of(format!("cidr('{network}').containsIP({A})"), ip)
            }
            3 => {
                let network = self.word(words::NETWORKS);
                Value::new(
                    Node::bool(format!("cidr('{network}').containsIP(source.ip)"), Vec::new()),
                    Likely::Other,
                )
            }
            4 => {
                let (a, b) = (self.ip(depth, scope), self.ip(depth.min(1), scope));
                let op = self.word(&["==", "!="]);
                Value::of(Ty::Bool, format!("({A} {op} {B})"), vec![a, b], Likely::Other)
            }
            5 => {
                let ip = self.ip(depth, scope);
                let set: Vec<String> = (0..1 + self.random.below(3))
                    .map(|_| format!("ip('{}')", self.word(words::ADDRESSES)))
                    .collect();
                of(format!("({A} in [{}])", set.join(", ")), ip)
            }
            _ => {
                let ip = self.ip(depth, scope);
                let test = self.word(&[
                    "isLoopback",
                    "isUnspecified",
                    "isLinkLocalUnicast",
                    "isLinkLocalMulticast",
                    "isGlobalUnicast",
                ]);
                of(format!("{A}.{test}()"), ip)
            }
        }
    }

    fn presence(&mut self) -> Value {
        let node = match self.random.below(4) {
            0 => {
                let lists = self.random.one(&LISTS).copied().unwrap_or(HEADERS);
                let key = self.word(lists.keys);
                let key = self.quoted(key);
                Node::bool(format!("({key} in {})", lists.map), Vec::new())
            }
            1 => {
                let of = self.keyed();
                let key = self.word(of.keys);
                let key = self.quoted(key);
                Node::bool(format!("{}[?{key}].hasValue()", of.map), Vec::new())
                    .respelled(Respelled::Optional, format!("({key} in {})", of.map))
            }
            _ => {
                let of = self.keyed();
                let key = self.word(of.keys);
                self.present(of, key)
            }
        };
        Value::new(node, Likely::Other)
    }

    fn member(&mut self, depth: usize, scope: &Scope) -> Value {
        let text = if self.random.chance(2) {
            let literal = self.literal(Likely::Other);
            Value::new(Node::new(Ty::Text, literal, Vec::new()), Likely::Other)
        } else {
            self.text(depth.min(1), scope)
        };
        let list = self.list();
        let value = Value::of(Ty::Bool, format!("({A} in {B})"), vec![text, list], Likely::Other);
        respelled(value, format!("(same({A}, {A}) ? {B}.exists(w, same(w, {A})) : false)"))
    }

    fn sets(&mut self) -> Value {
        let list = self.list();
        let set: Vec<String> = (0..self.random.below(4)).map(|_| self.literal(list.likely)).collect();
        let set = set.join(", ");
        let name = self.word(&["contains", "intersects", "equivalent"]);
        let form = if self.random.chance(2) {
            format!("sets.{name}({A}, [{set}])")
        } else {
            format!("sets.{name}([{set}], {A})")
        };
        Value::of(Ty::Bool, form, vec![list], Likely::Other)
    }

    /// `all`, `exists`, `exists_one` over the values of a key.
    fn over_values(&mut self, depth: usize, scope: &Scope) -> Value {
        let list = self.list();
        let name = self.name();
        let local = Local { name: name.clone(), ty: Ty::Text, likely: list.likely, raw: true };
        let body = self.condition(depth.saturating_sub(1), &Scope { each: true, ..scope.with(local) });
        let quantifier = self.quantifier();
        let body = Value::new(body, Likely::Other);
        Value::of(Ty::Bool, format!("{A}.{quantifier}({name}, {B})"), vec![list, body], Likely::Other)
    }

    fn quantifier(&mut self) -> &'static str {
        self.word(&["all", "exists", "exists", "exists_one"])
    }

    /// The same over a list that is written out, or the keys of a map.
    fn quantified(&mut self, depth: usize, scope: &Scope) -> Node {
        let name = self.name();
        let many = self.random.below(5);
        let (list, local) = match self.random.below(4) {
            0 => {
                let items: Vec<String> = (0..many)
                    .map(|_| self.random.one(words::LENGTHS).copied().unwrap_or(0).to_string())
                    .collect();
                let likely = Likely::Ints(words::LENGTHS);
                let list =
                    Value::new(Node::new(Ty::List, format!("[{}]", items.join(", ")), Vec::new()), likely);
                (list, Local { name: name.clone(), ty: Ty::Int, likely, raw: false })
            }
            1 => {
                let items: Vec<Value> = (0..many.max(1)).map(|_| self.text(1, scope)).collect();
                let likely = Likely::Texts(words::VALUES);
                let list = Value::of(Ty::List, String::new(), items, likely);
                let raw = list.raw;
                let mut node = Node::chain(", ", list.node.into_children());
                if raw {
                    let read: Vec<String> = (0..node.len()).map(|n| format!("read({})", place(n))).collect();
                    node = node.respelled(Respelled::NoText, format!("[{}]", read.join(", ")));
                }
                let list = Value { node, ..list };
                (list, Local { name: name.clone(), ty: Ty::Text, likely, raw })
            }
            2 => {
                let items: Vec<String> = words::VALUES
                    .iter()
                    .take(many)
                    .enumerate()
                    .map(|(n, word)| format!("{}: {n}", quoted(word, 2)))
                    .collect();
                let likely = Likely::Texts(words::VALUES);
                let list =
                    Value::new(Node::new(Ty::List, format!("{{{}}}", items.join(", ")), Vec::new()), likely);
                (list, Local { name: name.clone(), ty: Ty::Text, likely, raw: false })
            }
            _ => {
                let items: Vec<String> = (0..many).map(|_| self.literal(Likely::Other)).collect();
                let likely = Likely::Texts(words::VALUES);
                let list =
                    Value::new(Node::new(Ty::List, format!("[{}]", items.join(", ")), Vec::new()), likely);
                (list, Local { name: name.clone(), ty: Ty::Text, likely, raw: false })
            }
        };
        let body = Value::new(self.condition(depth - 1, &scope.with(local)), Likely::Other);
        let quantifier = self.quantifier();
        let form = format!("{A}.{quantifier}({name}, {B})");
        let value = Value::of(Ty::Bool, form, vec![list, body], Likely::Other);
        self.guarded(vec![value], depth, scope)
    }
}

fn respelled(value: Value, form: String) -> Value {
    Value { node: value.node.respelled(Respelled::NoText, form), ..value }
}
