//! Calls that proxies evaluate.

use mesh_bundle::expr::{CompareOp, Literal, Net, Op, Part, Quantifier, Slot, TextOp, TextView, Tree};

use super::interval::interval;
use super::{Lowered, Lowering, joined, leaf, literal, node, optional_slot, strict};
use crate::cel::request::{Place, keyed, place};
use crate::cel::typed::{Call, Kind, Typed};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::cel::{CelFinding, constants};
use crate::diag::codes;

/// Networks with a name (RFC 6890; Go's `net/netip`, whose names Kubernetes' library took over).
const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];
const UNSPECIFIED: &[&str] = &["0.0.0.0/32", "::/128"];
const LINK_LOCAL_UNICAST: &[&str] = &["169.254.0.0/16", "fe80::/10"];
/// IPv6 with any flags (RFC 4291 section 2.7).
const LINK_LOCAL_MULTICAST: &[&str] = &[
    "224.0.0.0/24",
    "ff02::/16",
    "ff12::/16",
    "ff22::/16",
    "ff32::/16",
    "ff42::/16",
    "ff52::/16",
    "ff62::/16",
    "ff72::/16",
    "ff82::/16",
    "ff92::/16",
    "ffa2::/16",
    "ffb2::/16",
    "ffc2::/16",
    "ffd2::/16",
    "ffe2::/16",
    "fff2::/16",
];
const NO_GLOBAL_UNICAST: &[&str] = &[
    "0.0.0.0/32",
    "::/128",
    "127.0.0.0/8",
    "::1/128",
    "224.0.0.0/4",
    "ff00::/8",
    "169.254.0.0/16",
    "fe80::/10",
    "255.255.255.255/32",
];

/// The functions that proxies evaluate on requests; all others are for constants and policies.
pub(in crate::cel) const EVALUATED: &[&str] = &[
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "+",
    "-",
    "*",
    "/",
    "%",
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "lowerAscii",
    "upperAscii",
    "trim",
    "size",
    "isIP",
    "ip",
    "containsIP",
    "isLoopback",
    "isUnspecified",
    "isLinkLocalUnicast",
    "isLinkLocalMulticast",
    "isGlobalUnicast",
    "family",
    "orValue",
    "hasValue",
    "value",
    "sets.contains",
    "sets.intersects",
    "sets.equivalent",
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
];

impl Lowering<'_> {
    pub(super) fn call(&mut self, call: &Call, typed: &Typed) -> Lowered {
        let name = call.function.name;
        match (name, call.arguments.as_slice()) {
            ("==" | "!=" | "<" | "<=" | ">" | ">=", [left, right]) => {
                self.comparison(name, left, right, typed)
            }
            ("in", [item, of]) => self.membership(item, of, typed),
            ("startsWith", [on, other]) => self.test(TextOp::StartsWith, on, other, typed),
            ("endsWith", [on, other]) => self.test(TextOp::EndsWith, on, other, typed),
            ("contains", [on, other]) => self.test(TextOp::Contains, on, other, typed),
            ("matches", [on, pattern]) => self.matches(on, pattern, typed),
            ("lowerAscii", [on]) => self.one(Op::View(TextView::Lower), on, typed),
            ("upperAscii", [on]) => self.one(Op::View(TextView::Upper), on, typed),
            ("trim", [on]) => self.one(Op::View(TextView::Trim), on, typed),
            ("size", [of]) => self.size(of, typed),
            ("isIP", [of]) if of.ty == Type::String => self.one(Op::IsIp, of, typed),
            ("ip", [of]) if of.ty == Type::String => self.address(of, call.proven, typed),
            ("containsIP", [net, ip]) => self.contains_ip(net, ip, typed),
            ("isLoopback", [ip]) => self.within(LOOPBACK, ip, typed),
            ("isUnspecified", [ip]) => self.within(UNSPECIFIED, ip, typed),
            ("isLinkLocalUnicast", [ip]) => self.within(LINK_LOCAL_UNICAST, ip, typed),
            ("isLinkLocalMulticast", [ip]) => self.within(LINK_LOCAL_MULTICAST, ip, typed),
            ("isGlobalUnicast", [ip]) => {
                let inner = self.within(NO_GLOBAL_UNICAST, ip, typed)?;
                Some(node(Op::Not, typed, vec![inner]))
            }
            ("family", [ip]) => {
                let four = self.within(&["0.0.0.0/0"], ip, typed)?;
                let number = |n| leaf(Op::Constant(Literal::Int(n)), typed);
                Some(node(Op::If, typed, vec![four, number(4), number(6)]))
            }
            ("+" | "-" | "*" | "/" | "%", [left, right]) => self.arithmetic(name, left, right, typed),
            // The range of durations is the same on both sides of zero.
            ("-", [of]) if typed.ty == Type::Duration || interval(typed).is_some() => {
                self.one(Op::Neg, of, typed)
            }
            ("-", [_]) => self.may_overflow(typed),
            ("orValue", [optional, other]) => self.or_value(optional, other, typed),
            ("hasValue", [optional]) => match optional_slot(optional) {
                Some(slot) => {
                    let slot = self.checked(slot, optional)?;
                    Some(leaf(Op::Has(slot), typed))
                }
                None => self.no_optional(optional),
            },
            ("value", [optional]) => match (optional_slot(optional), call.proven) {
                (Some(slot), true) => {
                    let slot = self.checked(slot, optional)?;
                    Some(leaf(Op::Slot(slot), typed))
                }
                (Some(_), false) => {
                    self.may_fail(typed, "`value()` fails where there is none", "write `orValue(...)`")
                }
                (None, _) => self.no_optional(optional),
            },
            ("sets.contains" | "sets.intersects" | "sets.equivalent", [a, b]) => self.sets(name, a, b, typed),
            _ => match time_part(name)
                .filter(|_| call.arguments.first().is_some_and(|a| a.ty == Type::Timestamp))
            {
                Some(part) => self.part(part, &call.arguments, typed),
                None => self.refused(name, typed),
            },
        }
    }

    fn refused(&mut self, name: &str, typed: &Typed) -> Lowered {
        match name {
            "timestamp" | "duration" | "int" | "uint" | "double" | "bool" | "cidr" | "bytes" => {
                let message = format!("`{name}` of a value of the request may fail");
                self.may_fail(typed, message, "compare texts, or write a constant")
            }
            "dyn" | "type" => {
                self.outside(typed, "a rule on requests knows the type of everything that it reads")
            }
            "string" | "join" | "replace" | "format" | "substring" | "charAt" | "split" | "reverse"
            | "strings.quote" => {
                let message = format!("`{name}` makes a text, and no text is made while a request waits");
                self.outside(typed, message)
            }
            _ => {
                let shown =
                    if name.starts_with(|c: char| c.is_alphabetic()) { "function" } else { "operator" };
                self.outside(typed, format!("the {shown} `{name}` is for constants and policies only"))
            }
        }
    }

    fn one(&mut self, op: Op<Slot>, of: &Typed, typed: &Typed) -> Lowered {
        let of = self.value(of)?;
        Some(node(op, typed, vec![of]))
    }

    fn both(&mut self, op: Op<Slot>, left: &Typed, right: &Typed, typed: &Typed) -> Lowered {
        match (self.value(left), self.value(right)) {
            (Some(left), Some(right)) => Some(node(op, typed, vec![left, right])),
            _ => None,
        }
    }

    fn comparison(&mut self, name: &str, left: &Typed, right: &Typed, typed: &Typed) -> Lowered {
        let op = match name {
            "==" => CompareOp::Eq,
            "!=" => CompareOp::Ne,
            "<" => CompareOp::Lt,
            "<=" => CompareOp::Le,
            ">" => CompareOp::Gt,
            _ => CompareOp::Ge,
        };
        for side in [left, right] {
            if matches!(side.ty, Type::List(_) | Type::Map(..)) {
                let message = "lists and maps of a request are not compared";
                return self.outside(side, message);
            }
            if matches!(side.ty, Type::Optional(_)) {
                return self.no_optional(side);
            }
        }
        if left.ty != right.ty {
            return self.outside(typed, "numbers of unlike types are compared in constants only");
        }
        // `x == true`, as people write it.
        if let (Type::Bool, CompareOp::Eq | CompareOp::Ne) = (&left.ty, op) {
            let sides = [(left, right.constant()), (right, left.constant())];
            if let Some((side, truth)) = sides.iter().find_map(|(side, c)| match c {
                Some(Value::Bool(truth)) => Some((*side, *truth)),
                _ => None,
            }) {
                let inner = self.value(side)?;
                let same = truth == (op == CompareOp::Eq);
                return Some(if same {
                    Tree { at: typed.range.clone(), ..inner }
                } else {
                    node(Op::Not, typed, vec![inner])
                });
            }
        }
        self.both(Op::Compare(op), left, right, typed)
    }

    fn membership(&mut self, item: &Typed, of: &Typed, typed: &Typed) -> Lowered {
        if let Some(Value::List(values)) = of.constant() {
            let mut set = Vec::with_capacity(values.len());
            for value in values.iter() {
                match literal(value) {
                    Some(literal) => set.push(literal),
                    None => return self.outside(of, format!("no proxy evaluates a {}", value.type_name())),
                }
            }
            if set.is_empty() {
                return Some(leaf(Op::Bool(false), typed));
            }
            if set.len() > mesh_bundle::limits::EXPR_NODES {
                return self.once(codes::CEL_LIMIT, of, "the list is too long");
            }
            return self.one(Op::In(set), item, typed);
        }
        if let (Some(Place::Map(_) | Place::Lists(_)), key) = (place(of), item.constant()) {
            return match key {
                Some(Value::String(key)) => match keyed(of, key) {
                    Some(Place::Slot(slot) | Place::Values(slot)) => {
                        let slot = self.checked(slot, item)?;
                        Some(leaf(Op::Has(slot), typed))
                    }
                    _ => self.unread(of),
                },
                _ => {
                    let map = self.words(of).to_owned();
                    let message = format!("a key of `{map}` is a constant text");
                    self.findings.push(CelFinding::new(codes::CEL_CONSTANT, item.range.clone(), message));
                    None
                }
            };
        }
        if let Some(Place::Values(slot)) = place(of) {
            let slot = self.checked(slot, of)?;
            return self.one(Op::Member(slot), item, typed);
        }
        if let Kind::List(items) = &of.kind {
            let (mut parts, mut elements) =
                (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
            for (_, other) in items {
                parts.push(self.comparison("==", item, other, typed)?);
                elements.push(self.value(other)?);
            }
            elements.push(self.value(item)?);
            return Some(strict(elements, joined(typed, parts, false), typed));
        }
        self.outside(of, "`in` looks into a list of constants, or into a map of the request")
    }

    fn test(&mut self, op: TextOp, on: &Typed, other: &Typed, typed: &Typed) -> Lowered {
        self.both(Op::Test(op), on, other, typed)
    }

    fn matches(&mut self, on: &Typed, pattern: &Typed, typed: &Typed) -> Lowered {
        let Some(Value::String(text)) = pattern.constant() else {
            let finding = CelFinding::new(
                codes::CEL_CONSTANT,
                pattern.range.clone(),
                "a regular expression is a constant",
            );
            self.findings.push(finding.help("a pattern from the request would let a caller choose its cost"));
            return None;
        };
        // Looked at already, but for what a macro has put in.
        if let Some(finding) = constants::regex(text, pattern, self.text) {
            self.findings.push(finding);
            return None;
        }
        let text = text.to_string();
        self.one(Op::Matches(text), on, typed)
    }

    fn size(&mut self, of: &Typed, typed: &Typed) -> Lowered {
        match (&of.ty, place(of)) {
            (Type::String, _) => self.one(Op::Size, of, typed),
            (_, Some(Place::Values(slot))) => {
                let slot = self.checked(slot, of)?;
                Some(leaf(Op::Count(slot), typed))
            }
            _ => self.outside(of, "`size` takes a text, or the list of the values of one key"),
        }
    }

    /// A text as an address: of `source.ip`, which always is one, or behind `isIP`.
    fn address(&mut self, of: &Typed, proven: bool, typed: &Typed) -> Lowered {
        if proven || place(of) == Some(Place::Slot(Slot::Ip)) {
            return self.one(Op::Ip, of, typed);
        }
        let words = self.words(of).to_owned();
        let help = format!("write `isIP({words}) && ...` before it");
        self.may_fail(typed, "`ip` fails where the text is not an address", &help)
    }

    fn contains_ip(&mut self, net: &Typed, ip: &Typed, typed: &Typed) -> Lowered {
        let Some(Value::Cidr(address, bits)) = net.constant() else {
            return self.outside(net, "a network in a rule is a constant");
        };
        let Some(net) = Net::new(*address, *bits) else {
            return self.outside(net, "this is not a network that proxies know");
        };
        let ip = match ip.ty {
            Type::String => self.address(ip, false, ip)?,
            _ => self.value(ip)?,
        };
        Some(node(Op::Within(vec![net]), typed, vec![ip]))
    }

    fn within(&mut self, nets: &[&str], ip: &Typed, typed: &Typed) -> Lowered {
        let nets = nets.iter().filter_map(|net| Net::try_from((*net).to_owned()).ok()).collect();
        self.one(Op::Within(nets), ip, typed)
    }

    fn arithmetic(&mut self, name: &str, left: &Typed, right: &Typed, typed: &Typed) -> Lowered {
        match typed.ty {
            Type::Int => {
                let op = match (name, right.constant()) {
                    ("+", _) => Op::Add,
                    ("-", _) => Op::Sub,
                    ("*", _) => Op::Mul,
                    ("/", Some(Value::Int(by))) if *by != 0 => Op::Div(*by),
                    ("%", Some(Value::Int(by))) if *by != 0 => Op::Rem(*by),
                    _ => return self.may_fail(typed, "the divisor may be 0", "divide by a constant"),
                };
                if left.ty != Type::Int || right.ty != Type::Int {
                    // A difference of times is a duration, never an int.
                    return self.outside(typed, "this arithmetic is for constants only");
                }
                if interval(typed).is_none() {
                    return self.may_overflow(typed);
                }
                match op {
                    Op::Div(_) | Op::Rem(_) => self.one(op, left, typed),
                    op => self.both(op, left, right, typed),
                }
            }
            Type::Timestamp | Type::Duration => {
                let op = if name == "+" { Op::Add } else { Op::Sub };
                if interval(typed).is_none() {
                    return self.may_overflow(typed);
                }
                // The instruction takes the time first.
                match (&left.ty, name) {
                    (Type::Duration, "+") if right.ty == Type::Timestamp => self.both(op, right, left, typed),
                    _ => self.both(op, left, right, typed),
                }
            }
            Type::String => self.outside(typed, "no text is made while a request waits: compare its parts"),
            Type::Uint | Type::Double | Type::Bytes => {
                self.outside(typed, format!("no proxy evaluates a {}", typed.ty))
            }
            _ => self.outside(typed, "this arithmetic is for constants and policies only"),
        }
    }

    fn may_overflow(&mut self, typed: &Typed) -> Lowered {
        self.may_fail(typed, "the result may be out of range", "compare the values without arithmetic")
    }

    fn or_value(&mut self, optional: &Typed, other: &Typed, typed: &Typed) -> Lowered {
        if let Some(slot) = optional_slot(optional) {
            let slot = self.checked(slot, optional)?;
            return self.one(Op::OrElse(slot), other, typed);
        }
        // `x.optMap(v, f(v)).orValue(d)` is `has x ? f(x) : d`.
        if let Kind::OptMap(id, of, body, false) = &optional.kind
            && let Some(slot) = optional_slot(of)
        {
            let slot = self.checked(slot, of)?;
            let plain = Typed { ty: Type::String, ..read_plainly(of) };
            let body = self.substituted(body, *id, &plain)?;
            let then = self.value(&body)?;
            // The value is read whether or not the body needs it.
            let then = strict(vec![self.value(&plain)?], then, typed);
            let otherwise = self.value(other)?;
            let has = leaf(Op::Has(slot), of);
            return Some(node(Op::If, typed, vec![has, then, otherwise]));
        }
        self.no_optional(optional)
    }

    fn no_optional(&mut self, typed: &Typed) -> Lowered {
        self.outside(typed, "optional values in rules are keys of the request: `request.headers[?\"x\"]`")
    }

    /// Sets of the values of a key, and constants.
    fn sets(&mut self, name: &str, a: &Typed, b: &Typed, typed: &Typed) -> Lowered {
        let texts = |typed: &Typed| match typed.constant() {
            Some(Value::List(values)) => values.iter().map(literal).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let values = |typed: &Typed| match place(typed) {
            Some(Place::Values(slot)) => Some(slot),
            _ => None,
        };
        let (slot, set, swapped) = match (values(a), texts(b), texts(a), values(b)) {
            (Some(slot), Some(set), _, _) => (slot, set, false),
            (_, _, Some(set), Some(slot)) => (slot, set, true),
            _ => return self.outside(typed, "a set of constants is compared with the values of one key"),
        };
        let slot = self.checked(slot, typed)?;
        let member = |literal: Literal| {
            node(Op::Member(slot.clone()), typed, vec![leaf(Op::Constant(literal), typed)])
        };
        let has_all = |set: &[Literal]| node(Op::All(0), typed, set.iter().cloned().map(member).collect());
        let only = |set: &[Literal]| {
            let inside = if set.is_empty() {
                leaf(Op::Bool(false), typed)
            } else {
                node(Op::In(set.to_vec()), typed, vec![leaf(Op::Local, typed)])
            };
            node(Op::Each(Quantifier::All, slot.clone()), typed, vec![inside])
        };
        Some(match (name, swapped) {
            ("sets.intersects", _) => node(Op::Any(0), typed, set.iter().cloned().map(member).collect()),
            ("sets.contains", false) => has_all(&set),
            ("sets.contains", true) => only(&set),
            _ => node(Op::All(0), typed, vec![has_all(&set), only(&set)]),
        })
    }

    fn part(&mut self, part: Part, arguments: &[Typed], typed: &Typed) -> Lowered {
        let offset = match arguments.get(1).map(Typed::constant) {
            None => 0,
            Some(Some(Value::String(zone))) => match offset(zone) {
                Some(offset) => offset,
                None => {
                    return self.outside(typed, "a zone in a rule is a fixed offset, as \"+02:00\"");
                }
            },
            Some(_) => return self.outside(typed, "a zone in a rule is a constant"),
        };
        let of = arguments.first()?;
        self.one(Op::Part { offset, part }, of, typed)
    }
}

/// A key that was read optionally, where it is known to be there.
fn read_plainly(typed: &Typed) -> Typed {
    use crate::cel::tree::Access;
    let mut plain = typed.clone();
    match &mut plain.kind {
        Kind::Field(_, _, access) | Kind::Index(_, _, access) => *access = Access::Plain,
        _ => {}
    }
    plain
}

fn time_part(name: &str) -> Option<Part> {
    Some(match name {
        "getHours" => Part::Hours,
        "getMinutes" => Part::Minutes,
        "getSeconds" => Part::Seconds,
        "getMilliseconds" => Part::Milliseconds,
        "getDate" => Part::Date,
        "getDayOfMonth" => Part::DayOfMonth,
        "getMonth" => Part::Month,
        "getDayOfWeek" => Part::DayOfWeek,
        "getDayOfYear" => Part::DayOfYear,
        "getFullYear" => Part::FullYear,
        _ => return None,
    })
}

/// Seconds east of UTC of `UTC`, `Z`, `+02:00`, `-02:30`, `02:00`.
fn offset(zone: &str) -> Option<i32> {
    if matches!(zone, "UTC" | "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => (1, zone),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, most: i32| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i32>().ok().filter(|n| digits && *n <= most)
    };
    Some(sign * (number(hours, 23)? * 3_600 + number(minutes, 59)? * 60))
}
