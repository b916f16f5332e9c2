//! Requests: one request as the core sees it. Everything is borrowed from the shell.

use mesh_bundle::expr::Instant;
use mesh_bundle::{Owner, limits};

/// A request to decide, with its caller and connection.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method token.
    pub method: &'a str,
    /// The scheme: `http` or `https`.
    pub scheme: &'a str,
    /// The host in canonical form (see [`crate::host::canonical`]).
    pub host: &'a str,
    /// The path in canonical form (see [`crate::path::canonical`]).
    pub path: &'a str,
    /// The query as it came, without `?`; empty where absent.
    pub query: &'a str,
    /// The header lines, by name.
    pub headers: &'a dyn Fields,
    /// Declared body size in bytes, where known.
    pub size: Option<u64>,
    /// The caller, as its certificate says.
    pub source: Source<'a>,
    /// The connection that the request came over.
    pub connection: Connection<'a>,
    /// The arrival time of the request.
    pub now: Instant,
    /// The source of picks, from which shares are drawn.
    pub picks: &'a dyn Picks,
}

/// The caller of a request, as its certificate says; never as a header says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// SPIFFE ID of the peer certificate; empty without mutual TLS.
    pub principal: &'a str,
    /// The service or gateway of this mesh and environment that the principal names.
    pub owner: Option<&'a Owner>,
    /// The peer's address, without port.
    pub ip: &'a str,
}

impl<'a> Source<'a> {
    /// The principal's trust domain; empty without one.
    #[must_use]
    pub fn trust_domain(&self) -> &'a str {
        let rest = self.principal.strip_prefix("spiffe://").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// The caller's key in limits: its principal, else its address.
    #[must_use]
    pub fn key(&self) -> &str {
        if self.principal.is_empty() { self.ip } else { self.principal }
    }
}

/// The connection that a request came over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connection<'a> {
    /// True for mutual TLS.
    pub mtls: bool,
    /// The TLS version: `1.3`, `1.2`, or empty for plain text.
    pub tls_version: &'a str,
    /// Server name that the client asked for; empty where absent.
    pub sni: &'a str,
}

/// Header lines by lower-case name.
pub trait Fields {
    /// The `n`th line (from 0) of `name`, in the order of arrival.
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]>;

    /// The only line of `name`, if there is one. To be overridden where one walk can tell.
    fn sole(&self, name: &str) -> Sole<'_> {
        match (self.nth(name, 0), self.nth(name, 1)) {
            (None, _) => Sole::Absent,
            (Some(value), None) => Sole::One(value),
            (Some(_), Some(_)) => Sole::Several,
        }
    }

    /// Calls `visit` with every line of `name` in the order of arrival, at most
    /// [`limits::HEADER_LINES`], until it says false. To be overridden where one walk can.
    fn every<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
        for n in 0..limits::HEADER_LINES {
            let Some(value) = self.nth(name, n) else { return };
            if !visit(value) {
                return;
            }
        }
    }
}

/// The number of lines that a name has, with the line where it is the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sole<'a> {
    /// The name has no line.
    Absent,
    /// The name has this one line.
    One(&'a [u8]),
    /// The name has more than one line.
    Several,
}

impl<'a> Sole<'a> {
    /// Classifies `lines`, which are those of one name.
    pub fn of(mut lines: impl Iterator<Item = &'a [u8]>) -> Self {
        match (lines.next(), lines.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::One(value),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// Header lines in a slice, names in lower case.
impl<N: AsRef<str>, V: AsRef<[u8]>> Fields for [(N, V)] {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.iter().filter(|(known, _)| known.as_ref() == name).nth(n).map(|(_, value)| value.as_ref())
    }

    fn sole(&self, name: &str) -> Sole<'_> {
        Sole::of(self.iter().filter(|(known, _)| known.as_ref() == name).map(|(_, value)| value.as_ref()))
    }

    fn every<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
        let lines = self.iter().filter(|(known, _)| known.as_ref() == name).map(|(_, value)| value.as_ref());
        lines.take(limits::HEADER_LINES).all(visit);
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Fields for Vec<(N, V)> {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.as_slice().nth(name, n)
    }

    fn sole(&self, name: &str) -> Sole<'_> {
        self.as_slice().sole(name)
    }

    fn every<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
        self.as_slice().every(name, visit);
    }
}

/// A source of picks, from which shares are drawn.
pub trait Picks {
    /// A number from 0 to 9,999 for the split with this id. The proxy steps each split's
    /// counter through [`crate::split::pick`], so that every 10,000 in a row are exact.
    fn pick(&self, split: u32) -> u32;

    /// The pick of a split whatever the request sticks to: for tools that ask about every share. The proxy has none.
    fn forced(&self, _split: u32) -> Option<u32> {
        None
    }
}

/// Gives one pick to every split: for tools that ask about one share.
impl Picks for u32 {
    fn pick(&self, _: u32) -> u32 {
        *self
    }
}
