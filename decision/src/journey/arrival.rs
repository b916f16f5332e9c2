//! A request as its first hop sees it.

use std::borrow::Cow;
use std::sync::Arc;

use mesh_bundle::Owner;
use mesh_bundle::expr::Instant;

use super::ask::Ask;
use super::engines::Engines;
use super::entrance::entrance;
use super::note::{Fact, Note};
use super::outcome::{Journey, NEEDS_TLS};
use super::sent::Sent;
use crate::build::BuildError;
use crate::engine::Engine;
use crate::head::{self, Framing, Trust};
use crate::host;
use crate::reason::Reason;
use crate::request::{Connection, Picks, Request, Source};

/// A stranger's address that nobody gave (RFC 5737, for documentation).
const STRANGER: &str = "192.0.2.1";
/// The address that an application and its own proxy see of each other, and the address of a caller's proxy that nobody
/// gave.
pub(super) const LOOPBACK: &str = "127.0.0.1";
/// The TLS version of proxies, and of a client that nobody described.
pub(super) const TLS_VERSION: &str = "1.3";

/// A request as its first hop sees it, and who sends it on.
pub(super) struct Arrival<'a> {
    pub(super) engine: Arc<Engine>,
    /// The service that asks, or the gateway that it comes through.
    pub(super) first: Owner,
    /// The SPIFFE ID of `first`.
    pub(super) principal: String,
    pub(super) lines: Vec<(String, Vec<u8>)>,
    /// The host as the head names it.
    pub(super) authority: Box<str>,
    /// Facts that rules of this hop may read and nobody gave.
    pub(super) unknown: Vec<Fact>,
    method: &'a str,
    scheme: &'static str,
    host: Box<str>,
    path: String,
    query: &'a str,
    size: Option<u64>,
    ip: Cow<'a, str>,
    connection: Link,
    now: Instant,
}

/// The connection that a request arrives over.
struct Link {
    tls_version: &'static str,
    sni: String,
}

impl<'a> Arrival<'a> {
    /// Lets a request arrive, and takes up in `journey` what becomes of it before any rule is asked. `None` if that is its
    /// end.
    pub(super) fn of(
        engines: &Engines,
        ask: &'a Ask,
        journey: &mut Journey,
    ) -> Result<Option<Self>, BuildError> {
        // The connection comes before the head, and a head that nobody would take may find no gateway.
        let connected = match first(engines, ask, journey) {
            None => None,
            Some(first) => match connect(engines, ask, &first, journey) {
                Some(connection) => Some((first, connection)),
                None => return Ok(None),
            },
        };
        let trust = match ask.caller {
            Some(Owner::Service(_)) => Trust::Mesh,
            Some(Owner::Gateway(_)) | None => Trust::Stranger,
        };
        let mut lines = ask.headers.clone();
        let sent = Sent { version: ask.version, method: &ask.method, authority: &ask.authority };
        let admitted = match sent.admit(&ask.target, &mut lines, trust) {
            Ok(admitted) => admitted,
            Err(rejection) => {
                journey.reject(rejection);
                return Ok(None);
            }
        };
        let Some((first, (scheme, connection))) = connected else {
            journey.refuse(Reason::NoHost);
            return Ok(None);
        };
        let engine = engines.of(&first)?;
        let (raw_path, query) = ask.target.split_once('?').unwrap_or((ask.target.as_str(), ""));
        let path = match head::canonical_path(raw_path, engine.slash_mode(&admitted.host)) {
            Ok(path) => path.into_owned(),
            Err(rejection) => {
                journey.reject(rejection);
                return Ok(None);
            }
        };
        let size = admitted.framing.size();
        let mut unknown = Vec::new();
        if size.is_none() && admitted.framing == Framing::Unstated {
            unknown.push(Fact::Size);
        }
        let ip = match (&first, &ask.ip) {
            (Owner::Service(_), _) => Cow::Borrowed(LOOPBACK),
            (Owner::Gateway(_), Some(ip)) => Cow::Borrowed(ip.as_str()),
            (Owner::Gateway(_), None) => {
                unknown.push(Fact::ClientAddress);
                Cow::Borrowed(STRANGER)
            }
        };
        if !connection.tls_version.is_empty() {
            unknown.push(Fact::TlsVersion);
        }
        Ok(Some(Self {
            principal: engines.program.mesh.spiffe_id(&first),
            authority: admitted.authority.unwrap_or_else(|| ask.authority.as_str().into()),
            method: &ask.method,
            host: admitted.host,
            now: ask.now,
            engine,
            first,
            lines,
            unknown,
            scheme,
            path,
            query,
            size,
            ip,
            connection,
        }))
    }

    /// True for a request of a stranger.
    pub(super) fn is_at_gateway(&self) -> bool {
        matches!(self.first, Owner::Gateway(_))
    }

    /// The request that the first hop's engine is asked about.
    pub(super) fn request<'r>(&'r self, picks: &'r dyn Picks) -> Request<'r> {
        let source = match self.first {
            Owner::Gateway(_) => Source { principal: "", owner: None, ip: &self.ip },
            Owner::Service(_) => {
                Source { principal: &self.principal, owner: Some(&self.first), ip: &self.ip }
            }
        };
        Request {
            method: self.method,
            scheme: self.scheme,
            host: &self.host,
            path: &self.path,
            query: self.query,
            headers: &self.lines,
            size: self.size,
            source,
            connection: Connection {
                mtls: false,
                tls_version: self.connection.tls_version,
                sni: &self.connection.sni,
            },
            now: self.now,
            picks,
        }
    }
}

/// The owner of the first hop. `None` where no gateway has the host.
fn first(engines: &Engines, ask: &Ask, journey: &mut Journey) -> Option<Owner> {
    let first = match &ask.caller {
        Some(caller) => caller.clone(),
        None => {
            let entrance = entrance(&engines.program, ask)?;
            journey.notes.extend(entrance.notes);
            Owner::Gateway(entrance.gateway.clone())
        }
    };
    if let Owner::Gateway(name) = &first {
        journey.gateway = Some(name.to_string());
    }
    Some(first)
}

/// The scheme that the first hop sees, and the connection. `None` where it takes no such connection.
fn connect(
    engines: &Engines,
    ask: &Ask,
    first: &Owner,
    journey: &mut Journey,
) -> Option<(&'static str, Link)> {
    let asked_tls = ask.scheme == "https";
    let takes_tls = match first {
        Owner::Service(_) => {
            if asked_tls {
                journey.notes.push(Note::ClearToOwnProxy);
            }
            false
        }
        Owner::Gateway(name) => {
            let tls = engines.program.gateways.get(name).is_some_and(|g| g.certificate.is_some());
            if asked_tls && !tls {
                journey.notes.push(Note::TlsEndsBefore { gateway: name.to_string() });
            }
            if tls && !asked_tls {
                journey.reason = Some(NEEDS_TLS.to_owned());
                journey.detail = Some(format!("gateway `{name}` takes TLS alone and closes the connection"));
                return None;
            }
            tls
        }
    };
    if takes_tls {
        let sni =
            ask.sni.as_ref().map_or_else(|| server_name(&ask.authority), |sni| sni.to_ascii_lowercase());
        return Some(("https", Link { tls_version: TLS_VERSION, sni }));
    }
    if ask.sni.as_ref().is_some_and(|sni| !sni.is_empty()) {
        journey.notes.push(Note::NoHandshake);
    }
    Some(("http", Link { tls_version: "", sni: String::new() }))
}

/// The server name that a client sends for an authority: its host, and none for an address (RFC 6066 section 3).
fn server_name(authority: &str) -> String {
    match host::canonical(authority) {
        Ok(name) if name.parse::<std::net::Ipv4Addr>().is_err() && !name.starts_with('[') => {
            name.into_owned()
        }
        _ => String::new(),
    }
}
