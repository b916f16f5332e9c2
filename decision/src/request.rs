//! One request as the core sees it. Everything is borrowed from the shell.

use mesh_bundle::Owner;

/// One request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method token.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host in canonical form (see [`crate::host::canonical`]).
    pub host: &'a str,
    /// The path in canonical form (see [`crate::path::canonical`]).
    pub path: &'a str,
    /// The query as it came, without `?`; empty where absent.
    pub query: &'a str,
    /// The header lines.
    pub headers: &'a dyn Fields,
    /// Declared body size in bytes, where known.
    pub size: Option<u64>,
    /// Who asks.
    pub source: Source<'a>,
    /// Over what.
    pub connection: Connection<'a>,
    /// Where shares are drawn from.
    pub picks: &'a dyn Picks,
}

/// Who asks, as its certificate says; never as a header says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// SPIFFE ID of the peer certificate; empty without mutual TLS.
    pub principal: &'a str,
    /// The service or gateway of this mesh and environment that the principal names.
    pub owner: Option<&'a Owner>,
    /// The peer's address, without port.
    pub ip: &'a str,
}

impl Source<'_> {
    /// The principal's trust domain; empty without one.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        let rest = self.principal.strip_prefix("spiffe://").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// What stands for the caller in a key: its principal, else its address.
    #[must_use]
    pub fn key(&self) -> &str {
        if self.principal.is_empty() { self.ip } else { self.principal }
    }
}

/// Over what a request came.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connection<'a> {
    /// True for mutual TLS.
    pub mtls: bool,
    /// `1.3`, `1.2`, or empty for plain text.
    pub tls_version: &'a str,
    /// Server name that the client asked for; empty where absent.
    pub sni: &'a str,
}

/// Header lines by lower-case name.
pub trait Fields {
    /// The `n`th line (from 0) of `name`, in the order of arrival.
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]>;
}

/// Header lines in a slice, names in lower case.
impl<N: AsRef<str>, V: AsRef<[u8]>> Fields for [(N, V)] {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.iter().filter(|(known, _)| known.as_ref() == name).nth(n).map(|(_, value)| value.as_ref())
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Fields for Vec<(N, V)> {
    fn nth(&self, name: &str, n: usize) -> Option<&[u8]> {
        self.as_slice().nth(name, n)
    }
}

/// Where shares are drawn from.
pub trait Picks {
    /// A number from 0 to 9,999 for the split with this id. The proxy steps each split's
    /// counter through [`crate::split::pick`], so that every 10,000 in a row are exact.
    fn pick(&self, split: u32) -> u32;
}

/// The same pick for every split: for tools that ask about one share.
impl Picks for u32 {
    fn pick(&self, _: u32) -> u32 {
        *self
    }
}
