//! Requests.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use mesh_bundle::expr::Instant;
use mesh_bundle::program::Service;
use mesh_bundle::{Name, Owner, PathPattern};
use mesh_decision::expr::{Context, Destination};
use mesh_decision::{Connection, Request, Source};

use super::words;
use crate::random::Random;

/// The pattern whose parameters rules read, where they read any.
pub const PATTERN: &str = "/orders/{id}/items/{item}";

/// A request with all that an expression can see, owned.
#[derive(Clone, PartialEq)]
pub struct Sample {
    /// `request.method`
    pub method: String,
    /// `request.scheme`
    pub scheme: String,
    /// `request.host`
    pub host: String,
    /// `request.path`
    pub path: String,
    /// The query as it comes, with escapes.
    pub query: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Bytes of the body, where they are declared.
    pub size: Option<u64>,
    /// `source.principal`
    pub principal: String,
    /// The caller, where it is known.
    pub owner: Option<Owner>,
    /// `source.ip`
    pub ip: String,
    /// `connection.mtls`
    pub mtls: bool,
    /// `connection.tlsVersion`
    pub tls_version: String,
    /// `connection.sni`
    pub sni: String,
    /// `now`
    pub now: Instant,
    /// The caller's service, where it is known.
    pub source: Option<Service>,
    /// The callee's name and service.
    pub destination: (String, Service),
    /// Every value is there once at most and is text, so that no checked rule errs.
    pub clean: bool,
}

impl fmt::Debug for Sample {
    /// On one line, header values as text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, scheme, host, path, query, .. } = self;
        write!(f, "{method} {scheme}://{host}{path}?{query} [")?;
        for (name, value) in &self.headers {
            write!(f, "{name}: {:?}, ", value.escape_ascii().to_string())?;
        }
        let source = self.source.as_ref().map(|service| &service.labels);
        let (name, service) = &self.destination;
        write!(
            f,
            "] size {:?}, from {:?} {:?} {} {source:?}, mtls {} {:?} {:?}, at {:?}, to {name} {} {:?}",
            self.size,
            self.principal,
            self.owner,
            self.ip,
            self.mtls,
            self.tls_version,
            self.sni,
            self.now,
            service.port,
            service.labels
        )
    }
}

impl Sample {
    /// Calls `with` with what a program is evaluated on. `pattern` is that of the rule, where the path matched one.
    pub fn with<T>(&self, pattern: Option<&PathPattern>, with: impl FnOnce(&Context<'_>) -> T) -> T {
        let request = Request {
            method: &self.method,
            scheme: &self.scheme,
            host: &self.host,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            size: self.size,
            source: Source { principal: &self.principal, owner: self.owner.as_ref(), ip: &self.ip },
            connection: Connection { mtls: self.mtls, tls_version: &self.tls_version, sni: &self.sni },
            now: self.now,
            picks: &0,
        };
        let (name, service) = &self.destination;
        with(&Context {
            request: &request,
            pattern,
            source: self.source.as_ref(),
            destination: Some(Destination { name, service, version: "" }),
        })
    }

    /// True if the path is one that [`PATTERN`] matches.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        matches!(parts.as_slice(), ["", "orders", id, "items", item] if !id.is_empty() && !item.is_empty())
    }
}

/// A request.
#[must_use]
pub fn sample(random: &mut Random) -> Sample {
    let mut all = Drawn { random, clean: true };
    // About half of the requests have nothing twice.
    let tidy = all.random.chance(2);
    let headers = all.headers(tidy);
    let query = all.query(tidy);
    let mtls = !all.random.chance(3);
    let service = if mtls { all.word(words::SERVICES) } else { "" };
    let owner = Name::new(service)
        .ok()
        .map(|name| if all.random.chance(8) { Owner::Gateway(name) } else { Owner::Service(name) });
    let (_, seconds, nanos) = all.random.one(words::TIMES).copied().unwrap_or_default();
    let shift = match all.random.below(4) {
        0 => 0,
        1 => i64::try_from(all.random.below(200_000)).unwrap_or(0),
        _ => i64::try_from(all.random.below(40_000_000)).unwrap_or(0),
    };
    let source = (!service.is_empty() && !all.random.chance(4)).then(|| all.service(words::SOURCE_LABELS));
    let (port, callee) =
        (all.random.one(words::PORTS).copied().unwrap_or(80), all.word(words::SERVICES).to_owned());
    let mut destination = all.service(words::DESTINATION_LABELS);
    destination.port = u16::try_from(port).unwrap_or(80);
    let size = all.random.one(words::SIZES).and_then(|size| u64::try_from(*size).ok());
    Sample {
        method: all.word(words::METHODS).to_owned(),
        scheme: all.word(words::SCHEMES).to_owned(),
        host: all.word(words::HOSTS).to_owned(),
        path: all.word(words::PATHS).to_owned(),
        query,
        headers,
        size: if all.random.chance(40) { Some(u64::MAX) } else { size.filter(|_| !all.random.chance(5)) },
        principal: if mtls { all.word(words::PRINCIPALS).to_owned() } else { String::new() },
        owner,
        ip: all.word(words::ADDRESSES).to_owned(),
        mtls,
        tls_version: if mtls { all.word(&["1.3", "1.2"]).to_owned() } else { String::new() },
        sni: all.word(&["shop.example", "orders", ""]).to_owned(),
        now: Instant::new(seconds + shift, nanos).unwrap_or_default(),
        source,
        destination: (callee, destination),
        clean: all.clean,
    }
}

struct Drawn<'r> {
    random: &'r mut Random,
    clean: bool,
}

impl Drawn<'_> {
    fn word(&mut self, words: &'static [&'static str]) -> &'static str {
        self.random.one(words).copied().unwrap_or_default()
    }

    /// How often a name comes.
    fn times(&mut self, tidy: bool) -> usize {
        let times = match self.random.below(10) {
            0..4 => 0,
            4..7 => 1,
            7..9 => 2,
            _ => 3,
        };
        if tidy { times.min(1) } else { times }
    }

    fn headers(&mut self, tidy: bool) -> Vec<(String, Vec<u8>)> {
        let mut lines: Vec<(String, Vec<u8>)> = Vec::new();
        for name in words::HEADERS {
            let times = self.times(tidy);
            for _ in 0..times {
                let value = if !tidy && self.random.chance(16) {
                    self.clean = false;
                    vec![b'a', 0xff]
                } else {
                    self.word(words::VALUES).as_bytes().to_vec()
                };
                lines.push(((*name).to_owned(), value));
            }
            self.clean &= times < 2;
        }
        // Cookies: in one line, or in one each.
        let mut pairs = Vec::new();
        for name in words::COOKIES {
            let times = self.times(tidy);
            self.clean &= times < 2;
            for _ in 0..times {
                pairs.push(format!("{name}={}", self.word(words::VALUES).trim_matches(' ')));
            }
        }
        if self.random.chance(6) {
            pairs.push("flag".to_owned());
        }
        if self.random.chance(4) {
            lines.extend(pairs.into_iter().map(|pair| ("cookie".to_owned(), pair.into_bytes())));
        } else if !pairs.is_empty() {
            lines.push(("cookie".to_owned(), pairs.join(self.word(&["; ", ";", " ;\t"])).into_bytes()));
        }
        for at in (1..lines.len()).rev() {
            let other = self.random.below(at + 1);
            lines.swap(at, other);
        }
        lines
    }

    fn query(&mut self, tidy: bool) -> String {
        let mut pairs = Vec::new();
        for name in words::PARAMETERS {
            let times = self.times(tidy);
            self.clean &= times < 2;
            for _ in 0..times {
                let name = self.encoded(name, true);
                let value = if !tidy && self.random.chance(24) {
                    self.clean = false;
                    self.word(&["%zz", "%", "%ff", "a%4"]).to_owned()
                } else {
                    let value = self.word(words::VALUES);
                    self.encoded(value, false)
                };
                let bare = value.is_empty() && self.random.chance(2);
                pairs.push(if bare { name } else { format!("{name}={value}") });
            }
        }
        if self.random.chance(6) {
            pairs.push(String::new());
        }
        pairs.join("&")
    }

    /// Percent-encoded: what must be, and now and then what need not be.
    fn encoded(&mut self, text: &str, key: bool) -> String {
        let mut out = String::new();
        for byte in text.bytes() {
            let free = byte.is_ascii_alphanumeric() || b"-._~:,".contains(&byte);
            if byte == b' ' && self.random.chance(2) {
                out.push('+');
            } else if free && !self.random.chance(if key { 12 } else { 6 }) {
                out.push(char::from(byte));
            } else if self.random.chance(3) {
                let _ = write!(out, "%{byte:02x}");
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    }

    fn service(&mut self, labels: &[&str]) -> Service {
        let mut chosen = BTreeMap::new();
        for label in labels {
            if !self.random.chance(3) {
                chosen.insert((*label).to_owned(), self.word(words::VALUES).to_owned());
            }
        }
        Service {
            port: 80,
            app_port: None,
            protocol: Default::default(),
            versions: Vec::new(),
            labels: chosen,
            escaped_slashes: Default::default(),
            addresses: BTreeMap::new(),
        }
    }
}
