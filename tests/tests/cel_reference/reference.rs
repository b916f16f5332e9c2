//! The interpreter of the `cel` crate over the same requests. What a request means is read here a second time, from the
//! pages and not from our code: maps, decoding, addresses. Functions that the crate lacks are written here, over `std`.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use cel::common::traits::{Container, Indexer};
use cel::common::types::{
    CelBool, CelInt, CelList, CelMap, CelMapKey, CelString, CelTimestamp, LIST_TYPE, MAP_TYPE, STRING_TYPE,
    Type,
};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{Context, Env, ExecutionError, Program};
use mesh_bundle::Owner;
use mesh_decision::expr::Tri;
use mesh_tests::cel::samples::Sample;

/// The crate's environment, with what it lacks.
pub(crate) struct Reference(Arc<Env>);

/// What programs are evaluated on.
pub(crate) type World = Context<'static, 'static>;

impl Reference {
    /// The standard library, the extension for strings, and ours.
    pub(crate) fn new() -> Self {
        let mut env = Env::stdlib();
        cel::extensions::strings(&mut env).unwrap();
        addresses(&mut env);
        sets(&mut env);
        // A text, and equality of texts, for operands that may be none.
        env.add_overload("read", "read_string", vec![STRING_TYPE], |mut args| Ok(args.remove(0))).unwrap();
        env.add_overload("same", "same_string", vec![STRING_TYPE, STRING_TYPE], |args| {
            Ok(bool(args[0].as_ref() == args[1].as_ref()))
        })
        .unwrap();
        Self(Arc::new(env))
    }

    pub(crate) fn compile(&self, text: &str) -> Program {
        self.0.compile(text).unwrap_or_else(|e| panic!("the reference does not parse {text}: {e}"))
    }

    pub(crate) fn world(&self, sample: &Sample) -> World {
        let mut world = Context::with_env(Arc::clone(&self.0));
        world.add_variable_as_val("request", request(sample));
        world.add_variable_as_val("source", source(sample));
        world.add_variable_as_val("destination", destination(sample));
        world.add_variable_as_val("connection", connection(sample));
        let now = chrono::DateTime::from_timestamp(sample.now.seconds, sample.now.nanos).unwrap();
        world.add_variable_as_val("now", Box::new(CelTimestamp::from(now.fixed_offset())));
        world
    }
}

/// What the reference makes of a program. Why it errs does not matter.
pub(crate) fn evaluate(program: &Program, world: &World) -> Tri {
    match program.execute(world) {
        Ok(cel::Value::Bool(value)) => value.into(),
        Ok(other) => panic!("the reference gives {other:?}"),
        Err(_) => Tri::Error,
    }
}

type Boxed = Box<dyn Val>;

fn bool<'b, 'v>(value: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(value))
}

fn text(text: &str) -> Boxed {
    Box::new(CelString::from(text.to_owned()))
}

fn record<const N: usize>(fields: [(&str, Boxed); N]) -> Boxed {
    let fields = fields.into_iter().map(|(name, value)| (CelMapKey::from(name.to_owned()), value));
    Box::new(CelMap::from(fields.collect::<HashMap<_, _>>()))
}

fn request(sample: &Sample) -> Boxed {
    let (headers, query, cookies) = (headers(sample), query(&sample.query), cookies(sample));
    let parts: Vec<&str> = sample.path.split('/').collect();
    let params: Lines = match parts.as_slice() {
        ["", "orders", id, "items", item] => [("id", id), ("item", item)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), vec![Some((*value).to_owned())]))
            .collect(),
        _ => Lines::new(),
    };
    record([
        ("method", text(&sample.method)),
        ("path", text(&sample.path)),
        ("host", text(&sample.host)),
        ("scheme", text(&sample.scheme)),
        // Numbers past what JSON holds are not told apart (RFC 7493 section 2.2).
        ("size", Box::new(CelInt::from(sample.size.map_or(0, |size| size.min((1 << 53) - 1) as i64)))),
        ("headers", Box::new(Single(headers.clone()))),
        ("headerValues", Box::new(Many::new(&headers))),
        ("query", Box::new(Single(query.clone()))),
        ("queryValues", Box::new(Many::new(&query))),
        ("cookies", Box::new(Single(cookies.clone()))),
        ("cookieValues", Box::new(Many::new(&cookies))),
        ("params", Box::new(Single(params))),
    ])
}

fn labels(labels: Option<&BTreeMap<String, String>>) -> Boxed {
    let labels = labels.into_iter().flatten().map(|(name, value)| (name.clone(), vec![Some(value.clone())]));
    Box::new(Single(labels.collect()))
}

fn source(sample: &Sample) -> Boxed {
    let domain = match sample.principal.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')) {
        Some((domain, _)) => domain,
        None => "",
    };
    let service = match &sample.owner {
        Some(Owner::Service(name)) => name.as_str(),
        _ => "",
    };
    record([
        ("principal", text(&sample.principal)),
        ("trustDomain", text(domain)),
        ("service", text(service)),
        ("ip", text(&sample.ip)),
        ("labels", labels(sample.source.as_ref().map(|service| &service.labels))),
    ])
}

fn destination(sample: &Sample) -> Boxed {
    let (name, service) = &sample.destination;
    record([
        ("service", text(name)),
        ("port", Box::new(CelInt::from(i64::from(service.port)))),
        ("labels", labels(Some(&service.labels))),
    ])
}

fn connection(sample: &Sample) -> Boxed {
    record([
        ("mtls", Box::new(CelBool::from(sample.mtls))),
        ("tlsVersion", text(&sample.tls_version)),
        ("sni", text(&sample.sni)),
    ])
}

/// The values of each name in order; none for what is no text.
type Lines = BTreeMap<String, Vec<Option<String>>>;

fn headers(sample: &Sample) -> Lines {
    let mut lines = Lines::new();
    for (name, value) in &sample.headers {
        lines.entry(name.clone()).or_default().push(String::from_utf8(value.clone()).ok());
    }
    lines
}

/// RFC 6265 section 5.4, all lines.
fn cookies(sample: &Sample) -> Lines {
    let mut lines = Lines::new();
    for (_, line) in sample.headers.iter().filter(|(name, _)| name == "cookie") {
        for pair in std::str::from_utf8(line).unwrap().split(';') {
            if let Some((name, value)) = pair.trim_matches([' ', '\t']).split_once('=') {
                lines.entry(name.to_owned()).or_default().push(Some(value.to_owned()));
            }
        }
    }
    lines
}

/// The form encoding of the URL standard, but strict.
fn query(query: &str) -> Lines {
    let mut lines = Lines::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let Some(name) = decoded(name) {
            lines.entry(name).or_default().push(decoded(value));
        }
    }
    lines
}

fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut pieces = text.split('%');
    out.extend(pieces.next()?.replace('+', " ").bytes());
    for piece in pieces {
        let (hex, rest) = piece.split_at_checked(2)?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        out.push(u8::from_str_radix(hex, 16).ok()?);
        out.extend(rest.replace('+', " ").bytes());
    }
    String::from_utf8(out).ok()
}

fn key(index: &dyn Val) -> Result<&str, ExecutionError> {
    index.try_into().map_err(|_| ExecutionError::function_error("_[_]", "the key is no text"))
}

/// `request.headers` and its like: what came twice, or is no text, is there and cannot be read.
#[derive(Debug, Clone)]
struct Single(Lines);

impl Indexer for Single {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        match self.0.get(key(index)?).map(Vec::as_slice) {
            None => Err(ExecutionError::no_such_key("key")),
            Some([Some(value)]) => Ok(CowVal::owned(CelString::from(value.clone()))),
            Some(_) => Err(ExecutionError::function_error("_[_]", "repeated")),
        }
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Container for Single {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.0.contains_key(key(value)?))
    }
}

/// `request.headerValues` and its like: always there.
#[derive(Debug, Clone)]
struct Many {
    lists: BTreeMap<String, CelList<'static>>,
    none: CelList<'static>,
}

impl Many {
    fn new(lines: &Lines) -> Self {
        let list = |values: &Vec<Option<String>>| {
            let values = values.iter().map(|value| match value {
                Some(value) => text(value),
                None => Box::new(NoText) as Boxed,
            });
            CelList::from(values.collect::<Vec<_>>())
        };
        let lists = lines.iter().map(|(name, values)| (name.clone(), list(values))).collect();
        Self { lists, none: CelList::from(Vec::new()) }
    }
}

impl Indexer for Many {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let list: &CelList<'static> = self.lists.get(key(index)?).unwrap_or(&self.none);
        Ok(CowVal::Borrowed(list))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Container for Many {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.lists.contains_key(key(value)?))
    }
}

/// A line that is no text: no operator takes it.
#[derive(Debug, Clone)]
struct NoText;

static NO_TEXT: Type = Type::new_unspecified_type("no_text");
static IP: Type = Type::new_unspecified_type("net.IP");
static NETWORK: Type = Type::new_unspecified_type("net.CIDR");

#[derive(Debug, Clone, PartialEq)]
struct Ip(IpAddr);

#[derive(Debug, Clone, PartialEq)]
struct Network(IpAddr, u32);

/// A value of our own.
macro_rules! value {
    ($name:ident, $ty:expr, $equals:expr $(, $accessor:ident)*) => {
        impl Val for $name {
            fn get_type(&self) -> &Type {
                &$ty
            }
            fn cel_type() -> &'static Type {
                &$ty
            }
            fn equals(&self, other: &dyn Val) -> bool {
                let equals: fn(&Self, &dyn Val) -> bool = $equals;
                equals(self, other)
            }
            $(value!(@ $accessor);)*
            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
                Box::new(self.clone())
            }
            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }
        impl StaticVal for $name {}
    };
    (@ map) => {
        fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
        where
            Self: 'v,
        {
            Some(self)
        }
        fn as_container(&self) -> Option<&dyn Container> {
            Some(self)
        }
    };
}

value!(Single, MAP_TYPE, |_, _| false, map);
value!(Many, MAP_TYPE, |_, _| false, map);
value!(NoText, NO_TEXT, |_, _| false);
value!(Ip, IP, |ip, other| other.downcast_ref::<Ip>() == Some(ip));
value!(Network, NETWORK, |network, other| other.downcast_ref::<Network>() == Some(network));

/// The address in a text, as the library of Kubernetes reads it: no zones, no IPv4 address as IPv6.
fn address(text: &dyn Val) -> Option<IpAddr> {
    let text: &str = text.try_into().ok()?;
    match text.parse().ok()? {
        IpAddr::V6(ip) if ip.segments()[..6] == [0, 0, 0, 0, 0, 0xffff] => None,
        ip => Some(ip),
    }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// Bit by bit.
fn is_inside(ip: IpAddr, network: &Network) -> bool {
    let (ip, first) = (octets(ip), octets(network.0));
    let bit = |octets: &[u8], n: u32| octets[(n / 8) as usize] >> (7 - n % 8) & 1;
    ip.len() == first.len() && (0..network.1).all(|n| bit(&ip, n) == bit(&first, n))
}

fn ip_of<'a>(value: &'a CowVal<'_, '_>) -> Result<&'a Ip, ExecutionError> {
    value.downcast_ref::<Ip>().ok_or_else(|| ExecutionError::function_error("ip", "no address"))
}

/// The library of Kubernetes over `std::net`; the tests with names are those of Go's `net/netip`.
fn addresses(env: &mut Env) {
    env.add_overload("ip", "string_to_ip", vec![STRING_TYPE], |args| {
        let ip =
            address(args[0].as_ref()).ok_or_else(|| ExecutionError::function_error("ip", "no address"))?;
        Ok(CowVal::owned(Ip(ip)))
    })
    .unwrap();
    env.add_overload("isIP", "string_is_ip", vec![STRING_TYPE], |args| {
        Ok(bool(address(args[0].as_ref()).is_some()))
    })
    .unwrap();
    env.add_overload("cidr", "string_to_cidr", vec![STRING_TYPE], |args| {
        let text = key(args[0].as_ref())?;
        let (first, bits) = text.split_once('/').unwrap();
        Ok(CowVal::owned(Network(first.parse().unwrap(), bits.parse().unwrap())))
    })
    .unwrap();
    env.add_member_overload(
        "containsIP",
        "cidr_contains_ip",
        NETWORK.to_owned(),
        vec![IP.to_owned()],
        |args| Ok(bool(is_inside(ip_of(&args[1])?.0, args[0].downcast_ref::<Network>().unwrap()))),
    )
    .unwrap();
    env.add_member_overload(
        "containsIP",
        "cidr_contains_text",
        NETWORK.to_owned(),
        vec![STRING_TYPE],
        |args| {
            let ip = address(args[1].as_ref())
                .ok_or_else(|| ExecutionError::function_error("containsIP", "no address"))?;
            Ok(bool(is_inside(ip, args[0].downcast_ref::<Network>().unwrap())))
        },
    )
    .unwrap();
    env.add_member_overload("family", "ip_family", IP.to_owned(), vec![], |args| {
        Ok(CowVal::owned(CelInt::from(if ip_of(&args[0])?.0.is_ipv4() { 4 } else { 6 })))
    })
    .unwrap();
    env.add_member_overload("isLoopback", "ip_loopback", IP.to_owned(), vec![], |args| {
        Ok(bool(ip_of(&args[0])?.0.is_loopback()))
    })
    .unwrap();
    env.add_member_overload("isUnspecified", "ip_unspecified", IP.to_owned(), vec![], |args| {
        Ok(bool(ip_of(&args[0])?.0.is_unspecified()))
    })
    .unwrap();
    env.add_member_overload("isLinkLocalUnicast", "ip_link_local", IP.to_owned(), vec![], |args| {
        Ok(bool(is_link_local(ip_of(&args[0])?.0)))
    })
    .unwrap();
    env.add_member_overload(
        "isLinkLocalMulticast",
        "ip_link_local_multicast",
        IP.to_owned(),
        vec![],
        |args| {
            Ok(bool(match ip_of(&args[0])?.0 {
                IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
                // Any flags, scope 2 (RFC 4291 section 2.7).
                IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
            }))
        },
    )
    .unwrap();
    env.add_member_overload("isGlobalUnicast", "ip_global", IP.to_owned(), vec![], |args| {
        let ip = ip_of(&args[0])?.0;
        let special = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || is_link_local(ip);
        let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        Ok(bool(!special && !broadcast))
    })
    .unwrap();
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// The extension for sets, by brute force: lists have all, some, or the same elements.
fn sets(env: &mut Env) {
    let types = || vec![LIST_TYPE, LIST_TYPE];
    env.add_overload("sets.contains", "list_sets_contains", types(), |args| {
        let (a, b) = (elements(&args[0]), elements(&args[1]));
        truth(every(&b, |b| some(&a, |a| same(a, b))))
    })
    .unwrap();
    env.add_overload("sets.intersects", "list_sets_intersects", types(), |args| {
        let (a, b) = (elements(&args[0]), elements(&args[1]));
        truth(some(&b, |b| some(&a, |a| same(a, b))))
    })
    .unwrap();
    env.add_overload("sets.equivalent", "list_sets_equivalent", types(), |args| {
        let (a, b) = (elements(&args[0]), elements(&args[1]));
        let (one, other) = (every(&b, |b| some(&a, |a| same(a, b))), every(&a, |a| some(&b, |b| same(a, b))));
        truth(every(&[one, other], |both| *both))
    })
    .unwrap();
}

fn elements<'b>(list: &'b CowVal<'_, '_>) -> Vec<Option<&'b str>> {
    let list = list.downcast_ref::<CelList<'_>>().unwrap();
    list.inner().iter().map(|item| item.as_ref().try_into().ok()).collect()
}

fn truth<'b, 'v>(value: Option<bool>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    value.map(bool).ok_or_else(|| ExecutionError::function_error("sets", "no text"))
}

fn same(a: &Option<&str>, b: &Option<&str>) -> Option<bool> {
    Some((*a)? == (*b)?)
}

/// `exists` and `all`, with none for an error that the others do not absorb.
fn some<T>(items: &[T], test: impl Fn(&T) -> Option<bool>) -> Option<bool> {
    let all: Vec<Option<bool>> = items.iter().map(test).collect();
    if all.contains(&Some(true)) {
        Some(true)
    } else if all.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn every<T>(items: &[T], test: impl Fn(&T) -> Option<bool>) -> Option<bool> {
    some(items, |item| test(item).map(|value| !value)).map(|value| !value)
}
