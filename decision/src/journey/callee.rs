//! The second hop: a forwarded request at the callee's proxy.

use std::borrow::Cow;

use mesh_bundle::Owner;
use mesh_bundle::program::Protocol;

use super::arrival::{Arrival, LOOPBACK, TLS_VERSION};
use super::ask::Ask;
use super::engines::Engines;
use super::note::Fact;
use super::outcome::Journey;
use super::sent::Sent;
use crate::build::BuildError;
use crate::edit;
use crate::head::{self, HeaderLines, Trust, Version};
use crate::outbound_decision::Forward;
use crate::request::{Connection, Request, Source};

/// Fields that a caller proves itself with; the callee's proxy removes them where the mesh says so.
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

/// Lets a forwarded request arrive at the callee's proxy, over mutual TLS and under the service's name.
pub(super) fn arrive(
    journey: &mut Journey,
    engines: &Engines,
    forward: &Forward<'_>,
    arrival: &Arrival<'_>,
    request: &Request<'_>,
    ask: &Ask,
) -> Result<(), BuildError> {
    let engine = engines.of(&Owner::Service(forward.service.clone()))?;
    let mut lines = arrival.lines.clone();
    for edits in forward.request_headers.into_iter().flatten() {
        edit::apply(edits, &mut lines);
    }
    let authority = forward.host.unwrap_or(&arrival.authority);
    let path = forward.path.as_deref().unwrap_or(request.path);
    let protocol = engines.program.services.get(forward.service).map(|service| service.protocol);
    let version = if protocol == Some(Protocol::Grpc) { Version::Http2 } else { Version::Http11 };
    if version != Version::Http2 {
        lines.insert(0, ("host".to_owned(), authority.as_bytes().to_vec()));
    }
    let sent = Sent { version, method: request.method, authority };
    let admitted = sent.admit(path, &mut lines, Trust::Mesh);
    let canonical = head::canonical_path(path, engine.own_slash_mode());
    let (admitted, path) = match admitted.and_then(|admitted| Ok((admitted, canonical?))) {
        Ok(both) => both,
        Err(rejection) => {
            journey.reject(rejection);
            return Ok(());
        }
    };
    let mut unknown: Vec<Fact> = arrival.unknown.iter().copied().filter(|fact| *fact == Fact::Size).collect();
    let ip = match (&arrival.first, &ask.ip) {
        (Owner::Service(_), Some(ip)) => Cow::Borrowed(ip.as_str()),
        (Owner::Service(_), None) => {
            unknown.push(Fact::ClientAddress);
            Cow::Borrowed(LOOPBACK)
        }
        (Owner::Gateway(_), _) => {
            unknown.push(Fact::GatewayAddress);
            Cow::Borrowed(LOOPBACK)
        }
    };
    let inner = Request {
        scheme: "https",
        host: &admitted.host,
        path: &path,
        headers: &lines,
        source: Source { principal: &arrival.principal, owner: Some(&arrival.first), ip: &ip },
        connection: Connection { mtls: true, tls_version: TLS_VERSION, sni: forward.service.as_str() },
        ..*request
    };
    if !journey.enter(&engine, &inner, &unknown) {
        return Ok(());
    }
    journey.path = Some(path.into_owned());
    journey.host = Some(forward.host.unwrap_or(request.host).to_owned());
    if engines.program.mesh.remove_credentials {
        CREDENTIALS.iter().for_each(|name| HeaderLines::remove(&mut lines, name));
    }
    journey.headers = lines;
    Ok(())
}
